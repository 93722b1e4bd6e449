//! One indicator over all sites, or all groups of another level, by one of its methods.

use std::collections::BTreeMap;

use axum::extract::{OriginalUri, Path, State as Extract};
use axum::http::HeaderMap;
use flight::published::Visible;
use frontend::query::{IndicatorQuery, Level};
use frontend::view::{Bound, BoundPoint, Definition, Indicator, IndicatorView, SiteCourse, SiteRow, Tab};
use kernel::{Read, StudyScope};
use marts::IndicatorDefinition;
use marts::indicators::bounds::bounds_of;
use marts::indicators::groups::Groups;
use marts::indicators::{NORMAL_APPROXIMATION, change};

use super::signals::{self, Comparison, Signals};
use super::{Answer, Visit, definition_changes, pairs};
use crate::app::App;
use crate::error::Result;
use crate::http::State;
use crate::http::caller::Reader;
use crate::work::blocking;

/// Snapshots, the one shown among them, that an occurrence is told of.
const LOOKED_AT: usize = 12;

/// `GET /studies/{study}/rbqm/{indicator}`.
pub(crate) async fn show(
    Extract(state): Extract<State>,
    reader: Reader,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
    Path((study, id)): Path<(String, String)>,
) -> Answer {
    let visit = Visit::new(&state, &reader, &headers, &uri);
    let scope = visit.scope(&study).await?;
    let visible = visit.visible(&scope).await?;
    let defined =
        signals::defined(&state.app, &scope, &visible).await.map_err(|failure| visit.fail(failure))?;
    let mut query = IndicatorQuery::from_pairs(&pairs(&uri));
    let mut found = None;
    if let Some(defined) = defined.into_iter().find(|one| one.definition.id == id) {
        // A method that cannot judge the indicator is none.
        query.method = query.method.filter(|method| defined.definition.methods().contains(&method.as_str()));
        let wanted = Comparison { level: query.level, method: query.method.clone(), domain: None };
        let read = signals::compared(&state.app, &scope, &visible, &wanted).await;
        let read = read.map_err(|failure| visit.fail(failure))?;
        let levels = read.levels.clone();
        found =
            one(read, &id).map(|(indicator, sites)| (defined.definition, wanted, levels, indicator, sites));
    }
    let Some((definition, wanted, levels, indicator, sites)) = found else {
        let problem = visit.caller.refuse(&state, "no_such_indicator").await;
        return Err(visit.refuse(&problem));
    };
    let changes = definition_changes::of(&state.app, &scope, |known| known == id).await;
    let changes = changes.map_err(|failure| visit.fail(failure))?;
    let place = Place { app: &state.app, scope: &scope, visible: &visible, definition: &definition };
    let view = IndicatorView {
        frame: visit.frame(Some(Tab::Rbqm), Some((&scope, &visible.row))).await?,
        query,
        levels,
        methods: definition.methods().iter().map(|method| (*method).to_owned()).collect(),
        bounds: place.bounds(&wanted, &sites).await.map_err(|failure| visit.fail(failure))?,
        courses: place.courses(&wanted).await.map_err(|failure| visit.fail(failure))?,
        indicator,
        sites,
        definition: Definition { changes, ..signals::definition_of(&definition, &wanted) },
        downloads: signals::downloads(&study, wanted.table()),
    };
    Ok(visit.page(frontend::page::indicator(&view)))
}

/// One indicator, and each site with this indicator's signal alone.
pub(crate) fn one(signals: Signals, id: &str) -> Option<(Indicator, Vec<SiteRow>)> {
    let position = signals.indicators.iter().position(|indicator| indicator.id == id)?;
    let of_site = |mut site: SiteRow| {
        site.signals = site.signals.get(position).cloned().into_iter().collect();
        site
    };
    let sites = signals.sites.into_iter().map(of_site).collect();
    Some((signals.indicators.get(position)?.clone(), sites))
}

/// An indicator of one snapshot.
struct Place<'a> {
    app: &'a App,
    scope: &'a StudyScope<Read>,
    visible: &'a Visible,
    definition: &'a IndicatorDefinition,
}

