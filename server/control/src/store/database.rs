//! One SQLite file: a pool that can only read, and the one connection that writes.

use std::marker::PhantomData;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use kernel::Clock;
use sqlx::any::{AnyConnectOptions, AnyPoolOptions, install_default_drivers};
use sqlx::{Any, AnyConnection, AnyPool, Connection, Transaction};

use crate::error::{ControlError, storage};
use crate::ledger::{Log, NO_HASH};
use crate::store::dialect::{
    BEGIN_WRITING, Missing, SQLITE_READING, SQLITE_SESSION, SQLITE_WRITING, is_busy, sqlite_address,
};
use crate::store::migrations::{self, Migration};
use crate::store::tx::Tx;

/// How long a writer waits for another process before it gives up.
const BUSY_TIMEOUT: Duration = Duration::from_secs(15);
const READERS: u32 = 4;

/// Marks the system file.
#[derive(Debug)]
pub(crate) struct SystemFile;

/// Marks a tenant's file.
#[derive(Debug)]
pub(crate) struct TenantFile;

/// An open file of kind `F`.
#[derive(Debug)]
pub(crate) struct Database<F> {
    log: Log,
    clock: Arc<dyn Clock>,
    reader: AnyPool,
    writer: AnyPool,
    file: PhantomData<F>,
}

impl<F> Database<F> {
    /// Opens the file, making it when it does not exist.
    pub(crate) async fn create(
        path: &Path,
        log: Log,
        clock: Arc<dyn Clock>,
        migrations: &[Migration],
    ) -> Result<Self, ControlError> {
        Self::connect((path, Missing::Make), log, clock, migrations).await
    }

    /// Opens a file that exists.
    pub(crate) async fn open(
        path: &Path,
        log: Log,
        clock: Arc<dyn Clock>,
        migrations: &[Migration],
    ) -> Result<Self, ControlError> {
        Self::connect((path, Missing::Refuse), log, clock, migrations).await
    }

    async fn connect(
        (path, missing): (&Path, Missing),
        log: Log,
        clock: Arc<dyn Clock>,
        migrations: &[Migration],
    ) -> Result<Self, ControlError> {
        const STEP: &str = "open the database";
        install_default_drivers();
        // One writing connection: the pool is a fair queue for this process, and SQLite's lock orders the
        // processes among each other.
        let writing = sqlite_address(path, missing).map_err(storage(STEP))?;
        prepare_file(&writing).await?;
        let writer = sqlite_pool(1, SQLITE_WRITING).connect_lazy_with(writing);
        migrations::apply(&writer, migrations, clock.as_ref()).await?;
        let reading = sqlite_address(path, Missing::Refuse).map_err(storage(STEP))?;
        let reader = sqlite_pool(READERS, SQLITE_READING).connect_lazy_with(reading);
        Ok(Self { log, clock, reader, writer, file: PhantomData })
    }

    pub(crate) const fn log(&self) -> Log {
        self.log
    }

    /// One consistent view over several statements, which cannot write.
    pub(crate) async fn view(&self) -> Result<Transaction<'static, Any>, ControlError> {
        self.reader.begin().await.map_err(storage("begin reading"))
    }

    /// Waits for the file's write lock. Nothing of the transaction stays unless it is recorded and committed.
    ///
    /// INVARIANT: whoever holds both takes the system file's lock before a tenant's, so that no two wait for
    /// each other.
    pub(crate) async fn begin(&self) -> Result<Tx<F>, ControlError> {
        let begun = self.writer.begin_with(BEGIN_WRITING).await;
        begun.map(|tx| Tx::new(tx, self.log, Arc::clone(&self.clock))).map_err(storage("begin writing"))
    }

    /// Gives an empty log its head.
    pub(crate) async fn start_log(&self) -> Result<(), ControlError> {
        sqlx::query(
            "INSERT INTO audit_head (log, size, last_hash) SELECT $1, 0, $2
             WHERE NOT EXISTS (SELECT 1 FROM audit_head) AND NOT EXISTS (SELECT 1 FROM audit_events)",
        )
        .bind(self.log.origin())
        .bind(NO_HASH)
        .execute(&self.writer)
        .await
        .map(|_| ())
        .map_err(storage("start the log"))
    }

    /// How many events the head counts.
    pub(crate) async fn head_size(&self) -> Result<i64, ControlError> {
        sqlx::query_scalar("SELECT size FROM audit_head WHERE log = $1")
            .bind(self.log.origin())
            .fetch_optional(&mut *self.view().await?)
            .await
            .map_err(storage("read the head of the log"))?
            .ok_or_else(|| ControlError::HeadMissing { log: self.log.origin() })
    }

    pub(crate) async fn close(&self) {
        self.reader.close().await;
        self.writer.close().await;
    }
}

/// A pool of connections to a SQLite file, each told `purpose`.
fn sqlite_pool(size: u32, purpose: &'static str) -> AnyPoolOptions {
    AnyPoolOptions::new().max_connections(size).acquire_timeout(2 * BUSY_TIMEOUT).after_connect(
        move |connection, _| {
            Box::pin(async move {
                sqlx::raw_sql(SQLITE_SESSION).execute(&mut *connection).await?;
                sqlx::raw_sql(purpose).execute(connection).await.map(|_| ())
            })
        },
    )
}

/// Turns the file's write-ahead log on, and refuses what is no database: a pool would try that again and again.
/// It needs the file for itself and does not wait its turn, so that two processes that start together have to
/// try again.
async fn prepare_file(options: &AnyConnectOptions) -> Result<(), ControlError> {
    const ATTEMPTS: u32 = 100;
    const PAUSE: Duration = Duration::from_millis(50);
    for _ in 1..ATTEMPTS {
        match prepare_once(options).await {
            Err(error) if is_busy(&error) => tokio::time::sleep(PAUSE).await,
            outcome => return outcome.map_err(storage("open the database")),
        }
    }
    prepare_once(options).await.map_err(storage("open the database"))
}

async fn prepare_once(options: &AnyConnectOptions) -> Result<(), sqlx::Error> {
    let mut connection = AnyConnection::connect_with(options).await?;
    sqlx::raw_sql(SQLITE_SESSION).execute(&mut connection).await?;
    sqlx::raw_sql(SQLITE_WRITING).execute(&mut connection).await?;
    connection.close().await
}
