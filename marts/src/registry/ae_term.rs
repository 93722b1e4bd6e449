//! `mart_ae_term`.

use crate::mart::{Definition, Mart, column};
use crate::test::{Rule, Test};

pub(super) const MART: Mart = Mart {
    name: "mart_ae_term",
    grain: "one row per body system and preferred term among the adverse events of enrolled subjects",
    description: "Adverse events by body system and term: events, subjects, seriousness, and rate by exposure.",
    owner: "drug safety",
    inputs: &["dim_subject", "fact_ae"],
    key: &["soc", "pt"],
    columns: &[
        column("soc", "the body system; `NOT CODED` without one", &["fact_ae.soc"]),
        column("pt", "the preferred term, else the words of the source", &["fact_ae.pt", "fact_ae.term"]),
        column("n_events", "events", &["fact_ae.subject_dk"]),
        column("n_subjects", "subjects with an event", &["fact_ae.subject_dk"]),
        column("n_serious", "serious events", &["fact_ae.serious"]),
        column("n_related", "events that are related to the treatment", &["fact_ae.is_related"]),
        column("n_grade_3_and_higher", "events of grade 3 and higher", &["fact_ae.ctcae_grade"]),
        column("n_emergent", "events that began under treatment (R-11)", &["fact_ae.emergent"]),
        column("n_enrolled", "enrolled subjects of the study", &["dim_subject.is_enrolled"]),
        column(
            "share_of_subjects",
            "n_subjects / n_enrolled",
            &["fact_ae.subject_dk", "dim_subject.is_enrolled"],
        ),
        column("exposure_days", "days on study of all enrolled subjects", &["dim_subject.days_on_study"]),
        column(
            "events_per_100_patient_years",
            "n_events in 36,525 days on study",
            &["fact_ae.subject_dk", "dim_subject.days_on_study"],
        ),
    ],
    tests: &[
        Test::that(Rule::AtMost("n_subjects", "n_events")),
        Test::that(Rule::AtMost("n_subjects", "n_enrolled")),
        Test::that(Rule::Range("share_of_subjects", 0.0, 1.0)),
        Test::that(Rule::Reconciles(
            "the sum of events",
            "SELECT sum(n_events) FROM mart_ae_term",
            super::EVENTS_OF_ENROLLED,
        )),
        // Where a study's events are coded at all.
        Test::warns(Rule::Absent(
            "every event has a body system",
            "SELECT soc, pt, n_events FROM mart_ae_term WHERE soc = 'NOT CODED'
                 AND EXISTS (SELECT 1 FROM mart_ae_term WHERE soc <> 'NOT CODED')",
        )),
    ],
    tags: &["safety"],
    definition: Definition::Sql(include_str!("../safety/events.sql")),
};
