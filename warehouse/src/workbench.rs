//! Where derived tables are made from one published snapshot: an engine that sees its tables, seats for threads
//! that make one table each, and at the end a new snapshot. Nothing is visible before that.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use kernel::{CODE_VERSION, SnapshotId};

use crate::engine::{Engine, Limits};
use crate::snapshot::{DataFile, Manifest, Table, Zone, content_of};
use crate::storage::{Staging, TenantFiles, Writer};
use crate::table_writer::TableWriter;
use crate::{Error, Result, later, table};

mod parts;

use parts::Part;
pub use parts::Parts;

/// One piece of work over one snapshot.
#[derive(Debug)]
pub struct Workbench {
    staging: Staging,
    engine: Engine,
    seats: u64,
    manifest: Manifest,
    made: BTreeMap<String, (Plan, Made)>,
    /// The tables that the engine sees.
    opened: BTreeSet<String>,
}

/// What is known of a table before it is made.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Its name.
    pub name: String,
    /// What one row is.
    pub grain: String,
    /// What it is computed from, piece by piece; [`Table::made_of`].
    pub made_of: BTreeMap<String, String>,
}

/// A table that was made and is not published yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// Its rows.
    pub rows: u64,
    /// A hash over them as they are stored; [`Table::content`].
    pub content: String,
    /// Its columns, in their order.
    pub columns: Vec<String>,
    parts: Vec<Part>,
}

impl Made {
    /// Whether every file has values of a 64-bit `column` above all those of the file before it.
    ///
    /// # Errors
    /// [`Error::Parquet`] when a file cannot be read.
    pub fn files_ascend_by(&self, column: &str) -> Result<bool> {
        let files: Vec<PathBuf> = self.parts.iter().map(|part| part.path.clone()).collect();
        Ok(files.len() == 1 || table::apart_by(&files, column)?.len() == files.len())
    }
}

/// One thread's place at the workbench. All seats see the same tables and share the memory of one engine.
#[derive(Debug)]
pub struct Seat {
    engine: Engine,
    files: TenantFiles,
    folder: PathBuf,
}

impl Workbench {
    /// Lays out the tables of the snapshot `id` for computing, at so many seats; [`Workbench::need`] opens them. Its own
    /// derived tables are left out: they are made again or shared.
    ///
    /// Of the threads of `limits` each seat is one, and the engine has the others for all seats. Where it has none, whoever
    /// asks a query computes all of it; otherwise they spin for as long as another thread works on its last piece.
    ///
    /// # Errors
    /// [`Error::Engine`] when the engine cannot be started.
    pub fn open(
        writer: &Writer,
        (id, manifest): (SnapshotId, &Manifest),
        limits: &Limits,
        seats: u64,
    ) -> Result<Self> {
        let staging = Staging::new(writer, "marts")?;
        let files = staging.files();
        let folders = [files.folder(Zone::Star), files.folder(Zone::Marts)];
        let threads = (limits.threads + 1).saturating_sub(seats).max(1);
        let engine = Engine::open(&folders, staging.folder(), &Limits { threads, ..limits.clone() })?;
        let mut manifest = manifest.clone();
        manifest.tables.retain(|_, table| table.zone == Zone::Star);
        manifest.replaces = Some(id);
        CODE_VERSION.clone_into(&mut manifest.code_version);
        Ok(Self { staging, engine, seats, manifest, made: BTreeMap::new(), opened: BTreeSet::new() })
    }

    /// Opens those of `tables` that the engine does not see yet, of the snapshot and of what was shared. What a seat made
    /// it sees already.
    ///
    /// # Errors
    /// [`Error::Engine`] when a file cannot be opened.
    pub fn need(&mut self, tables: &[&str]) -> Result<()> {
        let files = self.staging.files();
        for name in tables {
            let Some(table) = self.manifest.tables.get(*name).filter(|_| !self.opened.contains(*name)) else {
                continue;
            };
            let paths: Vec<PathBuf> =
                table.files.iter().map(|file| files.path(&file.key)).collect::<Result<_>>()?;
            later::open(&self.engine, name, name, &paths)?;
            self.opened.insert((*name).to_owned());
        }
        Ok(())
    }

