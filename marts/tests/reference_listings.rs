//! The definitions and the listings of the open reference, through intake, canon, star and marts.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use marts::indicators::{AccrualOn, IDENTITY, IdentityOn, Model, NORMAL_APPROXIMATION, definitions};
use serde_json::Value;

use crate::study::Study;

type Fields = BTreeMap<String, String>;

/// The rows of another implementation, in the folder that `CAIRN_ORACLES` names; none, said in a line, without it.
#[expect(
    clippy::disallowed_methods,
    reason = "the oracles are no part of the repository, only their place is told"
)]
fn oracle(file: &str) -> Option<Vec<Fields>> {
    let Some(folder) = std::env::var_os("CAIRN_ORACLES") else {
        assert!(std::env::var_os("CI").is_none(), "CAIRN_ORACLES is not set, and CI needs it");
        println!("not run: oracle data absent");
        return None;
    };
    let file = std::path::PathBuf::from(folder).join("rbqm").join(file);
    let mut reader = csv::Reader::from_path(file).expect("the oracle file opens");
    Some(reader.deserialize().map(|row| row.expect("the rows have the header's columns")).collect())
}

fn numbers(list: &str) -> Vec<f64> {
    let list = list.split(',').filter(|number| !number.is_empty());
    list.map(|number| number.parse().expect("it is a number")).collect()
}

// Source: the metadata of gsm.kri 1.5.1. Not reproduced: `Type`, `ID` and `MetricID` are one name, `Score` follows from the
// model, `Priority` is 0 everywhere; titles and what is counted are in words of ours. A country's metric is defined as a
// site's, and where the reference gives no flags for it, by default those of five intervals.
#[test]
fn thresholds_flags_weights_and_accrual_are_those_of_the_reference() {
    let Some(metrics) = oracle("gsm_reporting_metrics_run.csv") else { return };
    assert_eq!(metrics.len(), 26);
    let definitions = definitions().expect("well formed");
    for metric in &metrics {
        let id = format!("kri{}", &metric["ID"][3..]);
        assert_eq!(metric["MetricID"], format!("{}_{}", metric["Type"], metric["ID"]));
        let ours = definitions.iter().find(|definition| definition.id == id).expect("it is defined");
        assert_eq!(ours.abbreviation, metric["Abbreviation"], "{id}");
        let (method, kind) = match (ours.identity, ours.model) {
            (Some(IdentityOn::Metric), _) => (IDENTITY, "identity"),
            (None, Model::Binary) => (NORMAL_APPROXIMATION, "binary"),
            (None, Model::Rate) => (NORMAL_APPROXIMATION, "rate"),
            (identity, model) => unreachable!("{id} is judged by {identity:?} and {model:?}"),
        };
        assert_eq!(ours.methods()[0], method, "{id}");
        assert_eq!(
            (method, kind),
            (metric["Model"].to_lowercase().replace(' ', "_").as_str(), &*metric["AnalysisType"])
        );
        // The reference lists one pair from high to low.
        let mut thresholds = numbers(&metric["Threshold"]);
        thresholds.sort_by(f64::total_cmp);
        assert_eq!(ours.thresholds, thresholds, "{id}");
        let flags = if metric["Flag"].is_empty() { "-2,-1,0,1,2" } else { metric["Flag"].as_str() };
        assert_eq!(
            ours.flags.iter().map(|flag| f64::from(*flag)).collect::<Vec<_>>(),
            numbers(flags),
            "{id}"
        );
        let on = match ours.accrual.on {
            AccrualOn::Numerator => "Numerator",
            AccrualOn::Denominator => "Denominator",
            AccrualOn::Difference => "Difference",
        };
        assert_eq!(
            (on, vec![ours.accrual.least]),
            (&*metric["AccrualMetric"], numbers(&metric["AccrualThreshold"]))
        );
        // Weights are a site's alone, and the thirteenth has none.
        let weights = numbers(&metric["RiskScoreWeight"]);
        if weights.is_empty() {
            assert!(
                metric["GroupLevel"] == "Country" || ours.weights.iter().all(|weight| weight.abs() <= 0.0),
                "{id}"
            );
        } else {
            assert_eq!(ours.weights, weights, "{id}");
        }
    }
}

/// The subjects, deviations, criteria and completions of the listings, as an extract that a study delivers.
fn deliver(eligibility: &[&Fields], completion: &[&Fields]) -> Study {
    let mut subjects = "studyid,subjid,invid,country,enrollyn,timeonstudy,firstparticipantdate\n".to_owned();
    let mut deviations =
        "studyid,subjectenrollmentnumber,description,crocategory,deemedimportant,deviationdate\n".to_owned();
    let mut criteria = "subjid,ietestcd,tiver,iecat,ieorres\n".to_owned();
    let mut completions = "studyid,subjid,invid,compyn,compreas,mincreated_dts\n".to_owned();
    for row in eligibility {
        let [subject, site, country, day] =
            ["subjid", "invid", "country", "enroll_dt"].map(|name| &row[name]);
        writeln!(subjects, "S1,{subject},{site},{country},Y,10,{day}").expect("a text takes all");
        for at in row["dvdtm"].split(";;;").filter(|at| !at.is_empty()) {
            let day = at.split(' ').next().unwrap_or_default();
            writeln!(deviations, "S1,{subject},Not eligible,Inclusion/Exclusion Criteria,Yes,{day}")
                .expect("a text takes all");
        }
        for criterion in row["ietestcd_concat"].split(";;;").filter(|criterion| !criterion.is_empty()) {
            // A criterion is broken that should have been met, or met that should not.
            let (category, met) =
                if criterion.starts_with("incl") { ("INCL", "No") } else { ("EXCL", "Yes") };
            writeln!(criteria, "{subject},{criterion},1,{category},{met}").expect("a text takes all");
        }
    }
    for row in completion.iter().filter(|row| !row["compyn"].is_empty()) {
        let [subject, done, why, day] =
            ["subjid", "compyn", "compreas", "mincreated_dts"].map(|name| &row[name]);
        writeln!(completions, "S1,{subject},,{done},{why},{day}").expect("a text takes all");
    }
    let mut study = Study::new();
    let files =
        [("subj.csv", subjects), ("pd.csv", deviations), ("ie.csv", criteria), ("studcomp.csv", completions)];
    let filled: Vec<(&str, &str)> = files
        .iter()
        .filter(|(_, text)| text.lines().count() > 1)
        .map(|(name, text)| (*name, text.as_str()))
        .collect();
    study.deliver("edc", &filled);
    study.build();
    study
}

