//! `mart_missing_association`.

use crate::mart::{Definition, Mart, column};
use crate::test::{Rule, Test};

pub(super) const MART: Mart = Mart {
    name: "mart_missing_association",
    grain: "one row per variable with gaps and what its gaps are compared with",
    description: "Observed values, sites and arms that go with missing values.",
    owner: "data management",
    inputs: &[
        "mart_value_due",
        "dim_site",
        "dim_visit",
        "dim_test",
        "dim_subject",
        "dim_study",
        "subject_treatment",
    ],
    key: &["domain", "variable", "compared"],
    columns: &[
        column("domain", "the domain", &["dim_test.domain"]),
        column("variable", "the variable with gaps", &["dim_test.test_code"]),
        column(
            "compared",
            "another variable of the domain; `AGE`, `VISIT` (its order), `BEFORE` (its own last value), `SITE`, or `ARM` where the study is not blinded",
            &[
                "dim_test.test_code",
                "dim_subject.age",
                "dim_visit.visit_order",
                "dim_site.site_id",
                "subject_treatment.actual_arm",
            ],
        ),
        column("method", "`welch` for values, `chi_square` for groups", &[]),
        column("n_missing", "values compared where the variable is missing", RESULTS),
        column("n_observed", "values compared where it is observed", RESULTS),
        column("statistic", "Welch's t, missing less observed, or Pearson's chi-square", RESULTS),
        column("degrees_of_freedom", "its degrees of freedom", RESULTS),
        column("effect", "the standardised difference of the means, or Cramer's V", RESULTS),
        column("p_value", "its probability; visits of one subject count as independent", RESULTS),
        column("q_value", "the same, adjusted for all comparisons (Benjamini and Hochberg)", RESULTS),
    ],
    tests: &[
        Test::that(Rule::Range("p_value", 0.0, 1.0)),
        Test::that(Rule::AtMost("p_value", "q_value")),
        Test::that(Rule::Accepted("method", &["welch", "chi_square"])),
    ],
    tags: &["quality"],
    definition: Definition::Rust(crate::mechanism::associations, 4, &crate::mechanism::QUERIES),
};

const RESULTS: &[&str] = &["mart_value_due.observed", "mart_value_due.received"];
