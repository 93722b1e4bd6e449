//! The operations that somebody answers for to somebody else: emergencies, signatures, reviews, removals; and webhooks.

use chrono::TimeDelta;
use control::{
    Actor, Audience, BreakGlassId, BreakGlassRow, Control, ControlError, Credentials, DeliveryId, EndpointId,
    EndpointState, HoldId, LimitAct, Meaning, MessageClaim, MessageOutcome, NewBreakGlass,
    NewDefinitionChange, NewEndpoint, NewLimitAct, NewRemoval, NewRetention, NewReview, NewSignature,
    Principal, Record, RecordKind, Removed, Unblinding, Verdict,
};
use kernel::{AccountId, Grants, Role, Sign, TenantId};

use super::super::second_factors::shown;
use super::super::world::{PASSWORD, World, everywhere, only_in, snapshot_id, study, trace};
use super::{Operation, Stage};

const OFFICER: &str = "officer@example.org";
const DOCTOR: &str = "doctor@example.org";
const GONE: MessageOutcome = MessageOutcome::Answered { status: 410, retry_after: None, body: String::new() };

/// What these need, made while the ledger still worked.
pub(super) struct Prepared {
    /// May sign, and read the ledger; has an authenticator app.
    officer: Principal,
    /// The secret of that app.
    app: String,
    /// May read the study `A`, and `R` in an emergency.
    doctor: Principal,
    steward: AccountId,
    disabled: AccountId,
    emergency: BreakGlassId,
    hold: HoldId,
    /// Endpoints: one that is used, and one that is turned off.
    used: EndpointId,
    unused: EndpointId,
    dead: DeliveryId,
    claim: MessageClaim,
}

fn endpoint() -> NewEndpoint {
    NewEndpoint {
        url: "https://hooks.example.org/cairn".to_owned(),
        description: String::new(),
        kinds: vec!["snapshot.published".to_owned()],
    }
}

fn removal(steward: AccountId) -> NewRemoval {
    let files = Removed { files: 1, bytes: 1, blake3: "ab".repeat(32) };
    NewRemoval { reason: "its day has come".to_owned(), approved_by: steward, files }
}

fn change() -> NewDefinitionChange {
    NewDefinitionChange { definition: "kri0001".into(), change: None, reason: "in the plan".into() }
}

async fn account(world: &World, tenant: TenantId, email: &str, role: Role) -> AccountId {
    let new = control::NewAccount {
        email: email.to_owned(),
        password: None,
        display_name: email.to_owned(),
        grants: vec![everywhere(role)],
    };
    world.control.create_account(&Actor::Operator, tenant, new).await.expect("the account is new")
}

/// Two endpoints, a message of the second that is too late, one of the first that was given up, and one that is out.
async fn webhooks(world: &World, grants: &Grants) -> ((EndpointId, EndpointId), DeliveryId, MessageClaim) {
    let (control, operator, trace) = (&world.control, Actor::Operator, trace());
    let add = || async {
        let added = control.add_webhook(&operator, grants, &endpoint(), &trace).await;
        added.expect("it can be used").endpoint.id
    };
    let turn = |id, state| {
        let (operator, trace) = (&operator, &trace);
        async move {
            let turned = control.enable_webhook(operator, grants, (id, state), trace).await;
            turned.expect("it is there");
        }
    };
    let test = |id| control.test_webhook(&operator, grants, id, &trace);
    let claim = || async {
        let lease = TimeDelta::days(6);
        control.claim_message(grants.tenant(), lease).await.expect("the store works").expect("one is due")
    };
    let (used, unused) = (add().await, add().await);
    test(unused).await.expect("it is on");
    turn(unused, EndpointState::Disabled).await;
    let dead = test(used).await.expect("it is on");
    control.end_message(&claim().await, &GONE).await.expect("the lease holds");
    turn(used, EndpointState::Enabled).await;
    test(used).await.expect("it is on");
    let claim = claim().await;
    world.clock.advance(TimeDelta::days(5));
    ((used, unused), dead, claim)
}

