//! The description of the API for programs.

use axum::Json;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, ResponseBuilder};
use utoipa::{Modify, OpenApi};

mod examples;

use super::api;
use examples::Examples;

/// Which page of a list.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it describes what `cursor::Paging` reads")]
pub(crate) struct PageParams {
    /// At most so many items: 200 when it is not given, never more than 1,000.
    limit: Option<u32>,
    /// Where to go on: the header `Link` of the page before holds the whole address.
    cursor: Option<String>,
}

#[derive(OpenApi)]
#[openapi(
    info(title = "Cairn", description = "Clinical-trial tables, their provenance and the ledger, over REST. Whole tables leave faster over Arrow Flight."),
    paths(
        api::login::login, api::tokens::issue, api::logout::logout,
        api::access_review::show, api::access_review::sign_off, api::accounts::list, api::accounts::show, api::accounts::create::create, api::accounts::grants::give,
        api::accounts::grants::take, api::accounts::identities::link, api::accounts::identities::unlink, api::accounts::standing::disable, api::accounts::standing::enable,
        api::accounts::standing::reset_second_factor, api::accounts::access::sessions,
        api::accounts::access::end_sessions, api::accounts::access::end_session, api::accounts::access::tokens,
        api::accounts::access::revoke_token, api::organisation::show,
        api::access_tokens::list, api::access_tokens::create, api::access_tokens::revoke, api::studies::list, api::snapshots::list,
        api::batches::list, api::batches::announce::announce, api::batches::show::show, api::batches::part::receive,
        api::batches::commit::commit, api::tables::list, api::tables::show, api::query::query, api::quality::list, api::quality::show,
        api::quarantine::list, api::definitions::list, api::definitions::history, api::definitions::change::change,
        api::definitions::change::reset, api::limits::list, api::limits::act, api::jobs::list, api::jobs::show::show, api::jobs::events::events,
        api::jobs::cancel::cancel, api::jobs::retry::retry, api::jobs::enqueue::enqueue,
        api::schedules::list, api::schedules::add::add, api::schedules::enable::enable,
        api::schedules::enable::disable, api::schedules::remove::remove, api::schedules::run::run,
        api::webhooks::list, api::webhooks::add::add, api::webhooks::show::show, api::webhooks::rotate::rotate,
        api::webhooks::enable::enable, api::webhooks::enable::disable, api::webhooks::remove::remove,
        api::webhooks::test::test, api::webhooks::deliveries::list, api::webhooks::retry::retry,
        api::inbox::list, api::inbox::read, api::inbox::mail::show, api::inbox::mail::choose, api::audit::list, api::audit::verification,
        api::audit::show::show, api::audit::show::proof, api::audit::export::export, api::audit::review::sign_off,
        api::break_glass::list, api::break_glass::open::open, api::break_glass::end::end, api::break_glass::review::review,
        api::signatures::list, api::signatures::show, api::signatures::sign::sign, api::signatures::sign::record,
        api::retention::list, api::retention::decide, api::retention::hold::place, api::retention::hold::lift,
        api::unblinding::unblind
    ),
    components(schemas(api::tables::Format)),
    modifiers(&Bearer, &Refusals, &Examples),
    security(("bearer" = [])),
    tags(
        (name = "access", description = "Logging in and out, and tokens to keep"),
        (name = "accounts", description = "Who may sign in and what for, by who administers the organisation"),
        (name = "studies", description = "Studies, snapshots and deliveries"),
        (name = "deliveries", description = "Sending files: announce, send in parts, commit, look"),
        (name = "jobs", description = "Work that is done after its request was answered"),
        (name = "webhooks", description = "Addresses that messages about events are posted to"),
        (name = "inbox", description = "What concerns you"),
        (name = "tables", description = "Published tables"),
        (name = "quality", description = "Checks of the data, and rows that did not fit"),
        (name = "indicators", description = "Definitions of risk indicators, and tolerance limits with their alarms"),
        (name = "audit", description = "The ledger"),
        (name = "governed", description = "What takes a reason, a second person or a signature")
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

    /// That a value has every field that its form asks for, and none that it does not know.
    fn check_form(
        described: &serde_json::Value,
        schema: &serde_json::Value,
        value: &serde_json::Value,
        at: &str,
    ) {
        if let Some(named) = schema["$ref"].as_str() {
            let name = named.rsplit('/').next().expect("a name");
            return check_form(
                described,
                &described["components"]["schemas"][name],
                value,
                &format!("{at} {name}"),
            );
        }
        if let Some(parts) = schema["allOf"].as_array() {
            let known: Vec<serde_json::Value> = parts.iter().map(|part| resolved(described, part)).collect();
            for part in &known {
                for name in part["required"].as_array().into_iter().flatten() {
                    assert!(value.get(name.as_str().expect("a name")).is_some(), "{at}: `{name}` is missing");
                }
            }
            return;
        }
        if let (Some(items), Some(values)) = (schema.get("items"), value.as_array()) {
            values.iter().for_each(|value| check_form(described, items, value, at));
        }
        let Some(fields) = schema["properties"].as_object() else { return };
        for name in schema["required"].as_array().into_iter().flatten() {
            assert!(value.get(name.as_str().expect("a name")).is_some(), "{at}: `{name}` is missing");
        }
        for (name, value) in value.as_object().expect("an object") {
            let field = fields.get(name).unwrap_or_else(|| panic!("{at}: `{name}` is no field"));
            check_form(described, field, value, &format!("{at}.{name}"));
        }
    }

    fn resolved(described: &serde_json::Value, schema: &serde_json::Value) -> serde_json::Value {
        let name = schema["$ref"].as_str().and_then(|named| named.rsplit('/').next());
        name.map_or_else(|| schema.clone(), |name| described["components"]["schemas"][name].clone())
    }

    #[test]
    fn every_operation_has_a_summary_examples_and_its_problems() {
        let described = serde_json::to_value(Api::openapi()).expect("it is JSON");
        assert!(described["openapi"].as_str().is_some_and(|version| version.starts_with("3.1")));
        for (path, methods) in described["paths"].as_object().expect("paths") {
            for (method, operation) in methods.as_object().expect("methods") {
                let at = format!("{method} {path}");
                assert!(
                    operation["summary"].as_str().is_some_and(|text| text.len() > 10),
                    "{at} has no summary"
                );
                let body = operation["requestBody"]["content"].as_object().into_iter().flatten();
                let mut contents: Vec<_> = body.map(|(kind, content)| (kind, content, at.clone())).collect();
                for (status, response) in operation["responses"].as_object().expect("responses") {
                    assert!(response["description"].is_string(), "{at} {status}");
                    let found = response["content"].as_object().into_iter().flatten();
                    contents.extend(found.map(|(kind, content)| (kind, content, format!("{at} {status}"))));
                }
                for (kind, content, at) in contents {
                    if ["application/octet-stream", "application/vnd.apache.parquet"].contains(&kind.as_str())
                    {
                        continue;
                    }
                    let example =
                        content.get("example").unwrap_or_else(|| panic!("{at} has no example of {kind}"));
                    check_form(&described, &content["schema"], example, &at);
                }
                for status in ["400", "401", "429", "503"] {
                    assert!(operation["responses"].get(status).is_some(), "{at} does not say {status}");
                }
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
