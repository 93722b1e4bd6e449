//! What must hold of a mart before it is published, or is worth a word when it does not.

use serde::{Deserialize, Serialize};
use warehouse::engine::{identifier, literal};

use crate::mart::repeated;

/// One test of a mart.
#[derive(Debug, Clone, Copy)]
pub struct Test {
    /// What must hold.
    pub rule: Rule,
    /// What follows when it does not.
    pub severity: Severity,
}

/// What follows when a test fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Nothing is published; an alert is raised.
    Error,
    /// It is published; an alert is raised.
    Warning,
}

impl Severity {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// What must hold.
#[derive(Debug, Clone, Copy)]
pub enum Rule {
    /// The columns together name a row, and none is null.
    Unique(&'static [&'static str]),
    /// No null.
    NotNull(&'static str),
    /// No other value than these; null is none.
    Accepted(&'static str, &'static [&'static str]),
    /// Nothing outside the two ends, which are allowed.
    Range(&'static str, f64, f64),
    /// One column is never above another.
    AtMost(&'static str, &'static str),
    /// Every value is a value of a column of another table.
    Relationship(&'static str, &'static str, &'static str),
    /// A join repeated no row: there are no more rows than this query counts. The words say of what.
    RowsAtMost(&'static str, &'static str),
    /// A number of the mart equals a number of the facts, each the one value of a query. The words say which.
    Reconciles(&'static str, &'static str, &'static str),
    /// The query finds no row. The words say what holds then.
    Absent(&'static str, &'static str),
}

impl Test {
    /// A test whose failure publishes nothing.
    #[must_use]
    pub const fn that(rule: Rule) -> Self {
        Self { rule, severity: Severity::Error }
    }

    /// A test whose failure is worth a word.
    #[must_use]
    pub const fn warns(rule: Rule) -> Self {
        Self { rule, severity: Severity::Warning }
    }

    /// The test in words.
    #[must_use]
    pub fn words(&self) -> String {
        match self.rule {
            Rule::Unique(columns) => format!("{} is unique and not null", columns.join(", ")),
            Rule::NotNull(column) => format!("{column} is not null"),
            Rule::Accepted(column, values) => format!("{column} is one of {}", values.join(", ")),
            Rule::Range(column, low, high) => format!("{column} is between {low} and {high}"),
            Rule::AtMost(low, high) => format!("{low} is at most {high}"),
            Rule::Relationship(column, table, of) => format!("{column} is a {of} of {table}"),
            Rule::RowsAtMost(words, _) => format!("there are no more rows than {words}"),
            Rule::Reconciles(words, ..) => format!("{words} equals the facts"),
            Rule::Absent(words, _) => words.to_owned(),
        }
    }

    /// The column it is about, where it is about one.
    #[must_use]
    pub const fn column(&self) -> Option<&'static str> {
        match self.rule {
            Rule::NotNull(column)
            | Rule::Accepted(column, _)
            | Rule::Range(column, ..)
            | Rule::AtMost(column, _)
            | Rule::Relationship(column, ..) => Some(column),
            Rule::Unique(_) | Rule::RowsAtMost(..) | Rule::Reconciles(..) | Rule::Absent(..) => None,
        }
    }

    /// Whether a row can fail it by itself.
    pub(crate) const fn is_of_rows(&self) -> bool {
        matches!(self.rule, Rule::NotNull(_) | Rule::Accepted(..) | Rule::Range(..) | Rule::AtMost(..))
    }

    /// What is true of a row that fails it, where a row can fail by itself.
    pub(crate) fn condition(&self) -> Option<String> {
        match self.rule {
            Rule::NotNull(column) => Some(format!("{column} IS NULL")),
            Rule::Accepted(column, values) => {
                let values: Vec<String> = values.iter().map(|value| literal(value)).collect();
                Some(format!("{column} NOT IN ({})", values.join(", ")))
            }
            // NaN is above every number.
            Rule::Range(column, low, high) => Some(format!("({column} < {low:?} OR {column} > {high:?})")),
            Rule::AtMost(low, high) => Some(format!("{low} > {high}")),
            Rule::Unique(_)
            | Rule::Relationship(..)
            | Rule::RowsAtMost(..)
            | Rule::Reconciles(..)
            | Rule::Absent(..) => None,
        }
    }

    /// The rows of `mart` that fail it.
    #[must_use]
    pub fn failing(&self, mart: &str) -> String {
        let table = identifier(mart);
        if let Some(condition) = self.condition() {
            return format!("SELECT * FROM {table} WHERE {condition}");
        }
        match self.rule {
            Rule::Unique(columns) => repeated(mart, columns),
            Rule::Relationship(column, of_table, of) => format!(
                "SELECT m.* FROM {table} m WHERE m.{column} IS NOT NULL
                 AND NOT EXISTS (SELECT 1 FROM {} o WHERE o.{of} = m.{column})",
                identifier(of_table)
            ),
            Rule::RowsAtMost(_, bound) => format!(
                "SELECT n_rows, at_most FROM (SELECT (SELECT count(*) FROM {table}) AS n_rows, ({bound}) AS at_most)
                 WHERE n_rows > at_most"
            ),
            Rule::Reconciles(_, ours, theirs) => format!(
                "SELECT mart, facts FROM (SELECT CAST(COALESCE(({ours}), 0) AS DOUBLE) AS mart,
                     CAST(COALESCE(({theirs}), 0) AS DOUBLE) AS facts)
                 WHERE abs(mart - facts) > 1e-9 * greatest(1.0, abs(facts))"
            ),
            Rule::Absent(_, query) => query.to_owned(),
            Rule::NotNull(_) | Rule::Accepted(..) | Rule::Range(..) | Rule::AtMost(..) => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_says_in_words_what_must_hold() {
        let words = |rule| Test::that(rule).words();
        assert_eq!(words(Rule::NotNull("flag")), "flag is not null");
        assert_eq!(words(Rule::Range("share", 0.0, 1.0)), "share is between 0 and 1");
        assert_eq!(words(Rule::Accepted("level", &["site", "country"])), "level is one of site, country");
        assert_eq!(
            words(Rule::Relationship("site_id", "dim_site", "site_id")),
            "site_id is a site_id of dim_site"
        );
    }

    #[test]
    fn a_quote_in_an_accepted_value_stays_a_value() {
        let test = Test::that(Rule::Accepted("reason", &["subject's wish"]));
        assert_eq!(test.condition().as_deref(), Some("reason NOT IN ('subject''s wish')"));
    }
}