/// Somebody with an authenticator app, signed in with it, and what the app shows codes of.
async fn with_app(world: &World, tenant: TenantId) -> (Principal, String) {
    let (control, operator) = (&world.control, Actor::Operator);
    let roles = [everywhere(Role::Clinical), everywhere(Role::Auditor)];
    let id = world.account(tenant, OFFICER, &roles).await;
    let app = control.enrol_second_factor(&operator, tenant, id).await.expect("it is the first").secret;
    let code = shown(world, &app);
    control.confirm_second_factor(&operator, tenant, id, &code).await.expect("the app shows it");
    world.clock.advance(TimeDelta::seconds(60));
    let code = shown(world, &app);
    let given = Credentials { code: Some(&code), ..Credentials::new(OFFICER, PASSWORD) };
    let login = control.login(&given, Audience::Http, &trace()).await.expect("both are right");
    world.clock.advance(TimeDelta::seconds(60));
    (login.principal, app)
}

/// An emergency that lasts an hour.
async fn emergency(world: &World, principal: &Principal, code: &str) -> Result<BreakGlassRow, ControlError> {
    let (account, lasting) = (principal.account(), TimeDelta::minutes(60));
    let new = NewBreakGlass { account, study: study(code), reason: "an overdose".to_owned(), lasting };
    let (actor, tenant) = (principal.actor(), principal.tenant());
    world.control.open_break_glass(&actor, tenant, &new, &trace()).await
}

impl Prepared {
    /// Moves the clock by five days.
    pub(super) async fn new(world: &World, tenant: TenantId) -> Self {
        let (control, operator, trace) = (&world.control, Actor::Operator, trace());
        for code in ["R", "S", "T"] {
            world.study(tenant, code).await;
        }
        let grants = control.operator_grants(tenant).await.expect("the tenant exists");
        let ((used, unused), dead, claim) = webhooks(world, &grants).await;
        let steward = account(world, tenant, "steward@example.org", Role::Steward).await;
        let disabled = account(world, tenant, "former@example.org", Role::Researcher).await;
        control.disable_account(&operator, tenant, disabled).await.expect("it is there");
        world.account(tenant, DOCTOR, &[only_in(Role::Clinical, "A")]).await;
        let doctor = world.login(DOCTOR, Audience::Http).await.principal;
        let opened = emergency(world, &doctor, "R").await.expect("it is an emergency").id;
        let (officer, app) = with_app(world, tenant).await;
        for code in ["S", "T"] {
            let not_before = "2026-01-01".parse().expect("a day");
            let new = NewRetention { not_before, reason: "the plan".to_owned(), approved_by: None };
            let decided = control.set_retention(&operator, tenant, &study(code), &new, &trace).await;
            decided.expect("it is the first decision");
        }
        let removed = control.begin_removal(&operator, tenant, &study("S"), &removal(steward), &trace).await;
        removed.expect("its day has come");
        let hold = control.place_hold(&operator, tenant, &study("R"), "court", &trace).await;
        let hold = hold.expect("the study is there").id;
        Self { officer, app, doctor, steward, disabled, emergency: opened, hold, used, unused, dead, claim }
    }
}

impl Stage {
    /// Those that somebody answers for.
    pub(super) async fn attempt_governed(&self, operation: Operation) -> Result<(), ControlError> {
        let (control, operator, prepared): (&Control, _, _) =
            (&self.world.control, Actor::Operator, &self.governed);
        let (tenant, trace) = (self.tenant, trace());
        let steward = Actor::Account { id: prepared.steward, tenant };
        match operation {
            Operation::SignAccessReview => {
                let listed = control.access_review(&operator, tenant).await?.sha256;
                control.sign_access_review(&operator, tenant, &listed).await
            }
            Operation::EnableAccount => control.enable_account(&operator, tenant, prepared.disabled).await,
            Operation::EndSessions => {
                control.end_sessions(&operator, tenant, prepared.doctor.account()).await.map(drop)
            }
            Operation::OpenBreakGlass => emergency(&self.world, &prepared.doctor, "T").await.map(drop),
            Operation::EndBreakGlass => {
                control.end_break_glass(&steward, tenant, prepared.emergency, &trace).await.map(drop)
            }
            Operation::ReviewBreakGlass => {
                let (by, note) = (prepared.steward, "called the site".to_owned());
                let new = NewReview { by, verdict: Verdict::Justified, note };
                control.review_break_glass(&steward, tenant, prepared.emergency, &new, &trace).await.map(drop)
            }
            Operation::RecordEmergency => {
                control.record_emergency(&prepared.doctor, &study("R"), "GET /", &trace).await
            }
            Operation::Unblind => {
                let (account, reason) = (prepared.doctor.account(), "on the committee".to_owned());
                let unblinding = Unblinding { account, study: Some(study("A")), reason };
                control.unblind(&operator, tenant, &unblinding, &trace).await
            }
            Operation::SignTrailReview => {
                control.sign_trail_review(&prepared.officer, (0, 1), "nothing unusual", &trace).await
            }
            Operation::RecordLedgerExport => {
                let told = (1, "json", "00".repeat(32));
                control.record_ledger_export(&prepared.officer, (told.0, told.1, &told.2), &trace).await
            }
            other => self.attempt_on_studies(other).await,
        }
    }

