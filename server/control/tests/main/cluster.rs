//! A PostgreSQL of this test program's own: made in a temporary folder at first use, reached through a socket
//! there, and ended with the program. `CAIRN_POSTGRES` names the server's program.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use control::PostgresSettings;
use sqlx::any::install_default_drivers;
use sqlx::{AnyConnection, AssertSqlSafe, Connection};
use tokio::sync::OnceCell;

const ROLES: &str = include_str!("../../../../migrations/postgres/roles.sql");
const ABSENCE: &str = "not run: CAIRN_POSTGRES is not set; use ./dev test";

/// Waits until its input ends, which it does with this program, and takes the server and its files along.
const KEEPER: &str = r#"
folder=$1; shift
"$@" >"$folder/log" 2>&1 </dev/null & server=$!
cat >/dev/null
kill -INT $server; wait $server; rm -rf "$folder"
"#;

/// The same for a server that is started again whenever it ends by itself, as a service is. It writes small files of its
/// write-ahead log, and many.
const SERVICE: &str = r#"
folder=$1; shift
(
  over=; trap 'over=1; kill -INT $server' TERM
  while [ -z "$over" ]; do
    "$@" -c max_wal_size=4MB -c min_wal_size=2MB >>"$folder/log" 2>&1 </dev/null & server=$!
    while kill -0 $server 2>/dev/null; do wait $server; done
    [ -n "$over" ] || sleep 0.2
  done
) & service=$!
cat >/dev/null
kill -TERM $service; wait $service; rm -rf "$folder"
"#;

/// Whether what was written survives the machine. Tests need it only where they measure its cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    Durable,
    Fleeting,
}

/// A running server.
#[derive(Debug)]
pub(crate) struct Cluster {
    folder: PathBuf,
    // Its input is a pipe from this program.
    _keeper: Child,
    databases: AtomicU32,
}

/// A database on it, with nothing in it.
#[derive(Debug, Clone)]
pub(crate) struct Database {
    folder: PathBuf,
    name: String,
}

/// A new database on the server that the tests share; `None`, with a printed line, where there is no PostgreSQL.
pub(crate) async fn database() -> Option<Database> {
    static SHARED: OnceCell<Option<Cluster>> = OnceCell::const_new();
    let cluster = SHARED.get_or_init(|| Cluster::start(Durability::Fleeting)).await.as_ref()?;
    Some(cluster.database().await)
}

impl Cluster {
    pub(crate) async fn start(durability: Durability) -> Option<Self> {
        Self::kept_by(KEEPER, durability, &[]).await
    }

    /// A server that is started again whenever it ends by itself. Its files lie where `TMPDIR` says.
    pub(crate) async fn service() -> Option<Self> {
        Self::kept_by(SERVICE, Durability::Durable, &["--wal-segsize=1"]).await
    }

