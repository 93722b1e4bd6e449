//! The operations besides those on identities and single tables: deliveries, jobs, schedules, keys, proofs.

use chrono::TimeDelta;
use control::{
    Actor, BackupStep, Claim, Control, ControlError, Enabled, Ending, Erasure, Export, JobId, JobKind,
    MartRunStatus, NewDelivery, NewPastSnapshot, NewSchedule, ScheduleId, Terms, Timetable, VerifierKey,
    Witness,
};
use kernel::{AccountId, BatchId, Clock, Role, TenantId};
use serde_json::json;

use super::super::mart_runs::run;
use super::super::second_factors::shown;
use super::super::world::{World, everywhere, snapshot_id, study, trace};
use super::{Operation, Stage, identity};

/// What these need, made while the ledger still worked.
pub(super) struct Prepared {
    approver: AccountId,
    announced: BatchId,
    ingest: Claim,
    cancelled: JobId,
    schedule: ScheduleId,
    witness: (VerifierKey, String),
}

fn delivery(world: &World, name: &str) -> NewDelivery {
    NewDelivery {
        batch: BatchId::at(world.clock.now(), name),
        idempotency_key: name.into(),
        manifest_hash: name.into(),
        manifest: json!({}),
    }
}

fn every_minute() -> NewSchedule {
    let timetable = Timetable::new("* * * * *", "UTC").expect("it can be used");
    NewSchedule { kind: JobKind::MartsBuild, study: Some(study("C")), timetable }
}

impl Prepared {
    /// Leaves no job in line, and a schedule whose time has come.
    pub(super) async fn new(world: &World, tenant: TenantId, account: AccountId) -> Self {
        let (control, operator) = (&world.control, Actor::Operator);
        let grants = control.operator_grants(tenant).await.expect("the tenant exists");
        // A study of their own: one job at a time works on a study.
        let scope = world.study(tenant, "D").await;
        let approver = world.account(tenant, "dpo@example.org", &[everywhere(Role::DataEngineer)]).await;
        let engineer = Actor::Account { id: account, tenant };
        let terms = Terms { worker: "w", lease: TimeDelta::hours(1), at_a_time: 9 };

        let (staged, announced) = (delivery(world, "staged"), delivery(world, "announced"));
        let (batch, waiting) = (staged.batch, announced.batch);
        for delivery in [staged, announced] {
            control.announce_delivery(&engineer, &scope, delivery, &trace()).await.expect("the key is new");
        }
        control.stage_delivery(&engineer, &scope, batch, &trace()).await.expect("it is announced");
        let ingest = control.claim_job(tenant, terms).await.expect("the store works").expect("one is due");
        let build = control.enqueue_job(&operator, &scope, JobKind::MartsBuild, &trace()).await;
        let cancelled = build.expect("it is new").0.id;
        control.cancel_job(&operator, &grants, cancelled, &trace()).await.expect("it has not begun");
        let schedule = control.add_schedule(&operator, &grants, every_minute(), &trace()).await;
        let schedule = schedule.expect("it can be used").id;
        world.clock.advance(TimeDelta::seconds(61));

        control.checkpoint_now().await.expect("the logs are good");
        let folder = tempfile::tempdir().expect("a folder");
        let witness = Witness::open(folder.path(), Some("witness.example/w1")).expect("it can be made");
        for key in control.verifier_keys().await.expect("the keys can be read") {
            witness.trust(&key).expect("a key can be kept");
        }
        let request = control.witness_request(Some(tenant), 0).await.expect("there is a checkpoint");
        let line = witness.add_checkpoint(request.as_bytes(), world.clock.now());
        let witness = (witness.verifier_key(), line.expect("the log is new to it"));
        Self { approver, announced: waiting, ingest, cancelled, schedule, witness }
    }
}

