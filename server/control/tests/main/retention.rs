use chrono::{NaiveDate, TimeDelta};
use control::{Actor, ControlError, GovernedError, NewRemoval, NewRetention, Removed};
use kernel::{AccountId, Read, Role, TenantId};

use super::world::{World, everywhere, study, trace};

struct Scene {
    world: World,
    tenant: TenantId,
    steward: AccountId,
}

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a day")
}

impl Scene {
    /// The world begins on 2026-11-18.
    async fn new() -> Option<Self> {
        let world = World::new().await?;
        let tenant = world.tenant("acme").await.id;
        for code in ["A", "B"] {
            world.study(tenant, code).await;
        }
        let steward = world.account(tenant, "steward@example.org", &[everywhere(Role::Steward)]).await;
        Some(Self { world, tenant, steward })
    }

    async fn keep(&self, until: &str, approved_by: Option<AccountId>) -> Result<(), ControlError> {
        let new = NewRetention { not_before: day(until), reason: "protocol 4.2".into(), approved_by };
        self.world.control.set_retention(&Actor::Operator, self.tenant, &study("A"), &new, &trace()).await
    }

    async fn remove(&self) -> Result<(), ControlError> {
        let files = Removed { files: 7, bytes: 1_000, blake3: "ab".repeat(32) };
        let new = NewRemoval { reason: "retention is over".into(), approved_by: self.steward, files };
        self.world.control.begin_removal(&Actor::Operator, self.tenant, &study("A"), &new, &trace()).await
    }

    async fn reads(&self, code: &str) -> bool {
        let token = self.world.login("steward@example.org", control::Audience::Http).await;
        token.principal.grants().scope::<Read>(&study(code)).is_ok()
    }
}

#[tokio::test]
async fn control_18_nothing_is_removed_before_its_day_and_the_refusal_is_recorded() {
    let Some(scene) = Scene::new().await else { return };
    let outcome = scene.remove().await;
    assert!(
        matches!(outcome, Err(ControlError::Governed(GovernedError::RetentionUndecided { .. }))),
        "{outcome:?}"
    );
    scene.keep("2026-11-20", None).await.expect("it is the first decision");
    let outcome = scene.remove().await;
    assert!(
        matches!(outcome, Err(ControlError::Governed(GovernedError::RetentionLasts { .. }))),
        "{outcome:?}"
    );
    // 2026-11-18 11:06 and 36 hours are still the 19th.
    scene.world.clock.advance(TimeDelta::hours(36));
    assert!(scene.remove().await.is_err(), "the day before");
    let events = scene.world.events(scene.tenant).await;
    assert_eq!((events[0].action.as_str(), events[0].outcome.as_str()), ("study.removed", "denied"));
    assert!(events[0].data["why"].as_str().expect("a text").contains("2026-11-20"));
    assert!(scene.reads("A").await);
    scene.world.clock.advance(TimeDelta::hours(1));
    scene.remove().await.expect("on the day");
}

#[tokio::test]
async fn control_18_a_hold_keeps_a_study_whatever_its_day_is() {
    let Some(scene) = Scene::new().await else { return };
    let (control, a) = (&scene.world.control, study("A"));
    scene.keep("2026-01-01", None).await.expect("it is the first decision");
    let trace = trace();
    let place = |reason| control.place_hold(&Actor::Operator, scene.tenant, &a, reason, &trace);
    let (first, second) = (place("inspection").await.expect("placed"), place("court").await.expect("placed"));
    let outcome = scene.remove().await;
    assert!(
        matches!(outcome, Err(ControlError::Governed(GovernedError::OnHold { holds: 2, .. }))),
        "{outcome:?}"
    );
    let lift = |hold| control.lift_hold(&Actor::Operator, scene.tenant, (&a, hold), "closed", &trace);
    lift(first.id).await.expect("it stands");
    let outcome = scene.remove().await;
    assert!(
        matches!(outcome, Err(ControlError::Governed(GovernedError::OnHold { holds: 1, .. }))),
        "{outcome:?}"
    );
    lift(second.id).await.expect("it stands");
    lift(second.id).await.expect("lifting again changes nothing");
    scene.remove().await.expect("nothing holds it");
    let listed = control.retentions(&Actor::Operator, scene.tenant).await.expect("the operator may");
    let listed: Vec<_> =
        listed.iter().map(|row| (row.study.as_str(), row.holds.len(), row.removed_at.is_some())).collect();
    assert_eq!(listed, [("A", 2, true), ("B", 0, false)]);
}

