//! `mart_value_due`.

use crate::mart::{Definition, Mart, Native, column};
use crate::test::{Rule, Test};

pub(super) const MART: Mart = Mart {
    name: "mart_value_due",
    grain: "one row per subject, scheduled visit due and variable due at it",
    description: "Each value that the schedule asks of a subject: whether it came, and its number. What other marts count.",
    owner: "data management",
    inputs: &["dim_site", "dim_visit", "dim_test", "fact_visit", "fact_observation", "fact_lab"],
    key: &["test_dk", "visit_dk", "subject_dk"],
    columns: &[
        column("subject_dk", "the subject, over its versions", &["fact_visit.subject_dk"]),
        column("test_dk", "the variable, over its versions", &["dim_test.test_dk"]),
        column("visit_dk", "the visit, over its versions", &["dim_visit.visit_dk"]),
        column("site_dk", "the site, over its versions", &["dim_site.site_dk"]),
        column("came", "1 where the visit took place", &["fact_visit.occurred"]),
        column(
            "due_date",
            "the day of the visit, else the day on which it was planned",
            &["fact_visit.start_date"],
        ),
        column("received", "1 where there is a record", &["fact_observation.test_sk", "fact_lab.test_sk"]),
        column("observed", "1 where the record has a result", RESULTS),
        column(
            "mean_value",
            "its number in standard units, the mean of repeated ones",
            &["fact_observation.std_value", "fact_lab.std_value"],
        ),
    ],
    tests: &[Test::that(Rule::AtMost("observed", "received")), Test::that(Rule::NotNull("site_dk"))],
    tags: &["quality"],
    definition: Definition::Native(
        || crate::missingness::QUERY,
        Native { schema: crate::missingness::schema, rows: crate::missingness::due },
        2,
    ),
};

const RESULTS: &[&str] = &[
    "fact_observation.std_result",
    "fact_observation.not_done",
    "fact_lab.std_result",
    "fact_lab.std_value",
];
