//! The site risk indicators equal those of an independent implementation on a study of 6.4 million rows.
//!
//! Source of the expected numbers: `gsm_analysis_flagged.csv`, made with gsm.core 1.1.3 and gsm.kri 1.5.1 in R.

use std::{collections::BTreeMap, fs, path::Path};

use crate::support::{Installation, Need};

pub(crate) const STUDY: &str = "AA-AA-000-0000";
const SCORE_TOLERANCE: f64 = 1e-9;

/// What one indicator says about one site, each number as its file has it; an absent one is empty.
#[derive(Debug, Clone, PartialEq)]
struct Row {
    numerator: f64,
    denominator: f64,
    score: Option<f64>,
    flag: Option<i64>,
}

type Rows = BTreeMap<(String, String), Row>;

#[test]
fn twelve_indicators_equal_the_reference_for_every_site_and_country() {
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
    let reference = fs::read_to_string(oracles.join("rbqm/gsm_analysis_flagged.csv"));
    let reference = reference.expect("the oracle data holds the reference");
    // 150 sites and 3 countries, fewer where a denominator is zero.
    let (sites, countries) = (self::reference(&reference, "Site"), self::reference(&reference, "Country"));
    assert_eq!((sites.len(), countries.len()), (1_684, 36));
    check(&ours(&table("mart_kri"), ["indicator_id", "site_id"], has_reference), &sites);
    let by_method = table("mart_indicator");
    for (level, expected) in [("site", &sites), ("country", &countries)] {
        let is_it = |row: &BTreeMap<&str, &str>| {
            has_reference(row) && row["level"] == level && row["method"] == "normal_approximation"
        };
        check(&ours(&by_method, ["indicator_id", "group_id"], is_it), expected);
    }
}

/// The other indicators of the catalogue have no reference.
fn has_reference(row: &BTreeMap<&str, &str>) -> bool {
    ("kri0001"..="kri0012").contains(&row["indicator_id"])
}

fn check(ours: &Rows, reference: &Rows) {
    let differences = differences(ours, reference);
    assert!(
        differences.is_empty(),
        "{} rows differ from the reference, first:\n{}",
        differences.len(),
        differences[..differences.len().min(20)].join("\n")
    );
}

/// The study's tables. Plasma concentrations have no place in the unified model yet.
pub(crate) fn deliver(from: &Path, to: &Path) {
    fs::create_dir(to).expect("the temporary folder takes folders");
    for entry in fs::read_dir(from).expect("the oracle data holds the study") {
        let entry = entry.expect("the folder can be read");
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with("gsm_raw_") && name.ends_with(".parquet") && name != "gsm_raw_pk.parquet" {
            fs::copy(entry.path(), to.join(name)).expect("the file can be copied");
        }
    }
}

fn ours(csv: &str, [indicator, group]: [&str; 2], keep: impl Fn(&BTreeMap<&str, &str>) -> bool) -> Rows {
    rows(csv, [indicator, group, "numerator", "denominator", "score", "flag"], keep)
}

/// The rows of one level for `kri0001` to `kri0012`, under our names.
fn reference(csv: &str, level: &str) -> Rows {
    let columns = ["MetricID", "GroupID", "Numerator", "Denominator", "Score", "Flag"];
    let rows = rows(csv, columns, |row| row["GroupLevel"] == level);
    let renamed = rows.into_iter().map(|((indicator, group), row)| {
        let number = indicator.trim_start_matches("Analysis_").trim_start_matches(char::is_alphabetic);
        ((format!("kri{number}"), group), row)
    });
    renamed.filter(|((indicator, _), _)| indicator.as_str() <= "kri0012").collect()
}

/// Reads a CSV whose fields hold neither commas nor quotes inside.
fn rows(
    csv: &str,
    [indicator, site, numerator, denominator, score, flag]: [&str; 6],
    keep: impl Fn(&BTreeMap<&str, &str>) -> bool,
) -> Rows {
    let mut lines = csv.lines().map(|line| line.split(',').map(|field| field.trim_matches('"')));
    let header: Vec<&str> = lines.next().expect("a CSV has a header").collect();
    let rows = lines.map(|line| header.iter().copied().zip(line).collect::<BTreeMap<_, _>>()).filter(keep);
    let known = |text: &str| !text.is_empty() && text != "NA";
    rows.map(|row| {
        let read = |name: &str| row[name].parse::<f64>().expect("it is a number");
        let optional = |name: &str| known(row[name]).then(|| read(name));
        let key = (row[indicator].to_owned(), row[site].to_owned());
        #[expect(clippy::cast_possible_truncation, reason = "a flag is a whole number from -2 to 2")]
        let flag = optional(flag).map(|flag| flag as i64);
        (
            key,
            Row { numerator: read(numerator), denominator: read(denominator), score: optional(score), flag },
        )
    })
    .collect()
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
        && ours.flag == reference.flag
        && ours.numerator == reference.numerator
        && ours.denominator == reference.denominator
}
