//! `mart_lab_shift`.

use crate::mart::{Definition, Mart, column};
use crate::test::{Rule, Test};

pub(super) const MART: Mart = Mart {
    name: "mart_lab_shift",
    grain: "one row per laboratory test, scale, state at baseline and worst state after it",
    description: "From which laboratory state to which worst one subjects went.",
    owner: "drug safety",
    inputs: &["dim_subject", "dim_test", "fact_lab"],
    key: &["test_code", "scale", "baseline", "worst"],
    columns: &[
        column("test_code", "the test", &["dim_test.test_code"]),
        column("scale", "`range` by the limits of the laboratory, `grade` by toxicity", &[]),
        column(
            "baseline",
            "the state at baseline",
            &["fact_lab.range_indicator", "fact_lab.toxicity_grade", "fact_lab.is_baseline"],
        ),
        column("worst", "the worst state after it", &["fact_lab.range_indicator", "fact_lab.toxicity_grade"]),
        column("n_subjects", "subjects", &["fact_lab.subject_dk"]),
    ],
    tests: &[
        Test::that(Rule::Accepted("scale", &["range", "grade"])),
        Test::that(Rule::NotNull("n_subjects")),
    ],
    tags: &["safety"],
    definition: Definition::Sql(include_str!("../safety/lab_shift.sql")),
};
