//! The published rules on a whole study, against a run of the reference engine (release 0.17.1, 294 s).

use std::collections::BTreeSet;

use rules::{Issue, Limits, Rule, Verdict, execute_all};
use serde_json::Value;

use crate::archive::{guideline_study, oracles, published};

/// What the reference engine does not report: of a split dataset, it looks at the name of the first part alone. Its
/// own fixtures for the rule expect both.
const SECOND_PART: &str = "CORE-000539 QSSL 1: $list_dataset_names, dataset_name";

#[test]
fn a_whole_study_has_the_issues_that_the_reference_engine_found() {
    let Some(oracles) = oracles() else { return };
    let rules: Vec<Rule> =
        published(&oracles).values().filter_map(|published| Rule::parse(&published.text).ok()).collect();
    let study = guideline_study(&oracles, 1);
    assert_eq!((study.dataset_names().count(), study.records()), (27, 9_909));

    let outcomes = execute_all(&rules, &study, Limits::default(), 2);
    let mut ours: BTreeSet<String> = BTreeSet::new();
    for outcome in &outcomes {
        ours.extend(outcome.issues().map(|issue| line(&outcome.rule, issue)));
        for dataset in &outcome.datasets {
            assert!(
                !matches!(dataset.verdict, Verdict::NotExecutable { .. }),
                "{}: {dataset:?}",
                outcome.rule
            );
        }
    }
    assert!(ours.remove(SECOND_PART));
    let known: BTreeSet<&str> = rules.iter().map(Rule::id).collect();
    let report = oracles.join("studies/sdtm_msg_datasetjson/core_report_sdtmig33_stubbed_library.json");
    let report: Value = serde_json::from_slice(&std::fs::read(report).expect("the report")).expect("JSON");
    let theirs: BTreeSet<String> = report["Issue_Details"]
        .as_array()
        .expect("issues")
        .iter()
        .filter(|issue| known.contains(text(&issue["core_id"])))
        .map(reference_line)
        .collect();
    assert_eq!(ours.len(), 86);
    assert_eq!(ours, theirs);
}

fn line(rule: &str, issue: &Issue) -> String {
    let record = issue.record.map_or_else(String::new, |record| record.to_string());
    let variables: Vec<&str> = issue.values.iter().map(|(variable, _)| variable.as_str()).collect();
    format!("{rule} {} {record}: {}", issue.dataset, variables.join(", "))
}

fn reference_line(issue: &Value) -> String {
    let record = issue["row"].as_u64().map_or_else(String::new, |record| record.to_string());
    let variables = issue["variables"].as_array().expect("variables");
    let variables: BTreeSet<&str> = variables.iter().map(text).collect();
    let variables: Vec<&str> = variables.into_iter().collect();
    format!("{} {} {record}: {}", text(&issue["core_id"]), text(&issue["dataset"]), variables.join(", "))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
