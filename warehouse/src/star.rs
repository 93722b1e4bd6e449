//! Canon becomes facts and dimensions. Each table is one `.sql` file over the current version of canon;
//! keys are deterministic, so that the same canon gives the same star on any machine.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use kernel::{BatchId, Build, CODE_VERSION, SnapshotId, StudyScope};

use crate::engine::{Engine, Limits, literal};
use crate::ingest::{Ingested, Progress};
use crate::snapshot::{DataFile, Manifest, Table, Zone};
use crate::storage::{Staging, Writer};
use crate::table_writer::TableWriter;
use crate::{Result, contract, quality};

/// One table of the star.
#[derive(Debug)]
pub struct StarTable {
    /// Its name.
    pub name: &'static str,
    /// The canon entities it reads.
    pub entities: &'static [&'static str],
    /// The star tables it reads, which are built before it.
    pub tables: &'static [&'static str],
    sql: &'static str,
}

macro_rules! star_table {
    ($name:literal, entities: [$($entity:literal),*], tables: [$($table:literal),*]) => {
        StarTable {
            name: $name,
            entities: &[$($entity),*],
            tables: &[$($table),*],
            sql: include_str!(concat!("star/", $name, ".sql")),
        }
    };
}

/// Every table, each after those it reads.
pub const TABLES: &[StarTable] = &[
    star_table!("dim_study", entities: ["study", "study_parameter"], tables: []),
    star_table!("dim_subject",
        entities: ["subject", "visit", "adverse_event", "lab_result", "observation", "deviation", "disposition",
            "form_instance", "item_value", "query"],
        tables: []),
    star_table!("dim_site", entities: ["site"], tables: ["dim_subject"]),
    star_table!("dim_visit", entities: ["planned_visit", "visit", "observation", "lab_result"], tables: []),
    star_table!("dim_test", entities: ["lab_result", "observation"], tables: []),
    star_table!("dim_form", entities: ["form_instance"], tables: []),
    star_table!("fact_visit", entities: ["visit", "subject", "planned_visit"], tables: ["dim_subject", "dim_visit"]),
    star_table!("fact_ae", entities: ["adverse_event"], tables: ["dim_subject"]),
    star_table!("fact_lab", entities: ["lab_result"], tables: ["dim_subject", "dim_visit", "dim_test"]),
    star_table!("fact_observation", entities: ["observation"], tables: ["dim_subject", "dim_visit", "dim_test"]),
    star_table!("fact_form", entities: ["form_instance", "item_value"], tables: ["dim_subject", "dim_form"]),
    star_table!("fact_query", entities: ["query"], tables: ["dim_subject"]),
    star_table!("fact_deviation", entities: ["deviation"], tables: ["dim_subject"]),
    star_table!("fact_disposition", entities: ["disposition"], tables: ["dim_subject"]),
];

impl StarTable {
    /// What one row is: the first line of the definition.
    #[must_use]
    pub fn grain(&self) -> &'static str {
        self.sql.lines().next().and_then(|line| line.strip_prefix("-- grain:")).unwrap_or_default().trim()
    }

    /// Refuses a dimension that has a member twice: every fact of it would count twice.
    fn check_members(&self, engine: &Engine, file: &std::path::Path) -> Result<()> {
        let Some(dimension) = self.name.strip_prefix("dim_") else { return Ok(()) };
        engine.view("members", &[file.to_owned()])?;
        let count = format!("SELECT count(*) - count(DISTINCT {dimension}_sk) FROM members");
        match engine.count(&format!("check the members of `{}`", self.name), &count)? {
            0 => Ok(()),
            rows => Err(crate::Error::RepeatedMember { table: self.name.to_owned(), rows }),
        }
    }

    /// A hash over the definition and everything it reads.
    fn inputs(&self, manifest: &Manifest) -> String {
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.sql.as_bytes());
        hasher.update(CODE_VERSION.as_bytes());
        for entity in self.entities {
            hasher.update(entity.as_bytes());
            for file in manifest.canon.get(*entity).into_iter().flatten() {
                hasher.update(file.blake3.as_bytes());
            }
        }
        for table in self.tables {
            hasher.update(manifest.tables.get(*table).map_or("", |table| &table.inputs).as_bytes());
        }
        hasher.finalize().to_hex().to_string()
    }
}

/// What a new snapshot is made from.
#[derive(Debug)]
pub struct Base<'a> {
    /// The snapshot it replaces, with its manifest.
    pub former: Option<(SnapshotId, &'a Manifest)>,
    /// The delivery that was conformed.
    pub ingested: &'a Ingested,
    /// Its id.
    pub batch: BatchId,
    /// The instant whose state of canon is shown.
    pub as_of: DateTime<Utc>,
}

