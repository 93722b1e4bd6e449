//! What the risk indicators say, as the pages of a study show it.

use std::collections::{BTreeMap, BTreeSet};

use flight::published::Visible;
use frontend::query::Level;
use frontend::view::{
    Definition, Downloads, Flag, Indicator, Metric, MonitoredBy, NotApplicable, Scored, Signal, SiteRow,
};
use kernel::{Read, StudyScope};
use marts::IndicatorDefinition;
use marts::indicators::by_method::LEAST_EXPECTED;
use marts::indicators::{
    AccrualOn, EXACT, IDENTITY, IN_FRAME, IdentityOn, LEAVE_ONE_OUT, METRIC, Model, definitions,
};

use crate::app::App;
use crate::error::Result;
use crate::mart_rows::Rows;

/// The indicators and the sites of a study.
#[derive(Debug, Default)]
pub(crate) struct Signals {
    /// Those that the sources answer.
    pub(crate) indicators: Vec<Indicator>,
    /// The others, each with why.
    pub(crate) not_applicable: Vec<NotApplicable>,
    pub(crate) sites: Vec<SiteRow>,
    /// The levels that the sources know groups at.
    pub(crate) levels: Vec<Level>,
}

/// An indicator as the snapshot defines it, and whether the study's sources answer it.
#[derive(Debug, Clone)]
pub(crate) struct Defined {
    pub(crate) definition: IndicatorDefinition,
    pub(crate) is_answered: bool,
}

/// The definitions that made the snapshot's numbers, by `mart_definition`. Those that are not shown are left out.
pub(crate) async fn defined(app: &App, scope: &StudyScope<Read>, visible: &Visible) -> Result<Vec<Defined>> {
    let rows = app.mart_rows.table(scope, visible, "mart_definition").await?;
    let [ids, thresholds, flags, weights, on, versions] =
        ["definition_id", "thresholds", "flags", "weights", "accrual_on", "version"]
            .map(|name| rows.texts(name));
    let least = rows.numbers("accrual_least");
    let [shown, answered] = ["is_shown", "is_answered"].map(|name| rows.truths(name));
    let mut found = Vec::new();
    for shipped in definitions()? {
        let mut definition = shipped.clone();
        let mut is_answered = false;
        if let Some(row) = ids.iter().position(|id| *id == shipped.id) {
            definition.thresholds = numbers(&thresholds[row]);
            definition.flags = numbers(&flags[row]);
            definition.weights = numbers(&weights[row]);
            definition.accrual.least = least[row].unwrap_or(definition.accrual.least);
            let known = [AccrualOn::Numerator, AccrualOn::Denominator, AccrualOn::Difference];
            let on = known.into_iter().find(|known| known.name() == on[row]);
            definition.accrual.on = on.unwrap_or(definition.accrual.on);
            definition.version.clone_from(&versions[row]);
            (definition.shown, is_answered) = (shown[row], answered[row]);
        }
        if definition.shown {
            found.push(Defined { definition, is_answered });
        }
    }
    // Within a domain in catalogue order.
    found.sort_by_key(|one| one.definition.domain);
    Ok(found)
}

fn numbers<T: std::str::FromStr>(list: &str) -> Vec<T> {
    list.split(", ").filter_map(|number| number.parse().ok()).collect()
}

/// What is compared, and how.
#[derive(Debug, Clone, Default)]
pub(crate) struct Comparison {
    pub(crate) level: Level,
    /// Each indicator's own when it is none.
    pub(crate) method: Option<String>,
    /// Only indicators about this.
    pub(crate) domain: Option<String>,
}

impl Comparison {
    /// Whether sites are compared by each indicator's own method, which has a mart of its own.
    pub(crate) fn is_own(&self) -> bool {
        self.level == Level::Site && self.method.is_none()
    }

    /// The mart that holds it.
    pub(crate) fn table(&self) -> &'static str {
        if self.is_own() { "mart_kri" } else { "mart_indicator" }
    }
}

/// The indicators of a study and each site by each indicator's own method.
pub(crate) async fn read(app: &App, scope: &StudyScope<Read>, visible: &Visible) -> Result<Signals> {
    compared(app, scope, visible, &Comparison::default()).await
}

