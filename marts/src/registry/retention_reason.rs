//! `mart_retention_reason`.

use crate::mart::{Definition, Mart, column};
use crate::retention;
use crate::test::{Rule, Test};

pub(super) const MART: Mart = Mart {
    name: "mart_retention_reason",
    grain: "one row per reason and day on which a subject left for it",
    description: "The share of subjects that has left for each reason, as competing risks.",
    owner: "clinical operations",
    inputs: &["dim_subject", "fact_disposition"],
    key: &["reason", "day"],
    columns: &[
        column("reason", "why subjects left", &["fact_disposition.decoded", "fact_disposition.term"]),
        column("day", "days on study", &["dim_subject.days_on_study"]),
        column("share_left", "the share that has left for it by then", BOTH),
        column("standard_error", "its standard error", BOTH),
    ],
    tests: &[Test::that(Rule::Range("share_left", 0.0, 1.0))],
    tags: &["enrolment"],
    definition: Definition::Rust(retention::by_reason, 1, &[retention::COURSES]),
};

const BOTH: &[&str] = &["dim_subject.days_on_study", "fact_disposition.decoded"];
