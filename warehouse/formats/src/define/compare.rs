//! In what delivered datasets differ from their definition.

use std::fmt;

use super::{DatasetDefinition, Define, Variable};
use crate::dataset::{Column, ColumnKind, Dataset, Format};

/// One difference between a definition and the delivered datasets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// Defined, not delivered.
    DatasetAbsent {
        /// Its name.
        dataset: String,
    },
    /// Delivered, not defined.
    DatasetExtra {
        /// Its name.
        dataset: String,
    },
    /// Defined, not in the dataset.
    ColumnAbsent {
        /// The dataset.
        dataset: String,
        /// The column.
        column: String,
    },
    /// In the dataset, not defined.
    ColumnExtra {
        /// The dataset.
        dataset: String,
        /// The column.
        column: String,
    },
    /// A number where text is defined, or the other way round.
    Type {
        /// The dataset.
        dataset: String,
        /// The column.
        column: String,
        /// The type in the definition.
        defined: String,
        /// The type in the file.
        found: String,
    },
    /// A text column of another length.
    Length {
        /// The dataset.
        dataset: String,
        /// The column.
        column: String,
        /// The length in the definition.
        defined: u32,
        /// The length in the file.
        found: u32,
    },
    /// The columns that both have stand in another order; told once for a dataset.
    Order {
        /// The dataset.
        dataset: String,
        /// The first column that the file has in the place of another.
        column: String,
        /// The column that is defined to stand there.
        defined: String,
    },
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DatasetAbsent { dataset } => {
                write!(f, "dataset `{dataset}` is defined and was not delivered")
            }
            Self::DatasetExtra { dataset } => {
                write!(f, "dataset `{dataset}` was delivered and is not defined")
            }
            Self::ColumnAbsent { dataset, column } => {
                write!(f, "`{dataset}.{column}` is defined and not in the dataset")
            }
            Self::ColumnExtra { dataset, column } => {
                write!(f, "`{dataset}.{column}` is in the dataset and not defined")
            }
            Self::Type { dataset, column, defined, found } => {
                write!(f, "`{dataset}.{column}` is {found}, it is defined as {defined}")
            }
            Self::Length { dataset, column, defined, found } => {
                write!(f, "`{dataset}.{column}` has length {found}, it is defined with {defined}")
            }
            Self::Order { dataset, column, defined } => {
                write!(f, "`{dataset}.{column}` stands where `{defined}` is defined to stand")
            }
        }
    }
}

impl Define {
    /// In what delivered datasets differ from this definition: first by definition, then what is not defined.
    /// Names are compared whatever their case. What the definition says to be left out for want of data may be
    /// absent.
    #[must_use]
    pub fn compare(&self, delivered: &[Dataset]) -> Vec<Difference> {
        let mut differences = Vec::new();
        for defined in &self.datasets {
            let found = delivered.iter().find(|dataset| dataset.name.eq_ignore_ascii_case(&defined.name));
            match found {
                Some(found) => defined.compare(found, &mut differences),
                None if defined.has_no_data => {}
                None => differences.push(Difference::DatasetAbsent { dataset: defined.name.clone() }),
            }
        }
        let extra = delivered.iter().filter(|dataset| self.dataset(&dataset.name).is_none());
        differences.extend(extra.map(|dataset| Difference::DatasetExtra { dataset: dataset.name.clone() }));
        differences
    }
}

impl DatasetDefinition {
    fn compare(&self, found: &Dataset, differences: &mut Vec<Difference>) {
        let dataset = || self.name.clone();
        for variable in &self.variables {
            match found.position(&variable.name).and_then(|position| found.columns.get(position)) {
                Some(column) => differences.extend(self.compare_column(variable, column, found.format)),
                None if variable.has_no_data => {}
                None => {
                    let column = variable.name.clone();
                    differences.push(Difference::ColumnAbsent { dataset: dataset(), column });
                }
            }
        }
        let extra = found.columns.iter().filter(|column| self.variable(&column.name).is_none());
        differences.extend(
            extra.map(|column| Difference::ColumnExtra { dataset: dataset(), column: column.name.clone() }),
        );
        let defined = self.variables.iter().filter(|variable| found.position(&variable.name).is_some());
        let columns = found.columns.iter().filter(|column| self.variable(&column.name).is_some());
        let mut pairs = defined.zip(columns);
        if let Some((variable, column)) =
            pairs.find(|(variable, column)| !variable.name.eq_ignore_ascii_case(&column.name))
        {
            differences.push(Difference::Order {
                dataset: dataset(),
                column: column.name.clone(),
                defined: variable.name.clone(),
            });
        }
    }

    fn compare_column(&self, variable: &Variable, column: &Column, format: Format) -> Vec<Difference> {
        let mut differences = Vec::new();
        // Delimited text has no types to compare.
        let is_typed = !matches!(format, Format::Csv { .. });
        let is_number = column.kind == ColumnKind::Number;
        if is_typed && is_number != variable.is_number() {
            differences.push(Difference::Type {
                dataset: self.name.clone(),
                column: column.name.clone(),
                defined: variable.data_type.clone(),
                found: column.type_name.clone(),
            });
        }
        if let (Some(defined), Some(found), false) = (variable.length, column.length, is_number)
            && defined != found
            && !variable.is_number()
        {
            let (dataset, column) = (self.name.clone(), column.name.clone());
            differences.push(Difference::Length { dataset, column, defined, found });
        }
        differences
    }
}

impl Variable {
    fn is_number(&self) -> bool {
        matches!(self.data_type.as_str(), "integer" | "float" | "decimal" | "double")
    }
}
