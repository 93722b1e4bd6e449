use std::collections::BTreeSet;

use chrono::TimeDelta;
use control::{
    Actor, Audience, Claim, Control, ControlError, Ending, JobFilter, JobKind, JobProgress, JobRow, JobState,
    NewDelivery, NewJob, NewSnapshot, Terms,
};
use kernel::{BatchId, Build, Clock, Grants, Role, StudyScope, TenantId};
use serde_json::json;

use super::world::{World, everywhere, new_snapshot, only_in, study, trace};

const LEASE: TimeDelta = TimeDelta::seconds(60);

fn terms(worker: &str, at_a_time: u32) -> Terms<'_> {
    Terms { worker, lease: LEASE, at_a_time }
}

/// Asks for a job. Those of one millisecond are in no order.
async fn ask(world: &World, scope: &StudyScope<Build>) -> JobRow {
    world.clock.advance(TimeDelta::milliseconds(1));
    let asked = world.control.enqueue_job(&Actor::Operator, scope, JobKind::MartsBuild, &trace()).await;
    asked.expect("the study is registered").0
}

async fn claim(control: &Control, tenant: TenantId) -> Option<Claim> {
    control.claim_job(tenant, terms("w1", 100)).await.expect("the store works")
}

async fn job(world: &World, grants: &Grants, row: &JobRow) -> JobRow {
    world.control.job(grants, row.id).await.expect("it is there")
}

fn made_by(claim: &Claim, name: &str, replaces: Option<&str>) -> NewSnapshot {
    NewSnapshot { fence: Some(claim.fence()), ..new_snapshot(name, replaces) }
}

fn done() -> Ending {
    Ending::Done { result: json!({ "snapshot": "one" }), then: Vec::new() }
}

async fn actions(world: &World, tenant: TenantId, first: usize) -> Vec<String> {
    world.events(tenant).await.into_iter().take(first).map(|event| event.action).collect()
}

/// A tenant with a study, and the operator's grants.
async fn scene() -> Option<(World, TenantId, StudyScope<Build>, Grants)> {
    let world = World::new().await?;
    let tenant = world.tenant("acme").await.id;
    let scope = world.study(tenant, "A").await;
    let grants = world.control.operator_grants(tenant).await.expect("the tenant exists");
    Some((world, tenant, scope, grants))
}

#[tokio::test]
async fn a_job_is_asked_for_claimed_and_done() {
    let Some((world, tenant, scope, grants)) = scene().await else { return };
    let asked = ask(&world, &scope).await;
    let again = world.control.enqueue_job(&Actor::Operator, &scope, JobKind::MartsBuild, &trace()).await;
    assert_eq!(again.expect("the study is registered"), (asked.clone(), false));

    let claimed = claim(&world.control, tenant).await.expect("one is due");
    assert_eq!(
        (claimed.job().id, claimed.job().attempt, claimed.job().state),
        (asked.id, 1, JobState::Running)
    );
    assert_eq!(claim(&world.control, tenant).await, None, "nothing else is due");
    let progress = JobProgress { step: "building mart_kri".into(), done: 3, total: 9 };
    let asked_to_stop = world.control.renew_job(&claimed, LEASE, Some(&progress)).await;
    assert!(!asked_to_stop.expect("the lease holds"));
    assert_eq!(job(&world, &grants, &asked).await.progress, Some(progress));

    // What has begun may have looked at an older snapshot: asked for now, it is done once more.
    let other = ask(&world, &scope).await;
    assert_ne!(other.id, asked.id);
    let then = vec![NewJob { kind: JobKind::MartsBuild, study: Some(study("A")), subject: None }];
    let ending = Ending::Done { result: json!({ "snapshot": "one" }), then };
    world.control.end_job(&claimed, ending).await.expect("the lease holds");
    let ended = job(&world, &grants, &asked).await;
    assert_eq!((ended.state, ended.result), (JobState::Succeeded, Some(json!({ "snapshot": "one" }))));
    assert_eq!(actions(&world, tenant, 3).await, ["job.finished", "job.enqueued", "job.enqueued"]);
    let twice = world.control.end_job(&claimed, done()).await;
    assert!(matches!(twice, Err(ControlError::LeaseLost)), "{twice:?}");
}

