//! A build as OpenLineage run events, for catalogues that draw lineage across tools. They name tables, columns, counts
//! and tests, and hold no value of the data.
//!
//! Source: the OpenLineage specification 2-0-2 and its facets.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use kernel::{CODE_VERSION, RunId, StudyId, TenantId};
use serde_json::{Map, Value, json};

use crate::mart::Mart;
use crate::run::{Built, Outcome, Run, Status};

const SPEC: &str = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent";

/// Whose build it is, and where its jobs and tables are named.
#[derive(Debug, Clone)]
pub struct Namer {
    /// The namespace of jobs and tables.
    pub namespace: String,
    /// The tenant.
    pub tenant: TenantId,
    /// The study.
    pub study: StudyId,
    /// The build.
    pub run: RunId,
}

/// How a run moves on.
#[derive(Debug, Clone, Copy)]
enum Move {
    Start,
    Complete,
    Fail,
    Abort,
}

impl Move {
    const fn name(self) -> &'static str {
        match self {
            Self::Start => "START",
            Self::Complete => "COMPLETE",
            Self::Fail => "FAIL",
            Self::Abort => "ABORT",
        }
    }
}

/// What is said of one event besides who and when.
#[derive(Debug, Default)]
struct Facts {
    run_facets: Map<String, Value>,
    job_facets: Map<String, Value>,
    inputs: Vec<Value>,
    outputs: Vec<Value>,
}

/// That a build begins.
#[must_use]
pub fn begun(namer: &Namer, at: DateTime<Utc>) -> Value {
    namer.event((Move::Start, at), (namer.run, &namer.job("build")), &Facts::default())
}

/// What became of the build: a run of its own for each mart that was made or failed, one for its tests, and the end.
#[must_use]
pub fn ended(namer: &Namer, graph: &[Mart], run: &Run) -> Vec<Value> {
    let mut events = Vec::new();
    for built in run.marts.iter().filter(|built| matches!(built.outcome, Outcome::Made | Outcome::Failed)) {
        if let Some(mart) = graph.iter().find(|mart| mart.name == built.mart) {
            events.extend(namer.mart(mart, built, run));
            events.extend(namer.tests(mart, built));
        }
    }
    let end = match run.status {
        Status::Published | Status::Partial | Status::Unchanged => Move::Complete,
        Status::Failed => Move::Fail,
        Status::Cancelled => Move::Abort,
    };
    let mut facts = Facts::default();
    if run.status == Status::Failed {
        facts.run_facets.extend([error("a mart failed; `cairn marts history --last` says which and why")]);
    }
    events.push(namer.event((end, run.finished_at), (namer.run, &namer.job("build")), &facts));
    events
}

impl Namer {
    fn job(&self, name: &str) -> String {
        format!("{}.{}.{name}", self.tenant, self.study)
    }

    fn dataset(&self, table: &str) -> (String, String) {
        (self.namespace.clone(), format!("{}.{}.{table}", self.tenant, self.study))
    }

    fn table(&self, table: &str) -> Value {
        let (namespace, name) = self.dataset(table);
        json!({ "namespace": namespace, "name": name })
    }

    /// The beginning and the end of one mart's run.
    fn mart(&self, mart: &Mart, built: &Built, run: &Run) -> [Value; 2] {
        let id = RunId::at(built.started_at, &format!("{} {}", self.run, mart.name));
        let job = self.job(mart.name);
        let facts = || Facts {
            run_facets: Map::from_iter([self.parent()]),
            job_facets: job_facets(mart),
            inputs: mart.inputs.iter().map(|table| self.table(table)).collect(),
            outputs: Vec::new(),
        };
        let start = self.event((Move::Start, built.started_at), (id, &job), &facts());
        let end_at =
            built.started_at + chrono::TimeDelta::microseconds(i64::try_from(built.took_us).unwrap_or(0));
        let mut facts = facts();
        let end = if built.outcome == Outcome::Made {
            facts.outputs.push(self.output(mart, built, run));
            Move::Complete
        } else {
            // The engine's word may quote a value.
            let message = match built.tests.iter().find(|test| !test.holds()) {
                Some(test) => format!("{} rows fail its test `{}`", test.rows, test.test),
                None => "it could not be made".to_owned(),
            };
            facts.run_facets.extend([error(&message)]);
            Move::Fail
        };
        [start, self.event((end, end_at), (id, &job), &facts)]
    }

