//! Copying the rows while they are in use, and saying what the ledger committed to.

use std::path::{Path, PathBuf};

use crate::actor::Actor;
use crate::control::Control;
use crate::error::ControlError;
use crate::ledger::{AuditAction, Event, Log, Resource};
use crate::store::private_folder;

/// A log at the moment at which it was copied, or after it was put back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogState {
    /// The log's name.
    pub log: String,
    /// How many events it has.
    pub size: u64,
    /// The hash of the last one, which stands for all of them.
    pub last_hash: String,
}

impl Control {
    /// Copies the rows of the deployment and of every tenant into `folder`, as they lie below `control` in a data folder,
    /// each as it is at one moment. Gives the files; none when a server keeps the rows, which has tools of its own.
    ///
    /// The system's rows come first: its log commits to those of the tenants, which may be newer than that and never
    /// older.
    ///
    /// # Errors
    /// [`ControlError::Denied`] for an account, and when a file cannot be written.
    pub async fn copy_rows(&self, actor: &Actor, folder: &Path) -> Result<Vec<PathBuf>, ControlError> {
        actor.require_operator()?;
        let system = folder.join("system.sqlite");
        private_folder(&folder.join("tenants"))?;
        if !self.store().system().copy_to(&system).await? {
            return Ok(Vec::new());
        }
        let mut files = vec![system];
        for tenant in self.tenant_ids().await? {
            let file = folder.join("tenants").join(format!("{tenant}.sqlite"));
            self.store().tenant(tenant).await?.copy_to(&file).await?;
            files.push(file);
        }
        Ok(files)
    }

    /// What every log holds, each verified from its first event.
    ///
    /// # Errors
    /// [`ControlError::LogBroken`] when one does not verify.
    pub async fn log_states(&self) -> Result<Vec<LogState>, ControlError> {
        let mut states = Vec::new();
        for report in self.verify_all().await? {
            if let Some(fault) = report.fault {
                let (log, index, kind) = (report.log, fault.index, fault.kind);
                return Err(ControlError::LogBroken { log, index, kind });
            }
            states.push(LogState { log: report.log, size: report.size, last_hash: report.last_hash });
        }
        Ok(states)
    }

    /// Whether a log holds what it held: as many events or more, and the same ones up to there.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn still_holds(&self, state: &LogState) -> Result<bool, ControlError> {
        let Some(last) = state.size.checked_sub(1) else { return Ok(true) };
        let mut logs = vec![Log::System];
        logs.extend(self.tenant_ids().await?.into_iter().map(Log::Tenant));
        let Some(log) = logs.into_iter().find(|log| log.origin() == state.log) else { return Ok(false) };
        let found: Option<String> =
            sqlx::query_scalar("SELECT entry_hash FROM audit_events WHERE log = $1 AND seq = $2")
                .bind(log.origin())
                .bind(i64::try_from(last).unwrap_or(i64::MAX))
                .fetch_optional(&mut *self.log_view(log).await?)
                .await
                .map_err(crate::error::storage("look at the end of the log"))?;
        Ok(found.as_ref() == Some(&state.last_hash))
    }

    /// Records that a copy of everything was made, or that one was put in place.
    ///
    /// # Errors
    /// [`ControlError::Denied`] for an account, and when the ledger cannot be written.
    pub async fn record_backup(
        &self,
        actor: &Actor,
        step: BackupStep,
        sha256: &str,
    ) -> Result<(), ControlError> {
        actor.require_operator()?;
        let action = match step {
            BackupStep::Made => AuditAction::BackupMade,
            BackupStep::Restored => AuditAction::BackupRestored,
        };
        let event = Event::success(action, actor, Resource::new("backup", sha256));
        self.store().system().begin().await?.record(event).await?.commit().await
    }
}

/// What was done with a copy of everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BackupStep {
    /// It was made.
    Made,
    /// It was put in place.
    Restored,
}
