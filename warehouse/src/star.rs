//! Canon becomes facts and dimensions. Each table is one `.sql` file over the current version of canon;
//! keys are deterministic, so that the same canon gives the same star on any machine.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use kernel::{Build, CODE_VERSION, SnapshotId, StudyScope};

use crate::engine::{Engine, Limits, literal};
use crate::ingest::{Ingested, Progress};
use crate::snapshot::{Cut, DataFile, Manifest, Table, Zone};
use crate::storage::{Staging, Writer};
use crate::table_writer::TableWriter;
use crate::{Error, Result, canon, contract, later, quality};

mod check;
mod history;
pub mod lineage;

/// One table of the star.
#[derive(Debug)]
pub struct StarTable {
    /// Its name.
    pub name: &'static str,
    /// The canon entities it reads.
    pub entities: &'static [&'static str],
    /// The star tables it reads, which are built before it.
    pub tables: &'static [&'static str],
    /// The entity of which it has one row for each record; it may have more that nobody delivered.
    pub rows_of: Option<&'static str>,
    sql: &'static str,
}

macro_rules! star_table {
    ($name:literal, entities: [$($entity:literal),*], tables: [$($table:literal),*] $(, rows_of: $rows_of:literal)?) => {
        StarTable {
            name: $name,
            entities: &[$($entity),*],
            tables: &[$($table),*],
            rows_of: [$($rows_of)?].first().copied(),
            sql: include_str!(concat!("star/", $name, ".sql")),
        }
    };
}

/// Memory of the engine's buffers: a table that does not fit is spilled beside the staged files.
const LIMITS: Limits = Limits { memory_mib: 640, threads: 2 };

/// Words that the definitions share.
const DEFINITIONS: &str = include_str!("star/definitions.sql");

/// What facts join instead of the dimensions of study, site and subject.
const PARTICIPATION: &str = include_str!("star/participation.sql");

/// The tables from which it can be seen who gets which treatment, or could be: an audit trail holds values of any item.
const TREATMENTS: [&str; 2] = ["subject_treatment", "fact_correction"];

/// The dimensions that [`PARTICIPATION`] is made of.
const PARTICIPANTS: [&str; 3] = ["dim_study", "dim_site", "dim_subject"];

/// Every table, each after those it reads.
pub const TABLES: &[StarTable] = &[
    star_table!("dim_study", entities: ["study", "study_parameter", "visit"], tables: []),
    star_table!("dim_site",
        entities: ["site", "subject", "deviation", "form_instance", "query", "monitoring_visit"],
        tables: []),
    star_table!("dim_subject",
        entities: ["subject", "visit", "exposure", "eligibility_result", "adverse_event", "lab_result", "observation", "deviation",
            "disposition", "form_instance", "item_value", "query"],
        tables: ["dim_study", "dim_site"]),
    star_table!("dim_visit",
        entities: ["planned_visit", "visit", "observation", "lab_result", "form_instance"],
        tables: ["dim_study"]),
    star_table!("dim_test", entities: ["lab_result", "observation"], tables: []),
    star_table!("dim_form", entities: ["form_instance", "item_value", "query"], tables: []),
    star_table!("dim_term", entities: ["ref_term", "adverse_event", "medical_history"], tables: []),
    star_table!("fact_form",
        entities: ["form_instance", "item_value"],
        tables: ["dim_study", "dim_site", "dim_subject", "dim_form", "dim_visit"],
        rows_of: "form_instance"),
    star_table!("fact_visit",
        entities: ["visit", "subject", "planned_visit"],
        tables: ["dim_study", "dim_site", "dim_subject", "dim_visit", "fact_form"],
        rows_of: "visit"),
    star_table!("fact_ae",
        entities: ["adverse_event"],
        tables: ["dim_study", "dim_site", "dim_subject"],
        rows_of: "adverse_event"),
    star_table!("fact_lab",
        entities: ["lab_result"],
        tables: ["dim_study", "dim_site", "dim_subject", "dim_visit", "dim_test"],
        rows_of: "lab_result"),
    star_table!("fact_observation",
        entities: ["observation"],
        tables: ["dim_study", "dim_site", "dim_subject", "dim_visit", "dim_test"],
        rows_of: "observation"),
    star_table!("fact_query",
        entities: ["query", "item_value"],
        tables: ["dim_study", "dim_site", "dim_subject", "dim_form", "fact_form"],
        rows_of: "query"),
    star_table!("fact_deviation",
        entities: ["deviation"],
        tables: ["dim_study", "dim_site", "dim_subject"],
        rows_of: "deviation"),
    star_table!("fact_disposition",
        entities: ["disposition"],
        tables: ["dim_study", "dim_site", "dim_subject"],
        rows_of: "disposition"),
    star_table!("fact_correction",
        entities: ["audit_event"],
        tables: ["dim_study", "dim_site", "dim_subject"]),
    star_table!("fact_subject_day",
        entities: ["disposition"],
        tables: ["dim_study", "dim_site", "dim_subject"]),
    star_table!("subject_treatment",
        entities: ["subject", "planned_arm", "randomisation", "exposure"],
        tables: ["dim_subject"]),
    star_table!("dim_time",
        entities: [],
        tables: ["fact_visit", "fact_ae", "fact_lab", "fact_observation", "fact_form", "fact_query", "fact_deviation",
            "fact_disposition", "fact_subject_day"]),
];

