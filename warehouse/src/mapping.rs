//! Which source column feeds which canon column: a small TOML file, reviewed like code, written without
//! touching any. `docs/mappings.md` explains the form; the shipped ones stand beside this file.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use crate::contract::{self, Entity};
use crate::{Error, Result};
use formats::Dataset;

pub mod expression;

pub use expression::{Convert, Expression};

const SHIPPED: [(&str, &str); 3] = [
    ("sdtm", include_str!("mapping/sdtm.toml")),
    ("edc", include_str!("mapping/edc.toml")),
    ("odm", include_str!("mapping/odm.toml")),
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

/// A dataset of the delivery in which values are looked up by key.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lookup {
    /// What expressions call it.
    pub name: String,
    /// The datasets it may be.
    pub datasets: Vec<String>,
    /// Its key column.
    pub key: String,
    /// The columns that can be asked for.
    pub give: Vec<String>,
}

/// How one dataset becomes rows of one entity. A dataset may have several.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatasetMapping {
    /// The names it may have, without regard to case; a trailing `*` stands for any ending.
    pub names: Vec<String>,
    /// The canon entity.
    pub entity: String,
    /// Columns without which this block is passed over, for what only some extracts hold.
    #[serde(default)]
    pub requires: Vec<String>,
    /// Columns with which this block is passed over, because another one reads them.
    #[serde(default)]
    pub unless: Vec<String>,
    /// Which rows this block reads, where a dataset holds several kinds.
    pub only: Option<Only>,
    /// The column that names the study, checked on every row.
    pub study: Option<String>,
    /// The source's own record id; without it the natural key stands for it.
    pub record_id: Option<Expression>,
    /// Whether rows with the same key are one: the first stands.
    #[serde(default)]
    pub distinct: bool,
    /// Submitted study days to be compared with rule R-02.
    #[serde(default)]
    pub study_days: Vec<StudyDays>,
    /// Canon column to expression.
    pub columns: BTreeMap<String, Expression>,
}

/// Rows whose column has one of some values.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Only {
    /// The column.
    pub column: String,
    /// Its values.
    pub values: Vec<String>,
}

/// A submitted study day and the date it must follow from.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StudyDays {
    /// The column with the submitted day.
    pub day: String,
    /// The column with the date.
    pub date: String,
    /// The subject's reference date.
    pub reference: Expression,
}

impl Mapping {
    /// The mapping that is shipped under `name`, or the one in the file of that path.
    ///
    /// # Errors
    /// [`Error::Mapping`] when it is neither or does not fit the contract.
    pub fn load(name: &str) -> Result<Self> {
        if let Some((_, text)) = SHIPPED.iter().find(|(shipped, _)| *shipped == name) {
            return Self::parse(name, text);
        }
        let shipped: Vec<&str> = SHIPPED.iter().map(|(name, _)| *name).collect();
        let text = std::fs::read_to_string(Path::new(name)).map_err(|error| Error::Mapping {
            mapping: name.to_owned(),
            reason: format!(
                "it is not shipped (shipped are {}) and not a readable file: {error}",
                shipped.join(", ")
            ),
        })?;
        Self::parse(name, &text)
    }

    /// The mapping that is shipped under `name`, and no file.
    ///
    /// # Errors
    /// [`Error::Mapping`] when none is.
    pub fn shipped(name: &str) -> Result<Self> {
        match SHIPPED.iter().find(|(shipped, _)| *shipped == name) {
            Some((_, text)) => Self::parse(name, text),
            None => {
                let shipped: Vec<&str> = SHIPPED.iter().map(|(name, _)| *name).collect();
                let reason = format!("it is not shipped; shipped are {}", shipped.join(", "));
                Err(Error::Mapping { mapping: name.chars().take(60).collect(), reason })
            }
        }
    }

