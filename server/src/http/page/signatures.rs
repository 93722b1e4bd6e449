//! Signing on the page of a study's data.

use axum::Form;
use axum::extract::{OriginalUri, Path, State as Extract};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use control::{
    AuthError, ControlError, Identity, Meaning, NewSignature, RecordKind, SignatureState, Signing, TraceId,
};
use flight::published::Visible;
use frontend::link;
use frontend::view::{Choice, SignatureLine, SignaturesView, Tab, ToSign};
use kernel::{Read, Sign, StudyScope};
use serde::Deserialize;

use super::{Answer, Visit, data, frame_for_nobody, html, oidc, problem_page};
use crate::error::Result;
use crate::http::State;
use crate::http::caller::Reader;
use crate::http::peer::Peer;
use crate::http::problem::Problem;
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

/// What the form sends that leads to the provider.
#[derive(Deserialize)]
pub(crate) struct VouchedForm {
    record_type: String,
    record: String,
    record_sha256: String,
    meaning: String,
}

/// `POST /studies/{study}/signatures/provider`: to the provider, which asks the signer once more who they are.
pub(crate) async fn leave(
    Extract(state): Extract<State>,
    reader: Reader,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
    Path(study): Path<String>,
    Form(form): Form<VouchedForm>,
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
    let found = found.map_err(|failure| visit.fail(failure))?;
    let (Some(record), Some(meaning), Some(provider)) = (found, meaning, &state.surroundings.provider) else {
        return Err(visit.refuse(&caller.refuse(&state, "no_such_record").await));
    };
    let shown = (&record, form.record_sha256.as_str());
    let begun = state.app.control.begin_signing(&caller.principal, &scope, shown, meaning);
    let (status, words) = match begun {
        Ok(carried) => match provider.authorization_url(&carried.attempt, state.app.clock.now()).await {
            Ok(address) => return Ok(oidc::away(&address, &carried)),
            Err(error) => {
                tracing::error!(trace_id = %caller.trace, %error, "the identity provider cannot be used");
                (StatusCode::BAD_GATEWAY, format!("{} cannot be reached", provider.name()))
            }
        },
        Err(error @ ControlError::Governed(_)) => (StatusCode::CONFLICT, error.to_string()),
        Err(ControlError::Denied) => {
            return Err(visit.refuse(&caller.refuse(&state, "no_session").await));
        }
        Err(error) => return Err(visit.fail(error)),
    };
    let problem = Some(format!("Nothing was signed: {words}."));
    Ok((status, data::page(&visit, &study, problem).await?).into_response())
}

/// Back from the provider: the record is signed, and the browser goes on to the page that shows it.
pub(super) async fn finish(
    state: &State,
    headers: &HeaderMap,
    (signing, identity): (&Signing, &Identity),
    trace: &TraceId,
) -> Response {
    match signed(state, (signing, identity), trace).await {
        Ok(()) => {
            let page = format!("{}#signatures", link::tab(signing.study().as_str(), Tab::Data));
            html(frontend::page::signed(&frame_for_nobody(headers), &page))
        }
        Err(failure) => problem_page(&Problem::of(&failure, trace), frame_for_nobody(headers)),
    }
}

async fn signed(state: &State, (signing, identity): (&Signing, &Identity), trace: &TraceId) -> Result<()> {
    let control = &state.app.control;
    let principal = match control.resume_signing(signing).await {
        Ok(principal) => principal,
        Err(AuthError::Unavailable { source }) => return Err(source.into()),
        // The session has ended meanwhile, or the account.
        Err(error) => {
            control.refuse_oidc(error.reason(), Some(identity), trace).await?;
            return Err(ControlError::LoginRefused.into());
        }
    };
    let denied = |_| ControlError::Denied;
    let (study, grants) = (signing.study(), principal.grants());
    let (scope, read) =
        (grants.scope::<Sign>(study).map_err(denied)?, grants.scope::<Read>(study).map_err(denied)?);
    let (kind, id) = signing.record().ok_or(ControlError::Denied)?;
    let record = records::present(&state.app, &read, kind, id).await?.ok_or(ControlError::Denied)?;
    control.sign_vouched(&principal, &scope, (&record, signing), identity, trace).await?;
    Ok(())
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
    let provider = match &visit.state.surroundings.provider {
        Some(provider) if record.is_some() => {
            let vouched = app.control.is_vouched_for(&visit.caller.principal, provider.issuer()).await?;
            vouched.then(|| provider.name().to_owned())
        }
        _ => None,
    };
    let to_sign = record.map(|record| ToSign {
        provider,
        action: link::sign(study.as_str()),
        record_type: record.kind.name().to_owned(),
        record: record.id,
        record_sha256: record.sha256,
        meanings: meanings.collect(),
    });
    Ok(SignaturesView { signatures: signatures.collect(), to_sign, problem })
}