impl Place<'_> {
    fn own_method(&self) -> &'static str {
        self.definition.methods().first().copied().unwrap_or_default()
    }

    /// What the last snapshots said of each group.
    async fn courses(&self, wanted: &Comparison) -> Result<BTreeMap<String, SiteCourse>> {
        let rows = self.app.control.snapshots(self.scope).await?;
        let former = rows.into_iter().filter(|row| row.has_marts && row.seq < self.visible.row.seq);
        let mut shown = vec![self.visible.clone()];
        for row in former.take(LOOKED_AT - 1) {
            shown.push(self.app.published.open(self.scope, row)?);
        }
        let mut courses: BTreeMap<String, SiteCourse> = BTreeMap::new();
        let mut now: BTreeMap<String, Option<f64>> = BTreeMap::new();
        for (place, snapshot) in shown.iter().enumerate() {
            for (group, metric, flag) in self.said(snapshot, wanted).await? {
                let course = courses.entry(group.clone()).or_default();
                match place {
                    0 => {
                        now.insert(group, metric);
                    }
                    1 => {
                        let now = now.get(&group).copied().flatten();
                        course.change = change(metric, now).map(|change| change.difference);
                    }
                    _ => {}
                }
                course.judged += u64::from(flag.is_some());
                course.flagged += u64::from(flag.is_some_and(|flag| flag != 0));
            }
        }
        Ok(courses)
    }

    /// Metric and flag of every group in one snapshot.
    async fn said(
        &self,
        snapshot: &Visible,
        wanted: &Comparison,
    ) -> Result<Vec<(String, Option<f64>, Option<i64>)>> {
        let rows = self.app.mart_rows.table(self.scope, snapshot, wanted.table()).await?;
        let ids = rows.texts("indicator_id");
        let (metrics, flags) = (rows.numbers("metric"), rows.integers("flag"));
        let groups = rows.texts(if wanted.is_own() { "site_id" } else { "group_id" });
        let (levels, methods) = (rows.texts("level"), rows.texts("method"));
        let method = wanted.method.as_deref().unwrap_or_else(|| self.own_method());
        let is_it = |row: &usize| {
            let compared =
                wanted.is_own() || (levels[*row] == wanted.level.name() && methods[*row] == method);
            ids[*row] == self.definition.id && compared
        };
        Ok((0..rows.len()).filter(is_it).map(|row| (groups[row].clone(), metrics[row], flags[row])).collect())
    }

    /// The limits over the denominator: of sites by the normal approximation as they were built, of any other level and
    /// method from the sums of the groups.
    async fn bounds(&self, wanted: &Comparison, groups: &[SiteRow]) -> Result<Vec<Bound>> {
        let method = wanted.method.as_deref().unwrap_or_else(|| self.own_method());
        let built = wanted.level == Level::Site && method == NORMAL_APPROXIMATION;
        let points = if built && self.definition.identity.is_none() {
            self.built_bounds().await?
        } else {
            let mut sums = Groups::default();
            for (group, signal) in groups.iter().filter_map(|group| Some((group, group.signals.first()?))) {
                if let (Some(numerator), Some(denominator)) = (signal.numerator, signal.denominator) {
                    sums.push(group.site.clone(), numerator, denominator);
                }
            }
            if sums.names.is_empty() {
                return Ok(Vec::new());
            }
            let (definition, method) = (self.definition.clone(), method.to_owned());
            let computed = blocking(move || Ok(bounds_of(&definition, &sums, &method)?)).await?;
            computed.iter().map(|bound| (bound.threshold, bound.denominator, bound.metric)).collect()
        };
        Ok(curves(points))
    }

    /// Threshold, denominator and metric of the limits that the snapshot holds.
    async fn built_bounds(&self) -> Result<Vec<(f64, f64, f64)>> {
        let rows = self.app.mart_rows.table(self.scope, self.visible, "mart_kri_bounds").await?;
        let ids = rows.texts("indicator_id");
        let [thresholds, denominators, metrics] =
            ["threshold", "denominator", "metric"].map(|name| rows.numbers(name));
        let of_row = |row: usize| Some((thresholds[row]?, denominators[row]?, metrics[row]?));
        Ok((0..rows.len()).filter(|row| ids[*row] == self.definition.id).filter_map(of_row).collect())
    }
}

/// One curve for each threshold, in ascending order.
fn curves(points: Vec<(f64, f64, f64)>) -> Vec<Bound> {
    // A threshold as a key: in order, and equal to itself.
    let key = |threshold: f64| threshold.to_bits() ^ (((threshold.to_bits() >> 63) * u64::MAX) | (1 << 63));
    let mut curves: BTreeMap<u64, Bound> = BTreeMap::new();
    for (threshold, denominator, metric) in points {
        let curve = curves.entry(key(threshold)).or_insert_with(|| Bound { threshold, points: Vec::new() });
        curve.points.push(BoundPoint { denominator, metric });
    }
    curves.into_values().collect()
}
