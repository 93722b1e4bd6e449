//! `mart_reporting`.

use crate::indicators::by_visit;
use crate::mart::{Definition, Mart, Native, column};
use crate::test::{Rule, Test};

pub(super) const MART: Mart = Mart {
    name: "mart_reporting",
    grain: "one row per enrolled subject and visit that took place, in the order of their days",
    description: "What each subject had reported by each of its visits: for judging under- and over-reporting.",
    owner: "central monitoring",
    inputs: &["dim_subject", "fact_visit", "fact_ae", "fact_deviation"],
    key: &["subject_sk", "visit_no"],
    columns: &[
        column("subject_sk", "the subject as it is now", &["dim_subject.subject_sk"]),
        column("site_sk", "its site of now", &["dim_subject.site_sk"]),
        column(
            "visit_no",
            "1 for the first visit; visits of one day count once",
            &["fact_visit.start_date", "fact_visit.occurred"],
        ),
        column("n_ae", "adverse events that began by the day of the visit", &["fact_ae.start_min"]),
        column("n_sae", "of those, serious ones", &["fact_ae.start_min", "fact_ae.serious"]),
        column("n_pd", "protocol deviations by the day of the visit", &["fact_deviation.start_date"]),
    ],
    tests: &[
        Test::that(Rule::AtMost("n_sae", "n_ae")),
        Test::that(Rule::Range("visit_no", 1.0, 1e6)),
        Test::that(Rule::Absent(
            "the visits of a subject are numbered without a gap",
            "SELECT subject_sk FROM mart_reporting GROUP BY subject_sk HAVING max(visit_no) <> count(*)",
        )),
        Test::that(Rule::RowsAtMost(
            "visits that took place",
            "SELECT count(*) FROM fact_visit WHERE occurred",
        )),
    ],
    tags: &["rbqm"],
    definition: Definition::Native(
        || by_visit::QUERY,
        Native { schema: by_visit::schema, rows: by_visit::rows },
        1,
    ),
};