#[tokio::test]
async fn control_18_a_removed_study_is_not_there_its_code_is_not_used_again_and_the_ledger_is_whole() {
    let Some(scene) = Scene::new().await else { return };
    let (control, a) = (&scene.world.control, study("A"));
    scene.keep("2026-01-01", None).await.expect("it is the first decision");
    assert!(control.removal_scope(&Actor::Operator, scene.tenant, &a).await.is_err(), "it was not removed");
    scene.remove().await.expect("nothing holds it");
    assert!(!scene.reads("A").await && scene.reads("B").await);
    let grants = control.operator_grants(scene.tenant).await.expect("the tenant exists");
    assert!(
        grants.scope::<kernel::Build>(&a).is_err(),
        "nor for the operator, so that nobody registers it again"
    );
    let studies = control.studies(&grants).await.expect("they can be listed");
    assert_eq!(studies.iter().map(|row| row.id.as_str()).collect::<Vec<_>>(), ["B"]);
    assert!(matches!(scene.remove().await, Err(ControlError::Denied)), "a second time it is not there");
    assert!(control.removal_scope(&Actor::Operator, scene.tenant, &a).await.is_ok(), "its files are");
    control.finish_removal(&Actor::Operator, scene.tenant, &a, &trace()).await.expect("they are gone");
    control
        .finish_removal(&Actor::Operator, scene.tenant, &a, &trace())
        .await
        .expect("again changes nothing");
    let events = scene.world.events(scene.tenant).await;
    let told: Vec<_> = events.iter().filter(|event| event.action.starts_with("study.")).take(2).collect();
    assert_eq!((told[0].action.as_str(), told[1].action.as_str()), ("study.files.removed", "study.removed"));
    assert_eq!((told[1].data["files"].as_u64(), told[1].data["bytes"].as_u64()), (Some(7), Some(1_000)));
    assert_eq!(
        (told[1].data["list_blake3"].as_str(), told[1].data["approved_by"].as_str()),
        (Some(&*"ab".repeat(32)), Some(&*scene.steward.to_string()))
    );
    let reports = control.verify_all().await.expect("the logs can be read");
    assert!(reports.iter().all(control::VerifyReport::is_intact), "{reports:?}");
}

#[tokio::test]
async fn control_18_an_earlier_day_takes_two_people_and_only_administrators_decide() {
    let Some(scene) = Scene::new().await else { return };
    scene.keep("2051-01-01", None).await.expect("it is the first decision");
    let outcome = scene.keep("2050-01-01", None).await;
    assert!(matches!(outcome, Err(ControlError::Governed(GovernedError::RetentionShortened))), "{outcome:?}");
    scene.keep("2052-01-01", None).await.expect("a later day takes one");
    scene.keep("2050-01-01", Some(scene.steward)).await.expect("a second person agrees");
    let actor = Actor::Account { id: scene.steward, tenant: scene.tenant };
    let outcome = scene.world.control.place_hold(&actor, scene.tenant, &study("A"), "court", &trace()).await;
    assert!(matches!(outcome, Err(ControlError::Denied)), "a steward does not: {outcome:?}");
    let admin =
        scene.world.account(scene.tenant, "admin@example.org", &[everywhere(Role::Administrator)]).await;
    let actor = Actor::Account { id: admin, tenant: scene.tenant };
    scene.world.control.place_hold(&actor, scene.tenant, &study("A"), "court", &trace()).await.expect("may");
    let outcome =
        scene.world.control.place_hold(&actor, scene.tenant, &study("NOWHERE"), "court", &trace()).await;
    assert!(matches!(outcome, Err(ControlError::Denied)), "{outcome:?}");
}
