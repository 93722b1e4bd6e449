//! Builds as OpenLineage events, against what the specification requires.

use std::collections::BTreeSet;

use kernel::RunId;
use marts::openlineage::{Namer, begun, ended};
use marts::{MARTS, Order};
use serde_json::Value;

use crate::study::Study;

const DM: &str = "STUDYID,USUBJID,SUBJID,SITEID,ARMCD,RFSTDTC,RFENDTC\n\
    S1,S1-1,1,001,A,2020-01-01,2020-03-31\nS1,S1-2,2,002,A,2020-01-01,2020-03-31\n";

fn events(last: &str) -> Vec<Value> {
    let mut study = Study::new();
    study.deliver(
        "sdtm",
        &[("dm.csv", &DM.replace("1,001,A,2020-01-01,2020-03-31", &format!("1,001,A,2020-01-01,{last}")))],
    );
    let built = study.build_order(&Order::default());
    let namer = Namer {
        namespace: "cairn".to_owned(),
        tenant: study.scope.tenant(),
        study: study.scope.study().clone(),
        run: RunId::at(built.run.started_at, "a run"),
    };
    let mut events = vec![begun(&namer, built.run.started_at)];
    events.extend(ended(&namer, MARTS, &built.run));
    events
}

/// What `spec/OpenLineage.json` 2-0-2 lists under `required`, definition by definition, and its formats.
fn check_event(event: &Value) {
    let text = |value: &Value, name: &str| {
        value[name].as_str().map(str::to_owned).unwrap_or_else(|| unreachable!("{name} is a text: {value}"))
    };
    assert!(["START", "COMPLETE", "FAIL", "ABORT", "OTHER"].contains(&text(event, "eventType").as_str()));
    chrono::DateTime::parse_from_rfc3339(&text(event, "eventTime")).expect("a date and time");
    for name in ["producer", "schemaURL"] {
        assert!(text(event, name).contains(':'), "{name} is a URI");
    }
    assert!(text(event, "schemaURL").ends_with("OpenLineage.json#/$defs/RunEvent"));
    text(&event["run"], "runId").parse::<RunId>().expect("a UUID");
    check_facets(&event["run"]["facets"]);
    for named in [&event["job"]].into_iter().chain(list(&event["inputs"])).chain(list(&event["outputs"])) {
        assert!(!text(named, "namespace").is_empty() && !text(named, "name").is_empty());
        for facets in ["facets", "inputFacets", "outputFacets"] {
            check_facets(&named[facets]);
        }
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().expect("a list").iter()
}

/// A facet names who made it and its own schema, and has what that schema requires.
fn check_facets(facets: &Value) {
    let Some(facets) = facets.as_object() else { return };
    for (name, facet) in facets {
        assert!(facet["_producer"].is_string(), "{name}");
        let schema = facet["_schemaURL"].as_str().expect("a schema");
        assert!(schema.starts_with("https://openlineage.io/spec/facets/"), "{name}: {schema}");
        let required: &[&str] = match name.as_str() {
            "parent" => &["run", "job"],
            "errorMessage" => &["message", "programmingLanguage"],
            "jobType" => &["processingType", "integration"],
            "documentation" => &["description"],
            "sql" => &["query"],
            "columnLineage" => &["fields"],
            "dataQualityAssertions" => &["assertions"],
            "version" => &["datasetVersion"],
            "schema" | "ownership" | "outputStatistics" => &[],
            other => unreachable!("`{other}` is no facet that is sent"),
        };
        for field in required {
            assert!(!facet[*field].is_null(), "{name} lacks {field}");
        }
        if name == "dataQualityAssertions" {
            for assertion in list(&facet["assertions"]) {
                assert!(assertion["assertion"].is_string() && assertion["success"].is_boolean());
            }
        }
        if name == "columnLineage" {
            for field in facet["fields"].as_object().expect("by column").values() {
                for input in list(&field["inputFields"]) {
                    for part in ["namespace", "name", "field"] {
                        assert!(input[part].is_string(), "{input}");
                    }
                }
            }
        }
    }
}

#[test]
fn every_event_has_what_the_specification_requires() {
    for event in events("2020-03-31").iter().chain(&events("2920-03-31")) {
        check_event(event);
    }
}

#[test]
fn every_run_begins_once_and_ends_once() {
    for events in [events("2020-03-31"), events("2920-03-31")] {
        let runs: BTreeSet<&str> = events.iter().filter_map(|event| event["run"]["runId"].as_str()).collect();
        for run in &runs {
            let of: Vec<&str> = events
                .iter()
                .filter(|event| event["run"]["runId"] == *run)
                .filter_map(|event| event["eventType"].as_str())
                .collect();
            assert_eq!((of.len(), of[0]), (2, "START"), "{of:?}");
        }
        // A run for each mart and one for its tests, and the build itself.
        assert_eq!(runs.len(), 2 * MARTS.len() + 1);
    }
}

#[test]
fn a_mart_that_fails_is_told_without_a_value() {
    let events = events("2920-03-31");
    let failed: Vec<&Value> = events.iter().filter(|event| event["eventType"] == "FAIL").collect();
    let of =
        |job: &str| failed.iter().find(|event| event["job"]["name"].as_str().expect("a name").ends_with(job));
    let message = &of(".mart_retention").expect("it failed")["run"]["facets"]["errorMessage"]["message"];
    assert_eq!(message, "1 rows fail its test `day is between 0 and 36525`");
    assert!(of(".build").is_some() && of(".mart_retention.tests").is_some());
    assert!(!failed.iter().any(|event| event.to_string().contains("328809")));
}

#[test]
fn a_mart_says_what_its_columns_come_from() {
    let events = events("2020-03-31");
    let made = |event: &&Value| {
        event["eventType"] == "COMPLETE"
            && event["job"]["name"].as_str().is_some_and(|name| name.ends_with(".mart_kri"))
    };
    let output = &events.iter().find(made).expect("it was made")["outputs"][0];
    let inputs = &output["facets"]["columnLineage"]["fields"]["numerator"]["inputFields"];
    assert!(inputs[0]["name"].as_str().expect("a name").ends_with(".S1.mart_indicator_input"));
    assert_eq!(inputs[0]["field"], "numerator");
    assert!(output["outputFacets"]["outputStatistics"]["rowCount"].is_u64());
}
