//! What is seen of the rows of a mart while a function gives them: whether they stand in the order of its key, and which
//! tests of single rows all of them pass. Of those nothing is left to ask. Where it is not plain that a row passes, the
//! engine is asked.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::compute::kernels::cmp::lt_eq;
use arrow::datatypes::{DataType, Float64Type};
use arrow::error::ArrowError;

use crate::ascent::Ascent;
use crate::mart::Mart;
use crate::test::{Rule, Test};

/// Rows being looked at, some at a time.
#[derive(Debug)]
pub(crate) struct Seen<'a> {
    keys: Ascent<'a>,
    tests: &'a [Test],
    /// Of each test, whether every row passed it so far.
    passed: Vec<bool>,
}

impl<'a> Seen<'a> {
    /// Before the first row of a mart.
    pub(crate) fn of(mart: &'a Mart) -> Self {
        Self { keys: Ascent::by(mart.key), tests: mart.tests, passed: vec![true; mart.tests.len()] }
    }

    /// Looks at the rows that come next.
    ///
    /// # Errors
    /// When columns cannot be compared.
    pub(crate) fn see(&mut self, rows: &RecordBatch) -> Result<(), ArrowError> {
        self.keys.see(rows)?;
        for (passed, test) in self.passed.iter_mut().zip(self.tests) {
            *passed = *passed && all_pass(test.rule, rows)?;
        }
        Ok(())
    }

    /// Rows of another part come next. How parts follow each other is not seen.
    pub(crate) fn part(&mut self) {
        self.keys.part();
    }

    /// Whether nothing is left to ask of single rows, nor of keys within a part.
    pub(crate) fn all(&self) -> bool {
        self.keys.holds()
            && self.passed.iter().zip(self.tests).all(|(passed, test)| *passed || !test.is_of_rows())
    }

    /// Whether its rows stand in the order of its key, none of which is null.
    pub(crate) const fn ascends(&self) -> bool {
        self.keys.holds()
    }

    /// Whether every row was seen to pass the test in that place.
    pub(crate) fn passed(&self, place: usize) -> bool {
        self.passed.get(place).is_some_and(|passed| *passed)
    }
}

/// Whether it is plain that every row passes.
fn all_pass(rule: Rule, rows: &RecordBatch) -> Result<bool, ArrowError> {
    let column = |name: &str| rows.column_by_name(name);
    Ok(match rule {
        Rule::NotNull(name) => column(name).is_some_and(|column| column.null_count() == 0),
        Rule::Accepted(name, values) => column(name)
            .and_then(|column| column.as_string_opt::<i32>())
            .is_some_and(|texts| texts.iter().flatten().all(|text| values.contains(&text))),
        Rule::Range(name, low, high) => match column(name) {
            Some(column) if column.data_type().is_numeric() => {
                let numbers = cast(column, &DataType::Float64)?;
                let numbers = numbers.as_primitive::<Float64Type>();
                // NaN is within nothing.
                numbers.iter().flatten().all(|number| (low..=high).contains(&number))
            }
            _ => false,
        },
        Rule::AtMost(low, high) => match (column(low), column(high)) {
            // Whole numbers as they are: beyond 2^53 two of them may be one number with a fraction.
            (Some(low), Some(high))
                if low.data_type() == high.data_type() && low.data_type().is_integer() =>
            {
                lt_eq(low, high)?.iter().flatten().all(|holds| holds)
            }
            (Some(low), Some(high)) if low.data_type().is_numeric() && high.data_type().is_numeric() => {
                let [low, high] = [low, high].map(|column| cast(column, &DataType::Float64));
                let (low, high) = (low?, high?);
                let pairs = low.as_primitive::<Float64Type>().iter().zip(high.as_primitive::<Float64Type>());
                // Nor is it at most anything.
                pairs.into_iter().all(|(low, high)| low.zip(high).is_none_or(|(low, high)| low <= high))
            }
            _ => false,
        },
        Rule::Unique(_)
        | Rule::Relationship(..)
        | Rule::RowsAtMost(..)
        | Rule::Reconciles(..)
        | Rule::Absent(..) => false,
    })
}

#[cfg(test)]
mod tests {
    use warehouse::engine::{Engine, Limits};

    use super::*;

    const RULES: [Rule; 6] = [
        Rule::NotNull("low"),
        Rule::Accepted("word", &["one", "two"]),
        Rule::Range("share", 0.0, 1.0),
        Rule::Range("low", -1.0, 3.0),
        Rule::AtMost("low", "high"),
        Rule::AtMost("share", "bound"),
    ];

