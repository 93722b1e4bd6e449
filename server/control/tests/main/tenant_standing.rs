//! A tenant can be disabled and enabled again: nobody of it is let in, its work waits, and nothing of it is lost.

use chrono::TimeDelta;
use control::{
    Actor, Audience, AuthError, Control, ControlError, Credentials, Ending, GovernedError, Identity, JobKind,
    NewAccessToken, NewEndpoint, NewSchedule, Order, Terms, Timetable, TokenKind,
};
use kernel::{AccountId, Grants, Role, TenantId};
use serde_json::json;

use super::world::{PASSWORD, World, everywhere, new_snapshot, study, trace};

const ADA: &str = "ada@example.org";
const WHY: Order<'_> = Order { actor: &Actor::Operator, reason: Some("the contract has ended"), trace: None };
const LEASE: TimeDelta = TimeDelta::seconds(60);

struct Scene {
    world: World,
    tenant: TenantId,
    other: TenantId,
    ada: AccountId,
    grants: Grants,
}

impl Scene {
    async fn new() -> Option<Self> {
        let world = World::new().await?;
        let (tenant, other) = (world.tenant("acme").await.id, world.tenant("beta").await.id);
        let ada = world.account(tenant, ADA, &[everywhere(Role::DataEngineer)]).await;
        world.account(other, "bob@example.org", &[everywhere(Role::DataEngineer)]).await;
        world.study(tenant, "A").await;
        let grants = world.control.operator_grants(tenant).await.expect("the tenant exists");
        Some(Self { world, tenant, other, ada, grants })
    }

    async fn turn(&self, on: bool) {
        let control = &self.world.control;
        let turned = if on {
            control.enable_tenant(WHY, self.tenant).await
        } else {
            control.disable_tenant(WHY, self.tenant).await
        };
        turned.expect("the other is in use");
    }

    async fn claim(&self) -> Option<control::Claim> {
        let terms = Terms { worker: "w1", lease: LEASE, at_a_time: 9 };
        self.world.control.claim_job(self.tenant, terms).await.expect("the store works")
    }
}

fn ada() -> Identity {
    Identity { issuer: "https://id.example".to_owned(), subject: "ada".to_owned() }
}

/// What of `proofs` lets somebody in: a session, a token for each door made from one, and tokens that are kept.
async fn let_in(control: &Control, proofs: &[(String, Option<Audience>)]) -> Vec<&'static str> {
    let mut outcomes = Vec::new();
    for (proof, audience) in proofs {
        let outcome = match audience {
            Some(audience) => control.authenticate(proof, *audience).await,
            None => control.authenticate_session(proof).await,
        };
        outcomes.push(outcome.err().map_or("in", |error| error.reason()));
    }
    outcomes
}

async fn proofs(scene: &Scene) -> Vec<(String, Option<Audience>)> {
    let control = &scene.world.control;
    let browser =
        control.sign_in(&Credentials::new(ADA, PASSWORD), &trace()).await.expect("the password is right");
    let mut proofs = vec![(browser.secret, None)];
    for audience in [Audience::Http, Audience::Flight] {
        proofs.push((scene.world.login(ADA, audience).await.token, Some(audience)));
        for kind in [TokenKind::Personal, TokenKind::Service(audience)] {
            let (label, lifetime) = ("pull".to_owned(), TimeDelta::days(9));
            let new = NewAccessToken { kind, label, grants: Vec::new(), lifetime, peer: None };
            let made = control.create_access_token(&Actor::Operator, scene.tenant, scene.ada, new).await;
            proofs.push((made.expect("she may have one").secret, Some(audience)));
        }
    }
    proofs
}

