//! Where the databases differ. Everything else speaks SQL that each of them takes, with `$1` for parameters and
//! texts, integers and bytes for values.

use std::path::Path;

use sqlx::any::AnyConnectOptions;
use sqlx::error::DatabaseError;
use sqlx::sqlite::SqliteError;

use crate::store::Connection;

/// Begins a transaction that will write. SQLite waits for the file's write lock here, not at its first change.
pub(super) const SQLITE_WRITE: &str = "BEGIN IMMEDIATE";

/// Begins a transaction that reads one state of the rows. A connection to a SQLite file for that cannot write.
pub(super) const SQLITE_READ: &str = "BEGIN";

/// What every connection to a SQLite file is told. The number is [`super::database::BUSY_TIMEOUT`].
pub(super) const SQLITE_SESSION: &str = "PRAGMA busy_timeout = 15000; PRAGMA foreign_keys = ON; \
     PRAGMA recursive_triggers = ON; PRAGMA trusted_schema = OFF";

/// Further, for one that writes.
pub(super) const SQLITE_WRITER: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL";

/// Further, for one that may only read.
pub(super) const SQLITE_READER: &str = "PRAGMA query_only = ON";

/// Asks for a COMMIT that waits until it lies where an operator chose (`docs/databases.md`), but on the disk at least. Until
/// the transaction ends, or the session.
macro_rules! durable {
    (is_local: $local:literal) => {
        concat!(
            "set_config('synchronous_commit', coalesce(nullif(current_setting('synchronous_commit'), 'off'), 'on'), ",
            $local,
            ")"
        )
    };
}

/// Begins a transaction of PostgreSQL, in a session that keeps nothing of what a statement before may have left in it, and
/// gives the mark that a proof is bound to. Until the transaction ends it holds how long it waits (the first number is
/// [`super::database::BUSY_TIMEOUT`]), and where its tables lie. The session's temporary tables come last, so that none can
/// stand in a table's place.
macro_rules! begin {
    ($mode:literal, $schema:literal $(, $before:literal)? $(; $also:expr)?) => {
        concat!(
            "BEGIN ISOLATION LEVEL ",
            $mode,
            "; RESET ALL; CLOSE ALL; UNLISTEN *; SET LOCAL lock_timeout = '15s'; ",
            "SET LOCAL idle_in_transaction_session_timeout = '60s'; SET LOCAL search_path = ",
            $schema,
            ", pg_temp; ",
            $($before,)?
            "SELECT cairn_keeper.transaction_mark(), pg_advisory_unlock_all()",
            $(", ", $also)?
        )
    };
}

/// How the transactions of a role of PostgreSQL begin.
#[derive(Debug, Clone, Copy)]
pub(super) struct Beginnings {
    /// One that reads one state of the rows.
    pub(super) read: &'static str,
    /// One that will write, and append to a log. Every statement after its lock has to see what the holder before it did.
    /// Its COMMIT does not wait for the disk: [`super::flusher`] does.
    pub(super) write: &'static str,
    /// One that writes without an event, or a checkpoint: its COMMIT waits for the disk.
    pub(super) write_durably: &'static str,
}

macro_rules! beginnings {
    ($schema:literal) => {
        Beginnings {
            read: begin!("REPEATABLE READ, READ ONLY", $schema),
            write: begin!("READ COMMITTED, READ WRITE", $schema, "SET LOCAL synchronous_commit = off; "),
            write_durably: begin!("READ COMMITTED, READ WRITE", $schema; durable!(is_local: true)),
        }
    };
}

/// Those of the role that serves the deployment, and of the one that serves its tenants.
pub(super) const POSTGRES_SYSTEM: Beginnings = beginnings!("cairn_system");
pub(super) const POSTGRES_TENANTS: Beginnings = beginnings!("cairn");

/// Keeps a transaction. Where a statement of it has failed, COMMIT alone would undo it and report nothing; the question
/// before it fails there.
pub(super) const POSTGRES_COMMIT: &str = "SELECT; COMMIT";

/// What the session that flushes is told when it begins.
pub(super) const POSTGRES_FLUSHER: &str = concat!("SELECT ", durable!(is_local: false));

/// Flushes the write-ahead log up to a record that it writes behind all others. The record is needed: the COMMIT
/// of a transaction that has written none flushes nothing.
pub(super) const POSTGRES_FLUSH: &str = "SELECT pg_logical_emit_message(true, 'cairn', '')::text";

/// Whose rows the transaction works on, and the proof. For who appends, waits for the lock of the log, and gives its end.
pub(super) const POSTGRES_CONTEXT: &str =
    "SELECT set_config('app.tenant', $1, true), set_config('app.tenant_mac', $2, true)";
pub(super) const POSTGRES_ENTER: &str =
    "SELECT size, last_hash, frontier, last_at FROM enter_log($1, $2, $3)";

