//! The endpoints of a tenant, and what its administrators do with them.
pub(crate) mod deliveries;

use axum::Form;
use axum::extract::{OriginalUri, Path, State as Extract};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use control::{
    Announcement, Breaker, Channel, ControlError, EndpointId, EndpointRow, EndpointState, NewEndpoint,
};
use frontend::link;
use frontend::view::{EndpointLine, Tab, WebhooksView};
use kernel::Administer;

use super::{Answer, Visit};
use crate::http::State;
use crate::http::caller::Reader;

/// What is said above the page.
#[derive(Default)]
struct Said {
    issued: Option<(String, String)>,
    problem: Option<String>,
}

/// `GET /webhooks`.
pub(crate) async fn show(
    Extract(state): Extract<State>,
    reader: Reader,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
) -> Answer {
    let visit = Visit::new(&state, &reader, &headers, &uri);
    administer(&visit).await?;
    page(&visit, Said::default()).await
}

async fn page(visit: &Visit<'_>, said: Said) -> Answer {
    let (actor, grants) = (visit.caller.principal.actor(), visit.caller.principal.grants());
    let rows = visit.state.app.control.webhooks(&actor, grants).await.map_err(|error| visit.fail(error))?;
    let mut frame = visit.frame(Some(Tab::Webhooks), None).await?;
    // A form's own address would be asked for again by the switch of the theme.
    frame.here = link::WEBHOOKS.to_owned();
    let view = WebhooksView {
        frame,
        issued: said.issued,
        problem: said.problem,
        endpoints: rows.into_iter().map(|row| line(visit, row)).collect(),
        kinds: Announcement::ALL.iter().map(|kind| kind.name().to_owned()).collect(),
    };
    Ok(visit.page(frontend::page::webhooks(&view)))
}

/// `POST /webhooks`: the answer is the page with the secret, which nothing can show again. A list to choose several from
/// sends its name several times.
pub(crate) async fn add(
    Extract(state): Extract<State>,
    reader: Reader,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
    Form(fields): Form<Vec<(String, String)>>,
) -> Answer {
    let visit = Visit::new(&state, &reader, &headers, &uri);
    administer(&visit).await?;
    let all = |name: &str| {
        let named = fields.iter().filter(|(key, _)| key == name);
        named.map(|(_, value)| value.trim().to_owned()).collect::<Vec<_>>()
    };
    let first = |name: &str| all(name).into_iter().next().unwrap_or_default();
    let new = NewEndpoint { url: first("url"), description: first("description"), kinds: all("kinds") };
    let (actor, grants) = (visit.caller.principal.actor(), visit.caller.principal.grants());
    match state.app.control.add_webhook(&actor, grants, &new, &visit.caller.trace).await {
        Ok(issued) => {
            let said = (issued.endpoint.url, issued.secret);
            page(&visit, Said { issued: Some(said), ..Said::default() }).await
        }
        Err(error @ (ControlError::InvalidWebhook(_) | ControlError::TooManyWebhooks { .. })) => {
            page(&visit, Said { problem: Some(error.to_string()), ..Said::default() }).await
        }
        Err(error) => Err(failed(&visit, error).await),
    }
}

/// `POST /webhooks/{endpoint}/rotate`: the answer is the page with the new secret.
pub(crate) async fn rotate(
    Extract(state): Extract<State>,
    reader: Reader,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
    Path(endpoint): Path<String>,
) -> Answer {
    let visit = Visit::new(&state, &reader, &headers, &uri);
    let id = id(&visit, &endpoint).await?;
    let (actor, grants) = (visit.caller.principal.actor(), visit.caller.principal.grants());
    match state.app.control.rotate_webhook(&actor, grants, id, &visit.caller.trace).await {
        Ok(issued) => {
            let said = (issued.endpoint.url, issued.secret);
            page(&visit, Said { issued: Some(said), ..Said::default() }).await
        }
        Err(error) => Err(failed(&visit, error).await),
    }
}

/// `POST /webhooks/{endpoint}/enable`.
pub(crate) async fn enable(
    Extract(state): Extract<State>,
    reader: Reader,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
    Path(endpoint): Path<String>,
) -> Answer {
    turn(&Visit::new(&state, &reader, &headers, &uri), &endpoint, EndpointState::Enabled).await
}