    /// The shipped mapping that knows most of `datasets`.
    ///
    /// # Errors
    /// [`Error::NoMapping`] when none knows any.
    pub fn detect(datasets: &[&Dataset]) -> Result<Self> {
        let mut best: Option<(usize, Self)> = None;
        for (name, text) in SHIPPED {
            let mapping = Self::parse(name, text)?;
            let known = datasets.iter().filter(|dataset| mapping.fits(dataset)).count();
            if known > best.as_ref().map_or(0, |(most, _)| *most) {
                best = Some((known, mapping));
            }
        }
        best.map(|(_, mapping)| mapping).ok_or_else(|| Error::NoMapping {
            datasets: datasets
                .iter()
                .map(|dataset| format!("`{}`", dataset.name))
                .collect::<Vec<_>>()
                .join(", "),
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
        for dataset in &mapping.datasets {
            let entity = contract::entity(&dataset.entity)
                .map_err(|_| wrong(format!("there is no entity `{}` in the model", dataset.entity)))?;
            dataset.check(entity, &mapping.lookups).map_err(wrong)?;
        }
        Ok(mapping)
    }

    fn fits(&self, dataset: &Dataset) -> bool {
        self.datasets.iter().any(|block| {
            block.knows(&dataset.name)
                && block.study.as_ref().is_none_or(|study| dataset.position(study).is_some())
                && block.applies(dataset)
        })
    }

    /// The blocks for a dataset whose required columns it has, in mapping order.
    ///
    /// # Errors
    /// [`Error::UnknownDataset`], or [`Error::MissingColumn`] when a needed column is absent.
    pub fn blocks(&self, dataset: &Dataset) -> Result<Vec<&DatasetMapping>> {
        let known: Vec<_> = self.datasets.iter().filter(|block| block.knows(&dataset.name)).collect();
        if known.is_empty() && !self.looks_up(&dataset.name) {
            return Err(self.unknown(dataset));
        }
        let blocks: Vec<_> = known.iter().copied().filter(|block| block.applies(dataset)).collect();
        for block in if blocks.is_empty() { &known } else { &blocks } {
            block.check_columns(dataset)?;
        }
        Ok(blocks)
    }

    fn looks_up(&self, dataset: &str) -> bool {
        self.lookups.iter().any(|lookup| lookup.datasets.iter().any(|name| matches(name, dataset)))
    }

    fn unknown(&self, dataset: &Dataset) -> Error {
        let known = self.datasets.iter().flat_map(|block| &block.names);
        let mut near: Vec<&String> = known.filter(|name| distance(name, &dataset.name) <= 2).collect();
        near.sort();
        near.dedup();
        let near = near.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        Error::UnknownDataset {
            file: dataset.file.clone(),
            dataset: dataset.name.clone(),
            mapping: self.name.clone(),
            near: if near.is_empty() { String::new() } else { format!("; near are {near}") },
        }
    }
}

impl Lookup {
    /// Whether it may be the dataset of that name.
    #[must_use]
    pub fn knows(&self, dataset: &str) -> bool {
        self.datasets.iter().any(|name| matches(name, dataset))
    }
}

impl DatasetMapping {
    fn knows(&self, dataset: &str) -> bool {
        self.names.iter().any(|name| matches(name, dataset))
    }

    fn applies(&self, dataset: &Dataset) -> bool {
        let has = |column: &String| dataset.position(column).is_some();
        self.requires.iter().chain(self.only.as_ref().map(|only| &only.column)).all(has)
            && !self.unless.iter().any(has)
    }

    fn check(&self, entity: &Entity, lookups: &[Lookup]) -> Result<(), String> {
        let place = |column: &str| format!("`{}` to `{}.{column}`", self.names.join("`, `"), entity.name);
        for (column, expression) in &self.columns {
            entity.column(column).ok_or_else(|| format!("{}: there is no such column", place(column)))?;
            expression.check(lookups).map_err(|reason| format!("{}: {reason}", place(column)))?;
        }
        for column in entity.columns.iter().filter(|column| !column.nullable && column.name != "study_id") {
            if !self.columns.contains_key(&column.name) {
                return Err(format!(
                    "{}: the column may not be null and nothing feeds it",
                    place(&column.name)
                ));
            }
        }
        Ok(())
    }

    /// Refuses a dataset that lacks a column which a not-null canon column needs, or has it in a form that
    /// is not one value.
    fn check_columns(&self, dataset: &Dataset) -> Result<()> {
        let entity = contract::entity(&self.entity)?;
        let missing = |column: &str, target: &str| Error::MissingColumn {
            file: dataset.file.clone(),
            dataset: dataset.name.clone(),
            column: column.to_owned(),
            entity: self.entity.clone(),
            target: target.to_owned(),
        };
        let has = |column: &str| dataset.position(column).is_some();
        if let Some(column) = self.requires.iter().chain(&self.study).find(|column| !has(column)) {
            return Err(missing(column, "study_id"));
        }
        for column in &entity.columns {
            let Some(expression) = self.columns.get(&column.name) else { continue };
            if !column.nullable
                && let Some(absent) = expression.unfed(&has)
            {
                return Err(missing(absent, &column.name));
            }
            expression.check_types(dataset, column)?;
        }
        Ok(())
    }
}

/// Whether a dataset's name is what a mapping calls it.
fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => {
            name.len() >= start.len()
                && name.is_char_boundary(start.len())
                && name[..start.len()].eq_ignore_ascii_case(start)
        }
        None => pattern.eq_ignore_ascii_case(name),
    }
}

/// Edits between two names, for near misses.
fn distance(left: &str, right: &str) -> usize {
    let (left, right) = (left.to_ascii_uppercase(), right.to_ascii_uppercase());
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in right.bytes().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[right.len()]
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
        check_wrong(
            &format!(
                "{head}entity = 'study'\n[dataset.columns]\nstatus = {{ from = 'S', lookup = 'x', give = 'y' }}\n"
            ),
            "no lookup `x`",
        );
    }

    #[test]
    fn a_name_matches_whatever_its_case_and_ending() {
        assert!(matches("supp*", "SUPPAE"));
        assert!(matches("ae", "AE"));
        assert!(!matches("ae", "AEX"));
    }
}
