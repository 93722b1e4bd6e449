//! PostgreSQL: a pool for each role, and transactions that prove whose rows they work on. The policies of the
//! tables do the rest (`migrations/postgres`).

use std::path::Path;
use std::sync::Arc;

use kernel::Clock;
use sqlx::any::{AnyConnectOptions, AnyPoolOptions, AnyRow, install_default_drivers};
use sqlx::{Any, AnyConnection, AnyPool, Connection, Transaction};

use crate::error::{ControlError, storage};
use crate::ledger::Log;
use crate::store::context::{ContextKey, context_of};
use crate::store::database::{BUSY_TIMEOUT, Purpose};
use crate::store::dialect::{
    POSTGRES_CONTEXT, POSTGRES_ENTER, POSTGRES_FLUSHER, POSTGRES_LOCK_DEFERRED, POSTGRES_LOCK_DURABLE,
    POSTGRES_MARK, POSTGRES_MARK_DURABLE, POSTGRES_MIGRATIONS, POSTGRES_READ, POSTGRES_WRITE,
};
use crate::store::flusher::{Flusher, TRUSTED_FOR};
use crate::store::migrations::{self, POSTGRES};
use crate::store::settings::PostgresSettings;

const STEP: &str = "open the database";

/// The tables that one role serves.
#[derive(Debug, Clone)]
pub(crate) struct Served {
    pool: AnyPool,
    flusher: Arc<Flusher>,
    key: Arc<ContextKey>,
    schema: &'static str,
}

/// The tables of the deployment, and those of its tenants.
pub(super) struct Opened {
    pub(super) system: Served,
    pub(super) tenants: Served,
}

/// Connects both roles, after migrating the tables where their owner's address is known.
pub(super) async fn open(
    settings: &PostgresSettings,
    keys: &Path,
    clock: &dyn Clock,
) -> Result<Opened, ControlError> {
    install_default_drivers();
    let key = Arc::new(ContextKey::open(keys)?);
    if let Some(owner) = &settings.owner {
        migrate(owner, &key, clock).await?;
    }
    let connections = settings.connections.max(1);
    let serve = async |address: &str, connections: u32, schema: &'static str| {
        let (pool, flusher) = connect(address, connections).await?;
        Ok::<_, ControlError>(Served { pool, flusher, key: Arc::clone(&key), schema })
    };
    // One for the writer, and some for what a writer looks up before it commits.
    let system = serve(&settings.system, connections.div_ceil(4).max(4), "cairn_system").await?;
    let tenants = serve(&settings.app, connections, "cairn").await?;
    refuse_unmigrated(&system).await?;
    for served in [&system, &tenants] {
        refuse_mighty(served).await?;
    }
    refuse_other_key(&system).await?;
    Ok(Opened { system, tenants })
}

impl Served {
    /// Begins a transaction on the rows of a log; for who appends to it, with the row that tells its end, unless the log
    /// is not started yet.
    pub(super) async fn start(
        &self,
        log: Log,
        purpose: Purpose,
    ) -> Result<(Transaction<'static, Any>, Option<AnyRow>), sqlx::Error> {
        match purpose {
            Purpose::Read => Ok((self.enter(log, POSTGRES_READ, POSTGRES_MARK).await?, None)),
            Purpose::Upkeep => Ok((self.enter(log, POSTGRES_WRITE, POSTGRES_MARK_DURABLE).await?, None)),
            Purpose::Write => self.lock(log, POSTGRES_LOCK_DEFERRED).await,
            Purpose::Sign => self.lock(log, POSTGRES_LOCK_DURABLE).await,
        }
    }

    async fn enter(
        &self,
        log: Log,
        begin: &'static str,
        mark: &'static str,
    ) -> Result<Transaction<'static, Any>, sqlx::Error> {
        let mut tx = self.pool.begin_with(begin).await?;
        let mark: String = sqlx::query_scalar(mark).bind(self.schema).fetch_one(&mut *tx).await?;
        let (context, mac) = self.proof(log, &mark);
        sqlx::query(POSTGRES_CONTEXT).bind(context).bind(mac).execute(&mut *tx).await?;
        Ok(tx)
    }

    async fn lock(
        &self,
        log: Log,
        mark: &'static str,
    ) -> Result<(Transaction<'static, Any>, Option<AnyRow>), sqlx::Error> {
        let mut tx = self.pool.begin_with(POSTGRES_WRITE).await?;
        let mark: String =
            sqlx::query_scalar(mark).bind(self.schema).bind(log.origin()).fetch_one(&mut *tx).await?;
        let (context, mac) = self.proof(log, &mark);
        let enter = sqlx::query(POSTGRES_ENTER).bind(context).bind(mac).bind(log.origin());
        let end = enter.fetch_optional(&mut *tx).await?;
        Ok((tx, end))
    }

    /// The context of a transaction with this mark, and the proof of it. They are bound as parameters: the text of a
    /// statement is shown to the other sessions of the same role.
    fn proof(&self, log: Log, mark: &str) -> (String, String) {
        let context = context_of(log);
        let mac = self.key.mac(&context, mark);
        (context, mac)
    }

    /// What brings its commits to the disk.
    pub(super) const fn flusher(&self) -> &Arc<Flusher> {
        &self.flusher
    }
}

