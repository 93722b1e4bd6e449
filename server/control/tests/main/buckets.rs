//! Anchors in a bucket: one that could lose something is refused, and whatever is laid on top of an object is told while
//! the object itself stays readable. The service is moto, which `CAIRN_PYTHON` runs; it stands for S3 as far as this goes.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;

use chrono::DateTime;
use control::{
    Actor, AnchorPlace, BucketSettings, Control, ControlError, ControlSettings, FaultKind, VerifyReport,
};
use kernel::{Clock, FixedClock, TenantId};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::cluster::environment;
use crate::site::copy_folder;

/// The service, and what it is told to do.
struct Service {
    child: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
    port: u64,
    folder: TempDir,
}

impl Service {
    /// `None` where there is no Python for it.
    fn start() -> Option<Self> {
        let Some(python) = environment("CAIRN_PYTHON") else {
            assert!(environment("CI").as_deref() != Some("true"), "CAIRN_PYTHON is not set, and CI needs it");
            println!("not run: CAIRN_PYTHON is not set; use ./dev test");
            return None;
        };
        let mut child = Command::new(python)
            .arg("../../tests/python/bucket.py")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Python starts");
        let orders = child.stdin.take().expect("it listens");
        let mut answers = BufReader::new(child.stdout.take().expect("it speaks"));
        let port = read(&mut answers)["port"].as_u64().expect("it tells its port");
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        std::fs::write(folder.path().join("secret"), "for tests alone\n").expect("the folder is ours");
        Some(Self { child, orders, answers, port, folder })
    }

    fn order(&mut self, order: &Value) -> Value {
        writeln!(self.orders, "{order}").expect("it listens");
        read(&mut self.answers)
    }

    fn names(&mut self) -> Vec<String> {
        let names = self.order(&json!({ "do": "names", "bucket": "kept" }));
        let names = names["names"].as_array().expect("a list").iter();
        names.map(|name| name.as_str().expect("a name").to_owned()).collect()
    }

    fn settings(&self, bucket: &str) -> BucketSettings {
        BucketSettings {
            endpoint: format!("http://127.0.0.1:{}", self.port),
            region: "us-east-1".into(),
            bucket: bucket.into(),
            prefix: "trials/anchor".into(),
            access_key: "anchor".into(),
            secret_file: self.folder.path().join("secret"),
        }
    }

    /// A deployment with a folder and the bucket as its anchors.
    async fn open(&self, bucket: &str, second: i64) -> Result<Control, ControlError> {
        let at = DateTime::from_timestamp(1_795_000_000 + second, 0).expect("the time is valid");
        let clock: Arc<dyn Clock> = Arc::new(FixedClock(at));
        let settings = ControlSettings {
            anchor: Some(self.folder.path().join("anchor")),
            further_anchors: vec![AnchorPlace::Bucket(self.settings(bucket))],
            ..ControlSettings::default()
        };
        Control::open_at(&self.folder.path().join("data"), &settings, clock).await
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It is gone already, or goes now.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn read(answers: &mut BufReader<ChildStdout>) -> Value {
    let mut line = String::new();
    answers.read_line(&mut line).expect("it speaks");
    serde_json::from_str(&line).expect("the script tells in JSON")
}

async fn grow(control: &Control, tenant: TenantId, name: &str, studies: usize) {
    let grants = control.operator_grants(tenant).await.expect("the tenant exists");
    for number in 0..studies {
        let code = format!("{name}-{number}").parse().expect("the code is valid");
        let scope = grants.scope(&code).expect("the operator may build");
        control.register_study(&Actor::Operator, &scope, name).await.expect("a study can be registered");
    }
    control.checkpoint_now().await.expect("the logs are good, and the anchors take them");
}

async fn faults(control: &Control) -> Vec<Option<FaultKind>> {
    let reports = control.verify_all().await.expect("the logs can be read");
    reports.iter().map(|report| report.fault.map(|fault| fault.kind)).collect()
}

#[tokio::test]
async fn control_07_a_bucket_that_could_lose_something_is_refused() {
    let Some(service) = Service::start() else { return };
    for bucket in ["plain", "lockable", "governed", "absent"] {
        let refused = service.open(bucket, 0).await;
        assert!(matches!(&refused, Err(ControlError::BucketRetention { .. })), "{bucket}: {refused:?}");
        let said = refused.map(drop).expect_err("it is refused").to_string();
        assert!(said.contains(bucket) && said.contains("COMPLIANCE"), "{said}");
    }
    service.open("kept", 0).await.expect("this one keeps what it holds");
}

#[tokio::test]
async fn control_07_what_is_laid_on_top_of_an_object_is_told_and_the_object_stays() {
    let Some(mut service) = Service::start() else { return };
    let control = service.open("kept", 0).await.expect("the bucket is in order");
    let tenant = control.create_tenant(&Actor::Operator, "acme", "Acme").await.expect("it is new").id;
    grow(&control, tenant, "A", 300).await;
    let reports = control.verify_all().await.expect("the logs can be read");
    assert!(reports.iter().all(VerifyReport::is_intact), "{reports:?}");
    assert_eq!(reports[1].anchored, Some(301), "{reports:?}");

    // The same files as in the folder, apart from partial tiles, which a bucket does not give back.
    let names = service.names();
    let below = format!("trials/anchor/cairn/audit/{tenant}/");
    let full = names.iter().find(|name| name.starts_with(&below) && name.ends_with("tile/0/000")).cloned();
    let full = full.expect("a full tile was copied");
    let checkpoint = names.iter().rfind(|name| name.contains("/checkpoints/") && name.starts_with(&below));
    let checkpoint = checkpoint.expect("a checkpoint was copied").clone();
    let destroyed = service.order(&json!({ "do": "destroy", "bucket": "kept", "key": full }));
    assert_eq!(destroyed["refused"], "AccessDenied");
    assert_eq!(faults(&control).await, [None, None]);

    for (order, key) in [("hide", &full), ("cover", &checkpoint)] {
        let done = service.order(&json!({ "do": order, "bucket": "kept", "key": key, "text": "forged" }));
        assert_eq!(done["refused"], Value::Null, "{order}: a bucket cannot refuse this");
        // Everything is still read from the first version: the start goes well, and the verification tells.
        let reopened = service.open("kept", 1).await.expect("the first version stays");
        assert_eq!(faults(&reopened).await, [None, Some(FaultKind::AnchorCovered)], "{order}");
        grow(&reopened, tenant, order, 3).await;
    }
}

#[tokio::test]
async fn control_07_a_database_from_a_backup_is_refused_by_the_bucket() {
    let Some(service) = Service::start() else { return };
    let control = service.open("kept", 0).await.expect("the bucket is in order");
    let tenant = control.create_tenant(&Actor::Operator, "acme", "Acme").await.expect("it is new").id;
    grow(&control, tenant, "A", 5).await;
    drop(control);
    let (data, backup) = (service.folder.path().join("data"), service.folder.path().join("backup"));
    copy_folder(&data, &backup);
    let control = service.open("kept", 1).await.expect("nothing is wrong yet");
    grow(&control, tenant, "B", 5).await;
    drop(control);
    // Whoever holds the machine puts back the database, and empties the anchor that lies there too.
    for folder in [&data, &service.folder.path().join("anchor")] {
        std::fs::remove_dir_all(folder).expect("it is there");
    }
    copy_folder(&backup, &data);
    let refused = service.open("kept", 2).await;
    assert!(
        matches!(&refused, Err(ControlError::LogBehind { place, .. }) if place.contains("anchor")),
        "{refused:?}"
    );
}
