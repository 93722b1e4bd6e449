//! What of a delivery is new. A row whose record and content are known is not written again, so that a
//! full cut with few changes writes only the changes.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{AsArray, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Int64Type, Schema};

use super::files::{Conformed, Staged};
use super::{EntityCounts, Progress, QuarantineNote, corrupt};
use crate::conform::Misfit;
use crate::engine::{Engine, Limits};
use crate::error::Overflow;
use crate::snapshot::{DataFile, Manifest, Zone};
use crate::storage::Staging;
use crate::table_writer::TableWriter;
use crate::{Error, Result};

/// Canon after the delivery, and what became of its rows.
#[derive(Debug, Default)]
pub(super) struct Merged {
    pub(super) canon: BTreeMap<String, Vec<DataFile>>,
    pub(super) counts: BTreeMap<String, EntityCounts>,
    pub(super) quarantine: Vec<QuarantineNote>,
}

pub(super) fn merge(
    staging: &Staging,
    conformed: &Conformed,
    former: Option<&Manifest>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Merged> {
    let mut merged = Merged {
        canon: former.map(|manifest| manifest.canon.clone()).unwrap_or_default(),
        quarantine: conformed.quarantine.clone(),
        ..Merged::default()
    };
    let engine = Engine::open(&[staging.files().folder(Zone::Canon)], staging.folder(), &Limits::default())?;
    let total = conformed.staged.len() as u64;
    for (done, (entity, staged)) in (0..).zip(&conformed.staged) {
        progress(Progress { step: format!("comparing {entity}"), done, total });
        let known = merged.canon.get(entity).cloned().unwrap_or_default();
        let comparison = Comparison { engine: &engine, staging, entity, staged };
        let (file, mut counts) = comparison.run(&known, &mut merged.quarantine)?;
        counts.rows_in = conformed.rows_in.get(entity).copied().unwrap_or(0);
        let misfits = conformed.misfits.iter().filter(|(_, misfit_of, _)| misfit_of == entity).count() as u64;
        counts.quarantined += misfits;
        merged.counts.insert(entity.clone(), counts);
        if let Some(file) = file {
            merged.canon.entry(entity.clone()).or_default().push(file);
        }
    }
    set_aside(staging, &conformed.misfits)?;
    Ok(merged)
}

struct Comparison<'a> {
    engine: &'a Engine,
    staging: &'a Staging,
    entity: &'a str,
    staged: &'a [Staged],
}

