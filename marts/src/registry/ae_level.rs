//! `mart_ae_level`.

use crate::mart::{Definition, Mart, column};
use crate::test::{Rule, Test};

pub(super) const MART: Mart = Mart {
    name: "mart_ae_level",
    grain: "one row per arm (and all of them), level of the dictionary, body system and term",
    description: "Adverse events by level of the dictionary, with exact limits of shares and of rates by exposure.",
    owner: "drug safety",
    inputs: &["dim_subject", "dim_study", "dim_term", "fact_ae", "subject_treatment"],
    key: &["arm", "level", "soc", "term"],
    columns: &[
        column("arm", "the arm where the study is not blinded; `ALL`", &["subject_treatment.actual_arm"]),
        column("level", "`ANY`, `SOC`, `HLGT`, `HLT`, `PT`; those that the source has", &[]),
        column("soc", "the body system; `NOT CODED` without one, empty for any event", &["fact_ae.soc"]),
        column(
            "term",
            "the term of the level",
            &["fact_ae.pt", "fact_ae.term", "fact_ae.soc", "dim_term.hlt", "dim_term.hlgt"],
        ),
        column("n_events", "events", &["fact_ae.subject_dk"]),
        column("n_subjects", "subjects with an event", &["fact_ae.subject_dk"]),
        column("n_serious", "serious events", &["fact_ae.serious"]),
        column("n_related", "events that are related to the treatment", &["fact_ae.is_related"]),
        column("n_grade_3_and_higher", "events of grade 3 and higher", &["fact_ae.ctcae_grade"]),
        column("n_enrolled", "enrolled subjects of the arm", &["dim_subject.is_enrolled"]),
        column("exposure_days", "their days on study", &["dim_subject.days_on_study"]),
        column("share_of_subjects", "n_subjects / n_enrolled", &["fact_ae.subject_dk"]),
        column("share_lower", "its lower limit of 95 % (Clopper and Pearson)", &["fact_ae.subject_dk"]),
        column("share_upper", "its upper limit", &["fact_ae.subject_dk"]),
        column(
            "events_per_100_patient_years",
            "n_events in 36,525 days on study",
            &["fact_ae.subject_dk", "dim_subject.days_on_study"],
        ),
        column("rate_lower", "its lower limit of 95 % (exact Poisson)", &["fact_ae.subject_dk"]),
        column("rate_upper", "its upper limit", &["fact_ae.subject_dk"]),
    ],
    tests: &[
        Test::that(Rule::AtMost("n_subjects", "n_events")),
        Test::that(Rule::AtMost("n_subjects", "n_enrolled")),
        Test::that(Rule::AtMost("share_lower", "share_of_subjects")),
        Test::that(Rule::AtMost("rate_lower", "rate_upper")),
        Test::that(Rule::Reconciles(
            "the sum of events",
            "SELECT sum(n_events) FROM mart_ae_level WHERE arm = 'ALL' AND level = 'PT'",
            super::EVENTS_OF_ENROLLED,
        )),
    ],
    tags: &["safety"],
    definition: Definition::Rust(crate::safety::by_level, 1, &[crate::safety::LEVELS]),
};
