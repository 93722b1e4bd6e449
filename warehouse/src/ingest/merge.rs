//! What of a delivery is new, against what was known at the instant of its cut. A row whose record and content
//! are known is not written again, so that a full cut with few changes writes only the changes; a record that a
//! full cut does not show any more gets a tombstone; a cut that arrives late changes nothing that is newer.

use std::collections::BTreeMap;
use std::path::PathBuf;

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use chrono::{DateTime, Utc};

use super::files::{Conformed, SetAside, Staged};
use super::{EntityCounts, Progress, QuarantineNote};
use super::{quarantine, tables};
use crate::canon::VERSION_ORDER;
use crate::conform::Stamp;
use crate::engine::{Engine, Limits, literal};
use crate::error::Overflow;
use crate::snapshot::{CutKind, DataFile, Manifest, Zone};
use crate::storage::Staging;
use crate::{Error, Result, contract};

/// Canon after the delivery, and what became of its rows.
#[derive(Debug, Default)]
pub(super) struct Merged {
    pub(super) canon: BTreeMap<String, Vec<DataFile>>,
    pub(super) counts: BTreeMap<String, EntityCounts>,
    pub(super) quarantine: Vec<QuarantineNote>,
    pub(super) set_aside: Option<DataFile>,
}

/// What is the same for every entity of a delivery.
#[derive(Debug)]
pub(super) struct Delivered<'a> {
    pub(super) staging: &'a Staging,
    pub(super) stamp: &'a Stamp,
    pub(super) kind: CutKind,
    pub(super) former: Option<&'a Manifest>,
}

/// Memory of the comparison's buffers: what does not fit is spilled beside the staged files.
const LIMITS: Limits = Limits { memory_mib: 512, threads: 2 };

pub(super) fn merge(
    delivered: &Delivered<'_>,
    conformed: &Conformed,
    progress: &mut dyn FnMut(Progress),
) -> Result<Merged> {
    let staging = delivered.staging;
    let mut merged = Merged {
        canon: delivered.former.map(|manifest| manifest.canon.clone()).unwrap_or_default(),
        quarantine: conformed.quarantine.clone(),
        ..Merged::default()
    };
    let engine = delivered.open(&conformed.misfits)?;
    let mut set_aside = conformed.misfits.clone();
    let total = conformed.staged.len() as u64;
    for (done, (entity, staged)) in (0..).zip(&conformed.staged) {
        progress(Progress { step: format!("comparing {entity}"), done, total });
        let known = merged.canon.get(entity).cloned().unwrap_or_default();
        let comparison = Comparison { engine: &engine, delivered, entity, staged };
        let (file, mut counts) = comparison.run(&known, (&mut merged.quarantine, &mut set_aside))?;
        counts.rows_in = conformed.rows_in.get(entity).copied().unwrap_or(0);
        let misfits = conformed.misfits.iter().filter(|aside| &aside.entity == entity).count() as u64;
        counts.quarantined += misfits;
        merged.counts.insert(entity.clone(), counts);
        if let Some(file) = file {
            merged.canon.entry(entity.clone()).or_default().push(file);
        }
    }
    merged.set_aside = quarantine::write(staging, &set_aside)?;
    Ok(merged)
}

impl Delivered<'_> {
    /// An engine that knows the delivery's stamp, its misfits and the full cuts after it.
    fn open(&self, misfits: &[SetAside]) -> Result<Engine> {
        let folders = [self.staging.files().folder(Zone::Canon)];
        let engine = Engine::open(&folders, self.staging.folder(), &LIMITS)?;
        engine.run("order versions", VERSION_ORDER)?;
        tables::write_stamp(self.staging, self.stamp)?;
        tables::write_misfits(self.staging, misfits)?;
        tables::write_later_cuts(self.staging, &self.later_cuts())?;
        engine.view("stamp", &[self.staging.path(tables::STAMP)])?;
        engine.view("all_misfits", &[self.staging.path(tables::MISFITS)])?;
        engine.view("later_cuts", &[self.staging.path(tables::LATER_CUTS)])?;
        Ok(engine)
    }

    /// Of each dataset, the first full cut after this one that was taken in before it.
    fn later_cuts(&self) -> BTreeMap<String, DateTime<Utc>> {
        let mut later: BTreeMap<String, DateTime<Utc>> = BTreeMap::new();
        let cuts = self.former.map(|manifest| manifest.cuts.as_slice()).unwrap_or_default();
        let full_and_later = cuts.iter().filter(|cut| {
            cut.source_system == self.stamp.source_system
                && cut.kind == CutKind::Full
                && cut.extracted_at > self.stamp.extracted_at
        });
        for cut in full_and_later {
            for dataset in cut.datasets.keys() {
                let first = later.entry(dataset.clone()).or_insert(cut.extracted_at);
                *first = cut.extracted_at.min(*first);
            }
        }
        later
    }
}

