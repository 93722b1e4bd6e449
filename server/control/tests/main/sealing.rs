//! Addresses and names are sealed wherever they are stored.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use control::{Actor, Audience, Control, ControlError, Credentials, Erasure, Identity, KeyError};
use kernel::{AccountId, Role, TenantId};
use sqlx::Connection as _;

use super::erasure::files_with;
use super::world::{PASSWORD, World, engine, everywhere, trace};
use crate::site::{Engine, Site, Whose, run};

struct Scene {
    world: World,
    tenant: TenantId,
    marie: AccountId,
    pierre: AccountId,
}

fn marie() -> control::NewAccount {
    control::NewAccount {
        email: "M.Canary-7Qx@example.org".to_owned(),
        password: Some(PASSWORD.to_owned()),
        display_name: "Marie Canary-9Zk".to_owned(),
        grants: vec![everywhere(Role::Researcher)],
    }
}

const MARIE: &str = "m.canary-7qx@example.org";
/// What nobody else in these tests is called, in pieces that a file could hold alone.
const PIECES: [&str; 4] = ["canary-7qx", "Canary-7Qx", "Canary-9Zk", "canary-5sub"];

fn identity() -> Identity {
    Identity { issuer: "https://id.example".to_owned(), subject: "canary-5sub".to_owned() }
}

impl Scene {
    async fn new() -> Option<Self> {
        Some(Self::at(World::new().await?).await)
    }

    async fn at(world: World) -> Self {
        let tenant = world.tenant("acme").await.id;
        let (control, operator) = (&world.control, Actor::Operator);
        let marie = control.create_account(&operator, tenant, marie()).await.expect("the account is new");
        let pierre = world.account(tenant, "pierre@example.org", &[]).await;
        control.link_identity(&operator, tenant, marie, &identity()).await.expect("nobody has it");
        Self { world, tenant, marie, pierre }
    }

    /// Every row, and every file of `folders`, with a piece of her address, name or identity.
    async fn places(&self, folders: &[PathBuf]) -> Vec<String> {
        let mut found = Vec::new();
        for piece in PIECES {
            for folder in folders {
                found.extend(files_with(folder, piece));
            }
            let digits: String = piece.bytes().map(|byte| format!("{byte:02x}")).collect();
            for whose in [Whose::Systems, Whose::Tenants(self.tenant)] {
                let rows = self.world.site.contents(whose).await.into_values().flatten();
                found.extend(rows.filter(|row| row.contains(piece) || row.to_lowercase().contains(&digits)));
            }
        }
        found
    }

    /// What a version from before had in its rows, and no key of indexes.
    async fn as_before(&self, erased: AccountId) {
        let (bytes, tables) = match engine() {
            Engine::Sqlite => ("", ["accounts", "account_directory", "identity_directory"]),
            Engine::Postgres => (
                "cairn_schema.",
                ["cairn.accounts", "cairn_system.account_directory", "cairn_system.identity_directory"],
            ),
        };
        let [accounts, directory, identities] = tables;
        let later = if engine() == Engine::Sqlite { "disabled_tenant" } else { "cairn.disabled_tenant" };
        let mut statements = Vec::new();
        let nobody = format!("erased-{erased}@erased.invalid");
        for (id, email, name) in [
            (self.marie, MARIE, "Marie Canary-9Zk"),
            (self.pierre, "pierre@example.org", "Ada Lovelace"),
            (erased, nobody.as_str(), "erased"),
        ] {
            statements.push((
                true,
                format!("UPDATE {accounts} SET email = '{email}', display_name = '{name}' WHERE account_id = '{id}'"),
            ));
            statements
                .push((false, format!("UPDATE {directory} SET email = '{email}' WHERE account_id = '{id}'")));
        }
        for column in ["email_sealed", "display_name_sealed"] {
            statements.push((true, format!("ALTER TABLE {accounts} DROP COLUMN {column}")));
        }
        statements.push((true, format!("DROP TABLE {later}")));
        statements.push((false, format!("UPDATE {identities} SET subject = 'canary-5sub'")));
        statements.push((false, format!("ALTER TABLE {identities} DROP COLUMN subject_sealed")));
        for is_tenants in [true, false] {
            // With the migrations that came after it.
            let forget = format!(
                "DELETE FROM {bytes}schema_migrations WHERE name LIKE '%_seal_%' OR name > '20261124'"
            );
            statements.push((is_tenants, forget));
        }
        for (is_tenants, statement) in statements {
            let whose = if is_tenants { Whose::Tenants(self.tenant) } else { Whose::Systems };
            let mut connection = self.world.site.connect(whose).await;
            run(&mut connection, &statement).await;
            connection.close().await.expect("it can be closed");
        }
        self.lose_index_key();
    }

