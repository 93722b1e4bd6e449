use std::collections::BTreeMap;
use std::path::PathBuf;

use control::{Actor, Amount, Audience, Control, ControlError, Denial, DeniedWho, Outcome, TableRead};
use kernel::{Role, TenantId};

use crate::commits::new_batch;
use crate::world::{
    PASSWORD, World, connect, contents, everywhere, new_account, new_snapshot, run, snapshot_id, study, trace,
};

const NO_LEDGER: &str = "CREATE TRIGGER no_ledger BEFORE INSERT ON audit_events BEGIN SELECT RAISE(ABORT, 'the disk is full'); END";

/// What a governed operation does, and which ledger it cannot do without.
#[derive(Debug, Clone, Copy)]
enum Operation {
    CreateTenant,
    CreateAccountInSystem,
    CreateAccount,
    DisableAccount,
    Login,
    FailedLogin,
    UnknownLogin,
    IssueToken,
    Logout,
    RegisterStudy,
    CommitBatch,
    Publish,
    ReadStarted,
    ReadFinished,
    DenyKnown,
    DenyUnknown,
}

impl Operation {
    const ALL: [Self; 16] = [
        Self::CreateTenant,
        Self::CreateAccountInSystem,
        Self::CreateAccount,
        Self::DisableAccount,
        Self::Login,
        Self::FailedLogin,
        Self::UnknownLogin,
        Self::IssueToken,
        Self::Logout,
        Self::RegisterStudy,
        Self::CommitBatch,
        Self::Publish,
        Self::ReadStarted,
        Self::ReadFinished,
        Self::DenyKnown,
        Self::DenyUnknown,
    ];

    const fn needs_the_systems_ledger(self) -> bool {
        matches!(
            self,
            Self::CreateTenant | Self::CreateAccountInSystem | Self::UnknownLogin | Self::DenyUnknown
        )
    }
}

/// What the operations need, made while the ledger still worked.
struct Stage {
    world: World,
    tenant: TenantId,
    account: kernel::AccountId,
    login: control::Login,
    pull: control::PullId,
}

impl Stage {
    async fn new() -> Self {
        let world = World::new().await;
        let tenant = world.tenant("acme").await.id;
        let account = world.account(tenant, "ada@example.org", &[everywhere(Role::DataEngineer)]).await;
        world.study(tenant, "A").await;
        let login = world.login("ada@example.org", Audience::Http).await;
        let pull = world.control.read_started(&login.principal, read()).await.expect("the ledger works");
        Self { world, tenant, account, login, pull }
    }

    /// Every row of every file, by the file's name.
    async fn state(&self) -> BTreeMap<PathBuf, BTreeMap<String, Vec<String>>> {
        let control = self.world.folder().join("control");
        let mut state = BTreeMap::new();
        for folder in [control.clone(), control.join("tenants")] {
            for entry in std::fs::read_dir(folder).expect("the folder is there") {
                let path = entry.expect("the folder can be read").path();
                if path.extension().is_some_and(|extension| extension == "sqlite") {
                    let rows = contents(&path).await;
                    state.insert(path, rows);
                }
            }
        }
        state
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
            Operation::CreateAccount | Operation::CreateAccountInSystem => {
                let account = new_account("bob@example.org", &[everywhere(Role::Researcher)]);
                control.create_account(&operator, self.tenant, account).await.map(drop)
            }
            Operation::DisableAccount => control.disable_account(&operator, self.tenant, self.account).await,
            Operation::Login => control.login(email, PASSWORD, Audience::Http, &trace).await.map(drop),
            Operation::FailedLogin => control.login(email, "wrong", Audience::Http, &trace).await.map(drop),
            Operation::UnknownLogin => {
                control.login("eve@example.org", "wrong", Audience::Http, &trace).await.map(drop)
            }
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
            Operation::ReadStarted => control.read_started(principal, read()).await.map(drop),
            Operation::ReadFinished => {
                let amount = Amount { rows: 1, bytes: 1 };
                control.read_finished(principal, self.pull, read(), amount, Outcome::Success).await
            }
            Operation::DenyKnown => control.record_denial(denial(DeniedWho::from(principal))).await,
            Operation::DenyUnknown => control.record_denial(denial(DeniedWho::Unknown)).await,
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
async fn without_its_ledger_nothing_is_done() {
    let stage = Stage::new().await;
    let files = [stage.world.system_file(), stage.world.tenant_file(stage.tenant)];
    for operation in Operation::ALL {
        let file = if operation.needs_the_systems_ledger() { &files[0] } else { &files[1] };
        run(&mut connect(file).await, NO_LEDGER).await;
        let before = stage.state().await;

        let error = stage.attempt(operation).await.expect_err("the action fails with its ledger");
        assert!(matches!(error, ControlError::Storage { .. }), "{operation:?}: {error:?}");
        assert_eq!(stage.state().await, before, "{operation:?}");

        run(&mut connect(file).await, "DROP TRIGGER no_ledger").await;
    }
    let reports = stage.world.control.verify_all().await.expect("the logs can be read");
    assert!(reports.iter().all(control::VerifyReport::is_intact), "{reports:?}");
}

#[tokio::test]
async fn with_its_ledger_everything_is_done_and_recorded() {
    for operation in Operation::ALL {
        let stage = Stage::new().await;
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
