//! The data that rules see: datasets of columns of text, each value kept once for the whole study.
//!
//! Another crate fills a [`StudyBuilder`] dataset by dataset and column by column, in as many portions as it likes;
//! an iterator of `Option<&str>`, such as that of an Arrow string array, is all it needs.

use std::collections::HashMap;

use crate::RuleError;
use crate::pool::{Pool, Sym};

/// Whether a variable holds text or numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    Char,
    /// Numbers; a cell is given as the text of one.
    Num,
}

impl Kind {
    /// The word of the standard.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Char => "Char",
            Self::Num => "Num",
        }
    }
}

/// What is known of a variable besides its values.
#[derive(Debug, Clone)]
pub struct VariableHeader {
    /// The name, as `AESTDTC`.
    pub name: String,
    /// The label; empty if it has none.
    pub label: String,
    /// Text or numbers.
    pub kind: Kind,
    /// The length in bytes, where the source tells it.
    pub length: Option<u32>,
}

/// What is known of a dataset besides its records.
#[derive(Debug, Clone)]
pub struct DatasetHeader {
    /// The dataset's name in upper case, as `LB`, `LBCH` or `SUPPAE`.
    pub name: String,
    /// The file it came from, as `lb.xpt`.
    pub file_name: String,
    /// The label; empty if it has none.
    pub label: String,
    /// The size of the file, where it is known.
    pub size_bytes: Option<u64>,
    /// The variables in their order.
    pub variables: Vec<VariableHeader>,
}

/// The datasets of one study, ready for rules.
#[derive(Debug)]
pub struct Study {
    pub(crate) pool: Pool,
    pub(crate) datasets: Vec<Dataset>,
    pub(crate) units: Vec<Unit>,
}

impl Study {
    /// How many records the datasets have together.
    pub fn records(&self) -> usize {
        self.datasets.iter().map(|dataset| dataset.records).sum()
    }

    /// The names of the datasets, in the order in which they were added.
    pub fn dataset_names(&self) -> impl Iterator<Item = &str> {
        self.datasets.iter().map(|dataset| dataset.header.name.as_str())
    }

    pub(crate) fn text_of(&self, sym: Sym) -> String {
        crate::pool::Scratch::over(&self.pool).text_of(sym).to_owned()
    }
}

#[derive(Debug)]
pub(crate) struct Dataset {
    pub(crate) header: DatasetHeader,
    pub(crate) columns: Vec<Vec<Sym>>,
    pub(crate) places: HashMap<String, usize>,
    pub(crate) records: usize,
}

impl Dataset {
    pub(crate) fn column(&self, name: &str) -> Option<&[Sym]> {
        self.places.get(name).map(|place| self.columns[*place].as_slice())
    }

    fn first(&self, name: &str) -> Option<Sym> {
        self.column(name)?.first().copied().filter(|sym| !sym.is_empty())
    }
}

/// What a rule is run on: a dataset, or the parts of one that was split over several (`QSCG` and `QSPH` of `QS`).
#[derive(Debug)]
pub(crate) struct Unit {
    /// The name without the split, as `QS` or `SUPPQS`.
    pub(crate) name: String,
    /// The value of `DOMAIN` in the first record.
    pub(crate) domain: Option<String>,
    /// The value of `RDOMAIN` in the first record of a supplemental dataset.
    pub(crate) parent: Option<String>,
    /// Places in [`Study::datasets`].
    pub(crate) members: Vec<usize>,
}

impl Unit {
    pub(crate) fn is_supplemental(&self) -> bool {
        is_supplemental(&self.name)
    }

    /// Whether a rule means this unit by a name: by its domain, or, where it has none, by the name without the split.
    pub(crate) fn is_called(&self, name: &str) -> bool {
        self.domain.as_deref().unwrap_or(&self.name) == name
    }

    /// What stands for `--`: the domain, without the `AP` of associated persons.
    pub(crate) fn prefix(&self) -> Option<&str> {
        self.domain.as_deref().map(own_prefix)
    }
}

/// The prefix of a domain's variables. Those of associated persons have the prefix of the domain behind `AP`.
pub(crate) fn own_prefix(domain: &str) -> &str {
    domain.strip_prefix("AP").filter(|rest| rest.len() >= 2).unwrap_or(domain)
}

pub(crate) fn is_supplemental(name: &str) -> bool {
    name.starts_with("SUPP") || name.starts_with("SQ")
}

/// Collects the datasets of a study.
#[derive(Debug)]
pub struct StudyBuilder {
    pool: Pool,
    datasets: Vec<Dataset>,
}

impl Default for StudyBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl StudyBuilder {
    /// A study without datasets.
    pub fn new() -> Self {
        Self { pool: Pool::new(), datasets: Vec::new() }
    }

    /// Begins a dataset; its values follow with [`StudyBuilder::push_column`]. Returns its place.
    pub fn push_dataset(&mut self, header: DatasetHeader) -> usize {
        let places =
            header.variables.iter().enumerate().map(|(place, variable)| (variable.name.clone(), place));
        self.datasets.push(Dataset {
            places: places.collect(),
            columns: vec![Vec::new(); header.variables.len()],
            header,
            records: 0,
        });
        self.datasets.len() - 1
    }

