//! A data folder of a story's own, and the people in it.

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Need, Server, Visitor};

/// The tenant and the study of the demonstration that no network is needed for.
pub(crate) const TENANT: &str = "meridian";
pub(crate) const STUDY: &str = "SIM-001";
/// The second tenant that the stories add to it, and its study.
pub(crate) const OTHER_TENANT: &str = "other";
pub(crate) const OTHER_STUDY: &str = "OTHER-9";
/// A further study of the first tenant. Its title, a site, a subject and an event carry the canary.
pub(crate) const CANARY_STUDY: &str = "CAGE-1";
pub(crate) const CANARY: &str = "Canary-7f3a";

const PASSWORD: &str = "a password for tests alone";

/// The program, a data folder, and a place beside it for what is delivered.
#[derive(Debug)]
pub(crate) struct Installation {
    pub(crate) program: PathBuf,
    folder: TempDir,
}

/// How a command ended and what it said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) errors: String,
}

/// Somebody who can log in.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub(crate) email: String,
    pub(crate) password: String,
}

impl Installation {
    /// An empty one. Nothing of it is left when the story lets go of it.
    pub(crate) fn empty() -> Option<Self> {
        let program = Need::Cairn.path()?;
        let folder = tempfile::tempdir().expect("the system gives temporary folders");
        Some(Self { program, folder })
    }

    /// An empty one with a tenant.
    pub(crate) fn with_tenant(slug: &str) -> Option<Self> {
        let installation = Self::empty()?;
        installation.must(&["admin", "tenant", "create", slug]);
        Some(installation)
    }

    /// A copy of the demonstration with a second tenant. It is made once for all stories that run together.
    pub(crate) fn demonstration() -> Option<Self> {
        static MADE: OnceLock<(PathBuf, File)> = OnceLock::new();
        let copy = Self::empty()?;
        let (data, _lock) = MADE.get_or_init(|| {
            let place = Path::new(env!("CARGO_TARGET_TMPDIR"));
            // Held until this process ends: another one that runs stories waits, and makes its own.
            let lock = File::create(place.join("demonstration.lock")).expect("Cargo gives a folder");
            lock.lock().expect("a file can be locked");
            (make_demonstration(&copy, &place.join("demonstration")), lock)
        });
        copy_folder(data, &copy.data());
        Some(copy)
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A place beside the data folder.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs the program over the data folder, in the folder beside it.
    pub(crate) fn run(&self, arguments: &[&str]) -> Said {
        self.run_with(&self.data(), arguments, "")
    }

    /// The same, and it has to end well.
    pub(crate) fn must(&self, arguments: &[&str]) -> Said {
        let said = self.run(arguments);
        assert_eq!(said.code, Some(0), "`cairn {}` failed:\n{said}", arguments.join(" "));
        said
    }

    /// A command over the data folder that is not started yet.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.arg("--data").arg(self.data()).args(arguments).current_dir(self.folder.path());
        command
    }

    /// An account for all studies of a tenant.
    pub(crate) fn account(&self, tenant: &str, role: &str) -> Account {
        self.account_in(&self.data(), tenant, role, &[])
    }

    /// An account for one study of a tenant.
    pub(crate) fn account_for_study(&self, tenant: &str, role: &str, study: &str) -> Account {
        self.account_in(&self.data(), tenant, role, &["--study", study])
    }

    fn account_in(&self, data: &Path, tenant: &str, role: &str, limit: &[&str]) -> Account {
        let whose =
            limit.last().map_or(tenant.to_owned(), |study| format!("{study}.{tenant}").to_lowercase());
        self.made_account(data, tenant, &format!("{role}@{whose}.test"), &[&["--role", role], limit].concat())
            .0
    }

    /// An account of a name of its own for all studies of a tenant, with its id.
    pub(crate) fn account_called(&self, name: &str, tenant: &str, role: &str) -> (Account, String) {
        self.made_account(&self.data(), tenant, &format!("{name}@{tenant}.test"), &["--role", role])
    }

    fn made_account(&self, data: &Path, tenant: &str, email: &str, grant: &[&str]) -> (Account, String) {
        let account = ["admin", "account", "create", tenant, "--email", email];
        let said = self.run_with(data, &[&account, grant].concat(), &format!("{PASSWORD}\n"));
        assert_eq!(said.code, Some(0), "no account could be made:\n{said}");
        let id = said.out.trim().strip_prefix("account ").expect("the command names the account");
        (Account { email: email.to_owned(), password: PASSWORD.to_owned() }, id.to_owned())
    }

    /// An account of the demonstration: its own, or one of those added for the second tenant.
    pub(crate) fn demo_account(&self, tenant: &str, role: &str) -> Account {
        if tenant != TENANT {
            return Account { email: format!("{role}@{tenant}.test"), password: PASSWORD.to_owned() };
        }
        let text = fs::read_to_string(self.data().join("demo.json")).expect("the demonstration has accounts");
        let demo: Value = serde_json::from_str(&text).expect("they are JSON");
        let accounts = demo["accounts"].as_array().expect("they are a list");
        let found = accounts.iter().find(|account| account["tenant"] == tenant && account["role"] == role);
        let found = found.expect("the demonstration has each role");
        let text = |name: &str| found[name].as_str().unwrap_or_default().to_owned();
        Account { email: text("email"), password: text("password") }
    }

