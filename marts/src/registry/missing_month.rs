//! `mart_missing_month`.

use crate::mart::{Definition, Mart, column};
use crate::test::{Rule, Test};

pub(super) const MART: Mart = Mart {
    name: "mart_missing_month",
    grain: "one row per domain and month in which visits were due",
    description: "Missing values over time.",
    owner: "data management",
    inputs: &["mart_value_due", "dim_test"],
    key: &["domain", "year_month"],
    columns: &[
        column("domain", "the domain", &["dim_test.domain"]),
        column(
            "year_month",
            "the month of the visit, else the month in which it was planned: 202509",
            &["mart_value_due.due_date"],
        ),
        column("n_expected", "values that the schedule asks for", &["mart_value_due.came"]),
        column("n_received", "of those, values with a record", &["mart_value_due.received"]),
        column("n_observed", "of those, values with a result", RESULTS),
        column("n_item_missing", "records without a result", RESULTS),
        column("n_visit_missing", "expected values without a record", &["mart_value_due.came"]),
        column("share_missing_of_expected", "1 - n_observed / n_expected", RESULTS),
    ],
    tests: &[
        Test::that(Rule::AtMost("n_observed", "n_received")),
        Test::that(Rule::AtMost("n_received", "n_expected")),
        Test::that(Rule::Range("share_missing_of_expected", 0.0, 1.0)),
    ],
    tags: &["quality"],
    definition: Definition::Sql(concat!(
        include_str!("../missingness/of_due.sql"),
        ", variables AS (\n",
        include_str!("../missingness/variables.sql"),
        ")\n",
        include_str!("../missingness/by_month.sql")
    )),
};

const RESULTS: &[&str] = &["mart_value_due.observed", "mart_value_due.received"];
