//! Electronic signatures. Whoever signs shows two components again, a password and a code, or is asked
//! again by their identity provider ([`provider`]), and signs the SHA-256 of one
//! record with a meaning. The signature is a block of text; the ledger's event of it holds the block's hash, so that
//! neither can be changed, moved to another record or made up afterwards.
//!
//! Source: 21 CFR 11.50, 11.70, 11.200(a)(1).
mod block;
mod offline;
mod provider;
mod row;

use std::net::IpAddr;

use kernel::{Read, Sign, StudyScope};

use crate::accounts::AccountRow;
use crate::control::Control;
use crate::error::{ControlError, GovernedError, storage};
use crate::fresh;
use crate::gate::Principal;
use crate::ledger::{AuditAction, Event, Resource, hex, hex_sha256};
use crate::login::Credentials;
use crate::second_factor::Fitting;
use crate::sessions::Method;
use crate::store::Connection;
use crate::trace::TraceId;

pub use crate::ids::SignatureId;
pub use block::{Block, Meaning, Record, RecordKind};
pub use offline::{OfflineSignature, SignatureError, verify_signature};
pub use provider::Signing;
pub use row::{SignatureFault, SignatureRow, SignatureState};

/// What somebody signs, and by what they prove once more who they are.
#[derive(Clone, Copy)]
pub struct NewSignature<'a> {
    /// The record, with the SHA-256 of its bytes as they are at this moment.
    pub record: &'a Record,
    /// The SHA-256 of what the signer was shown.
    pub shown_sha256: &'a str,
    /// What the signature stands for.
    pub meaning: Meaning,
    /// The signer's password.
    pub password: &'a str,
    /// The code of the signer's authenticator app.
    pub code: &'a str,
    /// Where they come from, when it is known.
    pub peer: Option<IpAddr>,
}

/// Who signs, and how they have proved it.
struct Signer<'a> {
    principal: &'a Principal,
    method: Method,
    /// A code that is used up together with the signature.
    used: Option<Fitting>,
}

impl std::fmt::Debug for NewSignature<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewSignature").field("record", &self.record).finish_non_exhaustive()
    }
}

/// What somebody elsewhere needs to verify a signature: together with the record, and the log's verifier key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureProof {
    /// The signature's text.
    pub block: String,
    /// The receipt of its event (`.tlog-proof`).
    pub receipt: String,
}

impl Control {
    /// Signs a record of a study. Wrong credentials are counted and recorded as those of a login are.
    ///
    /// # Errors
    /// [`ControlError::Denied`] for a principal of another tenant and for one without a session;
    /// [`GovernedError::RecordDiffers`] when the record is not the one that was shown; [`GovernedError::CodeNeeded`]
    /// when the account has no authenticator app; [`ControlError::LoginRefused`] and [`ControlError::LoginThrottled`].
    pub async fn sign_record(
        &self,
        principal: &Principal,
        scope: &StudyScope<Sign>,
        new: &NewSignature<'_>,
        trace: &TraceId,
    ) -> Result<SignatureRow, ControlError> {
        principal.actor().require_tenant(scope.tenant())?;
        principal.session().ok_or(ControlError::Denied)?;
        if new.record.sha256 != new.shown_sha256 {
            return Err(GovernedError::RecordDiffers.into());
        }
        let email = principal.email();
        let given =
            Credentials { code: Some(new.code), peer: new.peer, ..Credentials::new(email, new.password) };
        let proved = self.prove(&given, "signature", trace).await?;
        if proved.caller != principal.caller() {
            return Err(ControlError::Denied);
        }
        // A recovery code stands in for the app at a sign-in, and for nothing else.
        if proved.method != Method::PasswordAndCode {
            return Err(GovernedError::CodeNeeded.into());
        }
        let signer = Signer { principal, method: proved.method, used: proved.used };
        self.seal(signer, scope, (new.record, new.meaning), trace).await
    }