impl StarTable {
    /// What one row is: the first line of the definition.
    #[must_use]
    pub fn grain(&self) -> &'static str {
        self.sql.lines().next().and_then(|line| line.strip_prefix("-- grain:")).unwrap_or_default().trim()
    }

    /// A hash over the definition and everything it reads, in whatever order its files came.
    fn inputs(&self, manifest: &Manifest) -> Result<String> {
        let mut hasher = blake3::Hasher::new();
        for text in [self.sql, DEFINITIONS, PARTICIPATION, CODE_VERSION] {
            hasher.update(text.as_bytes());
        }
        if let Some(instant) = manifest.sources_as_of {
            hasher.update(instant.to_rfc3339().as_bytes());
        }
        for entity in self.entities {
            hasher.update(entity.as_bytes());
            hasher.update(history::definition(entity)?.as_bytes());
            let files: BTreeSet<&str> =
                manifest.canon.get(*entity).into_iter().flatten().map(|file| file.blake3.as_str()).collect();
            for file in files {
                hasher.update(file.as_bytes());
            }
        }
        // By content: a table that was built again and came out the same changes nothing after it.
        for table in self.tables {
            for file in manifest.tables.get(*table).into_iter().flat_map(|table| &table.files) {
                hasher.update(file.blake3.as_bytes());
            }
        }
        Ok(hasher.finalize().to_hex().to_string())
    }
}

/// What a new snapshot is made from.
#[derive(Debug)]
pub struct Base<'a> {
    /// The snapshot it replaces, with its manifest.
    pub former: Option<(SnapshotId, &'a Manifest)>,
    /// The delivery that was conformed.
    pub ingested: &'a Ingested,
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
    let mut cuts = base.former.map_or_else(Vec::new, |(_, manifest)| manifest.cuts.clone());
    cuts.push(base.ingested.cut.clone());
    let mut manifest = Manifest {
        format: Manifest::FORMAT,
        tenant: scope.tenant(),
        study: scope.study().clone(),
        as_of: base.as_of,
        sources_as_of: None,
        code_version: CODE_VERSION.to_owned(),
        replaces: base.former.map(|(id, _)| id),
        cuts,
        canon: base.ingested.canon.clone(),
        tables: BTreeMap::new(),
        masked: BTreeSet::new(),
    };
    let former = base.former.map(|(_, manifest)| manifest);
    let formers: Vec<&Manifest> = former.into_iter().collect();
    let mut builder =
        Builder { staging: &staging, engine: None, opened: BTreeSet::new(), scope, formers: &formers };
    builder.build_all(&mut manifest, progress)?;
    let engine = match builder.engine.take() {
        Some(engine) => engine,
        None => builder.open(&manifest)?,
    };
    engine.view("dim_study", &paths(&staging, &manifest.table("dim_study")?.files)?)?;
    if is_blinded(&engine)? {
        manifest.masked.extend(TREATMENTS.map(str::to_owned));
    }
    let receipt = &base.ingested.receipt;
    let work = quality::build::Work { staging: &staging, engine: &engine, former, receipt };
    quality::build::build(&work, &mut manifest, progress)?;
    let (id, key) = manifest.store(&staging)?;
    Ok((id, key, manifest))
}

/// Builds the star as the sources stood at `instant`, by all that has been received since. The instant is that of the
/// latest cut until then: between two cuts nothing is known to have changed. Tables that any of `formers` holds
/// unchanged are shared. Its data is not checked: what a delivery set aside belongs to no earlier instant.
///
/// # Errors
/// [`Error::NoCutUntil`] when no source was read by then, else as [`build`].
pub fn build_as_of(
    writer: &Writer,
    current: &Manifest,
    instant: DateTime<Utc>,
    formers: &[&Manifest],
    progress: &mut dyn FnMut(Progress),
) -> Result<(SnapshotId, String, Manifest)> {
    let (staging, scope) = (Staging::new(writer, "star")?, writer.scope());
    let latest = latest_cut(current, instant)?;
    let cuts: Vec<Cut> = current.cuts.iter().filter(|cut| cut.extracted_at <= latest).cloned().collect();
    let mut manifest = Manifest {
        sources_as_of: Some(latest),
        code_version: CODE_VERSION.to_owned(),
        // It takes nobody's place, and equal knowledge gives an equal snapshot.
        replaces: None,
        cuts,
        tables: BTreeMap::new(),
        ..current.clone()
    };
    let mut builder = Builder { staging: &staging, engine: None, opened: BTreeSet::new(), scope, formers };
    builder.build_all(&mut manifest, progress)?;
    let (id, key) = manifest.store(&staging)?;
    Ok((id, key, manifest))
}