#[tokio::test]
async fn a_delivery_is_staged_together_with_its_job_and_ends_with_it() {
    let Some((world, tenant, scope, grants)) = scene().await else { return };
    let account = world.account(tenant, "ada@example.org", &[everywhere(Role::DataEngineer)]).await;
    let actor = Actor::Account { id: account, tenant };
    for (name, ending, state, events) in [
        ("one", done(), "COMMITTED", ["ingest.delivery.ended", "job.finished"]),
        (
            "two",
            Ending::Refused { problem: "a row".into() },
            "REJECTED",
            ["ingest.delivery.rejected", "job.failed"],
        ),
        ("three", Ending::Failed { problem: "the disk".into() }, "STAGED", ["job.failed", "job.enqueued"]),
    ] {
        world.clock.advance(TimeDelta::milliseconds(1));
        let batch = BatchId::at(world.clock.now(), name);
        let delivery = NewDelivery {
            batch,
            idempotency_key: name.into(),
            manifest_hash: name.into(),
            manifest: json!({}),
        };
        world.control.announce_delivery(&actor, &scope, delivery, &trace()).await.expect("the key is new");
        for _ in 0..2 {
            world.control.stage_delivery(&actor, &scope, batch, &trace()).await.expect("it is announced");
        }
        assert_eq!(
            actions(&world, tenant, 3).await,
            ["job.enqueued", "ingest.delivery.staged", "ingest.delivery.announced"]
        );
        let claimed = claim(&world.control, tenant).await.expect("one is due");
        assert_eq!(claimed.job().subject, Some(batch.to_string()));
        assert_eq!(claimed.actor(), actor);
        world.control.stage_delivery(&actor, &scope, batch, &trace()).await.expect("it is being done");
        world.control.end_job(&claimed, ending).await.expect("the lease holds");
        let row = world.control.delivery(&scope, batch).await.expect("the store works").expect("it is there");
        assert_eq!(row.state.name(), state, "{name}");
        assert_eq!(actions(&world, tenant, 2).await, events, "{name}");
    }
    let filter = JobFilter { limit: 10, ..JobFilter::default() };
    let jobs = world.control.jobs(&grants, &filter).await.expect("the store works");
    assert_eq!(jobs.len(), 3, "each was asked for three times");
    // What the sender has to mend is not tried again; what failed for another reason is.
    let rejected = world.control.retry_job(&actor, &grants, jobs[1].id, &trace()).await;
    assert!(matches!(rejected, Err(ControlError::JobState { .. })), "{rejected:?}");
    let again = world.control.retry_job(&actor, &grants, jobs[0].id, &trace()).await.expect("it failed");
    assert_eq!((again.state, again.failures), (JobState::Queued, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn control_46_of_many_workers_one_has_a_job() {
    let Some(world) = World::new().await else { return };
    let tenant = world.tenant("acme").await.id;
    for index in 0..12 {
        let scope = world.study(tenant, &format!("S{index}")).await;
        ask(&world, &scope).await;
    }
    let handles = [world.control.clone(), world.reopened().await];
    let mut workers = tokio::task::JoinSet::new();
    for index in 0..8 {
        let control = handles[index % 2].clone();
        workers.spawn(async move {
            let mut claimed = Vec::new();
            while let Some(claim) = claim(&control, tenant).await {
                claimed.push(claim.job().id);
            }
            claimed
        });
    }
    let mut claimed: Vec<_> = workers.join_all().await.into_iter().flatten().collect();
    // A worker that finds every waiting job being claimed by others goes away, and comes back.
    while let Some(claim) = claim(&world.control, tenant).await {
        claimed.push(claim.job().id);
    }
    assert_eq!(claimed.len(), 12);
    assert_eq!(claimed.into_iter().collect::<BTreeSet<_>>().len(), 12, "none was claimed twice");
}

#[tokio::test]
async fn jobs_of_a_study_come_one_after_the_other_and_a_tenant_has_its_share() {
    let Some((world, tenant, a, _)) = scene().await else { return };
    ask(&world, &a).await;
    let first = claim(&world.control, tenant).await.expect("one is due");
    ask(&world, &a).await;
    assert_eq!(claim(&world.control, tenant).await, None, "the study is being worked on");
    for code in ["B", "C"] {
        let scope = world.study(tenant, code).await;
        ask(&world, &scope).await;
    }
    let two = |control: Control| async move {
        control.claim_job(tenant, terms("w2", 2)).await.expect("the store works")
    };
    let second = two(world.control.clone()).await.expect("two are allowed");
    assert_eq!(second.job().study, Some(study("B")));
    assert_eq!(two(world.control.clone()).await, None, "two are being done");
    world.control.end_job(&first, done()).await.expect("the lease holds");
    let third = two(world.control.clone()).await.expect("one has ended");
    assert_eq!(third.job().study, Some(study("A")), "the one that waited longest comes first");
}

#[tokio::test]
async fn control_46_a_worker_that_was_lost_writes_nothing_any_more() {
    let Some((world, tenant, scope, grants)) = scene().await else { return };
    let asked = ask(&world, &scope).await;
    let lost = claim(&world.control, tenant).await.expect("one is due");
    world.clock.advance(LEASE - TimeDelta::seconds(1));
    assert_eq!(world.control.reap_jobs(tenant).await.expect("the store works"), 0, "the lease holds");
    world.clock.advance(TimeDelta::seconds(2));
    let other = world.reopened().await;
    assert_eq!(other.reap_jobs(tenant).await.expect("the store works"), 1);
    assert_eq!(world.control.reap_jobs(tenant).await.expect("the store works"), 0, "once");
    let waiting = job(&world, &grants, &asked).await;
    assert_eq!((waiting.state, waiting.failures), (JobState::Queued, 1));
    assert!(waiting.problem.is_some_and(|problem| problem.contains("the worker was lost")));

    world.clock.advance(TimeDelta::seconds(5));
    let holder = claim(&other, tenant).await.expect("the longest wait after one failure is over");
    assert_eq!(holder.job().attempt, 2);
    let refused = |outcome: Result<(), ControlError>| {
        assert!(matches!(outcome, Err(ControlError::LeaseLost)), "{outcome:?}");
    };
    let publish = async |claim: &Claim, name| {
        let (control, snapshot) = (&world.control, made_by(claim, name, None));
        control.publish(&Actor::Operator, &scope, snapshot, &trace()).await.map(drop)
    };
    refused(publish(&lost, "stale").await);
    refused(world.control.renew_job(&lost, LEASE, None).await.map(drop));
    refused(world.control.release_job(&lost).await);
    refused(world.control.fail_job(&lost, "late").await);
    refused(world.control.end_job(&lost, done()).await);
    publish(&holder, "fresh").await.expect("it has the lease");
    world.control.end_job(&holder, done()).await.expect("it has the lease");
    let snapshots = world.control.snapshots(&scope.to_read()).await.expect("the store works");
    assert_eq!(snapshots.len(), 1);
}

#[tokio::test]
async fn a_job_that_fails_is_tried_again_and_given_up_with_its_reason() {
    let Some((world, tenant, scope, grants)) = scene().await else { return };
    let asked = ask(&world, &scope).await;
    for failure in 1..=5 {
        let claimed = claim(&world.control, tenant).await.expect("its time has come");
        world.control.fail_job(&claimed, &format!("failure {failure}")).await.expect("the lease holds");
        let row = job(&world, &grants, &asked).await;
        assert_eq!((row.failures, row.problem), (failure, Some(format!("failure {failure}"))));
        let wait = row.due_at - world.clock.now();
        // 4 s, doubled with each failure: at most 64 s after the fifth.
        let limit = TimeDelta::seconds(4 << (failure - 1));
        assert!(failure == 5 || (wait >= TimeDelta::zero() && wait <= limit), "{failure}: {wait}");
        world.clock.advance(limit);
    }
    let row = job(&world, &grants, &asked).await;
    assert_eq!(row.state, JobState::Failed);
    assert!(row.ended_at.is_some());
    assert_eq!(claim(&world.control, tenant).await, None);
    assert_eq!(actions(&world, tenant, 2).await, ["job.failed", "job.enqueued"], "trying again is no event");
    world.control.retry_job(&Actor::Operator, &grants, asked.id, &trace()).await.expect("it has failed");
    let claimed = claim(&world.control, tenant).await.expect("it is in line again");
    assert_eq!((claimed.job().attempt, claimed.job().failures), (6, 0));
}

#[tokio::test]
async fn a_job_that_is_given_back_counts_no_failure() {
    let Some((world, tenant, scope, grants)) = scene().await else { return };
    let asked = ask(&world, &scope).await;
    for attempt in 1..=20 {
        let claimed = claim(&world.control, tenant).await.expect("it is due at once");
        assert_eq!(claimed.job().attempt, attempt);
        world.control.release_job(&claimed).await.expect("the lease holds");
    }
    let row = job(&world, &grants, &asked).await;
    assert_eq!((row.state, row.failures), (JobState::Queued, 0));
}

#[tokio::test]
async fn a_cancelled_job_ends_and_publishes_nothing() {
    let Some((world, tenant, scope, grants)) = scene().await else { return };
    let cancel =
        async |row: &JobRow| world.control.cancel_job(&Actor::Operator, &grants, row.id, &trace()).await;
    let waiting = ask(&world, &scope).await;
    assert_eq!(cancel(&waiting).await.expect("it waits").state, JobState::Cancelled);
    assert_eq!(claim(&world.control, tenant).await, None);

    let asked = ask(&world, &scope).await;
    let claimed = claim(&world.control, tenant).await.expect("one is due");
    let running = cancel(&asked).await.expect("it is running");
    assert_eq!((running.state, running.is_cancel_asked), (JobState::Running, true));
    let events = world.events(tenant).await.len();
    cancel(&asked).await.expect("asking twice changes nothing");
    assert_eq!(world.events(tenant).await.len(), events);
    assert!(world.control.renew_job(&claimed, LEASE, None).await.expect("the lease holds"));
    let (actor, snapshot) = (Actor::Operator, made_by(&claimed, "one", None));
    let published = world.control.publish(&actor, &scope, snapshot, &trace()).await;
    assert!(matches!(published, Err(ControlError::JobCancelled)), "{published:?}");
    world.control.end_job(&claimed, Ending::Cancelled).await.expect("the lease holds");
    let again = cancel(&asked).await;
    assert!(matches!(again, Err(ControlError::JobState { state: "CANCELLED", .. })), "{again:?}");
    assert!(world.control.snapshots(&scope.to_read()).await.expect("the store works").is_empty());
}

#[tokio::test]
async fn control_26_jobs_are_seen_by_who_builds_in_their_study() {
    let Some((world, tenant, a, grants)) = scene().await else { return };
    let b = world.study(tenant, "B").await;
    let other = world.tenant("other").await.id;
    let theirs = world.study(other, "A").await;
    let [in_a, in_b, in_theirs] = [ask(&world, &a).await, ask(&world, &b).await, ask(&world, &theirs).await];
    world.clock.advance(TimeDelta::milliseconds(1));
    let verify =
        world.control.enqueue_tenant_job(&Actor::Operator, tenant, JobKind::LedgerVerify, &trace()).await;
    let of_none = verify.expect("the tenant exists").0;
    for (email, grant, seen) in [
        ("all@example.org", everywhere(Role::DataEngineer), vec![of_none.id, in_b.id, in_a.id]),
        ("one@example.org", only_in(Role::DataEngineer, "B"), vec![in_b.id]),
        ("reader@example.org", everywhere(Role::Researcher), vec![]),
    ] {
        world.account(tenant, email, &[grant]).await;
        let principal = world.login(email, Audience::Http).await.principal;
        let filter = JobFilter { limit: 10, ..JobFilter::default() };
        let jobs = world.control.jobs(principal.grants(), &filter).await.expect("the store works");
        assert_eq!(jobs.iter().map(|job| job.id).collect::<Vec<_>>(), seen, "{email}");
        for row in [&in_a, &in_b, &of_none, &in_theirs] {
            let may = seen.contains(&row.id);
            let (actor, grants) = (principal.actor(), principal.grants());
            assert_eq!(world.control.job(grants, row.id).await.is_ok(), may, "{email}");
            if !may {
                let cancelled = world.control.cancel_job(&actor, grants, row.id, &trace()).await;
                assert!(matches!(cancelled, Err(ControlError::Denied)), "{email} {cancelled:?}");
            }
        }
    }
    let mut pages = Vec::new();
    let mut filter = JobFilter { limit: 2, ..JobFilter::default() };
    loop {
        let page = world.control.jobs(&grants, &filter).await.expect("the store works");
        let Some(last) = page.last() else { break };
        filter.before = Some(last.id);
        pages.push(page.len());
    }
    assert_eq!(pages, [2, 1]);
}

#[tokio::test]
async fn a_tenant_may_not_fill_the_line_without_end() {
    let Some((world, tenant, scope, _)) = scene().await else { return };
    let account = world.account(tenant, "ada@example.org", &[everywhere(Role::DataEngineer)]).await;
    let whose = crate::site::Whose::Tenants(tenant);
    ask(&world, &scope).await;
    let copy =
        "INSERT INTO jobs (TENANT job_id, kind, study_id, state, attempt, failures, max_failures, due_at,
             cancel_asked, done, total, actor_type, actor_id, trace_id, enqueued_at, changed_at)
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 999)
         SELECT OWN job_id || '-' || i, kind, study_id, state, attempt, failures, max_failures, due_at,
             cancel_asked, done, total, actor_type, actor_id, trace_id, enqueued_at, changed_at FROM jobs, n";
    let (column, own) = if world.site.database.is_some() { ("tenant_id,", "tenant_id,") } else { ("", "") };
    let copy = copy.replace("TENANT", column).replace("OWN", own);
    crate::site::run(&mut world.site.connect(whose).await, &copy).await;
    let b = world.study(tenant, "B").await;
    let actor = Actor::Account { id: account, tenant };
    let refused = world.control.enqueue_job(&actor, &b, JobKind::MartsBuild, &trace()).await;
    assert!(matches!(refused, Err(ControlError::TooManyJobs { waiting: 1000 })), "{refused:?}");
}