/// Brings the tables up to date, and gives the database its key unless it has one.
async fn migrate(owner: &str, key: &ContextKey, clock: &dyn Clock) -> Result<(), ControlError> {
    let options: AnyConnectOptions = owner.parse().map_err(storage(STEP))?;
    let mut connection = AnyConnection::connect_with(&options).await.map_err(storage(STEP))?;
    let tx = connection.begin().await.map_err(storage(STEP))?;
    migrations::apply(tx, POSTGRES_MIGRATIONS, POSTGRES, clock).await?;
    let mut tx = connection.begin().await.map_err(storage(STEP))?;
    sqlx::raw_sql("SET LOCAL ROLE cairn_keeper").execute(&mut *tx).await.map_err(storage(STEP))?;
    let (inner, outer) = key.pads();
    sqlx::query(
        "INSERT INTO cairn_keeper.context_key (inner_pad, outer_pad) VALUES ($1, $2) ON CONFLICT DO NOTHING",
    )
    .bind(inner)
    .bind(outer)
    .execute(&mut *tx)
    .await
    .map_err(storage(STEP))?;
    tx.commit().await.map_err(storage(STEP))?;
    connection.close().await.map_err(storage(STEP))
}

/// A pool of sessions, and the session that flushes.
async fn connect(address: &str, connections: u32) -> Result<(AnyPool, Arc<Flusher>), ControlError> {
    let options: AnyConnectOptions = address.parse().map_err(storage(STEP))?;
    // Alone, a session that cannot begin says why; a pool would try again.
    let mut first = AnyConnection::connect_with(&options).await.map_err(storage(STEP))?;
    sqlx::raw_sql(POSTGRES_FLUSHER).execute(&mut first).await.map_err(storage(STEP))?;
    let flusher = Flusher::start(options.clone(), first).await?;
    let pool = AnyPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(2 * BUSY_TIMEOUT)
        // A session answered when it was given back; only one that lay idle has to answer again.
        .test_before_acquire(false)
        .before_acquire(|connection, session| {
            Box::pin(async move { Ok(session.idle_for < TRUSTED_FOR || connection.ping().await.is_ok()) })
        });
    Ok((pool.connect_lazy_with(options), flusher))
}

async fn refuse_unmigrated(system: &Served) -> Result<(), ControlError> {
    let applied: Vec<(String, String)> =
        sqlx::query_as("SELECT name, sha256 FROM cairn_schema.schema_migrations ORDER BY name")
            .fetch_all(&system.pool)
            .await
            .map_err(|_| ControlError::MigrationMissing { name: POSTGRES[0].name().to_owned() })?;
    migrations::refuse_changed(&applied, POSTGRES)?;
    match POSTGRES.get(applied.len()) {
        Some(missing) => Err(ControlError::MigrationMissing { name: missing.name().to_owned() }),
        None => Ok(()),
    }
}

/// A role that policies do not bind, or that could take them away, would serve every tenant's rows to anybody.
async fn refuse_mighty(served: &Served) -> Result<(), ControlError> {
    let mighty: Option<String> = sqlx::query_scalar(
        "SELECT rolname::text FROM pg_roles
         WHERE rolname = current_user
           AND (rolsuper OR rolbypassrls OR EXISTS (
               SELECT 1 FROM pg_class
               WHERE relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname LIKE 'cairn%')
                 AND pg_has_role(current_user, relowner, 'MEMBER')))",
    )
    .fetch_optional(&served.pool)
    .await
    .map_err(storage(STEP))?;
    mighty.map_or(Ok(()), |role| Err(ControlError::DatabaseRole { role }))
}

async fn refuse_other_key(system: &Served) -> Result<(), ControlError> {
    let mut tx = system.enter(Log::System, POSTGRES_READ, POSTGRES_MARK).await.map_err(storage(STEP))?;
    let proved: Option<String> = sqlx::query_scalar("SELECT cairn_keeper.context()")
        .fetch_one(&mut *tx)
        .await
        .map_err(storage(STEP))?;
    if proved.is_some() { Ok(()) } else { Err(ControlError::ContextKeyUnknown) }
}