    fn lose_index_key(&self) {
        let keys = self.world.control.list_data_keys(&Actor::Operator).expect("they can be listed");
        let key = keys.iter().find(|key| key.tenant == control::SYSTEM_KEYS).expect("it is there");
        let path = self.world.folder().join(format!("control/keys/data/{}.key", key.id));
        std::fs::remove_file(path).expect("it is there");
    }
}

async fn signs_in(control: &Control) -> bool {
    let by_password = control.login(&Credentials::new(MARIE, PASSWORD), Audience::Http, &trace()).await;
    let by_provider = control.sign_in_identity(&identity(), None, &trace()).await;
    by_password.is_ok() && by_provider.is_ok()
}

#[tokio::test]
async fn control_39_no_address_name_or_identity_is_in_a_row_a_file_a_log_or_a_copy() {
    let Some((site, server)) = Site::alone(engine()).await else { return };
    let scene = Scene::at(World::at(site).await).await;
    let control = &scene.world.control;
    let seen = control.account(&Actor::Operator, scene.tenant, scene.marie).await.expect("it is there");
    assert_eq!((seen.email.as_str(), seen.display_name.as_str()), (MARIE, "Marie Canary-9Zk"));
    let linked: Vec<_> = seen.identities.iter().map(|one| one.identity.clone()).collect();
    assert_eq!(linked, [identity()]);
    assert!(signs_in(control).await);
    let login = control.login(&Credentials::new(MARIE, PASSWORD), Audience::Http, &trace()).await;
    let principal = login.expect("the password is right").principal;
    assert_eq!((principal.email(), principal.display_name()), (MARIE, "Marie Canary-9Zk"));
    let folders = scene.world.site.folders();
    assert_eq!(scene.places(&folders).await, [""; 0], "with every write-ahead log");
    let copy = tempfile::tempdir().expect("a folder");
    control.copy_rows(&Actor::Operator, &copy.path().join("control")).await.expect("it is empty");
    for piece in PIECES {
        assert_eq!(files_with(copy.path(), piece), [""; 0]);
    }
    drop(scene);
    drop(server);
}

#[tokio::test]
async fn control_13_an_address_is_taken_whatever_its_letters_and_an_identity_has_one_account() {
    let Some(scene) = Scene::new().await else { return };
    let control = &scene.world.control;
    let other = scene.world.tenant("other").await.id;
    let again = control::NewAccount { email: " M.CANARY-7qx@Example.org".to_owned(), ..marie() };
    let outcome = control.create_account(&Actor::Operator, other, again).await;
    assert!(matches!(outcome, Err(ControlError::EmailTaken)), "{outcome:?}");
    let outcome = control.link_identity(&Actor::Operator, scene.tenant, scene.pierre, &identity()).await;
    assert!(matches!(outcome, Err(ControlError::IdentityTaken)), "{outcome:?}");
    let unlinked = control.unlink_identity(&Actor::Operator, scene.tenant, scene.marie, &identity()).await;
    unlinked.expect("it is hers");
    control
        .link_identity(&Actor::Operator, scene.tenant, scene.pierre, &identity())
        .await
        .expect("it is free");
}

#[tokio::test]
async fn control_39_an_address_that_was_moved_or_replaced_does_not_open() {
    for change in [
        "email_sealed = (SELECT other.email_sealed FROM accounts AS other WHERE other.account_id = 'OTHER')",
        "display_name_sealed = email_sealed",
        "email = 'eve@example.org', email_sealed = NULL, display_name_sealed = NULL",
        "email_sealed = NULL",
    ] {
        let Some(scene) = Scene::new().await else { return };
        let change = change.replace("OTHER", &scene.pierre.to_string());
        let statement = format!("UPDATE accounts SET {change} WHERE account_id = '{}'", scene.marie);
        scene.world.site.intrude(Whose::Tenants(scene.tenant), &[&statement]).await;
        for control in [&scene.world.control, &scene.world.reopened().await] {
            let outcome = control.account(&Actor::Operator, scene.tenant, scene.marie).await;
            assert!(matches!(outcome, Err(ControlError::Corrupt { .. })), "{change}: {outcome:?}");
            assert!(!signs_in(control).await, "{change}");
        }
    }
}

