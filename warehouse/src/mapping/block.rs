//! How one dataset becomes rows of one entity.

use std::collections::BTreeMap;

use arrow::array::{AsArray, RecordBatch};
use serde::Deserialize;

use super::expression::{Context, Counts, Expression};
use super::lookup::Lookup;
use super::name::matches;
use crate::contract::{self, Entity};
use crate::{Error, Result};
use formats::Dataset;

/// How one dataset becomes rows of one entity. A dataset may have several.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatasetMapping {
    /// The names it may have, without regard to case; a trailing `*` stands for any ending.
    pub names: Vec<String>,
    /// The canon entity.
    pub entity: String,
    /// Whether it reads only datasets that no other block names.
    #[serde(default)]
    pub fallback: bool,
    /// Columns without which this block is passed over, for what only some extracts hold.
    #[serde(default)]
    pub requires: Vec<String>,
    /// Columns with which this block is passed over, because another one reads them.
    #[serde(default)]
    pub unless: Vec<String>,
    /// Datasets with which this block is passed over, because they tell the same in a better form.
    #[serde(default)]
    pub unless_delivered: Vec<String>,
    /// Which rows this block reads, where a dataset holds several kinds.
    pub only: Option<Condition>,
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

/// Rows of which an expression gives one of some values, or none of them.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// What is looked at: a column, or any other expression.
    #[serde(alias = "column")]
    pub of: Expression,
    /// The values that a row may have.
    #[serde(default)]
    pub values: Vec<String>,
    /// The values that a row may not have; no value is not one of them.
    #[serde(default)]
    pub except: Vec<String>,
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

impl Condition {
    /// Which rows of a batch it holds for. `counts` lives as long as the dataset.
    pub(crate) fn holds(&self, batch: &RecordBatch, context: &Context<'_>, counts: &mut Counts) -> Vec<bool> {
        let texts = self.of.texts(batch, context, counts);
        let holds = |text: Option<&str>| {
            let is_in = |values: &[String]| text.is_some_and(|text| values.iter().any(|value| value == text));
            if self.except.is_empty() { is_in(&self.values) } else { !is_in(&self.except) }
        };
        texts.as_string::<i32>().iter().map(holds).collect()
    }

    fn check(&self, lookups: &[Lookup]) -> Result<(), String> {
        if self.values.is_empty() == self.except.is_empty() {
            return Err("`only` needs either `values` or `except`".into());
        }
        self.of.check(lookups)
    }
}

impl DatasetMapping {
    /// Whether it reads datasets of that name.
    #[must_use]
    pub fn knows(&self, dataset: &str) -> bool {
        self.names.iter().any(|name| matches(name, dataset))
    }

    /// All its expressions.
    pub fn expressions(&self) -> impl Iterator<Item = &Expression> {
        let days = self.study_days.iter().map(|days| &days.reference);
        let condition = self.only.iter().map(|only| &only.of);
        self.columns.values().chain(&self.record_id).chain(days).chain(condition)
    }

    /// Whether no two rows of a dataset can have one id, because equal rows are numbered.
    #[must_use]
    pub fn numbers_its_rows(&self) -> bool {
        self.record_id.as_ref().is_some_and(Expression::is_unique)
    }

    /// The source columns that it reads.
    #[must_use]
    pub fn sources(&self) -> Vec<String> {
        let days = self.study_days.iter().flat_map(|days| [days.day.clone(), days.date.clone()]);
        self.expressions().flat_map(Expression::sources).chain(days).chain(self.study.clone()).collect()
    }

    /// The block as it reads one dataset: in column names a leading `--` stands for the first two letters of
    /// the dataset's name, as in the SDTM model.
    pub(super) fn of_domain(&self, dataset: &str) -> Self {
        let mut block = self.clone();
        let Some(domain) = dataset.get(..2) else { return block };
        let mut change = |column: &mut String| {
            if let Some(rest) = column.strip_prefix("--") {
                *column = format!("{domain}{rest}");
            }
        };
        block.requires.iter_mut().chain(&mut block.unless).chain(&mut block.study).for_each(&mut change);
        for days in &mut block.study_days {
            change(&mut days.day);
            change(&mut days.date);
            days.reference.for_each_column(&mut change);
        }
        let condition = block.only.as_mut().map(|only| &mut only.of);
        for expression in block.columns.values_mut().chain(&mut block.record_id).chain(condition) {
            expression.for_each_column(&mut change);
        }
        block
    }

    /// Whether the dataset has the columns that decide for this block.
    pub(super) fn applies(&self, dataset: &Dataset) -> bool {
        let has = |column: &str| dataset.position(column).is_some();
        self.requires.iter().all(|column| has(column))
            && self.only.as_ref().is_none_or(|only| only.values.is_empty() || only.of.unfed(&has).is_none())
            && !self.unless.iter().any(|column| has(column))
    }

    /// The delivered dataset for which this block stands back.
    pub(super) fn stands_back_for<'a>(&self, delivered: &[&'a str]) -> Option<&'a str> {
        let better = |name: &&&str| self.unless_delivered.iter().any(|pattern| matches(pattern, name));
        delivered.iter().find(better).copied()
    }

    pub(super) fn check(&self, entity: &Entity, lookups: &[Lookup]) -> Result<(), String> {
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
        let condition = self.only.as_ref().map_or(Ok(()), |only| only.check(lookups));
        condition.map_err(|reason| format!("`{}`: {reason}", self.names.join("`, `")))
    }

    /// Refuses a dataset that lacks a column which a not-null canon column needs, or has it in a form that
    /// is not one value.
    pub(super) fn check_columns(&self, dataset: &Dataset) -> Result<()> {
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
