//! The next token, and tokens for other doors, for somebody who is signed in.

use axum::Json;
use axum::extract::State as Extract;
use axum::http::HeaderMap;
use serde::Deserialize;
use utoipa::ToSchema;

use super::login::{TokenAnswer, TokenAudience};
use crate::http::State;
use crate::http::caller::Caller;
use crate::http::problem::{Kind, Problem};

/// What the token is for.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct TokenRequest {
    /// Which door it opens.
    pub(crate) audience: TokenAudience,
}

/// Issue a token for another door, or the next one for this. It lasts as long as any, and ends with the session.
#[utoipa::path(
    post, path = "/api/v1/tokens", tag = "access", request_body = TokenRequest,
    responses((status = 200, body = TokenAnswer), (status = 400, body = Problem), (status = 401, body = Problem))
)]
pub(crate) async fn issue(
    Extract(state): Extract<State>,
    caller: Caller,
    headers: HeaderMap,
    Json(request): Json<TokenRequest>,
) -> Result<Json<TokenAnswer>, Problem> {
    // An answer is kept with its key, and a token is kept nowhere.
    if headers.contains_key("idempotency-key") {
        let detail = "A token is shown once: the route takes no `Idempotency-Key`. Ask for another token.";
        return Err(Problem::new(Kind::BadRequest, detail, &caller.trace));
    }
    let issued =
        state.app.control.issue_token(&caller.principal, request.audience.into(), &caller.trace).await;
    let login = issued.map_err(|error| caller.problem(error))?;
    Ok(Json(TokenAnswer {
        token: login.token,
        expires_at: login.expires_at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true),
        audience: request.audience,
    }))
}
