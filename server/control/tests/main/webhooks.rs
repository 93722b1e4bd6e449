use std::collections::BTreeSet;

use chrono::TimeDelta;
use control::{
    Actor, Breaker, ControlError, Ending, EndpointId, EndpointState, InvalidWebhook, JobKind, MessageClaim,
    MessageOutcome, NewEndpoint, Terms, WebhookDelivery, WebhookDeliveryState,
};
use kernel::{AccountId, Administer, Build, Clock, Grants, Role, StudyScope, TenantId};

use super::world::{World, everywhere, trace};

const LEASE: TimeDelta = TimeDelta::seconds(30);
const TOLD: &str = "account.grants.changed";

struct Scene {
    world: World,
    tenant: TenantId,
    grants: Grants,
    account: AccountId,
}

impl Scene {
    async fn new() -> Option<Self> {
        let world = World::new().await?;
        let tenant = world.tenant("acme").await.id;
        let account = world.account(tenant, "admin@acme.test", &[everywhere(Role::Administrator)]).await;
        let grants = world.control.operator_grants(tenant).await.expect("the tenant exists");
        Some(Self { world, tenant, grants, account })
    }

    async fn add(&self, kinds: &[&str]) -> (EndpointId, String) {
        let added =
            self.world.control.add_webhook(&Actor::Operator, &self.grants, &endpoint(kinds), &trace()).await;
        let added = added.expect("it can be used");
        (added.endpoint.id, added.secret)
    }

    /// Something that is announced: an account gets a role, or loses it.
    async fn happen(&self, number: usize) {
        self.world.clock.advance(TimeDelta::milliseconds(1));
        let (control, role) = (&self.world.control, everywhere(Role::Researcher));
        let done = if number.is_multiple_of(2) {
            control.grant(&Actor::Operator, self.tenant, self.account, role).await
        } else {
            control.revoke_grant(&Actor::Operator, self.tenant, self.account, role).await
        };
        done.expect("the account is there");
    }

    async fn claim(&self) -> Option<MessageClaim> {
        self.world.control.claim_message(self.tenant, LEASE).await.expect("the store works")
    }

    async fn end(&self, claim: &MessageClaim, outcome: &MessageOutcome) -> bool {
        self.world.control.end_message(claim, outcome).await.expect("the lease holds")
    }

    async fn deliveries(&self, endpoint: EndpointId) -> Vec<WebhookDelivery> {
        let found = self
            .world
            .control
            .webhook_deliveries(&Actor::Operator, &self.grants, endpoint, (None, 500))
            .await;
        found.expect("the endpoint is there")
    }

    async fn breaker(&self, endpoint: EndpointId) -> Breaker {
        let row = self.world.control.webhook(&Actor::Operator, &self.grants, endpoint).await;
        row.expect("it is there").breaker(self.world.clock.now())
    }

    async fn first_action(&self) -> String {
        self.world.events(self.tenant).await.remove(0).action
    }
}

fn endpoint(kinds: &[&str]) -> NewEndpoint {
    NewEndpoint {
        url: "https://hooks.example.org/cairn?token=hush".to_owned(),
        description: "the lake".to_owned(),
        kinds: kinds.iter().map(ToString::to_string).collect(),
    }
}

fn answered(status: u16) -> MessageOutcome {
    MessageOutcome::Answered { status, retry_after: None, body: "no".to_owned() }
}

fn unreachable() -> MessageOutcome {
    MessageOutcome::Unreachable { problem: "it does not answer".to_owned() }
}

