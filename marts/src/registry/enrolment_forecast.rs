//! `mart_enrolment_forecast`.

use crate::mart::{Definition, Mart, column};
use crate::test::{Rule, Test};

pub(super) const MART: Mart = Mart {
    name: "mart_enrolment_forecast",
    grain: "one row per month-end until the cut-off, forecast horizon, and quantile of the day on which the target is reached",
    description: "Subjects enrolled, their target, and where recruitment goes on a forecast with limits.",
    owner: "clinical operations",
    inputs: &["mart_site_enrolment", "dim_study", "dim_subject"],
    key: &["day", "kind"],
    columns: &[
        column(
            "day",
            "the day: 2025-09-30",
            &["dim_subject.randomised_date", "dim_subject.ref_start_date", "dim_subject.consent_date"],
        ),
        column(
            "kind",
            "`actual`, `forecast`, or when the target is reached: `target_early` and `target_late` (95 %), `target_median`",
            &[],
        ),
        column(
            "n_enrolled",
            "subjects enrolled by then; of a forecast the median",
            &["dim_subject.is_enrolled", "mart_site_enrolment.n_enrolled"],
        ),
        column("lower_95", "lower limit of 95 %", PAST),
        column("upper_95", "upper limit of 95 %", PAST),
        column("lower_80", "lower limit of 80 %", PAST),
        column("upper_80", "upper limit of 80 %", PAST),
        column("target", "planned subjects", &["dim_study.planned_subjects"]),
    ],
    tests: &[
        Test::that(Rule::Accepted(
            "kind",
            &["actual", "forecast", "target_early", "target_median", "target_late"],
        )),
        Test::that(Rule::AtMost("lower_95", "upper_95")),
        Test::that(Rule::AtMost("lower_95", "lower_80")),
        Test::that(Rule::AtMost("upper_80", "upper_95")),
    ],
    tags: &["enrolment"],
    definition: Definition::Rust(
        crate::enrolment::forecast,
        1,
        &[crate::enrolment::CENTRES, crate::enrolment::BY_DAY],
    ),
};

const PAST: &[&str] = &["mart_site_enrolment.n_enrolled", "mart_site_enrolment.days_open"];
