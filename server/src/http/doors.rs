//! Who may use which route, and which ledger events it writes. The router is made from this list and from
//! nothing else, so that a route which does not state it cannot exist.

use axum::routing::{MethodRouter, get, post, put};

use super::{State, api, asset, health, jwks, openapi, page, theme};

/// One route.
#[derive(Debug, Clone, Copy)]
pub struct Door {
    /// `GET`, `POST` or `PUT`.
    pub method: &'static str,
    /// Its path, in the router's form.
    pub path: &'static str,
    /// Who may use it.
    pub access: Access,
    /// The events it writes, besides `access.denied`.
    pub events: &'static [&'static str],
}

/// What a caller must prove.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Nothing: it shows nothing of any tenant.
    Public,
    /// A session or a token for HTTP.
    SignedIn,
    /// That, and a grant to read the study.
    ReadStudy,
    /// That, and a grant to build in the study.
    BuildStudy,
    /// That, and a grant to read the tenant's ledger.
    AuditTenant,
    /// That, and a grant to administer the tenant.
    AdministerTenant,
    /// That, and a grant to build in some study; what is of other studies is not there.
    BuildSomewhere,
}

type Route = (Door, MethodRouter<State>);

macro_rules! door {
    ($method:ident $path:literal, $access:ident, [$($event:literal),*], $handler:expr) => {
        (
            Door {
                method: door!(@name $method),
                path: $path,
                access: Access::$access,
                events: &[$($event),*],
            },
            $method($handler),
        )
    };
    (@name get) => { "GET" };
    (@name post) => { "POST" };
    (@name put) => { "PUT" };
}

/// Every route with its handler.
#[must_use]
pub fn routes() -> Vec<Route> {
    let mut routes = public();
    routes.extend(rest());
    routes.extend(work());
    routes.extend(pages());
    routes
}

fn public() -> Vec<Route> {
    vec![
        door!(get "/healthz", Public, [], health::healthz),
        door!(get "/readyz", Public, [], health::readyz),
        door!(get "/metrics", Public, [], health::metrics),
        door!(get "/assets/{file}", Public, [], asset::asset),
        door!(get "/theme", Public, [], theme::theme),
        door!(get "/.well-known/jwks.json", Public, [], jwks::jwks),
        door!(get "/api/openapi.json", Public, [], openapi::openapi),
        door!(post "/api/v1/login", Public, ["auth.login.succeeded", "auth.login.failed", "auth.login.throttled"], api::login::login),
        door!(get "/login", Public, [], page::login::show),
        door!(get "/login/oidc", Public, [], page::oidc::begin),
        door!(
            get "/login/oidc/callback", Public,
            ["auth.login.succeeded", "auth.login.failed", "auth.logout"], page::oidc::callback
        ),
        door!(post "/login", Public, ["auth.login.succeeded", "auth.login.failed", "auth.login.throttled", "auth.logout"], page::login::sign_in),
    ]
}

fn rest() -> Vec<Route> {
    vec![
        door!(post "/api/v1/tokens", SignedIn, ["auth.token.issued"], api::tokens::issue),
        door!(post "/api/v1/logout", SignedIn, ["auth.logout"], api::logout::logout),
        door!(get "/api/v1/access-tokens", SignedIn, [], api::access_tokens::list),
        door!(
            post "/api/v1/access-tokens", SignedIn,
            ["auth.access_token.created"], api::access_tokens::create
        ),
        door!(
            post "/api/v1/access-tokens/{token}/revoke", SignedIn,
            ["auth.access_token.revoked"], api::access_tokens::revoke
        ),
        door!(get "/api/v1/studies", SignedIn, [], api::studies::list),
        door!(get "/api/v1/studies/{study}/snapshots", ReadStudy, [], api::snapshots::list),
        door!(get "/api/v1/studies/{study}/batches", ReadStudy, [], api::batches::list),
        door!(
            post "/api/v1/studies/{study}/batches", BuildStudy,
            ["study.registered", "ingest.delivery.announced"], api::batches::announce::announce
        ),
        door!(get "/api/v1/studies/{study}/batches/{batch}", BuildStudy, [], api::batches::show::show),
        door!(
            put "/api/v1/studies/{study}/batches/{batch}/files/{name}", BuildStudy,
            [], api::batches::part::receive
        ),
        door!(
            post "/api/v1/studies/{study}/batches/{batch}/commit", BuildStudy,
            ["ingest.delivery.staged", "job.enqueued"],
            api::batches::commit::commit
        ),
        door!(get "/api/v1/studies/{study}/tables", ReadStudy, [], api::tables::list),
        door!(
            get "/api/v1/studies/{study}/tables/{table}", ReadStudy,
            ["data.read.started", "data.read.finished"], api::tables::show
        ),
        door!(get "/api/v1/studies/{study}/quality", ReadStudy, [], api::quality::list),
        door!(
            get "/api/v1/studies/{study}/quality/{check}", ReadStudy,
            ["data.read.started", "data.read.finished"], api::quality::show
        ),
        door!(
            get "/api/v1/studies/{study}/quarantine", BuildStudy,
            ["data.read.started", "data.read.finished"], api::quarantine::list
        ),
        door!(get "/api/v1/studies/{study}/definitions", BuildStudy, [], api::definitions::list),
        door!(
            get "/api/v1/studies/{study}/definitions/{definition}/history", BuildStudy,
            [], api::definitions::history
        ),
        door!(
            post "/api/v1/studies/{study}/definitions/{definition}", BuildStudy,
            ["definition.changed"], api::definitions::change::change
        ),
        door!(
            post "/api/v1/studies/{study}/definitions/{definition}/reset", BuildStudy,
            ["definition.changed"], api::definitions::change::reset
        ),
        door!(get "/api/v1/studies/{study}/limits", ReadStudy, [], api::limits::list),
        door!(
            post "/api/v1/studies/{study}/limits/{limit}", BuildStudy,
            ["limit.acknowledged", "limit.resolved", "limit.reopened"], api::limits::act
        ),
        door!(get "/api/v1/audit", AuditTenant, [], api::audit::list),
        door!(get "/api/v1/audit/verification", AuditTenant, [], api::audit::verification),
    ]
}

