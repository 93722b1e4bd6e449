//! Tokens that people keep for programs of their own.

use axum::Json;
use axum::extract::{OriginalUri, Path, State as Extract};
use axum::http::StatusCode;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use control::{AccessToken, AccessTokenId, NewAccessToken, TokenKind};
use kernel::{Grant, Role, StudyId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::State;
use crate::http::caller::Caller;
use crate::http::cursor::{Page, Paging};
use crate::http::problem::{Kind, Problem};

/// What a token is to be for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AccessTokenRequest {
    /// What it is for, in your own words.
    #[schema(example = "nightly pull on the analysis server")]
    pub(crate) label: String,
    /// How many days it lasts, at most 90.
    #[serde(default = "days")]
    pub(crate) days: u32,
    /// As what it acts: `researcher`, or `data_engineer` when you are one.
    #[serde(default = "researcher")]
    #[schema(example = "researcher")]
    pub(crate) role: String,
    /// The only studies that it opens; all of yours when none is named.
    #[serde(default)]
    pub(crate) studies: Vec<String>,
}

const fn days() -> u32 {
    30
}

fn researcher() -> String {
    Role::Researcher.name().to_owned()
}

/// A token, without what it opens doors with.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AccessTokenAnswer {
    /// Its id, to revoke it by.
    pub(crate) token_id: String,
    /// `personal`, or `service` for one that an administrator made for a machine.
    pub(crate) kind: String,
    /// The only door that it opens; any when there is none.
    pub(crate) audience: Option<String>,
    /// What it is for.
    pub(crate) label: String,
    /// What it may do at most, as `role@study`; `*` is every study.
    pub(crate) grants: Vec<String>,
    /// When it was made, in RFC 3339.
    pub(crate) created_at: String,
    /// When it ends.
    pub(crate) ends_at: String,
    /// The machine that alone may use it, by a name in its certificate; `null` for whoever has it.
    pub(crate) peer: Option<String>,
    /// When it was last used.
    pub(crate) last_used_at: Option<String>,
    /// When it was revoked.
    pub(crate) revoked_at: Option<String>,
}

/// A token that was just made.
#[derive(Serialize, ToSchema)]
pub(crate) struct IssuedAnswer {
    /// To be sent as `Authorization: Bearer <token>`. It is shown this once.
    pub(crate) token: String,
    /// What is known of it.
    #[serde(flatten)]
    pub(crate) described: AccessTokenAnswer,
}

/// What the request asks for; in words what is wrong with it.
pub(crate) fn wanted(request: AccessTokenRequest) -> Result<NewAccessToken, String> {
    let role = Role::from_name(&request.role);
    let role = role.ok_or_else(|| format!("`{}` is not a role: use `researcher`.", request.role))?;
    let study = |code: &String| code.parse::<StudyId>().map_err(|error| error.to_string());
    let studies = request.studies.iter().map(study).collect::<Result<Vec<_>, _>>()?;
    let grants = if studies.is_empty() {
        vec![Grant { role, study: None }]
    } else {
        studies.into_iter().map(|study| Grant { role, study: Some(study) }).collect()
    };
    let lifetime = TimeDelta::days(i64::from(request.days));
    Ok(NewAccessToken { kind: TokenKind::Personal, label: request.label, grants, lifetime, peer: None })
}

/// In what an account asks for all of its studies, whichever they are.
pub(crate) fn within_own(mut new: NewAccessToken, own: &[Grant]) -> NewAccessToken {
    let everywhere = own.iter().any(|grant| grant.study.is_none());
    if let [Grant { role, study: None }] = new.grants[..]
        && !everywhere
    {
        new.grants = own.iter().map(|grant| Grant { role, study: grant.study.clone() }).collect();
        new.grants.dedup();
    }
    new
}

pub(crate) fn answer(token: &AccessToken) -> AccessTokenAnswer {
    let text = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Micros, true);
    let in_words = |grant: &Grant| {
        format!("{}@{}", grant.role.name(), grant.study.as_ref().map_or("*", StudyId::as_str))
    };
    AccessTokenAnswer {
        token_id: token.id.to_string(),
        kind: token.kind.name().to_owned(),
        audience: token.kind.audience().map(|audience| audience.name().to_owned()),
        label: token.label.clone(),
        grants: token.grants.iter().map(in_words).collect(),
        created_at: text(token.created_at),
        ends_at: text(token.ends_at),
        peer: token.peer.as_ref().map(ToString::to_string),
        last_used_at: token.last_used_at.map(text),
        revoked_at: token.revoked_at.map(text),
    }
}

/// Your tokens, newest first.
#[utoipa::path(
    get, path = "/api/v1/access-tokens", tag = "access", params(crate::http::openapi::PageParams),
    responses((status = 200, body = Vec<AccessTokenAnswer>), (status = 401, body = Problem))
)]
pub(crate) async fn list(
    Extract(state): Extract<State>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
) -> Result<Page<AccessTokenAnswer>, Problem> {
    let paging = Paging::of(&caller, &uri)?;
    let principal = &caller.principal;
    let (actor, own) = (principal.actor(), Some(principal.account()));
    let tokens = state.app.control.access_tokens(&actor, principal.tenant(), own).await;
    let tokens = tokens.map_err(|error| caller.problem(error))?;
    Ok(paging.cut(&caller, tokens, |token| token.id.to_string())?.map(|token| answer(&token)))
}

/// Make a token for yourself. A token cannot make another: sign in first.
#[utoipa::path(
    post, path = "/api/v1/access-tokens", tag = "access", request_body = AccessTokenRequest,
    responses((status = 201, body = IssuedAnswer), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 404, body = Problem))
)]
pub(crate) async fn create(
    Extract(state): Extract<State>,
    caller: Caller,
    Json(request): Json<AccessTokenRequest>,
) -> Result<(StatusCode, Json<IssuedAnswer>), Problem> {
    let principal = &caller.principal;
    if principal.session().is_none() {
        return Err(caller.refuse(&state, "no_session").await);
    }
    let new = wanted(request).map_err(|words| Problem::new(Kind::BadRequest, words, &caller.trace))?;
    let new = within_own(new, principal.granted());
    let control = &state.app.control;
    let issued =
        control.create_access_token(&principal.actor(), principal.tenant(), principal.account(), new).await;
    let issued = issued.map_err(|error| caller.problem(error))?;
    let described = answer(&issued.token);
    Ok((StatusCode::CREATED, Json(IssuedAnswer { token: issued.secret, described })))
}

/// Revoke one of your tokens; it opens nothing from now on. Revoking it again changes nothing.
#[utoipa::path(
    post, path = "/api/v1/access-tokens/{token}/revoke", tag = "access",
    params(("token" = String, Path, description = "The token's id")),
    responses((status = 204, description = "It is of no use any more"), (status = 401, body = Problem),
        (status = 404, body = Problem))
)]
pub(crate) async fn revoke(
    Extract(state): Extract<State>,
    caller: Caller,
    Path(token): Path<String>,
) -> Result<StatusCode, Problem> {
    let Ok(token) = token.parse::<AccessTokenId>() else {
        return Err(caller.refuse(&state, "no_such_token").await);
    };
    let principal = &caller.principal;
    let revoked = state.app.control.revoke_access_token(&principal.actor(), principal.tenant(), token).await;
    match revoked {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        Err(control::ControlError::Denied) => Err(caller.refuse(&state, "no_such_token").await),
        Err(error) => Err(caller.problem(error)),
    }
}