/// The indicators of a study and each group of a level by a method.
pub(crate) async fn compared(
    app: &App,
    scope: &StudyScope<Read>,
    visible: &Visible,
    wanted: &Comparison,
) -> Result<Signals> {
    let defined = defined(app, scope, visible).await?;
    let rows = app.mart_rows.table(scope, visible, wanted.table()).await?;
    let scored = if wanted.is_own() { scored(&rows) } else { by_method(&rows, wanted, &defined) };
    let wanted_domain =
        |one: &Defined| wanted.domain.as_ref().is_none_or(|domain| domain == one.definition.domain.name());
    let mut found = Signals::default();
    for one in defined.iter().filter(|one| wanted_domain(one)) {
        if one.is_answered {
            let overall = scored.overall.get(&one.definition.id).copied();
            found.indicators.push(indicator(&one.definition, overall, wanted.method.as_deref()));
        } else {
            found.not_applicable.push(NotApplicable {
                code: one.definition.code.clone(),
                title: one.definition.title.clone(),
                reason: why_not(&one.definition),
            });
        }
    }
    let sites = app.mart_rows.table(scope, visible, "dim_site").await?;
    found.levels = levels(&sites);
    found.sites = if wanted.level == Level::Site {
        self::sites(app, scope, visible).await?
    } else {
        let subjects = app.mart_rows.table(scope, visible, "dim_subject").await?;
        groups(&scored, &subjects_by_group(&subjects, &sites, wanted.level))
    };
    for site in &mut found.sites {
        let signal = |indicator: &Indicator| {
            let key = (indicator.id.clone(), site.site.clone());
            scored.signals.get(&key).cloned().unwrap_or_default()
        };
        site.signals = found.indicators.iter().map(signal).collect();
    }
    Ok(found)
}

fn why_not(definition: &IndicatorDefinition) -> String {
    format!("no source tells {}", definition.needs)
}

#[derive(Default)]
struct Scores {
    signals: BTreeMap<(String, String), Signal>,
    overall: BTreeMap<String, f64>,
}

fn scored(rows: &Rows) -> Scores {
    let (ids, sites) = (rows.texts("indicator_id"), rows.texts("site_id"));
    let overall = rows.numbers("overall_metric");
    let signals = signals_of(rows);
    let mut scores = Scores::default();
    for (row, signal) in signals.into_iter().enumerate() {
        scores.signals.insert((ids[row].clone(), sites[row].clone()), signal);
        if let Some(overall) = overall[row] {
            scores.overall.insert(ids[row].clone(), overall);
        }
    }
    scores
}

/// The rows of one level by one method, or by each indicator's own.
fn by_method(rows: &Rows, wanted: &Comparison, defined: &[Defined]) -> Scores {
    let [ids, levels, groups, methods] =
        ["indicator_id", "level", "group_id", "method"].map(|name| rows.texts(name));
    let metric = rows.numbers("metric");
    let own: BTreeMap<&str, &str> = defined
        .iter()
        .filter_map(|one| Some((one.definition.id.as_str(), *one.definition.methods().first()?)))
        .collect();
    let mut scores = Scores::default();
    for (row, mut signal) in signals_of(rows).into_iter().enumerate() {
        if levels[row] == Level::Study.name()
            && let Some(metric) = metric[row]
        {
            scores.overall.insert(ids[row].clone(), metric);
        }
        let method = match (wanted.level, &wanted.method) {
            (Level::Study, _) => Some(METRIC),
            (_, Some(method)) => Some(method.as_str()),
            (_, None) => own.get(ids[row].as_str()).copied(),
        };
        if levels[row] != wanted.level.name() || method != Some(methods[row].as_str()) {
            continue;
        }
        if wanted.level == Level::Study {
            signal.flag = Flag::None;
        }
        scores.signals.insert((ids[row].clone(), groups[row].clone()), signal);
    }
    scores
}

fn signals_of(rows: &Rows) -> Vec<Signal> {
    let [numerator, denominator, metric, score] =
        ["numerator", "denominator", "metric", "score"].map(|name| rows.numbers(name));
    let flags = rows.integers("flag");
    let signal = |row: usize| Signal {
        flag: Flag::from_scored(flags[row].and_then(|flag| i8::try_from(flag).ok())),
        numerator: numerator[row],
        denominator: denominator[row],
        metric: metric[row],
        score: score[row],
    };
    (0..rows.len()).map(signal).collect()
}

/// The levels at which some site of now has a group.
fn levels(sites: &Rows) -> Vec<Level> {
    let now = sites.truths("is_current");
    let is_known = |level: &Level| {
        let groups = sites.texts(column_of(*level));
        groups.iter().zip(&now).any(|(group, now)| *now && !group.is_empty())
    };
    Level::ALL.into_iter().filter(is_known).collect()
}

