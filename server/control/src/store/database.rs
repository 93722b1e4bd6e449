//! One SQLite file: a pool that can only read, and the one connection that writes.

use std::marker::PhantomData;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use kernel::Clock;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Sqlite, SqlitePool, Transaction};

use crate::error::{ControlError, is_busy, storage};
use crate::ledger::{Log, NO_HASH, rows};
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
    reader: SqlitePool,
    writer: SqlitePool,
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
        Self::connect(base_options(path).create_if_missing(true), log, clock, migrations).await
    }

    /// Opens a file that exists.
    pub(crate) async fn open(
        path: &Path,
        log: Log,
        clock: Arc<dyn Clock>,
        migrations: &[Migration],
    ) -> Result<Self, ControlError> {
        Self::connect(base_options(path), log, clock, migrations).await
    }

    async fn connect(
        options: SqliteConnectOptions,
        log: Log,
        clock: Arc<dyn Clock>,
        migrations: &[Migration],
    ) -> Result<Self, ControlError> {
        // One writing connection: the pool is a fair queue for this process, and SQLite's lock orders the
        // processes among each other.
        let writing =
            options.clone().journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full);
        let writer = connect_writer(writing).await?;
        migrations::apply(&writer, migrations, clock.as_ref()).await?;
        let reading = options.create_if_missing(false).pragma("query_only", "ON");
        let reader = SqlitePoolOptions::new().max_connections(READERS).connect_lazy_with(reading);
        Ok(Self { log, clock, reader, writer, file: PhantomData })
    }

    pub(crate) const fn log(&self) -> Log {
        self.log
    }

    /// Connections that cannot write.
    pub(crate) const fn reader(&self) -> &SqlitePool {
        &self.reader
    }

    /// One consistent view over several statements.
    pub(crate) async fn view(&self) -> Result<Transaction<'static, Sqlite>, ControlError> {
        self.reader.begin().await.map_err(storage("begin reading"))
    }

    /// Waits for the file's write lock. Nothing of the transaction stays unless it is recorded and committed.
    ///
    /// INVARIANT: whoever holds both takes the system file's lock before a tenant's, so that no two wait for
    /// each other.
    pub(crate) async fn begin(&self) -> Result<Tx<F>, ControlError> {
        let begun = self.writer.begin_with("BEGIN IMMEDIATE").await;
        begun.map(|tx| Tx::new(tx, self.log, Arc::clone(&self.clock))).map_err(storage("begin writing"))
    }

    /// Gives an empty log its head.
    pub(crate) async fn start_log(&self) -> Result<(), ControlError> {
        sqlx::query(
            "INSERT INTO audit_head (log, size, last_hash, frontier) SELECT $1, 0, $2, $3
             WHERE NOT EXISTS (SELECT 1 FROM audit_head) AND NOT EXISTS (SELECT 1 FROM audit_events)",
        )
        .bind(self.log.origin())
        .bind(NO_HASH)
        .bind(Vec::<u8>::new())
        .execute(&self.writer)
        .await
        .map(|_| ())
        .map_err(storage("start the log"))
    }

    /// Gives the head of a log that is older than its tree the tree's frontier, from the stored leaves.
    pub(crate) async fn complete_head(&self) -> Result<(), ControlError> {
        const STEP: &str = "build the tree of the log";
        let mut view = self.view().await?;
        // A log without a head is for the verification to tell.
        let Ok(head) = rows::head(&mut view, self.log).await else { return Ok(()) };
        drop(view);
        if head.tree.is_some() {
            return Ok(());
        }
        let mut tx = self.writer.begin_with("BEGIN IMMEDIATE").await.map_err(storage(STEP))?;
        let head = rows::head(&mut tx, self.log).await?;
        let tree = rows::tree(&mut tx, self.log).await?;
        if head.tree.is_some() || tree.size() != head.size {
            return Ok(());
        }
        sqlx::query("UPDATE audit_head SET frontier = $1 WHERE log = $2")
            .bind(tree.to_bytes())
            .bind(self.log.origin())
            .execute(&mut *tx)
            .await
            .map_err(storage(STEP))?;
        tx.commit().await.map_err(storage(STEP))
    }

    /// How many events the head counts.
    pub(crate) async fn head_size(&self) -> Result<i64, ControlError> {
        sqlx::query_scalar("SELECT size FROM audit_head WHERE log = $1")
            .bind(self.log.origin())
            .fetch_optional(&self.reader)
            .await
            .map_err(storage("read the head of the log"))?
            .ok_or_else(|| ControlError::HeadMissing { log: self.log.origin() })
    }

    /// Writes the file anew, without what was deleted or overwritten in it, and empties its write-ahead log.
    pub(crate) async fn forget(&self) -> Result<(), ControlError> {
        const STEP: &str = "clear what was erased from the file";
        sqlx::raw_sql("VACUUM").execute(&self.writer).await.map_err(storage(STEP))?;
        let (busy, _, _): (i64, i64, i64) = sqlx::query_as("PRAGMA wal_checkpoint(TRUNCATE)")
            .fetch_one(&self.writer)
            .await
            .map_err(storage(STEP))?;
        if busy == 0 { Ok(()) } else { Err(ControlError::Busy { step: STEP }) }
    }

    pub(crate) async fn close(&self) {
        self.reader.close().await;
        self.writer.close().await;
    }
}

fn base_options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
        .pragma("recursive_triggers", "ON")
        .pragma("trusted_schema", "OFF")
}

/// Opens the writing connection. Turning the write-ahead log on needs the file for itself and does not wait
/// its turn, so that two processes that start together have to try again.
async fn connect_writer(options: SqliteConnectOptions) -> Result<SqlitePool, ControlError> {
    const ATTEMPTS: u32 = 100;
    const PAUSE: Duration = Duration::from_millis(50);
    let pool = SqlitePoolOptions::new().max_connections(1).acquire_timeout(2 * BUSY_TIMEOUT);
    for _ in 1..ATTEMPTS {
        match pool.clone().connect_with(options.clone()).await {
            Err(error) if is_busy(&error) => tokio::time::sleep(PAUSE).await,
            outcome => return outcome.map_err(storage("open the database")),
        }
    }
    pool.connect_with(options).await.map_err(storage("open the database"))
}
