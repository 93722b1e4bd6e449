//! The description of the API for programs.

use axum::Json;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, ResponseBuilder};
use utoipa::{Modify, OpenApi};

use super::api;

#[derive(OpenApi)]
#[openapi(
    info(title = "Cairn", description = "Clinical-trial tables, their provenance and the ledger, over REST. Whole tables leave faster over Arrow Flight."),
    paths(
        api::login::login, api::tokens::issue, api::logout::logout,
        api::access_tokens::list, api::access_tokens::create, api::access_tokens::revoke, api::studies::list, api::snapshots::list,
        api::batches::list, api::batches::announce::announce, api::batches::show::show, api::batches::part::receive,
        api::batches::commit::commit, api::tables::list, api::tables::show, api::quality::list, api::quality::show,
        api::quarantine::list, api::definitions::list, api::definitions::history, api::definitions::change::change,
        api::definitions::change::reset, api::limits::list, api::limits::act, api::jobs::list, api::jobs::show::show, api::jobs::events::events,
        api::jobs::cancel::cancel, api::jobs::retry::retry, api::jobs::enqueue::enqueue,
        api::schedules::list, api::schedules::add::add, api::schedules::enable::enable,
        api::schedules::enable::disable, api::schedules::remove::remove, api::schedules::run::run, api::audit::list, api::audit::verification
    ),
    components(schemas(api::tables::Format)),
    modifiers(&Bearer, &Refusals),
    security(("bearer" = [])),
    tags(
        (name = "access", description = "Logging in and out, and tokens to keep"),
        (name = "studies", description = "Studies, snapshots and deliveries"),
        (name = "deliveries", description = "Sending files: announce, send in parts, commit, look"),
        (name = "jobs", description = "Work that is done after its request was answered"),
        (name = "tables", description = "Published tables"),
        (name = "quality", description = "Checks of the data, and rows that did not fit"),
        (name = "indicators", description = "Definitions of risk indicators, and tolerance limits with their alarms"),
        (name = "audit", description = "The ledger")
    )
)]
struct Api;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
        openapi
            .components
            .get_or_insert_default()
            .add_security_scheme("bearer", SecurityScheme::Http(scheme));
    }
}

/// What every route may answer before its handler is asked, and the form of every refusal.
struct Refusals;

const EVERYWHERE: [(&str, &str); 8] = [
    ("400", "The request cannot be used, as the detail says."),
    ("401", "No valid token for HTTP."),
    ("413", "More was sent than is taken."),
    ("415", "The body is of another type than the route takes."),
    ("422", "The body does not have the form that the route takes."),
    ("429", "The tenant sent more requests than it may; see `Retry-After`."),
    ("503", "The server has more work than it takes; see `Retry-After`."),
    ("504", "The answer took too long."),
];

impl Modify for Refusals {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let problem = || ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
        for item in openapi.paths.paths.values_mut() {
            for operation in [&mut item.get, &mut item.post, &mut item.put].into_iter().flatten() {
                let responses = &mut operation.responses.responses;
                for (status, words) in EVERYWHERE {
                    let refusal = || RefOr::T(ResponseBuilder::new().description(words).build());
                    responses.entry(status.to_owned()).or_insert_with(refusal);
                }
                let refusals = responses.iter_mut().filter(|(status, _)| status.starts_with(['4', '5']));
                for (_, response) in refusals {
                    if let RefOr::T(response) = response {
                        response.content.clear();
                        response.content.insert("application/problem+json".to_owned(), problem());
                    }
                }
            }
        }
    }
}

/// `GET /api/openapi.json`: every route under `/api/v1` with its inputs and answers.
pub(crate) async fn openapi() -> Json<utoipa::openapi::OpenApi> {
    Json(Api::openapi())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::doors;

    #[test]
    fn every_refusal_is_a_problem() {
        let described = serde_json::to_value(Api::openapi()).expect("it is JSON");
        for (path, methods) in described["paths"].as_object().expect("paths") {
            for (method, operation) in methods.as_object().expect("methods") {
                for (status, response) in operation["responses"].as_object().expect("responses") {
                    let is_refusal = status.starts_with(['4', '5']);
                    let is_problem = response["content"]["application/problem+json"]["schema"]["$ref"]
                        == "#/components/schemas/Problem";
                    assert_eq!(is_refusal, is_problem, "{method} {path} {status}");
                }
                assert!(operation["responses"].get("429").is_some(), "{method} {path}");
            }
        }
    }

    #[test]
    fn every_route_of_the_api_is_described() {
        let described = Api::openapi().paths.paths;
        for (door, _) in doors::routes() {
            if door.path.starts_with("/api/v1") {
                assert!(described.contains_key(door.path), "{} {} is not described", door.method, door.path);
            }
        }
    }
}
