//! Samples for pharmacokinetics, the thirteenth indicator: ours are the samples of a subject, the reference's each sample as
//! often as the subject has a visit of its name.

use std::collections::BTreeMap;

use super::{Fields, indicator, number, report};

/// Samples taken and samples due.
type Counts = [f64; 2];

/// Compares the samples of every subject with the reference, and `mart_indicator_input` with the samples.
pub(super) fn check(tables: &BTreeMap<&str, Vec<Fields>>, reference: &[Fields]) {
    let (samples, repeated) = count(tables);
    // Counted with DuckDB: 11,816 rows of the file, of which 11,291 say that the sample was taken.
    let all = samples.values().fold([0.0, 0.0], |sum, one| [sum[0] + one[0], sum[1] + one[1]]);
    assert_eq!(all.map(|count| count.to_string()), ["11291", "11816"]);
    let subjects = tables["dim_subject"].iter();
    let keys: BTreeMap<&str, &str> =
        subjects.map(|row| (row["subject_id"].as_str(), row["subject_sk"].as_str())).collect();
    let mut theirs = reference.to_vec();
    theirs.retain(|row| indicator(&row["MetricID"]) == "kri0013");
    assert_eq!(theirs.len(), 763);
    theirs.retain(|row| {
        let found = repeated.get(keys[row["SubjectID"].as_str()]).copied().unwrap_or_default();
        let expected = ["Numerator", "Denominator"].map(|name| number(row, name));
        found.iter().zip(expected).any(|(found, expected)| found.total_cmp(&expected).is_ne())
    });
    report(&theirs.iter().map(|row| format!("{row:?}")).collect::<Vec<_>>());
    let mut of_enrolled =
        tables["mart_indicator_input"].iter().filter(|row| row["indicator_id"] == "kri0013").peekable();
    assert!(of_enrolled.peek().is_some());
    for row in of_enrolled {
        let counts = ["numerator", "denominator"].map(|name| number(row, name));
        assert_eq!(samples.get(row["subject_sk"].as_str()), Some(&counts), "{row:?}");
    }
}

/// Samples by subject: once each, and once for each visit of the sample's name.
fn count<'a>(
    tables: &'a BTreeMap<&str, Vec<Fields>>,
) -> (BTreeMap<&'a str, Counts>, BTreeMap<&'a str, Counts>) {
    let mut visits: BTreeMap<(&str, &str), f64> = BTreeMap::new();
    for visit in tables["fact_visit"].iter().filter(|visit| !visit["start_date"].is_empty()) {
        *visits.entry((visit["subject_sk"].as_str(), visit["visit_sk"].as_str())).or_default() += 1.0;
    }
    let mut samples: BTreeMap<&str, Counts> = BTreeMap::new();
    let mut repeated: BTreeMap<&str, Counts> = BTreeMap::new();
    for sample in tables["fact_observation"].iter().filter(|sample| sample["domain"] == "PC") {
        let subject = sample["subject_sk"].as_str();
        let taken = if sample["not_done"] == "false" { 1.0 } else { 0.0 };
        let times = visits.get(&(subject, sample["visit_sk"].as_str())).copied().unwrap_or(0.0);
        for (counts, weight) in [(&mut samples, 1.0), (&mut repeated, times)] {
            let count = counts.entry(subject).or_default();
            *count = [count[0] + weight * taken, count[1] + weight];
        }
    }
    (samples, repeated)
}
