//! Signing on the page of a study's data.

use axum::Form;
use axum::extract::{OriginalUri, Path, State as Extract};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use control::{
    AuthError, ControlError, Identity, Meaning, NewSignature, Record, RecordKind, SignatureState, Signing,
    TraceId,
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

/// What a form names that signs: a record as it was shown, and what the signature stands for.
#[derive(Deserialize)]
pub(crate) struct RecordForm {
    record_type: String,
    record: String,
    record_sha256: String,
    meaning: String,
}

/// What the form sends.
#[derive(Deserialize)]
pub(crate) struct SignatureForm {
    #[serde(flatten)]
    named: RecordForm,
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
    let Wanted { scope, record, meaning } = wanted(&visit, &study, &form.named).await?;
    let shown_sha256 = form.named.record_sha256.as_str();
    let (password, code) = (form.password.as_str(), form.code.as_str());
    let new = NewSignature { record: &record, shown_sha256, meaning, password, code, peer };
    match state.app.control.sign_record(&caller.principal, &scope, &new, &caller.trace).await {
        Ok(_) => Ok(Redirect::to(&place(&study)).into_response()),
        Err(error) => refused(&visit, &study, error).await,
    }
}

/// `POST /studies/{study}/signatures/provider`: to the provider, which asks the signer once more who they are.
pub(crate) async fn leave(
    Extract(state): Extract<State>,
    reader: Reader,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
    Path(study): Path<String>,
    Form(form): Form<RecordForm>,
) -> Answer {
    let visit = Visit::new(&state, &reader, &headers, &uri);
    let caller = visit.caller;
    let Wanted { scope, record, meaning } = wanted(&visit, &study, &form).await?;
    let Some(provider) = &state.surroundings.provider else {
        return Err(visit.refuse(&caller.refuse(&state, "no_provider").await));
    };
    let shown = (&record, form.record_sha256.as_str());
    let carried = match state.app.control.begin_signing(&caller.principal, &scope, shown, meaning) {
        Ok(carried) => carried,
        Err(error) => return refused(&visit, &study, error).await,
    };
    match provider.authorization_url(&carried.attempt, state.app.clock.now()).await {
        Ok(address) => Ok(oidc::away(&address, &carried)),
        Err(error) => {
            tracing::error!(trace_id = %caller.trace, %error, "the identity provider cannot be used");
            let words = format!("{} cannot be reached", provider.name());
            unsigned(&visit, &study, (StatusCode::BAD_GATEWAY, &words)).await
        }
    }
}

/// What is to be signed, and by what right.
struct Wanted {
    scope: StudyScope<Sign>,
    record: Record,
    meaning: Meaning,
}

/// The scope, the record and the meaning of a form, or the page that says that there is no such thing.
async fn wanted(visit: &Visit<'_>, study: &str, form: &RecordForm) -> Result<Wanted, Response> {
    let (state, caller) = (visit.state, visit.caller);
    let scope = caller.sign(state, study).await.map_err(|problem| visit.refuse(&problem))?;
    let read = visit.scope(study).await?;
    let found = match RecordKind::from_name(&form.record_type) {
        Some(kind) => records::present(&state.app, &read, kind, &form.record).await,
        None => Ok(None),
    };
    let found = found.map_err(|failure| visit.fail(failure))?;
    match (found, Meaning::from_name(&form.meaning)) {
        (Some(record), Some(meaning)) => Ok(Wanted { scope, record, meaning }),
        _ => Err(visit.refuse(&caller.refuse(state, "no_such_record").await)),
    }
}

/// Where the signatures of a study are shown.
fn place(study: &str) -> String {
    format!("{}#signatures", link::tab(study, Tab::Data))
}

/// The page with why nothing was signed, when the signer can do something about it.
async fn refused(visit: &Visit<'_>, study: &str, error: ControlError) -> Answer {
    let status = match &error {
        ControlError::LoginRefused => StatusCode::UNAUTHORIZED,
        ControlError::LoginThrottled { .. } => StatusCode::TOO_MANY_REQUESTS,
        ControlError::Governed(_) => StatusCode::CONFLICT,
        ControlError::Denied => {
            return Err(visit.refuse(&visit.caller.refuse(visit.state, "no_session").await));
        }
        _ => return Err(visit.fail(error)),
    };
    unsigned(visit, study, (status, &error.to_string())).await
}

async fn unsigned(visit: &Visit<'_>, study: &str, (status, words): (StatusCode, &str)) -> Answer {
    let problem = Some(format!("Nothing was signed: {words}."));
    Ok((status, data::page(visit, study, problem).await?).into_response())
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
            let page = place(signing.study().as_str());
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