    /// Appends values to one column of the dataset at `dataset`. `None` and the empty text are null; a number is
    /// given as its text.
    ///
    /// # Errors
    /// If there is no such dataset or column, or the study has too many distinct values.
    pub fn push_column<'v>(
        &mut self,
        dataset: usize,
        variable: usize,
        values: impl IntoIterator<Item = Option<&'v str>>,
    ) -> Result<(), RuleError> {
        let ragged = |dataset: &str| RuleError::Ragged {
            dataset: dataset.to_owned(),
            reason: format!("it has no column {variable}"),
        };
        let Some(target) = self.datasets.get_mut(dataset) else {
            return Err(ragged(&dataset.to_string()));
        };
        let Some(kind) = target.header.variables.get(variable).map(|variable| variable.kind) else {
            return Err(ragged(&target.header.name));
        };
        let column = &mut target.columns[variable];
        // Clinical columns repeat themselves, so the value before often answers.
        let mut last: Option<(&str, Sym)> = None;
        for value in values {
            let value = value.unwrap_or("");
            let sym = match last {
                Some((text, sym)) if text == value => sym,
                _ if kind == Kind::Num => self.pool.numeric_cell(value)?,
                _ => self.pool.text(value)?,
            };
            last = Some((value, sym));
            column.push(sym);
        }
        Ok(())
    }

    /// The study, its datasets checked and grouped.
    ///
    /// # Errors
    /// If the columns of a dataset differ in length.
    pub fn finish(mut self) -> Result<Study, RuleError> {
        for dataset in &mut self.datasets {
            dataset.records = dataset.columns.first().map_or(0, Vec::len);
            let ragged = dataset.columns.iter().position(|column| column.len() != dataset.records);
            if let Some(place) = ragged {
                return Err(RuleError::Ragged {
                    dataset: dataset.header.name.clone(),
                    reason: format!(
                        "`{}` has {} values, `{}` has {}",
                        dataset.header.variables[0].name,
                        dataset.records,
                        dataset.header.variables[place].name,
                        dataset.columns[place].len()
                    ),
                });
            }
        }
        let mut study = Study { pool: self.pool, datasets: self.datasets, units: Vec::new() };
        study.units = units(&study);
        Ok(study)
    }
}

/// Groups the datasets by the domain that their first record names, in the order of each group's first.
fn units(study: &Study) -> Vec<Unit> {
    let mut units: Vec<Unit> = Vec::new();
    for (place, dataset) in study.datasets.iter().enumerate() {
        let name = &dataset.header.name;
        let domain = dataset.first("DOMAIN").map(|sym| study.text_of(sym));
        let parent = dataset.first("RDOMAIN").filter(|_| is_supplemental(name)).map(|sym| study.text_of(sym));
        let unsplit = match (&domain, &parent) {
            (Some(domain), _) => own_prefix(domain).to_owned(),
            (None, Some(parent)) if name.starts_with("SUPP") => format!("SUPP{parent}"),
            (None, Some(parent)) => format!("SQ{parent}"),
            (None, None) => name.clone(),
        };
        match units.iter_mut().find(|unit| unit.name == unsplit && unit.domain == domain) {
            Some(unit) => unit.members.push(place),
            None => units.push(Unit { name: unsplit, domain, parent, members: vec![place] }),
        }
    }
    units
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(name: &str, variables: &[&str]) -> DatasetHeader {
        let variable = |name: &&str| VariableHeader {
            name: (*name).to_owned(),
            label: String::new(),
            kind: Kind::Char,
            length: None,
        };
        DatasetHeader {
            name: name.to_owned(),
            file_name: format!("{}.xpt", name.to_lowercase()),
            label: String::new(),
            size_bytes: None,
            variables: variables.iter().map(variable).collect(),
        }
    }

    #[test]
    fn the_parts_of_a_split_dataset_are_one_unit() {
        let mut builder = StudyBuilder::new();
        for (name, variable, value) in [
            ("QSCG", "DOMAIN", "QS"),
            ("AE", "DOMAIN", "AE"),
            ("QSPH", "DOMAIN", "QS"),
            ("SUPPQSCG", "RDOMAIN", "QS"),
        ] {
            let place = builder.push_dataset(header(name, &[variable]));
            builder.push_column(place, 0, [Some(value)]).unwrap();
        }
        let study = builder.finish().unwrap();
        let units: Vec<_> =
            study.units.iter().map(|unit| (unit.name.as_str(), unit.members.as_slice())).collect();
        assert_eq!(units, [("QS", &[0, 2][..]), ("AE", &[1]), ("SUPPQS", &[3])]);
    }

    #[test]
    fn columns_of_different_lengths_are_refused_by_name() {
        let mut builder = StudyBuilder::new();
        let place = builder.push_dataset(header("AE", &["DOMAIN", "AETERM"]));
        builder.push_column(place, 0, [Some("AE"), Some("AE")]).unwrap();
        builder.push_column(place, 1, [Some("Headache")]).unwrap();
        let error = builder.finish().unwrap_err().to_string();
        assert_eq!(error, "dataset `AE` is not rectangular: `DOMAIN` has 2 values, `AETERM` has 1");
    }

    #[test]
    fn a_column_that_is_not_there_is_refused() {
        let mut builder = StudyBuilder::new();
        let place = builder.push_dataset(header("AE", &["DOMAIN"]));
        assert!(builder.push_column(place, 1, [None]).is_err());
        assert!(builder.push_column(place + 1, 0, [None]).is_err());
    }
}
