use std::path::Path;
use std::sync::{Arc, Mutex};

use chrono::{DateTime, TimeDelta, Utc};
use control::{
    Actor, Audience, AuditEvent, AuditFilter, Control, ControlError, ControlSettings, Credentials, Login,
    NewAccount, NewSnapshot, Tenant, TraceId,
};
use kernel::{AccountId, Build, Clock, Grant, Role, SnapshotId, StudyId, StudyScope, TenantId};
use tempfile::TempDir;

use crate::site::{Engine, Site};

pub(crate) const PASSWORD: &str = "correct horse battery";

/// A clock that moves only when told.
#[derive(Debug)]
pub(crate) struct HandClock(Mutex<DateTime<Utc>>);

impl HandClock {
    pub(crate) fn advance(&self, by: TimeDelta) {
        *self.0.lock().expect("no test panics while holding the clock") += by;
    }
}

impl Clock for HandClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().expect("no test panics while holding the clock")
    }
}

/// A deployment in a temporary folder.
pub(crate) struct World {
    pub(crate) site: Site,
    anchor: Option<TempDir>,
    pub(crate) clock: Arc<HandClock>,
    pub(crate) control: Control,
}

impl World {
    /// A new one, on the database of this suite; `None` where there is no such database.
    pub(crate) async fn new() -> Option<Self> {
        Some(Self::at(Site::new(engine()).await?).await)
    }

    /// A new one there.
    pub(crate) async fn at(site: Site) -> Self {
        let start = DateTime::from_timestamp(1_795_000_000, 0).expect("the time is valid");
        let clock = Arc::new(HandClock(Mutex::new(start)));
        let control = open(&site, &clock).await;
        Self { site, anchor: None, clock, control }
    }

    /// A deployment whose ledger is copied to another folder.
    pub(crate) async fn anchored() -> Option<Self> {
        let mut world = Self::new().await?;
        world.anchor = Some(TempDir::new().expect("a temporary folder can be made"));
        world.control = world.try_reopened().await.expect("the site can be opened");
        Some(world)
    }

    pub(crate) fn anchor(&self) -> &Path {
        self.anchor.as_ref().expect("the world is anchored").path()
    }

    /// As another process would open the same rows, whatever comes of it.
    pub(crate) async fn try_reopened(&self) -> Result<Control, ControlError> {
        let clock: Arc<dyn Clock> = Arc::clone(&self.clock) as Arc<dyn Clock>;
        let anchor = self.anchor.as_ref().map(|anchor| anchor.path().to_owned());
        let settings = ControlSettings { anchor, ..self.site.settings() };
        Control::open_at(self.folder(), &settings, clock).await
    }

    /// A second handle on the same rows, as another process would hold one.
    pub(crate) async fn reopened(&self) -> Control {
        open(&self.site, &self.clock).await
    }

    pub(crate) fn folder(&self) -> &Path {
        self.site.folder.path()
    }

    pub(crate) async fn tenant(&self, slug: &str) -> Tenant {
        self.control.create_tenant(&Actor::Operator, slug, slug).await.expect("the tenant is new")
    }

    pub(crate) async fn account(&self, tenant: TenantId, email: &str, grants: &[Grant]) -> AccountId {
        let account = new_account(email, grants);
        self.control.create_account(&Actor::Operator, tenant, account).await.expect("the account is new")
    }

    pub(crate) async fn login(&self, email: &str, audience: Audience) -> Login {
        self.control
            .login(&Credentials::new(email, PASSWORD), audience, &trace())
            .await
            .expect("the password is right")
    }

    /// The operator's scope on a registered study.
    pub(crate) async fn study(&self, tenant: TenantId, code: &str) -> StudyScope<Build> {
        let grants = self.control.operator_grants(tenant).await.expect("the tenant exists");
        let scope = grants.scope(&study(code)).expect("the operator may build");
        self.control.register_study(&Actor::Operator, &scope, code).await.expect("a study can be registered");
        scope
    }

    pub(crate) async fn events(&self, tenant: TenantId) -> Vec<AuditEvent> {
        let grants = self.control.operator_grants(tenant).await.expect("the tenant exists");
        let filter = AuditFilter { limit: 500, ..AuditFilter::default() };
        self.control.audit_page(&grants, filter).await.expect("the operator may read the log")
    }
}

/// The database of the suite that this file is compiled into.
pub(crate) fn engine() -> Engine {
    if module_path!().contains("postgres") { Engine::Postgres } else { Engine::Sqlite }
}

async fn open(site: &Site, clock: &Arc<HandClock>) -> Control {
    site.open(Arc::clone(clock) as Arc<dyn Clock>).await.expect("the site can be opened")
}

pub(crate) fn new_account(email: &str, grants: &[Grant]) -> NewAccount {
    NewAccount {
        email: email.to_owned(),
        password: Some(PASSWORD.to_owned()),
        display_name: "Ada Lovelace".to_owned(),
        grants: grants.to_vec(),
    }
}

pub(crate) fn trace() -> TraceId {
    "4bf92f3577b34da6a3ce929d0e0e4736".parse().expect("the trace id is valid")
}

pub(crate) fn study(code: &str) -> StudyId {
    code.parse().expect("the code is valid")
}

pub(crate) fn everywhere(role: Role) -> Grant {
    Grant { role, study: None }
}

pub(crate) fn only_in(role: Role, code: &str) -> Grant {
    Grant { role, study: Some(study(code)) }
}

pub(crate) fn snapshot_id(name: &str) -> SnapshotId {
    SnapshotId::of_manifest(name.as_bytes())
}

pub(crate) fn new_snapshot(name: &str, replaces: Option<&str>) -> NewSnapshot {
    NewSnapshot {
        id: snapshot_id(name),
        manifest_key: format!("manifests/{name}"),
        has_marts: false,
        replaces: replaces.map(snapshot_id),
        fence: None,
    }
}

/// The statement that replaces a text in every leaf.
pub(crate) fn replace_in_leaves(from: &str, to: &str) -> String {
    match engine() {
        Engine::Sqlite => format!(
            "UPDATE audit_events SET leaf = CAST(replace(CAST(leaf AS TEXT), '{from}', '{to}') AS BLOB)"
        ),
        Engine::Postgres => format!(
            "UPDATE audit_events
             SET leaf = convert_to(replace(convert_from(leaf, 'UTF8'), '{from}', '{to}'), 'UTF8')"
        ),
    }
}
