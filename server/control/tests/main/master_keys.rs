//! The master key, wherever it is: what it protects survives a restart, and a bad one is refused at once.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use control::{
    Actor, Control, ControlError, ControlSettings, FileKeySettings, KeySettings, NewAccount, Pkcs11Settings,
    VaultSettings,
};
use kernel::{AccountId, SystemClock, TenantId};

use crate::cluster::environment;

#[path = "vault.rs"]
mod vault;

use vault::Vault;

/// Everything secret that these tests put into files.
const CANARY: &str = "canary-secret-of-32-characters-!";

async fn open(data: &Path, keys: Option<KeySettings>) -> Result<Control, ControlError> {
    let settings = ControlSettings { keys, ..ControlSettings::default() };
    Control::open_at(data, &settings, Arc::new(SystemClock)).await
}

/// A tenant and an account, whose personal data lie under the account's key.
async fn populate(control: &Control) -> (TenantId, AccountId) {
    let tenant = control.create_tenant(&Actor::Operator, "acme", "Acme").await.expect("it is new").id;
    (tenant, account(control, tenant, "ada@example.org").await)
}

async fn account(control: &Control, tenant: TenantId, email: &str) -> AccountId {
    control.create_account(&Actor::Operator, tenant, person(email)).await.expect("the address is free")
}

fn person(email: &str) -> NewAccount {
    NewAccount {
        email: email.to_owned(),
        password: None,
        display_name: "Ada Lovelace".to_owned(),
        grants: Vec::new(),
    }
}

/// How many events of the tenant still reveal an address. As many accounts show theirs.
async fn revealed(control: &Control, tenant: TenantId) -> usize {
    let grants = control.operator_grants(tenant).await.expect("the tenant exists");
    let filter =
        control::AuditFilter { action: Some("account.created".to_owned()), limit: 500, ..Default::default() };
    let events = control.audit_page(&grants, filter).await.expect("it may read");
    let mut found = 0;
    for event in events {
        let data = control.personal_data(&grants, event.seq).await.expect("what is there can be read");
        found += usize::from(data.is_some_and(|data| data.contains_key("email")));
    }
    let accounts = control.accounts(&Actor::Operator, tenant).await.expect("every address opens");
    assert_eq!(accounts.iter().filter(|account| account.display_name == "Ada Lovelace").count(), found);
    for account in accounts {
        let taken = control.create_account(&Actor::Operator, tenant, person(&account.email)).await;
        assert!(matches!(taken, Err(ControlError::EmailTaken)), "the index finds her: {taken:?}");
    }
    found
}

fn private(folder: &Path, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, content).expect("the folder is ours");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("the file is ours");
    path
}

fn file(path: PathBuf, passphrase_file: Option<PathBuf>, make: bool) -> KeySettings {
    KeySettings::File(FileKeySettings { path, passphrase_file, make })
}

#[tokio::test]
async fn a_master_key_under_a_passphrase_opens_with_it_alone() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let (data, key) = (folder.path().join("data"), folder.path().join("master.key"));
    let right = private(folder.path(), "right", CANARY);
    let wrong = private(folder.path(), "wrong", "another passphrase of some length");
    let control = open(&data, Some(file(key.clone(), Some(right.clone()), true))).await.expect("it is new");
    let (tenant, _) = populate(&control).await;
    drop(control);
    for passphrase in [None, Some(wrong)] {
        assert!(matches!(
            open(&data, Some(file(key.clone(), passphrase, true))).await,
            Err(ControlError::Keys(_))
        ));
    }
    let control = open(&data, Some(file(key, Some(right), false))).await.expect("it is the same key");
    assert_eq!(revealed(&control, tenant).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_master_key_in_vault_never_comes_here_and_can_be_rotated_there() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let (data, vault) = (folder.path().join("data"), Vault::start(CANARY));
    let token_file = private(folder.path(), "token", CANARY);
    let settings = vault.settings(token_file, "cairn");
    let control = open(&data, Some(settings.clone())).await.expect("Vault answers");
    let (tenant, _) = populate(&control).await;
    drop(control);
    let control = open(&data, Some(settings.clone())).await.expect("Vault answers again");
    assert_eq!(revealed(&control, tenant).await, 1);
    vault.rotate();
    assert_eq!(control.rotate_master_key(&Actor::Operator).await.expect("Vault wraps again"), 2);
    vault.forget_the_first_version();
    drop(control);
    let control = open(&data, Some(settings)).await.expect("the present version opens everything");
    assert_eq!(revealed(&control, tenant).await, 1);
}