    /// Makes the signature of somebody who has proved once more who they are, together with its event.
    async fn seal(
        &self,
        signer: Signer<'_>,
        scope: &StudyScope<Sign>,
        (record, meaning): (&Record, Meaning),
        trace: &TraceId,
    ) -> Result<SignatureRow, ControlError> {
        let Signer { principal, method, used } = signer;
        let mut tx = self.store().tenant(scope.tenant()).await?.begin().await?;
        let account = principal.account();
        if let Some(code) = &used {
            code.use_up(&mut tx, account).await?;
        }
        let signer = AccountRow::find(tx.connection(), account).await?.filter(|signer| signer.enabled);
        let signer = signer.ok_or(ControlError::Denied)?;
        let now = tx.now();
        let block = Block {
            id: SignatureId::from_uuid(fresh::uuid(now)?),
            tenant: scope.tenant(),
            study: scope.study().clone(),
            record: record.clone(),
            signer: account,
            name: signer.person(self.subject_keys(), scope.tenant())?.display_name,
            meaning,
            signed_at: now,
            method: method.name().to_owned(),
            salt: hex(&fresh::bytes::<16>()?),
        };
        let sha256 = hex_sha256(&block.to_bytes());
        row::insert(&mut tx, &block, &sha256, &self.key_of(account)?).await?;
        let resource = Resource::new("signature", block.id.to_string());
        let event = Event::success(AuditAction::RecordSigned, &principal.actor(), resource)
            .with("study", scope.study().as_str())
            .with("record_type", block.record.kind.name())
            .with("record", block.record.id.as_str())
            .with("record_sha256", block.record.sha256.as_str())
            .with("meaning", block.meaning.name())
            .with("method", block.method.as_str())
            .with("signature_sha256", sha256)
            .traced(trace);
        tx.record(event).await?.commit().await?;
        Ok(SignatureRow::of(block))
    }

    /// The signatures of a study, oldest first, each held against its block and its event in the ledger. Whether the
    /// record is still the one that was signed is for [`SignatureRow::state`].
    ///
    /// # Errors
    /// When they cannot be read from the store.
    pub async fn signatures(&self, scope: &StudyScope<Read>) -> Result<Vec<SignatureRow>, ControlError> {
        let mut view = self.store().tenant(scope.tenant()).await?.view().await?;
        row::list(&mut view, self.subject_keys(), scope).await
    }

    /// What verifies a signature elsewhere.
    ///
    /// # Errors
    /// [`ControlError::Denied`] when the study has no such signature, and when its signer was erased;
    /// [`GovernedError::SignatureBroken`] when it is not what its event says.
    pub async fn signature_proof(
        &self,
        scope: &StudyScope<Read>,
        id: SignatureId,
    ) -> Result<SignatureProof, ControlError> {
        let found = self.signatures(scope).await?.into_iter().find(|row| row.id == id);
        let row = found.ok_or(ControlError::Denied)?;
        let block = match (&row.block, row.fault) {
            (Some(block), None) => block,
            (_, Some(SignatureFault::Erased)) => return Err(ControlError::Denied),
            _ => return Err(GovernedError::SignatureBroken.into()),
        };
        let mut view = self.store().tenant(scope.tenant()).await?.view().await?;
        let seq = seq_of(&mut view, id).await?.ok_or(GovernedError::SignatureBroken)?;
        drop(view);
        let receipt = self.receipt(Some(scope.tenant()), seq).await?;
        // INVARIANT: a block is JSON, which is text.
        let block = String::from_utf8(block.to_bytes()).expect("JSON is text");
        Ok(SignatureProof { block, receipt })
    }
}

/// The place of a signature's event in its tenant's log.
async fn seq_of(connection: &mut Connection, id: SignatureId) -> Result<Option<u64>, ControlError> {
    let seq: Option<i64> = sqlx::query_scalar(
        "SELECT seq FROM audit_events WHERE action = $1 AND resource_id = $2 ORDER BY seq LIMIT 1",
    )
    .bind(AuditAction::RecordSigned.name())
    .bind(id.to_string())
    .fetch_optional(connection)
    .await
    .map_err(storage("look the signature's event up"))?;
    Ok(seq.and_then(|seq| u64::try_from(seq).ok()))
}