fn work() -> Vec<Route> {
    vec![
        door!(get "/api/v1/jobs", BuildSomewhere, [], api::jobs::list),
        door!(get "/api/v1/jobs/{job}", BuildSomewhere, [], api::jobs::show::show),
        door!(get "/api/v1/jobs/{job}/events", BuildSomewhere, [], api::jobs::events::events),
        door!(post "/api/v1/jobs/{job}/cancel", BuildSomewhere, ["job.cancelled"], api::jobs::cancel::cancel),
        door!(post "/api/v1/jobs/{job}/retry", BuildSomewhere, ["job.retried"], api::jobs::retry::retry),
        door!(
            post "/api/v1/studies/{study}/jobs", BuildStudy,
            ["job.enqueued"], api::jobs::enqueue::enqueue
        ),
        door!(get "/api/v1/schedules", BuildSomewhere, [], api::schedules::list),
        door!(post "/api/v1/schedules", BuildSomewhere, ["schedule.added"], api::schedules::add::add),
        door!(
            post "/api/v1/schedules/{schedule}/enable", BuildSomewhere,
            ["schedule.changed"], api::schedules::enable::enable
        ),
        door!(
            post "/api/v1/schedules/{schedule}/disable", BuildSomewhere,
            ["schedule.changed"], api::schedules::enable::disable
        ),
        door!(
            post "/api/v1/schedules/{schedule}/remove", BuildSomewhere,
            ["schedule.removed"], api::schedules::remove::remove
        ),
        door!(
            post "/api/v1/schedules/{schedule}/run", BuildSomewhere,
            ["schedule.fired", "job.enqueued"], api::schedules::run::run
        ),
    ]
}

fn pages() -> Vec<Route> {
    vec![
        door!(get "/", SignedIn, [], page::home),
        door!(post "/logout", SignedIn, ["auth.logout"], page::login::sign_out),
        door!(get "/account", SignedIn, [], page::account::show),
        door!(post "/account/tokens", SignedIn, ["auth.access_token.created"], page::account::create_token),
        door!(
            post "/account/tokens/{token}/revoke", SignedIn,
            ["auth.access_token.revoked"], page::account::revoke_token
        ),
        door!(
            post "/account/second-factor/enrol", SignedIn,
            ["auth.second_factor.enrolled"], page::account::enrol
        ),
        door!(
            post "/account/second-factor/confirm", SignedIn,
            ["auth.second_factor.confirmed", "auth.session.rotated"], page::account::confirm
        ),
        door!(
            post "/account/second-factor/disable", SignedIn,
            ["auth.second_factor.disabled", "auth.session.rotated"], page::account::disable
        ),
        door!(
            post "/account/sessions/{session}/end", SignedIn,
            ["auth.session.ended"], page::account::end_session
        ),
        door!(get "/studies", SignedIn, [], page::studies::show),
        door!(get "/studies/{study}", ReadStudy, [], page::overview::show),
        door!(get "/studies/{study}/quality", ReadStudy, [], page::quality::show),
        door!(get "/studies/{study}/rbqm", ReadStudy, [], page::rbqm::show),
        door!(get "/studies/{study}/rbqm/{indicator}", ReadStudy, [], page::indicator::show),
        door!(
            get "/studies/{study}/rbqm/{indicator}/sites/{site}", ReadStudy,
            ["data.read.started", "data.read.finished"], page::subjects::site
        ),
        door!(
            get "/studies/{study}/rbqm/{indicator}/sites/{site}/subjects/{subject}", ReadStudy,
            ["data.read.started", "data.read.finished"], page::subjects::rows
        ),
        door!(get "/studies/{study}/limits", ReadStudy, [], page::limits::show),
        door!(
            post "/studies/{study}/limits/{limit}", BuildStudy,
            ["limit.acknowledged", "limit.resolved", "limit.reopened"], page::limits::act
        ),
        door!(get "/studies/{study}/data", ReadStudy, [], page::data::show),
        door!(get "/studies/{study}/data/marts", BuildStudy, [], page::marts::list),
        door!(
            get "/studies/{study}/data/marts/{mart}", BuildStudy,
            ["data.read.started", "data.read.finished"], page::marts::show
        ),
        door!(get "/jobs", BuildSomewhere, [], page::jobs::show),
        door!(post "/jobs/{job}/cancel", BuildSomewhere, ["job.cancelled"], page::jobs::cancel),
        door!(post "/jobs/{job}/retry", BuildSomewhere, ["job.retried"], page::jobs::retry),
        door!(post "/schedules", BuildSomewhere, ["schedule.added"], page::schedules::add),
        door!(post "/schedules/{schedule}/enable", BuildSomewhere, ["schedule.changed"], page::schedules::enable),
        door!(post "/schedules/{schedule}/disable", BuildSomewhere, ["schedule.changed"], page::schedules::disable),
        door!(post "/schedules/{schedule}/remove", BuildSomewhere, ["schedule.removed"], page::schedules::remove),
        door!(
            post "/schedules/{schedule}/run", BuildSomewhere,
            ["schedule.fired", "job.enqueued"], page::schedules::run
        ),
        door!(get "/audit", AuditTenant, [], page::audit::show),
    ]
}