/// A token in software. It wants its configuration in its process's environment, so that the test runs in one of its
/// own.
#[test]
fn a_master_key_in_a_token_wraps_and_opens() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let Some(module) = softhsm() else { return };
    let tokens = folder.path().join("tokens");
    fs::create_dir(&tokens).expect("the folder is ours");
    let configuration = private(
        folder.path(),
        "softhsm2.conf",
        format!(
            "directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\n",
            tokens.display()
        ),
    );
    let lines = private(folder.path(), "lines", format!("{module}\n{}\n", folder.path().display()));
    let child = Command::new(std::env::current_exe().expect("a test knows its own file"))
        .args(["master_keys::with_a_token_of_its_own", "--exact", "--ignored", "--nocapture"])
        .env("SOFTHSM2_CONF", configuration)
        .stdin(fs::File::open(lines).expect("it was written"))
        .output()
        .expect("the test can be started again");
    let told = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success(), "{told}{}", String::from_utf8_lossy(&child.stderr));
    assert!(told.contains("1 passed"), "{told}");
}

/// Debian's place of the software token; where it is not installed, CI fails and others are told.
fn softhsm() -> Option<&'static str> {
    let places = ["/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/pkcs11/libsofthsm2.so"];
    let found = places.into_iter().find(|place| Path::new(place).exists());
    if found.is_none() {
        assert!(
            environment("CI").as_deref() != Some("true"),
            "SoftHSM is missing: `./dev setup` installs it"
        );
        println!("not run: SoftHSM is not installed");
    }
    found
}

