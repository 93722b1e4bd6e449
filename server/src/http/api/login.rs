//! Logging in as an API client.

use axum::extract::State as Extract;
use axum::{Extension, Json};
use control::{Audience, Credentials};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::error::Failure;
use crate::http::State;
use crate::http::peer::Peer;
use crate::http::problem::Problem;
use crate::http::request::Traced;

/// An address, a password, and what the token is for.
#[derive(Deserialize, ToSchema)]
pub(crate) struct LoginRequest {
    /// The account's e-mail address.
    #[schema(example = "researcher@pilot.example")]
    pub(crate) email: String,
    /// Its password.
    pub(crate) password: String,
    /// The code of its authenticator app, or a recovery code, when it has one.
    #[serde(default)]
    pub(crate) code: Option<String>,
    /// Which door the token opens.
    #[serde(default)]
    pub(crate) audience: TokenAudience,
}

/// Which door a token opens.
#[derive(Debug, Clone, Copy, Default, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TokenAudience {
    /// This API and the pages.
    #[default]
    Http,
    /// Arrow Flight.
    Flight,
}

impl From<TokenAudience> for Audience {
    fn from(audience: TokenAudience) -> Self {
        match audience {
            TokenAudience::Http => Self::Http,
            TokenAudience::Flight => Self::Flight,
        }
    }
}

/// A token.
#[derive(Serialize, ToSchema)]
pub(crate) struct TokenAnswer {
    /// To be sent as `Authorization: Bearer <token>`, and to be kept like a password.
    pub(crate) token: String,
    /// When it ends, in RFC 3339.
    #[schema(example = "2026-11-21T09:14:00.000000Z")]
    pub(crate) expires_at: String,
    /// Which door it opens.
    pub(crate) audience: TokenAudience,
}

/// Exchange an e-mail address and a password for a token.
#[utoipa::path(
    post, path = "/api/v1/login", tag = "access", request_body = LoginRequest, security(()),
    responses((status = 200, body = TokenAnswer), (status = 401, body = Problem), (status = 429, body = Problem))
)]
pub(crate) async fn login(
    Extract(state): Extract<State>,
    Extension(Traced(trace)): Extension<Traced>,
    Peer(peer): Peer,
    Json(request): Json<LoginRequest>,
) -> Result<Json<TokenAnswer>, Problem> {
    let code = request.code.as_deref();
    let given = Credentials { code, peer, ..Credentials::new(&request.email, &request.password) };
    let login = state.app.control.login(&given, request.audience.into(), &trace).await;
    let login = login.map_err(|error| Problem::of(&Failure::from(error), &trace))?;
    Ok(Json(TokenAnswer {
        token: login.token,
        expires_at: login.expires_at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true),
        audience: request.audience,
    }))
}
