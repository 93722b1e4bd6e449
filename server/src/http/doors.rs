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
    /// The events it writes, besides `access.denied`, and besides `access.break_glass.used` where a study is read.
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
    /// That, and a grant to sign in the study.
    SignStudy,
    /// That, and a grant to read the tenant's ledger.
    AuditTenant,
    /// That, and a grant to administer the tenant.
    AdministerTenant,
    /// That, and a grant to review what others in the tenant did.
    ReviewTenant,
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
    routes.extend(tables());
    routes.extend(accounts());
    routes.extend(governed());
    routes.extend(work());
    routes.extend(messages());
    routes.extend(pages());
    routes.extend(studies());
    routes.extend(administration());
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
            ["auth.login.succeeded", "auth.login.failed", "auth.logout", "record.signed"], page::oidc::callback
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
    ]
}

fn tables() -> Vec<Route> {
    vec![
        door!(get "/api/v1/studies/{study}/tables", ReadStudy, [], api::tables::list),
        door!(
            get "/api/v1/studies/{study}/tables/{table}", ReadStudy,
            ["data.read.started", "data.read.finished"], api::tables::show
        ),
        door!(
            post "/api/v1/studies/{study}/query", ReadStudy,
            ["data.read.started", "data.read.finished"], api::query::query
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
        door!(get "/api/v1/audit/export", AuditTenant, ["audit.exported"], api::audit::export::export),
        door!(post "/api/v1/audit/reviews", AuditTenant, ["audit.reviewed"], api::audit::review::sign_off),
        door!(get "/api/v1/audit/{seq}", AuditTenant, [], api::audit::show::show),
        door!(get "/api/v1/audit/{seq}/proof", AuditTenant, [], api::audit::show::proof),
    ]
}

fn accounts() -> Vec<Route> {
    vec![
        door!(get "/api/v1/accounts", AdministerTenant, [], api::accounts::list),
        door!(
            post "/api/v1/accounts", AdministerTenant,
            ["account.created", "account.email.reserved", "account.identity.linked", "key.data.created"],
            api::accounts::create::create
        ),
        door!(get "/api/v1/organisation", AdministerTenant, [], api::organisation::show),
        door!(get "/api/v1/access-review", AdministerTenant, [], api::access_review::show),
        door!(post "/api/v1/access-review/sign-off", AdministerTenant, ["access.reviewed"], api::access_review::sign_off),
        door!(get "/api/v1/accounts/{account}", AdministerTenant, [], api::accounts::show),
        door!(post "/api/v1/accounts/{account}/grants", AdministerTenant, ["account.grants.changed"], api::accounts::grants::give),
        door!(post "/api/v1/accounts/{account}/grants/revoke", AdministerTenant, ["account.grants.changed"], api::accounts::grants::take),
        door!(post "/api/v1/accounts/{account}/disable", AdministerTenant, ["account.disabled"], api::accounts::standing::disable),
        door!(post "/api/v1/accounts/{account}/enable", AdministerTenant, ["account.enabled"], api::accounts::standing::enable),
        door!(
            post "/api/v1/accounts/{account}/second-factor/reset", AdministerTenant,
            ["auth.second_factor.disabled"], api::accounts::standing::reset_second_factor
        ),
        door!(post "/api/v1/accounts/{account}/identities", AdministerTenant, ["account.identity.linked"], api::accounts::identities::link),
        door!(
            post "/api/v1/accounts/{account}/identities/unlink", AdministerTenant,
            ["account.identity.unlinked"], api::accounts::identities::unlink
        ),
        door!(get "/api/v1/accounts/{account}/sessions", AdministerTenant, [], api::accounts::access::sessions),
        door!(
            post "/api/v1/accounts/{account}/sessions/end", AdministerTenant,
            ["auth.session.ended"], api::accounts::access::end_sessions
        ),
        door!(
            post "/api/v1/accounts/{account}/sessions/{session}/end", AdministerTenant,
            ["auth.session.ended"], api::accounts::access::end_session
        ),
        door!(get "/api/v1/accounts/{account}/access-tokens", AdministerTenant, [], api::accounts::access::tokens),
        door!(
            post "/api/v1/accounts/{account}/access-tokens/{token}/revoke", AdministerTenant,
            ["auth.access_token.revoked"], api::accounts::access::revoke_token
        ),
    ]
}

fn administration() -> Vec<Route> {
    vec![
        door!(get "/admin", AdministerTenant, [], page::admin::show),
        door!(get "/admin/access-review", AdministerTenant, [], page::access_review::show),
        door!(
            post "/admin/access-review/sign-off", AdministerTenant,
            ["access.reviewed"], page::access_review::sign_off
        ),
        door!(get "/admin/accounts", AdministerTenant, [], page::accounts::list),
        door!(
            post "/admin/accounts", AdministerTenant,
            ["account.created", "account.email.reserved", "account.identity.linked", "key.data.created"],
            page::accounts::create
        ),
        door!(get "/admin/accounts/{account}", AdministerTenant, [], page::accounts::show),
        door!(
            post "/admin/accounts/{account}/grant", AdministerTenant,
            ["account.grants.changed", "access.unblinded"], page::account_changes::grant
        ),
        door!(
            post "/admin/accounts/{account}/grants/{role}/revoke", AdministerTenant,
            ["account.grants.changed"], page::account_changes::revoke_everywhere
        ),
        door!(
            post "/admin/accounts/{account}/grants/{role}/{study}/revoke", AdministerTenant,
            ["account.grants.changed"], page::account_changes::revoke_in_study
        ),
        door!(post "/admin/accounts/{account}/disable", AdministerTenant, ["account.disabled"], page::account_changes::disable),
        door!(post "/admin/accounts/{account}/enable", AdministerTenant, ["account.enabled"], page::account_changes::enable),
        door!(
            post "/admin/accounts/{account}/second-factor/reset", AdministerTenant,
            ["auth.second_factor.disabled"], page::account_changes::reset_second_factor
        ),
        door!(post "/admin/accounts/{account}/identities", AdministerTenant, ["account.identity.linked"], page::account_changes::link_identity),
        door!(
            post "/admin/accounts/{account}/identities/unlink", AdministerTenant,
            ["account.identity.unlinked"], page::account_changes::unlink_identity
        ),
        door!(
            post "/admin/accounts/{account}/sessions/end", AdministerTenant,
            ["auth.session.ended"], page::account_changes::end_sessions
        ),
        door!(
            post "/admin/accounts/{account}/sessions/{session}/end", AdministerTenant,
            ["auth.session.ended"], page::account_changes::end_session
        ),
        door!(
            post "/admin/accounts/{account}/tokens/{token}/revoke", AdministerTenant,
            ["auth.access_token.revoked"], page::account_changes::revoke_token
        ),
    ]
}

/// What takes a reason, a second person or a signature.
fn governed() -> Vec<Route> {
    vec![
        door!(get "/api/v1/studies/{study}/records/{kind}/{record}", ReadStudy, [], api::signatures::sign::record),
        door!(get "/api/v1/studies/{study}/signatures", ReadStudy, [], api::signatures::list),
        door!(get "/api/v1/studies/{study}/signatures/{signature}", ReadStudy, [], api::signatures::show),
        door!(
            post "/api/v1/studies/{study}/signatures", SignStudy,
            ["record.signed", "auth.login.failed", "auth.login.throttled"], api::signatures::sign::sign
        ),
        door!(get "/api/v1/break-glass", SignedIn, [], api::break_glass::list),
        door!(post "/api/v1/break-glass", SignedIn, ["access.break_glass.opened"], api::break_glass::open::open),
        door!(
            post "/api/v1/break-glass/{emergency}/end", SignedIn,
            ["access.break_glass.ended"], api::break_glass::end::end
        ),
        door!(
            post "/api/v1/break-glass/{emergency}/review", ReviewTenant,
            ["access.break_glass.reviewed"], api::break_glass::review::review
        ),
        door!(get "/api/v1/retention", ReviewTenant, [], api::retention::list),
        door!(
            post "/api/v1/studies/{study}/retention", AdministerTenant,
            ["study.retention.set"], api::retention::decide
        ),
        door!(
            post "/api/v1/studies/{study}/holds", AdministerTenant,
            ["study.hold.placed"], api::retention::hold::place
        ),
        door!(
            post "/api/v1/studies/{study}/holds/{hold}/lift", AdministerTenant,
            ["study.hold.lifted"], api::retention::hold::lift
        ),
        door!(
            post "/api/v1/accounts/{account}/unblind", AdministerTenant,
            ["access.unblinded"], api::unblinding::unblind
        ),
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

fn messages() -> Vec<Route> {
    vec![
        door!(get "/api/v1/webhooks", AdministerTenant, [], api::webhooks::list),
        door!(post "/api/v1/webhooks", AdministerTenant, ["webhook.added"], api::webhooks::add::add),
        door!(get "/api/v1/webhooks/{endpoint}", AdministerTenant, [], api::webhooks::show::show),
        door!(
            post "/api/v1/webhooks/{endpoint}/rotate", AdministerTenant,
            ["webhook.secret.rotated"], api::webhooks::rotate::rotate
        ),
        door!(
            post "/api/v1/webhooks/{endpoint}/enable", AdministerTenant,
            ["webhook.changed"], api::webhooks::enable::enable
        ),
        door!(
            post "/api/v1/webhooks/{endpoint}/disable", AdministerTenant,
            ["webhook.changed"], api::webhooks::enable::disable
        ),
        door!(
            post "/api/v1/webhooks/{endpoint}/remove", AdministerTenant,
            ["webhook.removed"], api::webhooks::remove::remove
        ),
        door!(
            post "/api/v1/webhooks/{endpoint}/test", AdministerTenant,
            ["webhook.tested"], api::webhooks::test::test
        ),
        door!(
            get "/api/v1/webhooks/{endpoint}/deliveries", AdministerTenant,
            [], api::webhooks::deliveries::list
        ),
        door!(
            post "/api/v1/webhooks/deliveries/{delivery}/retry", AdministerTenant,
            ["webhook.delivery.retried"], api::webhooks::retry::retry
        ),
        door!(get "/api/v1/inbox", SignedIn, [], api::inbox::list),
        door!(post "/api/v1/inbox/{notice}/read", SignedIn, [], api::inbox::read),
        door!(get "/api/v1/inbox/mail", SignedIn, [], api::inbox::mail::show),
        door!(put "/api/v1/inbox/mail", SignedIn, [], api::inbox::mail::choose),
        door!(get "/webhooks", AdministerTenant, [], page::webhooks::show),
        door!(post "/webhooks", AdministerTenant, ["webhook.added"], page::webhooks::add),
        door!(
            get "/webhooks/{endpoint}", AdministerTenant, [], page::webhooks::deliveries::show
        ),
        door!(
            post "/webhooks/{endpoint}/rotate", AdministerTenant,
            ["webhook.secret.rotated"], page::webhooks::rotate
        ),
        door!(post "/webhooks/{endpoint}/enable", AdministerTenant, ["webhook.changed"], page::webhooks::enable),
        door!(post "/webhooks/{endpoint}/disable", AdministerTenant, ["webhook.changed"], page::webhooks::disable),
        door!(post "/webhooks/{endpoint}/remove", AdministerTenant, ["webhook.removed"], page::webhooks::remove),
        door!(post "/webhooks/{endpoint}/test", AdministerTenant, ["webhook.tested"], page::webhooks::test),
        door!(
            post "/webhooks/{endpoint}/deliveries/{delivery}/retry", AdministerTenant,
            ["webhook.delivery.retried"], page::webhooks::deliveries::retry
        ),
        door!(get "/inbox", SignedIn, [], page::inbox::show),
        door!(post "/inbox/read", SignedIn, [], page::inbox::read_all),
        door!(post "/inbox/mail", SignedIn, [], page::inbox::choose_mail),
        door!(post "/inbox/{notice}/read", SignedIn, [], page::inbox::read),
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
    ]
}

fn studies() -> Vec<Route> {
    vec![
        door!(get "/studies", SignedIn, [], page::studies::show),
        door!(get "/studies/{study}", ReadStudy, [], page::overview::show),
        door!(get "/studies/{study}/quality", ReadStudy, [], page::quality::show),
        door!(get "/studies/{study}/missing", ReadStudy, [], page::missing::show),
        door!(get "/studies/{study}/enrolment", ReadStudy, [], page::enrolment::show),
        door!(
            get "/studies/{study}/safety", ReadStudy,
            ["data.read.started", "data.read.finished"], page::safety::show
        ),
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
        door!(get "/studies/{study}/site-tests", ReadStudy, [], page::site_tests::list),
        door!(
            get "/studies/{study}/site-tests/{site}", ReadStudy,
            ["data.read.started", "data.read.finished"], page::site_tests::show
        ),
        door!(get "/studies/{study}/limits", ReadStudy, [], page::limits::show),
        door!(
            post "/studies/{study}/limits/{limit}", BuildStudy,
            ["limit.acknowledged", "limit.resolved", "limit.reopened"], page::limits::act
        ),
        door!(get "/studies/{study}/data", ReadStudy, [], page::data::show),
        door!(
            post "/studies/{study}/signatures", SignStudy,
            ["record.signed", "auth.login.failed", "auth.login.throttled"], page::signatures::sign
        ),
        door!(post "/studies/{study}/signatures/provider", SignStudy, [], page::signatures::leave),
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
        door!(get "/audit/export", AuditTenant, ["audit.exported"], page::audit_event::export),
        door!(post "/audit/reviews", AuditTenant, ["audit.reviewed"], page::audit::sign_off),
        door!(get "/audit/{seq}", AuditTenant, [], page::audit_event::show),
        door!(get "/audit/{seq}/proof", AuditTenant, [], page::audit_event::proof),
    ]
}
