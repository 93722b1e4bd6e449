//! `mart_missing_mechanism`.

use crate::mart::{Definition, Mart, column};
use crate::test::{Rule, Test};

pub(super) const MART: Mart = Mart {
    name: "mart_missing_mechanism",
    grain: "one row per domain and visit, one per domain and one for the study",
    description: "Little's test that values are missing completely at random.",
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
    key: &["domain", "visit"],
    columns: &[
        column("domain", "the domain; `ALL` for the study", &["dim_test.domain"]),
        column("visit", "the visit; `ALL` for all of the domain", &["dim_visit.visit"]),
        column("visit_order", "its place in the schedule", &["dim_visit.visit_order"]),
        column("n_rows", "subjects who came; of `ALL`, times that they came, by domain", RESULTS),
        column("n_variables", "numeric variables that vary; of `ALL`, variables that were due", RESULTS),
        column("n_patterns", "patterns of gaps", RESULTS),
        column("statistic", "Little's d2, with the mean and covariance of maximum likelihood", RESULTS),
        column("degrees_of_freedom", "its degrees of freedom, adjusted for rank", RESULTS),
        column("p_value", "its probability; of `ALL`, the combined one", RESULTS),
        column("not_judged", "why there is none", RESULTS),
    ],
    tests: &[Test::that(Rule::Range("p_value", 0.0, 1.0))],
    tags: &["quality"],
    definition: Definition::Rust(crate::mechanism::mechanism, 4, &crate::mechanism::QUERIES),
};

const RESULTS: &[&str] = &["mart_value_due.observed", "mart_value_due.received"];