/// `POST /webhooks/{endpoint}/disable`.
pub(crate) async fn disable(
    Extract(state): Extract<State>,
    reader: Reader,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
    Path(endpoint): Path<String>,
) -> Answer {
    turn(&Visit::new(&state, &reader, &headers, &uri), &endpoint, EndpointState::Disabled).await
}

/// `POST /webhooks/{endpoint}/remove`.
pub(crate) async fn remove(
    Extract(state): Extract<State>,
    reader: Reader,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
    Path(endpoint): Path<String>,
) -> Answer {
    let visit = Visit::new(&state, &reader, &headers, &uri);
    let id = id(&visit, &endpoint).await?;
    let (actor, grants) = (visit.caller.principal.actor(), visit.caller.principal.grants());
    let removed = state.app.control.remove_webhook(&actor, grants, id, &visit.caller.trace).await;
    back(&visit, removed, link::WEBHOOKS).await
}

/// `POST /webhooks/{endpoint}/test`: on to its deliveries, where the answer is soon to be seen.
pub(crate) async fn test(
    Extract(state): Extract<State>,
    reader: Reader,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
    Path(endpoint): Path<String>,
) -> Answer {
    let visit = Visit::new(&state, &reader, &headers, &uri);
    let id = id(&visit, &endpoint).await?;
    let (actor, grants) = (visit.caller.principal.actor(), visit.caller.principal.grants());
    let tested = state.app.control.test_webhook(&actor, grants, id, &visit.caller.trace).await;
    back(&visit, tested.map(drop), &link::webhook(&endpoint)).await
}

async fn turn(visit: &Visit<'_>, endpoint: &str, wanted: EndpointState) -> Answer {
    let id = id(visit, endpoint).await?;
    let (actor, grants) = (visit.caller.principal.actor(), visit.caller.principal.grants());
    let control = &visit.state.app.control;
    let turned = control.enable_webhook(&actor, grants, (id, wanted), &visit.caller.trace).await;
    back(visit, turned.map(drop), link::WEBHOOKS).await
}

/// That the reader administers the tenant, or the page that says that there is nothing.
async fn administer(visit: &Visit<'_>) -> Result<(), Response> {
    let allowed = visit.caller.everywhere::<Administer>(visit.state).await;
    allowed.map_err(|problem| visit.refuse(&problem))
}

/// The id of an endpoint, for who administers the tenant.
async fn id(visit: &Visit<'_>, endpoint: &str) -> Result<EndpointId, Response> {
    administer(visit).await?;
    match endpoint.parse() {
        Ok(id) => Ok(id),
        Err(_) => Err(failed(visit, ControlError::Denied).await),
    }
}

/// The page of a failure; that an endpoint is not there is recorded.
async fn failed(visit: &Visit<'_>, error: ControlError) -> Response {
    match error {
        ControlError::Denied => {
            let problem = visit.caller.refuse(visit.state, "no_such_endpoint").await;
            visit.refuse(&problem)
        }
        error => visit.fail(error),
    }
}

async fn back(visit: &Visit<'_>, done: Result<(), ControlError>, to: &str) -> Answer {
    match done {
        Ok(()) => Ok(Redirect::to(to).into_response()),
        Err(error) => Err(failed(visit, error).await),
    }
}

/// An endpoint as the page shows it.
fn line(visit: &Visit<'_>, row: EndpointRow) -> EndpointLine {
    let breaker = row.breaker(visit.state.app.clock.now());
    EndpointLine {
        id: row.id.to_string(),
        is_mail: row.channel == Channel::Mail,
        url: if row.channel == Channel::Mail { "E-mail".to_owned() } else { row.url },
        description: row.description,
        kinds: row.kinds.iter().map(|kind| kind.name().to_owned()).collect(),
        is_enabled: row.state == EndpointState::Enabled,
        reason: row.reason.unwrap_or_default(),
        is_held_back: breaker != Breaker::Closed,
        failures: row.failures,
        last_status: row.last_status,
        delivered_unix_s: row.last_delivered_at.map(|at| at.timestamp()),
    }
}
