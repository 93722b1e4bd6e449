use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use chrono::{DateTime, TimeDelta, Utc};
use control::{
    Actor, Audience, AuditEvent, AuditFilter, Control, ControlError, Login, NewAccount, NewSnapshot, Tenant,
    TokenLifetimes, TraceId,
};
use kernel::{AccountId, Build, Clock, Grant, Role, SnapshotId, StudyId, StudyScope, TenantId};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Row, SqliteConnection};
use tempfile::TempDir;

pub(crate) const PASSWORD: &str = "correct horse battery";

/// A clock that moves only when told.
#[derive(Debug)]
pub(crate) struct HandClock(Mutex<DateTime<Utc>>);

impl HandClock {
    pub(crate) fn advance(&self, by: TimeDelta) {
        *self.0.lock().expect("no test panics while holding the clock") += by;
    }
}

impl Clock for HandClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().expect("no test panics while holding the clock")
    }
}

/// A deployment in a temporary folder.
pub(crate) struct World {
    folder: TempDir,
    anchor: Option<TempDir>,
    pub(crate) clock: Arc<HandClock>,
    pub(crate) control: Control,
}

impl World {
    pub(crate) async fn new() -> Self {
        let folder = TempDir::new().expect("a temporary folder can be made");
        let start = DateTime::from_timestamp(1_795_000_000, 0).expect("the time is valid");
        let clock = Arc::new(HandClock(Mutex::new(start)));
        let control = open(folder.path(), &clock).await;
        Self { folder, anchor: None, clock, control }
    }

    /// A deployment whose ledger is copied to another folder.
    pub(crate) async fn anchored() -> Self {
        let mut world = Self::new().await;
        world.anchor = Some(TempDir::new().expect("a temporary folder can be made"));
        world.control = world.try_reopened().await.expect("the folder can be opened");
        world
    }

    pub(crate) fn anchor(&self) -> &Path {
        self.anchor.as_ref().expect("the world is anchored").path()
    }

    /// As another process would open the same files, whatever comes of it.
    pub(crate) async fn try_reopened(&self) -> Result<Control, ControlError> {
        let clock: Arc<dyn Clock> = Arc::clone(&self.clock) as Arc<dyn Clock>;
        let anchor = self.anchor.as_ref().map(TempDir::path);
        Control::open_anchored(self.folder(), anchor, clock, TokenLifetimes::default()).await
    }

