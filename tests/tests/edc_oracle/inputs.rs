//! What each subject adds to the numerator and the denominator of each indicator.

mod samples;

use std::collections::BTreeMap;

use super::{Fields, SCORE_TOLERANCE, has_reference, indicator, number, report};

/// By indicator and subject: its group, numerator and denominator.
type Inputs = BTreeMap<(String, String), (String, f64, f64)>;

/// Compares `mart_indicator_input` with the inputs of the reference, subject by subject.
pub(super) fn check(tables: &BTreeMap<&str, Vec<Fields>>, reference: &impl Fn(&str) -> Vec<Fields>) {
    for (file, level) in
        [("gsm_analysis_input_site.csv", "site_id"), ("gsm_analysis_input_country.csv", "country")]
    {
        let theirs = reference(file);
        // Twelve indicators of 763 enrolled subjects, and one of 1,000 screened ones.
        assert_eq!(theirs.len(), 12 * 763 + 1_000);
        compare(&ours(tables, level), &expected(&theirs));
        samples::check(tables, &theirs);
    }
    let rows = reference("gsm_analyticsInput_kri0001.csv");
    assert_eq!(rows.len(), 763);
    check_rates(&ours(tables, "site_id"), &rows);
}

/// The rows of the mart under the subjects' own ids, with their site or country of now.
fn ours(tables: &BTreeMap<&str, Vec<Fields>>, level: &str) -> Inputs {
    let by = |table: &str, key: &str, name: &str| -> BTreeMap<String, String> {
        tables[table].iter().map(|row| (row[key].clone(), row[name].clone())).collect()
    };
    let subjects = by("dim_subject", "subject_sk", "subject_id");
    let groups = by("dim_site", "site_sk", level);
    let counted = tables["mart_indicator_input"].iter().filter(|row| has_reference(row));
    counted
        .map(|row| {
            let key = (row["indicator_id"].clone(), subjects[&row["subject_sk"]].clone());
            (key, (groups[&row["site_sk"]].clone(), number(row, "numerator"), number(row, "denominator")))
        })
        .filter(says_something)
        .collect()
}

/// The reference has a row of zeros for a subject that nothing was counted of; the mart has none.
fn says_something((_, (_, numerator, denominator)): &((String, String), (String, f64, f64))) -> bool {
    *numerator > 0.0 || *denominator > 0.0
}

fn expected(rows: &[Fields]) -> Inputs {
    rows.iter()
        .map(|row| {
            // Screened subjects go by the sponsor's number in the reference, which is ours behind a prefix.
            let subject = row["SubjectID"].trim_start_matches("XX-").to_owned();
            let sums = (row["GroupID"].clone(), number(row, "Numerator"), number(row, "Denominator"));
            ((indicator(&row["MetricID"]), subject), sums)
        })
        .filter(|((indicator, _), _)| indicator.as_str() <= "kri0012")
        .filter(says_something)
        .collect()
}

fn compare(ours: &Inputs, theirs: &Inputs) {
    let keys = theirs.keys().chain(ours.keys().filter(|key| !theirs.contains_key(*key)));
    let differ = keys.filter(|key| ours.get(*key) != theirs.get(*key));
    let told = differ.map(|(indicator, subject)| {
        let key = (indicator.clone(), subject.clone());
        format!("{indicator} of {subject}: ours {:?}, reference {:?}", ours.get(&key), theirs.get(&key))
    });
    report(&told.collect::<Vec<_>>());
}

/// The same of one indicator with the rate of each subject; a subject without a day on study has none.
fn check_rates(ours: &Inputs, rows: &[Fields]) {
    let mut differences = Vec::new();
    for row in rows {
        let key = ("kri0001".to_owned(), row["SubjectID"].clone());
        let (group, numerator, denominator) = ours.get(&key).cloned().unwrap_or_default();
        let rate = numerator / denominator;
        let same = match row["Metric"].parse::<f64>() {
            Ok(theirs) if theirs.is_finite() => (rate - theirs).abs() <= SCORE_TOLERANCE,
            Ok(theirs) => theirs.total_cmp(&rate).is_eq(),
            Err(_) => rate.is_nan(),
        };
        let placed = row["GroupLevel"] == "Site" && (group == row["GroupID"] || rate.is_nan());
        if !(same && placed) {
            differences.push(format!("{}: ours {rate} at {group}, reference {row:?}", key.1));
        }
    }
    report(&differences);
}
