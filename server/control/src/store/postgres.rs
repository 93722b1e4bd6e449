//! PostgreSQL: a pool for each role, and transactions that prove whose rows they work on. The policies of the
//! tables do the rest (`migrations/postgres`).

use std::path::Path;
use std::sync::Arc;

use kernel::Clock;
use sqlx::any::{AnyConnectOptions, AnyRow, install_default_drivers};
use sqlx::{AnyConnection, Connection};

use crate::error::{ControlError, storage};
use crate::ledger::Log;
use crate::store::context::{ContextKey, context_of};
use crate::store::database::Purpose;
use crate::store::dialect::{
    Beginnings, POSTGRES_CONTEXT, POSTGRES_ENTER, POSTGRES_FLUSHER, POSTGRES_MIGRATIONS, POSTGRES_SYSTEM,
    POSTGRES_TENANTS,
};
use crate::store::flusher::Flusher;
use crate::store::migrations::{self, POSTGRES};
use crate::store::session::{Session, Sessions};
use crate::store::settings::PostgresSettings;
use crate::store::transaction::Open;

const STEP: &str = "open the database";

/// The tables that one role serves.
#[derive(Debug, Clone)]
pub(crate) struct Served {
    sessions: Arc<Sessions>,
    flusher: Arc<Flusher>,
    key: Arc<ContextKey>,
    beginnings: Beginnings,
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
    let serve = async |address: &str, connections: u32, beginnings: Beginnings| {
        let (sessions, flusher) = connect(address, connections).await?;
        Ok::<_, ControlError>(Served { sessions, flusher, key: Arc::clone(&key), beginnings })
    };
    // One for the writer, and some for what a writer looks up before it commits.
    let system = serve(&settings.system, connections.div_ceil(4).max(4), POSTGRES_SYSTEM).await?;
    let tenants = serve(&settings.app, connections, POSTGRES_TENANTS).await?;
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
    ) -> Result<(Open, Option<AnyRow>), sqlx::Error> {
        let Beginnings { read, write, write_durably } = self.beginnings;
        let (session, end) = match purpose {
            Purpose::Read => (self.enter(log, read).await?, None),
            Purpose::Upkeep => (self.enter(log, write_durably).await?, None),
            Purpose::Write => self.lock(log, write).await?,
            Purpose::Sign => self.lock(log, write_durably).await?,
        };
        Ok((Open::Served(session), end))
    }

    async fn enter(&self, log: Log, begin: &'static str) -> Result<Session, sqlx::Error> {
        let (mut session, mark) = self.sessions.begin(begin).await?;
        let (context, mac) = self.proof(log, &mark);
        sqlx::query(POSTGRES_CONTEXT).bind(context).bind(mac).execute(&mut *session).await?;
        Ok(session)
    }

    async fn lock(&self, log: Log, begin: &'static str) -> Result<(Session, Option<AnyRow>), sqlx::Error> {
        let (mut session, mark) = self.sessions.begin(begin).await?;
        let (context, mac) = self.proof(log, &mark);
        let enter = sqlx::query(POSTGRES_ENTER).bind(context).bind(mac).bind(log.origin());
        let end = enter.fetch_optional(&mut *session).await?;
        Ok((session, end))
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

/// The sessions of a role, and the one that flushes.
async fn connect(address: &str, connections: u32) -> Result<(Arc<Sessions>, Arc<Flusher>), ControlError> {
    let options: AnyConnectOptions = address.parse().map_err(storage(STEP))?;
    // Alone, a session that cannot begin says why; a pool would try again.
    let mut first = AnyConnection::connect_with(&options).await.map_err(storage(STEP))?;
    sqlx::raw_sql(POSTGRES_FLUSHER).execute(&mut first).await.map_err(storage(STEP))?;
    let flusher = Flusher::start(options.clone(), first).await?;
    Ok((Sessions::new(options, connections), flusher))
}

async fn refuse_unmigrated(system: &Served) -> Result<(), ControlError> {
    let applied: Vec<(String, String)> =
        sqlx::query_as("SELECT name, sha256 FROM cairn_schema.schema_migrations ORDER BY name")
            .fetch_all(system.sessions.pool())
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
    .fetch_optional(served.sessions.pool())
    .await
    .map_err(storage(STEP))?;
    mighty.map_or(Ok(()), |role| Err(ControlError::DatabaseRole { role }))
}

async fn refuse_other_key(system: &Served) -> Result<(), ControlError> {
    let mut tx = system.enter(Log::System, system.beginnings.read).await.map_err(storage(STEP))?;
    let proved: Option<String> = sqlx::query_scalar("SELECT cairn_keeper.context()")
        .fetch_one(&mut *tx)
        .await
        .map_err(storage(STEP))?;
    if proved.is_some() { Ok(()) } else { Err(ControlError::ContextKeyUnknown) }
}