    /// A place for each thread.
    ///
    /// # Errors
    /// [`Error::Engine`] when the engine opens no further connection.
    pub fn seats(&self) -> Result<Vec<Seat>> {
        let seat = |_| {
            let (files, folder) = (self.staging.files().clone(), self.staging.folder().to_owned());
            Ok(Seat { engine: self.engine.another()?, files, folder })
        };
        (0..self.seats).map(seat).collect()
    }

    /// Takes over a table of a former snapshot, unchanged.
    pub fn share(&mut self, name: &str, table: &Table) {
        self.manifest.tables.insert(name.to_owned(), table.clone());
    }

    /// Keeps a table that a seat has made, for publication.
    pub fn keep(&mut self, plan: Plan, made: Made) {
        self.made.insert(plan.name.clone(), (plan, made));
    }

    /// Publishes what was kept or shared as a new snapshot that replaces the one this work began from.
    ///
    /// # Errors
    /// [`Error::Storage`] when a file cannot be moved; nothing is visible then.
    pub fn publish(mut self) -> Result<(SnapshotId, String, Manifest)> {
        for (name, (plan, made)) in std::mem::take(&mut self.made) {
            let files = made.parts.into_iter().map(|part| part.publish(&self.staging, &name));
            let files = files.collect::<Result<_>>()?;
            let Plan { grain, made_of, .. } = plan;
            let inputs = made_of_hash(&made_of);
            let table = Table { zone: Zone::Marts, grain, files, inputs, made_of };
            self.manifest.tables.insert(name, table);
        }
        if self.manifest.tables.is_empty() {
            return Err(Error::NoTable { table: "any".into() });
        }
        let (id, key) = self.manifest.store(&self.staging)?;
        Ok((id, key, self.manifest))
    }
}

/// The hash over what a table is computed from; [`Table::inputs`].
#[must_use]
pub fn made_of_hash(made_of: &BTreeMap<String, String>) -> String {
    let parts: Vec<String> =
        made_of.iter().flat_map(|(name, content)| [name.clone(), content.clone()]).collect();
    crate::snapshot::inputs_hash(&parts)
}

impl Seat {
    /// The engine, for queries whose results are small.
    #[must_use]
    pub const fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Makes a table from a query.
    ///
    /// # Errors
    /// [`Error::Engine`] with the engine's word.
    pub fn make_from_query(&self, name: &str, query: &str) -> Result<Made> {
        let path = self.path(name);
        let rows = self.engine.copy(&format!("build `{name}`"), query, &path)?;
        self.open(name, vec![Part::staged(path, rows, None)?])
    }

    /// Makes a table from rows.
    ///
    /// # Errors
    /// [`Error::Parquet`] when they cannot be written.
    pub fn make_from_rows(&self, name: &str, rows: &RecordBatch) -> Result<Made> {
        let path = self.path(name);
        let mut writer = TableWriter::create(&path, rows.schema_ref())?;
        writer.write(rows)?;
        let count = writer.close()?;
        self.open(name, vec![Part::staged(path, count, None)?])
    }

    /// Makes a table of that schema from many rows that repeat in runs, which `write` writes some at a time. A part of it
    /// that is made of what one of `known` is made of is taken over.
    ///
    /// # Errors
    /// [`Error::Parquet`] when they cannot be written, and what `write` refuses.
    pub fn make_in_parts(
        &self,
        name: &str,
        (schema, known): (&SchemaRef, &BTreeMap<String, DataFile>),
        write: impl FnOnce(&mut Parts<'_>) -> Result<()>,
    ) -> Result<Made> {
        let mut parts = Parts::of((self, name), schema, known);
        write(&mut parts)?;
        self.open(name, parts.finish()?)
    }

    fn open(&self, name: &str, parts: Vec<Part>) -> Result<Made> {
        let paths: Vec<PathBuf> = parts.iter().map(|part| part.path.clone()).collect();
        let columns = paths.first().map_or_else(|| Ok(Vec::new()), table::columns)?;
        self.engine.view(name, &paths)?;
        let rows = parts.iter().map(|part| part.rows).sum();
        let content = content_of(parts.iter().map(|part| part.blake3.clone()).collect());
        Ok(Made { rows, content, columns, parts })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.parquet"))
    }
}
