use chrono::TimeDelta;
use control::{
    Actor, Audience, BreakGlassRow, ControlError, GovernedError, NewAccessToken, NewBreakGlass, NewReview,
    Outcome, Principal, TableRead, TokenKind, Unblinding, Verdict,
};
use kernel::{AccountId, Build, Grant, Read, Role, Sign, TenantId};

use super::world::{World, everywhere, only_in, snapshot_id, study, trace};

const REASON: &str = "suspected overdose of Marie at site 12";

struct Scene {
    world: World,
    tenant: TenantId,
    /// May read the study `A` alone.
    ada: AccountId,
    steward: AccountId,
}

impl Scene {
    async fn new() -> Option<Self> {
        let world = World::new().await?;
        let tenant = world.tenant("acme").await.id;
        for code in ["A", "B"] {
            world.study(tenant, code).await;
        }
        let ada = world.account(tenant, "ada@example.org", &[only_in(Role::Clinical, "A")]).await;
        let steward = world.account(tenant, "steward@example.org", &[everywhere(Role::Steward)]).await;
        Some(Self { world, tenant, ada, steward })
    }

    fn actor(&self, id: AccountId) -> Actor {
        Actor::Account { id, tenant: self.tenant }
    }

    async fn ask(&self, code: &str, minutes: i64) -> Result<BreakGlassRow, ControlError> {
        let lasting = TimeDelta::minutes(minutes);
        let new = NewBreakGlass { account: self.ada, study: study(code), reason: REASON.into(), lasting };
        self.world.control.open_break_glass(&self.actor(self.ada), self.tenant, &new, &trace()).await
    }

    async fn review(&self, of: &BreakGlassRow, by: AccountId) -> Result<BreakGlassRow, ControlError> {
        let new = NewReview { by, verdict: Verdict::Justified, note: "called the site".into() };
        let control = &self.world.control;
        control.review_break_glass(&self.actor(by), self.tenant, of.id, &new, &trace()).await
    }

    async fn principal(&self, token: &str) -> Principal {
        self.world.control.authenticate(token, Audience::Http).await.expect("the session is live")
    }

    fn clock(&self, minutes: i64) {
        self.world.clock.advance(TimeDelta::minutes(minutes));
    }
}

fn reads(principal: &Principal, code: &str) -> bool {
    principal.grants().scope::<Read>(&study(code)).is_ok()
}

fn table_read() -> TableRead {
    TableRead {
        door: "http".into(),
        study: study("B"),
        snapshot: snapshot_id("one"),
        table: "dim_site".into(),
        trace: trace(),
    }
}

#[tokio::test]
async fn control_36_an_emergency_access_reads_one_study_until_it_ends_by_itself() {
    let Some(scene) = Scene::new().await else { return };
    // A token of 15 minutes holds the whole emergency.
    let token = scene.world.login("ada@example.org", Audience::Http).await.token;
    assert!(!reads(&scene.principal(&token).await, "B"));
    scene.ask("B", 10).await.expect("it is an emergency");
    let principal = scene.principal(&token).await;
    let grants = principal.grants();
    assert!(
        reads(&principal, "B") && principal.is_emergency(&study("B")) && !principal.is_emergency(&study("A"))
    );
    assert!(grants.scope::<Build>(&study("B")).is_err() && grants.scope::<Sign>(&study("B")).is_err());
    assert!(!grants.scope::<Read>(&study("B")).expect("it reads").is_unblinded(), "what is blinded stays so");
    scene.clock(9);
    assert!(reads(&scene.principal(&token).await, "B"), "the tenth minute has not passed");
    scene.clock(1);
    let principal = scene.principal(&token).await;
    assert!(!reads(&principal, "B") && reads(&principal, "A"), "it ended by itself, and nothing else did");
}

#[tokio::test]
async fn control_36_what_is_done_under_it_carries_its_actor_and_the_reason_is_a_commitment() {
    let Some(scene) = Scene::new().await else { return };
    let token = scene.world.login("ada@example.org", Audience::Http).await.token;
    let opened = scene.ask("B", 60).await.expect("it is an emergency");
    let principal = scene.principal(&token).await;
    let control = &scene.world.control;
    control
        .record_emergency(&principal, &study("B"), "GET /studies/{study}", &trace())
        .await
        .expect("recorded");
    let pull = control.read_started(&principal, table_read()).await.expect("it may read");
    let amount = control::Amount::default();
    control.read_finished(&principal, pull, table_read(), amount, Outcome::Success).await.expect("it ends");
    let events = scene.world.events(scene.tenant).await;
    let mut under = events.iter().filter(|event| event.actor_type == "break_glass");
    let actions: Vec<&str> = under.clone().map(|event| event.action.as_str()).collect();
    let expected =
        ["data.read.finished", "data.read.started", "access.break_glass.used", "access.break_glass.opened"];
    assert_eq!(actions, expected, "newest first");
    assert!(under.clone().all(|event| event.actor_id == scene.ada.to_string()));
    assert!(events.iter().all(|event| !event.leaf.contains("overdose")), "no leaf holds the reason");
    let seq = under.next_back().expect("it was opened").seq;
    let grants = control.operator_grants(scene.tenant).await.expect("the tenant exists");
    let beside = control.personal_data(&grants, seq).await.expect("it can be read").expect("it is there");
    assert_eq!(beside["reason"], REASON);
    let listed =
        control.break_glasses(&scene.actor(scene.steward), scene.tenant).await.expect("a steward sees");
    assert_eq!(listed, [opened]);
    let reports = control.verify_all().await.expect("the logs can be read");
    assert!(reports.iter().all(control::VerifyReport::is_intact), "{reports:?}");
}

