//! Where a deployment keeps its keys and its rows, on either database, and how an intruder gets at the rows.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use control::{Control, ControlError, ControlSettings, DatabaseEngine, DatabaseSettings};
use kernel::{Clock, TenantId};
use sqlx::any::install_default_drivers;
use sqlx::{AnyConnection, AssertSqlSafe, Connection, Row};
use tempfile::TempDir;

use crate::cluster;

/// Which database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
}

/// Whose rows.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Whose {
    Systems,
    Tenants(TenantId),
}

/// A data folder, and a database where it is not in the folder.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) folder: TempDir,
    pub(crate) database: Option<cluster::Database>,
}

impl Site {
    /// An empty one. `None` where there is no such database.
    pub(crate) async fn new(engine: Engine) -> Option<Self> {
        install_default_drivers();
        let folder = TempDir::new().expect("a temporary folder can be made");
        let database = match engine {
            Engine::Sqlite => None,
            Engine::Postgres => Some(cluster::database().await?),
        };
        Some(Self { folder, database })
    }

    /// An empty one on a server of its own, which ends with the second value.
    pub(crate) async fn alone(engine: Engine) -> Option<(Self, Option<cluster::Cluster>)> {
        if engine == Engine::Sqlite {
            return Some((Self::new(engine).await?, None));
        }
        let server = cluster::Cluster::start(cluster::Durability::Fleeting).await?;
        let folder = TempDir::new().expect("a temporary folder can be made");
        Some((Self { folder, database: Some(server.database().await) }, Some(server)))
    }

    pub(crate) fn settings(&self) -> ControlSettings {
        let engine = match &self.database {
            None => DatabaseEngine::Sqlite,
            Some(database) => DatabaseEngine::Postgres(database.settings(4)),
        };
        ControlSettings { database: DatabaseSettings { engine, replicas: 1 }, ..ControlSettings::default() }
    }

    pub(crate) async fn open(&self, clock: Arc<dyn Clock>) -> Result<Control, ControlError> {
        Control::open_at(self.folder.path(), &self.settings(), clock).await
    }

    /// Where the rows lie in files of whatever form.
    pub(crate) fn folders(&self) -> Vec<PathBuf> {
        let served = self.database.iter().map(|database| database.tell().0.to_owned());
        std::iter::once(self.folder.path().to_owned()).chain(served).collect()
    }

    pub(crate) fn system_file(&self) -> PathBuf {
        self.folder.path().join("control/system.sqlite")
    }

    pub(crate) fn tenant_file(&self, tenant: TenantId) -> PathBuf {
        self.folder.path().join(format!("control/tenants/{tenant}.sqlite"))
    }

    /// How many tenants have rows, listed or not.
    pub(crate) async fn tenants(&self) -> usize {
        if let Some(database) = &self.database {
            let mut connection = database.connect("postgres").await;
            let count: i64 = sqlx::query_scalar("SELECT count(DISTINCT tenant_id) FROM cairn.audit_head")
                .fetch_one(&mut connection)
                .await
                .expect("the tables are there");
            return usize::try_from(count).expect("a count is not negative");
        }
        let files =
            std::fs::read_dir(self.folder.path().join("control/tenants")).expect("the folder is there");
        let names = files.map(|file| file.expect("the folder can be read").path());
        names.filter(|path| path.extension().is_some_and(|extension| extension == "sqlite")).count()
    }

    /// A connection that no policy binds, among the tables of those rows.
    pub(crate) async fn connect(&self, whose: Whose) -> AnyConnection {
        let Some(database) = &self.database else {
            let file = match whose {
                Whose::Systems => self.system_file(),
                Whose::Tenants(tenant) => self.tenant_file(tenant),
            };
            return connect_file(&file).await;
        };
        let mut connection = database.connect("postgres").await;
        run(&mut connection, &format!("SET search_path = {}", schema(whose))).await;
        connection
    }

    /// Edits the rows as an intruder would: with the guards taken down.
    pub(crate) async fn intrude(&self, whose: Whose, statements: &[&str]) {
        let mut connection = self.connect(whose).await;
        let guards = if self.database.is_none() {
            "SELECT 'DROP TRIGGER ' || name FROM sqlite_schema WHERE type = 'trigger'"
        } else {
            "SELECT DISTINCT 'ALTER TABLE ' || event_object_table || ' DISABLE TRIGGER USER'
             FROM information_schema.triggers WHERE trigger_schema = current_schema()"
        };
        let guards: Vec<String> =
            sqlx::query_scalar(guards).fetch_all(&mut connection).await.expect("the schema can be read");
        for statement in guards.iter().map(String::as_str).chain(statements.iter().copied()) {
            run(&mut connection, statement).await;
        }
        connection.close().await.expect("the connection can be closed");
    }