    /// Two rows, the first of these values.
    fn with(word: &str, [low, high]: [&str; 2], share: &str) -> String {
        format!(
            "SELECT * FROM (VALUES ({word}, CAST({low} AS INTEGER), CAST({high} AS INTEGER), CAST({share} AS DOUBLE), 1.0::DOUBLE),
                ('one', 0, 0, 0.5, 0.5)) rows(word, low, high, share, bound)"
        )
    }

    fn engine() -> (tempfile::TempDir, Engine) {
        let folder = tempfile::tempdir().expect("a folder");
        let engine = Engine::open(&[], folder.path(), &Limits::default()).expect("the engine starts");
        (folder, engine)
    }

    fn rows(engine: &Engine, query: &str) -> RecordBatch {
        let rows = engine.query("make rows", query).expect("they are made");
        rows.into_iter().next().expect("there are rows")
    }

    // The engine says what a test means.
    #[test]
    fn rows_are_seen_to_pass_where_the_engine_finds_none_that_fails() {
        let (_folder, engine) = engine();
        let words = ["'two'", "'ONE'", "''", "NULL"].map(|word| with(word, ["0", "0"], "0.5"));
        let pairs = [["-2", "0"], ["-1", "3"], ["3", "2"], ["4", "9"], ["NULL", "0"], ["0", "NULL"]];
        let pairs = pairs.map(|pair| with("'one'", pair, "0.5"));
        let shares =
            ["0.0", "-0.0", "1.0", "1.5", "-1e-300", "'nan'", "-CAST('nan' AS DOUBLE)", "'inf'", "NULL"];
        let shares = shares.map(|share| with("'one'", ["0", "0"], share));
        let mut outcomes = [[0, 0]; RULES.len()];
        for query in words.iter().chain(&pairs).chain(&shares) {
            engine.run("name it", &format!("CREATE OR REPLACE VIEW mart AS {query}")).expect("it is named");
            let rows = rows(&engine, query);
            for (rule, outcomes) in RULES.iter().zip(&mut outcomes) {
                let failing = format!("SELECT count(*) FROM ({})", Test::that(*rule).failing("mart"));
                let holds = engine.count("ask", &failing).expect("counted") == 0;
                assert_eq!(all_pass(*rule, &rows).expect("they compare"), holds, "{rule:?} of {query}");
                outcomes[usize::from(holds)] += 1;
            }
        }
        assert!(outcomes.iter().flatten().all(|n| *n > 0), "each passes and fails: {outcomes:?}");
    }

    #[test]
    fn large_whole_numbers_are_compared_as_they_are() {
        let (_folder, engine) = engine();
        let rows = rows(&engine, "SELECT 9007199254740993::BIGINT AS low, 9007199254740992::BIGINT AS high");
        assert!(!all_pass(Rule::AtMost("low", "high"), &rows).expect("they compare"));
        assert!(all_pass(Rule::AtMost("high", "low"), &rows).expect("they compare"));
    }

    #[test]
    fn a_test_that_some_rows_failed_is_not_passed_by_those_after_them() {
        let (_folder, engine) = engine();
        let [good, bad] = ["0", "-9"].map(|low| rows(&engine, &with("'one'", [low, "1"], "0.5")));
        let tests = RULES.map(Test::that);
        let seen = |batches: &[&RecordBatch]| {
            let mut seen = Seen { keys: Ascent::by(&[]), tests: &tests, passed: vec![true; tests.len()] };
            batches.iter().for_each(|batch| seen.see(batch).expect("they compare"));
            [0, 1, 2, 3, 4, 5, 6].map(|place| seen.passed(place))
        };
        assert_eq!(seen(&[&good, &bad, &good]), [true, true, true, false, true, true, false]);
        assert_eq!(seen(&[]), [true, true, true, true, true, true, false], "no row fails a test");
    }

    #[test]
    fn a_column_that_is_not_there_or_of_another_kind_is_left_to_the_engine() {
        let (_folder, engine) = engine();
        let rows = rows(&engine, &with("'one'", ["0", "1"], "0.5"));
        for rule in [
            Rule::NotNull("absent"),
            Rule::Accepted("low", &["0"]),
            Rule::Range("word", 0.0, 1.0),
            Rule::AtMost("low", "word"),
            Rule::Relationship("word", "dim_site", "site_id"),
        ] {
            assert!(!all_pass(rule, &rows).expect("nothing is compared"), "{rule:?}");
        }
    }
}
