//! The rows of one log: a SQLite file of its own, or its part of PostgreSQL's tables. Reading is for many at
//! once; writing is for one at a time, whichever database it is.

use std::fs::File;
use std::io;
use std::marker::PhantomData;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use kernel::Clock;
use sqlx::any::{AnyConnectOptions, AnyPoolOptions, AnyRow, install_default_drivers};
use sqlx::{AnyConnection, AnyPool, Connection};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use crate::error::{ControlError, storage};
use crate::ledger::{Log, NO_HASH, rows};
use crate::store::dialect::{
    Missing, SQLITE_MIGRATIONS, SQLITE_READ, SQLITE_READER, SQLITE_SESSION, SQLITE_WRITE, SQLITE_WRITER,
    is_busy, sqlite_address,
};
use crate::store::flusher::Flusher;
use crate::store::migrations::{self, Migration};
use crate::store::postgres::Served;
use crate::store::transaction::Open;
use crate::store::tx::{Tx, Upkeep};
use crate::store::writing::{self, Writing};

/// How long a writer waits for another process before it gives up.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(15);
const READERS: u32 = 4;

/// Marks what belongs to the deployment.
#[derive(Debug)]
pub(crate) struct SystemFile;

/// Marks what belongs to a tenant.
#[derive(Debug)]
pub(crate) struct TenantFile;

/// The rows of one log, of kind `F`.
#[derive(Debug)]
pub(crate) struct Database<F> {
    log: Log,
    clock: Arc<dyn Clock>,
    rows: Rows,
    // The writers of this process take turns, so that those of one tenant never hold more than one connection.
    turn: Arc<Semaphore>,
    kind: PhantomData<F>,
}

/// Where they lie.
#[derive(Debug, Clone)]
enum Rows {
    File { reader: AnyPool, writer: AnyPool },
    Served(Served),
}

/// What a transaction is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Read,
    Write,
    /// Writing what leaves the house by being read: nobody sees it before it is on disk.
    Sign,
    /// Writing what has no event, for which a server's rows are locked one by one and not the log.
    Upkeep,
}

impl<F> Database<F> {
    /// Opens a SQLite file.
    pub(crate) async fn file(
        path: &Path,
        missing: Missing,
        log: Log,
        clock: Arc<dyn Clock>,
        migrations: &[Migration],
    ) -> Result<Self, ControlError> {
        const STEP: &str = "open the database";
        install_default_drivers();
        // SQLite's lock orders the processes among each other.
        let writing = sqlite_address(path, missing).map_err(storage(STEP))?;
        prepare_file(&writing).await?;
        let writer = sqlite_pool(1, SQLITE_WRITER).connect_lazy_with(writing);
        let tx = writer.begin_with(SQLITE_WRITE).await.map_err(storage(STEP))?;
        migrations::apply(tx, SQLITE_MIGRATIONS, migrations, clock.as_ref()).await?;
        let reading = sqlite_address(path, Missing::Refuse).map_err(storage(STEP))?;
        let reader = sqlite_pool(READERS, SQLITE_READER).connect_lazy_with(reading);
        Ok(Self::new(Rows::File { reader, writer }, log, clock))
    }

    /// The part of PostgreSQL's tables that belongs to a log.
    pub(crate) fn served(served: Served, log: Log, clock: Arc<dyn Clock>) -> Self {
        Self::new(Rows::Served(served), log, clock)
    }

    fn new(rows: Rows, log: Log, clock: Arc<dyn Clock>) -> Self {
        Self { log, clock, rows, turn: Arc::new(Semaphore::new(1)), kind: PhantomData }
    }

    pub(crate) const fn log(&self) -> Log {
        self.log
    }

    /// One consistent view over several statements, which cannot write.
    pub(crate) async fn view(&self) -> Result<Open, ControlError> {
        const STEP: &str = "begin reading";
        let (rows, log) = (self.rows.clone(), self.log);
        let view = finished(tokio::spawn(async move { rows.start(log, Purpose::Read).await }), STEP).await?;
        Ok(view.0)
    }

