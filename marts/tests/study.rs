//! A study for tests: CSV files by a mapping of their own, in; marts, out.

use std::fs;

use chrono::DateTime;
use kernel::{ActionKind, BatchId, Build, FixedClock, Grants, Permission, SnapshotId, StudyScope};
use marts::{Base, Definitions, Order, Planned, Publication, Selection};
use tempfile::TempDir;
use warehouse::{Batch, Delivery, Manifest, Mapping, Storage, TableScan, Writer, ingest};

pub(crate) struct Study {
    folder: TempDir,
    pub(crate) storage: Storage,
    pub(crate) scope: StudyScope<Build>,
    pub(crate) star: Option<(SnapshotId, Manifest)>,
    pub(crate) marts: Option<Manifest>,
    kept: Option<Manifest>,
    pub(crate) definitions: Definitions,
    deliveries: i64,
}

impl Study {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let storage = Storage::open(&folder.path().join("data")).expect("storage opens");
        let tenant = "01890a5d-ac96-774b-bcce-b302099a8057".parse().expect("a tenant id");
        let grants = Grants::from_gate(tenant, vec![Permission { action: ActionKind::Build, study: None }]);
        let scope = grants.scope(&"S1".parse().expect("a study id")).expect("granted");
        let definitions = Definitions::shipped().expect("well formed");
        Self { folder, storage, scope, star: None, marts: None, kept: None, definitions, deliveries: 0 }
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

    /// Builds whatever changed, which must not fail.
    pub(crate) fn build(&mut self) -> Publication {
        let built = self.build_order(&Order::default());
        assert!(built.failure.is_none(), "{:?}", built.failure);
        built
    }

    /// Builds what is ordered; a snapshot with every mart becomes the one that readers see.
    pub(crate) fn build_order(&mut self, order: &Order) -> Publication {
        let writer = Writer::wait(&self.storage, &self.scope).expect("nobody else writes");
        let (id, star) = self.star.as_ref().expect("delivered");
        let clock = FixedClock(DateTime::UNIX_EPOCH);
        let formers = self.marts.iter().chain(&self.kept).collect();
        let base = Base { current: (*id, star), formers, definitions: &self.definitions };
        let built = marts::build(&writer, &base, order, &clock, &mut |_| {}).expect("the build ends");
        if let Some((id, _, manifest)) = &built.snapshot {
            self.marts = Some(manifest.clone());
            // As the control plane does: the next build begins from what was published.
            self.star = Some((*id, manifest.clone()));
        }
        let kept = built.run.kept.as_ref();
        let read = |(id, key): &(SnapshotId, String)| {
            Manifest::read(&self.storage.study(&self.scope), key, *id).expect("it was kept")
        };
        self.kept = kept.map(read);
        built
    }

    /// What a build would do.
    pub(crate) fn plan(&self, select: &[&str], full_refresh: bool) -> Vec<Planned> {
        let (id, star) = self.star.as_ref().expect("delivered");
        let base = Base {
            current: (*id, star),
            formers: self.marts.iter().collect(),
            definitions: &self.definitions,
        };
        marts::plan(marts::MARTS, &base, &selection(select), full_refresh).expect("it means something")
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

pub(crate) fn selection(select: &[&str]) -> Selection {
    Selection { select: select.iter().map(|word| (*word).to_owned()).collect(), exclude: Vec::new() }
}