#[tokio::test]
async fn control_36_it_lasts_an_hour_at_most_and_needs_a_reason_a_study_and_a_need() {
    let Some(scene) = Scene::new().await else { return };
    for minutes in [0, -5, 61] {
        let outcome = scene.ask("B", minutes).await;
        let too_long =
            matches!(outcome, Err(ControlError::Governed(GovernedError::BreakGlassLength { minutes: 60 })));
        assert!(too_long, "{minutes}: {outcome:?}");
    }
    let outcome = scene.ask("A", 10).await;
    assert!(
        matches!(outcome, Err(ControlError::Governed(GovernedError::BreakGlassNeedless { .. }))),
        "{outcome:?}"
    );
    assert!(matches!(scene.ask("NOWHERE", 10).await, Err(ControlError::Denied)));
    let (control, lasting) = (&scene.world.control, TimeDelta::minutes(5));
    let new =
        |account, reason: &str| NewBreakGlass { account, study: study("B"), reason: reason.into(), lasting };
    let ask =
        |actor, tenant, new| async move { control.open_break_glass(&actor, tenant, &new, &trace()).await };
    let outcome = ask(scene.actor(scene.ada), scene.tenant, new(scene.ada, " ")).await;
    assert!(matches!(outcome, Err(ControlError::InvalidText { .. })), "{outcome:?}");
    let outcome = ask(scene.actor(scene.steward), scene.tenant, new(scene.ada, REASON)).await;
    assert!(matches!(outcome, Err(ControlError::Denied)), "nobody asks for another: {outcome:?}");
    let other = scene.world.tenant("other").await.id;
    let outcome = ask(scene.actor(scene.ada), other, new(scene.ada, REASON)).await;
    assert!(matches!(outcome, Err(ControlError::Denied)), "nor in another tenant: {outcome:?}");
    let outcome = ask(Actor::Operator, other, new(scene.ada, REASON)).await;
    assert!(matches!(outcome, Err(ControlError::Denied)), "nor has that tenant the account: {outcome:?}");
    scene.ask("B", 10).await.expect("it is an emergency");
    let outcome = scene.ask("B", 10).await;
    assert!(
        matches!(outcome, Err(ControlError::Governed(GovernedError::BreakGlassOpen { .. }))),
        "{outcome:?}"
    );
    scene.clock(10);
    scene.ask("B", 10).await.expect("it is an emergency again");
}

#[tokio::test]
async fn control_36_another_person_reviews_it_within_a_day_and_late_reviews_are_told() {
    let Some(scene) = Scene::new().await else { return };
    let opened = scene.ask("B", 60).await.expect("it is an emergency");
    let colleague = scene.world.account(scene.tenant, "bob@example.org", &[everywhere(Role::Clinical)]).await;
    assert!(matches!(scene.review(&opened, scene.ada).await, Err(ControlError::Denied)), "not by herself");
    assert!(matches!(scene.review(&opened, colleague).await, Err(ControlError::Denied)), "nor by anybody");
    scene
        .world
        .control
        .grant(&Actor::Operator, scene.tenant, scene.ada, everywhere(Role::Administrator))
        .await
        .expect("given");
    let outcome = scene.review(&opened, scene.ada).await;
    let unfit = matches!(outcome, Err(ControlError::Governed(GovernedError::ReviewerUnfit)));
    assert!(unfit, "nor by herself as an administrator: {outcome:?}");
    let count =
        || async { scene.world.control.count_break_glasses(&Actor::Operator).await.expect("counted") };
    assert_eq!((count().await.open, count().await.overdue), (1, 0));
    scene.clock(24 * 60);
    assert!(!opened.is_overdue(opened.review_due_at), "the day has not passed");
    scene.clock(1);
    assert_eq!((count().await.open, count().await.overdue), (0, 1));
    let reviewed = scene.review(&opened, scene.steward).await.expect("a steward may");
    assert_eq!(reviewed.review.expect("it is reviewed").by, scene.steward);
    assert_eq!((count().await.open, count().await.overdue), (0, 0));
    let outcome = scene.review(&opened, scene.steward).await;
    assert!(matches!(outcome, Err(ControlError::Governed(GovernedError::Reviewed))), "{outcome:?}");
    let events = scene.world.events(scene.tenant).await;
    assert_eq!(
        (events[0].action.as_str(), events[0].data["is_late"].as_bool()),
        ("access.break_glass.reviewed", Some(true))
    );
    assert_eq!(events[0].data["verdict"], "justified");
}

