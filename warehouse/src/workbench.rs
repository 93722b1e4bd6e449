//! Where derived tables are made from one published snapshot: an engine that sees its tables, a place for
//! what is made, and at the end a new snapshot. Nothing is visible before that.

use std::collections::BTreeMap;
use std::path::PathBuf;

use arrow::array::RecordBatch;
use kernel::{CODE_VERSION, SnapshotId};

use crate::engine::{Engine, Limits};
use crate::snapshot::{Manifest, Table, Zone};
use crate::storage::{Staging, Writer};
use crate::table_writer::TableWriter;
use crate::{Error, Result};

/// One piece of work over one snapshot.
#[derive(Debug)]
pub struct Workbench {
    staging: Staging,
    engine: Engine,
    manifest: Manifest,
    made: BTreeMap<String, Made>,
}

/// What is known of a table before it is made.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Its name.
    pub name: String,
    /// What one row is.
    pub grain: String,
    /// A hash over everything it is computed from.
    pub inputs: String,
}

#[derive(Debug)]
struct Made {
    plan: Plan,
    rows: u64,
}

impl Workbench {
    /// Opens the tables of the snapshot `id` for computing. Its own derived tables are left out: they are
    /// made again or shared.
    ///
    /// # Errors
    /// [`Error::Engine`] when a file of the snapshot cannot be opened.
    pub fn open(writer: &Writer, (id, manifest): (SnapshotId, &Manifest), limits: &Limits) -> Result<Self> {
        let staging = Staging::new(writer, "marts")?;
        let files = staging.files();
        let folders = [files.folder(Zone::Star), files.folder(Zone::Marts)];
        let engine = Engine::open(&folders, staging.folder(), limits)?;
        let mut manifest = manifest.clone();
        manifest.tables.retain(|_, table| table.zone == Zone::Star);
        manifest.replaces = Some(id);
        CODE_VERSION.clone_into(&mut manifest.code_version);
        let bench = Self { staging, engine, manifest, made: BTreeMap::new() };
        for (name, table) in &bench.manifest.tables {
            bench.open_table(name, table)?;
        }
        Ok(bench)
    }

    fn open_table(&self, name: &str, table: &Table) -> Result<()> {
        let files = self.staging.files();
        let paths: Vec<PathBuf> =
            table.files.iter().map(|file| files.path(&file.key)).collect::<Result<_>>()?;
        self.engine.view(name, &paths)
    }

    /// The engine, for queries whose results are small.
    #[must_use]
    pub const fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The hash over everything a table of this work was computed from.
    ///
    /// # Errors
    /// [`Error::NoTable`] when there is none of that name yet.
    pub fn inputs_of(&self, table: &str) -> Result<&str> {
        if let Some(made) = self.made.get(table) {
            return Ok(&made.plan.inputs);
        }
        self.manifest.table(table).map(|table| table.inputs.as_str())
    }

    /// Takes over a table of a former snapshot, unchanged.
    ///
    /// # Errors
    /// [`Error::Engine`] when its files cannot be opened.
    pub fn share(&mut self, name: &str, table: &Table) -> Result<()> {
        self.open_table(name, table)?;
        self.manifest.tables.insert(name.to_owned(), table.clone());
        Ok(())
    }

    /// Makes a table from a query; returns its rows.
    ///
    /// # Errors
    /// [`Error::Engine`] with the engine's word.
    pub fn make_from_query(&mut self, plan: Plan, query: &str) -> Result<u64> {
        let path = self.path(&plan.name);
        let rows = self.engine.copy(&format!("build `{}`", plan.name), query, &path)?;
        self.keep(plan, rows)
    }

    /// Makes a table from rows; returns how many.
    ///
    /// # Errors
    /// [`Error::Parquet`] when they cannot be written.
    pub fn make_from_rows(&mut self, plan: Plan, rows: &RecordBatch) -> Result<u64> {
        let mut writer = TableWriter::create(&self.path(&plan.name), rows.schema_ref())?;
        writer.write(rows)?;
        let count = writer.close()?;
        self.keep(plan, count)
    }

    fn keep(&mut self, plan: Plan, rows: u64) -> Result<u64> {
        self.engine.view(&plan.name, &[self.path(&plan.name)])?;
        self.made.insert(plan.name.clone(), Made { plan, rows });
        Ok(rows)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.staging.path(&format!("{name}.parquet"))
    }

    /// Publishes what was made or shared as a new snapshot that replaces the one this work began from.
    ///
    /// # Errors
    /// [`Error::Storage`] when a file cannot be moved; nothing is visible then.
    pub fn publish(mut self) -> Result<(SnapshotId, String, Manifest)> {
        for (name, Made { plan, rows }) in std::mem::take(&mut self.made) {
            let file = self.staging.publish(&format!("{name}.parquet"), Zone::Marts, &name, rows)?;
            let table =
                Table { zone: Zone::Marts, grain: plan.grain, files: vec![file], inputs: plan.inputs };
            self.manifest.tables.insert(name, table);
        }
        if self.manifest.tables.is_empty() {
            return Err(Error::NoTable { table: "any".into() });
        }
        let (id, key) = self.manifest.store(&self.staging)?;
        Ok((id, key, self.manifest))
    }
}
