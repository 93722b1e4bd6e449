//! `mart_subject_results`.

use crate::indicators::results;
use crate::mart::{Definition, Mart, Native, column};
use crate::test::{Rule, Test};

pub(super) const MART: Mart = Mart {
    name: "mart_subject_results",
    grain: "one row per subject with a result",
    description: "How many results each subject has: of the indicators' inputs the part that takes longest, and changes only with results.",
    owner: "central monitoring",
    inputs: &["fact_lab", "fact_observation"],
    key: &["subject_dk"],
    columns: &[
        column(
            "subject_dk",
            "the subject, whatever its version",
            &["fact_lab.subject_dk", "fact_observation.subject_dk"],
        ),
        column(
            "n_assessments",
            "results of laboratory and other findings, but for drug samples and accountability",
            &["fact_lab.subject_dk", "fact_observation.domain"],
        ),
        column(
            "n_empty",
            "of those, not done or without a value",
            &[
                "fact_lab.not_done",
                "fact_lab.std_value",
                "fact_lab.std_result",
                "fact_observation.not_done",
                "fact_observation.std_value",
                "fact_observation.std_result",
            ],
        ),
        column("n_graded", "laboratory results with a grade of toxicity", &["fact_lab.toxicity_grade"]),
        column("n_grade_3_4", "of those, grade 3 or 4", &["fact_lab.toxicity_grade"]),
        column("n_samples_due", "samples for pharmacokinetics", &["fact_observation.domain"]),
        column("n_samples", "of those, taken", &["fact_observation.not_done"]),
    ],
    tests: &[
        Test::that(Rule::AtMost("n_empty", "n_assessments")),
        Test::that(Rule::AtMost("n_grade_3_4", "n_graded")),
        Test::that(Rule::AtMost("n_samples", "n_samples_due")),
    ],
    tags: &["rbqm"],
    definition: Definition::Native(
        results::query,
        Native { schema: results::schema, rows: results::rows },
        1,
    ),
};