    /// A second handle on the same files, as another process would hold one.
    pub(crate) async fn reopened(&self) -> Control {
        open(self.folder.path(), &self.clock).await
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn system_file(&self) -> PathBuf {
        self.folder.path().join("control/system.sqlite")
    }

    pub(crate) fn tenant_file(&self, tenant: TenantId) -> PathBuf {
        self.folder.path().join(format!("control/tenants/{tenant}.sqlite"))
    }

    pub(crate) async fn tenant(&self, slug: &str) -> Tenant {
        self.control.create_tenant(&Actor::Operator, slug, slug).await.expect("the tenant is new")
    }

    pub(crate) async fn account(&self, tenant: TenantId, email: &str, grants: &[Grant]) -> AccountId {
        let account = new_account(email, grants);
        self.control.create_account(&Actor::Operator, tenant, account).await.expect("the account is new")
    }

    pub(crate) async fn login(&self, email: &str, audience: Audience) -> Login {
        self.control.login(email, PASSWORD, audience, &trace()).await.expect("the password is right")
    }

    /// The operator's scope on a registered study.
    pub(crate) async fn study(&self, tenant: TenantId, code: &str) -> StudyScope<Build> {
        let grants = self.control.operator_grants(tenant).await.expect("the tenant exists");
        let scope = grants.scope(&study(code)).expect("the operator may build");
        self.control.register_study(&Actor::Operator, &scope, code).await.expect("a study can be registered");
        scope
    }

    pub(crate) async fn events(&self, tenant: TenantId) -> Vec<AuditEvent> {
        let grants = self.control.operator_grants(tenant).await.expect("the tenant exists");
        let filter = AuditFilter { limit: 500, ..AuditFilter::default() };
        self.control.audit_page(&grants, filter).await.expect("the operator may read the log")
    }
}

async fn open(folder: &Path, clock: &Arc<HandClock>) -> Control {
    let clock: Arc<dyn Clock> = Arc::clone(clock) as Arc<dyn Clock>;
    Control::open(folder, clock).await.expect("the folder can be opened")
}

pub(crate) fn new_account(email: &str, grants: &[Grant]) -> NewAccount {
    NewAccount {
        email: email.to_owned(),
        password: PASSWORD.to_owned(),
        display_name: "Ada Lovelace".to_owned(),
        grants: grants.to_vec(),
    }
}

pub(crate) fn trace() -> TraceId {
    "4bf92f3577b34da6a3ce929d0e0e4736".parse().expect("the trace id is valid")
}

pub(crate) fn study(code: &str) -> StudyId {
    code.parse().expect("the code is valid")
}

pub(crate) fn everywhere(role: Role) -> Grant {
    Grant { role, study: None }
}

pub(crate) fn only_in(role: Role, code: &str) -> Grant {
    Grant { role, study: Some(study(code)) }
}

pub(crate) fn snapshot_id(name: &str) -> SnapshotId {
    SnapshotId::of_manifest(name.as_bytes())
}

pub(crate) fn new_snapshot(name: &str, replaces: Option<&str>) -> NewSnapshot {
    NewSnapshot {
        id: snapshot_id(name),
        manifest_key: format!("manifests/{name}"),
        has_marts: false,
        replaces: replaces.map(snapshot_id),
    }
}

/// Edits a database as an intruder would: with the guards taken down.
pub(crate) async fn intrude(file: &Path, statements: &[&str]) {
    let mut connection = connect(file).await;
    let triggers: Vec<String> = sqlx::query_scalar("SELECT name FROM sqlite_schema WHERE type = 'trigger'")
        .fetch_all(&mut connection)
        .await
        .expect("the schema can be read");
    let guards_down = triggers.iter().map(|name| format!("DROP TRIGGER {name}"));
    for statement in guards_down.chain(statements.iter().map(|&statement| statement.to_owned())) {
        run(&mut connection, &statement).await;
    }
    connection.close().await.expect("the connection can be closed");
}

pub(crate) async fn connect(file: &Path) -> SqliteConnection {
    SqliteConnectOptions::new().filename(file).connect().await.expect("the file can be opened")
}

pub(crate) async fn run(connection: &mut SqliteConnection, statement: &str) {
    let ran = sqlx::query(AssertSqlSafe(statement.to_owned())).execute(connection).await;
    assert!(ran.is_ok(), "{statement}: {ran:?}");
}

/// A copy of the control plane's files, as a backup holds them.
pub(crate) fn back_up(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder can be made");
    for entry in std::fs::read_dir(from).expect("the folder is there") {
        let entry = entry.expect("the folder can be read");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            back_up(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("a file can be copied");
        }
    }
}

/// What the second verifier, in Python, says: its exit code and its answer.
pub(crate) fn second_verifier(arguments: &[&str]) -> (i32, serde_json::Value) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/verify_audit.py");
    let mut command = std::process::Command::new("python3");
    let output = command.arg(script).args(arguments).arg("--json").output().expect("python3 can be started");
    let answer = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let code = output.status.code().expect("it ended by itself");
    assert!([0, 1, 2].contains(&code), "{}", String::from_utf8_lossy(&output.stderr));
    (code, answer)
}

/// Every row of every table, as text.
pub(crate) async fn contents(file: &Path) -> BTreeMap<String, Vec<String>> {
    let mut connection = connect(file).await;
    let tables: Vec<String> = sqlx::query_scalar("SELECT name FROM sqlite_schema WHERE type = 'table'")
        .fetch_all(&mut connection)
        .await
        .expect("the schema can be read");
    let mut contents = BTreeMap::new();
    for table in tables {
        let columns: Vec<String> = sqlx::query_scalar("SELECT name FROM pragma_table_info($1)")
            .bind(&table)
            .fetch_all(&mut connection)
            .await
            .expect("the schema can be read");
        let quoted: Vec<String> = columns.iter().map(|column| format!("quote({column})")).collect();
        let statement = format!("SELECT {} AS line FROM {table} ORDER BY line", quoted.join(" || '|' || "));
        let rows = sqlx::query(AssertSqlSafe(statement)).fetch_all(&mut connection).await;
        let lines = rows.expect("the table can be read").iter().map(|row| row.get("line")).collect();
        contents.insert(table, lines);
    }
    contents
}
