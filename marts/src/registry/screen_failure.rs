//! `mart_screen_failure`.

use crate::mart::{Definition, Mart, column};
use crate::test::{Rule, Test};

pub(super) const MART: Mart = Mart {
    name: "mart_screen_failure",
    grain: "one row per reason for which screening failed",
    description: "Why screening failed.",
    owner: "clinical operations",
    inputs: &["dim_subject", "fact_disposition"],
    key: &["reason"],
    columns: &[
        column("reason", "the reason; `NOT STATED` without one", &["fact_disposition.term"]),
        column("n_subjects", "subjects", &["dim_subject.is_screen_failure"]),
        column("share", "of all who failed", &["dim_subject.is_screen_failure"]),
    ],
    tests: &[
        Test::that(Rule::Range("share", 0.0, 1.0)),
        Test::that(Rule::Reconciles(
            "the sum of subjects",
            "SELECT sum(n_subjects) FROM mart_screen_failure",
            "SELECT nullif(count(*), 0) FROM dim_subject WHERE is_current AND is_screen_failure",
        )),
    ],
    tags: &["enrolment"],
    definition: Definition::Sql(include_str!("../enrolment/screen_failure.sql")),
};