struct Comparison<'a> {
    engine: &'a Engine,
    delivered: &'a Delivered<'a>,
    entity: &'a str,
    staged: &'a [Staged],
}

impl Comparison<'_> {
    fn run(
        &self,
        known: &[DataFile],
        (notes, misfits): (&mut Vec<QuarantineNote>, &mut Vec<SetAside>),
    ) -> Result<(Option<DataFile>, EntityCounts)> {
        let files: Vec<PathBuf> = self.staged.iter().map(|staged| staged.file.clone()).collect();
        self.engine.view("staged", &files)?;
        let rows: u64 = self.staged.iter().map(|staged| staged.rows).sum();
        let repeated = self.repeated()?;
        let mut counts = EntityCounts::default();
        // Where rows of one key are one record, the further ones say nothing new.
        if self.staged.iter().all(|staged| staged.distinct) {
            counts.unchanged = repeated;
        } else if repeated > 0 {
            counts.quarantined = repeated;
            self.refuse_repeated(rows, repeated, notes)?;
            misfits.extend(quarantine::repeated(self.engine, self.entity, self.staged)?);
        }
        if known.is_empty() && repeated == 0 && self.staged.len() == 1 {
            counts.new = rows;
            return Ok((self.publish(&self.staged[0].file, rows)?, counts));
        }
        self.open_known(known)?;
        self.open_first_rows(repeated)?;
        let written = self.write(&mut counts)?;
        counts.unchanged += rows - repeated - counts.new - counts.changed;
        let name = format!("{}.parquet", self.entity);
        Ok((self.publish(&self.delivered.staging.path(&name), written)?, counts))
    }

    /// Writes the new versions; returns how many.
    fn write(&self, counts: &mut EntityCounts) -> Result<u64> {
        let step = format!("compare the rows of `{}`", self.entity);
        let run = |sql: &str| self.engine.run(&step, sql);
        run(&format!("CREATE OR REPLACE TEMP TABLE before AS {}", include_str!("merge/before.sql")))?;
        run(&format!("CREATE OR REPLACE TEMP TABLE fresh AS {}", include_str!("merge/fresh.sql")))?;
        if self.delivered.kind == CutKind::Full {
            run(&format!("INSERT INTO fresh BY NAME {}", include_str!("merge/gone.sql")))?;
        }
        let of = |op: &str| {
            let sql = format!("SELECT count(*) FROM fresh WHERE op = {}", literal(op));
            self.engine.count(&step, &sql)
        };
        (counts.new, counts.changed, counts.deleted) = (of("I")?, of("U")?, of("D")?);
        let restored = include_str!("merge/restored.sql");
        run(&format!("CREATE OR REPLACE TEMP TABLE restored AS {restored}"))?;
        let query = "SELECT * FROM (SELECT * FROM fresh UNION ALL BY NAME SELECT * FROM restored)
                     ORDER BY source_dataset, source_row, row_id, source_extract_ts";
        let file = self.delivered.staging.path(&format!("{}.parquet", self.entity));
        let written = self.engine.copy(&step, query, &file)?;
        counts.restored = written - counts.new - counts.changed - counts.deleted;
        run("DROP TABLE before; DROP TABLE fresh; DROP TABLE restored")?;
        Ok(written)
    }

    /// The entity's versions from this source, its misfits, and the datasets that the delivery holds whole.
    fn open_known(&self, known: &[DataFile]) -> Result<()> {
        let staging = self.delivered.staging;
        let mut files: Vec<PathBuf> =
            known.iter().map(|file| staging.files().path(&file.key)).collect::<Result<_>>()?;
        if files.is_empty() {
            files.push(tables::write_empty(staging, contract::entity(self.entity)?)?);
        }
        self.engine.view("all_versions", &files)?;
        let datasets: Vec<String> =
            self.staged.iter().map(|staged| format!("({})", literal(&staged.dataset))).collect();
        let sql = format!(
            "CREATE OR REPLACE VIEW versions AS SELECT * FROM all_versions WHERE source_system = {system};
             CREATE OR REPLACE VIEW misfits AS SELECT * FROM all_misfits WHERE entity = {entity};
             CREATE OR REPLACE VIEW delivered AS SELECT * FROM (VALUES {datasets}) AS known(dataset);",
            system = literal(&self.delivered.stamp.source_system),
            entity = literal(self.entity),
            datasets = datasets.join(", "),
        );
        self.engine.run(&format!("read the known rows of `{}`", self.entity), &sql)
    }

    /// The rows that count: all of them, when no key is repeated.
    fn open_first_rows(&self, repeated: u64) -> Result<()> {
        let query = if repeated == 0 { "SELECT * FROM staged" } else { include_str!("merge/first_rows.sql") };
        let sql = format!("CREATE OR REPLACE VIEW first_rows AS {query}");
        self.engine.run(&format!("name the first rows of `{}`", self.entity), &sql)
    }

    /// Rows beyond the first of their record.
    fn repeated(&self) -> Result<u64> {
        if let [staged] = self.staged
            && staged.numbered
        {
            return Ok(0);
        }
        let step = format!("look for repeated keys in `{}`", self.entity);
        // A hash is half as dear, and no two rows with one key have two of them.
        let of = |key: &str| {
            self.engine.count(&step, &format!("SELECT count(*) - count(DISTINCT {key}) FROM staged"))
        };
        if of("hash(row_id)")? == 0 { Ok(0) } else { of("row_id") }
    }

    fn refuse_repeated(&self, rows: u64, repeated: u64, quarantine: &mut Vec<QuarantineNote>) -> Result<()> {
        let step = format!("look for repeated keys in `{}`", self.entity);
        let sql = "SELECT min(source_row) AS first_row FROM (
                       SELECT source_row, row_number() OVER (
                           PARTITION BY row_id ORDER BY source_dataset, source_row, row_hash) AS nth
                       FROM staged) WHERE nth > 1";
        let first = self.engine.query(&step, sql)?;
        let first_row = first.first().map_or(0, |batch| batch.column(0).as_primitive::<Int64Type>().value(0));
        let first_row = u64::try_from(first_row).unwrap_or(0);
        let file =
            self.staged.iter().map(|staged| staged.source_file.as_str()).collect::<Vec<_>>().join(", ");
        let reason = quarantine::REPEATED.to_owned();
        if super::exceeds_limit(repeated, rows) {
            return Err(Error::TooManyQuarantined(Box::new(Overflow {
                dataset: file.clone(),
                file,
                entity: self.entity.to_owned(),
                quarantined: repeated,
                rows,
                row: first_row,
                column: "row_id".into(),
                source_column: String::new(),
                reason,
                value: String::new(),
            })));
        }
        quarantine.push(QuarantineNote {
            file,
            entity: self.entity.to_owned(),
            column: "row_id".into(),
            source_column: String::new(),
            reason,
            first_row,
            rows: repeated,
        });
        Ok(())
    }

    fn publish(&self, path: &std::path::Path, rows: u64) -> Result<Option<DataFile>> {
        if rows == 0 {
            return Ok(None);
        }
        let name = crate::error::file_name(path);
        self.delivered.staging.publish(&name, Zone::Canon, self.entity, rows).map(Some)
    }
}
