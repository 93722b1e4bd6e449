//! The rows. In SQLite: `system.sqlite`, and one file per tenant, so that isolation is physical; a file's path
//! comes from the tenant's id alone. In PostgreSQL: one set of tables, whose policies show a transaction the rows
//! of the tenant that it has proved to work for. Reading goes through transactions that cannot write; writing
//! goes through [`Tx`], which cannot commit without a ledger event.
mod context;
mod database;
mod dialect;
mod flusher;
mod migrations;
mod postgres;
mod session;
mod settings;
mod transaction;
mod tx;
mod writing;

use std::collections::BTreeMap;
use std::fs::{DirBuilder, symlink_metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kernel::{Clock, TenantId};
use tokio::sync::Mutex;

use crate::error::{ControlError, storage};
use crate::ledger::{Anchor, Event, Log, commitments_of, refuse_rollback};
use dialect::Missing;
use postgres::Served;

pub(crate) use database::{Database, SystemFile, TenantFile};
pub(crate) use dialect::{claim_lock, is_busy, is_disk_error, is_served, leaf_holds};
pub use settings::{DatabaseEngine, DatabaseSettings, PostgresSettings};
pub(crate) use transaction::Open;
pub(crate) use tx::{InUse, SystemTx, TenantTx, Upkeep};

/// A connection to whichever database it is.
pub(crate) type Connection = sqlx::AnyConnection;

/// The open rows of one data folder.
#[derive(Debug)]
pub(crate) struct Store {
    clock: Arc<dyn Clock>,
    anchors: Vec<Anchor>,
    system: Database<SystemFile>,
    tenants: Tenants,
    open_tenants: Mutex<BTreeMap<TenantId, Arc<Database<TenantFile>>>>,
}

/// Where the tenants' rows lie.
#[derive(Debug)]
enum Tenants {
    /// A file each, in this folder.
    Files(PathBuf),
    Served(Served),
}

impl Store {
    /// Opens what belongs to the deployment, making it at first start. What belongs to a tenant opens when it is
    /// first asked for. The keys lie in `<root>/keys`, whichever database it is.
    pub(crate) async fn open(
        root: &Path,
        engine: &DatabaseEngine,
        clock: Arc<dyn Clock>,
        anchors: Vec<Anchor>,
    ) -> Result<Self, ControlError> {
        private_folder(root)?;
        let (system, tenants) = match engine {
            DatabaseEngine::Sqlite => {
                let tenants_dir = root.join("tenants");
                private_folder(&tenants_dir)?;
                let path = root.join("system.sqlite");
                refuse_symlink(&path)?;
                let (log, clock) = (Log::System, Arc::clone(&clock));
                let system = Database::file(&path, Missing::Make, log, clock, migrations::SYSTEM).await?;
                (system, Tenants::Files(tenants_dir))
            }
            DatabaseEngine::Postgres(settings) => {
                let opened = postgres::open(settings, &root.join("keys"), clock.as_ref()).await?;
                let system = Database::served(opened.system, Log::System, Arc::clone(&clock));
                (system, Tenants::Served(opened.tenants))
            }
        };
        system.start_log().await?;
        system.complete_head().await?;
        Ok(Self { clock, anchors, system, tenants, open_tenants: Mutex::default() })
    }

    /// The places outside of the database to which checkpoints are copied.
    pub(crate) fn anchors(&self) -> &[Anchor] {
        &self.anchors
    }

    /// Refuses a system's log that contradicts what it has committed to.
    pub(crate) async fn require_system_standing(&self) -> Result<(), ControlError> {
        self.require_standing(&self.system).await
    }

    async fn require_standing<F>(&self, database: &Database<F>) -> Result<(), ControlError> {
        // Everything that was committed to is read before the log is looked at, which therefore holds at least
        // as much.
        let log = database.log();
        let committed = commitments_of(&mut *self.system.view().await?, log, self.anchors()).await?;
        refuse_rollback(&mut *database.view().await?, log, committed).await
    }

    pub(crate) const fn system(&self) -> &Database<SystemFile> {
        &self.system
    }

    /// The rows of a tenant that the system lists; any other is [`ControlError::Denied`]. A log that contradicts
    /// what it has committed to is refused.
    pub(crate) async fn tenant(&self, tenant: TenantId) -> Result<Arc<Database<TenantFile>>, ControlError> {
        let mut open_tenants = self.open_tenants.lock().await;
        if let Some(database) = open_tenants.get(&tenant) {
            return Ok(Arc::clone(database));
        }
        let database = self.tenant_as_found(tenant).await?;
        self.require_standing(&database).await?;
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
            .fetch_optional(&mut *self.system.view().await?)
            .await
            .map_err(storage("look the tenant up"))?;
        listed.ok_or(ControlError::Denied)?;

        let database = Arc::new(self.open_tenant(tenant, Missing::Refuse).await?);
        database.complete_head().await?;
        Ok(database)
    }

    /// Makes room for a new tenant, with the first event of its log. The tenant exists only once the system
    /// lists it; a log that was left behind is never opened.
    pub(crate) async fn create_tenant_log(&self, tenant: TenantId, first: Event) -> Result<(), ControlError> {
        let database = self.open_tenant(tenant, Missing::Make).await?;
        database.start_log().await?;
        database.begin().await?.record(first).await?.commit().await?;
        database.close().await;
        Ok(())
    }

    /// Whether the tenant's file is there at all; in PostgreSQL it has none to lose.
    pub(crate) fn has_tenant_file(&self, tenant: TenantId) -> bool {
        match &self.tenants {
            Tenants::Files(folder) => tenant_path(folder, tenant).is_file(),
            Tenants::Served(_) => true,
        }
    }

    /// The bytes of the tenant's file, with what stands in its write-ahead log; `None` in PostgreSQL, whose tables the
    /// tenants share.
    pub(crate) fn tenant_bytes(&self, tenant: TenantId) -> Result<Option<u64>, ControlError> {
        let Tenants::Files(folder) = &self.tenants else { return Ok(None) };
        let mut bytes = 0;
        for suffix in ["", "-wal", "-shm"] {
            let path = folder.join(format!("{tenant}.sqlite{suffix}"));
            match symlink_metadata(&path) {
                Ok(metadata) => bytes += metadata.len(),
                // The log is there only while somebody writes.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(source) => {
                    return Err(ControlError::File { step: "look at the size of", path, source });
                }
            }
        }
        Ok(Some(bytes))
    }

    async fn open_tenant(
        &self,
        tenant: TenantId,
        missing: Missing,
    ) -> Result<Database<TenantFile>, ControlError> {
        let (log, clock) = (Log::Tenant(tenant), Arc::clone(&self.clock));
        match &self.tenants {
            Tenants::Files(folder) => {
                let path = tenant_path(folder, tenant);
                refuse_symlink(&path)?;
                Database::file(&path, missing, log, clock, migrations::TENANT).await
            }
            Tenants::Served(served) => Ok(Database::served(served.clone(), log, clock)),
        }
    }
}

fn tenant_path(folder: &Path, tenant: TenantId) -> PathBuf {
    folder.join(format!("{tenant}.sqlite"))
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
