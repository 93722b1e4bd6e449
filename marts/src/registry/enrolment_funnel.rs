//! `mart_enrolment_funnel`.

use crate::mart::{Definition, Mart, column};
use crate::test::{Rule, Test};

pub(super) const MART: Mart = Mart {
    name: "mart_enrolment_funnel",
    grain: "one row per unit (sites, subjects) and stage",
    description: "How many sites and subjects have come how far.",
    owner: "clinical operations",
    inputs: &["dim_study", "dim_site", "dim_subject", "fact_disposition"],
    key: &["unit", "stage_order"],
    columns: &[
        column("unit", "`sites` or `subjects`", &[]),
        column("stage_order", "the place of the stage", &[]),
        column("stage", "the stage", &[]),
        column(
            "n",
            "sites or subjects that have come so far; null where the source does not say",
            &[
                "dim_site.activation_date",
                "dim_subject.is_enrolled",
                "fact_disposition.decoded",
                "dim_study.planned_sites",
            ],
        ),
    ],
    tests: &[Test::that(Rule::Accepted("unit", &["sites", "subjects"]))],
    tags: &["enrolment"],
    definition: Definition::Sql(include_str!("../enrolment/funnel.sql")),
};
