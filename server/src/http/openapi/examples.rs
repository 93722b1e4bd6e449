//! Examples for every body and answer of the API: one for each form, put where the form is used. A test holds each against
//! its form.

use serde_json::{Map, Value};
use utoipa::Modify;
use utoipa::openapi::schema::{ArrayItems, Schema};
use utoipa::openapi::{Content, RefOr};

/// By the name of the form.
const EXAMPLES: &str = include_str!("examples.json");

/// Puts examples where forms are used.
pub(super) struct Examples;

impl Modify for Examples {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        // INVARIANT: the text is part of the program, and a test reads it.
        let examples: Map<String, Value> = serde_json::from_str(EXAMPLES).expect("the examples are JSON");
        for item in openapi.paths.paths.values_mut() {
            for operation in [&mut item.get, &mut item.post, &mut item.put].into_iter().flatten() {
                let body = operation.request_body.iter_mut().flat_map(|body| body.content.iter_mut());
                let responses =
                    operation.responses.responses.values_mut().filter_map(|response| match response {
                        RefOr::T(response) => Some(response),
                        RefOr::Ref(_) => None,
                    });
                let answers = responses.flat_map(|response| response.content.iter_mut());
                for (kind, content) in body.chain(answers) {
                    content.example = example(kind, content, &examples);
                }
            }
        }
    }
}

fn example(kind: &str, content: &Content, examples: &Map<String, Value>) -> Option<Value> {
    match kind {
        "application/json" | "application/problem+json" | "text/event-stream" => {
            of_schema(content.schema.as_ref()?, examples)
        }
        "text/csv" => Some(Value::from("study_id,site_id\nCDISCPILOT01,701\n")),
        "text/plain" => examples.get("ProvenAnswer").map(|proven| proven["proof"].clone()),
        // Bytes have no example that could be read.
        _ => None,
    }
}

fn of_schema(schema: &RefOr<Schema>, examples: &Map<String, Value>) -> Option<Value> {
    match schema {
        RefOr::Ref(named) => examples.get(named.ref_location.rsplit('/').next()?).cloned(),
        RefOr::T(Schema::Array(array)) => match &array.items {
            ArrayItems::RefOrSchema(items) => Some(Value::Array(vec![of_schema(items, examples)?])),
            ArrayItems::False => None,
        },
        RefOr::T(_) => None,
    }
}
