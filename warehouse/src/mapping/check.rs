//! What would become of files, without taking them in: which block reads each, what it feeds, what stays over.
//! Only headers are looked at, beyond the check of the whole file that each format makes; values are not judged.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::block::DatasetMapping;
use super::name::near;
use super::{Expression, Lookup, Mapping};
use crate::contract::{self, Entity};
use crate::ingest::Delivery;
use crate::{Error, Result};
use formats::Dataset;

/// What would become of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The mapping that was given or found out; `None` when none fits.
    pub mapping: Option<String>,
    /// Why no mapping fits.
    pub no_mapping: Option<String>,
    /// Every dataset of every file, by file.
    pub datasets: Vec<DatasetReport>,
    /// Files that cannot be read at all, with the reason.
    pub unreadable: Vec<(String, String)>,
    /// Lookups that blocks use and whose datasets are not there: what they give stays null.
    pub lookups_without_data: Vec<String>,
}

/// What would become of one dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatasetReport {
    /// The file.
    pub file: String,
    /// The dataset's name.
    pub dataset: String,
    /// The file's format, for people.
    pub format: String,
    /// The encoding that its texts are read with.
    pub encoding: String,
    /// Its rows, where the format says.
    pub rows: Option<u64>,
    /// How many columns it has.
    pub columns: usize,
    /// How it is read.
    pub reading: Reading,
    /// Its columns that nothing reads.
    pub unused: Vec<String>,
    /// Columns that a block looks for and that are not there, each with unused ones of nearly the same name.
    pub near: Vec<(String, Vec<String>)>,
}

/// How a dataset is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// It becomes rows, block by block.
    Blocks(Vec<BlockReport>),
    /// Other datasets look values up in it.
    LookedUp,
    /// The mapping knows it and makes nothing of it: its bytes are kept.
    LeftOut,
    /// It cannot be taken in, for this reason.
    Refused(String),
}

/// What one block feeds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockReport {
    /// The entity.
    pub entity: String,
    /// Canon columns with the source columns that feed them; none for a value that the mapping itself states.
    pub fed: Vec<(String, Vec<String>)>,
    /// Canon columns that stay null.
    pub empty: Vec<String>,
}

impl Report {
    /// How many files or datasets cannot be taken in.
    #[must_use]
    pub fn refused(&self) -> usize {
        let refused = |dataset: &&DatasetReport| matches!(dataset.reading, Reading::Refused(_));
        self.unreadable.len() + self.datasets.iter().filter(refused).count()
    }
}

/// Looks at the data files of `paths`, each a file or a folder, as an ingest with this mapping would. Without one
/// it is found out.
///
/// # Errors
/// [`Error::NothingToIngest`] or [`Error::Io`]; what is wrong with a file stands in the report.
pub fn check(paths: &[PathBuf], mapping: Option<&Mapping>) -> Result<Report> {
    let delivery = Delivery::of(paths, None)?;
    let mut datasets: Vec<Dataset> = Vec::new();
    let mut unreadable = Vec::new();
    for file in &delivery.files {
        match formats::datasets(&file.path) {
            Ok(found) => datasets.extend(found),
            Err(error) => unreadable.push((file.name.clone(), told(&error.into()))),
        }
    }
    let (mapping, no_mapping) = match mapping {
        Some(mapping) => (Some(mapping.clone()), None),
        None if datasets.is_empty() => (None, None),
        None => match Mapping::detect(&datasets.iter().collect::<Vec<_>>()) {
            Ok(mapping) => (Some(mapping), None),
            Err(error) => (None, Some(told(&error))),
        },
    };
    let names: Vec<&str> = datasets.iter().map(|dataset| dataset.name.as_str()).collect();
    let reports = datasets.iter().map(|dataset| report(mapping.as_ref(), dataset, &names));
    Ok(Report {
        mapping: mapping.as_ref().map(|mapping| mapping.name.clone()),
        no_mapping,
        datasets: reports.collect::<Result<_>>()?,
        unreadable,
        lookups_without_data: mapping
            .map(|mapping| without_data(&mapping, &datasets, &names))
            .unwrap_or_default(),
    })
}