/// The column of `dim_site` that names the groups of a level.
const fn column_of(level: Level) -> &'static str {
    match level {
        Level::Site => "site_id",
        Level::Monitor => "monitor_pseudonym",
        Level::Region => "region",
        Level::Country => "country",
        Level::Cro => "cro",
        Level::Study => "study_id",
    }
}

/// How many enrolled subjects each group of a level has.
fn subjects_by_group(subjects: &Rows, sites: &Rows, level: Level) -> BTreeMap<String, u64> {
    let column = column_of(level);
    let (names, groups, now) = (sites.texts("site_id"), sites.texts(column), sites.truths("is_current"));
    let group_of: BTreeMap<&String, &String> =
        (0..sites.len()).filter(|row| now[*row]).map(|row| (&names[row], &groups[row])).collect();
    let (of_site, enrolled) = (subjects.texts("site_id"), subjects.truths("is_enrolled"));
    let now = subjects.truths("is_current");
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for row in (0..subjects.len()).filter(|row| now[*row] && enrolled[*row]) {
        if let Some(group) = group_of.get(&of_site[row]) {
            *counts.entry((*group).clone()).or_default() += 1;
        }
    }
    counts
}

fn groups(scored: &Scores, subjects: &BTreeMap<String, u64>) -> Vec<SiteRow> {
    let names: BTreeSet<&String> = scored.signals.keys().map(|(_, group)| group).collect();
    let row = |name: &String| SiteRow {
        site: name.clone(),
        subject_count: subjects.get(name).copied().unwrap_or(0),
        ..SiteRow::default()
    };
    names.into_iter().map(row).collect()
}

async fn sites(app: &App, scope: &StudyScope<Read>, visible: &Visible) -> Result<Vec<SiteRow>> {
    let risk = app.mart_rows.table(scope, visible, "mart_site_risk").await?;
    let risks: BTreeMap<String, Option<f64>> =
        risk.texts("site_id").into_iter().zip(risk.numbers("risk_score")).collect();
    let subjects = app.mart_rows.table(scope, visible, "dim_subject").await?;
    let mut enrolled: BTreeMap<String, u64> = BTreeMap::new();
    let (of_site, is_enrolled) = (subjects.texts("site_id"), subjects.truths("is_enrolled"));
    let now = subjects.truths("is_current");
    for row in (0..subjects.len()).filter(|row| now[*row]) {
        *enrolled.entry(of_site[row].clone()).or_default() += u64::from(is_enrolled[row]);
    }
    let rows = app.mart_rows.table(scope, visible, "dim_site").await?;
    let columns =
        ["site_id", "site_name", "country", "cro", "monitor_pseudonym"].map(|name| rows.texts(name));
    // A site without subjects has nothing to say yet; it is counted on the overview.
    let now = rows.truths("is_current");
    let with_subjects = (0..rows.len()).filter(|row| now[*row] && enrolled.contains_key(&columns[0][*row]));
    Ok(with_subjects
        .map(|row| SiteRow {
            site: columns[0][row].clone(),
            name: columns[1][row].clone(),
            country: columns[2][row].clone(),
            monitored_by: MonitoredBy { cro: columns[3][row].clone(), monitor: columns[4][row].clone() },
            subject_count: enrolled.get(&columns[0][row]).copied().unwrap_or(0),
            risk_score: risks.get(&columns[0][row]).copied().flatten(),
            signals: Vec::new(),
        })
        .collect())
}

fn indicator(definition: &IndicatorDefinition, overall: Option<f64>, method: Option<&str>) -> Indicator {
    let own = definition.methods().first().copied().unwrap_or_default();
    let (thresholds, flags) = definition.thresholds_for(method.unwrap_or(own));
    let judged_by_itself = definition.identity.filter(|_| method.is_none_or(|method| method == IDENTITY));
    Indicator {
        id: definition.id.clone(),
        domain: definition.domain.name().to_owned(),
        abbreviation: definition.abbreviation.clone(),
        title: definition.title.clone(),
        numerator: definition.numerator.to_lowercase(),
        denominator: definition.denominator.to_lowercase(),
        metric: match definition.model {
            Model::Rate | Model::Mean | Model::Reporting => Metric::RatePer(definition.per.unwrap_or(1.0)),
            Model::Binary => Metric::Share,
        },
        scored: match judged_by_itself {
            None => Scored::Z,
            Some(IdentityOn::Metric) => Scored::Metric,
            Some(IdentityOn::Numerator) => Scored::Numerator,
        },
        thresholds: thresholds.to_vec(),
        flags: flags.to_vec(),
        overall,
        unavailable: overall.is_none().then(|| why_not(definition)),
    }
}

