//! The description of the API for programs.

use axum::Json;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::api;

#[derive(OpenApi)]
#[openapi(
    info(title = "Cairn", description = "Clinical-trial tables, their provenance and the ledger, over REST. Whole tables leave faster over Arrow Flight."),
    paths(
        api::login::login, api::tokens::issue, api::logout::logout, api::studies::list, api::snapshots::list,
        api::batches::list, api::batches::announce::announce, api::batches::show::show, api::batches::part::receive,
        api::batches::commit::commit, api::tables::list, api::tables::show, api::quality::list, api::quality::show,
        api::quarantine::list, api::audit::list, api::audit::verification
    ),
    modifiers(&Bearer),
    security(("bearer" = [])),
    tags(
        (name = "access", description = "Logging in and out"),
        (name = "studies", description = "Studies, snapshots and deliveries"),
        (name = "deliveries", description = "Sending files: announce, send in parts, commit, look"),
        (name = "tables", description = "Published tables"),
        (name = "quality", description = "Checks of the data, and rows that did not fit"),
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

/// `GET /api/openapi.json`: every route under `/api/v1` with its inputs and answers.
pub(crate) async fn openapi() -> Json<utoipa::openapi::OpenApi> {
    Json(Api::openapi())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::doors;

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
