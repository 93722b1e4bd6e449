//! Electronic signatures of a study's records.

use axum::Json;
use axum::extract::{Path, State as Extract};
use chrono::SecondsFormat;
use control::{ControlError, SignatureId, SignatureRow, SignatureState};
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::State;
use crate::http::caller::Caller;
use crate::http::problem::Problem;
use crate::records;

pub(crate) mod sign;

/// A signature.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SignatureAnswer {
    /// Its id.
    pub(crate) signature: String,
    /// `snapshot` or `delivery`.
    #[schema(example = "snapshot")]
    pub(crate) record_type: String,
    /// Which.
    pub(crate) record: String,
    /// The SHA-256 of the record's bytes when it was signed.
    pub(crate) record_sha256: String,
    /// The signer's account.
    pub(crate) signer: String,
    /// The signer's name at that moment; none once it was erased.
    pub(crate) name: Option<String>,
    /// `authorship`, `review`, `approval` or `responsibility`.
    #[schema(example = "approval")]
    pub(crate) meaning: String,
    /// When, in RFC 3339,
    pub(crate) signed_at: String,
    /// and in which zone that is.
    #[schema(example = "UTC")]
    pub(crate) zone: String,
    /// `valid`; `record_changed`, `block_changed` or `not_in_ledger` for one that is invalid; `signer_erased`.
    #[schema(example = "valid")]
    pub(crate) state: String,
    /// The same in words.
    pub(crate) said: String,
}

impl SignatureAnswer {
    fn of(row: &SignatureRow, state: SignatureState) -> Self {
        Self {
            signature: row.id.to_string(),
            record_type: row.record.kind.name().to_owned(),
            record: row.record.id.clone(),
            record_sha256: row.record.sha256.clone(),
            signer: row.signer.to_string(),
            name: row.block.as_ref().map(|block| block.name.clone()),
            meaning: row.meaning.name().to_owned(),
            signed_at: row.signed_at.to_rfc3339_opts(SecondsFormat::Micros, true),
            zone: "UTC".to_owned(),
            state: state.name().to_owned(),
            said: state.to_string(),
        }
    }
}

/// What verifies a signature elsewhere, together with the record and the log's verifier key.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProofAnswer {
    /// The signature's exact text.
    pub(crate) block: String,
    /// The receipt of its event in the ledger, the text of a `.tlog-proof` file.
    pub(crate) receipt: String,
    /// What is known of it.
    #[serde(flatten)]
    pub(crate) described: SignatureAnswer,
}

/// The signatures of a study, oldest first, each held against its record, its text and the ledger.
#[utoipa::path(
    get, path = "/api/v1/studies/{study}/signatures", tag = "governed", params(("study" = String, Path)),
    responses((status = 200, body = Vec<SignatureAnswer>), (status = 401, body = Problem), (status = 404, body = Problem))
)]
pub(crate) async fn list(
    Extract(state): Extract<State>,
    caller: Caller,
    Path(study): Path<String>,
) -> Result<Json<Vec<SignatureAnswer>>, Problem> {
    let scope = caller.read(&state, &study).await?;
    caller.require_published(&state, &scope).await?;
    let judged = records::judged(&state.app, &scope).await.map_err(|error| caller.problem(error))?;
    Ok(Json(judged.iter().map(|(row, state)| SignatureAnswer::of(row, *state)).collect()))
}

/// One signature with what verifies it elsewhere. `cairn signature verify` does that without a server.
#[utoipa::path(
    get, path = "/api/v1/studies/{study}/signatures/{signature}", tag = "governed",
    params(("study" = String, Path), ("signature" = String, Path)),
    responses((status = 200, body = ProofAnswer), (status = 401, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem))
)]
pub(crate) async fn show(
    Extract(state): Extract<State>,
    caller: Caller,
    Path((study, signature)): Path<(String, String)>,
) -> Result<Json<ProofAnswer>, Problem> {
    let scope = caller.read(&state, &study).await?;
    let Ok(id) = signature.parse::<SignatureId>() else {
        return Err(caller.refuse(&state, "no_such_signature").await);
    };
    let proof = match state.app.control.signature_proof(&scope, id).await {
        Ok(proof) => proof,
        Err(ControlError::Denied) => return Err(caller.refuse(&state, "no_such_signature").await),
        Err(error) => return Err(caller.problem(error)),
    };
    let judged = records::judged(&state.app, &scope).await.map_err(|error| caller.problem(error))?;
    let found = judged.iter().find(|(row, _)| row.id == id);
    let Some((row, held)) = found else { return Err(caller.refuse(&state, "no_such_signature").await) };
    let described = SignatureAnswer::of(row, *held);
    Ok(Json(ProofAnswer { block: proof.block, receipt: proof.receipt, described }))
}
