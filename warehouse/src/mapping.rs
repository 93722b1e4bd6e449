//! Which source column feeds which canon column: a small TOML file, reviewed like code, written without
//! touching any. `docs/mappings.md` explains the form; the shipped ones stand beside this file.

use std::path::Path;

use serde::Deserialize;

use crate::contract;
use crate::{Error, Result};
use formats::Dataset;

pub mod block;
pub mod check;
mod detect;
pub mod expression;
pub mod lookup;
mod name;
mod skeleton;

pub use block::{Condition, DatasetMapping, StudyDays};
pub use expression::{Convert, Expression};
pub use lookup::Lookup;
pub use skeleton::skeleton;

use name::{listed, matches, near};

const SHIPPED: [(&str, &str); 4] = [
    ("sdtm", include_str!("mapping/sdtm.toml")),
    ("edc", include_str!("mapping/edc.toml")),
    ("odm", include_str!("mapping/odm.toml")),
    ("omop", include_str!("mapping/omop.toml")),
];

/// A whole mapping file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// Its name.
    pub name: String,
    /// What it reads, for people.
    pub description: String,
    /// The `source_system` of the rows it makes.
    pub source_system: String,
    /// Datasets of which nothing becomes rows: their bytes are kept as they came.
    #[serde(default)]
    pub leave_out: Vec<String>,
    /// Tables to look values up in.
    #[serde(default, rename = "lookup")]
    pub lookups: Vec<Lookup>,
    /// How each dataset is read, in the order in which they are conformed.
    #[serde(rename = "dataset")]
    pub datasets: Vec<DatasetMapping>,
    /// BLAKE3 of its text: an edited mapping reads a delivery anew.
    #[serde(skip)]
    pub text_hash: String,
}

/// The blocks for one dataset, each with its place in the mapping, as they read it.
pub type Blocks = Vec<(usize, DatasetMapping)>;

impl Mapping {
    /// Name and text of every mapping that is shipped.
    pub fn shipped() -> impl Iterator<Item = (&'static str, &'static str)> {
        SHIPPED.into_iter()
    }

    /// The mapping that is shipped under `name`, and no file.
    ///
    /// # Errors
    /// [`Error::Mapping`] when none is.
    pub fn of_shipped(name: &str) -> Result<Self> {
        if let Some((_, text)) = SHIPPED.iter().find(|(shipped, _)| *shipped == name) {
            return Self::parse(name, text);
        }
        let shipped: Vec<&str> = SHIPPED.iter().map(|(name, _)| *name).collect();
        let reason = format!("it is not shipped; shipped are {}", shipped.join(", "));
        Err(Error::Mapping { mapping: name.chars().take(60).collect(), reason })
    }

    /// The sender's columns that feed a column of an entity from a dataset, or the entity as a whole; none when the
    /// dataset does not feed the entity.
    #[must_use]
    pub fn sources_of(&self, dataset: &str, entity: &str, column: Option<&str>) -> Option<Vec<String>> {
        let mut found: Option<Vec<String>> = None;
        for block in self.datasets.iter().filter(|block| block.entity == entity && block.knows(dataset)) {
            let block = block.of_domain(dataset);
            let sources = match column {
                Some(column) => block.columns.get(column).map(Expression::sources).unwrap_or_default(),
                None => block.sources(),
            };
            let known = found.get_or_insert_default();
            let new: Vec<String> = sources.into_iter().filter(|source| !known.contains(source)).collect();
            known.extend(new);
        }
        found
    }

    /// The mapping that is shipped under `name`, or the one in the file of that path.
    ///
    /// # Errors
    /// [`Error::Mapping`] when it is neither or does not fit the contract.
    pub fn load(name: &str) -> Result<Self> {
        Self::parse(name, &Self::text(name)?)
    }

    /// The text of the mapping that is shipped under `name`, or of the file of that path.
    ///
    /// # Errors
    /// [`Error::Mapping`] when it is neither.
    pub fn text(name: &str) -> Result<String> {
        if let Some((_, text)) = SHIPPED.iter().find(|(shipped, _)| *shipped == name) {
            return Ok((*text).to_owned());
        }
        std::fs::read_to_string(Path::new(name)).map_err(|error| Error::Mapping {
            mapping: name.to_owned(),
            reason: format!(
                "it is not shipped (shipped are {}) and not a readable file: {error}",
                Self::shipped().map(|(name, _)| name).collect::<Vec<_>>().join(", ")
            ),
        })
    }

