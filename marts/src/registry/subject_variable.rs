//! `mart_subject_variable`.

use crate::mart::{Definition, Mart, column};
use crate::test::{Rule, Test};

pub(super) const MART: Mart = Mart {
    name: "mart_subject_variable",
    grain: "one row per enrolled subject and numeric variable",
    description: "The values of each subject in brief: what a site test leads to.",
    owner: "central monitoring",
    inputs: &["dim_subject", "dim_test", "fact_observation", "fact_lab"],
    key: &["subject_id", "variable"],
    columns: &[
        column("site_id", "the site of now", &["dim_subject.site_id"]),
        column("subject_id", "the subject", &["dim_subject.subject_id"]),
        column("variable", "domain and test code: `VS.SYSBP`", &["dim_test.domain", "dim_test.test_code"]),
        column("test", "the variable in words", &["dim_test.test"]),
        column("unit", "its standard unit", &["dim_test.std_unit"]),
        column("n_values", "values of the subject", VALUES),
        column("mean", "their mean", VALUES),
        column("standard_deviation", "their standard deviation; null with one value", VALUES),
        column("least", "the least", VALUES),
        column("greatest", "the greatest", VALUES),
        column(
            "n_ending_in_0_or_5",
            "values whose last digit is 0 or 5; null for laboratory tests",
            &["fact_observation.last_digit"],
        ),
    ],
    tests: &[
        Test::that(Rule::NotNull("n_values")),
        Test::that(Rule::AtMost("least", "greatest")),
        Test::that(Rule::AtMost("n_ending_in_0_or_5", "n_values")),
    ],
    tags: &["site_tests"],
    definition: Definition::Sql(include_str!("../site_test/by_subject.sql")),
};

const VALUES: &[&str] = &["fact_observation.std_value", "fact_lab.std_value"];