#[tokio::test]
async fn a_data_folder_of_a_version_that_sealed_nothing_is_sealed_when_it_is_opened() {
    let Some(scene) = Scene::new().await else { return };
    let (control, operator) = (&scene.world.control, Actor::Operator);
    let erased = scene.world.account(scene.tenant, "former@example.org", &[]).await;
    let erasure = Erasure { account: erased, reason: "article 17".to_owned(), approved_by: scene.marie };
    control.erase_account(&operator, scene.tenant, erasure).await.expect("it is approved");
    scene.as_before(erased).await;
    let folder = [scene.world.folder().to_owned()];
    assert!(!scene.places(&folder).await.is_empty(), "this is how it was");

    let reopened = scene.world.reopened().await;
    assert!(signs_in(&reopened).await);
    let listed = reopened.accounts(&operator, scene.tenant).await.expect("every row opens");
    let names: Vec<_> = listed.iter().map(|one| (one.email.as_str(), one.display_name.as_str())).collect();
    let nobody = format!("erased-{erased}@erased.invalid");
    let expected =
        [(&*nobody, "erased"), (MARIE, "Marie Canary-9Zk"), ("pierre@example.org", "Ada Lovelace")];
    assert_eq!(names, expected);
    let outcome = reopened.create_account(&operator, scene.tenant, marie()).await;
    assert!(matches!(outcome, Err(ControlError::EmailTaken)), "{outcome:?}");
    if engine() == Engine::Sqlite {
        assert_eq!(scene.places(&folder).await, [""; 0], "nor is it left where it was overwritten");
    }
    let events = scene.world.events(scene.tenant).await;
    let sealed: Vec<_> = events.iter().filter(|event| event.action == "personal_data.sealed").collect();
    assert_eq!((sealed.len(), sealed[0].data["accounts"].as_u64()), (1, Some(2)));
    let sizes = |reports: Vec<control::VerifyReport>| -> Vec<u64> {
        assert!(reports.iter().all(control::VerifyReport::is_intact), "{reports:?}");
        reports.iter().map(|report| report.size).collect()
    };
    let before = sizes(reopened.verify_all().await.expect("the logs can be read"));
    let again = scene.world.reopened().await;
    let after = sizes(again.verify_all().await.expect("the logs can be read"));
    assert_eq!(before, after, "nothing was left to do");
}

#[tokio::test]
async fn control_38_without_the_key_of_the_indexes_nothing_is_served() {
    let Some(scene) = Scene::new().await else { return };
    scene.lose_index_key();
    let outcome = scene.world.try_reopened().await;
    assert!(matches!(outcome, Err(ControlError::Keys(KeyError::IndexKeyMissing))), "{outcome:?}");
}

#[tokio::test]
async fn a_thousand_accounts_are_listed_at_once_and_a_request_opens_one() {
    if engine() == Engine::Postgres {
        // What is measured is the opening of keys and values, which is the same there.
        return;
    }
    let Some(scene) = Scene::new().await else { return };
    let (control, operator) = (&scene.world.control, Actor::Operator);
    for number in 0..1_000 {
        let email = format!("person-{number:04}@example.org");
        let (display_name, grants) = (format!("Person {number}"), Vec::new());
        let new = control::NewAccount { email, password: None, display_name, grants };
        control.create_account(&operator, scene.tenant, new).await.expect("the address is free");
    }
    let token = scene.world.login(MARIE, Audience::Http).await.token;
    let started = Instant::now();
    let listed = control.accounts(&operator, scene.tenant).await.expect("every row opens");
    let list_took = started.elapsed();
    assert_eq!(listed.len(), 1_002);
    assert!(listed.is_sorted_by(|a, b| a.email <= b.email), "sorted by what was opened");
    let started = Instant::now();
    for _ in 0..100 {
        control.authenticate(&token, Audience::Http).await.expect("the session is live");
    }
    let each = started.elapsed() / 100;
    println!("1,002 sealed accounts are listed in {list_took:.1?}; a request is let in in {each:.1?}");
    assert!(list_took < Duration::from_secs(2) && each < Duration::from_millis(50), "{list_took:?} {each:?}");
}
