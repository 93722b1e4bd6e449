//! A small study for tests: CSV files in, a manifest out.

use std::fs;
use std::path::Path;

use arrow::array::RecordBatch;
use chrono::{DateTime, Utc};
use kernel::{ActionKind, BatchId, Build, Grants, Permission, SnapshotId, StudyId, StudyScope, TenantId};
use tempfile::TempDir;
use warehouse::star::{Base, build};
use warehouse::{
    Batch, CutKind, Delivery, Error, Ingested, Manifest, Mapping, Storage, TableScan, Writer, ingest,
};

pub(crate) const STUDY: &str = "S1";

pub(crate) struct Study {
    pub(crate) folder: TempDir,
    pub(crate) storage: Storage,
    pub(crate) scope: StudyScope<Build>,
    pub(crate) current: Option<(SnapshotId, Manifest)>,
    deliveries: i64,
}

pub(crate) fn scope(tenant: &str, study: &str) -> StudyScope<Build> {
    let tenant: TenantId = tenant.parse().expect("a tenant id");
    let grants = Grants::from_gate(
        tenant,
        [ActionKind::Build, ActionKind::Unblind].map(|action| Permission { action, study: None }).to_vec(),
    );
    grants.scope(&study.parse::<StudyId>().expect("a study id")).expect("granted")
}

impl Study {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let storage = Storage::open(&folder.path().join("data")).expect("storage opens");
        let scope = scope("01890a5d-ac96-774b-bcce-b302099a8057", STUDY);
        Self { folder, storage, scope, current: None, deliveries: 0 }
    }

    /// Takes in CSV files, given as name and content, and builds the star.
    pub(crate) fn deliver(&mut self, mapping: &str, files: &[(&str, &str)]) -> Result<Ingested, Error> {
        let delivery = self.delivery(mapping, files)?;
        self.take_in(&delivery)
    }

    /// Takes in rows that are new or changed.
    pub(crate) fn deliver_delta(&mut self, files: &[(&str, &str)]) -> Result<Ingested, Error> {
        let delivery = Delivery { kind: CutKind::Delta, ..self.delivery("sdtm", files)? };
        self.take_in(&delivery)
    }

    /// A dimension's rows as [`Study::rows`] gives them, without the members that stand for none.
    pub(crate) fn members(&self, dimension: &str, columns: &[&str]) -> Vec<String> {
        let key = format!("{}_sk", dimension.trim_start_matches("dim_"));
        let columns: Vec<&str> = std::iter::once(key.as_str()).chain(columns.iter().copied()).collect();
        let rows = self.rows(dimension, &columns);
        let known = rows.iter().filter(|row| !row.starts_with('-')).filter_map(|row| row.split_once('|'));
        known.map(|(_, rest)| rest.to_owned()).collect()
    }

    /// Takes in a cut of the source as of a day of January 2020.
    pub(crate) fn deliver_cut(
        &mut self,
        (kind, day): (CutKind, u32),
        files: &[(&str, &str)],
    ) -> Result<Ingested, Error> {
        let delivery = Delivery { kind, extracted_at: Some(january(day)), ..self.delivery("sdtm", files)? };
        self.take_in(&delivery)
    }

    /// Takes in a cut that says it was made long after it is received.
    pub(crate) fn deliver_future(&mut self, files: &[(&str, &str)]) -> Result<Ingested, Error> {
        let extracted_at = Some(DateTime::from_timestamp(4_000_000_000, 0).expect("a time"));
        let delivery = Delivery { extracted_at, ..self.delivery("sdtm", files)? };
        self.take_in(&delivery)
    }

    fn delivery(&self, mapping: &str, files: &[(&str, &str)]) -> Result<Delivery, Error> {
        let inbox = self.folder.path().join(format!("inbox-{}", self.deliveries));
        write(&inbox, files);
        Delivery::of(&[inbox], Some(Mapping::load(mapping)?))
    }

    fn take_in(&mut self, delivery: &Delivery) -> Result<Ingested, Error> {
        self.deliveries += 1;
        let now: DateTime<Utc> =
            DateTime::from_timestamp(1_700_000_000 + self.deliveries, 0).expect("a time");
        let batch = Batch { id: BatchId::at(now, "test"), received_at: now };
        let former = self.current.as_ref().map(|(_, manifest)| manifest);
        let writer = Writer::wait(&self.storage, &self.scope)?;
        let ingested = ingest(&writer, (&batch, delivery), former, &mut |_| {})?;
        let former = self.current.as_ref().map(|(id, manifest)| (*id, manifest));
        let base = Base { former, ingested: &ingested, as_of: now };
        let (id, _, manifest) = build(&writer, &base, &mut |_| {})?;
        self.current = Some((id, manifest));
        Ok(ingested)
    }

    pub(crate) fn manifest(&self) -> &Manifest {
        &self.current.as_ref().expect("something was delivered").1
    }

    /// A table's rows as texts: the named columns, joined by a bar.
    pub(crate) fn rows(&self, table: &str, columns: &[&str]) -> Vec<String> {
        let scan = TableScan::open(&self.storage, &self.scope.to_read(), self.manifest(), table, 1024);
        let batches = scan.expect("the table opens").collect_all().expect("the table is read");
        batches.iter().flat_map(|batch| texts(batch, columns)).collect()
    }
}

pub(crate) fn january(day: u32) -> DateTime<Utc> {
    let day = chrono::NaiveDate::from_ymd_opt(2020, 1, day).expect("a day of January");
    day.and_hms_opt(12, 0, 0).expect("noon").and_utc()
}

fn texts(batch: &RecordBatch, columns: &[&str]) -> Vec<String> {
    use arrow::array::{Array, AsArray};
    let columns: Vec<_> = columns
        .iter()
        .map(|name| {
            let column = batch.column_by_name(name).expect(name);
            arrow::compute::cast(column, &arrow::datatypes::DataType::Utf8).expect("a text")
        })
        .collect();
    let cell = |column: &arrow::array::ArrayRef, row: usize| {
        let column = column.as_string::<i32>();
        if column.is_null(row) { "-".to_owned() } else { column.value(row).to_owned() }
    };
    (0..batch.num_rows())
        .map(|row| columns.iter().map(|column| cell(column, row)).collect::<Vec<_>>().join("|"))
        .collect()
}

fn write(folder: &Path, files: &[(&str, &str)]) {
    fs::create_dir_all(folder).expect("a folder");
    for (name, content) in files {
        fs::write(folder.join(name), content).expect("a file");
    }
}
