use chrono::TimeDelta;
use control::{
    Actor, Breaker, Channel, Control, ControlError, ControlSettings, Ending, EndpointRow, EndpointState,
    JobKind, MailChoice, MailSecurity, MailSettings, MessageClaim, MessageOutcome, Notice, Terms,
    WebhookDelivery, WebhookDeliveryState,
};
use kernel::{AccountId, Clock, Grants, Role, TenantId};

use super::world::{World, everywhere, trace};

const LEASE: TimeDelta = TimeDelta::seconds(30);

/// A tenant with an account that may do everything here, and a server that can send.
struct Scene {
    world: World,
    control: Control,
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
        let mail = MailSettings {
            host: "127.0.0.1".to_owned(),
            port: None,
            security: MailSecurity::Plain,
            sender: "cairn@acme.test".to_owned(),
            user: None,
            password_file: None,
        };
        let settings = ControlSettings { mail: Some(mail), ..world.site.settings() };
        let clock = std::sync::Arc::clone(&world.clock) as std::sync::Arc<dyn Clock>;
        let control =
            Control::open_at(world.folder(), &settings, clock).await.expect("the settings are good");
        control.offer_mail(tenant).await.expect("the store works");
        Some(Self { world, control, tenant, grants, account })
    }

    fn own(&self) -> (TenantId, AccountId) {
        (self.tenant, self.account)
    }

    fn actor(&self) -> Actor {
        Actor::Account { id: self.account, tenant: self.tenant }
    }

    async fn endpoint(&self) -> EndpointRow {
        let mut rows = self.control.webhooks(&Actor::Operator, &self.grants).await.expect("it may");
        rows.retain(|row| row.channel == Channel::Mail);
        assert_eq!(rows.len(), 1, "there is one relay");
        rows.remove(0)
    }

    async fn choose(&self, choice: MailChoice) {
        self.control.choose_mail(&self.actor(), self.own(), choice).await.expect("it is their own");
    }

    /// A job of the account's fails for good.
    async fn fail_a_job(&self) {
        self.world.clock.advance(TimeDelta::milliseconds(1));
        let scope = self.world.study(self.tenant, "A").await;
        self.control
            .enqueue_job(&self.actor(), &scope, JobKind::MartsBuild, &trace())
            .await
            .expect("the study is there");
        let terms = Terms { worker: "w", lease: LEASE, at_a_time: 9 };
        let claim = self.control.claim_job(self.tenant, terms).await.expect("it works").expect("it is due");
        let failed = Ending::Failed { problem: "row 7 holds Canary-7f3a".to_owned() };
        self.control.end_job(&claim, failed).await.expect("the lease holds");
    }

    async fn claim(&self) -> Option<MessageClaim> {
        self.control.claim_message(self.tenant, LEASE).await.expect("the store works")
    }

    async fn end(&self, claim: &MessageClaim, outcome: &MessageOutcome) -> bool {
        self.control.end_message(claim, outcome).await.expect("the lease holds")
    }

    async fn deliveries(&self) -> Vec<WebhookDelivery> {
        let endpoint = self.endpoint().await.id;
        let found =
            self.control.webhook_deliveries(&Actor::Operator, &self.grants, endpoint, (None, 500)).await;
        found.expect("the endpoint is there")
    }
}

fn answered(status: u16) -> MessageOutcome {
    MessageOutcome::Answered { status, retry_after: None, body: String::new() }
}

fn refused() -> MessageOutcome {
    MessageOutcome::Refused { status: 550, body: "no such mailbox".to_owned() }
}

#[tokio::test]
async fn a_message_of_an_inbox_goes_by_e_mail_to_who_chose_that() {
    let Some(scene) = Scene::new().await else { return };
    let known = scene.control.inbox_mail(&scene.actor(), scene.own()).await.expect("it is their own");
    assert_eq!((known.choice, known.is_sent), (MailChoice::Alerts, true), "what nobody has chosen");
    scene.fail_a_job().await;
    scene.choose(MailChoice::None).await;
    scene.fail_a_job().await;
    assert!(scene.deliveries().await.is_empty(), "a job that failed is no alert");
    scene.choose(MailChoice::All).await;
    scene.fail_a_job().await;
    let claim = scene.claim().await.expect("it is due");
    let to = claim.recipient().expect("it is an e-mail");
    assert_eq!(to.address, "admin@acme.test");
    assert!(!claim.payload().contains("Canary") && !claim.payload().contains('@'), "{}", claim.payload());
    assert!(!format!("{claim:?} {to:?}").contains('@'), "no log holds an address");
    assert!(scene.end(&claim, &answered(250)).await);
    assert_eq!(scene.deliveries().await[0].state, WebhookDeliveryState::Delivered);
    let stranger = Actor::Account { id: scene.account, tenant: scene.world.tenant("other").await.id };
    let refused = scene.control.choose_mail(&stranger, scene.own(), MailChoice::None).await;
    assert!(matches!(refused, Err(ControlError::Denied)), "{refused:?}");
}