    /// Those on a study's definitions, records and end.
    async fn attempt_on_studies(&self, operation: Operation) -> Result<(), ControlError> {
        let (control, operator, prepared) = (&self.world.control, Actor::Operator, &self.governed);
        let (tenant, trace) = (self.tenant, trace());
        let grants = control.operator_grants(tenant).await?;
        match operation {
            Operation::ChangeDefinition => {
                let scope = grants.scope(&study("A")).expect("the operator may build");
                control.change_definition(&operator, &scope, change(), &trace).await.map(drop)
            }
            Operation::ChangeDefinitionEverywhere => {
                control.change_definition_everywhere(&operator, &grants, change(), &trace).await.map(drop)
            }
            Operation::ActOnLimit => {
                let scope = grants.scope(&study("A")).expect("the operator may build");
                let (limit, reason) = ("qtl_ineligible".to_owned(), "asked the site".to_owned());
                let (act, snapshot) = (LimitAct::Acknowledge, snapshot_id("one"));
                let act = NewLimitAct { limit, act, snapshot, after: 0, reason };
                control.act_on_limit(&operator, &scope, act, &trace).await.map(drop)
            }
            Operation::SignRecord => {
                let scope = prepared.officer.grants().scope::<Sign>(&study("A")).expect("may sign");
                let record = Record::of(RecordKind::Snapshot, "one", b"the bytes of a manifest");
                let new = NewSignature {
                    record: &record,
                    shown_sha256: &record.sha256,
                    meaning: Meaning::Approval,
                    password: PASSWORD,
                    code: &shown(&self.world, &prepared.app),
                    peer: None,
                };
                control.sign_record(&prepared.officer, &scope, &new, &trace).await.map(drop)
            }
            Operation::SetRetention => {
                let not_before = "2051-01-01".parse().expect("a day");
                let new = NewRetention { not_before, reason: "the plan".to_owned(), approved_by: None };
                control.set_retention(&operator, tenant, &study("R"), &new, &trace).await
            }
            Operation::PlaceHold => {
                control.place_hold(&operator, tenant, &study("T"), "court", &trace).await.map(drop)
            }
            Operation::LiftHold => {
                let (r, hold) = (study("R"), prepared.hold);
                control.lift_hold(&operator, tenant, (&r, hold), "closed", &trace).await
            }
            Operation::BeginRemoval => {
                let new = removal(prepared.steward);
                control.begin_removal(&operator, tenant, &study("T"), &new, &trace).await
            }
            Operation::FinishRemoval => control.finish_removal(&operator, tenant, &study("S"), &trace).await,
            other => self.attempt_on_webhooks(&grants, other).await,
        }
    }

    async fn attempt_on_webhooks(&self, grants: &Grants, operation: Operation) -> Result<(), ControlError> {
        let (control, operator, prepared) = (&self.world.control, Actor::Operator, &self.governed);
        let trace = trace();
        match operation {
            Operation::AddWebhook => {
                control.add_webhook(&operator, grants, &endpoint(), &trace).await.map(drop)
            }
            Operation::RotateWebhook => {
                control.rotate_webhook(&operator, grants, prepared.used, &trace).await.map(drop)
            }
            Operation::EnableWebhook => {
                let on = (prepared.unused, EndpointState::Enabled);
                control.enable_webhook(&operator, grants, on, &trace).await.map(drop)
            }
            Operation::RemoveWebhook => {
                control.remove_webhook(&operator, grants, prepared.used, &trace).await
            }
            Operation::TestWebhook => {
                control.test_webhook(&operator, grants, prepared.used, &trace).await.map(drop)
            }
            Operation::RetryWebhook => {
                control.retry_webhook(&operator, grants, prepared.dead, &trace).await.map(drop)
            }
            Operation::EndWebhook => control.end_message(&prepared.claim, &GONE).await.map(drop),
            Operation::GiveUpWebhooks => control.give_up_messages(self.tenant).await.map(drop),
            other => unreachable!("{other:?} is none of them"),
        }
    }
}