#[tokio::test]
async fn control_31_nobody_of_a_disabled_tenant_is_let_in_and_enabling_brings_all_back() {
    let Some(scene) = Scene::new().await else { return };
    let (control, proofs) = (&scene.world.control, proofs(&scene).await);
    control.link_identity(&Actor::Operator, scene.tenant, scene.ada, &ada()).await.expect("nobody has it");
    // Another process that has the tenant's rows open already.
    let replica = scene.world.reopened().await;
    assert_eq!(let_in(&replica, &proofs).await, ["in"; 7]);
    for _ in 0..2 {
        scene.turn(false).await;
    }
    for process in [control, &replica] {
        assert_eq!(let_in(process, &proofs).await, ["tenant_disabled"; 7]);
        let signed_in = process.sign_in(&Credentials::new(ADA, PASSWORD), &trace()).await.err();
        assert!(
            matches!(signed_in, Some(ControlError::Governed(GovernedError::TenantDisabled))),
            "{signed_in:?}"
        );
        let vouched = process.sign_in_identity(&ada(), None, &trace()).await.err();
        assert!(
            matches!(vouched, Some(ControlError::Governed(GovernedError::TenantDisabled))),
            "{vouched:?}"
        );
    }
    // The other tenant notices nothing.
    let bob = scene.world.login("bob@example.org", Audience::Http).await;
    control.authenticate(&bob.token, Audience::Http).await.expect("his tenant is in use");
    scene.turn(true).await;
    for process in [control, &replica] {
        assert_eq!(let_in(process, &proofs).await, ["in"; 7]);
    }
    control.sign_in_identity(&ada(), None, &trace()).await.expect("it is linked");
}

#[tokio::test]
async fn an_outsider_cannot_tell_a_disabled_tenant_from_any_other() {
    let Some(scene) = Scene::new().await else { return };
    let control = &scene.world.control;
    let login = scene.world.login(ADA, Audience::Http).await;
    control.logout(&login.principal, &trace()).await.expect("the ledger works");
    scene.turn(false).await;
    for (email, password) in [(ADA, "not her password"), ("nobody@example.org", PASSWORD)] {
        let refused = control.login(&Credentials::new(email, password), Audience::Http, &trace()).await;
        assert!(matches!(refused, Err(ControlError::LoginRefused)), "{email}: {refused:?}");
    }
    // A token whose session has ended proves nothing any more.
    let ended = control.authenticate(&login.token, Audience::Http).await;
    assert!(matches!(ended, Err(AuthError::Revoked { .. })), "{ended:?}");
    // Nor does a disabled account's password.
    control.disable_account(&Actor::Operator, scene.tenant, scene.ada).await.expect("she exists");
    let refused = control.login(&Credentials::new(ADA, PASSWORD), Audience::Http, &trace()).await;
    assert!(matches!(refused, Err(ControlError::LoginRefused)), "{refused:?}");
}

#[tokio::test]
async fn the_jobs_of_a_disabled_tenant_wait_and_what_a_worker_had_is_done_anew() {
    let Some(scene) = Scene::new().await else { return };
    let (control, scope) =
        (&scene.world.control, scene.grants.scope(&study("A")).expect("the operator may build"));
    let asked = control.enqueue_job(&Actor::Operator, &scope, JobKind::MartsBuild, &trace()).await;
    let asked = asked.expect("the study is registered").0;
    let lost = scene.claim().await.expect("one is due");
    scene.turn(false).await;
    // The worker cannot keep it, and nothing that it made can be published or ended.
    assert!(matches!(control.renew_job(&lost, LEASE, None).await, Err(ControlError::LeaseLost)));
    let made = control::NewSnapshot { fence: Some(lost.fence()), ..new_snapshot("one", None) };
    let published = control.publish(&Actor::Operator, &scope, made, &trace()).await;
    assert!(matches!(published, Err(ControlError::LeaseLost)), "{published:?}");
    let done = Ending::Done { result: json!({}), then: Vec::new() };
    assert!(matches!(control.end_job(&lost, done.clone()).await, Err(ControlError::LeaseLost)));
    assert!(scene.claim().await.is_none(), "its work waits");
    scene.world.clock.advance(TimeDelta::days(30));
    assert_eq!(control.reap_jobs(scene.tenant).await.expect("the store works"), 0);
    scene.turn(true).await;
    let claim = scene.claim().await.expect("it is due again");
    let job = claim.job();
    assert_eq!((job.id, job.failures), (asked.id, 0), "that it was taken away is no failure");
    control.end_job(&claim, done).await.expect("the lease holds");
}

