//! `mart_retention_group`.

use crate::mart::{Definition, Mart, column};
use crate::test::{Rule, Test};

pub(super) const MART: Mart = Mart {
    name: "mart_retention_group",
    grain: "one row per level (site, country, arm) and group",
    description: "Of each group, who left and who would have at the pace of all, with the log-rank test.",
    owner: "clinical operations",
    inputs: &["dim_subject", "dim_study", "fact_disposition", "subject_treatment"],
    key: &["level", "group_id"],
    columns: &[
        column("level", "`site`, `country`, or `arm` where the study is not blinded", &[]),
        column(
            "group_id",
            "the group",
            &["dim_subject.site_id", "dim_subject.country", "subject_treatment.actual_arm"],
        ),
        column("n_subjects", "enrolled subjects with known days on study", &["dim_subject.days_on_study"]),
        column("n_left", "of those, who left early", &["fact_disposition.decoded"]),
        column("n_expected", "who would have left at the pace of all", BOTH),
        column(
            "on_study_day_90",
            "share still on study after 90 days; null where nobody was followed so long",
            BOTH,
        ),
        column("on_study_day_180", "after 180 days", BOTH),
        column("on_study_day_365", "after 365 days", BOTH),
        column("chi_square", "log-rank statistic of the level", BOTH),
        column("degrees_of_freedom", "its degrees of freedom", BOTH),
        column("p_value", "its probability if all groups left at one pace", BOTH),
    ],
    tests: &[
        Test::that(Rule::Accepted("level", &["site", "country", "arm"])),
        Test::that(Rule::AtMost("n_left", "n_subjects")),
        Test::that(Rule::Range("p_value", 0.0, 1.0)),
    ],
    tags: &["enrolment"],
    definition: Definition::Rust(
        crate::retention::by_group::by_group,
        1,
        &[crate::retention::by_group::GROUPS],
    ),
};

const BOTH: &[&str] = &["dim_subject.days_on_study", "fact_disposition.decoded"];
