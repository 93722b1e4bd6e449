//! One indicator over all sites.

use std::collections::BTreeMap;

use axum::extract::{OriginalUri, Path, State as Extract};
use axum::http::HeaderMap;
use flight::published::Visible;
use frontend::query::IndicatorQuery;
use frontend::view::{Bound, BoundPoint, Definition, Indicator, IndicatorView, SiteCourse, SiteRow, Tab};
use kernel::{Read, StudyScope};
use marts::indicators::change;

use super::signals::{self, Signals};
use super::{Answer, Visit, definition_changes, pairs};
use crate::app::App;
use crate::error::Result;
use crate::http::State;
use crate::http::caller::Reader;

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
    let read = signals::read(&state.app, &scope, &visible).await.map_err(|failure| visit.fail(failure))?;
    let found = defined.iter().find(|one| one.definition.id == id).zip(one(read, &id));
    let Some((defined, (indicator, sites))) = found else {
        let problem = visit.caller.refuse(&state, "no_such_indicator").await;
        return Err(visit.refuse(&problem));
    };
    let changes = definition_changes::of(&state.app, &scope, |known| known == id).await;
    let changes = changes.map_err(|failure| visit.fail(failure))?;
    let view = IndicatorView {
        frame: visit.frame(Some(Tab::Rbqm), Some((&scope, &visible.row))).await?,
        query: IndicatorQuery::from_pairs(&pairs(&uri)),
        indicator,
        sites,
        bounds: bounds(&state.app, &scope, &visible, &id).await.map_err(|failure| visit.fail(failure))?,
        courses: courses(&state.app, &scope, &visible, &id).await.map_err(|failure| visit.fail(failure))?,
        definition: Definition { changes, ..signals::definition_of(&defined.definition) },
        downloads: signals::downloads(&study, "mart_kri"),
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

/// What the last snapshots said of each site by its own method.
async fn courses(
    app: &App,
    scope: &StudyScope<Read>,
    visible: &Visible,
    id: &str,
) -> Result<BTreeMap<String, SiteCourse>> {
    let rows = app.control.snapshots(scope).await?;
    let former = rows.into_iter().filter(|row| row.has_marts && row.seq < visible.row.seq);
    let mut shown = vec![visible.clone()];
    for row in former.take(LOOKED_AT - 1) {
        shown.push(app.published.open(scope, row)?);
    }
    let mut courses: BTreeMap<String, SiteCourse> = BTreeMap::new();
    let mut now: BTreeMap<String, Option<f64>> = BTreeMap::new();
    for (place, snapshot) in shown.iter().enumerate() {
        let rows = app.mart_rows.table(scope, snapshot, "mart_kri").await?;
        let (ids, sites) = (rows.texts("indicator_id"), rows.texts("site_id"));
        let (metrics, flags) = (rows.numbers("metric"), rows.integers("flag"));
        for row in (0..rows.len()).filter(|row| ids[*row] == id) {
            let course = courses.entry(sites[row].clone()).or_default();
            match place {
                0 => {
                    now.insert(sites[row].clone(), metrics[row]);
                }
                1 => {
                    let now = now.get(&sites[row]).copied().flatten();
                    course.change = change(metrics[row], now).map(|change| change.difference);
                }
                _ => {}
            }
            course.judged += u64::from(flags[row].is_some());
            course.flagged += u64::from(flags[row].is_some_and(|flag| flag != 0));
        }
    }
    Ok(courses)
}

async fn bounds(app: &App, scope: &StudyScope<Read>, visible: &Visible, id: &str) -> Result<Vec<Bound>> {
    let rows = app.mart_rows.table(scope, visible, "mart_kri_bounds").await?;
    let ids = rows.texts("indicator_id");
    let [thresholds, denominators, metrics] =
        ["threshold", "denominator", "metric"].map(|name| rows.numbers(name));
    // A threshold as a key: in order, and equal to itself.
    let key = |threshold: f64| threshold.to_bits() ^ (((threshold.to_bits() >> 63) * u64::MAX) | (1 << 63));
    let mut curves: BTreeMap<u64, Bound> = BTreeMap::new();
    for row in (0..rows.len()).filter(|row| ids[*row] == id) {
        let (Some(threshold), Some(denominator), Some(metric)) =
            (thresholds[row], denominators[row], metrics[row])
        else {
            continue;
        };
        let curve = curves.entry(key(threshold)).or_insert_with(|| Bound { threshold, points: Vec::new() });
        curve.points.push(BoundPoint { denominator, metric });
    }
    Ok(curves.into_values().collect())
}