#[tokio::test]
async fn control_36_it_ends_at_once_by_hand_and_no_kept_token_has_it() {
    let Some(scene) = Scene::new().await else { return };
    let control = &scene.world.control;
    let token = scene.world.login("ada@example.org", Audience::Http).await.token;
    let (label, lifetime) = ("program".to_owned(), TimeDelta::days(1));
    let new = NewAccessToken { kind: TokenKind::Personal, label, grants: Vec::new(), lifetime, peer: None };
    let kept = control.create_access_token(&scene.actor(scene.ada), scene.tenant, scene.ada, new).await;
    let kept = kept.expect("it is made").secret;
    let opened = scene.ask("B", 60).await.expect("it is an emergency");
    assert!(reads(&scene.principal(&token).await, "B"));
    assert!(!reads(&scene.principal(&kept).await, "B"), "a program has no emergencies");
    let colleague = scene.world.account(scene.tenant, "bob@example.org", &[everywhere(Role::Clinical)]).await;
    let by = scene.actor(colleague);
    let outcome = control.end_break_glass(&by, scene.tenant, opened.id, &trace()).await;
    assert!(matches!(outcome, Err(ControlError::Denied)), "{outcome:?}");
    let seen = control.break_glasses(&by, scene.tenant).await.expect("his own");
    assert_eq!(seen, [], "nor does he see it");
    let by = scene.actor(scene.steward);
    control.end_break_glass(&by, scene.tenant, opened.id, &trace()).await.expect("a steward may");
    assert!(!reads(&scene.principal(&token).await, "B"), "at the next request");
}

#[tokio::test]
async fn control_17_nobody_is_unblinded_without_a_reason_or_by_themselves() {
    let Some(scene) = Scene::new().await else { return };
    let (control, unblinded) =
        (&scene.world.control, Grant { role: Role::Unblinded, study: Some(study("A")) });
    let outcome = control.grant(&Actor::Operator, scene.tenant, scene.ada, unblinded.clone()).await;
    assert!(matches!(outcome, Err(ControlError::Governed(GovernedError::UnblindingReason))), "{outcome:?}");
    let account = super::world::new_account("eve@example.org", &[unblinded]);
    let outcome = control.create_account(&Actor::Operator, scene.tenant, account).await;
    assert!(matches!(outcome, Err(ControlError::Governed(GovernedError::UnblindingReason))), "{outcome:?}");
    let admin =
        scene.world.account(scene.tenant, "admin@example.org", &[everywhere(Role::Administrator)]).await;
    let unblind = |by: Actor, account, reason: &str| {
        let unblinding = Unblinding { account, study: Some(study("A")), reason: reason.to_owned() };
        async move { control.unblind(&by, scene.tenant, &unblinding, &trace()).await }
    };
    let outcome = unblind(Actor::Operator, scene.ada, "  ").await;
    assert!(matches!(outcome, Err(ControlError::InvalidText { .. })), "{outcome:?}");
    for (by, whom) in [(admin, admin), (scene.steward, scene.ada), (scene.ada, scene.ada)] {
        let outcome = unblind(scene.actor(by), whom, "committee").await;
        assert!(matches!(outcome, Err(ControlError::Denied)), "{outcome:?}");
    }
    let token = scene.world.login("ada@example.org", Audience::Http).await;
    let is_unblinded = |principal: &Principal| {
        principal.grants().scope::<Read>(&study("A")).expect("she reads").is_unblinded()
    };
    assert!(!is_unblinded(&token.principal));
    unblind(scene.actor(admin), scene.ada, "Marie is on the committee").await.expect("an administrator may");
    assert!(control.authenticate(&token.token, Audience::Http).await.is_err(), "her sessions have ended");
    assert!(is_unblinded(&scene.world.login("ada@example.org", Audience::Http).await.principal));
    let events = scene.world.events(scene.tenant).await;
    let event = events.iter().find(|event| event.action == "access.unblinded").expect("it is an event");
    assert_eq!(
        (event.resource_id.as_str(), event.data["study"].as_str()),
        (&*scene.ada.to_string(), Some("A"))
    );
    assert!(!event.leaf.contains("committee"), "the leaf commits to the reason and does not hold it");
    let grants = control.operator_grants(scene.tenant).await.expect("the tenant exists");
    let beside = control.personal_data(&grants, event.seq).await.expect("readable").expect("it is there");
    assert_eq!(beside["reason"], "Marie is on the committee");
}
