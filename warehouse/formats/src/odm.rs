//! ODM-XML 1.3 and 2.0: one file, several tables. `docs/odm.md` lists them with their columns.
//!
//! Read [`table`] first (what comes out), then [`walk`] (how a file is gone through), [`clinical`] (the data of
//! subjects), [`rows`] (what a row says), and [`ledger`] (how the last state is told in a file of transactions).
//! Each table is read in a walk of its own; no walk holds the file.

use std::collections::VecDeque;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use arrow::array::RecordBatch;

use crate::dataset::{Dataset, Format};
use crate::error::file_name;
use crate::source::{BATCH_ROWS, Source};
use crate::{Error, Result};

mod admin;
mod audit;
mod clinical;
mod header;
mod ledger;
mod metadata;
mod place;
mod query;
mod rows;
mod table;
mod time;
mod walk;

use ledger::Ledger;
use table::Table;
use walk::{Known, Purpose, Walk};

pub(crate) use time::zoned;

const FORMAT: &str = "ODM-XML";

/// Whether the first bytes of a file are those of ODM data, not of a Define-XML definition or another document.
pub(crate) fn looks_like_odm(path: &Path) -> bool {
    let mut head = Vec::new();
    let read = File::open(path).and_then(|file| file.take(HEAD).read_to_end(&mut head));
    let text = String::from_utf8_lossy(&head).replace('\0', "");
    read.is_ok()
        && text.contains("http://www.cdisc.org/ns/odm/v")
        && !text.contains("http://www.cdisc.org/ns/def/v")
}

/// Where the root element of a file has declared its namespaces.
const HEAD: u64 = 8192;

/// Goes through the whole file, and gives a dataset for each table that has rows.
pub(crate) fn check(path: &Path) -> Result<Vec<Dataset>> {
    let mut walk = Walk::start(path, Purpose::Check, Known::default())?;
    while walk.step()? {}
    let format =
        Format::Odm { is_transactional: walk.header.is_transactional, has_references: walk.has_references };
    let created_at = walk.header.created.as_deref().and_then(zoned);
    let dataset = |table: Table| Dataset {
        file: file_name(path),
        name: table.name().to_owned(),
        label: table.label().to_owned(),
        format,
        encoding: walk.xml.encoding(),
        created_at,
        columns: table.dataset_columns(),
        rows: Some(walk.counts[table as usize]),
    };
    let datasets: Vec<Dataset> =
        Table::ALL.into_iter().map(dataset).filter(|dataset| dataset.rows != Some(0)).collect();
    if datasets.is_empty() {
        return Err(walk.xml.damaged("it holds neither a study nor administrative or clinical data"));
    }
    Ok(datasets)
}

/// The rows of one table of an ODM file that was checked.
pub(crate) struct OdmSource {
    dataset: Dataset,
    walk: Walk,
    ended: bool,
    ready: VecDeque<RecordBatch>,
}

impl OdmSource {
    pub(crate) fn open(path: &Path, dataset: &Dataset) -> Result<Self> {
        let unknown = || Error::damaged(&dataset.file, FORMAT, format!("it has no table `{}`", dataset.name));
        let table = Table::named(&dataset.name).ok_or_else(unknown)?;
        let known = if is_clinical(table) { prepare(path, dataset.format)? } else { Known::default() };
        let walk = Walk::start(path, Purpose::Rows(table), known)?;
        Ok(Self { dataset: dataset.clone(), walk, ended: false, ready: VecDeque::new() })
    }
}

/// Whether rows of the table may depend on what stands further down in the file.
const fn is_clinical(table: Table) -> bool {
    matches!(
        table,
        Table::Subject
            | Table::Event
            | Table::Form
            | Table::Item
            | Table::Audit
            | Table::Query
            | Table::QueryEvent
    )
}

/// Learns what rows need from the rest of the file: audit records that are referred to, then the last state
/// of everything in a file of transactions.
fn prepare(path: &Path, format: Format) -> Result<Known> {
    let Format::Odm { is_transactional, has_references } = format else { return Ok(Known::default()) };
    let mut known = Known::default();
    if has_references {
        known = run(path, Purpose::Records, known)?;
    }
    if is_transactional {
        known.ledger = Some(Ledger::default());
        known = run(path, Purpose::Ledger, known)?;
    }
    Ok(known)
}

fn run(path: &Path, purpose: Purpose, known: Known) -> Result<Known> {
    let mut walk = Walk::start(path, purpose, known)?;
    while walk.step()? {}
    Ok(walk.known)
}

impl Source for OdmSource {
    fn dataset(&self) -> &Dataset {
        &self.dataset
    }

    fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        if self.ready.is_empty() {
            while !self.ended && self.walk.out.len() < BATCH_ROWS {
                self.ended = !self.walk.step()?;
            }
            // One element may make many rows: a metadata version, and the end of the file all queries.
            if let Some(batch) = self.walk.out.take()? {
                let starts = (0..batch.num_rows()).step_by(BATCH_ROWS);
                let slices = starts.map(|start| batch.slice(start, BATCH_ROWS.min(batch.num_rows() - start)));
                self.ready.extend(slices);
            }
        }
        Ok(self.ready.pop_front())
    }
}

#[cfg(test)]
mod tests;
