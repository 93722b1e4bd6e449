//! `mart_ae_grade`.

use crate::mart::{Definition, Mart, column};
use crate::test::{Rule, Test};

pub(super) const MART: Mart = Mart {
    name: "mart_ae_grade",
    grain: "one row per grade of adverse events of enrolled subjects",
    description: "Adverse events by grade.",
    owner: "drug safety",
    inputs: &["dim_subject", "fact_ae"],
    key: &["grade"],
    columns: &[
        column("grade", "1 to 5; `NOT GRADED`", &["fact_ae.ctcae_grade"]),
        column("n_events", "events", &["fact_ae.subject_dk"]),
        column("n_subjects", "subjects with one", &["fact_ae.subject_dk"]),
        column("n_serious", "serious events", &["fact_ae.serious"]),
        column("n_related", "events that are related to the treatment", &["fact_ae.is_related"]),
        column("share_serious", "n_serious / n_events", &["fact_ae.serious"]),
    ],
    tests: &[Test::that(Rule::AtMost("n_serious", "n_events"))],
    tags: &["safety"],
    definition: Definition::Sql(include_str!("../safety/grades.sql")),
};
