//! The site risk indicators equal those of an independent implementation on a study of 6.4 million rows, from what each
//! subject adds to the tables that are reported.
//!
//! Source of the expected numbers: files made with gsm.core 1.1.3, gsm.mapping 1.1.2, gsm.kri 1.5.1 and gsm.reporting
//! 1.1.2 in R. Indicator 13 of the reference joins its samples to visits that are not unique, so that each counts hundreds
//! of times: its inputs are reproduced with that, its scores are not ours ([`inputs`]).

mod inputs;
mod study_groups;

use std::{collections::BTreeMap, fs, path::Path};

use crate::support::{Installation, Need};

pub(crate) const STUDY: &str = "AA-AA-000-0000";
const SCORE_TOLERANCE: f64 = 1e-9;

/// What one indicator says about one site, each number as its file has it; an absent one is empty.
#[derive(Debug, Clone, PartialEq)]
struct Row {
    numerator: f64,
    denominator: f64,
    metric: f64,
    score: Option<f64>,
    flag: Option<i64>,
}

/// By indicator and group.
type Rows = BTreeMap<(String, String), Row>;
/// One row of a table by its columns; nulls are empty.
type Fields = BTreeMap<String, String>;

#[test]
fn twelve_indicators_equal_the_reference_from_subjects_to_reported_tables() {
    let Some(oracles) = Need::Oracles.path() else { return };
    let Some(installation) = Installation::with_tenant("edc") else { return };
    deliver(&oracles.join("rbqm"), &installation.beside("delivery"));
    installation.must(&["ingest", "--tenant", "edc", "--study", STUDY, "delivery"]);
    let researcher = installation.account("edc", "researcher");
    let server = installation.serve();
    let mut client = researcher.client(&server);
    let mut table = |name: &str| {
        let url = server.url(&format!("/api/v1/studies/{STUDY}/tables/{name}?format=csv"));
        let answer = client.get(&url);
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body
    };
    let reference = |name: &str| -> Vec<Fields> {
        let text = fs::read_to_string(oracles.join("rbqm").join(name));
        fields(&text.expect("the oracle data holds the reference"))
    };
    let tables = [
        "dim_study",
        "dim_site",
        "dim_subject",
        "fact_observation",
        "fact_visit",
        "mart_indicator_input",
        "mart_kri",
        "mart_indicator",
    ];
    let tables: BTreeMap<&str, Vec<Fields>> =
        tables.into_iter().map(|name| (name, fields(&table(name)))).collect();
    inputs::check(&tables, &reference);
    check_scores(&tables, &reference("gsm_analysis_flagged.csv"));
    // The same rows as they are reported: the day of the reference's run is no part of ours, the study is.
    let reported = reference("gsm_reporting_results_run.csv");
    assert!(reported.iter().all(|row| row["StudyID"] == STUDY));
    check_scores(&tables, &reported);
    study_groups::check(&tables, &reference("gsm_reporting_groups_run.csv"));
}

fn check_scores(tables: &BTreeMap<&str, Vec<Fields>>, reference: &[Fields]) {
    // 150 sites and 3 countries, fewer where a denominator is zero.
    let (sites, countries) = (self::reference(reference, "Site"), self::reference(reference, "Country"));
    assert_eq!((sites.len(), countries.len()), (1_684, 36));
    check(&ours(&tables["mart_kri"], ["indicator_id", "site_id"], has_reference), &sites);
    for (level, expected) in [("site", &sites), ("country", &countries)] {
        let is_it = |row: &Fields| {
            has_reference(row) && row["level"] == level && row["method"] == "normal_approximation"
        };
        check(&ours(&tables["mart_indicator"], ["indicator_id", "group_id"], is_it), expected);
    }
}

/// The other indicators of the catalogue have no reference.
fn has_reference(row: &Fields) -> bool {
    ("kri0001"..="kri0012").contains(&row["indicator_id"].as_str())
}

