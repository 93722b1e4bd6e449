use chrono::TimeDelta;
use control::{
    Actor, Control, ControlError, JobKind, KeyedRequest, KnownKey, NewSchedule, StoredAnswer, Timetable,
};
use kernel::{AccountId, Grants, Role, TenantId};

use super::world::{World, everywhere, study, trace};

struct Scene {
    world: World,
    tenant: TenantId,
    account: AccountId,
    grants: Grants,
}

impl Scene {
    async fn new() -> Option<Self> {
        let world = World::new().await?;
        let tenant = world.tenant("acme").await.id;
        let account = world.account(tenant, "ada@example.org", &[everywhere(Role::DataEngineer)]).await;
        world.study(tenant, "A").await;
        let grants = world.control.operator_grants(tenant).await.expect("the tenant exists");
        Some(Self { world, tenant, account, grants })
    }

    fn request(&self, key: &str, body: &str) -> KeyedRequest {
        let told = ("POST", "/api/v1/schedules", body.as_bytes());
        KeyedRequest::new((self.tenant, self.account), key, told).expect("there is randomness")
    }

    async fn known(&self, request: &KeyedRequest) -> KnownKey {
        self.world.control.find_key(request).await.expect("the store works")
    }

    async fn schedules(&self) -> usize {
        self.world.control.schedules(&self.grants).await.expect("the store works").len()
    }
}

async fn add(control: &Control, grants: &Grants) -> Result<(), ControlError> {
    let timetable = Timetable::new("0 0 * * *", "UTC").expect("it can be used");
    let schedule = NewSchedule { kind: JobKind::MartsBuild, study: Some(study("A")), timetable };
    control.add_schedule(&Actor::Operator, grants, schedule, &trace()).await.map(drop)
}

fn answer() -> StoredAnswer {
    StoredAnswer { status: 201, location: Some("/there".to_owned()), body: "{}".to_owned() }
}

#[tokio::test]
async fn control_45_a_key_is_used_up_with_what_it_did_and_gives_the_same_answer() {
    let Some(scene) = Scene::new().await else { return };
    let (control, first) = (&scene.world.control, scene.request("k", "body"));
    assert_eq!(scene.known(&first).await, KnownKey::Unused);
    control.do_once(&first, add(control, &scene.grants)).await.expect("it is the first");
    assert_eq!(scene.known(&first).await, KnownKey::Open, "as a crash before the answer would leave it");
    control.keep_answer(&first, &answer()).await.expect("the store works");

    let again = scene.request("k", "body");
    assert_eq!(scene.known(&again).await, KnownKey::Answered(answer()));
    let raced = control.do_once(&again, add(control, &scene.grants)).await;
    assert!(matches!(raced, Err(ControlError::KeyTaken)), "{raced:?}");
    assert_eq!(scene.schedules().await, 1);
    assert_eq!(scene.known(&scene.request("k", "other body")).await, KnownKey::Other);
    let account = scene.world.account(scene.tenant, "bob@example.org", &[]).await;
    let told = ("POST", "/api/v1/schedules", &b"body"[..]);
    let others = KeyedRequest::new((scene.tenant, account), "k", told).expect("there is randomness");
    assert_eq!(scene.known(&others).await, KnownKey::Unused, "a key is of its account");
    let other = scene.world.tenant("other").await.id;
    let told = ("POST", "/api/v1/schedules", &b"body"[..]);
    let theirs = KeyedRequest::new((other, account), "k", told).expect("there is randomness");
    assert_eq!(scene.known(&theirs).await, KnownKey::Unused, "and of its tenant");
}

#[tokio::test]
async fn control_45_what_fails_uses_no_key_up() {
    let Some(scene) = Scene::new().await else { return };
    let (control, request) = (&scene.world.control, scene.request("k", "body"));
    let refused = control.do_once(&request, async {
        let wrong = NewSchedule {
            kind: JobKind::Ingest,
            study: Some(study("A")),
            timetable: Timetable::new("0 0 * * *", "UTC").expect("it can be used"),
        };
        control.add_schedule(&Actor::Operator, &scene.grants, wrong, &trace()).await
    });
    assert!(refused.await.is_err());
    assert_eq!(scene.known(&request).await, KnownKey::Unused);
    control.do_once(&request, add(control, &scene.grants)).await.expect("the key is free");
    assert_eq!(scene.schedules().await, 1);
}

#[tokio::test]
async fn control_45_a_key_is_remembered_for_a_day() {
    let Some(scene) = Scene::new().await else { return };
    let (control, request) = (&scene.world.control, scene.request("k", "body"));
    control.do_once(&request, add(control, &scene.grants)).await.expect("it is the first");
    control.keep_answer(&request, &answer()).await.expect("the store works");
    scene.world.clock.advance(TimeDelta::hours(24) - TimeDelta::seconds(1));
    assert_eq!(control.forget_keys(scene.tenant).await.expect("the store works"), 0);
    assert_eq!(scene.known(&request).await, KnownKey::Answered(answer()));
    scene.world.clock.advance(TimeDelta::seconds(1));
    assert_eq!(scene.known(&request).await, KnownKey::Unused);
    let later = scene.request("k", "another body");
    control.do_once(&later, add(control, &scene.grants)).await.expect("the key is free again");
    assert_eq!(scene.schedules().await, 2);
    scene.world.clock.advance(TimeDelta::hours(24));
    assert_eq!(control.forget_keys(scene.tenant).await.expect("the store works"), 1);
}

#[tokio::test]
async fn control_45_a_request_that_commits_twice_keeps_its_key() {
    let Some(scene) = Scene::new().await else { return };
    let (control, request) = (&scene.world.control, scene.request("k", "body"));
    let both = async {
        add(control, &scene.grants).await?;
        add(control, &scene.grants).await
    };
    control.do_once(&request, both).await.expect("the key is its own");
    assert_eq!(scene.schedules().await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn control_45_of_many_equal_requests_one_is_done() {
    let Some(scene) = Scene::new().await else { return };
    let handles = [scene.world.control.clone(), scene.world.reopened().await];
    for key in 0..20 {
        let mut senders = tokio::task::JoinSet::new();
        for index in 0..8 {
            let (control, grants) = (handles[index % 2].clone(), scene.grants.clone());
            let request = scene.request(&format!("k{key}"), "body");
            senders.spawn(async move { control.do_once(&request, add(&control, &grants)).await });
        }
        let (done, taken): (Vec<_>, Vec<_>) = senders.join_all().await.into_iter().partition(Result::is_ok);
        assert_eq!((done.len(), taken.len()), (1, 7));
        assert!(taken.iter().all(|outcome| matches!(outcome, Err(ControlError::KeyTaken))), "{taken:?}");
    }
    assert_eq!(scene.schedules().await, 20);
}
