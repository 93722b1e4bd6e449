//! `mart_missing_pattern`.

use crate::mart::{Definition, Mart, column};
use crate::test::{Rule, Test};

pub(super) const MART: Mart = Mart {
    name: "mart_missing_pattern",
    grain: "one row per domain and set of its variables that are missing together",
    description: "Which variables are missing together at visits that took place.",
    owner: "data management",
    inputs: &[
        "mart_value_due",
        "dim_site",
        "dim_visit",
        "dim_test",
        "dim_subject",
        "dim_study",
        "subject_treatment",
    ],
    key: &["domain", "missing"],
    columns: &[
        column("domain", "the domain", &["dim_test.domain"]),
        column("missing", "the variables that are missing; empty for none", &["dim_test.test_code"]),
        column("n_missing", "how many they are", &["dim_test.test_code"]),
        column("n_rows", "subjects at visits with exactly this gap", RESULTS),
        column("share", "of all rows of the domain", RESULTS),
    ],
    tests: &[Test::that(Rule::Range("share", 0.0, 1.0)), Test::that(Rule::NotNull("n_rows"))],
    tags: &["quality"],
    definition: Definition::Rust(crate::mechanism::patterns, 4, &crate::mechanism::QUERIES),
};

const RESULTS: &[&str] = &["mart_value_due.observed", "mart_value_due.received"];