    async fn kept_by(keeper: &str, durability: Durability, made_with: &[&str]) -> Option<Self> {
        let program = program()?;
        install_default_drivers();
        // The server refuses to run as root, and its keeper takes the folder away in the end.
        let made = unprivileged(Path::new("mktemp")).args(["-d", "-t", "cairn-pg.XXXXXX"]).output();
        let made = made.expect("every Unix knows `mktemp`");
        let folder = PathBuf::from(String::from_utf8_lossy(&made.stdout).trim());
        assert!(folder.is_dir(), "{}", String::from_utf8_lossy(&made.stderr));
        let data = folder.join("data");
        let tools = program.parent().expect("a program lies in a folder");
        let mut initdb = unprivileged(&tools.join("initdb"));
        initdb.args([
            "--username=postgres",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
            "-D",
        ]);
        let made = initdb.arg(&data).args(made_with).output().expect("initdb starts");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));

        let script = keeper;
        let mut keeper = unprivileged(Path::new("sh"));
        keeper.args(["-c", script, "keeper"]).arg(&folder).arg(&program).arg("-D").arg(&data);
        keeper.arg("-k").arg(&folder).args(["-c", "listen_addresses=", "-c", "max_connections=300"]);
        if durability == Durability::Fleeting {
            keeper.args(["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"]);
        }
        keeper.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let keeper = keeper.spawn().expect("a shell starts");
        let cluster = Self { folder, _keeper: keeper, databases: AtomicU32::new(0) };
        cluster.answers().await;
        let mut postgres = cluster.administrator().await;
        sqlx::raw_sql(ROLES).execute(&mut postgres).await.expect("the roles are new");
        Some(cluster)
    }

    pub(crate) async fn database(&self) -> Database {
        let name = format!("cairn_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let mut postgres = self.administrator().await;
        let make = format!("CREATE DATABASE {name} OWNER cairn_owner");
        sqlx::raw_sql(AssertSqlSafe(make)).execute(&mut postgres).await.expect("the database is new");
        self.named(&name)
    }

    /// A session of the server's administrator.
    pub(crate) async fn administrator(&self) -> AnyConnection {
        self.named("postgres").connect("postgres").await
    }

    /// Where its files lie.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    fn named(&self, name: &str) -> Database {
        Database { folder: self.folder.clone(), name: name.to_owned() }
    }

    async fn answers(&self) {
        let started = Instant::now();
        let address = self.named("postgres").address("postgres");
        while AnyConnection::connect(&address).await.is_err() {
            let log = std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
            assert!(started.elapsed() < Duration::from_secs(60), "the server does not answer: {log}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Database {
    /// One that another process has told of.
    pub(crate) fn told(folder: &Path, name: &str) -> Self {
        install_default_drivers();
        Self { folder: folder.to_owned(), name: name.to_owned() }
    }

    /// What another process needs to know of it.
    pub(crate) fn tell(&self) -> (&Path, &str) {
        (&self.folder, &self.name)
    }

    /// Where a role finds it.
    pub(crate) fn address(&self, role: &str) -> String {
        format!("postgres:///{}?host={}&user={role}", self.name, self.folder.display())
    }

    pub(crate) async fn connect(&self, role: &str) -> AnyConnection {
        AnyConnection::connect(&self.address(role)).await.expect("the server takes connections")
    }

    /// Makes room for the next one.
    pub(crate) async fn remove(&self) {
        let mut postgres = Self { name: "postgres".to_owned(), ..self.clone() }.connect("postgres").await;
        let drop = format!("DROP DATABASE {} WITH (FORCE)", self.name);
        sqlx::raw_sql(AssertSqlSafe(drop)).execute(&mut postgres).await.expect("the database is there");
    }

    pub(crate) fn settings(&self, connections: u32) -> PostgresSettings {
        PostgresSettings {
            owner: Some(self.address("cairn_owner")),
            system: self.address("cairn_system"),
            app: self.address("cairn_app"),
            connections,
        }
    }
}

/// The server's program. Without it, a test says so and ends; where `CI=true`, that is a failure.
pub(crate) fn program() -> Option<PathBuf> {
    static SAID: OnceLock<()> = OnceLock::new();
    let program = environment("CAIRN_POSTGRES").map(PathBuf::from);
    if program.is_none() {
        assert!(environment("CI").as_deref() != Some("true"), "{ABSENCE}");
        SAID.get_or_init(|| eprintln!("{ABSENCE}"));
    }
    program
}

/// A command that does not run as root, as which PostgreSQL does not start.
fn unprivileged(program: &Path) -> Command {
    let id = Command::new("id").arg("-u").output().expect("every Unix knows `id`");
    if id.stdout.trim_ascii() == b"0" {
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--"]).arg(program).current_dir("/").env_remove("TMPDIR");
        command
    } else {
        Command::new(program)
    }
}

#[expect(clippy::disallowed_methods, reason = "a test's surroundings are named by ./dev test")]
pub(crate) fn environment(variable: &str) -> Option<String> {
    std::env::var(variable).ok().filter(|value| !value.is_empty())
}