    /// Ends a view, and returns when everything is on disk that it showed.
    ///
    /// INVARIANT: a server shows a commit for a moment before it is on disk, and may lose it until then. Whoever acts
    /// on the strength of what another committed, where losing it would make the act wrong, leaves its view so first:
    /// above all before signing, since a signature over lost events would accuse the log for ever. A checkpoint is
    /// seen only when it and everything that it covers is on disk ([`Self::begin_signing`]), so that whatever goes
    /// out with one (copies, proofs, requests to witnesses) needs nothing more.
    pub(crate) async fn leave(&self, view: Open) -> Result<(), ControlError> {
        writing::leave(view, self.rows.flusher(Purpose::Write)).await
    }

    /// Waits for the log's write lock. Nothing of the transaction stays unless it is recorded and committed.
    ///
    /// INVARIANT: whoever holds both takes the system's lock before a tenant's, so that no two wait for each
    /// other.
    pub(crate) async fn begin(&self) -> Result<Tx<F>, ControlError> {
        Ok(self.tx_of(self.start_writing(Purpose::Write).await?))
    }

    /// The same for a checkpoint, whose commit holds the lock until it is on disk.
    pub(crate) async fn begin_signing(&self) -> Result<Tx<F>, ControlError> {
        Ok(self.tx_of(self.start_writing(Purpose::Sign).await?))
    }

    fn tx_of(&self, writing: Writing) -> Tx<F> {
        Tx::new(writing, self.log, Arc::clone(&self.clock))
    }

    /// Begins to write what nobody decided, such as the lease of a job.
    pub(crate) async fn begin_upkeep(&self) -> Result<Upkeep, ControlError> {
        Ok(Upkeep::new(self.start_writing(Purpose::Upkeep).await?, Arc::clone(&self.clock)))
    }

