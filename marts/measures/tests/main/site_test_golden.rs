//! Tests of a group against the rest on one table, against permutations drawn elsewhere and the tests of statsmodels;
//! `tests/golden/README.md` has the tools and the command.

use measures::site_test::{self, Cohort, SiteTest};
use serde::Deserialize;

#[derive(Deserialize)]
struct Record {
    subject: usize,
    time: f64,
    value: f64,
    missing: u8,
    kind: usize,
}

#[derive(Deserialize)]
struct Expected {
    test: String,
    p_value: f64,
    kind: String,
}

const SUBJECTS: usize = 52;
const GROUP: usize = 7;

fn read<Row: serde::de::DeserializeOwned>(text: &str) -> Vec<Row> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    reader.deserialize().map(|row| row.expect("the row has its columns")).collect()
}

fn column<T>(records: &[Record], value: impl Fn(&Record) -> T) -> Vec<T> {
    records.iter().map(value).collect()
}

/// Mean and standard deviation of each subject's values.
fn summaries(records: &[Record]) -> (Vec<f64>, Vec<f64>) {
    let of_subject = |records: &[Record]| {
        let count = records.len() as f64;
        let mean = records.iter().map(|record| record.value).sum::<f64>() / count;
        let squares: f64 = records.iter().map(|record| (record.value - mean).powi(2)).sum();
        (mean, (squares / (count - 1.0)).sqrt())
    };
    records.chunk_by(|left, right| left.subject == right.subject).map(of_subject).unzip()
}

#[test]
fn p_values_agree() {
    let records: Vec<Record> = read(include_str!("../golden/site_tests.csv"));
    let expected: Vec<Expected> = read(include_str!("../golden/site_tests_expected.csv"));
    let groups: Vec<usize> = (0..SUBJECTS).map(|subject| usize::from(subject >= GROUP)).collect();
    let cohort = Cohort::new(&groups).expect("the groups are valid");
    let (subjects, values) = (column(&records, |r| r.subject), column(&records, |r| r.value));
    let (means, deviations) = summaries(&records);
    let times: Vec<f64> =
        records.chunk_by(|left, right| left.subject == right.subject).map(|of| of[0].time).collect();
    for theirs in &expected {
        let answers: Result<Vec<SiteTest>, _> = match theirs.test.as_str() {
            "mean" => site_test::mean(&cohort, &means),
            "within" => site_test::within_subject_deviation(&cohort, &subjects, &values),
            "lag" => site_test::lag_correlation(&cohort, &subjects, &values),
            "missing" => site_test::missing_share(&cohort, &subjects, &column(&records, |r| r.missing == 1)),
            "heaping" => site_test::heaping(&cohort, &subjects, &values, 0),
            "repeats" => site_test::repeated_values(&cohort, &subjects, &values),
            "kinds" => site_test::category_mix(&cohort, &subjects, &column(&records, |r| r.kind)),
            "outliers" => site_test::mahalanobis_outliers(&cohort, &[&means, &deviations]),
            "inliers" => site_test::mahalanobis_inliers(&cohort, &[&means, &deviations]),
            "trend" => site_test::trend(&cohort, &times, &means),
            _ => site_test::distribution(&cohort, &means),
        };
        let ours = answers.expect("the table is valid")[0].expect("the test applies").p_value;
        println!("{}: {ours} against {}", theirs.test, theirs.p_value);
        // A draw of 400,000 has an error of up to 0.003; the chi-square reference of the kinds is an approximation.
        let tolerance = match (theirs.kind.as_str(), theirs.test.as_str()) {
            ("exact", _) => 1e-9,
            (_, "kinds") => 0.005,
            _ => 0.005 + 0.01 * theirs.p_value,
        };
        assert!(
            (ours - theirs.p_value).abs() <= tolerance,
            "{}: {ours} against {}",
            theirs.test,
            theirs.p_value
        );
    }
    assert_eq!(expected.len(), 11);
}