fn header<'a>(headers: &'a [(&'static str, String); 3], name: &str) -> &'a str {
    &headers.iter().find(|(known, _)| *known == name).expect("it is there").1
}

#[tokio::test]
async fn an_event_and_its_messages_are_kept_together_or_not_at_all() {
    let Some(scene) = Scene::new().await else { return };
    let (told, _) = scene.add(&[TOLD]).await;
    let (untold, _) = scene.add(&["snapshot.published"]).await;
    scene.happen(0).await;
    let [delivery] = &scene.deliveries(told).await[..] else { unreachable!("there is one") };
    assert_eq!((delivery.kind.as_str(), delivery.state), (TOLD, WebhookDeliveryState::Queued));
    assert!(scene.deliveries(untold).await.is_empty(), "it did not ask for it");
    let claim = scene.claim().await.expect("it is due");
    let message: serde_json::Value = serde_json::from_str(claim.payload()).expect("it is JSON");
    let event = &scene.world.events(scene.tenant).await[0];
    assert_eq!(message["type"], TOLD);
    assert_eq!(message["data"]["event"], event.event_id);
    assert_eq!(message["data"]["role"], "researcher");
    assert!(!claim.payload().contains("admin@acme.test"), "{}", claim.payload());

    // The last statement of the transaction fails: neither event nor message nor role is there.
    let events = scene.world.events(scene.tenant).await.len();
    let forbid = if super::world::engine() == crate::site::Engine::Sqlite {
        "CREATE TRIGGER forbidden BEFORE INSERT ON webhook_deliveries BEGIN SELECT RAISE(ABORT, 'no'); END"
    } else {
        "ALTER TABLE cairn.webhook_deliveries ADD CONSTRAINT forbidden CHECK (state <> 'QUEUED') NOT VALID"
    };
    scene.world.site.intrude(crate::site::Whose::Tenants(scene.tenant), &[forbid]).await;
    let refused = scene
        .world
        .control
        .grant(&Actor::Operator, scene.tenant, scene.account, everywhere(Role::Auditor))
        .await;
    assert!(refused.is_err(), "a message that cannot be written lets nothing happen");
    assert_eq!(scene.world.events(scene.tenant).await.len(), events);
}

#[tokio::test]
async fn a_message_has_one_id_and_a_new_time_and_signature_at_each_attempt() {
    let Some(scene) = Scene::new().await else { return };
    scene.add(&[TOLD]).await;
    scene.happen(0).await;
    let first = scene.claim().await.expect("it is due");
    assert!(scene.claim().await.is_none(), "somebody has it");
    let told = first.headers(scene.world.clock.now());
    assert!(header(&told, "webhook-id").starts_with("msg_"));
    scene.end(&first, &answered(503)).await;
    scene.world.clock.advance(TimeDelta::minutes(2));
    let second = scene.claim().await.expect("it is due again");
    let again = second.headers(scene.world.clock.now());
    assert_eq!(header(&told, "webhook-id"), header(&again, "webhook-id"));
    assert_eq!(first.payload(), second.payload());
    for name in ["webhook-timestamp", "webhook-signature"] {
        assert_ne!(header(&told, name), header(&again, name), "{name}");
    }
    assert!(scene.end(&second, &answered(204)).await);
    scene.world.clock.advance(TimeDelta::days(1));
    assert!(scene.claim().await.is_none(), "it was delivered");
}

#[tokio::test]
async fn what_a_lost_server_had_is_sent_again_and_its_answer_is_not_kept() {
    let Some(scene) = Scene::new().await else { return };
    let (endpoint, _) = scene.add(&[TOLD]).await;
    scene.happen(0).await;
    let lost = scene.claim().await.expect("it is due");
    scene.world.clock.advance(LEASE + TimeDelta::seconds(1));
    let found = scene.claim().await.expect("its lease has ended");
    let late = scene.world.control.end_message(&lost, &answered(200)).await;
    assert!(matches!(late, Err(ControlError::LeaseLost)), "{late:?}");
    assert!(scene.end(&found, &answered(200)).await);
    let [delivery] = &scene.deliveries(endpoint).await[..] else { unreachable!("there is one") };
    assert_eq!((delivery.state, delivery.attempt), (WebhookDeliveryState::Delivered, 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_never_have_the_same_message() {
    let Some(scene) = Scene::new().await else { return };
    scene.add(&[TOLD]).await;
    for number in 0..20 {
        scene.happen(number).await;
    }
    let mut sent = BTreeSet::new();
    let other = scene.world.reopened().await;
    // A server that looks while the other claims may find nothing; it looks again.
    for _ in 0..200 {
        let (one, two) = tokio::join!(
            scene.world.control.claim_message(scene.tenant, LEASE),
            other.claim_message(scene.tenant, LEASE)
        );
        let claims: Vec<MessageClaim> =
            [one.expect("the store works"), two.expect("the store works")].into_iter().flatten().collect();
        for claim in claims {
            assert!(sent.insert(claim.delivery()), "it was claimed twice");
            scene.end(&claim, &answered(200)).await;
        }
    }
    assert_eq!(sent.len(), 20);
}

/// Sends whatever is due for a time, to an endpoint that answers so; how often it was asked.
async fn outbound_attempts(scene: &Scene, time: TimeDelta, outcome: &MessageOutcome) -> usize {
    let (end, mut attempts) = (scene.world.clock.now() + time, 0);
    while scene.world.clock.now() < end {
        while let Some(claim) = scene.claim().await {
            attempts += 1;
            scene.end(&claim, outcome).await;
        }
        scene.world.clock.advance(TimeDelta::seconds(10));
    }
    attempts
}

#[tokio::test]
async fn control_44_a_dead_endpoint_is_asked_at_most_a_tenth_more_often_than_there_is_to_send() {
    let Some(scene) = Scene::new().await else { return };
    let (endpoint, _) = scene.add(&[TOLD]).await;
    for number in 0..100 {
        scene.happen(number).await;
    }
    assert_eq!(scene.breaker(endpoint).await, Breaker::Closed);
    let attempts = outbound_attempts(&scene, TimeDelta::hours(4), &unreachable()).await;
    // By hand: five failures open it; then it is probed after 30, 60, ... 1920 and 3600 seconds, which are nine probes
    // in four hours.
    eprintln!("control 44: {attempts} attempts in four hours, for 100 messages to a dead endpoint");
    assert!((12..=18).contains(&attempts), "{attempts} attempts for 100 messages");
    assert!(attempts <= 110, "{attempts}");
    assert_eq!(scene.breaker(endpoint).await, Breaker::Open);
    assert!(scene.claim().await.is_none(), "nothing is sent while it is open");

    // It works again: one probe is sent, and while its answer is out nothing else; then the breaker closes.
    scene.world.clock.advance(TimeDelta::hours(1));
    assert_eq!(scene.breaker(endpoint).await, Breaker::HalfOpen);
    let probe = scene.claim().await.expect("one is let through");
    assert!(scene.claim().await.is_none(), "and no more");
    scene.end(&probe, &answered(200)).await;
    assert_eq!(scene.breaker(endpoint).await, Breaker::Closed);
    outbound_attempts(&scene, TimeDelta::hours(13), &answered(200)).await;
    let left = scene.deliveries(endpoint).await;
    let undelivered =
        left.iter().filter(|delivery| delivery.state != WebhookDeliveryState::Delivered).count();
    assert_eq!(undelivered, 0, "every message arrives in the end");
}

#[tokio::test]
async fn control_44_repetitions_stay_below_a_tenth_where_the_breaker_never_opens() {
    let Some(scene) = Scene::new().await else { return };
    let (endpoint, _) = scene.add(&[TOLD]).await;
    // Every second attempt fails, so that there are never five in a row. All of it happens within a minute.
    let (mut first, mut again) = (0, 0);
    for number in 0..100 {
        scene.happen(number).await;
        while let Some(claim) = scene.claim().await {
            let delivery = scene.deliveries(endpoint).await;
            let known = delivery.iter().find(|known| known.id == claim.delivery()).expect("it is there");
            if known.attempt == 1 {
                first += 1;
            } else {
                again += 1;
            }
            let fails = (first + again) % 2 == 0;
            scene.end(&claim, &if fails { answered(500) } else { answered(200) }).await;
        }
        scene.world.clock.advance(TimeDelta::milliseconds(500));
    }
    assert_eq!(first, 100);
    eprintln!("control 44: {again} repetitions of 100 messages of which every second attempt fails");
    assert!(again <= 11, "{again} repetitions of 100 messages, with one a minute for free");
}

#[tokio::test]
async fn an_endpoint_that_is_gone_is_turned_off() {
    let Some(scene) = Scene::new().await else { return };
    let (endpoint, _) = scene.add(&[TOLD]).await;
    scene.happen(0).await;
    scene.happen(1).await;
    let claim = scene.claim().await.expect("it is due");
    scene.end(&claim, &answered(410)).await;
    let row =
        scene.world.control.webhook(&Actor::Operator, &scene.grants, endpoint).await.expect("it is there");
    assert_eq!(row.state, EndpointState::Disabled);
    assert!(row.reason.expect("it says why").contains("410"));
    assert_eq!(scene.first_action().await, "webhook.changed");
    assert!(scene.claim().await.is_none(), "the other message waits");
    let on = (endpoint, EndpointState::Enabled);
    scene
        .world
        .control
        .enable_webhook(&Actor::Operator, &scene.grants, on, &trace())
        .await
        .expect("it is there");
    assert!(scene.claim().await.is_some());
}

#[tokio::test]
async fn what_the_endpoint_asks_to_wait_is_waited() {
    let Some(scene) = Scene::new().await else { return };
    scene.add(&[TOLD]).await;
    scene.happen(0).await;
    let claim = scene.claim().await.expect("it is due");
    let busy =
        MessageOutcome::Answered { status: 429, retry_after: Some("7200".to_owned()), body: String::new() };
    scene.end(&claim, &busy).await;
    scene.world.clock.advance(TimeDelta::seconds(7_199));
    assert!(scene.claim().await.is_none());
    scene.world.clock.advance(TimeDelta::seconds(1));
    assert!(scene.claim().await.is_some());
}

#[tokio::test]
async fn a_message_that_fails_for_days_is_dead_is_told_of_once_and_can_be_sent_again() {
    let Some(scene) = Scene::new().await else { return };
    let (endpoint, _) = scene.add(&[TOLD]).await;
    scene.happen(0).await;
    scene.happen(1).await;
    let attempts = outbound_attempts(&scene, TimeDelta::hours(30), &answered(500)).await;
    assert!(attempts > 14, "it is tried for days: {attempts}");
    scene.world.clock.advance(TimeDelta::days(6));
    scene.world.control.give_up_messages(scene.tenant).await.expect("the store works");
    let dead = scene.deliveries(endpoint).await;
    assert!(dead.iter().all(|delivery| delivery.state == WebhookDeliveryState::Dead), "{dead:?}");
    assert_eq!(scene.first_action().await, "webhook.delivery.failed");
    assert!(scene.claim().await.is_none());

    let own = (scene.tenant, scene.account);
    let inbox = scene.world.control.inbox(&Actor::Operator, own, (None, 50)).await.expect("it is there");
    assert_eq!(inbox.len(), 1, "one unread notice stands for the next: {inbox:?}");
    assert_eq!(inbox[0].message["data"]["resource_id"], endpoint.to_string());
    scene.world.control.mark_read(&Actor::Operator, own, Some(inbox[0].id)).await.expect("it is there");
    assert_eq!(scene.world.control.unread_notices(&Actor::Operator, own).await.expect("it is there"), 0);

    let retried =
        scene.world.control.retry_webhook(&Actor::Operator, &scene.grants, dead[0].id, &trace()).await;
    assert_eq!(retried.expect("it is dead").state, WebhookDeliveryState::Queued);
    let claim = scene.claim().await.expect("it is sent at once");
    assert_eq!(claim.delivery(), dead[0].id);
    assert!(scene.end(&claim, &answered(200)).await);
    let again =
        scene.world.control.retry_webhook(&Actor::Operator, &scene.grants, dead[0].id, &trace()).await;
    assert!(matches!(again, Err(ControlError::WebhookState { .. })), "{again:?}");
}

#[tokio::test]
async fn during_a_rotation_both_secrets_sign() {
    let Some(scene) = Scene::new().await else { return };
    let (endpoint, first) = scene.add(&[TOLD]).await;
    assert!(first.starts_with("whsec_") && first.len() == 6 + 44, "{}", first.len());
    let rotated =
        scene.world.control.rotate_webhook(&Actor::Operator, &scene.grants, endpoint, &trace()).await;
    let rotated = rotated.expect("it is there");
    assert_ne!(rotated.secret, first);
    let signatures = async |number| {
        scene.happen(number).await;
        let claim = scene.claim().await.expect("it is due");
        let headers = claim.headers(scene.world.clock.now());
        scene.end(&claim, &answered(200)).await;
        header(&headers, "webhook-signature").split(' ').count()
    };
    assert_eq!(signatures(0).await, 2);
    // The data key is renewed meanwhile, and the secrets with it.
    scene.world.control.rotate_data_key(&Actor::Operator, scene.tenant).await.expect("it rotates");
    assert_eq!(signatures(1).await, 2);
    scene.world.clock.advance(TimeDelta::hours(24));
    assert_eq!(signatures(2).await, 1);
}

#[tokio::test]
async fn control_26_another_tenants_endpoint_is_not_there() {
    let Some(scene) = Scene::new().await else { return };
    let (endpoint, _) = scene.add(&[TOLD]).await;
    scene.happen(0).await;
    let delivery = scene.deliveries(endpoint).await[0].id;
    let other = scene.world.tenant("other").await.id;
    let (control, actor) = (&scene.world.control, Actor::Operator);
    let grants = control.operator_grants(other).await.expect("the tenant exists");
    let trace = trace();
    let refusals = [
        control.webhook(&actor, &grants, endpoint).await.err(),
        control.rotate_webhook(&actor, &grants, endpoint, &trace).await.err(),
        control.enable_webhook(&actor, &grants, (endpoint, EndpointState::Disabled), &trace).await.err(),
        control.remove_webhook(&actor, &grants, endpoint, &trace).await.err(),
        control.test_webhook(&actor, &grants, endpoint, &trace).await.err(),
        control.webhook_deliveries(&actor, &grants, endpoint, (None, 9)).await.err(),
        control.retry_webhook(&actor, &grants, delivery, &trace).await.err(),
    ];
    for refused in refusals {
        assert!(matches!(refused, Some(ControlError::Denied)), "{refused:?}");
    }
    assert!(control.webhooks(&actor, &grants).await.expect("it may").is_empty());
    assert!(control.claim_message(other, LEASE).await.expect("the store works").is_none());
    let inbox = control.mark_read(&actor, (other, scene.account), None).await;
    assert!(inbox.is_ok(), "an account of another tenant has nothing to mark");
}

#[tokio::test]
async fn only_an_administrator_of_the_tenant_sees_endpoints() {
    let Some(scene) = Scene::new().await else { return };
    scene.world.account(scene.tenant, "eng@acme.test", &[everywhere(Role::DataEngineer)]).await;
    let login = scene.world.login("eng@acme.test", control::Audience::Http).await;
    let engineer = scene.world.control.authenticate(&login.token, control::Audience::Http).await;
    let engineer = engineer.expect("the token is good");
    assert!(!engineer.grants().allow_everywhere::<Administer>());
    let refused = scene.world.control.webhooks(&engineer.actor(), engineer.grants()).await;
    assert!(matches!(refused, Err(ControlError::Denied)), "{refused:?}");
    let new = endpoint(&[TOLD]);
    let refused = scene.world.control.add_webhook(&engineer.actor(), engineer.grants(), &new, &trace()).await;
    assert!(matches!(refused, Err(ControlError::Denied)), "{refused:?}");
}

#[tokio::test]
async fn an_endpoint_that_cannot_be_one_is_refused() {
    let Some(scene) = Scene::new().await else { return };
    let add = async |new: NewEndpoint| {
        scene.world.control.add_webhook(&Actor::Operator, &scene.grants, &new, &trace()).await.err()
    };
    let inner = NewEndpoint { url: "https://169.254.169.254/x".to_owned(), ..endpoint(&[TOLD]) };
    let refused = add(inner).await;
    assert!(
        matches!(refused, Some(ControlError::InvalidWebhook(InvalidWebhook::Address { .. }))),
        "{refused:?}"
    );
    let refused = add(endpoint(&["data.read.started"])).await;
    assert!(
        matches!(refused, Some(ControlError::InvalidWebhook(InvalidWebhook::Kind { .. }))),
        "{refused:?}"
    );
    let refused = add(endpoint(&[])).await;
    assert!(matches!(refused, Some(ControlError::InvalidWebhook(InvalidWebhook::NoKinds))), "{refused:?}");
}

#[tokio::test]
async fn a_removed_endpoint_gets_nothing_any_more() {
    let Some(scene) = Scene::new().await else { return };
    let (endpoint, _) = scene.add(&[TOLD]).await;
    scene.happen(0).await;
    let under_way = scene.claim().await.expect("it is due");
    scene
        .world
        .control
        .remove_webhook(&Actor::Operator, &scene.grants, endpoint, &trace())
        .await
        .expect("it is there");
    let late = scene.world.control.end_message(&under_way, &answered(500)).await;
    assert!(matches!(late, Err(ControlError::LeaseLost)), "{late:?}");
    scene.happen(1).await;
    scene.world.clock.advance(TimeDelta::days(1));
    assert!(scene.claim().await.is_none());
    assert!(scene.world.control.webhooks(&Actor::Operator, &scene.grants).await.expect("it may").is_empty());
    let actions = scene.world.events(scene.tenant).await;
    let host = actions.iter().find(|event| event.action == "webhook.added").expect("it was added");
    assert!(!format!("{host:?}").contains("hush"), "an address may hold a secret: {host:?}");
}

#[tokio::test]
async fn whoever_asked_for_a_job_that_failed_is_told() {
    let Some(scene) = Scene::new().await else { return };
    let scope: StudyScope<Build> = scene.world.study(scene.tenant, "A").await;
    let actor = Actor::Account { id: scene.account, tenant: scene.tenant };
    let control = &scene.world.control;
    control.enqueue_job(&actor, &scope, JobKind::MartsBuild, &trace()).await.expect("the study is there");
    let terms = Terms { worker: "w", lease: LEASE, at_a_time: 9 };
    let claim = control.claim_job(scene.tenant, terms).await.expect("the store works").expect("it is due");
    let failed = Ending::Failed { problem: "row 7 holds Canary-7f3a".to_owned() };
    control.end_job(&claim, failed).await.expect("the lease holds");
    let own = (scene.tenant, scene.account);
    let inbox = control.inbox(&actor, own, (None, 50)).await.expect("it is their own");
    assert_eq!(inbox.len(), 1, "{inbox:?}");
    assert_eq!(inbox[0].message["data"]["resource_id"], claim.job().id.to_string());
    assert!(!inbox[0].message.to_string().contains("Canary"), "{:?}", inbox[0].message);
    let stranger = Actor::Account { id: scene.account, tenant: scene.world.tenant("other").await.id };
    assert!(matches!(control.inbox(&stranger, own, (None, 50)).await, Err(ControlError::Denied)));
}

#[tokio::test]
async fn old_messages_are_forgotten_and_those_under_way_are_not() {
    let Some(scene) = Scene::new().await else { return };
    let (endpoint, _) = scene.add(&[TOLD]).await;
    scene.happen(0).await;
    let claim = scene.claim().await.expect("it is due");
    scene.end(&claim, &answered(200)).await;
    scene.happen(1).await;
    scene.world.clock.advance(TimeDelta::days(31));
    assert_eq!(scene.world.control.forget_messages(scene.tenant).await.expect("the store works"), 1);
    assert_eq!(scene.deliveries(endpoint).await.len(), 1);
}