    /// Gives an empty log its head.
    pub(crate) async fn start_log(&self) -> Result<(), ControlError> {
        const STEP: &str = "start the log";
        let mut writing = self.start_writing(Purpose::Write).await?;
        sqlx::query(
            "INSERT INTO audit_head (log, size, last_hash, frontier) SELECT $1, 0, $2, $3
             WHERE NOT EXISTS (SELECT 1 FROM audit_head) AND NOT EXISTS (SELECT 1 FROM audit_events)",
        )
        .bind(self.log.origin())
        .bind(NO_HASH)
        .bind(Vec::<u8>::new())
        .execute(writing.connection())
        .await
        .map_err(storage(STEP))?;
        writing.commit().await
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
        let mut writing = self.start_writing(Purpose::Write).await?;
        let head = rows::head(writing.connection(), self.log).await?;
        let tree = rows::tree(writing.connection(), self.log).await?;
        if head.tree.is_some() || tree.size() != head.size {
            return Ok(());
        }
        sqlx::query("UPDATE audit_head SET frontier = $1 WHERE log = $2")
            .bind(tree.to_bytes())
            .bind(self.log.origin())
            .execute(writing.connection())
            .await
            .map_err(storage(STEP))?;
        writing.commit().await
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

    /// Writes a file anew, without what was deleted or overwritten in it, and empties its write-ahead log. A
    /// server clears its tables by itself, in its own time (`docs/databases.md`).
    pub(crate) async fn forget(&self) -> Result<(), ControlError> {
        const STEP: &str = "clear what was erased from the file";
        let Rows::File { writer, .. } = &self.rows else { return Ok(()) };
        sqlx::raw_sql("VACUUM").execute(writer).await.map_err(storage(STEP))?;
        let (busy, _, _): (i64, i64, i64) = sqlx::query_as("PRAGMA wal_checkpoint(TRUNCATE)")
            .fetch_one(writer)
            .await
            .map_err(storage(STEP))?;
        if busy == 0 { Ok(()) } else { Err(ControlError::Busy { step: STEP }) }
    }

    /// Copies a file as it is at one moment, while it is in use; `false` for what a server keeps.
    pub(crate) async fn copy_to(&self, path: &Path) -> Result<bool, ControlError> {
        const STEP: &str = "copy the database to";
        let Rows::File { writer, .. } = &self.rows else { return Ok(false) };
        let refused = |kind| ControlError::File { step: STEP, path: path.to_owned(), source: kind };
        let name = path.to_str().ok_or_else(|| refused(io::Error::other("its name is not UTF-8")))?;
        // A reader's connection may not write, not even to a file of its own.
        sqlx::query("VACUUM INTO $1")
            .bind(name)
            .execute(writer)
            .await
            .map_err(storage("copy the database"))?;
        let copied = File::open(path).and_then(|file| file.sync_all());
        copied.map(|()| true).map_err(refused)
    }

    /// Lets go of a file.
    pub(crate) async fn close(&self) {
        if let Rows::File { reader, writer } = &self.rows {
            reader.close().await;
            writer.close().await;
        }
    }

    async fn start_writing(&self, purpose: Purpose) -> Result<Writing, ControlError> {
        const STEP: &str = "begin writing";
        let turn = tokio::time::timeout(2 * BUSY_TIMEOUT, Arc::clone(&self.turn).acquire_owned()).await;
        let turn =
            turn.map_err(|_| ControlError::Busy { step: STEP })?.expect("the semaphore is never closed");
        let (rows, log) = (self.rows.clone(), self.log);
        let started = tokio::spawn(async move {
            let (tx, end) = rows.start(log, purpose).await?;
            Ok((Writing::new(tx, turn, rows.flusher(purpose).cloned()), end))
        });
        let (mut writing, end) = finished(started, STEP).await?;
        writing.end = end.map(|row| rows::read_end(&row)).transpose()?;
        Ok(writing)
    }
}

impl Rows {
    async fn start(&self, log: Log, purpose: Purpose) -> Result<(Open, Option<AnyRow>), sqlx::Error> {
        match (self, purpose) {
            (Self::File { reader, .. }, Purpose::Read) => {
                Ok((Open::File(reader.begin_with(SQLITE_READ).await?), None))
            }
            (Self::File { writer, .. }, Purpose::Write | Purpose::Sign | Purpose::Upkeep) => {
                Ok((Open::File(writer.begin_with(SQLITE_WRITE).await?), None))
            }
            (Self::Served(served), purpose) => served.start(log, purpose).await,
        }
    }

    /// What brings a commit to the disk that does not wait for it by itself.
    const fn flusher(&self, purpose: Purpose) -> Option<&Arc<Flusher>> {
        match (self, purpose) {
            (Self::Served(served), Purpose::Write) => Some(served.flusher()),
            _ => None,
        }
    }
}

/// Waits for the beginning of a transaction. It has a task of its own, so that a caller that goes away lets it
/// end, and then roll back: a session in which `BEGIN` was cut off would go on inside a transaction that its
/// pool knows nothing of.
async fn finished<T>(
    started: JoinHandle<Result<T, sqlx::Error>>,
    step: &'static str,
) -> Result<T, ControlError> {
    match started.await {
        Ok(outcome) => outcome.map_err(storage(step)),
        Err(source) => Err(ControlError::Storage { step, source: Box::new(source) }),
    }
}

/// A pool of connections to a SQLite file, each told `purpose`.
fn sqlite_pool(size: u32, purpose: &'static str) -> AnyPoolOptions {
    let options = AnyPoolOptions::new().max_connections(size).acquire_timeout(2 * BUSY_TIMEOUT);
    let told = options.after_connect(move |connection, _| {
        Box::pin(async move {
            sqlx::raw_sql(SQLITE_SESSION).execute(&mut *connection).await?;
            sqlx::raw_sql(purpose).execute(connection).await.map(|_| ())
        })
    });
    // On a full disk SQLite rolls back by itself. The driver's own rollback then fails, and the driver believes for ever
    // that a transaction is open: such a connection is replaced.
    told.before_acquire(|connection, _| Box::pin(async move { Ok(!connection.is_in_transaction()) }))
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
    sqlx::raw_sql(SQLITE_WRITER).execute(&mut connection).await?;
    connection.close().await
}