/// The instant of the latest cut until `instant`, which is what the sources are known to have said then.
///
/// # Errors
/// [`Error::NoCutUntil`] when no source was read by then.
pub fn latest_cut(current: &Manifest, instant: DateTime<Utc>) -> Result<DateTime<Utc>> {
    let cuts = || current.cuts.iter().map(|cut| cut.extracted_at);
    cuts().filter(|at| *at <= instant).max().ok_or_else(|| Error::NoCutUntil {
        instant: instant.to_rfc3339(),
        first: cuts().min().map(|first| first.to_rfc3339()),
    })
}

struct Builder<'a> {
    staging: &'a Staging,
    engine: Option<Engine>,
    opened: BTreeSet<String>,
    scope: &'a StudyScope<Build>,
    formers: &'a [&'a Manifest],
}

impl Builder<'_> {
    fn build_all(&mut self, manifest: &mut Manifest, progress: &mut dyn FnMut(Progress)) -> Result<()> {
        let total = TABLES.len() as u64;
        let mut built = BTreeSet::new();
        for (done, table) in (0..).zip(TABLES) {
            progress(Progress { step: format!("building {}", table.name), done, total });
            let inputs = table.inputs(manifest)?;
            let mut known = self.formers.iter().filter_map(|former| former.tables.get(table.name));
            let shared = known.find(|known| known.inputs == inputs);
            let made = match shared {
                Some(known) => known.clone(),
                None => {
                    built.insert(table.name);
                    self.build_one(table, inputs, manifest)?
                }
            };
            manifest.tables.insert(table.name.to_owned(), made);
        }
        let Some(engine) = self.engine.take() else { return Ok(()) };
        progress(Progress { step: "checking the keys".into(), done: total, total });
        for table in TABLES {
            self.open_table(&engine, table.name, manifest)?;
        }
        check::relationships(&engine, TABLES, &built)
    }

    fn build_one(&mut self, table: &StarTable, inputs: String, manifest: &Manifest) -> Result<Table> {
        let engine = match self.engine.take() {
            Some(engine) => engine,
            None => self.open(manifest)?,
        };
        for name in table.tables {
            self.open_table(&engine, name, manifest)?;
        }
        if PARTICIPANTS.iter().all(|name| table.tables.contains(name)) {
            let made = format!("CREATE TEMP TABLE IF NOT EXISTS participation AS {PARTICIPATION}");
            engine.run("join the versions of subjects, sites and the study", &made)?;
        }
        let name = format!("{}.parquet", table.name);
        let file = self.staging.path(&name);
        let rows = engine.copy(&format!("build `{}`", table.name), table.sql, &file)?;
        engine.view(table.name, std::slice::from_ref(&file))?;
        check::members(&engine, table)?;
        check::rows(&engine, table)?;
        self.engine = Some(engine);
        let file = self.staging.publish(&name, Zone::Star, table.name, rows)?;
        let made_of = BTreeMap::new();
        Ok(Table { zone: Zone::Star, grain: table.grain().to_owned(), files: vec![file], inputs, made_of })
    }

    fn open_table(&mut self, engine: &Engine, name: &str, manifest: &Manifest) -> Result<()> {
        if self.opened.insert(name.to_owned()) {
            let files = manifest.table(name).map(|table| paths(self.staging, &table.files))??;
            later::open(engine, name, name, &files)?;
        }
        Ok(())
    }

    /// An engine that sees the current version of every entity, and the study's id as a macro.
    fn open(&self, manifest: &Manifest) -> Result<Engine> {
        let files = self.staging.files();
        let folders = [Zone::Canon, Zone::Star, Zone::Quarantine].map(|zone| files.folder(zone));
        let engine = Engine::open(&folders, self.staging.folder(), &LIMITS)?;
        let study = literal(self.scope.study().as_str());
        engine.run("name the study", &format!("CREATE MACRO this_study() AS {study}"))?;
        for (name, entity) in contract::entities()? {
            let known = manifest.canon.get(name).map(Vec::as_slice).unwrap_or_default();
            let mut files = paths(self.staging, known)?;
            if files.is_empty() {
                let path = self.staging.path(&format!("empty-{name}.parquet"));
                TableWriter::create(&path, &entity.schema())?.close()?;
                files.push(path);
            }
            let until = canon::Until { received: manifest.as_of, extracted: manifest.sources_as_of };
            canon::open_entity(&engine, name, &files, until)?;
        }
        engine.run("define the words of the star", DEFINITIONS)?;
        history::open(&engine)?;
        Ok(engine)
    }
}

/// Whether it is hidden who gets what: it is, unless the study says that it is open.
fn is_blinded(engine: &Engine) -> Result<bool> {
    let open = "SELECT count(*) FROM dim_study WHERE is_current AND NOT is_blinded";
    Ok(engine.count("look whether the study is blinded", open)? == 0)
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
