//! The files: `system.sqlite`, and one file per tenant, so that isolation is physical. A file's path comes
//! from the tenant's id alone. Reading goes through connections that cannot write; writing goes through
//! [`Tx`], which cannot commit without a ledger event.
mod database;
mod migrations;
mod tx;

use std::collections::BTreeMap;
use std::fs::{DirBuilder, symlink_metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kernel::{Clock, TenantId};
use tokio::sync::Mutex;

use crate::error::{ControlError, storage};
use crate::ledger::{Anchor, Event, Log, refuse_rollback};

pub(crate) use database::{Database, SystemFile, TenantFile};
pub(crate) use tx::{SystemTx, TenantTx};

/// The open files of one data folder.
#[derive(Debug)]
pub(crate) struct Store {
    tenants_dir: PathBuf,
    clock: Arc<dyn Clock>,
    anchor: Option<Anchor>,
    system: Database<SystemFile>,
    open_tenants: Mutex<BTreeMap<TenantId, Arc<Database<TenantFile>>>>,
}

impl Store {
    /// Opens the system file under `root`, making it at first start. Tenants' files open when first asked for.
    pub(crate) async fn open(
        root: &Path,
        clock: Arc<dyn Clock>,
        anchor: Option<Anchor>,
    ) -> Result<Self, ControlError> {
        let tenants_dir = root.join("tenants");
        private_folder(root)?;
        private_folder(&tenants_dir)?;
        let path = root.join("system.sqlite");
        refuse_symlink(&path)?;
        let system = Database::create(&path, Log::System, Arc::clone(&clock), migrations::SYSTEM).await?;
        system.start_log().await?;
        system.complete_head().await?;
        Ok(Self { tenants_dir, clock, anchor, system, open_tenants: Mutex::default() })
    }

    /// The folder outside of the database to which checkpoints are copied.
    pub(crate) const fn anchor(&self) -> Option<&Anchor> {
        self.anchor.as_ref()
    }

    /// Refuses a system file that contradicts what it has committed to.
    pub(crate) async fn require_system_standing(&self) -> Result<(), ControlError> {
        let (mut system, mut view) = (self.system.view().await?, self.system.view().await?);
        refuse_rollback(&mut system, &mut view, Log::System, self.anchor()).await
    }

    pub(crate) const fn system(&self) -> &Database<SystemFile> {
        &self.system
    }

    /// The file of a tenant that the system file lists; any other is [`ControlError::Denied`]. A file that
    /// contradicts what its log has committed to is refused.
    pub(crate) async fn tenant(&self, tenant: TenantId) -> Result<Arc<Database<TenantFile>>, ControlError> {
        let mut open_tenants = self.open_tenants.lock().await;
        if let Some(database) = open_tenants.get(&tenant) {
            return Ok(Arc::clone(database));
        }
        let database = self.tenant_as_found(tenant).await?;
        let (mut system, mut view) = (self.system.view().await?, database.view().await?);
        refuse_rollback(&mut system, &mut view, Log::Tenant(tenant), self.anchor()).await?;
        drop(view);
        open_tenants.insert(tenant, Arc::clone(&database));
        Ok(database)
    }

    /// The same, whatever it holds: for the verification, which tells what is wrong.
    pub(crate) async fn tenant_as_found(
        &self,
        tenant: TenantId,
    ) -> Result<Arc<Database<TenantFile>>, ControlError> {
        let listed: Option<i64> = sqlx::query_scalar("SELECT 1 FROM tenants WHERE tenant_id = $1")
            .bind(tenant.to_string())
            .fetch_optional(self.system.reader())
            .await
            .map_err(storage("look the tenant up"))?;
        listed.ok_or(ControlError::Denied)?;

        let path = self.tenant_path(tenant);
        refuse_symlink(&path)?;
        let (log, clock) = (Log::Tenant(tenant), Arc::clone(&self.clock));
        let database = Arc::new(Database::open(&path, log, clock, migrations::TENANT).await?);
        database.complete_head().await?;
        Ok(database)
    }

    /// Makes the file of a new tenant, with the first event of its log. The tenant exists only once the
    /// system file lists it; a file that was left behind is never opened.
    pub(crate) async fn create_tenant_file(
        &self,
        tenant: TenantId,
        first: Event,
    ) -> Result<(), ControlError> {
        let path = self.tenant_path(tenant);
        refuse_symlink(&path)?;
        let (log, clock) = (Log::Tenant(tenant), Arc::clone(&self.clock));
        let database: Database<TenantFile> = Database::create(&path, log, clock, migrations::TENANT).await?;
        database.start_log().await?;
        database.begin().await?.record(first).await?.commit().await?;
        database.close().await;
        Ok(())
    }

    /// Whether the tenant's file is there at all.
    pub(crate) fn has_tenant_file(&self, tenant: TenantId) -> bool {
        self.tenant_path(tenant).is_file()
    }

    fn tenant_path(&self, tenant: TenantId) -> PathBuf {
        self.tenants_dir.join(format!("{tenant}.sqlite"))
    }
}

/// Makes a folder that only its owner can enter.
pub(crate) fn private_folder(path: &Path) -> Result<(), ControlError> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|source| ControlError::File {
        step: "make the folder",
        path: path.to_owned(),
        source,
    })
}

/// A link in the place of a database could lead to another tenant's file.
fn refuse_symlink(path: &Path) -> Result<(), ControlError> {
    if symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink()) {
        return Err(ControlError::File {
            step: "open the database",
            path: path.to_owned(),
            source: io::Error::other("it is a symbolic link"),
        });
    }
    Ok(())
}
