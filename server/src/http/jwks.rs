//! The public halves of the keys that sign tokens here, for services that check tokens by themselves.

use axum::Json;
use axum::extract::State as Extract;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use control::KeyState;
use serde_json::json;

use super::State;
use super::problem::Problem;
use super::request::Traced;
use crate::error::Failure;

/// `GET /.well-known/jwks.json` (RFC 7517, RFC 8037): every key whose tokens are accepted.
pub(crate) async fn jwks(
    Extract(state): Extract<State>,
    axum::Extension(Traced(trace)): axum::Extension<Traced>,
) -> Result<Response, Problem> {
    let keys = state.app.control.token_keys().await;
    let keys = keys.map_err(|error| Problem::of(&Failure::from(error), &trace))?;
    let now = state.app.clock.now();
    let accepted = keys.iter().filter(|key| key.state(now) != KeyState::Retired).map(|key| {
        json!({
            "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig",
            "kid": key.kid, "x": URL_SAFE_NO_PAD.encode(key.public_key),
        })
    });
    let document = json!({ "keys": accepted.collect::<Vec<_>>() });
    // Short, so that a key that comes into use is soon known; long enough that nobody asks at every token.
    Ok(([(header::CACHE_CONTROL, "public, max-age=60")], Json(document)).into_response())
}
