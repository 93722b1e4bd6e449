//! `mart_retention`.

use crate::mart::{Definition, Mart, column};
use crate::retention;
use crate::test::{Rule, Test};

pub(super) const MART: Mart = Mart {
    name: "mart_retention",
    grain: "one row per day on which a subject left the study or was last seen",
    description: "The share of subjects that stays on study, by the Kaplan-Meier estimate with 95 % limits.",
    owner: "clinical operations",
    inputs: &["dim_subject", "fact_disposition"],
    key: &["day"],
    columns: &[
        column("day", "days on study", &["dim_subject.days_on_study"]),
        column("at_risk", "subjects still on study before it", &["dim_subject.days_on_study"]),
        column(
            "n_left",
            "subjects that left on it",
            &["fact_disposition.decoded", "fact_disposition.category"],
        ),
        column("n_censored", "subjects that completed or go on", &["fact_disposition.decoded"]),
        column("share_on_study", "the share that stays beyond it", BOTH),
        column("standard_error", "its standard error by Greenwood's formula; null once nobody remains", BOTH),
        column("lower_limit", "its lower limit of 95 %, on the log-log scale", BOTH),
        column("upper_limit", "its upper limit", BOTH),
    ],
    tests: &[
        // A hundred years: a year that was typed wrong would stand in every rate by exposure.
        Test::that(Rule::Range("day", 0.0, 36_525.0)),
        Test::that(Rule::Range("share_on_study", 0.0, 1.0)),
        Test::that(Rule::AtMost("n_left", "at_risk")),
        Test::that(Rule::Reconciles(
            "the sum of subjects that left",
            "SELECT sum(n_left) FROM mart_retention",
            "SELECT count(DISTINCT d.subject_dk) FROM fact_disposition d
             JOIN dim_subject s ON s.subject_dk = d.subject_dk
             WHERE s.is_current AND s.is_enrolled AND s.days_on_study IS NOT NULL
                 AND d.category = 'DISPOSITION EVENT' AND d.scope = 'STUDY'
                 AND COALESCE(d.decoded, '') NOT IN ('COMPLETED', 'SCREEN FAILURE')",
        )),
    ],
    tags: &["enrolment"],
    definition: Definition::Rust(retention::curve, 2, &[retention::COURSES]),
};

const BOTH: &[&str] = &["dim_subject.days_on_study", "fact_disposition.decoded"];
