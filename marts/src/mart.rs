//! What a mart is: a name, a grain, what it reads, how it is made and what must hold of it.

use arrow::array::RecordBatch;
use warehouse::engine::identifier;
use warehouse::workbench::Workbench;

use crate::Result;

/// One derived table.
#[derive(Debug)]
pub struct Mart {
    /// Its name: `mart_…`.
    pub name: &'static str,
    /// What one row is.
    pub grain: &'static str,
    /// What it is for, in a sentence.
    pub description: &'static str,
    /// The tables it reads, of the star or earlier marts.
    pub inputs: &'static [&'static str],
    /// The columns that together name a row.
    pub key: &'static [&'static str],
    /// What must hold before it is published, besides the key.
    pub tests: &'static [Test],
    /// For choosing: `rbqm`, `quality`.
    pub tags: &'static [&'static str],
    /// How it is made.
    pub definition: Definition,
}

/// How a mart is made.
#[derive(Debug, Clone, Copy)]
pub enum Definition {
    /// A query in the subset that DuckDB and DataFusion answer alike.
    Sql(&'static str),
    /// A function over the tables of the workbench, its revision, and the texts it works by: when one of them changes,
    /// the mart is made again.
    Rust(fn(&Workbench) -> Result<RecordBatch>, u32, &'static [&'static str]),
}

/// What must hold of a mart.
#[derive(Debug, Clone, Copy)]
pub enum Test {
    /// No null.
    NotNull(&'static str),
    /// Nothing outside the two ends, which are allowed.
    Range(&'static str, f64, f64),
    /// One column is never above another.
    AtMost(&'static str, &'static str),
    /// Every value is a value of a column of another table.
    Relationship(&'static str, &'static str, &'static str),
}

impl Test {
    /// The test in words.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::NotNull(column) => format!("{column} is not null"),
            Self::Range(column, low, high) => format!("{column} is between {low} and {high}"),
            Self::AtMost(low, high) => format!("{low} is at most {high}"),
            Self::Relationship(column, table, of) => format!("{column} is a {of} of {table}"),
        }
    }

    /// The rows of `mart` that fail it.
    #[must_use]
    pub fn failing(&self, mart: &str) -> String {
        let mart = identifier(mart);
        match self {
            Self::NotNull(column) => format!("SELECT * FROM {mart} WHERE {column} IS NULL"),
            Self::Range(column, low, high) => {
                format!("SELECT * FROM {mart} WHERE {column} < {low:?} OR {column} > {high:?}")
            }
            Self::AtMost(low, high) => format!("SELECT * FROM {mart} WHERE {low} > {high}"),
            Self::Relationship(column, table, of) => {
                format!("SELECT * FROM {mart} WHERE {column} NOT IN (SELECT {of} FROM {})", identifier(table))
            }
        }
    }
}

impl Mart {
    /// The rows whose key occurs more than once or has a null.
    #[must_use]
    pub fn repeated_keys(&self) -> String {
        let key = self.key.join(", ");
        let nulls: Vec<String> = self.key.iter().map(|column| format!("{column} IS NULL")).collect();
        format!(
            "SELECT {key}, count(*) AS n FROM {} GROUP BY {key} HAVING count(*) > 1 OR {}",
            identifier(self.name),
            nulls.join(" OR ")
        )
    }
}
