//! What a caller can see: the current snapshot of a study, opened through a scope.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use control::{Control, ControlError, PastSnapshotRow, SnapshotRow};
use kernel::{Action, Read, SnapshotId, StudyScope};
use warehouse::{Manifest, Storage, TableScan};

/// Failures of looking at what is published.
#[derive(Debug, thiserror::Error)]
pub enum PublishedError {
    /// The control plane could not be asked.
    #[error("failed to look up what is published")]
    Control(#[from] ControlError),
    /// A manifest or a table could not be read.
    #[error("failed to read what is published")]
    Warehouse(#[from] warehouse::Error),
}

/// One visible snapshot with its manifest.
#[derive(Debug, Clone)]
pub struct Visible {
    /// The row that makes it visible.
    pub row: SnapshotRow,
    /// What it holds.
    pub manifest: Arc<Manifest>,
}

/// The published snapshots of all studies, each only through a scope.
#[derive(Debug, Clone)]
pub struct Published {
    control: Control,
    storage: Storage,
    // Manifests are small and never change; a study has few that are still asked for.
    manifests: Arc<Mutex<Manifests>>,
}

/// By tenant, snapshot, and whether what is masked is among its tables.
type Manifests = BTreeMap<(kernel::TenantId, SnapshotId, bool), Arc<Manifest>>;

const MANIFESTS_KEPT: usize = 256;

impl Published {
    /// Over one control plane and one storage.
    #[must_use]
    pub fn new(control: Control, storage: Storage) -> Self {
        Self { control, storage, manifests: Arc::default() }
    }

    /// The control plane.
    #[must_use]
    pub const fn control(&self) -> &Control {
        &self.control
    }

    /// The storage.
    #[must_use]
    pub const fn storage(&self) -> &Storage {
        &self.storage
    }

    /// The snapshot that readers see: the newest one whose marts are built, and until there is one, the
    /// newest. A snapshot that waits for its marts does not blank the dashboards.
    ///
    /// # Errors
    /// [`PublishedError`] when it cannot be looked up; `None` when nothing is published.
    pub async fn current(&self, scope: &StudyScope<Read>) -> Result<Option<Visible>, PublishedError> {
        let row = match self.control.current_with_marts(scope).await? {
            Some(row) => Some(row),
            None => self.control.current_snapshot(scope).await?,
        };
        row.map(|row| self.open(scope, row)).transpose()
    }

    /// One snapshot of the study by its id, also one of a past instant.
    ///
    /// # Errors
    /// As [`Published::current`].
    pub async fn snapshot(
        &self,
        scope: &StudyScope<Read>,
        id: SnapshotId,
    ) -> Result<Option<Visible>, PublishedError> {
        if let Some(row) = self.control.snapshot(scope, id).await? {
            return self.open(scope, row).map(Some);
        }
        let past = self.control.past_snapshot(scope, id).await?;
        past.map(|row| self.open_past(scope, row)).transpose()
    }

    /// The manifest that a row of a past instant makes readable.
    ///
    /// # Errors
    /// As [`Published::open`].
    pub fn open_past(
        &self,
        scope: &StudyScope<Read>,
        past: PastSnapshotRow,
    ) -> Result<Visible, PublishedError> {
        let PastSnapshotRow { id, manifest_key, published_at, .. } = past;
        // It has no place among those that were current.
        let row = SnapshotRow { id, seq: 0, manifest_key, has_marts: true, replaces: None, published_at };
        self.open(scope, row)
    }

    /// The manifest that a row makes visible.
    ///
    /// # Errors
    /// [`PublishedError::Warehouse`] when it is not what its id says.
    pub fn open<A: Action>(
        &self,
        scope: &StudyScope<A>,
        row: SnapshotRow,
    ) -> Result<Visible, PublishedError> {
        let key = (scope.tenant(), row.id, Manifest::opens_masked(scope));
        let known = self.manifests.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        // A known manifest of the tenant may be another study's; then it is read, and refused.
        if let Some(manifest) = known.filter(|manifest| &manifest.study == scope.study()) {
            return Ok(Visible { row, manifest });
        }
        let manifest = Manifest::read(&self.storage.study(scope), &row.manifest_key, row.id)?;
        let manifest = Arc::new(manifest.seen_by(scope));
        let mut manifests = self.manifests.lock().unwrap_or_else(PoisonError::into_inner);
        if manifests.len() >= MANIFESTS_KEPT {
            manifests.clear();
        }
        manifests.insert(key, manifest.clone());
        Ok(Visible { row, manifest })
    }

    /// Opens a table of a visible snapshot.
    ///
    /// # Errors
    /// [`PublishedError::Warehouse`] when there is no such table.
    pub fn scan(
        &self,
        scope: &StudyScope<Read>,
        visible: &Visible,
        table: &str,
        batch_rows: usize,
    ) -> Result<TableScan, PublishedError> {
        Ok(TableScan::open(&self.storage, scope, &visible.manifest, table, batch_rows)?)
    }
}
