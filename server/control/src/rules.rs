//! Conformance rules that a study is held against.

use kernel::{Build, StudyScope};

use crate::actor::Actor;
use crate::control::Control;
use crate::error::ControlError;
use crate::ledger::{AuditAction, Event, Resource};
use crate::trace::TraceId;

impl Control {
    /// Records that a study's conformance rules are about to be replaced by a pack of so many.
    ///
    /// # Errors
    /// [`ControlError::Denied`] for an actor of another tenant; when the ledger cannot be written, they stay.
    pub async fn rules_imported(
        &self,
        actor: &Actor,
        scope: &StudyScope<Build>,
        (executable, others): (u64, u64),
        trace: &TraceId,
    ) -> Result<(), ControlError> {
        actor.require_tenant(scope.tenant())?;
        let tx = self.store().tenant(scope.tenant()).await?.begin().await?;
        let event = Event::success(AuditAction::RulesImported, actor, Resource::study(scope.study()))
            .with("executable", executable)
            .with("not_executable", others)
            .traced(trace);
        tx.record(event).await?.commit().await
    }
}
