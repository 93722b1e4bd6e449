//! `mart_visit_attendance`.

use crate::mart::{Definition, Mart, column};
use crate::test::{Rule, Test};

pub(super) const MART: Mart = Mart {
    name: "mart_visit_attendance",
    grain: "one row per scheduled visit",
    description: "Of all enrolled subjects, who came to each visit and why the others did not.",
    owner: "data management",
    inputs: &["dim_subject", "dim_visit", "fact_visit", "fact_disposition"],
    key: &["visit_num"],
    columns: &[
        column("visit_num", "the number of the visit", &["dim_visit.visit_num"]),
        column("visit", "the visit in words", &["dim_visit.visit"]),
        column("visit_order", "its place in the schedule", &["dim_visit.visit_order"]),
        column("n_enrolled", "enrolled subjects", &["dim_subject.is_enrolled"]),
        column("n_came", "subjects who came", &["fact_visit.occurred"]),
        column(
            "n_missed_and_returned",
            "subjects who missed it and came to a later one",
            &["fact_visit.occurred"],
        ),
        column(
            "n_missed_since",
            "subjects who missed it and have not come since, while in the study",
            &["fact_visit.is_missed"],
        ),
        column("n_left_before", "subjects who left the study before it", &["fact_disposition.decoded"]),
        column("n_not_due_yet", "subjects for whom it is not due yet", &["fact_visit.is_missed"]),
    ],
    tests: &[
        Test::that(Rule::AtMost("n_came", "n_enrolled")),
        Test::that(Rule::Absent(
            "the five groups add up to the enrolled subjects",
            "SELECT visit_num FROM mart_visit_attendance WHERE n_enrolled
                 <> n_came + n_missed_and_returned + n_missed_since + n_left_before + n_not_due_yet",
        )),
    ],
    tags: &["quality"],
    definition: Definition::Sql(include_str!("../missingness/attendance.sql")),
};
