//! What the risk indicators say, as the pages of a study show it.

use std::collections::BTreeMap;

use flight::published::Visible;
use frontend::view::{Definition, Downloads, Flag, Indicator, Metric, Scored, Signal, SiteRow};
use kernel::{Read, StudyScope};
use marts::IndicatorDefinition;
use marts::indicators::{AccrualOn, Model, definitions};

use crate::app::App;
use crate::error::Result;

/// The indicators and the sites of a study.
#[derive(Debug, Default)]
pub(crate) struct Signals {
    pub(crate) indicators: Vec<Indicator>,
    pub(crate) sites: Vec<SiteRow>,
}

/// Reads `mart_kri`, `mart_site_risk` and the sites.
pub(crate) async fn read(app: &App, scope: &StudyScope<Read>, visible: &Visible) -> Result<Signals> {
    let scored = scored(app, scope, visible).await?;
    let mut indicators = Vec::new();
    for definition in definitions()? {
        indicators.push(indicator(definition, scored.overall.get(&definition.id).copied()));
    }
    let mut sites = sites(app, scope, visible).await?;
    for site in &mut sites {
        let signal =
            |indicator: &Indicator| match scored.signals.get(&(indicator.id.clone(), site.site.clone())) {
                Some(signal) => signal.clone(),
                None if indicator.unavailable.is_some() => {
                    Signal { flag: Flag::NotAvailable, ..Signal::default() }
                }
                None => Signal::default(),
            };
        site.signals = indicators.iter().map(signal).collect();
    }
    Ok(Signals { indicators, sites })
}

struct Scores {
    signals: BTreeMap<(String, String), Signal>,
    overall: BTreeMap<String, f64>,
}

async fn scored(app: &App, scope: &StudyScope<Read>, visible: &Visible) -> Result<Scores> {
    let rows = app.mart_rows.table(scope, visible, "mart_kri").await?;
    let (ids, sites) = (rows.texts("indicator_id"), rows.texts("site_id"));
    let [numerator, denominator, metric, overall, score] =
        ["numerator", "denominator", "metric", "overall_metric", "score"].map(|name| rows.numbers(name));
    let flags = rows.integers("flag");
    let mut scores = Scores { signals: BTreeMap::new(), overall: BTreeMap::new() };
    for row in 0..rows.len() {
        let signal = Signal {
            flag: Flag::from_scored(flags[row].and_then(|flag| i8::try_from(flag).ok())),
            numerator: numerator[row],
            denominator: denominator[row],
            metric: metric[row],
            score: score[row],
        };
        scores.signals.insert((ids[row].clone(), sites[row].clone()), signal);
        if let Some(overall) = overall[row] {
            scores.overall.insert(ids[row].clone(), overall);
        }
    }
    Ok(scores)
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
    let columns = ["site_id", "site_name", "country"].map(|name| rows.texts(name));
    // A site without subjects has nothing to say yet; it is counted on the overview.
    let now = rows.truths("is_current");
    let with_subjects = (0..rows.len()).filter(|row| now[*row] && enrolled.contains_key(&columns[0][*row]));
    Ok(with_subjects
        .map(|row| SiteRow {
            site: columns[0][row].clone(),
            name: columns[1][row].clone(),
            country: columns[2][row].clone(),
            subject_count: enrolled.get(&columns[0][row]).copied().unwrap_or(0),
            risk_score: risks.get(&columns[0][row]).copied().flatten(),
            signals: Vec::new(),
        })
        .collect())
}

fn indicator(definition: &IndicatorDefinition, overall: Option<f64>) -> Indicator {
    let unavailable = || format!("the study's sources hold no rows for `{}`", definition.table);
    Indicator {
        id: definition.id.clone(),
        abbreviation: definition.abbreviation.clone(),
        title: definition.title.clone(),
        numerator: definition.numerator.to_lowercase(),
        denominator: definition.denominator.to_lowercase(),
        metric: match definition.model {
            Model::Rate => Metric::RatePer(definition.per.unwrap_or(1.0)),
            Model::Binary => Metric::Share,
        },
        scored: Scored::Z,
        thresholds: definition.thresholds.clone(),
        flags: definition.flags.clone(),
        overall,
        unavailable: overall.is_none().then(unavailable),
    }
}

/// The definition box of one indicator.
pub(crate) fn definition_of(definition: &IndicatorDefinition) -> Definition {
    let variance = match definition.model {
        Model::Rate => "V = mu",
        Model::Binary => "V = mu (1 - mu)",
    };
    let on = match definition.accrual.on {
        AccrualOn::Numerator => &definition.numerator,
        AccrualOn::Denominator => &definition.denominator,
    };
    let list = |numbers: &[f64]| numbers.iter().map(f64::to_string).collect::<Vec<_>>().join(", ");
    Definition {
        title: definition.title.clone(),
        summary: format!(
            "{} for each site, compared with the whole study in standard deviations.",
            definition.title
        ),
        numerator: definition.numerator_rule.clone(),
        denominator: definition.denominator_rule.clone(),
        method: marts::indicators::NORMAL_APPROXIMATION.to_owned(),
        formula: format!(
            "score = (y - mu) / sqrt(phi V / D) with y = N / D, mu = sum N / sum D, {variance}, \
             phi = mean of (y - mu)^2 D / V over all sites"
        ),
        accrual: format!("judged from {} {} on", definition.accrual.least, on.to_lowercase()),
        source: "gsm.kri 1.5, as implemented in gsm.core 1.1".to_owned(),
        parameters: vec![
            ("thresholds".to_owned(), list(&definition.thresholds)),
            ("weights of the flags".to_owned(), list(&definition.weights)),
            ("source table".to_owned(), definition.table.clone()),
        ],
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
