mod further;
mod governed;

use std::collections::BTreeMap;

use control::{
    Actor, Amount, Audience, Control, ControlError, Credentials, Denial, DeniedWho, Ending, JobKind, Order,
    Outcome, TableRead, Terms,
};
use kernel::{Role, TenantId};

use super::commits::new_batch;
use super::world::{
    PASSWORD, World, engine, everywhere, new_account, new_snapshot, snapshot_id, study, trace,
};
use crate::site::{Engine, Whose, run};

/// A ledger that takes nothing more, and one that does again.
const NO_LEDGER: &str = "CREATE TRIGGER no_ledger BEFORE INSERT ON audit_events BEGIN SELECT RAISE(ABORT, 'the disk is full'); END";
const NO_LEDGER_THERE: &str = "CREATE OR REPLACE FUNCTION public.no_ledger() RETURNS trigger LANGUAGE plpgsql
    AS $$ BEGIN RAISE EXCEPTION 'the disk is full'; END $$;
    CREATE TRIGGER no_ledger BEFORE INSERT ON audit_events FOR EACH ROW EXECUTE FUNCTION public.no_ledger()";
const LEDGER_AGAIN: &str = "DROP TRIGGER no_ledger";
const LEDGER_AGAIN_THERE: &str = "DROP TRIGGER no_ledger ON audit_events";

const WHY: Order<'_> = Order { actor: &Actor::Operator, reason: Some("unpaid"), trace: None };

fn identity(subject: &str) -> control::Identity {
    control::Identity { issuer: "https://id.example".to_owned(), subject: subject.to_owned() }
}

fn new_token() -> control::NewAccessToken {
    control::NewAccessToken {
        kind: control::TokenKind::Personal,
        label: "pull".to_owned(),
        grants: Vec::new(),
        lifetime: chrono::TimeDelta::days(1),
        peer: None,
    }
}

/// What a governed operation does, and which ledger it cannot do without.
#[derive(Debug, Clone, Copy)]
enum Operation {
    CreateTenant,
    DisableTenant,
    EnableTenant,
    CreateAccountInSystem,
    CreateAccount,
    DisableAccount,
    Grant,
    RevokeGrant,
    Login,
    SignIn,
    RotateSession,
    EndSession,
    CreateAccessToken,
    RevokeAccessToken,
    RotateTokenKey,
    EnrolSecondFactor,
    DisableSecondFactor,
    LinkIdentity,
    UnlinkIdentity,
    FailedLogin,
    UnknownLogin,
    IssueToken,
    Logout,
    RegisterStudy,
    CommitBatch,
    Publish,
    EnqueueJob,
    EndJob,
    CancelJob,
    ReadStarted,
    ReadFinished,
    DenyKnown,
    DenyUnknown,
    AnnounceDelivery,
    StageDelivery,
    RejectDelivery,
    RetryJob,
    EnqueueTenantJob,
    AddSchedule,
    DisableSchedule,
    RemoveSchedule,
    RunSchedule,
    FireSchedules,
    RecordMartRun,
    RecordPastMartRun,
    ImportRules,
    Export,
    EraseAccount,
    ConfirmSecondFactor,
    RotateDataKey,
    RotateMasterKey,
    RecordBackup,
    RecordRestore,
    RecordVerification,
    RefuseIdentity,
    AddCosignature,
    SignAccessReview,
    EnableAccount,
    EndSessions,
    OpenBreakGlass,
    EndBreakGlass,
    ReviewBreakGlass,
    RecordEmergency,
    Unblind,
    SignTrailReview,
    RecordLedgerExport,
    ChangeDefinition,
    ChangeDefinitionEverywhere,
    ActOnLimit,
    SignRecord,
    SetRetention,
    PlaceHold,
    LiftHold,
    BeginRemoval,
    FinishRemoval,
    AddWebhook,
    RotateWebhook,
    EnableWebhook,
    RemoveWebhook,
    TestWebhook,
    RetryWebhook,
    EndWebhook,
    GiveUpWebhooks,
}

