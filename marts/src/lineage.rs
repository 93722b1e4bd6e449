//! Where a mart's column comes from: through other marts and the star to canon, as the declarations say.

use std::collections::BTreeSet;

use warehouse::star::lineage::{canon_columns, entities_of};

use crate::mart::Mart;
use crate::{Error, Result};

/// A table or one of its columns, with what it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The table: a mart, a table of the star, or an entity of canon.
    pub table: String,
    /// The column; the whole table when it is none.
    pub column: Option<String>,
    /// Where it stands on the data's way.
    pub zone: SourceZone,
    /// What is known of the column in words.
    pub about: Option<&'static str>,
    /// What it comes from.
    pub from: Vec<Self>,
}

/// Where a source stands on the data's way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceZone {
    /// A derived table.
    Marts,
    /// A fact or a dimension.
    Star,
    /// A typed entity.
    Canon,
}

impl Source {
    /// `table.column`, or the table.
    #[must_use]
    pub fn name(&self) -> String {
        self.column.as_ref().map_or_else(|| self.table.clone(), |column| format!("{}.{column}", self.table))
    }

    /// The columns of canon at the ends, each once, as entity and column.
    #[must_use]
    pub fn canon(&self) -> BTreeSet<(String, Option<String>)> {
        let mut found = BTreeSet::new();
        self.collect(&mut found);
        found
    }

    fn collect(&self, found: &mut BTreeSet<(String, Option<String>)>) {
        if self.zone == SourceZone::Canon {
            found.insert((self.table.clone(), self.column.clone()));
        }
        self.from.iter().for_each(|from| from.collect(found));
    }
}

/// The lineage of `mart` or `mart.column`.
///
/// # Errors
/// [`Error::Selector`] when there is no such mart or column, with those there are.
pub fn lineage(graph: &'static [Mart], place: &str) -> Result<Source> {
    let (name, column) = place.split_once('.').map_or((place, None), |(name, column)| (name, Some(column)));
    let wrong = |reason: String| Error::Selector { selector: place.to_owned(), reason };
    let mart = graph.iter().find(|mart| mart.name == name).ok_or_else(|| {
        let names: Vec<&str> = graph.iter().map(|mart| mart.name).collect();
        wrong(format!("no mart is called so; there are {}", names.join(", ")))
    })?;
    let Some(column) = column else { return Ok(of_mart(graph, mart)) };
    of_column(graph, mart, column).ok_or_else(|| {
        let names: Vec<&str> = mart.columns.iter().map(|column| column.name).collect();
        wrong(format!("`{name}` has no such column; there are {}", names.join(", ")))
    })
}

fn of_mart(graph: &'static [Mart], mart: &Mart) -> Source {
    let from = mart.columns.iter().filter_map(|column| of_column(graph, mart, column.name)).collect();
    Source {
        table: mart.name.to_owned(),
        column: None,
        zone: SourceZone::Marts,
        about: Some(mart.description),
        from,
    }
}

fn of_column(graph: &'static [Mart], mart: &Mart, name: &str) -> Option<Source> {
    let column = mart.column(name)?;
    let from = column.from.iter().filter_map(|from| {
        let (table, column) = from.split_once('.')?;
        match graph.iter().find(|mart| mart.name == table) {
            Some(mart) => of_column(graph, mart, column),
            None => Some(of_star(table, column)),
        }
    });
    Some(Source {
        table: mart.name.to_owned(),
        column: Some(name.to_owned()),
        zone: SourceZone::Marts,
        about: Some(column.description),
        from: from.collect(),
    })
}

fn of_star(table: &str, column: &str) -> Source {
    let canon = |table: &str, column: Option<&str>| Source {
        table: table.to_owned(),
        column: column.map(str::to_owned),
        zone: SourceZone::Canon,
        about: None,
        from: Vec::new(),
    };
    let columns = canon_columns(table, column);
    let from = if columns.is_empty() {
        entities_of(table).into_iter().map(|entity| canon(entity, None)).collect()
    } else {
        columns
            .iter()
            .filter_map(|name| name.split_once('.'))
            .map(|(entity, column)| canon(entity, Some(column)))
            .collect()
    };
    Source {
        table: table.to_owned(),
        column: Some(column.to_owned()),
        zone: SourceZone::Star,
        about: None,
        from,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MARTS;

    #[test]
    fn a_column_is_followed_through_marts_and_facts_to_canon() {
        let source = lineage(MARTS, "mart_site_risk.risk_score").expect("there is such a column");
        assert_eq!(source.from[0].name(), "mart_kri.flag");
        assert_eq!(source.from[0].from[0].name(), "mart_indicator_input.numerator");
        let canon = source.canon();
        for (entity, column) in
            [("adverse_event", "serious"), ("subject", "status"), ("item_value", "n_changes")]
        {
            assert!(
                canon.contains(&(entity.to_owned(), Some(column.to_owned()))),
                "{entity}.{column}: {canon:?}"
            );
        }
    }

    #[test]
    fn every_column_ends_in_columns_of_canon_or_is_a_word_of_the_definition() {
        let mut lost = Vec::new();
        for mart in MARTS {
            for column in mart.columns {
                let source = of_column(MARTS, mart, column.name).expect("it is declared");
                assert_eq!(source.from.len(), column.from.len(), "{}: a source is not there", source.name());
                for end in ends(&source) {
                    // A column of a mart that comes from nothing is a word of its definition.
                    let is_known = end.zone != SourceZone::Star && end.column.is_some();
                    if !is_known {
                        lost.push(format!("{} ends in {}", source.name(), end.name()));
                    }
                }
            }
        }
        assert!(lost.is_empty(), "{lost:#?}");
    }

    fn ends(source: &Source) -> Vec<&Source> {
        if source.from.is_empty() { vec![source] } else { source.from.iter().flat_map(ends).collect() }
    }

    #[test]
    fn a_column_that_is_not_there_is_refused_with_those_that_are() {
        let error = lineage(MARTS, "mart_retention.days").expect_err("it is `day`").to_string();
        assert!(error.contains("at_risk") && error.contains("day"), "{error}");
    }
}
