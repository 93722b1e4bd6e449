//! The files of one delivery: landed as they came, then conformed batch by batch.

use std::collections::BTreeMap;
use std::fs;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::thread;

use formats::Dataset;
use kernel::BatchId;

use super::{CountedNote, Delivery, FileReceipt, Progress, QuarantineNote, exceeds_limit, pipeline};
use crate::conform::{Conformer, Misfit, Stamp, StudyDayCheck};
use crate::error::Overflow;
use crate::mapping::expression::Context;
use crate::mapping::{DatasetMapping, Mapping};
use crate::snapshot::{DataFile, Zone};
use crate::storage::Staging;
use crate::table_writer::TableWriter;
use crate::{Error, Result};

/// A dataset of a file whose bytes are in the raw zone and whose content was checked.
#[derive(Debug)]
pub(super) struct Landed {
    /// Where the engine room reads it: its place in the raw zone.
    pub(super) path: PathBuf,
    pub(super) dataset: Dataset,
    pub(super) raw: DataFile,
}

impl Landed {
    /// `duplicate_of` is the delivery that held the same bytes as the same dataset last.
    pub(super) fn receipt(&self, duplicate_of: Option<BatchId>) -> FileReceipt {
        FileReceipt {
            duplicate_of,
            file: self.dataset.file.clone(),
            dataset: self.dataset.name.clone(),
            format: self.dataset.format.to_string(),
            encoding: self.dataset.encoding.to_owned(),
            rows: self.dataset.rows.unwrap_or(0),
            bytes: self.raw.bytes,
            blake3: self.raw.blake3.clone(),
            raw_key: self.raw.key.clone(),
        }
    }
}

/// Keeps the received bytes, untouched, and opens each file. All files are looked at before any is refused
/// for its rows.
pub(super) fn land(
    staging: &Staging,
    delivery: &Delivery,
    progress: &mut dyn FnMut(Progress),
) -> Result<Vec<Landed>> {
    let total = delivery.files.len() as u64;
    let mut landed = Vec::with_capacity(delivery.files.len());
    for (done, file) in (0..).zip(&delivery.files) {
        progress(Progress { step: format!("landing {}", file.name), done, total });
        // The delivered name stays: messages and dataset names come from it.
        let name = format!("landing/{}", file.name);
        let staged = staging.path(&name);
        copy(&file.path, &staged)?;
        let (datasets, sealed) = thread::scope(|threads| {
            let sealed = threads.spawn(|| staging.seal(&name));
            (formats::datasets(&staged), sealed.join())
        });
        let datasets = datasets?;
        let sealed = sealed.unwrap_or_else(|panic| resume_unwind(panic))?;
        let rows = datasets.iter().filter_map(|dataset| dataset.rows).sum();
        let raw = staging.publish_sealed(sealed, Zone::Raw, &plain_stem(&file.name), rows)?;
        if raw.blake3 != file.blake3 {
            return Err(Error::ChangedMeanwhile { file: file.name.clone() });
        }
        let path = staging.files().path(&raw.key)?;
        landed.extend(datasets.into_iter().map(|dataset| Landed {
            path: path.clone(),
            dataset,
            raw: raw.clone(),
        }));
    }
    Ok(landed)
}

/// A delivered file's name as part of a key: what is not plain becomes a hyphen.
fn plain_stem(name: &str) -> String {
    let stem =
        Path::new(name).file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    let plain =
        |letter: char| if letter.is_ascii_alphanumeric() || "._-".contains(letter) { letter } else { '-' };
    stem.chars().map(plain).collect()
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    let folder = to.parent().unwrap_or(to);
    fs::create_dir_all(folder).map_err(|source| Error::io("make", folder, source))?;
    fs::copy(from, to).map_err(|source| Error::io("copy", from, source))?;
    Ok(())
}

/// One file and one way of reading it.
#[derive(Debug)]
pub(super) struct Step<'a> {
    landed: &'a Landed,
    block: DatasetMapping,
}

impl Step<'_> {
    pub(super) const fn landed(&self) -> &Landed {
        self.landed
    }

    pub(super) const fn block(&self) -> &DatasetMapping {
        &self.block
    }
}

/// What is to be conformed, in the mapping's order. A dataset that no block knows, or that lacks a needed
/// column, is refused here, before any row is read.
pub(super) fn plan<'a>(mapping: &Mapping, landed: &'a [Landed]) -> Result<Vec<Step<'a>>> {
    let delivered: Vec<&str> = landed.iter().map(|file| file.dataset.name.as_str()).collect();
    let mut steps: Vec<(usize, Step<'a>)> = Vec::new();
    for file in landed {
        for (place, block) in mapping.blocks(&file.dataset, &delivered)? {
            steps.push((place, Step { landed: file, block }));
        }
    }
    steps.sort_by(|(a, left), (b, right)| {
        a.cmp(b).then(left.landed.dataset.file.cmp(&right.landed.dataset.file))
    });
    Ok(steps.into_iter().map(|(_, step)| step).collect())
}

/// Rows of one entity that wait to be compared with what is known.
#[derive(Debug)]
pub(super) struct Staged {
    pub(super) file: PathBuf,
    pub(super) rows: u64,
    pub(super) distinct: bool,
    /// Whether the rows have ids that count, so that no two of the file can have one.
    pub(super) numbered: bool,
    pub(super) source_file: String,
    pub(super) dataset: String,
}

