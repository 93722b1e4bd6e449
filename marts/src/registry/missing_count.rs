//! `mart_missing_count`.

use crate::mart::{Definition, Mart, Native, column};
use crate::missingness::counts;
use crate::test::{Rule, Test};

pub(super) const MART: Mart = Mart {
    name: "mart_missing_count",
    grain: "one row per variable, scheduled visit and site, by their keys",
    description: "How many of the values due were received and observed. What `mart_missingness` gives names to.",
    owner: "data management",
    inputs: &["mart_value_due"],
    key: &["test_dk", "visit_dk", "site_dk"],
    columns: &[
        column("test_dk", "the variable, over its versions", &["mart_value_due.test_dk"]),
        column("visit_dk", "the visit, over its versions", &["mart_value_due.visit_dk"]),
        column("site_dk", "the site, over its versions", &["mart_value_due.site_dk"]),
        column(
            "n_expected",
            "subjects of whom the value is expected: the visit took place, or its window closed (R-06)",
            &["mart_value_due.came", "mart_value_due.visit_dk"],
        ),
        column("n_received", "of those, subjects with a record", &["mart_value_due.received"]),
        column("n_observed", "of those, subjects whose record has a result", &["mart_value_due.observed"]),
    ],
    tests: &[
        Test::that(Rule::AtMost("n_observed", "n_received")),
        Test::that(Rule::AtMost("n_received", "n_expected")),
    ],
    tags: &["quality"],
    definition: Definition::Native(
        || counts::QUERY,
        Native { schema: counts::schema, rows: counts::rows },
        1,
    ),
};