impl Operation {
    const ALL: [Self; 83] = [
        Self::CreateTenant,
        Self::DisableTenant,
        Self::EnableTenant,
        Self::CreateAccountInSystem,
        Self::CreateAccount,
        Self::DisableAccount,
        Self::Grant,
        Self::RevokeGrant,
        Self::Login,
        Self::SignIn,
        Self::RotateSession,
        Self::EndSession,
        Self::CreateAccessToken,
        Self::RevokeAccessToken,
        Self::RotateTokenKey,
        Self::EnrolSecondFactor,
        Self::DisableSecondFactor,
        Self::LinkIdentity,
        Self::UnlinkIdentity,
        Self::FailedLogin,
        Self::UnknownLogin,
        Self::IssueToken,
        Self::Logout,
        Self::RegisterStudy,
        Self::CommitBatch,
        Self::Publish,
        Self::EnqueueJob,
        Self::EndJob,
        Self::CancelJob,
        Self::ReadStarted,
        Self::ReadFinished,
        Self::DenyKnown,
        Self::DenyUnknown,
        Self::AnnounceDelivery,
        Self::StageDelivery,
        Self::RejectDelivery,
        Self::RetryJob,
        Self::EnqueueTenantJob,
        Self::AddSchedule,
        Self::DisableSchedule,
        Self::RemoveSchedule,
        Self::RunSchedule,
        Self::FireSchedules,
        Self::RecordMartRun,
        Self::RecordPastMartRun,
        Self::ImportRules,
        Self::Export,
        Self::EraseAccount,
        Self::ConfirmSecondFactor,
        Self::RotateDataKey,
        Self::RotateMasterKey,
        Self::RecordBackup,
        Self::RecordRestore,
        Self::RecordVerification,
        Self::RefuseIdentity,
        Self::AddCosignature,
        Self::SignAccessReview,
        Self::EnableAccount,
        Self::EndSessions,
        Self::OpenBreakGlass,
        Self::EndBreakGlass,
        Self::ReviewBreakGlass,
        Self::RecordEmergency,
        Self::Unblind,
        Self::SignTrailReview,
        Self::RecordLedgerExport,
        Self::ChangeDefinition,
        Self::ChangeDefinitionEverywhere,
        Self::ActOnLimit,
        Self::SignRecord,
        Self::SetRetention,
        Self::PlaceHold,
        Self::LiftHold,
        Self::BeginRemoval,
        Self::FinishRemoval,
        Self::AddWebhook,
        Self::RotateWebhook,
        Self::EnableWebhook,
        Self::RemoveWebhook,
        Self::TestWebhook,
        Self::RetryWebhook,
        Self::EndWebhook,
        Self::GiveUpWebhooks,
    ];

    const fn needs_the_systems_ledger(self) -> bool {
        matches!(
            self,
            Self::CreateTenant
                | Self::EnableTenant
                | Self::CreateAccountInSystem
                | Self::UnknownLogin
                | Self::DenyUnknown
                | Self::RotateTokenKey
                | Self::RotateMasterKey
                | Self::RecordBackup
                | Self::RecordRestore
                | Self::RecordVerification
                | Self::RefuseIdentity
                | Self::AddCosignature
        )
    }
}

/// What the operations need, made while the ledger still worked.
struct Stage {
    world: World,
    tenant: TenantId,
    account: kernel::AccountId,
    login: control::Login,
    browser: control::BrowserSession,
    token: control::AccessTokenId,
    pull: control::PullId,
    claim: control::Claim,
    /// The secret of her authenticator app.
    app: String,
    further: further::Prepared,
    governed: governed::Prepared,
    /// A tenant that is disabled; one more is in use.
    resting: TenantId,
}

impl Stage {
    async fn new() -> Option<Self> {
        let world = World::new().await?;
        let tenant = world.tenant("acme").await.id;
        let account = world.account(tenant, "ada@example.org", &[everywhere(Role::DataEngineer)]).await;
        let scope = world.study(tenant, "A").await;
        world.study(tenant, "C").await;
        let governed = governed::Prepared::new(&world, tenant).await;
        let further = further::Prepared::new(&world, tenant, account).await;
        let (operator, kind) = (Actor::Operator, JobKind::MartsBuild);
        world.control.enqueue_job(&operator, &scope, kind, &trace()).await.expect("the ledger works");
        let terms = Terms { worker: "w", lease: chrono::TimeDelta::minutes(1), at_a_time: 9 };
        let claim = world.control.claim_job(tenant, terms).await.expect("the store works");
        let claim = claim.expect("one is due");
        let login = world.login("ada@example.org", Audience::Http).await;
        let browser = world.control.sign_in(&Credentials::new("ada@example.org", PASSWORD), &trace()).await;
        let browser = browser.expect("the password is right");
        let token = world.control.create_access_token(&Actor::Operator, tenant, account, new_token()).await;
        let token = token.expect("the account may have one").token.id;
        let enrolled = world.control.enrol_second_factor(&Actor::Operator, tenant, account).await;
        let enrolled = enrolled.expect("it can be begun");
        let linked = world.control.link_identity(&Actor::Operator, tenant, account, &identity("ada")).await;
        linked.expect("nobody has it");
        let pull = world.control.read_started(&login.principal, read()).await.expect("the ledger works");
        let app = enrolled.secret;
        world.tenant("awake").await;
        let resting = world.tenant("resting").await.id;
        world.control.disable_tenant(WHY, resting).await.expect("others are in use");
        Some(Self {
            world,
            tenant,
            account,
            login,
            browser,
            token,
            pull,
            claim,
            app,
            further,
            governed,
            resting,
        })
    }