/// Makes the list of migrations where there is none. Of several processes that start, one migrates at a time.
pub(super) const SQLITE_MIGRATIONS: &str = "CREATE TABLE IF NOT EXISTS schema_migrations (
    name TEXT NOT NULL PRIMARY KEY, sha256 TEXT NOT NULL, applied_at TEXT NOT NULL
) STRICT";
pub(super) const POSTGRES_MIGRATIONS: &str = "SELECT pg_advisory_xact_lock(4221);
CREATE SCHEMA IF NOT EXISTS cairn_schema;
SET LOCAL search_path = cairn_schema, pg_temp;
CREATE TABLE IF NOT EXISTS schema_migrations (
    name text NOT NULL PRIMARY KEY, sha256 text NOT NULL, applied_at text NOT NULL
);
GRANT USAGE ON SCHEMA cairn_schema TO cairn_system, cairn_app;
GRANT SELECT ON schema_migrations TO cairn_system, cairn_app";

/// Whether the rows lie in PostgreSQL.
pub(crate) fn is_served(connection: &Connection) -> bool {
    connection.backend_name() == <sqlx::Postgres as sqlx::Database>::NAME
}

/// Ends the statement that looks for a job to claim. A SQLite file is locked as a whole by then; in PostgreSQL the
/// row is, and one that another process is claiming is passed over.
pub(crate) fn claim_lock(connection: &Connection) -> &'static str {
    if is_served(connection) { "FOR UPDATE SKIP LOCKED" } else { "" }
}

/// Where the text of a leaf holds the text of a parameter, counted from 1; 0 when it does not.
pub(crate) fn leaf_holds(connection: &Connection, parameter: &str) -> String {
    if is_served(connection) {
        format!("strpos(convert_from(leaf, 'UTF8'), {parameter})")
    } else {
        format!("instr(CAST(leaf AS TEXT), {parameter})")
    }
}

/// Whether SQLite could not read or write its files. A full disk is told as such only where a page of the database did
/// not fit, and otherwise as an error of the disk: there was no room for the index of the write-ahead log, say.
pub(crate) fn is_disk_error(error: &sqlx::Error) -> bool {
    const IO_ERROR: u32 = 10;
    let error = error.as_database_error().and_then(|error| error.try_downcast_ref::<SqliteError>());
    let code = error.and_then(|error| DatabaseError::code(error).and_then(|code| code.parse::<u32>().ok()));
    code.is_some_and(|code| code & 0xff == IO_ERROR)
}

/// How a SQLite file is opened: made when it is not there, or refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Missing {
    Make,
    Refuse,
}

/// The address of a SQLite file in a folder that exists.
pub(super) fn sqlite_address(path: &Path, missing: Missing) -> Result<AnyConnectOptions, sqlx::Error> {
    // An address has no `..`, no relative path, and no letter that means something else in it.
    let folder = path.parent().unwrap_or_else(|| Path::new(".")).canonicalize()?;
    let path = path.file_name().map_or_else(|| folder.clone(), |name| folder.join(name));
    let mut address = "sqlite://".to_owned();
    for &byte in path.as_os_str().as_encoded_bytes() {
        if byte.is_ascii_alphanumeric() || b"/-_.".contains(&byte) {
            address.push(char::from(byte));
        } else {
            address.push_str(&format!("%{byte:02X}"));
        }
    }
    address.push_str(match missing {
        Missing::Make => "?mode=rwc",
        Missing::Refuse => "?mode=rw",
    });
    address.parse()
}

/// Whether another connection held a lock for too long, or there was no connection to be had.
pub(crate) fn is_busy(error: &sqlx::Error) -> bool {
    // SQLite's primary code is the low byte of the extended one.
    const BUSY: u32 = 5;
    const LOCKED: u32 = 6;
    // Source: PostgreSQL's documentation, appendix A: serialization failure, deadlock, too many connections,
    // lock not available.
    const POSTGRES: [&str; 4] = ["40001", "40P01", "53300", "55P03"];
    if matches!(error, sqlx::Error::PoolTimedOut) {
        return true;
    }
    let Some(error) = error.as_database_error() else { return false };
    let code = error.code().unwrap_or_default();
    if error.try_downcast_ref::<SqliteError>().is_some() {
        code.parse::<u32>().is_ok_and(|code| matches!(code & 0xff, BUSY | LOCKED))
    } else {
        POSTGRES.contains(&code.as_ref())
    }
}

/// Whether the session is gone, and not only its statement.
pub(super) fn is_lost(error: &sqlx::Error) -> bool {
    // Source: PostgreSQL's documentation, appendix A: the server ends, has crashed, or does not take sessions yet.
    const ENDED: &str = "57P";
    match error {
        sqlx::Error::Io(_) => true,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| code.starts_with(ENDED)),
        _ => false,
    }
}