#[tokio::test]
#[ignore = "it is started by another test, with a token in its environment"]
async fn with_a_token_of_its_own() {
    use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
    use cryptoki::mechanism::Mechanism;
    use cryptoki::object::Attribute;
    use cryptoki::session::UserType;
    use cryptoki::types::AuthPin;

    let mut lines =
        std::io::stdin().lines().map(|line| PathBuf::from(line.expect("the starter tells where")));
    let mut line = || lines.next().expect("there are two lines");
    let (module, folder) = (line(), line());
    let pin = || AuthPin::new("1234".to_owned().into());
    let token = Pkcs11::new(&module).expect("the library can be loaded");
    token.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)).expect("it starts");
    let slot = token.get_all_slots().expect("there are slots")[0];
    token.init_token(slot, &pin(), "cairn").expect("the token is empty");
    let slot = token.get_slots_with_initialized_token().expect("there is one")[0];
    let session = token.open_rw_session(slot).expect("it gives a session");
    session.login(UserType::So, Some(&pin())).expect("the PIN is right");
    session.init_pin(&pin()).expect("the user gets a PIN");
    session.logout().expect("it was in");
    session.login(UserType::User, Some(&pin())).expect("the PIN is right");
    for (label, length) in [("cairn", 32_u64), ("short", 16)] {
        let length = length.into();
        let attributes = [
            Attribute::Token(true),
            Attribute::Private(true),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
            Attribute::Encrypt(true),
            Attribute::Decrypt(true),
            Attribute::ValueLen(length),
            Attribute::Label(label.as_bytes().to_vec()),
        ];
        session.generate_key(&Mechanism::AesKeyGen, &attributes).expect("a key is made");
    }

    drop((session, token));
    let pin_file = private(&folder, "pin", "1234\n");
    let settings = Pkcs11Settings { module, token: "cairn".into(), key: "cairn".into(), pin_file };
    let (data, keys) = (folder.join("data"), KeySettings::Pkcs11(settings.clone()));
    let control = open(&data, Some(keys.clone())).await.expect("the token has the key");
    let (tenant, _) = populate(&control).await;
    drop(control);
    let control = open(&data, Some(keys)).await.expect("the token has the key");
    assert_eq!(revealed(&control, tenant).await, 1);
    // The login is the process's: while one session has it, a token does not ask for the PIN again.
    drop(control);
    let wrong_pin = private(&folder, "wrong-pin", "9999");
    let refused = [
        Pkcs11Settings { key: "absent".into(), ..settings.clone() },
        Pkcs11Settings { key: "short".into(), ..settings.clone() },
        Pkcs11Settings { token: "absent".into(), ..settings.clone() },
        Pkcs11Settings { pin_file: wrong_pin, ..settings },
    ];
    for settings in refused {
        let error = open(&data, Some(KeySettings::Pkcs11(settings))).await.expect_err("it is refused");
        assert!(matches!(error, ControlError::Keys(_)), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn control_38_a_bad_key_configuration_is_refused_at_once_and_tells_no_secret() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let at = folder.path();
    let good = format!("cairn-master-key/1 plain\n{ID} {HEX}\n");
    // Data that another master key protects.
    let control = open(&at.join("data"), None).await.expect("it is new");
    populate(&control).await;
    drop(control);
    let vault = Vault::start(CANARY);
    let token = private(at, "token", CANARY);
    let vault_at = |change: &dyn Fn(&mut VaultSettings)| {
        let KeySettings::Vault(mut settings) = vault.settings(token.clone(), "cairn") else { unreachable!() };
        change(&mut settings);
        KeySettings::Vault(settings)
    };
    let exposed = private(at, "exposed", &good);
    fs::set_permissions(&exposed, fs::Permissions::from_mode(0o644)).expect("the file is ours");
    let of = |name: &str, text: &str| file(private(at, name, text), None, false);
    let module = |module: &str, pin: &str| {
        let pin_file = private(at, &format!("pin-{}", pin.len()), pin);
        KeySettings::Pkcs11(Pkcs11Settings {
            module: module.into(),
            token: "t".into(),
            key: "k".into(),
            pin_file,
        })
    };
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("there is a port");
    let silent = format!("http://{}", silent.local_addr().expect("it is bound"));
    let cases: Vec<(&str, KeySettings)> = vec![
        ("a missing file", file(at.join("absent"), None, false)),
        ("a folder", file(at.to_owned(), None, false)),
        ("others may read it", file(exposed, None, false)),
        ("an empty file", of("empty", "")),
        ("another file", of("other", CANARY)),
        ("no key", of("header", "cairn-master-key/1 plain\n")),
        ("a short key", of("short", &good.replace(HEX, &HEX[..62]))),
        ("a long key", of("long", &good.replace(HEX, &format!("{HEX}00")))),
        ("no digits", of("digits", &good.replace(HEX, &"g".repeat(64)))),
        ("all zeros", of("zeros", &good.replace(HEX, &"0".repeat(64)))),
        ("little randomness", of("weak", &good.replace(HEX, &"0123456789abcdef".repeat(4)))),
        ("no id", of("id", &good.replace(ID, "first"))),
        ("one id twice", of("twice", &format!("{good}{ID} {HEX}\n"))),
        ("a passphrase that is not asked for", file(private(at, "plain", &good), Some(token.clone()), false)),
        ("a passphrase that is missing", of("sealed", &good.replace("plain", "argon2id 00"))),
        ("a short passphrase", file(at.join("new"), Some(private(at, "pass", "too short")), true)),
        ("another master key", of("good", &good)),
        ("Vault in the clear", vault_at(&|vault| vault.address = "http://vault.example:8200".into())),
        ("Vault that does not answer", vault_at(&|vault| vault.address.clone_from(&silent))),
        ("a port with nobody", vault_at(&|vault| vault.address = "http://127.0.0.1:1".into())),
        ("a mount with a path", vault_at(&|vault| vault.mount = "../sys".into())),
        ("a key that is not there", vault_at(&|vault| vault.key = "absent".into())),
        ("a token that may not", vault_at(&|vault| vault.token_file = private(at, "t2", "another-token"))),
        ("an empty token", vault_at(&|vault| vault.token_file = private(at, "t3", "\n"))),
        ("certificates that are none", vault_at(&|vault| vault.ca_file = Some(token.clone()))),
        ("Vault that mocks", vault_at(&|vault| vault.key = "mocks".into())),
        ("a library that is none", module("/dev/null", "12345")),
        ("a library that is not there", module("/nowhere/libtoken.so", "1234")),
        ("an empty PIN", module("/nowhere/libtoken.so", "\n")),
    ];
    assert!(cases.len() >= 20);
    for (name, settings) in cases {
        let begun = Instant::now();
        let outcome = open(&at.join("data"), Some(settings)).await;
        let error = outcome.err().unwrap_or_else(|| panic!("{name} is accepted"));
        assert!(begun.elapsed() < Duration::from_secs(5), "{name} took {:?}", begun.elapsed());
        assert!(matches!(error, ControlError::Keys(_)), "{name}: {error}");
        let told = format!("{error} {error:?}");
        for secret in [CANARY, HEX, "another-token", "too short", "12345"] {
            assert!(!told.contains(secret), "{name} tells {secret}: {told}");
        }
    }
}

const ID: &str = "01890a5d-ac96-474b-bcce-b302099a8057";
const HEX: &str = "8f1c3a5e7d9b2046f8a1c3e5079bd24613579bdf02468ace1f3d5b79a0c2e486";

/// The other half of the test below.
#[tokio::test]
#[ignore = "it is started, and killed, by another test"]
async fn rotating_until_it_is_killed() {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).expect("the starter tells where");
    let control = open(Path::new(line.trim()), None).await.expect("the keys open");
    let tenant = control.tenants(&Actor::Operator).await.expect("there is one")[0].id;
    loop {
        control.rotate_data_key(&Actor::Operator, tenant).await.expect("it rotates");
        println!("rotated");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn control_40_a_rotation_that_is_killed_loses_no_key_and_is_finished_later() {
    use std::io::{BufRead as _, BufReader, Write as _};

    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let data = folder.path().join("data");
    let control = open(&data, None).await.expect("it is new");
    let (tenant, _) = populate(&control).await;
    let mut accounts = 1;
    for round in 0..10_u64 {
        let mut child = Command::new(std::env::current_exe().expect("a test knows its own file"))
            .args(["master_keys::rotating_until_it_is_killed", "--exact", "--ignored", "--nocapture"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the test can be started again");
        writeln!(child.stdin.as_mut().expect("it listens"), "{}", data.display()).expect("it listens");
        let mut output = BufReader::new(child.stdout.take().expect("it speaks"));
        let mut told = String::new();
        while !told.contains("rotated") {
            assert!(output.read_line(&mut told).expect("it speaks") > 0, "it ended by itself: {told}");
        }
        // New accounts meanwhile, in another process.
        account(&control, tenant, &format!("new-{round}@example.org")).await;
        accounts += 1;
        std::thread::sleep(Duration::from_millis(7 * round));
        child.kill().expect("it runs");
        child.wait().expect("it was killed");
        let reopened = open(&data, None).await.expect("every data key opens");
        assert_eq!(revealed(&reopened, tenant).await, accounts);
    }
    let finished = control.finish_rotation(&Actor::Operator, tenant).await.expect("it can be finished");
    let left = control.list_data_keys(&Actor::Operator).expect("they can be listed");
    let left = left.iter().filter(|key| key.tenant == tenant);
    assert_eq!(left.map(|key| key.id).collect::<Vec<_>>(), [finished.active]);
    let reopened = open(&data, None).await.expect("the last key opens");
    assert_eq!(revealed(&reopened, tenant).await, accounts);
}

/// Data keys as they lie in their files.
fn data_keys(data: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = data.join("control/keys/data");
    let entries = fs::read_dir(folder).expect("the folder is there");
    let paths = entries.map(|entry| entry.expect("it can be read").path());
    paths.map(|path| (path.clone(), fs::read(path).expect("it can be read"))).collect()
}

#[tokio::test]
async fn control_40_a_move_to_another_provider_is_finished_after_being_cut_off_anywhere() {
    let (data, keys) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let old = file(keys.path().join("old.key"), None, true);
    let passphrase = private(keys.path(), "passphrase", "four words of no relation\n");
    let new = file(keys.path().join("new.key"), Some(passphrase), true);
    let control = open(data.path(), Some(old.clone())).await.expect("it opens");
    let mut tenants = Vec::new();
    for slug in ["acme", "other", "third"] {
        let tenant = control.create_tenant(&Actor::Operator, slug, slug).await.expect("it is new").id;
        account(&control, tenant, &format!("ada@{slug}.example")).await;
        tenants.push(tenant);
    }
    drop(control);
    let before = data_keys(data.path());
    assert_eq!(before.len(), 4, "one for each tenant, and that of the indexes");
    assert!(open(data.path(), Some(new.clone())).await.is_err(), "nothing was moved yet");
    let moving = || async {
        let settings = ControlSettings {
            keys: Some(new.clone()),
            keys_before: Some(old.clone()),
            ..ControlSettings::default()
        };
        Control::open_at(data.path(), &settings, Arc::new(SystemClock)).await
    };
    let control = moving().await.expect("both are there");
    assert_eq!(control.rotate_master_key(&Actor::Operator).await.expect("they are wrapped"), 4);
    drop(control);
    // Each key's file is replaced at once, so that a kill leaves the first few moved and the others not.
    for moved in 0..4 {
        for (path, bytes) in &before[moved..] {
            fs::write(path, bytes).expect("it is ours");
        }
        let alone = open(data.path(), Some(new.clone())).await;
        assert!(alone.is_err(), "{moved}: the new provider alone does not open what is left");
        let control = moving().await.expect("the two together do");
        for tenant in &tenants {
            assert_eq!(revealed(&control, *tenant).await, 1, "{moved}: every row is readable in the middle");
        }
        assert_eq!(control.rotate_master_key(&Actor::Operator).await.expect("it is finished"), 4);
    }
    let control =
        open(data.path(), Some(new.clone())).await.expect("the old provider is not needed any more");
    for tenant in &tenants {
        assert_eq!(revealed(&control, *tenant).await, 1);
    }
    assert!(open(data.path(), Some(old.clone())).await.is_err(), "nor of use");
}

/// Both providers, by the folder of their files.
fn both(keys: &Path) -> (KeySettings, KeySettings) {
    let passphrase = keys.join("passphrase");
    (file(keys.join("old.key"), None, true), file(keys.join("new.key"), Some(passphrase), true))
}

async fn with_both(data: &Path, keys: &Path) -> Result<Control, ControlError> {
    let (old, new) = both(keys);
    let settings = ControlSettings { keys: Some(new), keys_before: Some(old), ..ControlSettings::default() };
    Control::open_at(data, &settings, Arc::new(SystemClock)).await
}

#[tokio::test]
#[ignore = "started by control_40_a_move_that_is_killed_is_finished_later alone"]
async fn moving_until_it_is_killed() {
    let mut lines = std::io::stdin().lines();
    let mut told = || PathBuf::from(lines.next().expect("the starter tells where").expect("it is text"));
    let control = with_both(&told(), &told()).await.expect("the keys open");
    control.rotate_master_key(&Actor::Operator).await.expect("they are wrapped");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn control_40_a_move_that_is_killed_is_finished_later() {
    use std::io::Write as _;

    const TENANTS: usize = 40;
    let (data, keys) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    private(keys.path(), "passphrase", "four words of no relation\n");
    let (old, new) = both(keys.path());
    let control = open(data.path(), Some(old.clone())).await.expect("it opens");
    let mut tenants = Vec::new();
    for number in 0..TENANTS {
        let slug = format!("tenant-{number}");
        let tenant = control.create_tenant(&Actor::Operator, &slug, &slug).await.expect("it is new").id;
        account(&control, tenant, &format!("ada@{slug}.example")).await;
        tenants.push(tenant);
    }
    drop(control);
    let before = data_keys(data.path());
    assert_eq!(before.len(), TENANTS + 1);
    let moved = || before.iter().filter(|(path, old)| fs::read(path).is_ok_and(|now| now != *old)).count();
    let mut halves = 0;
    for least in [1, TENANTS / 4, TENANTS / 2] {
        for (path, bytes) in &before {
            fs::write(path, bytes).expect("it is ours");
        }
        let mut child = Command::new(std::env::current_exe().expect("a test knows its own file"))
            .args(["master_keys::moving_until_it_is_killed", "--exact", "--ignored"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the test can be started again");
        let input = child.stdin.as_mut().expect("it listens");
        writeln!(input, "{}\n{}", data.path().display(), keys.path().display()).expect("it listens");
        let started = Instant::now();
        while moved() < least {
            assert!(started.elapsed() < Duration::from_secs(60), "nothing is moved");
            std::thread::sleep(Duration::from_micros(200));
        }
        child.kill().expect("it runs, or has ended");
        child.wait().expect("it was killed");
        let found = moved();
        eprintln!("control 40: killed when {found} of {} data keys were moved", before.len());
        let is_half = found < before.len();
        halves += usize::from(is_half);
        assert_eq!(open(data.path(), Some(new.clone())).await.is_err(), is_half, "{found}");
        let control = with_both(data.path(), keys.path()).await.expect("the two together open every key");
        for tenant in &tenants {
            assert_eq!(revealed(&control, *tenant).await, 1, "every row is readable in the middle");
        }
        let wrapped = control.rotate_master_key(&Actor::Operator).await.expect("it is finished");
        assert_eq!(usize::try_from(wrapped).expect("few"), before.len());
        drop(control);
        let control = open(data.path(), Some(new.clone())).await.expect("the new provider alone is enough");
        for tenant in &tenants {
            assert_eq!(revealed(&control, *tenant).await, 1);
        }
        assert!(open(data.path(), Some(old.clone())).await.is_err(), "and the old one of no use");
    }
    assert!(halves > 0, "it was never killed in the middle");
}