    /// Reads and checks a mapping's text.
    ///
    /// # Errors
    /// [`Error::Mapping`] that names the entity, the column and what is wrong.
    pub fn parse(name: &str, text: &str) -> Result<Self> {
        let wrong = |reason: String| Error::Mapping { mapping: name.to_owned(), reason };
        let mut mapping: Self = toml::from_str(text).map_err(|error| wrong(error.to_string()))?;
        mapping.text_hash = blake3::hash(text.as_bytes()).to_hex().to_string();
        for lookup in &mapping.lookups {
            lookup.check().map_err(wrong)?;
        }
        for dataset in &mapping.datasets {
            let entity = contract::entity(&dataset.entity)
                .map_err(|_| wrong(format!("there is no entity `{}` in the model", dataset.entity)))?;
            dataset.check(entity, &mapping.lookups).map_err(wrong)?;
        }
        Ok(mapping)
    }

    /// The blocks for a dataset whose required columns it has, in mapping order. `delivered` are the names of
    /// all datasets of the delivery, for blocks that stand back.
    ///
    /// # Errors
    /// [`Error::UnknownDataset`], or [`Error::MissingColumn`] when a needed column is absent.
    pub fn blocks(&self, dataset: &Dataset, delivered: &[&str]) -> Result<Blocks> {
        let known = self.known(dataset);
        if known.is_empty() && !self.looks_up(&dataset.name) && !self.leaves_out(&dataset.name) {
            return Err(self.unknown(dataset));
        }
        let (back, known): (Blocks, Blocks) =
            known.into_iter().partition(|(_, block)| block.stands_back_for(delivered).is_some());
        let (blocks, others): (Blocks, Blocks) =
            known.into_iter().partition(|(_, block)| block.applies(dataset));
        let checked = if blocks.is_empty() && back.is_empty() { &others } else { &blocks };
        for (_, block) in checked {
            block.check_columns(dataset)?;
        }
        Ok(blocks)
    }

    /// The blocks that name the dataset; without one, those that read what nobody names.
    fn known(&self, dataset: &Dataset) -> Blocks {
        let all = || self.datasets.iter().enumerate().filter(|(_, block)| block.knows(&dataset.name));
        let read = |(place, block): (usize, &DatasetMapping)| (place, block.of_domain(&dataset.name));
        let named: Blocks = all().filter(|(_, block)| !block.fallback).map(read).collect();
        if !named.is_empty() || self.leaves_out(&dataset.name) {
            return named;
        }
        all()
            .filter(|(_, block)| block.fallback)
            .map(read)
            .filter(|(_, block)| block.applies(dataset))
            .collect()
    }

    /// Whether values are looked up in the dataset.
    pub(crate) fn looks_up(&self, dataset: &str) -> bool {
        self.lookups.iter().any(|lookup| lookup.knows(dataset))
    }

    /// Whether the dataset is kept as it came and not read.
    pub(crate) fn leaves_out(&self, dataset: &str) -> bool {
        self.leave_out.iter().any(|name| matches(name, dataset))
    }

    fn unknown(&self, dataset: &Dataset) -> Error {
        let near = self.names_near(&dataset.name);
        Error::UnknownDataset {
            file: dataset.file.clone(),
            dataset: dataset.name.clone(),
            mapping: self.name.clone(),
            near: if near.is_empty() {
                String::new()
            } else {
                format!("; near are {}", listed(near.iter().map(String::as_str)))
            },
        }
    }

    /// Dataset names of the mapping that differ from `name` in a few letters.
    pub(crate) fn names_near(&self, name: &str) -> Vec<String> {
        near(name, self.datasets.iter().flat_map(|block| &block.names).map(String::as_str))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_mapping_fits_the_contract() {
        for (name, text) in SHIPPED {
            let mapping = Mapping::parse(name, text).expect("the shipped mapping is valid");
            assert_eq!(mapping.name, name);
        }
    }

    #[track_caller]
    fn check_wrong(text: &str, reason: &str) {
        let error = Mapping::parse("test", text).expect_err("the mapping is wrong").to_string();
        assert!(error.contains(reason), "{error}");
    }

    #[test]
    fn a_wrong_mapping_says_where() {
        let head = "name = 'test'\ndescription = ''\nsource_system = 'test'\n[[dataset]]\nnames = ['A']\n";
        check_wrong(&format!("{head}entity = 'nothing'\n[dataset.columns]\n"), "no entity `nothing`");
        check_wrong(&format!("{head}entity = 'study'\n[dataset.columns]\nstatsu = 'S'\n"), "no such column");
        check_wrong(&format!("{head}entity = 'study'\n[dataset.columns]\n"), "nothing feeds it");
        let study = format!("{head}entity = 'study'\n");
        for (line, reason) in [
            ("status = { from = 'S', lookup = 'x', give = 'y' }", "no lookup `x`"),
            ("status = { quotient = ['A'] }", "are of two"),
        ] {
            check_wrong(&format!("{study}[dataset.columns]\n{line}\n"), reason);
        }
        let only = "only = { of = 'A' }\n[dataset.columns]\nprotocol_version = 'V'\nstatus = 'S'\n";
        check_wrong(&format!("{study}{only}"), "either `values` or `except`");
    }
}
