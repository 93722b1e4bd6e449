//! Signing a record.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State as Extract};
use axum::http::StatusCode;
use control::{ControlError, Meaning, NewSignature, RecordKind, SignatureState};
use serde::Deserialize;
use utoipa::ToSchema;

use super::SignatureAnswer;
use crate::http::State;
use crate::http::caller::Caller;
use crate::http::peer::Peer;
use crate::http::problem::{Kind, Problem};
use crate::records;

/// What is signed, and what proves once more who signs.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignatureOrder {
    /// `snapshot`: the manifest of a published snapshot; `delivery`: the receipt of one that was taken in.
    #[schema(example = "snapshot")]
    record_type: String,
    /// Which: the snapshot's id, or the delivery's.
    record: String,
    /// The SHA-256 of the record that you were shown. Another one is not signed.
    record_sha256: String,
    /// `authorship`, `review`, `approval` or `responsibility`.
    #[schema(example = "approval")]
    meaning: String,
    /// Your password,
    password: String,
    /// and the code that your authenticator app shows.
    code: String,
}

/// What is known of a record that can be signed.
#[derive(Debug, serde::Serialize, ToSchema)]
pub(crate) struct RecordAnswer {
    /// `snapshot` or `delivery`.
    record_type: String,
    /// Which.
    record: String,
    /// The SHA-256 of its bytes, to be sent along when it is signed.
    record_sha256: String,
}

/// A record that can be signed, with the hash that is signed.
#[utoipa::path(
    get, path = "/api/v1/studies/{study}/records/{kind}/{record}", tag = "governed",
    params(("study" = String, Path), ("kind" = String, Path, description = "`snapshot` or `delivery`"), ("record" = String, Path)),
    responses((status = 200, body = RecordAnswer), (status = 401, body = Problem), (status = 404, body = Problem))
)]
pub(crate) async fn record(
    Extract(state): Extract<State>,
    caller: Caller,
    Path((study, kind, record)): Path<(String, String, String)>,
) -> Result<Json<RecordAnswer>, Problem> {
    let scope = caller.read(&state, &study).await?;
    let found = match RecordKind::from_name(&kind) {
        Some(kind) => records::present(&state.app, &scope, kind, &record).await,
        None => Ok(None),
    };
    match found.map_err(|error| caller.problem(error))? {
        Some(found) => {
            let record_sha256 = found.sha256;
            Ok(Json(RecordAnswer { record_type: kind, record, record_sha256 }))
        }
        None => Err(caller.refuse(&state, "no_such_record").await),
    }
}

/// Sign a record with your password and a code of your authenticator app. Wrong ones count as a refused login does.
/// It takes a session: no program signs with a token that it keeps. The request is no form to send again: each one makes
/// a signature of its own.
#[utoipa::path(
    post, path = "/api/v1/studies/{study}/signatures", tag = "governed", params(("study" = String, Path)),
    request_body = SignatureOrder,
    responses(
        (status = 201, body = SignatureAnswer), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem), (status = 429, body = Problem)
    )
)]
pub(crate) async fn sign(
    Extract(state): Extract<State>,
    caller: Caller,
    Peer(peer): Peer,
    Path(study): Path<String>,
    order: Result<Json<SignatureOrder>, JsonRejection>,
) -> Result<(StatusCode, Json<SignatureAnswer>), Problem> {
    let scope = caller.sign(&state, &study).await?;
    let read = caller.read(&state, &study).await?;
    let bad = |detail: &str| Problem::new(Kind::BadRequest, detail, &caller.trace);
    let Json(order) = order.map_err(|rejected| bad(&rejected.body_text()))?;
    let kind = RecordKind::from_name(&order.record_type);
    let kind = kind.ok_or_else(|| bad("`record_type` is neither `snapshot` nor `delivery`."))?;
    let meaning = Meaning::from_name(&order.meaning);
    let meaning = meaning
        .ok_or_else(|| bad("`meaning` is not `authorship`, `review`, `approval` or `responsibility`."))?;
    let found = records::present(&state.app, &read, kind, &order.record).await;
    let found = found.map_err(|error| caller.problem(error))?;
    let Some(record) = found else { return Err(caller.refuse(&state, "no_such_record").await) };
    let shown_sha256 = order.record_sha256.as_str();
    let (password, code) = (order.password.as_str(), order.code.as_str());
    let new = NewSignature { record: &record, shown_sha256, meaning, password, code, peer };
    match state.app.control.sign_record(&caller.principal, &scope, &new, &caller.trace).await {
        Ok(row) => Ok((StatusCode::CREATED, Json(SignatureAnswer::of(&row, SignatureState::Valid)))),
        Err(ControlError::Denied) => Err(caller.refuse(&state, "no_session").await),
        Err(error) => Err(caller.problem(error)),
    }
}