/// An error and its causes.
fn told(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.ends_with(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}

fn report(mapping: Option<&Mapping>, dataset: &Dataset, names: &[&str]) -> Result<DatasetReport> {
    let mut report = DatasetReport {
        file: dataset.file.clone(),
        dataset: dataset.name.clone(),
        format: dataset.format.to_string(),
        encoding: dataset.encoding.to_owned(),
        rows: dataset.rows,
        columns: dataset.columns.len(),
        reading: Reading::Refused("no mapping fits it".into()),
        unused: Vec::new(),
        near: Vec::new(),
    };
    let Some(mapping) = mapping else { return Ok(report) };
    // The blocks that know it, whether or not they can read it: what they look for is what may be misspelt.
    let known = mapping.known(dataset);
    let sources = known.iter().flat_map(|(_, block)| block.sources());
    let looked_up = mapping.lookups.iter().filter(|lookup| lookup.knows(&dataset.name));
    let sources: BTreeSet<String> = sources.chain(looked_up.flat_map(Lookup::sources)).collect();
    let is_read = |column: &str| sources.iter().any(|source| source.eq_ignore_ascii_case(column));
    let columns = dataset.columns.iter().map(|column| column.name.as_str());
    report.unused = columns.filter(|column| !is_read(column)).map(str::to_owned).collect();
    for absent in sources.iter().filter(|source| dataset.position(source).is_none()) {
        let near = near(absent, report.unused.iter().map(String::as_str));
        if !near.is_empty() {
            report.near.push((absent.clone(), near));
        }
    }
    report.reading = match mapping.blocks(dataset, names) {
        Err(error) => Reading::Refused(told(&error)),
        Ok(blocks) if !blocks.is_empty() => {
            let feeds = blocks.iter().map(|(_, block)| feeds(block, dataset));
            Reading::Blocks(feeds.collect::<Result<_>>()?)
        }
        Ok(_) if mapping.looks_up(&dataset.name) => Reading::LookedUp,
        Ok(_) => Reading::LeftOut,
    };
    Ok(report)
}

fn feeds(block: &DatasetMapping, dataset: &Dataset) -> Result<BlockReport> {
    let entity: &Entity = contract::entity(&block.entity)?;
    let has = |column: &str| dataset.position(column).is_some();
    let mut report = BlockReport { entity: entity.name.clone(), fed: Vec::new(), empty: Vec::new() };
    for column in &entity.columns {
        let name = column.name.clone();
        if name == "study_id" {
            report.fed.push((name, block.study.iter().cloned().collect()));
            continue;
        }
        match block.columns.get(&name) {
            Some(expression) if expression.unfed(&has).is_none() => {
                let sources = expression.sources().into_iter().filter(|source| has(source));
                report.fed.push((name, sources.collect()));
            }
            _ => report.empty.push(name),
        }
    }
    Ok(report)
}

/// The lookups that some block asks and that have no dataset in the delivery.
fn without_data(mapping: &Mapping, datasets: &[Dataset], names: &[&str]) -> Vec<String> {
    let blocks: Vec<DatasetMapping> = datasets
        .iter()
        .filter_map(|dataset| mapping.blocks(dataset, names).ok())
        .flat_map(|blocks| blocks.into_iter().map(|(_, block)| block))
        .collect();
    let asked = |lookup: &str| {
        let mut keys: Vec<&Expression> = Vec::new();
        blocks.iter().flat_map(DatasetMapping::expressions).for_each(|one| one.keys_for(lookup, &mut keys));
        !keys.is_empty()
    };
    let missing = mapping.lookups.iter().filter(|lookup| !names.iter().any(|name| lookup.knows(name)));
    missing
        .filter(|lookup| asked(&lookup.name))
        .map(|lookup| {
            format!("`{}` in {}", lookup.name, super::listed(lookup.datasets.iter().map(String::as_str)))
        })
        .collect()
}

#[cfg(test)]
mod tests;