#[tokio::test]
async fn a_refused_letter_is_dead_at_once_is_told_of_in_the_inbox_alone_and_leaves_the_breaker_closed() {
    let Some(scene) = Scene::new().await else { return };
    scene.choose(MailChoice::All).await;
    for _ in 0..6 {
        scene.fail_a_job().await;
        let claim = scene.claim().await.expect("it is due");
        assert!(!scene.end(&claim, &refused()).await);
    }
    let dead = scene.deliveries().await;
    assert_eq!(dead.len(), 6, "that a letter did not arrive is not told by letter: {dead:?}");
    assert!(
        dead.iter().all(|delivery| delivery.state == WebhookDeliveryState::Dead && delivery.attempt == 1)
    );
    assert_eq!(scene.endpoint().await.breaker(scene.world.clock.now()), Breaker::Closed, "the relay works");
    let inbox = scene.control.inbox(&scene.actor(), scene.own(), (None, 50)).await.expect("it is their own");
    let told = inbox.iter().filter(|row| row.notice == Notice::MailFailed).count();
    assert_eq!(told, 1, "one unread notice stands for the next");
    let events = scene.world.events(scene.tenant).await;
    assert_eq!(events.iter().filter(|event| event.action == "mail.delivery.failed").count(), 6);
}

#[tokio::test]
async fn a_relay_that_is_down_is_asked_rarely_and_gets_everything_in_the_end() {
    let Some(scene) = Scene::new().await else { return };
    scene.choose(MailChoice::All).await;
    for _ in 0..20 {
        scene.fail_a_job().await;
    }
    let mut attempts = 0;
    let end = scene.world.clock.now() + TimeDelta::hours(1);
    while scene.world.clock.now() < end {
        while let Some(claim) = scene.claim().await {
            attempts += 1;
            scene.end(&claim, &MessageOutcome::Unreachable { problem: "it is down".to_owned() }).await;
        }
        scene.world.clock.advance(TimeDelta::seconds(10));
    }
    // By hand: five failures open the breaker; probes after 30, 60, ... 960 seconds are six in 31.5 minutes, and the
    // next would be after 63.5 minutes.
    assert!((10..=12).contains(&attempts), "{attempts}");
    for _ in 0..5_000 {
        while let Some(claim) = scene.claim().await {
            scene.end(&claim, &answered(250)).await;
        }
        scene.world.clock.advance(TimeDelta::seconds(30));
    }
    let all = scene.deliveries().await;
    assert!(
        all.len() == 20 && all.iter().all(|sent| sent.state == WebhookDeliveryState::Delivered),
        "{all:?}"
    );
}

#[tokio::test]
async fn a_letter_to_an_account_that_is_not_in_use_any_more_is_cancelled() {
    let Some(scene) = Scene::new().await else { return };
    scene.world.account(scene.tenant, "boss@acme.test", &[everywhere(Role::Administrator)]).await;
    scene.choose(MailChoice::All).await;
    scene.fail_a_job().await;
    scene.control.disable_account(&Actor::Operator, scene.tenant, scene.account).await.expect("it is there");
    assert!(scene.claim().await.is_none());
    assert_eq!(scene.deliveries().await[0].state, WebhookDeliveryState::Cancelled);
}

#[tokio::test]
async fn a_server_without_a_relay_sends_no_letters_and_turns_e_mail_off() {
    let Some(scene) = Scene::new().await else { return };
    scene.choose(MailChoice::All).await;
    scene.fail_a_job().await;
    let other = &scene.world.control;
    assert!(other.claim_message(scene.tenant, LEASE).await.expect("the store works").is_none());
    other.offer_mail(scene.tenant).await.expect("the store works");
    let off = scene.endpoint().await;
    assert_eq!(off.state, EndpointState::Disabled);
    assert!(off.reason.expect("it says why").contains("not set up"));
    scene.fail_a_job().await;
    assert_eq!(scene.deliveries().await.len(), 1, "nothing more is put in line");
    scene.control.offer_mail(scene.tenant).await.expect("the store works");
    assert!(scene.claim().await.is_some(), "what waited is sent");

    // What the administrators have turned off stays off.
    let turned = (scene.endpoint().await.id, EndpointState::Disabled);
    scene
        .control
        .enable_webhook(&Actor::Operator, &scene.grants, turned, &trace())
        .await
        .expect("it is there");
    scene.control.offer_mail(scene.tenant).await.expect("the store works");
    assert_eq!(scene.endpoint().await.state, EndpointState::Disabled);
    let id = scene.endpoint().await.id;
    let removed = scene.control.remove_webhook(&Actor::Operator, &scene.grants, id, &trace()).await;
    assert!(matches!(removed, Err(ControlError::WebhookState { .. })), "{removed:?}");
}
