//! `mart_kri_bounds`.

use crate::indicators::{PARAMETERS, bounds};
use crate::mart::{Definition, Mart, column};
use crate::test::{Rule, Test};

pub(super) const MART: Mart = Mart {
    name: "mart_kri_bounds",
    grain: "one row per indicator, threshold and denominator of the grid",
    description: "The limits of each indicator over the denominator, for the funnel figure.",
    owner: "central monitoring",
    inputs: &["mart_indicator_input", "dim_site"],
    key: &["indicator_id", "threshold", "denominator"],
    columns: &[
        column("indicator_id", "the indicator", &["mart_indicator_input.indicator_id"]),
        column("threshold", "the score that the limit belongs to", &[]),
        column("denominator", "a point of the grid", &["mart_indicator_input.denominator"]),
        column("numerator", "the limit as a count", BOTH),
        column("metric", "the limit as a share or rate", BOTH),
    ],
    tests: &[Test::that(Rule::NotNull("metric"))],
    tags: &["rbqm"],
    definition: Definition::Rust(bounds::bounds_by_indicator, 2, &[PARAMETERS]),
};

const BOTH: &[&str] = &["mart_indicator_input.numerator", "mart_indicator_input.denominator"];