/// A row that did not fit, and where it stands.
#[derive(Debug, Clone)]
pub(super) struct SetAside {
    pub(super) file: String,
    pub(super) entity: String,
    pub(super) misfit: Misfit,
}

/// Everything that was conformed.
#[derive(Debug, Default)]
pub(super) struct Conformed {
    pub(super) staged: BTreeMap<String, Vec<Staged>>,
    pub(super) rows_in: BTreeMap<String, u64>,
    pub(super) quarantine: Vec<QuarantineNote>,
    pub(super) misfits: Vec<SetAside>,
    pub(super) study_days: BTreeMap<String, StudyDayCheck>,
    pub(super) counted: Vec<CountedNote>,
}

/// The files being conformed.
pub(super) struct Work<'a> {
    staging: &'a Staging,
    stamp: &'a Stamp,
    context: &'a Context<'a>,
    conformed: Conformed,
    number: usize,
}

impl<'a> Work<'a> {
    pub(super) fn new(staging: &'a Staging, stamp: &'a Stamp, context: &'a Context<'a>) -> Self {
        Self { staging, stamp, context, conformed: Conformed::default(), number: 0 }
    }

    /// Reads one file through one block, batch by batch: the next batches are read and the last ones written while
    /// one is conformed.
    pub(super) fn conform(&mut self, step: &Step<'_>, progress: &mut dyn FnMut(Progress)) -> Result<()> {
        let Step { landed, block } = step;
        let entity = block.entity.clone();
        let mut conformer = Conformer::new(block, self.context, self.stamp, &landed.dataset.name)?;
        self.number += 1;
        let name = format!("{entity}-{:04}.parquet", self.number);
        let path = self.staging.path(&name);
        let writer = TableWriter::create(&path, conformer.schema())?;
        let total = landed.dataset.rows.unwrap_or(0);
        let (mut read, mut rows, mut misfits) = (0, 0, Vec::new());
        let written = thread::scope(|threads| {
            let batches = pipeline::read_ahead(threads, &landed.path, &landed.dataset);
            let written = pipeline::write_behind(threads, writer);
            for batch in batches {
                let batch = batch?;
                let conformed = conformer.conform(&batch)?;
                read += batch.num_rows() as u64;
                rows += conformed.rows_in;
                misfits.extend(conformed.misfits);
                let is_written = written.write(conformed.rows);
                if !is_written || exceeds_limit(misfits.len() as u64, total.max(read)) {
                    break;
                }
                progress(Progress {
                    step: format!("{} to {entity}", landed.dataset.file),
                    done: read,
                    total,
                });
            }
            written.close()
        })?;
        self.check_misfits(step, rows, &misfits)?;
        self.conformed.counted.extend(conformer.counted().into_iter().map(|counted| CountedNote {
            count: counted.count,
            file: landed.dataset.file.clone(),
            entity: entity.clone(),
            column: counted.column,
            source_column: counted.source_column,
            rows: counted.tally.rows,
            of: counted.tally.of,
        }));
        for (column, check) in conformer.study_days {
            self.conformed.study_days.insert(format!("{}.{column}", landed.dataset.name), check);
        }
        *self.conformed.rows_in.entry(entity.clone()).or_default() += rows;
        let file = landed.dataset.file.clone();
        self.conformed.misfits.extend(misfits.into_iter().map(|misfit| SetAside {
            file: file.clone(),
            entity: entity.clone(),
            misfit,
        }));
        let staged = Staged {
            file: path,
            rows: written,
            distinct: block.distinct,
            numbered: block.numbers_its_rows(),
            source_file: file,
            dataset: landed.dataset.name.clone(),
        };
        self.conformed.staged.entry(entity).or_default().push(staged);
        Ok(())
    }

    fn check_misfits(&mut self, step: &Step<'_>, rows: u64, misfits: &[Misfit]) -> Result<()> {
        let Some(first) = misfits.first() else { return Ok(()) };
        let quarantined = misfits.len() as u64;
        if exceeds_limit(quarantined, rows) {
            return Err(Error::TooManyQuarantined(Box::new(Overflow {
                file: step.landed.dataset.file.clone(),
                dataset: step.landed.dataset.name.clone(),
                entity: step.block.entity.clone(),
                quarantined,
                rows,
                row: first.row,
                column: first.column.clone(),
                source_column: first.source_column.clone(),
                reason: first.reason.clone(),
                value: first.value.clone(),
            })));
        }
        let mut notes: BTreeMap<(&str, &str), QuarantineNote> = BTreeMap::new();
        for misfit in misfits {
            let note = notes.entry((&misfit.column, &misfit.reason)).or_insert_with(|| QuarantineNote {
                file: step.landed.dataset.file.clone(),
                entity: step.block.entity.clone(),
                column: misfit.column.clone(),
                source_column: misfit.source_column.clone(),
                reason: misfit.reason.clone(),
                first_row: misfit.row,
                rows: 0,
            });
            note.rows += 1;
        }
        self.conformed.quarantine.extend(notes.into_values());
        Ok(())
    }

    pub(super) fn finish(self) -> Conformed {
        self.conformed
    }
}
