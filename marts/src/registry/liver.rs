//! `mart_liver`.

use crate::mart::{Definition, Mart, column};
use crate::test::{Rule, Test};

pub(super) const MART: Mart = Mart {
    name: "mart_liver",
    grain: "one row per enrolled subject with liver tests after baseline",
    description: "The highest liver tests of each subject, and the laboratory part of Hy's law.",
    owner: "drug safety",
    inputs: &["dim_subject", "dim_test", "fact_lab"],
    key: &["subject_id"],
    columns: &[
        column("subject_id", "the subject", &["dim_subject.subject_id"]),
        column("site_id", "the site of now", &["dim_subject.site_id"]),
        column(
            "alt_x_uln",
            "highest alanine aminotransferase, over its upper limit of normal",
            &["fact_lab.x_uln"],
        ),
        column("ast_x_uln", "highest aspartate aminotransferase", &["fact_lab.x_uln"]),
        column("transaminase_x_uln", "the higher of the two", &["fact_lab.x_uln"]),
        column("bilirubin_x_uln", "highest total bilirubin", &["fact_lab.x_uln"]),
        column("alkaline_phosphatase_x_uln", "highest alkaline phosphatase", &["fact_lab.x_uln"]),
        column(
            "hys_law",
            "`Y` where a transaminase of at least 3 and bilirubin of at least 2 times the limit are within 30 days",
            &["fact_lab.x_uln"],
        ),
        column(
            "hys_law_day",
            "days from the first result to the day on which both were there",
            &["fact_lab.collected_date"],
        ),
        column(
            "cholestasis",
            "`ruled out` with alkaline phosphatase below 2 times the limit, `present`, or `not known`",
            &["fact_lab.x_uln"],
        ),
    ],
    tests: &[Test::that(Rule::Accepted("hys_law", &["Y", "N"]))],
    tags: &["safety"],
    definition: Definition::Rust(crate::safety::liver, 1, &[crate::safety::LIVER]),
};
