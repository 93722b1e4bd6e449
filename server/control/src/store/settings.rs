//! Which database keeps the rows.

use std::fmt;

use crate::error::ControlError;

/// Which database keeps the rows, and how many processes share it.
///
/// Every command of `cairn` reads them from these flags and variables:
///
/// | flag | variable | |
/// |---|---|---|
/// | `--database` | `CAIRN_DATABASE` | `sqlite` (default) or `postgres` |
/// | `--database-app-url` | `CAIRN_DATABASE_APP_URL` | address of the database as `cairn_app` |
/// | `--database-system-url` | `CAIRN_DATABASE_SYSTEM_URL` | the same as `cairn_system` |
/// | `--database-owner-url` | `CAIRN_DATABASE_OWNER_URL` | the same as `cairn_owner`; without it nothing is migrated |
/// | `--database-connections` | `CAIRN_DATABASE_CONNECTIONS` | of `cairn_app`, for each process (default 16) |
/// | `--replicas` | `CAIRN_REPLICAS` | processes that share the database (default 1) |
///
/// The addresses hold passwords: they belong into variables, which a list of processes does not show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseSettings {
    /// Which database.
    pub engine: DatabaseEngine,
    /// How many processes on how many machines share it; at least one.
    pub replicas: u32,
}

/// A database that can keep the rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatabaseEngine {
    /// Files in the data folder, one for each tenant. Processes of one machine alone may share them.
    Sqlite,
    /// A server, version 15 or newer, prepared as `docs/databases.md` says.
    Postgres(PostgresSettings),
}

/// Addresses of one PostgreSQL database, `postgres://role:password@host:port/database`, for each role.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresSettings {
    /// As `cairn_owner`, who makes and migrates the tables. Without it, tables that lack a migration are refused.
    pub owner: Option<String>,
    /// As `cairn_system`, who serves what belongs to the deployment.
    pub system: String,
    /// As `cairn_app`, who serves what belongs to tenants.
    pub app: String,
    /// The most connections that this process holds as `cairn_app`; a quarter of it, but four at least, as
    /// `cairn_system`. Each role has one more, which brings commits to the disk.
    pub connections: u32,
}

impl Default for DatabaseSettings {
    fn default() -> Self {
        Self { engine: DatabaseEngine::Sqlite, replicas: 1 }
    }
}

impl DatabaseSettings {
    /// A file cannot be shared between machines: its locks do not reach over a network.
    pub(crate) fn check(&self) -> Result<(), ControlError> {
        match self.engine {
            DatabaseEngine::Sqlite if self.replicas > 1 => {
                Err(ControlError::SqliteShared { replicas: self.replicas })
            }
            DatabaseEngine::Sqlite | DatabaseEngine::Postgres(_) => Ok(()),
        }
    }
}

impl fmt::Debug for PostgresSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresSettings").field("connections", &self.connections).finish_non_exhaustive()
    }
}
