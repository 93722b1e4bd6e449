//! A dataset of the delivery in which values are looked up by key.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::block::Condition;
use super::expression::Expression;
use super::name::matches;

/// A dataset of the delivery in which values are looked up by key. The first row of a key stands.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lookup {
    /// What expressions call it.
    pub name: String,
    /// The datasets it may be.
    pub datasets: Vec<String>,
    /// Its key.
    pub key: Expression,
    /// What can be asked for.
    pub give: Give,
    /// Which rows it has, where the dataset holds others too.
    pub only: Option<Condition>,
}

/// What a lookup gives, by name: columns under their own names, or expressions.
#[derive(Debug, Clone, Deserialize)]
#[serde(from = "GiveForm")]
pub struct Give(Vec<(String, Expression)>);

#[derive(Deserialize)]
#[serde(untagged)]
enum GiveForm {
    Columns(Vec<String>),
    Named(BTreeMap<String, Expression>),
}

impl From<GiveForm> for Give {
    fn from(form: GiveForm) -> Self {
        Self(match form {
            GiveForm::Columns(columns) => {
                columns.into_iter().map(|column| (column.clone(), Expression::Column(column))).collect()
            }
            GiveForm::Named(named) => named.into_iter().collect(),
        })
    }
}

impl Give {
    /// The place of a name among the values of a key.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        self.0.iter().position(|(known, _)| known == name)
    }

    /// The expressions, in the order of their places.
    pub fn expressions(&self) -> impl Iterator<Item = &Expression> {
        self.0.iter().map(|(_, expression)| expression)
    }
}

impl Lookup {
    /// Whether it may be the dataset of that name.
    #[must_use]
    pub fn knows(&self, dataset: &str) -> bool {
        self.datasets.iter().any(|name| matches(name, dataset))
    }

    /// Whether it gives a value of that name.
    #[must_use]
    pub fn gives(&self, name: &str) -> bool {
        self.give.position(name).is_some()
    }

    /// The source columns that it reads.
    #[must_use]
    pub fn sources(&self) -> Vec<String> {
        self.expressions().flat_map(Expression::sources).collect()
    }

    fn expressions(&self) -> impl Iterator<Item = &Expression> {
        let condition = self.only.iter().map(|only| &only.of);
        [&self.key].into_iter().chain(self.give.expressions()).chain(condition)
    }

    /// That its own expressions look nothing up: the order of reading would decide what they find.
    pub(super) fn check(&self) -> Result<(), String> {
        for expression in self.expressions() {
            expression
                .check(&[])
                .map_err(|_| format!("lookup `{}` may not look anything up itself", self.name))?;
        }
        Ok(())
    }
}
