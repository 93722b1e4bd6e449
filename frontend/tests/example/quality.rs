//! Missing values of a few variables over the visits of a schedule. Site 103 misses visits, and weights
//! are often left out.

use frontend::query::QualityQuery;
use frontend::view::{Definition, MissingnessRow, QualityView, Tab, Theme, VisitLabel};

use super::risk::downloads;
use super::{choice, frame};

const VARIABLES: [(&str, &str); 7] = [
    ("SYSBP", "Systolic blood pressure"),
    ("DIABP", "Diastolic blood pressure"),
    ("PULSE", "Pulse rate"),
    ("WEIGHT", "Weight"),
    ("TEMP", "Temperature"),
    ("FEV1", "FEV1"),
    ("ACQ", "Asthma control score"),
];

const VISITS: [&str; 8] =
    ["Screening", "Baseline", "Week 2", "Week 4", "Week 8", "Week 12", "Week 24", "Follow-up"];

pub(crate) fn view(query: QualityQuery, theme: Theme) -> QualityView {
    let sites = ["101", "102", "103", "104", "105"];
    let mut rows = Vec::new();
    for (column, (key, label)) in VARIABLES.iter().enumerate() {
        for (order, visit) in VISITS.iter().enumerate() {
            for (place, site) in sites.iter().enumerate() {
                // FEV1 is not measured at every visit.
                if *key == "FEV1" && order % 2 == 1 {
                    continue;
                }
                let n_expected = 40 + 3 * place as u64;
                let n_visit_missing = (order * (1 + 3 * usize::from(*site == "103"))) as u64;
                let n_item_missing =
                    ((column * 5 + order * 3 + place) % 5 + 4 * usize::from(*key == "WEIGHT")) as u64;
                rows.push(MissingnessRow {
                    variable: choice(key, label),
                    visit: VisitLabel {
                        key: format!("V{order}"),
                        label: (*visit).to_owned(),
                        order: order as f64,
                    },
                    site: choice(site, site),
                    n_expected,
                    n_received: n_expected - n_visit_missing,
                    n_observed: n_expected - n_visit_missing - n_item_missing,
                    n_item_missing,
                    n_visit_missing,
                });
            }
        }
    }
    rows.retain(|row| {
        query.variable.as_ref().is_none_or(|key| *key == row.variable.key)
            && query.visit.as_ref().is_none_or(|key| *key == row.visit.key)
            && query.site.as_ref().is_none_or(|key| *key == row.site.key)
    });
    QualityView {
        frame: frame(Some(Tab::Quality), theme),
        query,
        variables: VARIABLES.map(|(key, label)| choice(key, label)).to_vec(),
        visits: VISITS.iter().enumerate().map(|(order, visit)| choice(&format!("V{order}"), visit)).collect(),
        sites: sites.map(|site| choice(site, site)).to_vec(),
        rows,
        definition: Definition {
            title: "Missing values".to_owned(),
            summary: "A value is expected when the schedule asks for it at a visit that the subject has reached.".to_owned(),
            formula: "missing of expected = (item missing + visit missing) / expected; missing of received = item missing / received".to_owned(),
            source: "mart_missingness".to_owned(),
            ..Definition::default()
        },
        downloads: downloads(),
    }
}
