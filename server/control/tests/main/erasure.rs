use std::fs;
use std::path::Path;

use control::{Actor, Audience, AuthError, ControlError, Credentials, Erasure, Fault, FaultKind};
use kernel::{AccountId, Role, TenantId};

use super::world::{World, everywhere, trace};
use crate::site::Whose;

const EMAIL: &str = "marie.sklodowska@example.org";
const NAME: &str = "Ada Lovelace";

struct Scene {
    world: World,
    tenant: TenantId,
    subject: AccountId,
    approver: AccountId,
}

async fn scene() -> Option<Scene> {
    let world = World::new().await?;
    let tenant = world.tenant("acme").await.id;
    let subject = world.account(tenant, EMAIL, &[everywhere(Role::Researcher)]).await;
    let approver = world.account(tenant, "dpo@example.org", &[everywhere(Role::DataEngineer)]).await;
    // The approver's name is the same in this world; the subject's is told apart by its address.
    Some(Scene { world, tenant, subject, approver })
}

impl Scene {
    async fn erase(&self, approved_by: AccountId) -> Result<(), ControlError> {
        let reason = "request under article 17".to_owned();
        let erasure = Erasure { account: self.subject, reason, approved_by };
        self.world.control.erase_account(&Actor::Operator, self.tenant, erasure).await
    }

    async fn revealed(&self, seq: u64) -> Option<(String, String)> {
        let grants = self.world.control.operator_grants(self.tenant).await.expect("the tenant exists");
        let revealed = self.world.control.personal_data(&grants, seq).await.expect("it can be read");
        revealed.map(|mut values| {
            let mut value = |name: &str| values.remove(name).expect("the value is there");
            (value("email"), value("display_name"))
        })
    }

    /// Its address, as who administers the tenant sees it, and as it lies in its row.
    async fn address(&self) -> (String, String) {
        let control = &self.world.control;
        let seen = control.account(&Actor::Operator, self.tenant, self.subject).await.expect("it is there");
        let rows = self.world.site.contents(Whose::Tenants(self.tenant)).await;
        let row = rows["accounts"].iter().find(|row| row.contains(&self.subject.to_string()));
        (seen.email, row.expect("it is there").clone())
    }

    /// Every row and every file that holds these bytes.
    async fn places_with(&self, needle: &str) -> Vec<String> {
        let mut found = files_with(self.world.folder(), needle);
        let digits: String = needle.bytes().map(|byte| format!("{byte:02x}")).collect();
        for whose in [Whose::Systems, Whose::Tenants(self.tenant)] {
            let rows = self.world.site.contents(whose).await.into_values().flatten();
            found.extend(rows.filter(|row| row.contains(needle) || row.to_lowercase().contains(&digits)));
        }
        found
    }
}

/// Every file below a folder that holds these bytes.
pub(super) fn files_with(folder: &Path, needle: &str) -> Vec<String> {
    let mut found = Vec::new();
    // A server's folder changes while it is read.
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files_with(&path, needle));
        } else if holds(&path, needle) {
            found.push(path.display().to_string());
        }
    }
    found
}

/// Whether a file holds these bytes; a socket or a file that is gone meanwhile holds none.
fn holds(path: &Path, needle: &str) -> bool {
    let bytes = if path.is_file() { fs::read(path).unwrap_or_default() } else { Vec::new() };
    bytes.windows(needle.len()).any(|at| at == needle.as_bytes())
}

#[tokio::test]
async fn control_08_no_event_holds_a_value_and_the_right_people_can_see_it() {
    let Some(scene) = scene().await else { return };
    for event in scene.world.events(scene.tenant).await {
        assert!(!event.leaf.contains(EMAIL) && !event.leaf.contains(NAME), "{}", event.leaf);
    }
    assert_eq!(scene.revealed(1).await, Some((EMAIL.to_owned(), NAME.to_owned())));
    assert_eq!(scene.revealed(0).await, None, "the tenant's creation is about nobody");
    let login = scene.world.login(EMAIL, Audience::Http).await;
    let outcome = scene.world.control.personal_data(login.principal.grants(), 1).await;
    assert!(matches!(outcome, Err(ControlError::Denied)), "{outcome:?}");
}