#[tokio::test]
async fn the_schedules_and_messages_of_a_disabled_tenant_wait() {
    let Some(scene) = Scene::new().await else { return };
    let (control, operator, grants) = (&scene.world.control, Actor::Operator, &scene.grants);
    let timetable = Timetable::new("0 * * * *", "UTC").expect("it can be used");
    let schedule = NewSchedule { kind: JobKind::MartsBuild, study: Some(study("A")), timetable };
    control.add_schedule(&operator, grants, schedule, &trace()).await.expect("it can be used");
    let endpoint = NewEndpoint {
        url: "https://hooks.example.org/cairn".to_owned(),
        description: String::new(),
        kinds: vec!["snapshot.published".to_owned()],
    };
    let endpoint = control.add_webhook(&operator, grants, &endpoint, &trace()).await.expect("it can be used");
    control.test_webhook(&operator, grants, endpoint.endpoint.id, &trace()).await.expect("it is on");
    scene.turn(false).await;
    scene.world.clock.advance(TimeDelta::hours(5));
    assert_eq!(control.fire_schedules(scene.tenant).await.expect("the store works"), 0);
    assert!(control.claim_message(scene.tenant, LEASE).await.expect("the store works").is_none());
    scene.turn(true).await;
    assert_eq!(control.fire_schedules(scene.tenant).await.expect("the store works"), 1, "made up for once");
    assert!(control.claim_message(scene.tenant, LEASE).await.expect("the store works").is_some());
}

#[tokio::test]
async fn disabling_says_why_in_both_logs_and_leaves_them_whole() {
    let Some(scene) = Scene::new().await else { return };
    let control = &scene.world.control;
    scene.turn(false).await;
    let disabled = control.disabled_tenant(&Actor::Operator, scene.tenant).await.expect("it is there");
    assert_eq!(disabled.expect("it is disabled").reason, "the contract has ended");
    let events = scene.world.events(scene.tenant).await;
    assert_eq!(
        (events[0].action.as_str(), &events[0].data["reason"], &events[0].data["after"]),
        ("tenant.disabled", &json!("the contract has ended"), &json!("disabled"))
    );
    let reports = control.verify_all().await.expect("the logs can be read");
    assert!(reports.iter().all(control::VerifyReport::is_intact), "{reports:?}");
    scene.turn(true).await;
    assert_eq!(scene.world.events(scene.tenant).await[0].action, "tenant.enabled");
    assert_eq!(control.disabled_tenant(&Actor::Operator, scene.tenant).await.expect("it is there"), None);
    let sizes =
        |reports: &[control::VerifyReport]| reports.iter().map(|report| report.size).collect::<Vec<_>>();
    let after = control.verify_all().await.expect("the logs can be read");
    let grown: Vec<u64> =
        sizes(&after).iter().zip(sizes(&reports)).map(|(after, before)| after - before).collect();
    assert_eq!(
        grown.iter().sum::<u64>(),
        2,
        "one event in the system's log and one in the tenant's: {grown:?}"
    );
}

#[tokio::test]
async fn only_the_operator_disables_a_tenant_with_a_reason_and_never_the_last() {
    let Some(scene) = Scene::new().await else { return };
    let control = &scene.world.control;
    let administrator = Actor::Administrator { id: scene.ada, tenant: scene.tenant };
    for actor in [Actor::Account { id: scene.ada, tenant: scene.tenant }, administrator] {
        let order = Order { actor: &actor, ..WHY };
        for refused in [
            control.disable_tenant(order, scene.tenant).await,
            control.enable_tenant(order, scene.tenant).await,
        ] {
            assert!(matches!(refused, Err(ControlError::Denied)), "{refused:?}");
        }
    }
    for reason in [None, Some("  ")] {
        let refused = control.disable_tenant(Order { reason, ..WHY }, scene.tenant).await;
        assert!(matches!(refused, Err(ControlError::InvalidText { .. })), "{refused:?}");
    }
    scene.turn(false).await;
    let last = control.disable_tenant(WHY, scene.other).await;
    assert!(matches!(last, Err(ControlError::Governed(GovernedError::LastTenant))), "{last:?}");
    assert!(!control.is_tenant_disabled(scene.other).await.expect("it is there"));
    scene.turn(true).await;
    control.disable_tenant(WHY, scene.other).await.expect("the first is in use again");
}
