//! Files that an engineer writes out of the data folder. The ledger says so before the first byte is written.

use kernel::{Build, SnapshotId, StudyScope};

use crate::actor::Actor;
use crate::control::Control;
use crate::error::ControlError;
use crate::ledger::{AuditAction, Event, Resource};
use crate::trace::TraceId;

/// What is written out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// In words: `canon.adverse_event`, `catalogue`.
    pub what: String,
    /// The snapshot it is read through.
    pub snapshot: SnapshotId,
    /// The instant whose state is written, where that is not the snapshot's.
    pub as_of: Option<String>,
}

impl Control {
    /// Records that data of a study are about to be written out. Nothing may be written before this returns.
    ///
    /// # Errors
    /// [`ControlError::Denied`] for an actor of another tenant; when the ledger cannot be written, nothing is.
    pub async fn export_started(
        &self,
        actor: &Actor,
        scope: &StudyScope<Build>,
        export: &Export,
        trace: &TraceId,
    ) -> Result<(), ControlError> {
        actor.require_tenant(scope.tenant())?;
        let tx = self.store().tenant(scope.tenant()).await?.begin().await?;
        let event =
            Event::success(AuditAction::DataExported, actor, Resource::new("export", export.what.clone()))
                .with("study", scope.study().as_str())
                .with("snapshot", export.snapshot.to_string())
                .with("as_of", export.as_of.clone())
                .traced(trace);
        tx.record(event).await?.commit().await
    }
}