#[tokio::test]
async fn control_08_an_erased_persons_data_are_gone_and_the_log_stays_as_it_was() {
    let Some(scene) = scene().await else { return };
    let before = scene.world.control.checkpoint_now().await.expect("the logs are good");
    let (seen, row) = scene.address().await;
    assert_eq!(seen, EMAIL);
    scene.erase(scene.approver).await.expect("it is approved");
    let (seen, left) = scene.address().await;
    assert_eq!(seen, format!("erased-{}@erased.invalid", scene.subject));
    let sealed = row.split("X'").nth(1).expect("it was sealed").split('\'').next().expect("it ends");
    assert!(sealed.len() > 100 && !left.contains(sealed), "the sealed address is gone too: {left}");

    assert_eq!(scene.places_with(EMAIL).await, [""; 0], "in no row, in no file, nor in its write-ahead log");
    assert_eq!(scene.revealed(1).await, None, "the key is gone");
    assert!(scene.revealed(2).await.is_some(), "another's is not");
    let reports = scene.world.control.verify_all().await.expect("the logs can be read");
    assert!(reports.iter().all(|report| report.is_intact() && report.checkpoints == 1), "{reports:?}");
    let after = scene.world.control.checkpoint_now().await.expect("the logs are good");
    assert_eq!(after.len(), before.len(), "the roots that were signed still hold");

    let events = scene.world.events(scene.tenant).await;
    let erased = events.iter().find(|event| event.action == "audit.redacted").expect("it is recorded");
    assert_eq!(erased.resource_id, scene.subject.to_string());
    assert_eq!(erased.actor_type, "operator");
    assert_eq!(erased.data["approved_by"], scene.approver.to_string());
    assert_eq!(erased.data["reason"], "request under article 17");
}

#[tokio::test]
async fn control_08_an_erased_account_cannot_log_in_and_its_token_ends() {
    let Some(scene) = scene().await else { return };
    let login = scene.world.login(EMAIL, Audience::Http).await;
    scene.erase(scene.approver).await.expect("it is approved");
    let outcome = scene.world.control.authenticate(&login.token, Audience::Http).await;
    assert!(matches!(outcome, Err(AuthError::AccountDisabled { .. })), "{outcome:?}");
    for email in [EMAIL.to_owned(), format!("erased-{}@erased.invalid", scene.subject)] {
        let outcome = scene
            .world
            .control
            .login(&Credentials::new(&email, super::world::PASSWORD), Audience::Http, &trace())
            .await;
        assert!(outcome.is_err(), "{email}: {outcome:?}");
    }
    scene.world.account(scene.tenant, EMAIL, &[]).await;
    scene.erase(scene.approver).await.expect("erasing again finishes what a crash cut off");
}

#[tokio::test]
async fn an_erasure_takes_a_second_person() {
    let Some(scene) = scene().await else { return };
    for approver in [scene.subject, AccountId::from_uuid(uuid::Uuid::from_u128(7))] {
        let outcome = scene.erase(approver).await;
        assert!(matches!(outcome, Err(ControlError::ApproverUnfit)), "{outcome:?}");
    }
    scene
        .world
        .control
        .disable_account(&Actor::Operator, scene.tenant, scene.approver)
        .await
        .expect("it is there");
    let outcome = scene.erase(scene.approver).await;
    assert!(matches!(outcome, Err(ControlError::ApproverUnfit)), "{outcome:?}");
    assert!(scene.revealed(1).await.is_some(), "nothing was erased");
}

#[tokio::test]
async fn control_39_a_ciphertext_that_was_moved_changed_or_removed_is_found() {
    for statement in [
        "UPDATE audit_pii SET ciphertext = (SELECT ciphertext FROM audit_pii WHERE account_id <> 'SUBJECT')",
        "UPDATE audit_pii SET ciphertext = substr(ciphertext, 1, 1) WHERE account_id = 'SUBJECT'",
        "DELETE FROM audit_pii WHERE account_id = 'SUBJECT'",
    ] {
        let Some(scene) = scene().await else { return };
        let statement = statement.replace("SUBJECT", &scene.subject.to_string());
        scene.world.site.intrude(Whose::Tenants(scene.tenant), &[&statement]).await;
        let report = scene.world.control.verify_tenant(scene.tenant).await.expect("the log can be read");
        assert_eq!(report.fault, Some(Fault { index: 1, kind: FaultKind::PersonalData }), "{statement}");
        let grants = scene.world.control.operator_grants(scene.tenant).await.expect("the tenant exists");
        let outcome = scene.world.control.personal_data(&grants, 1).await;
        assert!(matches!(outcome, Err(ControlError::Corrupt { .. })), "{statement}: {outcome:?}");
    }
}
