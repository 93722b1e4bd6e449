//! What a mart is: a name, a grain, what it reads, how it is made, what its columns mean and what must hold of it.

use std::collections::BTreeMap;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use kernel::CODE_VERSION;
use warehouse::engine::{Engine, identifier};
use warehouse::snapshot::inputs_hash;

use crate::test::Test;
use crate::{Definitions, Result};

/// One derived table.
#[derive(Debug)]
pub struct Mart {
    /// Its name: `mart_…`.
    pub name: &'static str,
    /// What one row is.
    pub grain: &'static str,
    /// What it is for, in a sentence.
    pub description: &'static str,
    /// Who answers for it.
    pub owner: &'static str,
    /// The tables it reads, of the star or earlier marts.
    pub inputs: &'static [&'static str],
    /// The columns that together name a row.
    pub key: &'static [&'static str],
    /// Its columns, in their order.
    pub columns: &'static [Column],
    /// What must hold before it is published, besides the key and the columns.
    pub tests: &'static [Test],
    /// For choosing: `rbqm`, `quality`.
    pub tags: &'static [&'static str],
    /// How it is made.
    pub definition: Definition,
}

/// One column of a mart.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// What it says, with its unit.
    pub description: &'static str,
    /// The columns that its values come from, as `table.column`; empty where it is a word of the definition.
    pub from: &'static [&'static str],
}

/// A column of a declaration.
pub(crate) const fn column(
    name: &'static str,
    description: &'static str,
    from: &'static [&'static str],
) -> Column {
    Column { name, description, from }
}

/// How a mart is made.
#[derive(Debug, Clone, Copy)]
pub enum Definition {
    /// A query in the subset that DuckDB and DataFusion answer alike.
    Sql(&'static str),
    /// A function over the tables that the engine sees and the definitions, its revision, and the texts it works by:
    /// when one of them changes, the mart is made again. What a tenant changed counts for those that work by the
    /// shipped definitions ([`Mart::works_by_definitions`]).
    Rust(fn(&Engine, &Definitions) -> Result<RecordBatch>, u32, &'static [&'static str]),
    /// A query as above, and a function that gives its rows in its order sooner, with its revision. A test holds them
    /// equal.
    Native(fn() -> &'static str, Native, u32),
}

/// Where the rows of a table go.
pub trait Sink {
    /// Takes the rows that come next.
    ///
    /// # Errors
    /// When they cannot be written.
    fn write(&mut self, rows: &RecordBatch) -> warehouse::Result<()>;

    /// Begins a part: the rows that come next, up to the next part, of which none has the same first column of the key.
    /// `made_of` stands for everything that they are computed from. Whether the part is there already: then its rows
    /// are not given.
    ///
    /// # Errors
    /// When the part before it cannot be written.
    fn has_part(&mut self, made_of: &str) -> warehouse::Result<bool>;
}

/// A function that writes a table, however large.
#[derive(Debug, Clone, Copy)]
pub struct Native {
    /// The table's columns.
    pub schema: fn() -> SchemaRef,
    /// Gives its rows, some at a time.
    pub rows: fn(&Engine, &mut dyn Sink) -> warehouse::Result<()>,
}

/// All that a function gives, as one table.
#[cfg(test)]
pub(crate) fn together(
    schema: &SchemaRef,
    rows: impl FnOnce(&mut dyn Sink) -> warehouse::Result<()>,
) -> RecordBatch {
    let parts = in_parts(schema, rows);
    arrow::compute::concat_batches(schema, parts.iter().map(|(_, rows)| rows)).expect("they have one schema")
}

/// The parts that a function gives, each with what it is made of.
#[cfg(test)]
pub(crate) fn in_parts(
    schema: &SchemaRef,
    rows: impl FnOnce(&mut dyn Sink) -> warehouse::Result<()>,
) -> Vec<(String, RecordBatch)> {
    struct Parts(Vec<(String, Vec<RecordBatch>)>);

    impl Sink for Parts {
        fn write(&mut self, rows: &RecordBatch) -> warehouse::Result<()> {
            if self.0.is_empty() {
                self.has_part("")?;
            }
            self.0.last_mut().expect("one was begun").1.push(rows.clone());
            Ok(())
        }

        fn has_part(&mut self, made_of: &str) -> warehouse::Result<bool> {
            self.0.push((made_of.to_owned(), Vec::new()));
            Ok(false)
        }
    }

    let mut given = Parts(Vec::new());
    rows(&mut given).expect("the rows are given");
    let rows = |batches: &[RecordBatch]| arrow::compute::concat_batches(schema, batches);
    given
        .0
        .iter()
        .map(|(made_of, batches)| (made_of.clone(), rows(batches).expect("of one schema")))
        .collect()
}

/// The piece of [`Mart::made_of`] that is the program's version.
pub(crate) const PROGRAM: &str = "program";
/// The piece that is the query, or the function's revision.
pub(crate) const DEFINITION: &str = "definition";
/// The beginning of the pieces that are texts a function works by.
pub(crate) const PARAMETER: &str = "parameter ";
/// The beginning of the pieces that are what a tenant or study changed of a definition.
pub(crate) const CHANGED: &str = "changed ";
/// The piece that is what must hold.
pub(crate) const TESTS: &str = "tests";
/// The beginning of the pieces that are tables.
pub(crate) const INPUT: &str = "input ";

impl Mart {
    /// Everything it is computed from, piece by piece, where `content` tells the content of a table; the name of the
    /// table that is not there otherwise.
    ///
    /// # Errors
    /// The input whose content is not known.
    pub fn made_of(
        &self,
        definitions: &Definitions,
        content: impl Fn(&str) -> Option<String>,
    ) -> std::result::Result<BTreeMap<String, String>, &'static str> {
        let mut pieces = self.own_pieces(definitions);
        for input in self.inputs {
            pieces.insert(format!("{INPUT}{input}"), content(input).ok_or(*input)?);
        }
        Ok(pieces)
    }