    /// Every row of every table, how many tenants have rows at all, and the keys that seal.
    async fn state(&self) -> ([BTreeMap<String, Vec<String>>; 2], usize, Vec<control::DataKeyRow>) {
        let site = &self.world.site;
        let rows = [site.contents(Whose::Systems).await, site.contents(Whose::Tenants(self.tenant)).await];
        let keys = self.world.control.list_data_keys(&Actor::Operator).expect("they can be listed");
        (rows, site.tenants().await, keys)
    }

    async fn attempt(&self, operation: Operation) -> Result<(), ControlError> {
        let control: &Control = &self.world.control;
        let (operator, principal, trace) = (Actor::Operator, &self.login.principal, trace());
        let scope = principal.grants().scope(&study("A")).expect("she may build");
        let denial = |who| Denial {
            who,
            door: "http".to_owned(),
            resource: "/".to_owned(),
            reason: "test".to_owned(),
            trace: trace.clone(),
        };
        let email = "ada@example.org";
        match operation {
            Operation::CreateTenant => control.create_tenant(&operator, "other", "Other").await.map(drop),
            Operation::DisableTenant => control.disable_tenant(WHY, self.tenant).await,
            Operation::EnableTenant => control.enable_tenant(WHY, self.resting).await,
            Operation::CreateAccount | Operation::CreateAccountInSystem => {
                let account = new_account("bob@example.org", &[everywhere(Role::Researcher)]);
                control.create_account(&operator, self.tenant, account).await.map(drop)
            }
            Operation::DisableAccount => control.disable_account(&operator, self.tenant, self.account).await,
            Operation::Login => {
                control.login(&Credentials::new(email, PASSWORD), Audience::Http, &trace).await.map(drop)
            }
            Operation::FailedLogin => {
                control.login(&Credentials::new(email, "wrong"), Audience::Http, &trace).await.map(drop)
            }
            Operation::UnknownLogin => control
                .login(&Credentials::new("eve@example.org", "wrong"), Audience::Http, &trace)
                .await
                .map(drop),
            Operation::IssueToken => control.issue_token(principal, Audience::Flight, &trace).await.map(drop),
            Operation::Logout => control.logout(principal, &trace).await,
            Operation::RegisterStudy => {
                let scope = principal.grants().scope(&study("B")).expect("she may build");
                control.register_study(&operator, &scope, "B").await
            }
            Operation::CommitBatch => {
                let (batch, snapshot) = (new_batch("key", "hash"), new_snapshot("one", None));
                control.commit_batch(&operator, &scope, batch, snapshot, &trace).await.map(drop)
            }
            Operation::Publish => {
                control.publish(&operator, &scope, new_snapshot("one", None), &trace).await.map(drop)
            }
            Operation::EnqueueJob => {
                let scope = principal.grants().scope(&study("C")).expect("she may build");
                control.enqueue_job(&operator, &scope, JobKind::MartsBuild, &trace).await.map(drop)
            }
            Operation::EndJob => {
                let ending = Ending::Done { result: serde_json::json!({}), then: Vec::new() };
                control.end_job(&self.claim, ending).await
            }
            Operation::CancelJob => {
                let (grants, id) = (principal.grants(), self.claim.job().id);
                control.cancel_job(&operator, grants, id, &trace).await.map(drop)
            }
            Operation::ReadStarted => control.read_started(principal, read()).await.map(drop),
            Operation::ReadFinished => {
                let amount = Amount { rows: 1, bytes: 1 };
                control.read_finished(principal, self.pull, read(), amount, Outcome::Success).await
            }
            Operation::DenyKnown => control.record_denial(denial(DeniedWho::from(principal))).await,
            Operation::DenyUnknown => control.record_denial(denial(DeniedWho::Unknown)).await,
            other => self.attempt_on_identity(other).await,
        }
    }