fn check(ours: &Rows, reference: &Rows) {
    report(&differences(ours, reference));
}

/// Fails with the first differences, if there are any.
fn report(differences: &[String]) {
    assert!(
        differences.is_empty(),
        "{} rows differ from the reference, first:\n{}",
        differences.len(),
        differences[..differences.len().min(20)].join("\n")
    );
}

/// The study's tables.
pub(crate) fn deliver(from: &Path, to: &Path) {
    fs::create_dir(to).expect("the temporary folder takes folders");
    for entry in fs::read_dir(from).expect("the oracle data holds the study") {
        let entry = entry.expect("the folder can be read");
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with("gsm_raw_") && name.ends_with(".parquet") {
            fs::copy(entry.path(), to.join(name)).expect("the file can be copied");
        }
    }
}

/// The rows of a CSV.
fn fields(csv: &str) -> Vec<Fields> {
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    reader.deserialize().map(|row| row.expect("the rows have the header's columns")).collect()
}

/// `kri0001` for `Analysis_cou0001`: the reference has a name for each level.
fn indicator(metric: &str) -> String {
    let number = metric.trim_start_matches("Analysis_").trim_start_matches(char::is_alphabetic);
    format!("kri{number}")
}

fn ours(rows: &[Fields], [indicator, group]: [&str; 2], keep: impl Fn(&Fields) -> bool) -> Rows {
    let columns = ["numerator", "denominator", "metric", "score", "flag"];
    let kept = rows.iter().filter(|row| keep(row));
    kept.map(|row| ((row[indicator].clone(), row[group].clone()), scored(row, columns))).collect()
}

/// The rows of one level for `kri0001` to `kri0012`, under our names.
fn reference(rows: &[Fields], level: &str) -> Rows {
    let columns = ["Numerator", "Denominator", "Metric", "Score", "Flag"];
    let of_level = rows.iter().filter(|row| row["GroupLevel"] == level);
    let named =
        of_level.map(|row| ((indicator(&row["MetricID"]), row["GroupID"].clone()), scored(row, columns)));
    named.filter(|((indicator, _), _)| indicator.as_str() <= "kri0012").collect()
}

fn scored(row: &Fields, [numerator, denominator, metric, score, flag]: [&str; 5]) -> Row {
    let known = |name: &str| !row[name].is_empty() && row[name] != "NA";
    let optional = |name: &str| known(name).then(|| number(row, name));
    #[expect(clippy::cast_possible_truncation, reason = "a flag is a whole number from -2 to 2")]
    let flag = optional(flag).map(|flag| flag as i64);
    Row {
        numerator: number(row, numerator),
        denominator: number(row, denominator),
        metric: number(row, metric),
        score: optional(score),
        flag,
    }
}

fn number(row: &Fields, name: &str) -> f64 {
    row[name].parse().expect("it is a number")
}

fn differences(ours: &Rows, reference: &Rows) -> Vec<String> {
    let mut found = Vec::new();
    for key in ours.keys().chain(reference.keys().filter(|key| !ours.contains_key(*key))) {
        let (mine, theirs) = (ours.get(key), reference.get(key));
        let equal = matches!((mine, theirs), (Some(mine), Some(theirs)) if same(mine, theirs));
        if !equal {
            found.push(format!("{} of {}: ours {mine:?}, reference {theirs:?}", key.0, key.1));
        }
    }
    found
}

#[expect(clippy::float_cmp, reason = "numerators and denominators are to be equal exactly")]
fn same(ours: &Row, reference: &Row) -> bool {
    let score = match (ours.score, reference.score) {
        (Some(ours), Some(reference)) => (ours - reference).abs() <= SCORE_TOLERANCE,
        (ours, reference) => ours.is_none() && reference.is_none(),
    };
    score
        && (ours.metric - reference.metric).abs() <= SCORE_TOLERANCE
        && ours.flag == reference.flag
        && ours.numerator == reference.numerator
        && ours.denominator == reference.denominator
}
