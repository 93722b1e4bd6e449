//! `mart_indicator_input`.

use crate::mart::{Definition, Mart, column};
use crate::test::{Rule, Test};

pub(super) const MART: Mart = Mart {
    name: "mart_indicator_input",
    grain: "one row per indicator and subject that counts for it",
    description: "What each subject adds to the numerator and the denominator of each risk indicator.",
    owner: "central monitoring",
    inputs: &[
        "dim_subject",
        "fact_ae",
        "fact_deviation",
        "fact_lab",
        "fact_disposition",
        "fact_query",
        "fact_form",
    ],
    key: &["indicator_id", "subject_sk"],
    columns: &[
        column("indicator_id", "the indicator", &[]),
        column("subject_sk", "the subject as it is now", &["dim_subject.subject_sk"]),
        column("site_sk", "its site of now", &["dim_subject.site_sk"]),
        column(
            "numerator",
            "events of the subject that the indicator counts",
            &[
                "fact_ae.serious",
                "fact_deviation.important",
                "fact_lab.toxicity_grade",
                "fact_disposition.decoded",
                "fact_disposition.scope",
                "fact_query.state",
                "fact_query.age_days",
                "fact_form.entry_lag_days",
                "fact_form.n_items_changed",
                "dim_subject.is_screen_failure",
            ],
        ),
        column(
            "denominator",
            "what they are divided by: days on study, graded results, data points, pages or subjects",
            &[
                "dim_subject.days_on_study",
                "dim_subject.is_enrolled",
                "fact_lab.toxicity_grade",
                "fact_form.n_items",
                "fact_query.state",
            ],
        ),
    ],
    tests: &[
        Test::that(Rule::NotNull("numerator")),
        Test::that(Rule::NotNull("denominator")),
        Test::that(Rule::Range("numerator", 0.0, 1e15)),
        Test::that(Rule::Range("denominator", 0.0, 1e15)),
        Test::that(Rule::Relationship("site_sk", "dim_site", "site_sk")),
        Test::that(Rule::RowsAtMost(
            "indicators times subjects",
            "SELECT (SELECT count(DISTINCT indicator_id) FROM mart_indicator_input)
                * (SELECT count(*) FROM dim_subject WHERE is_current)",
        )),
        Test::that(Rule::Reconciles(
            "the sum of adverse events of enrolled subjects (kri0001)",
            "SELECT sum(numerator) FROM mart_indicator_input WHERE indicator_id = 'kri0001'",
            super::EVENTS_OF_ENROLLED,
        )),
    ],
    tags: &["rbqm"],
    definition: Definition::Sql(include_str!("../indicators/input.sql")),
};