/// The definition box of one indicator, as it is compared.
pub(crate) fn definition_of(definition: &IndicatorDefinition, wanted: &Comparison) -> Definition {
    let own = definition.methods().first().copied().unwrap_or_default();
    let method = wanted.method.as_deref().unwrap_or(own);
    let (thresholds, _) = definition.thresholds_for(method);
    let on = match definition.accrual.on {
        AccrualOn::Numerator => definition.numerator.to_lowercase(),
        AccrualOn::Denominator => definition.denominator.to_lowercase(),
        AccrualOn::Difference => {
            format!(
                "{} without {}",
                definition.denominator.to_lowercase(),
                definition.numerator.to_lowercase()
            )
        }
    };
    let list = |numbers: &[f64]| numbers.iter().map(f64::to_string).collect::<Vec<_>>().join(", ");
    let reference = definition.id.starts_with("kri");
    Definition {
        title: definition.title.clone(),
        summary: format!(
            "{} ({}) for each {}, compared with the study.",
            definition.title,
            definition.code,
            wanted.level.groups().0
        ),
        numerator: definition.numerator_rule.clone(),
        denominator: definition.denominator_rule.clone(),
        method: method.to_owned(),
        formula: formula(definition, method),
        accrual: match method {
            LEAVE_ONE_OUT => format!("judged from {LEAST_EXPECTED} expected events on"),
            EXACT => "always judged".to_owned(),
            _ => format!("judged from {} {on} on", definition.accrual.least),
        },
        source: if reference {
            "gsm.kri 1.5, as implemented in gsm.core 1.1".to_owned()
        } else {
            "the catalogue of indicators (docs/indicators.md)".to_owned()
        },
        parameters: vec![
            ("thresholds".to_owned(), list(thresholds)),
            ("weights of the flags".to_owned(), list(&definition.weights)),
            ("methods".to_owned(), definition.methods().join(", ")),
            ("definition".to_owned(), definition.version.clone()),
            ("source table".to_owned(), definition.table.clone()),
        ],
        changes: Vec::new(),
    }
}

fn formula(definition: &IndicatorDefinition, method: &str) -> String {
    let variance = if definition.model == Model::Binary { "V = mu (1 - mu)" } else { "V = mu" };
    match (method, definition.identity) {
        (IN_FRAME, _) => {
            "score of the number of events among all sums that come out when each subject of the group is \
                          exchanged for one of the study with at least as many visits, by the law of that sum"
                .to_owned()
        }
        (IDENTITY, Some(IdentityOn::Numerator)) => "score = N".to_owned(),
        (IDENTITY, _) => "score = N / D".to_owned(),
        (LEAVE_ONE_OUT, _) => format!(
            "score = (y - mu) / sqrt(phi V (1 / D + 1 / Dr)) with y = N / D, mu = Nr / Dr of all m - 1 other groups \
             together, {variance}, phi = max(1, sum over the others of (y - mu)^2 D / V / (m - 2))"
        ),
        (EXACT, _) => {
            let law =
                if definition.model == Model::Binary { "hypergeometric" } else { "conditional binomial" };
            format!(
                "score = normal score of the smaller mid-p probability of N, by the {law} law of N among the events of \
                 all groups"
            )
        }
        _ => format!(
            "score = (y - mu) / sqrt(phi V / D) with y = N / D, mu = sum N / sum D, {variance}, \
             phi = mean of (y - mu)^2 D / V over all groups"
        ),
    }
}

/// The definition box of the matrix.
pub(crate) fn definition_of_risk() -> Definition {
    Definition {
        title: "Site risk".to_owned(),
        summary: "Each indicator of each site is compared with the whole study; what is far off is flagged. The site \
                  risk score adds up the weights of a site's flags."
            .to_owned(),
        method: marts::indicators::NORMAL_APPROXIMATION.to_owned(),
        formula: "risk = 100 * sum of the weights of the site's flags / sum of the largest weights of the indicators \
                  that flagged any site"
            .to_owned(),
        source: "gsm.kri 1.5 (thresholds, weights), gsm.core 1.1 (scores)".to_owned(),
        parameters: vec![("code version".to_owned(), kernel::CODE_VERSION.to_owned())],
        ..Definition::default()
    }
}

/// Where a table of a study can be taken away.
pub(crate) fn downloads(study: &str, table: &str) -> Downloads {
    let href = |format: &str| Some(format!("/api/v1/studies/{study}/tables/{table}?format={format}"));
    Downloads { csv_href: href("csv"), parquet_href: href("parquet") }
}
