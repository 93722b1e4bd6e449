//! Signing on the page of a study's data.

use axum::Form;
use axum::extract::{OriginalUri, Path, State as Extract};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect};
use control::{ControlError, Meaning, NewSignature, RecordKind, SignatureState};
use flight::published::Visible;
use frontend::link;
use frontend::view::{Choice, SignatureLine, SignaturesView, Tab, ToSign};
use kernel::{Read, Sign, StudyScope};
use serde::Deserialize;

use super::{Answer, Visit, data};
use crate::error::Result;
use crate::http::State;
use crate::http::caller::Reader;
use crate::http::peer::Peer;
use crate::records;

/// What the form sends.
#[derive(Deserialize)]
pub(crate) struct SignatureForm {
    record_type: String,
    record: String,
    record_sha256: String,
    meaning: String,
    password: String,
    code: String,
}

/// `POST /studies/{study}/signatures`: back to the page, which shows the signature, or why there is none.
pub(crate) async fn sign(
    Extract(state): Extract<State>,
    reader: Reader,
    Peer(peer): Peer,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
    Path(study): Path<String>,
    Form(form): Form<SignatureForm>,
) -> Answer {
    let visit = Visit::new(&state, &reader, &headers, &uri);
    let caller = visit.caller;
    let scope = caller.sign(&state, &study).await.map_err(|problem| visit.refuse(&problem))?;
    let read = visit.scope(&study).await?;
    let (kind, meaning) = (RecordKind::from_name(&form.record_type), Meaning::from_name(&form.meaning));
    let found = match kind {
        Some(kind) => records::present(&state.app, &read, kind, &form.record).await,
        None => Ok(None),
    };
    let (Some(record), Some(meaning)) = (found.map_err(|failure| visit.fail(failure))?, meaning) else {
        return Err(visit.refuse(&caller.refuse(&state, "no_such_record").await));
    };
    let shown_sha256 = form.record_sha256.as_str();
    let (password, code) = (form.password.as_str(), form.code.as_str());
    let new = NewSignature { record: &record, shown_sha256, meaning, password, code, peer };
    let status = match state.app.control.sign_record(&caller.principal, &scope, &new, &caller.trace).await {
        Ok(_) => {
            let page = format!("{}#signatures", link::tab(&study, Tab::Data));
            return Ok(Redirect::to(&page).into_response());
        }
        Err(error @ ControlError::LoginRefused) => (StatusCode::UNAUTHORIZED, error.to_string()),
        Err(error @ ControlError::LoginThrottled { .. }) => {
            (StatusCode::TOO_MANY_REQUESTS, error.to_string())
        }
        Err(error @ ControlError::Governed(_)) => (StatusCode::CONFLICT, error.to_string()),
        Err(ControlError::Denied) => {
            return Err(visit.refuse(&caller.refuse(&state, "no_session").await));
        }
        Err(error) => return Err(visit.fail(error)),
    };
    let (status, words) = status;
    let problem = Some(format!("Nothing was signed: {words}."));
    Ok((status, data::page(&visit, &study, problem).await?).into_response())
}

/// The signatures of a study as the page shows them.
pub(super) async fn view(
    visit: &Visit<'_>,
    scope: &StudyScope<Read>,
    visible: &Visible,
    problem: Option<String>,
) -> Result<SignaturesView> {
    let (app, study) = (&visit.state.app, scope.study());
    let judged = records::judged(app, scope).await?;
    let signatures = judged.into_iter().map(|(row, state)| SignatureLine {
        id: row.id.to_string(),
        record: format!("{} {}", row.record.kind.name(), row.record.id.get(..8).unwrap_or(&row.record.id)),
        record_sha256: row.record.sha256,
        name: row.block.map(|block| block.name),
        meaning: row.meaning.name().to_owned(),
        signed_unix_s: row.signed_at.timestamp(),
        is_valid: state == SignatureState::Valid,
        said: state.to_string(),
    });
    let may_sign = visit.caller.principal.grants().scope::<Sign>(study).is_ok();
    let id = visible.row.id.to_string();
    let record = if may_sign { records::present(app, scope, RecordKind::Snapshot, &id).await? } else { None };
    let meanings = Meaning::ALL
        .iter()
        .map(|meaning| Choice { key: meaning.name().to_owned(), label: meaning.name().to_owned() });
    let to_sign = record.map(|record| ToSign {
        action: link::sign(study.as_str()),
        record_type: record.kind.name().to_owned(),
        record: record.id,
        record_sha256: record.sha256,
        meanings: meanings.collect(),
    });
    Ok(SignaturesView { signatures: signatures.collect(), to_sign, problem })
}
