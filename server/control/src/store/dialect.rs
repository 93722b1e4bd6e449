//! Where the databases differ. Everything else speaks SQL that each of them takes, with `$1` for parameters and
//! texts, integers and bytes for values.

use std::path::Path;

use sqlx::any::AnyConnectOptions;
use sqlx::sqlite::SqliteError;

/// Begins a transaction that will write: it waits for the file's write lock here, not at its first change.
pub(super) const BEGIN_WRITING: &str = "BEGIN IMMEDIATE";

/// What every connection to a SQLite file is told. The number is [`super::database::BUSY_TIMEOUT`].
pub(super) const SQLITE_SESSION: &str = "PRAGMA busy_timeout = 15000; PRAGMA foreign_keys = ON; \
     PRAGMA recursive_triggers = ON; PRAGMA trusted_schema = OFF";

/// Further, for one that writes.
pub(super) const SQLITE_WRITING: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL";

/// Further, for one that may only read.
pub(super) const SQLITE_READING: &str = "PRAGMA query_only = ON";

/// How a SQLite file is opened: made when it is not there, or refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
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

/// Whether another connection held the lock. SQLite's primary code is the low byte of the extended one.
pub(crate) fn is_busy(error: &sqlx::Error) -> bool {
    const BUSY: u32 = 5;
    const LOCKED: u32 = 6;
    if matches!(error, sqlx::Error::PoolTimedOut) {
        return true;
    }
    let Some(error) = error.as_database_error() else { return false };
    let code = error.code().unwrap_or_default();
    error.try_downcast_ref::<SqliteError>().is_some()
        && code.parse::<u32>().is_ok_and(|code| matches!(code & 0xff, BUSY | LOCKED))
}
