use chrono::TimeDelta;
use control::{
    Actor, Audience, ControlError, Enabled, JobFilter, JobKind, JobState, NewSchedule, ScheduleRow, Terms,
    Timetable,
};
use kernel::{Clock, Grants, Role, TenantId};

use super::world::{World, everywhere, only_in, study, trace};

/// The hand's clock starts at 2026-11-18 11:06:40 UTC.
const HOURLY: &str = "30 * * * *";

async fn scene() -> Option<(World, TenantId, Grants)> {
    let world = World::new().await?;
    let tenant = world.tenant("acme").await.id;
    world.study(tenant, "A").await;
    let grants = world.control.operator_grants(tenant).await.expect("the tenant exists");
    Some((world, tenant, grants))
}

fn marts(cron: &str) -> NewSchedule {
    let timetable = Timetable::new(cron, "UTC").expect("it can be used");
    NewSchedule { kind: JobKind::MartsBuild, study: Some(study("A")), timetable }
}

async fn add(world: &World, grants: &Grants, schedule: NewSchedule) -> ScheduleRow {
    let added = world.control.add_schedule(&Actor::Operator, grants, schedule, &trace()).await;
    added.expect("it can be used")
}

/// Does the jobs that wait, and gives how many there were.
async fn do_all(world: &World, tenant: TenantId) -> usize {
    let terms = Terms { worker: "w", lease: TimeDelta::minutes(1), at_a_time: 9 };
    let mut count = 0;
    while let Some(claim) = world.control.claim_job(tenant, terms).await.expect("the store works") {
        let ending = control::Ending::Done { result: serde_json::json!({}), then: Vec::new() };
        world.control.end_job(&claim, ending).await.expect("the lease holds");
        count += 1;
    }
    count
}

async fn fire(world: &World, tenant: TenantId) -> u64 {
    world.control.fire_schedules(tenant).await.expect("the store works")
}

#[tokio::test]
async fn a_time_that_comes_puts_one_job_in_line() {
    let Some((world, tenant, grants)) = scene().await else { return };
    let added = add(&world, &grants, marts(HOURLY)).await;
    let next: Vec<String> = added.next_runs(3).iter().map(|at| at.format("%F %R").to_string()).collect();
    assert_eq!(next, ["2026-11-18 11:30", "2026-11-18 12:30", "2026-11-18 13:30"]);
    assert_eq!(fire(&world, tenant).await, 0);
    world.clock.advance(TimeDelta::minutes(24));
    assert_eq!(fire(&world, tenant).await, 1);
    assert_eq!(fire(&world, tenant).await, 0, "the time is used up");
    let actions: Vec<String> =
        world.events(tenant).await.into_iter().take(3).map(|event| event.action).collect();
    assert_eq!(actions, ["job.enqueued", "schedule.fired", "schedule.added"]);
    let [row] = &world.control.schedules(&grants).await.expect("the store works")[..] else {
        unreachable!("there is one");
    };
    assert_eq!(row.last_due_at, Some(added.next_due_at));
    let job = world.control.job(&grants, row.last_job.expect("there is one")).await.expect("it is there");
    assert_eq!(
        (job.kind, job.study, job.actor_type.as_str()),
        (JobKind::MartsBuild, Some(study("A")), "system")
    );
    assert_eq!(do_all(&world, tenant).await, 1);
}