impl Stage {
    pub(super) async fn attempt_further(&self, operation: Operation) -> Result<(), ControlError> {
        let (control, operator, prepared): (&Control, _, _) =
            (&self.world.control, Actor::Operator, &self.further);
        let engineer = Actor::Account { id: self.account, tenant: self.tenant };
        let (grants, trace) = (control.operator_grants(self.tenant).await?, trace());
        let scope = grants.scope(&study("A")).expect("the operator may build");
        match operation {
            Operation::AnnounceDelivery => {
                let new = delivery(&self.world, "new");
                control.announce_delivery(&engineer, &scope, new, &trace).await.map(drop)
            }
            Operation::StageDelivery => {
                let scope = grants.scope(&study("D")).expect("the operator may build");
                control.stage_delivery(&engineer, &scope, prepared.announced, &trace).await
            }
            Operation::RejectDelivery => {
                let refused = Ending::Refused { problem: "a row".into() };
                control.end_job(&prepared.ingest, refused).await
            }
            Operation::RetryJob => {
                control.retry_job(&operator, &grants, prepared.cancelled, &trace).await.map(drop)
            }
            Operation::EnqueueTenantJob => {
                let kind = JobKind::LedgerVerify;
                control.enqueue_tenant_job(&operator, self.tenant, kind, &trace).await.map(drop)
            }
            Operation::AddSchedule => {
                control.add_schedule(&operator, &grants, every_minute(), &trace).await.map(drop)
            }
            Operation::DisableSchedule => {
                let off = (prepared.schedule, Enabled::No);
                control.enable_schedule(&operator, &grants, off, &trace).await.map(drop)
            }
            Operation::RemoveSchedule => {
                control.remove_schedule(&operator, &grants, prepared.schedule, &trace).await
            }
            Operation::RunSchedule => {
                control.run_schedule(&operator, &grants, prepared.schedule, &trace).await.map(drop)
            }
            Operation::FireSchedules => control.fire_schedules(self.tenant).await.map(drop),
            other => self.attempt_on_proofs(other).await,
        }
    }

    /// Those on what is derived, on keys and on the ledger itself.
    async fn attempt_on_proofs(&self, operation: Operation) -> Result<(), ControlError> {
        let (control, operator, trace) = (&self.world.control, Actor::Operator, trace());
        let grants = control.operator_grants(self.tenant).await?;
        let scope = grants.scope(&study("A")).expect("the operator may build");
        match operation {
            Operation::RecordMartRun => {
                let unchanged = (run("r", MartRunStatus::Unchanged, None), None);
                control.record_mart_run(&operator, &scope, unchanged, &trace).await
            }
            Operation::RecordPastMartRun => {
                let (id, manifest_key) = (snapshot_id("past"), "manifests/past".to_owned());
                let past = NewPastSnapshot { id, manifest_key, sources_as_of: self.world.clock.now() };
                let built = (run("p", MartRunStatus::Published, Some("past")), Some(past));
                control.record_past_mart_run(&operator, &scope, built, &trace).await
            }
            Operation::ImportRules => control.rules_imported(&operator, &scope, (1, 1), &trace).await,
            Operation::Export => {
                let export = Export { what: "canon".into(), snapshot: snapshot_id("one"), as_of: None };
                control.export_started(&operator, &scope, &export, &trace).await
            }
            Operation::EraseAccount => {
                let (account, approved_by) = (self.account, self.further.approver);
                let erasure = Erasure { account, reason: "article 17".into(), approved_by };
                control.erase_account(&operator, self.tenant, erasure).await
            }
            Operation::ConfirmSecondFactor => {
                let code = shown(&self.world, &self.app);
                control.confirm_second_factor(&operator, self.tenant, self.account, &code).await.map(drop)
            }
            Operation::RotateDataKey => control.rotate_data_key(&operator, self.tenant).await.map(drop),
            Operation::RotateMasterKey => control.rotate_master_key(&operator).await.map(drop),
            Operation::RecordBackup => {
                control.record_backup(&operator, BackupStep::Made, &"0".repeat(64)).await
            }
            Operation::RecordRestore => {
                control.record_backup(&operator, BackupStep::Restored, &"0".repeat(64)).await
            }
            Operation::RecordVerification => control.record_verification(&operator, &[]).await,
            Operation::RefuseIdentity => {
                control.refuse_oidc("state_unknown", Some(&identity("eve")), &trace).await
            }
            Operation::AddCosignature => {
                let (key, line) = &self.further.witness;
                control.add_cosignature(&operator, Some(self.tenant), (key, line)).await.map(drop)
            }
            other => self.attempt_governed(other).await,
        }
    }
}