    /// What it is computed from besides tables.
    pub(crate) fn own_pieces(&self, definitions: &Definitions) -> BTreeMap<String, String> {
        let hash = |text: &str| inputs_hash(&[text.to_owned()]);
        let mut pieces = BTreeMap::from([(PROGRAM.to_owned(), CODE_VERSION.to_owned())]);
        let mut add = |name: String, content: String| drop(pieces.insert(name, content));
        match self.definition {
            Definition::Sql(query) => add(DEFINITION.to_owned(), hash(query)),
            Definition::Native(query, _, revision) => {
                add(DEFINITION.to_owned(), hash(&format!("{}{revision}", query())));
            }
            Definition::Rust(_, revision, parameters) => {
                add(DEFINITION.to_owned(), revision.to_string());
                for (place, text) in (1..).zip(parameters) {
                    add(format!("{PARAMETER}{place}"), hash(text));
                }
            }
        }
        for (id, changed) in definitions.changed().filter(|_| self.works_by_definitions()) {
            add(format!("{CHANGED}{id}"), changed.clone());
        }
        let tests: Vec<String> = self.tests.iter().map(|test| format!("{test:?}")).collect();
        add(TESTS.to_owned(), inputs_hash(&[tests, vec![format!("{:?}", self.columns)]].concat()));
        pieces
    }

    /// The query whose rows it has; none where a function alone makes it.
    #[must_use]
    pub fn query(&self) -> Option<&'static str> {
        match self.definition {
            Definition::Sql(query) => Some(query),
            Definition::Native(query, ..) => Some(query()),
            Definition::Rust(..) => None,
        }
    }

    /// Whether it works by definitions that a tenant may change.
    #[must_use]
    pub fn works_by_definitions(&self) -> bool {
        let changeable = [crate::indicators::PARAMETERS, crate::tolerance::PARAMETERS];
        match self.definition {
            Definition::Sql(_) | Definition::Native(..) => false,
            Definition::Rust(_, _, texts) => texts.iter().any(|text| changeable.contains(text)),
        }
    }

    /// The rows whose key occurs more than once or has a null.
    #[must_use]
    pub fn repeated_keys(&self) -> String {
        repeated(self.name, self.key)
    }

    /// The column of that name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&'static Column> {
        self.columns.iter().find(|column| column.name == name)
    }
}

/// The values of `columns` that occur more than once in `table`, or that have a null.
pub(crate) fn repeated(table: &str, columns: &[&str]) -> String {
    let key = columns.join(", ");
    let nulls: Vec<String> = columns.iter().map(|column| format!("{column} IS NULL")).collect();
    format!(
        "SELECT {key}, count(*) AS n FROM {} GROUP BY {key} HAVING count(*) > 1 OR {}",
        identifier(table),
        nulls.join(" OR ")
    )
}