    pub(crate) fn serve(&self) -> Server {
        Server::start(&self.program, &self.data())
    }

    /// That the ledger verifies and that every published file is what its manifest says.
    pub(crate) fn check_whole(&self, when: &str) {
        for arguments in [&["audit", "verify"][..], &["doctor"]] {
            let said = self.run(arguments);
            assert_eq!(said.code, Some(0), "{when}: `cairn {}` failed:\n{said}", arguments.join(" "));
        }
    }

    fn run_with(&self, data: &Path, arguments: &[&str], input: &str) -> Said {
        let mut child = Command::new(&self.program)
            .arg("--data")
            .arg(data)
            .args(arguments)
            .current_dir(self.folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program that ./dev test built starts");
        // A program that reads no input may be gone before it is written.
        drop(child.stdin.take().expect("it was asked for").write_all(input.as_bytes()));
        let output = child.wait_with_output().expect("the program ends");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Said { code: output.status.code(), out: text(&output.stdout), errors: text(&output.stderr) }
    }
}

impl std::fmt::Display for Said {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ended with {:?}\n{}{}", self.code, self.out, self.errors)
    }
}

impl Account {
    /// A token for `http` or `flight`.
    pub(crate) fn token(&self, server: &Server, audience: &str) -> String {
        let login = json!({ "email": self.email, "password": self.password, "audience": audience });
        let answer = Visitor::new().post_json(&server.url("/api/v1/login"), &login);
        assert_eq!(answer.status, 200, "{} cannot log in: {}", self.email, answer.body);
        answer.json()["token"].as_str().expect("a login gives a token").to_owned()
    }

    /// An API client with this account's token.
    pub(crate) fn client(&self, server: &Server) -> Visitor {
        Visitor::new().with_token(&self.token(server, "http"))
    }

    /// A browser that has signed in through the form.
    pub(crate) fn browser(&self, server: &Server) -> Visitor {
        let mut visitor = Visitor::new();
        let form = [("email", self.email.as_str()), ("password", &self.password), ("next", "/")];
        let answer = visitor.post_form(&server.url("/login"), &form);
        assert_eq!(answer.status, 303, "{} cannot sign in: {}", self.email, answer.body);
        visitor
    }
}

fn make_demonstration(by: &Installation, data: &Path) -> PathBuf {
    drop(fs::remove_dir_all(data));
    let must = |arguments: &[&str]| {
        let said = by.run_with(data, arguments, "");
        assert_eq!(said.code, Some(0), "`cairn {}` failed:\n{said}", arguments.join(" "));
    };
    must(&["demo", "--no-serve", "--without-pilot"]);
    write_cage(&by.beside("cage"));
    must(&[
        "ingest",
        "--tenant",
        TENANT,
        "--study",
        CANARY_STUDY,
        "--title",
        CANARY,
        "--mapping",
        "edc",
        "cage",
    ]);
    must(&["admin", "tenant", "create", OTHER_TENANT]);
    let small = ["--sites", "6", "--subjects-per-site", "5", "--seed", "7"];
    must(&[&["simulate", "theirs", "--study", OTHER_STUDY], &small[..]].concat());
    must(&["ingest", "--tenant", OTHER_TENANT, "--study", OTHER_STUDY, "theirs"]);
    for role in ["researcher", "data_engineer"] {
        by.account_in(data, OTHER_TENANT, role, &[]);
    }
    data.to_owned()
}

/// A study of two sites, of which `C1` and its subject `S1` can be asked for without naming the canary.
fn write_cage(folder: &Path) {
    fs::create_dir_all(folder).expect("the temporary folder takes folders");
    let study = format!("protocol_number,protocol_title,status\n{CANARY_STUDY},{CANARY} study,Active\n");
    let mut site = "protocol,pi_number,pi_first_name,pi_last_name,site_status,country,state\n".to_owned();
    for id in ["C1", CANARY] {
        site += &format!("{CANARY_STUDY},{id},{CANARY},Doe,Active,USA,{CANARY}\n");
    }
    let mut subj =
        "studyid,invid,subjid,subject_nsv,country,enrollyn,timeonstudy,timeontreatment\n".to_owned();
    let mut ae = "studyid,subjid,aeser,aest_dt,mdrpt_nsv,aetoxgr\n".to_owned();
    for (subject, invid) in [("S1", "C1"), (&*format!("{CANARY}-S2"), "C1"), ("S3", CANARY), ("S4", CANARY)] {
        subj += &format!("{CANARY_STUDY},{invid},{subject},{subject}-n,USA,Y,100,90\n");
        ae += &format!("{CANARY_STUDY},{subject},N,2025-01-02,{CANARY} headache,1\n");
    }
    for (name, text) in [("study", study), ("site", site), ("subj", subj), ("ae", ae)] {
        fs::write(folder.join(format!("{name}.csv")), text).expect("the temporary folder takes files");
    }
}

/// Copies a folder that nobody writes to.
pub(crate) fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("the temporary folder takes folders");
    for entry in fs::read_dir(from).expect("the folder can be read") {
        let entry = entry.expect("the folder can be read");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("the file can be copied");
        }
    }
}

/// The files below a folder, in order.
pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("the folder can be read") {
        let path = entry.expect("the folder can be read").path();
        if path.is_dir() { found.extend(files_below(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}
