//! Asking witnesses: the request that a log sends, and keeping the signature that comes back.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kernel::TenantId;

use crate::actor::Actor;
use crate::control::Control;
use crate::error::{ControlError, corrupt, storage};
use crate::instant::timestamp;
use crate::ledger::chain::FaultKind;
use crate::ledger::event::{AuditAction, Event, Resource};
use crate::ledger::log::Log;
use crate::ledger::note::{Note, VerifierKey};
use crate::ledger::receipt::gather;
use crate::ledger::rows::index;
use crate::ledger::tree::proof::{SpanRoots, consistency_spans};

impl Control {
    /// The request for a witness that has signed the log at `old` events before, or nothing yet (0): the proof
    /// from there to the log's newest checkpoint.
    ///
    /// # Errors
    /// [`ControlError::NoSuchEvent`] when the log has no checkpoint of at least `old` events.
    pub async fn witness_request(&self, tenant: Option<TenantId>, old: u64) -> Result<String, ControlError> {
        let log = tenant.map_or(Log::System, Log::Tenant);
        let kept = self.last_checkpoint(log).await?;
        let size = kept.as_ref().map_or(0, |kept| kept.size);
        let missing = || ControlError::NoSuchEvent { log: log.origin(), seq: old.saturating_sub(1), size };
        let spans = consistency_spans(old, size).ok_or_else(missing)?;
        let kept = kept.ok_or_else(missing)?;
        let mut view = self.log_view(log).await?;
        let proof = gather(&mut view, log, size, SpanRoots::new(spans)).await?;
        let broken = || ControlError::LogBroken { log: log.origin(), index: old, kind: FaultKind::Sequence };
        let lines: Vec<String> = proof.ok_or_else(broken)?.iter().map(|hash| STANDARD.encode(hash)).collect();
        let lines: String = lines.iter().map(|line| format!("{line}\n")).collect();
        Ok(format!("old {old}\n{lines}\n{}", kept.note))
    }

    /// Keeps a witness's answer below the log's newest checkpoint, and records it. The witness's key comes from
    /// the witness, beforehand.
    ///
    /// # Errors
    /// [`ControlError::Cosignature`] when the line is not this witness's signature of that checkpoint.
    pub async fn add_cosignature(
        &self,
        actor: &Actor,
        tenant: Option<TenantId>,
        (witness, line): (&VerifierKey, &str),
    ) -> Result<u64, ControlError> {
        actor.require_operator()?;
        let log = tenant.map_or(Log::System, Log::Tenant);
        let refused = |reason: &str| ControlError::Cosignature { reason: reason.to_owned() };
        let kept = self.last_checkpoint(log).await?.ok_or_else(|| refused("the log has no checkpoint"))?;
        let signed = Note::parse(kept.note.as_bytes()).map_err(corrupt("note of a checkpoint"))?;
        let cosigned = signed.without_signatures().with_signatures(line);
        let cosigned = cosigned.map_err(|error| refused(&error.to_string()))?;
        cosigned.verified_by(std::slice::from_ref(witness)).map_err(|error| refused(&error.to_string()))?;
        let line = cosigned.signature_of(witness).ok_or_else(|| refused("it is not this witness's line"))?;

        let mut tx = self.store().system().begin().await?;
        let now = timestamp(tx.now());
        sqlx::query(
            "INSERT INTO audit_cosignatures (log, size, line, received_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT (log, size, line) DO NOTHING",
        )
        .bind(log.origin())
        .bind(index(kept.size))
        .bind(line)
        .bind(now)
        .execute(tx.connection())
        .await
        .map_err(storage("keep the cosignature"))?;
        let event =
            Event::success(AuditAction::CheckpointCosigned, actor, Resource::new("log", log.origin()))
                .with("size", kept.size)
                .with("witness", witness.name());
        tx.record(event).await?.commit().await?;
        Ok(kept.size)
    }
}