/// Builds the star over the canon of a delivery. Tables whose inputs did not change are shared with the
/// former snapshot. Marts are not carried over: they belong to the tables they were computed from.
///
/// # Errors
/// [`crate::Error::Engine`] with the table that could not be built; nothing was published.
pub fn build(
    writer: &Writer,
    base: &Base<'_>,
    progress: &mut dyn FnMut(Progress),
) -> Result<(SnapshotId, String, Manifest)> {
    let (staging, scope) = (Staging::new(writer, "star")?, writer.scope());
    let mut batches = base.former.map_or_else(Vec::new, |(_, manifest)| manifest.batches.clone());
    batches.push(base.batch);
    let mut manifest = Manifest {
        format: Manifest::FORMAT,
        tenant: scope.tenant(),
        study: scope.study().clone(),
        as_of: base.as_of,
        code_version: CODE_VERSION.to_owned(),
        replaces: base.former.map(|(id, _)| id),
        batches,
        canon: base.ingested.canon.clone(),
        tables: std::collections::BTreeMap::new(),
    };
    let former = base.former.map(|(_, manifest)| manifest);
    let mut builder = Builder { staging: &staging, engine: None, scope, former };
    builder.build_all(&mut manifest, progress)?;
    let engine = match builder.engine.take() {
        Some(engine) => engine,
        None => builder.open(&manifest)?,
    };
    let receipt = &base.ingested.receipt;
    let work = quality::build::Work { staging: &staging, engine: &engine, former, receipt };
    quality::build::build(&work, &mut manifest, progress)?;
    let (id, key) = manifest.store(&staging)?;
    Ok((id, key, manifest))
}

struct Builder<'a> {
    staging: &'a Staging,
    engine: Option<Engine>,
    scope: &'a StudyScope<Build>,
    former: Option<&'a Manifest>,
}

impl Builder<'_> {
    fn build_all(&mut self, manifest: &mut Manifest, progress: &mut dyn FnMut(Progress)) -> Result<()> {
        let total = TABLES.len() as u64;
        for (done, table) in (0..).zip(TABLES) {
            progress(Progress { step: format!("building {}", table.name), done, total });
            let inputs = table.inputs(manifest);
            let shared = self
                .former
                .and_then(|former| former.tables.get(table.name))
                .filter(|known| known.inputs == inputs);
            let built = match shared {
                Some(known) => known.clone(),
                None => self.build_one(table, inputs, manifest)?,
            };
            manifest.tables.insert(table.name.to_owned(), built);
        }
        Ok(())
    }

    fn build_one(&mut self, table: &StarTable, inputs: String, manifest: &Manifest) -> Result<Table> {
        let engine = match self.engine.take() {
            Some(engine) => engine,
            None => self.open(manifest)?,
        };
        for name in table.tables {
            let files = manifest.table(name).map(|table| paths(self.staging, &table.files))??;
            engine.view(name, &files)?;
        }
        let step = format!("build `{}`", table.name);
        let name = format!("{}.parquet", table.name);
        let rows = engine.copy(&step, table.sql, &self.staging.path(&name))?;
        table.check_members(&engine, &self.staging.path(&name))?;
        self.engine = Some(engine);
        let file = self.staging.publish(&name, Zone::Star, table.name, rows)?;
        Ok(Table { zone: Zone::Star, grain: table.grain().to_owned(), files: vec![file], inputs })
    }

    /// An engine that sees the current version of every entity, and the study's id as a macro.
    fn open(&self, manifest: &Manifest) -> Result<Engine> {
        let files = self.staging.files();
        let folders = [Zone::Canon, Zone::Star, Zone::Quarantine].map(|zone| files.folder(zone));
        let engine = Engine::open(&folders, self.staging.folder(), &Limits::default())?;
        let study = literal(self.scope.study().as_str());
        engine.run("name the study", &format!("CREATE MACRO this_study() AS {study}"))?;
        for (name, entity) in contract::entities()? {
            let known = manifest.canon.get(name).map(Vec::as_slice).unwrap_or_default();
            if known.is_empty() {
                let path = self.staging.path(&format!("empty-{name}.parquet"));
                TableWriter::create(&path, &entity.schema())?.close()?;
                engine.view(name, &[path])?;
                continue;
            }
            engine.view(&format!("{name}_versions"), &paths(self.staging, known)?)?;
            engine.run(&format!("read the current rows of `{name}`"), &current(name, known.len()))?;
        }
        Ok(engine)
    }
}

/// The current version of each row. One file holds one version of each.
fn current(entity: &str, files: usize) -> String {
    if files == 1 {
        return format!("CREATE VIEW {entity} AS SELECT * FROM {entity}_versions WHERE op <> 'D'");
    }
    format!(
        "CREATE VIEW {entity} AS SELECT * FROM (
             SELECT * FROM {entity}_versions
             QUALIFY row_number() OVER (PARTITION BY row_id ORDER BY sys_from_ts DESC, row_hash) = 1
         ) WHERE op <> 'D'"
    )
}

fn paths(staging: &Staging, files: &[DataFile]) -> Result<Vec<PathBuf>> {
    files.iter().map(|file| staging.files().path(&file.key)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_comes_after_those_it_reads() {
        for (position, table) in TABLES.iter().enumerate() {
            for read in table.tables {
                assert!(
                    TABLES[..position].iter().any(|earlier| earlier.name == *read),
                    "{} reads {read}",
                    table.name
                );
            }
        }
    }

    #[test]
    fn every_table_states_its_grain_and_its_entities_exist() {
        for table in TABLES {
            assert!(!table.grain().is_empty(), "{}", table.name);
            for entity in table.entities {
                assert!(contract::entity(entity).is_ok(), "{} reads {entity}", table.name);
            }
        }
    }
}
