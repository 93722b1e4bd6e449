//! Which database keeps tenants, accounts, deliveries and the ledger.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use clap::{Args, ValueEnum};
use control::{DatabaseEngine, DatabaseSettings, PostgresSettings};

use crate::error::{Failure, Result};

/// Where the control plane keeps its rows.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Control database")]
pub(crate) struct DatabaseArgs {
    /// SQLite files in the data folder, or a PostgreSQL server.
    #[arg(long, global = true, env = "CAIRN_DATABASE", value_enum, default_value_t)]
    database: Kind,
    /// Address of the PostgreSQL database as `cairn_app`.
    #[arg(long, global = true, env = "CAIRN_DATABASE_APP_URL", hide_env_values = true, value_name = "URL")]
    database_app_url: Option<Address>,
    /// The same as `cairn_system`.
    #[arg(
        long,
        global = true,
        env = "CAIRN_DATABASE_SYSTEM_URL",
        hide_env_values = true,
        value_name = "URL"
    )]
    database_system_url: Option<Address>,
    /// The same as `cairn_owner`, who migrates; without it, tables that lack a migration are refused.
    #[arg(long, global = true, env = "CAIRN_DATABASE_OWNER_URL", hide_env_values = true, value_name = "URL")]
    database_owner_url: Option<Address>,
    /// The most connections of this process as `cairn_app`.
    #[arg(long, global = true, env = "CAIRN_DATABASE_CONNECTIONS", default_value_t = 16, value_name = "N")]
    database_connections: u32,
    /// How many processes on how many machines share the database.
    #[arg(long, global = true, env = "CAIRN_REPLICAS", default_value_t = 1, value_name = "N")]
    replicas: u32,
}

/// A database that can keep the rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// Files in the data folder, one for each tenant.
    #[default]
    Sqlite,
    /// A server that several replicas share.
    Postgres,
}

/// An address that may hold a password.
#[derive(Clone)]
struct Address(String);

impl DatabaseArgs {
    /// What the control plane is opened with.
    pub(crate) fn settings(&self) -> Result<DatabaseSettings> {
        let engine = match self.database {
            Kind::Sqlite => DatabaseEngine::Sqlite,
            Kind::Postgres => DatabaseEngine::Postgres(PostgresSettings {
                owner: self.database_owner_url.as_ref().map(|address| address.0.clone()),
                system: wanted(self.database_system_url.as_ref(), "CAIRN_DATABASE_SYSTEM_URL")?,
                app: wanted(self.database_app_url.as_ref(), "CAIRN_DATABASE_APP_URL")?,
                connections: self.database_connections,
            }),
        };
        Ok(DatabaseSettings { engine, replicas: self.replicas })
    }
}

fn wanted(address: Option<&Address>, variable: &str) -> Result<String> {
    let address = address.filter(|address| !address.0.is_empty());
    address.map(|address| address.0.clone()).ok_or_else(|| {
        Failure::Usage(format!("PostgreSQL needs an address: set {variable} (docs/databases.md)"))
    })
}

impl FromStr for Address {
    type Err = Infallible;

    fn from_str(text: &str) -> std::result::Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Address")
    }
}