fn number(row: &Value, name: &str) -> f64 {
    row[name].as_f64().expect("it is a number")
}

/// Events and units of a limit by its share.
fn limit(study: &Study, id: &str) -> (f64, f64) {
    let rows = study.rows("mart_tolerance_limit");
    let row =
        rows.iter().find(|row| row["limit_id"] == id && row["method"] == "fixed").expect("it is judged");
    (number(row, "events"), number(row, "units"))
}

// Source: the example of gsm.qtl: 6 snapshots, and the subjects behind the last one.
#[test]
fn discontinuations_of_the_listing_give_the_result_of_each_snapshot() {
    let (Some(subjects), Some(completions), Some(results)) = (
        oracle("gsm_qtl_example_qtl0001_listing.csv"),
        oracle("gsm_qtl_example_qtl0002_listing.csv"),
        oracle("gsm_qtl_example_results.csv"),
    ) else {
        return;
    };
    assert_eq!((subjects.len(), completions.len()), (771, 771));
    let results: Vec<&Fields> = results.iter().filter(|row| row["MetricID"] == "Analysis_qtl0002").collect();
    assert_eq!(results.len(), 6);
    // The first has no discontinuation at all, so that nothing tells of them: no limit is judged.
    for result in results.iter().filter(|result| result["Numerator"] != "0") {
        let by = |row: &&Fields, name: &str| !row[name].is_empty() && row[name] <= result["SnapshotDate"];
        let enrolled: Vec<&Fields> = subjects.iter().filter(|row| by(row, "enroll_dt")).collect();
        let left: Vec<&Fields> = completions.iter().filter(|row| by(row, "mincreated_dts")).collect();
        let study = deliver(&enrolled, &left);
        let expected = (numbers(&result["Numerator"])[0], numbers(&result["Denominator"])[0]);
        assert_eq!(limit(&study, "qtl_study_discontinuation"), expected, "{}", result["SnapshotDate"]);
    }
}

// The listing says of no subject since when it is ineligible, so that former snapshots cannot be counted from it.
#[test]
fn ineligible_subjects_of_the_listing_give_the_last_result_and_those_of_sites_and_countries() {
    let (Some(subjects), Some(results), Some(sites), Some(countries)) = (
        oracle("gsm_qtl_example_qtl0001_listing.csv"),
        oracle("gsm_qtl_example_results.csv"),
        oracle("gsm_ineligibility_0014_site.csv"),
        oracle("gsm_ineligibility_0014_country.csv"),
    ) else {
        return;
    };
    let study = deliver(&subjects.iter().collect::<Vec<_>>(), &[]);
    let of_limit = results.iter().filter(|row| row["MetricID"] == "Analysis_qtl0001");
    let last = of_limit.max_by_key(|row| row["SnapshotDate"].clone()).expect("there are snapshots");
    let expected = (numbers(&last["Numerator"])[0], numbers(&last["Denominator"])[0]);
    assert_eq!(limit(&study, "qtl_ineligible"), expected);
    assert_eq!(expected, (276.0, 771.0));
    let rows = study.rows("mart_indicator");
    let judged = |level: &str| -> BTreeMap<String, [Option<f64>; 4]> {
        let wanted = [("indicator_id", "kri0014"), ("level", level), ("method", "identity")];
        let rows = rows.iter().filter(|row| wanted.iter().all(|(name, value)| row[*name] == *value));
        let said = |row: &Value| ["numerator", "denominator", "score", "flag"].map(|name| row[name].as_f64());
        rows.map(|row| (row["group_id"].as_str().expect("a name").to_owned(), said(row))).collect()
    };
    let said = |row: &Fields| {
        ["Numerator", "Denominator", "Score", "Flag"].map(|name| row[name].parse::<f64>().ok())
    };
    // The reference's reader took the sites' ids for hexadecimal numbers.
    let sites: BTreeMap<String, [Option<f64>; 4]> = sites
        .iter()
        .map(|row| (row["GroupID"].parse::<u64>().expect("a number"), said(row)))
        .map(|(id, said)| (format!("{id:X}"), said))
        .collect();
    let ours = judged("site")
        .into_iter()
        .map(|(id, said)| (id.trim_start_matches("0X").trim_start_matches('0').to_owned(), said));
    assert_eq!(ours.collect::<BTreeMap<_, _>>(), sites);
    assert_eq!(judged("country"), countries.iter().map(|row| (row["GroupID"].clone(), said(row))).collect());
}
