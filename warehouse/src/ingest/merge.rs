//! What of a delivery is new. A row whose record and content are known is not written again, so that a
//! full cut with few changes writes only the changes.

use std::collections::BTreeMap;
use std::path::PathBuf;

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;

use super::files::{Conformed, Staged};
use super::quarantine::{self, SetAside};
use super::{EntityCounts, Progress, QuarantineNote};
use crate::engine::{Engine, Limits};
use crate::error::Overflow;
use crate::snapshot::{DataFile, Manifest, Zone};
use crate::storage::Staging;
use crate::{Error, Result};

/// Canon after the delivery, and what became of its rows.
#[derive(Debug, Default)]
pub(super) struct Merged {
    pub(super) canon: BTreeMap<String, Vec<DataFile>>,
    pub(super) counts: BTreeMap<String, EntityCounts>,
    pub(super) quarantine: Vec<QuarantineNote>,
    pub(super) set_aside: Option<DataFile>,
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
    let mut misfits = conformed.misfits.clone();
    let total = conformed.staged.len() as u64;
    for (done, (entity, staged)) in (0..).zip(&conformed.staged) {
        progress(Progress { step: format!("comparing {entity}"), done, total });
        let known = merged.canon.get(entity).cloned().unwrap_or_default();
        let comparison = Comparison { engine: &engine, staging, entity, staged };
        let (file, mut counts) = comparison.run(&known, (&mut merged.quarantine, &mut misfits))?;
        counts.rows_in = conformed.rows_in.get(entity).copied().unwrap_or(0);
        let unfit = conformed.misfits.iter().filter(|(_, misfit_of, _)| misfit_of == entity).count() as u64;
        counts.quarantined += unfit;
        merged.counts.insert(entity.clone(), counts);
        if let Some(file) = file {
            merged.canon.entry(entity.clone()).or_default().push(file);
        }
    }
    merged.set_aside = quarantine::write(staging, &misfits)?;
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
        self.staging.publish(&name, Zone::Canon, self.entity, rows).map(Some)
    }
}

const FIRST_OF_EACH: &str =
    " QUALIFY row_number() OVER (PARTITION BY row_id ORDER BY source_row, row_hash) = 1";