    /// Those about who somebody is.
    async fn attempt_on_identity(&self, operation: Operation) -> Result<(), ControlError> {
        let control: &Control = &self.world.control;
        let (operator, trace) = (Actor::Operator, trace());
        match operation {
            Operation::Grant => {
                control.grant(&operator, self.tenant, self.account, everywhere(Role::Researcher)).await
            }
            Operation::RevokeGrant => {
                let engineer = everywhere(Role::DataEngineer);
                control.revoke_grant(&operator, self.tenant, self.account, engineer).await
            }
            Operation::SignIn => {
                control.sign_in(&Credentials::new("ada@example.org", PASSWORD), &trace).await.map(drop)
            }
            Operation::RotateSession => {
                control.rotate_session(&self.browser.principal, &trace).await.map(drop)
            }
            Operation::EndSession => {
                let session = self.browser.principal.session().expect("she has one");
                control.end_session(&operator, self.tenant, session).await
            }
            Operation::CreateAccessToken => {
                control.create_access_token(&operator, self.tenant, self.account, new_token()).await.map(drop)
            }
            Operation::RevokeAccessToken => {
                control.revoke_access_token(&operator, self.tenant, self.token).await
            }
            Operation::RotateTokenKey => control.rotate_token_key(&operator, false).await.map(drop),
            Operation::EnrolSecondFactor => {
                control.enrol_second_factor(&operator, self.tenant, self.account).await.map(drop)
            }
            Operation::DisableSecondFactor => {
                control.disable_second_factor(&operator, self.tenant, self.account, None).await
            }
            Operation::LinkIdentity => {
                control.link_identity(&operator, self.tenant, self.account, &identity("new")).await
            }
            Operation::UnlinkIdentity => {
                control.unlink_identity(&operator, self.tenant, self.account, &identity("ada")).await
            }
            other => self.attempt_further(other).await,
        }
    }
}

fn read() -> TableRead {
    TableRead {
        door: "flight".to_owned(),
        study: study("A"),
        snapshot: snapshot_id("one"),
        table: "dim_site".to_owned(),
        trace: trace(),
    }
}

#[tokio::test]
async fn control_01_without_its_ledger_nothing_is_done() {
    let Some(stage) = Stage::new().await else { return };
    let (fail, mend) = match engine() {
        Engine::Sqlite => (NO_LEDGER, LEDGER_AGAIN),
        Engine::Postgres => (NO_LEDGER_THERE, LEDGER_AGAIN_THERE),
    };
    for operation in Operation::ALL {
        let whose =
            if operation.needs_the_systems_ledger() { Whose::Systems } else { Whose::Tenants(stage.tenant) };
        run(&mut stage.world.site.connect(whose).await, fail).await;
        let before = stage.state().await;

        let error = stage.attempt(operation).await.expect_err("the action fails with its ledger");
        assert!(matches!(error, ControlError::Storage { .. }), "{operation:?}: {error:?}");
        assert_eq!(stage.state().await, before, "{operation:?}");

        run(&mut stage.world.site.connect(whose).await, mend).await;
    }
    let reports = stage.world.control.verify_all().await.expect("the logs can be read");
    assert!(reports.iter().all(control::VerifyReport::is_intact), "{reports:?}");
}

#[tokio::test]
async fn control_02_with_its_ledger_everything_is_done_and_recorded() {
    for operation in Operation::ALL {
        let Some(stage) = Stage::new().await else { return };
        let size =
            |reports: Vec<control::VerifyReport>| reports.iter().map(|report| report.size).sum::<u64>();
        let before = size(stage.world.control.verify_all().await.expect("the logs can be read"));
        let outcome = stage.attempt(operation).await;
        let refused = matches!(operation, Operation::FailedLogin | Operation::UnknownLogin);
        assert_eq!(outcome.is_err(), refused, "{operation:?}: {outcome:?}");
        let after = size(stage.world.control.verify_all().await.expect("the logs can be read"));
        assert!(after > before, "{operation:?} left no event");
    }
}