    /// Every row of every table, as text.
    pub(crate) async fn contents(&self, whose: Whose) -> BTreeMap<String, Vec<String>> {
        let mut connection = self.connect(whose).await;
        let (tables, columns) = if self.database.is_none() {
            (
                "SELECT name FROM sqlite_schema WHERE type = 'table'",
                "SELECT 'quote(' || name || ')' FROM pragma_table_info($1)",
            )
        } else {
            (
                "SELECT relname::text FROM pg_class WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace",
                // As SQLite quotes. The column that a file has no need of is left out.
                "SELECT CASE WHEN atttypid = 'bytea'::regtype
                             THEN 'coalesce(''X'''''' || encode(' || attname || ', ''hex'') || '''''''', ''NULL'')'
                             WHEN atttypid = 'bigint'::regtype THEN 'coalesce(' || attname || '::text, ''NULL'')'
                             ELSE 'quote_nullable(' || attname || ')' END
                 FROM pg_attribute
                 WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped
                   AND (attname <> 'tenant_id' OR attrelid::regclass::text LIKE '%audit_events'
                        OR attrelid::regclass::text IN ('tenants', 'account_directory'))
                 ORDER BY attnum",
            )
        };
        let tables: Vec<String> =
            sqlx::query_scalar(tables).fetch_all(&mut connection).await.expect("the schema can be read");
        let mut contents = BTreeMap::new();
        for table in tables {
            let columns: Vec<String> = sqlx::query_scalar(columns)
                .bind(&table)
                .fetch_all(&mut connection)
                .await
                .expect("the schema can be read");
            let only = match (whose, &self.database) {
                (Whose::Tenants(tenant), Some(_)) => format!("WHERE tenant_id = '{tenant}'"),
                _ => String::new(),
            };
            let line = columns.join(" || '|' || ");
            let statement = format!("SELECT {line} AS line FROM {table} {only} ORDER BY line");
            let rows = sqlx::query(AssertSqlSafe(statement)).fetch_all(&mut connection).await;
            let lines = rows.expect("the table can be read").iter().map(|row| row.get("line")).collect();
            contents.insert(table, lines);
        }
        contents
    }
}

/// The ledger's rows, as an intruder or a backup keeps them.
#[derive(Debug)]
pub(crate) struct Kept {
    whose: Whose,
    tables: Vec<(&'static str, Vec<String>)>,
}

impl Site {
    /// Keeps the ledger's rows, to put them back later.
    pub(crate) async fn keep(&self, whose: Whose) -> Kept {
        let mut contents = self.contents(whose).await;
        let tables: &[&str] = match whose {
            Whose::Systems => &["audit_events", "audit_head", "audit_checkpoints"],
            Whose::Tenants(_) => &["audit_events", "audit_head"],
        };
        let tables = tables.iter().map(|&table| (table, contents.remove(table).expect("the table is there")));
        Kept { whose, tables: tables.collect() }
    }

    /// Puts the ledger's rows back as they were. Every other table stays as it is.
    pub(crate) async fn put_back(&self, kept: &Kept) {
        self.intrude(kept.whose, &[]).await;
        let mut connection = self.connect(kept.whose).await;
        let tenant = match (&self.database, kept.whose) {
            (Some(_), Whose::Tenants(tenant)) => Some(tenant),
            _ => None,
        };
        for (table, rows) in &kept.tables {
            let only = tenant.map_or_else(String::new, |tenant| format!("WHERE tenant_id = '{tenant}'"));
            run(&mut connection, &format!("DELETE FROM {table} {only}")).await;
            // The head's owner, which a line of `contents` does not have.
            let owner = tenant.filter(|_| *table == "audit_head");
            let owner = owner.map_or_else(String::new, |tenant| format!("'{tenant}',"));
            for row in rows {
                let mut values = row.replace('|', ",");
                if self.database.is_some() {
                    // Its own spelling of bytes.
                    values = values.replace(",X'", ",'\\x");
                }
                run(&mut connection, &format!("INSERT INTO {table} VALUES ({owner}{values})")).await;
            }
        }
    }
}

/// A copy of a folder.
pub(crate) fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder can be made");
    for entry in std::fs::read_dir(from).expect("the folder is there") {
        let entry = entry.expect("the folder can be read");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("a file can be copied");
        }
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let Some(database) = self.database.take() else { return };
        // The test's own runtime waits for this very thread.
        let removal = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime can be made").block_on(database.remove());
        });
        removal.join().expect("the database can be removed");
    }
}

const fn schema(whose: Whose) -> &'static str {
    match whose {
        Whose::Systems => "cairn_system",
        Whose::Tenants(_) => "cairn",
    }
}

pub(crate) async fn connect_file(file: &Path) -> AnyConnection {
    let address = format!("sqlite://{}?mode=rw", file.display());
    AnyConnection::connect(&address).await.expect("the file can be opened")
}

pub(crate) async fn run(connection: &mut AnyConnection, statement: &str) {
    let ran = sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(connection).await;
    assert!(ran.is_ok(), "{statement}: {ran:?}");
}