    fn output(&self, mart: &Mart, built: &Built, run: &Run) -> Value {
        let fields: Vec<Value> = mart
            .columns
            .iter()
            .map(|column| json!({ "name": column.name, "description": column.description }))
            .collect();
        let lineage: BTreeMap<&str, Value> = mart
            .columns
            .iter()
            .map(|column| {
                let from = column.from.iter().filter_map(|from| from.split_once('.'));
                let inputs = from.map(|(table, field)| {
                    let (namespace, name) = self.dataset(table);
                    json!({ "namespace": namespace, "name": name, "field": field })
                });
                (column.name, json!({ "inputFields": inputs.collect::<Vec<_>>() }))
            })
            .collect();
        let mut facets = Map::from_iter([
            facet("schema", "1-1-1/SchemaDatasetFacet", json!({ "fields": fields })),
            facet("columnLineage", "1-2-0/ColumnLineageDatasetFacet", json!({ "fields": lineage })),
            facet("documentation", "1-0-1/DocumentationDatasetFacet", json!({ "description": mart.grain })),
        ]);
        if let Some(snapshot) = run.snapshot {
            let version = json!({ "datasetVersion": snapshot.to_string() });
            facets.extend([facet("version", "1-0-1/DatasetVersionDatasetFacet", version)]);
        }
        let mut output = self.table(mart.name);
        let statistics = json!({ "rowCount": built.rows });
        output["facets"] = Value::Object(facets);
        output["outputFacets"] = Value::Object(Map::from_iter([facet(
            "outputStatistics",
            "1-0-2/OutputStatisticsOutputDatasetFacet",
            statistics,
        )]));
        output
    }

    /// The tests of a mart as a run that reads it.
    fn tests(&self, mart: &Mart, built: &Built) -> Vec<Value> {
        if built.tests.is_empty() {
            return Vec::new();
        }
        let at =
            built.started_at + chrono::TimeDelta::microseconds(i64::try_from(built.took_us).unwrap_or(0));
        let id = RunId::at(at, &format!("{} {} tests", self.run, mart.name));
        let job = self.job(&format!("{}.tests", mart.name));
        let assertions: Vec<Value> = built
            .tests
            .iter()
            .map(|test| {
                let mut assertion = json!({
                    "assertion": test.test, "success": test.holds(),
                    "severity": if test.severity == crate::Severity::Error { "error" } else { "warn" },
                });
                if let Some(column) = &test.column {
                    assertion["column"] = json!(column);
                }
                assertion
            })
            .collect();
        let mut input = self.table(mart.name);
        input["inputFacets"] = Value::Object(Map::from_iter([facet(
            "dataQualityAssertions",
            "1-0-1/DataQualityAssertionsDatasetFacet",
            json!({ "assertions": assertions }),
        )]));
        let facts = || Facts {
            run_facets: Map::from_iter([self.parent()]),
            inputs: vec![input.clone()],
            ..Facts::default()
        };
        let failed = built.outcome == Outcome::Failed;
        let end = if failed { Move::Fail } else { Move::Complete };
        vec![self.event((Move::Start, at), (id, &job), &facts()), self.event((end, at), (id, &job), &facts())]
    }

    fn parent(&self) -> (String, Value) {
        let parent = json!({
            "run": { "runId": self.run.to_string() },
            "job": { "namespace": self.namespace, "name": self.job("build") },
        });
        facet("parent", "1-0-1/ParentRunFacet", parent)
    }

    fn event(&self, (moved, at): (Move, DateTime<Utc>), (run, job): (RunId, &str), facts: &Facts) -> Value {
        json!({
            "eventType": moved.name(),
            "eventTime": at.to_rfc3339_opts(SecondsFormat::Micros, true),
            "producer": producer(),
            "schemaURL": SPEC,
            "run": { "runId": run.to_string(), "facets": facts.run_facets },
            "job": { "namespace": self.namespace, "name": job, "facets": facts.job_facets },
            "inputs": facts.inputs,
            "outputs": facts.outputs,
        })
    }
}

fn job_facets(mart: &Mart) -> Map<String, Value> {
    let kind = json!({ "processingType": "BATCH", "integration": "CAIRN", "jobType": "MART" });
    let mut facets = Map::from_iter([
        facet("jobType", "2-0-3/JobTypeJobFacet", kind),
        facet("documentation", "1-0-1/DocumentationJobFacet", json!({ "description": mart.description })),
        facet("ownership", "1-0-1/OwnershipJobFacet", json!({ "owners": [{ "name": mart.owner }] })),
    ]);
    if let Some(query) = mart.query() {
        facets.extend([facet("sql", "1-0-1/SQLJobFacet", json!({ "query": query }))]);
    }
    facets
}

fn error(message: &str) -> (String, Value) {
    let error = json!({ "message": message, "programmingLanguage": "Rust" });
    facet("errorMessage", "1-0-1/ErrorMessageRunFacet", error)
}

fn facet(name: &str, schema: &str, mut content: Value) -> (String, Value) {
    let kind = schema.split('/').next_back().unwrap_or_default();
    content["_producer"] = json!(producer());
    content["_schemaURL"] = json!(format!("https://openlineage.io/spec/facets/{schema}.json#/$defs/{kind}"));
    (name.to_owned(), content)
}

fn producer() -> String {
    format!("urn:cairn:{CODE_VERSION}")
}
