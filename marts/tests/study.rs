//! A study for tests: CSV files by a mapping of their own, in; marts, out.

use std::fs;

use chrono::DateTime;
use kernel::{ActionKind, BatchId, Build, FixedClock, Grants, Permission, SnapshotId, StudyScope};
use marts::build::{Base, Publication};
use tempfile::TempDir;
use warehouse::engine::Limits;
use warehouse::{Batch, Delivery, Manifest, Mapping, Storage, TableScan, Writer, ingest};

pub(crate) struct Study {
    folder: TempDir,
    pub(crate) storage: Storage,
    pub(crate) scope: StudyScope<Build>,
    pub(crate) star: Option<(SnapshotId, Manifest)>,
    pub(crate) marts: Option<Manifest>,
    deliveries: i64,
}

impl Study {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let storage = Storage::open(&folder.path().join("data")).expect("storage opens");
        let tenant = "01890a5d-ac96-774b-bcce-b302099a8057".parse().expect("a tenant id");
        let grants = Grants::from_gate(tenant, vec![Permission { action: ActionKind::Build, study: None }]);
        let scope = grants.scope(&"S1".parse().expect("a study id")).expect("granted");
        Self { folder, storage, scope, star: None, marts: None, deliveries: 0 }
    }

    pub(crate) fn deliver(&mut self, mapping: &str, files: &[(&str, &str)]) {
        let inbox = self.folder.path().join(format!("inbox-{}", self.deliveries));
        fs::create_dir_all(&inbox).expect("a folder");
        for (name, content) in files {
            fs::write(inbox.join(name), content).expect("a file");
        }
        let mapping =
            if mapping.contains('\n') { Mapping::parse("test", mapping) } else { Mapping::load(mapping) };
        let delivery = Delivery::of(&[inbox], Some(mapping.expect("the mapping is valid"))).expect("files");
        self.deliveries += 1;
        let now = DateTime::from_timestamp(1_700_000_000 + self.deliveries, 0).expect("a time");
        let batch = Batch { id: BatchId::at(now, "test"), received_at: now };
        let former = self.star.as_ref().map(|(id, manifest)| (*id, manifest));
        let writer = Writer::wait(&self.storage, &self.scope).expect("nobody else writes");
        let known = former.map(|(_, manifest)| manifest);
        let ingested = ingest(&writer, (&batch, &delivery), known, &mut |_| {}).expect("taken in");
        let base = warehouse::star::Base { former, ingested: &ingested, as_of: now };
        let (id, _, manifest) = warehouse::star::build(&writer, &base, &mut |_| {}).expect("built");
        self.star = Some((id, manifest));
    }

    pub(crate) fn build(&mut self) -> Publication {
        let writer = Writer::wait(&self.storage, &self.scope).expect("nobody else writes");
        let (id, star) = self.star.as_ref().expect("delivered");
        let clock = FixedClock(DateTime::UNIX_EPOCH);
        let base = Base { current: (*id, star), with_marts: self.marts.as_ref() };
        let built = marts::build(&writer, &base, (&clock, &Limits::default()), &mut |_, _, _| {});
        let built = built.expect("the marts are built");
        if let Some((_, _, manifest)) = &built.snapshot {
            self.marts = Some(manifest.clone());
        }
        built
    }

    /// A mart's rows as JSON objects.
    pub(crate) fn rows(&self, mart: &str) -> Vec<serde_json::Value> {
        let manifest = self.marts.as_ref().expect("built");
        let scan =
            TableScan::open(&self.storage, &self.scope.to_read(), manifest, mart, 1024).expect("opened");
        let mut writer = arrow::json::ArrayWriter::new(Vec::new());
        for batch in scan {
            writer.write(&batch.expect("read")).expect("written");
        }
        writer.finish().expect("finished");
        let text = writer.into_inner();
        if text.is_empty() { Vec::new() } else { serde_json::from_slice(&text).expect("JSON") }
    }
}