impl Comparison<'_> {
    fn run(
        &self,
        known: &[DataFile],
        quarantine: &mut Vec<QuarantineNote>,
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
            self.refuse_repeated(rows, repeated, quarantine)?;
        }
        let step = format!("compare the rows of `{}`", self.entity);
        let name = format!("{}.parquet", self.entity);
        if known.is_empty() && repeated == 0 && self.staged.len() == 1 {
            counts.new = rows;
            return Ok((self.publish(&self.staged[0].file, rows)?, counts));
        }
        let unknown = if known.is_empty() {
            "SELECT * FROM first_rows".to_owned()
        } else {
            self.open_known(known)?;
            "SELECT first_rows.* REPLACE (CASE WHEN known.row_id IS NULL THEN 'I' ELSE 'U' END AS op)
             FROM first_rows LEFT JOIN known USING (row_id)
             WHERE known.row_hash IS DISTINCT FROM first_rows.row_hash"
                .to_owned()
        };
        let query = format!(
            "WITH first_rows AS (
                 SELECT * FROM staged QUALIFY row_number() OVER (PARTITION BY row_id ORDER BY source_row, row_hash) = 1
             )
             SELECT * FROM ({unknown}) ORDER BY source_row, row_id"
        );
        let query = if repeated == 0 { query.replace(FIRST_OF_EACH, "") } else { query };
        let written = self.engine.copy(&step, &query, &self.staging.path(&name))?;
        self.engine.view("written", &[self.staging.path(&name)])?;
        counts.changed = self.engine.count(&step, "SELECT count(*) FROM written WHERE op = 'U'")?;
        counts.new = written - counts.changed;
        counts.unchanged += rows - repeated - written;
        Ok((self.publish(&self.staging.path(&name), written)?, counts))
    }

    /// The content that each record has now.
    fn open_known(&self, known: &[DataFile]) -> Result<()> {
        let files: Vec<PathBuf> =
            known.iter().map(|file| self.staging.files().path(&file.key)).collect::<Result<_>>()?;
        self.engine.view("versions", &files)?;
        let sql = "CREATE OR REPLACE TEMP TABLE known AS
                   SELECT row_id, arg_max(row_hash, sys_from_ts) AS row_hash FROM versions GROUP BY row_id";
        self.engine.run(&format!("read the known rows of `{}`", self.entity), sql)
    }

    /// Rows beyond the first of their record.
    fn repeated(&self) -> Result<u64> {
        let step = format!("look for repeated keys in `{}`", self.entity);
        self.engine.count(&step, "SELECT count(*) - count(DISTINCT row_id) FROM staged")
    }

    fn refuse_repeated(&self, rows: u64, repeated: u64, quarantine: &mut Vec<QuarantineNote>) -> Result<()> {
        let step = format!("look for repeated keys in `{}`", self.entity);
        let sql = "SELECT min(source_row) AS first_row FROM (
                       SELECT source_row, row_number() OVER (PARTITION BY row_id ORDER BY source_row, row_hash) AS nth
                       FROM staged) WHERE nth > 1";
        let first = self.engine.query(&step, sql)?;
        let first_row = first.first().map_or(0, |batch| batch.column(0).as_primitive::<Int64Type>().value(0));
        let first_row = u64::try_from(first_row).unwrap_or(0);
        let file =
            self.staged.iter().map(|staged| staged.source_file.as_str()).collect::<Vec<_>>().join(", ");
        let reason = "its key occurs before in the same delivery".to_owned();
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
        self.staging.publish(&name, Zone::Canon, self.entity, rows).map(Some)
    }
}

const FIRST_OF_EACH: &str =
    " QUALIFY row_number() OVER (PARTITION BY row_id ORDER BY source_row, row_hash) = 1";

/// Writes the rows that did not fit, with their reasons, beside the raw files they stand in.
fn set_aside(staging: &Staging, misfits: &[(String, String, Misfit)]) -> Result<()> {
    if misfits.is_empty() {
        return Ok(());
    }
    let text = |name: &str| Field::new(name, DataType::Utf8, false);
    let schema = Arc::new(Schema::new(vec![
        text("file"),
        text("entity"),
        Field::new("source_row", DataType::Int64, false),
        text("column"),
        text("reason"),
        text("value"),
    ]));
    let texts = |pick: fn(&(String, String, Misfit)) -> &str| {
        Arc::new(StringArray::from_iter_values(misfits.iter().map(pick)))
    };
    let rows = misfits.iter().map(|(_, _, misfit)| i64::try_from(misfit.row).unwrap_or(i64::MAX));
    let batch = RecordBatch::try_new(
        schema.clone(),
        vec![
            texts(|(file, _, _)| file),
            texts(|(_, entity, _)| entity),
            Arc::new(Int64Array::from_iter_values(rows)),
            texts(|(_, _, misfit)| &misfit.column),
            texts(|(_, _, misfit)| &misfit.reason),
            texts(|(_, _, misfit)| &misfit.value),
        ],
    )
    .map_err(|error| corrupt("quarantine", &error))?;
    let mut writer = TableWriter::create(&staging.path("misfits.parquet"), &schema)?;
    writer.write(&batch)?;
    let rows = writer.close()?;
    staging.publish("misfits.parquet", Zone::Quarantine, "misfits", rows).map(drop)
}