#[tokio::test]
async fn times_that_passed_unseen_are_made_up_for_once() {
    let Some((world, tenant, grants)) = scene().await else { return };
    add(&world, &grants, marts(HOURLY)).await;
    world.clock.advance(TimeDelta::hours(10));
    assert_eq!(fire(&world, tenant).await, 1);
    assert_eq!(do_all(&world, tenant).await, 1);
    let rows = world.control.schedules(&grants).await.expect("the store works");
    let wait = rows[0].next_due_at - world.clock.now();
    assert!(wait > TimeDelta::zero() && wait <= TimeDelta::hours(1), "{wait}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_use_a_time_once() {
    let Some((world, tenant, grants)) = scene().await else { return };
    add(&world, &grants, marts("* * * * *")).await;
    let handles = [world.control.clone(), world.reopened().await];
    for _ in 0..10 {
        world.clock.advance(TimeDelta::minutes(1));
        let mut servers = tokio::task::JoinSet::new();
        for control in &handles {
            let control = control.clone();
            servers.spawn(async move { control.fire_schedules(tenant).await.expect("the store works") });
        }
        assert_eq!(servers.join_all().await.iter().sum::<u64>(), 1);
        assert_eq!(do_all(&world, tenant).await, 1);
    }
}

#[tokio::test]
async fn a_schedule_can_be_turned_off_and_on_run_and_removed() {
    let Some((world, tenant, grants)) = scene().await else { return };
    let id = add(&world, &grants, marts(HOURLY)).await.id;
    let (control, actor, trace) = (&world.control, Actor::Operator, trace());
    let off = control.enable_schedule(&actor, &grants, (id, Enabled::No), &trace).await.expect("it is there");
    assert!(off.next_runs(3).is_empty());
    world.clock.advance(TimeDelta::hours(5));
    assert_eq!(fire(&world, tenant).await, 0);
    let job = control.run_schedule(&actor, &grants, id, &trace).await.expect("it is there");
    let again = control.run_schedule(&actor, &grants, id, &trace).await.expect("it is there");
    assert_eq!((again.id, again.state), (job.id, JobState::Queued), "one that waits stands for both");
    let on = control.enable_schedule(&actor, &grants, (id, Enabled::Yes), &trace).await.expect("it is there");
    assert!(on.next_due_at > world.clock.now(), "what passed while it was off is not made up for");
    control.remove_schedule(&actor, &grants, id, &trace).await.expect("it is there");
    let gone = control.remove_schedule(&actor, &grants, id, &trace).await;
    assert!(matches!(gone, Err(ControlError::Denied)), "{gone:?}");
    assert_eq!(do_all(&world, tenant).await, 1, "the job stays");
}

#[tokio::test]
async fn control_26_schedules_are_for_who_builds_in_their_study() {
    let Some((world, tenant, grants)) = scene().await else { return };
    world.study(tenant, "B").await;
    let in_a = add(&world, &grants, marts(HOURLY)).await.id;
    let timetable = Timetable::new(HOURLY, "UTC").expect("it can be used");
    let verify = NewSchedule { kind: JobKind::LedgerVerify, study: None, timetable };
    let of_none = add(&world, &grants, verify.clone()).await.id;
    world.account(tenant, "b@example.org", &[only_in(Role::DataEngineer, "B")]).await;
    world.account(tenant, "r@example.org", &[everywhere(Role::Researcher)]).await;
    for email in ["b@example.org", "r@example.org"] {
        let principal = world.login(email, Audience::Http).await.principal;
        let (actor, theirs) = (principal.actor(), principal.grants());
        assert!(world.control.schedules(theirs).await.expect("the store works").is_empty(), "{email}");
        for id in [in_a, of_none] {
            let run = world.control.run_schedule(&actor, theirs, id, &trace()).await;
            assert!(matches!(run, Err(ControlError::Denied)), "{email} {run:?}");
        }
        for schedule in [marts(HOURLY), verify.clone()] {
            let added = world.control.add_schedule(&actor, theirs, schedule, &trace()).await;
            assert!(matches!(added, Err(ControlError::Denied)), "{email} {added:?}");
        }
    }
    let wrong = NewSchedule { kind: JobKind::Ingest, ..marts(HOURLY) };
    let wrong = world.control.add_schedule(&Actor::Operator, &grants, wrong, &trace()).await;
    assert!(matches!(wrong, Err(ControlError::ScheduleKind { kind: "ingest" })), "{wrong:?}");
    let filter = JobFilter { limit: 9, ..JobFilter::default() };
    assert!(world.control.jobs(&grants, &filter).await.expect("the store works").is_empty());
}
