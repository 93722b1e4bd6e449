//! `mart_indicator`.

use crate::indicators::{PARAMETERS, by_method};
use crate::mart::{Definition, Mart, column};
use crate::test::{Rule, Test};

pub(super) const MART: Mart = Mart {
    name: "mart_indicator",
    grain: "one row per indicator, level, group with a denominator above zero, and method",
    description: "Risk indicators of each site, country and region by each method, with probabilities adjusted for the false discovery rate.",
    owner: "central monitoring",
    inputs: &["mart_indicator_input", "dim_site"],
    key: &["indicator_id", "level", "group_id", "method"],
    columns: &[
        column("indicator_id", "the indicator", &["mart_indicator_input.indicator_id"]),
        column("level", "`site`, `country` or `region`", &[]),
        column(
            "group_id",
            "the site, country or region",
            &["dim_site.site_id", "dim_site.country", "dim_site.region"],
        ),
        column("method", "`normal_approximation`, `leave_one_out` or `exact`", &[]),
        column("numerator", "events of the group", &["mart_indicator_input.numerator"]),
        column("denominator", "what they are divided by", &["mart_indicator_input.denominator"]),
        column("metric", "numerator / denominator", BOTH),
        column("expected", "events that the others lead one to expect", BOTH),
        column("factor", "the over-dispersion; null where the method knows none", BOTH),
        column("score", "standard deviations from what is expected", BOTH),
        column("p_value", "the two-sided probability of what was seen or worse", BOTH),
        column("q_value", "the same, adjusted for how many groups were looked at", BOTH),
        column("flag", "-2 to 2 by the indicator's thresholds", BOTH),
    ],
    tests: &[
        Test::that(Rule::NotNull("metric")),
        Test::that(Rule::Accepted("level", &["site", "country", "region"])),
        Test::that(Rule::Accepted("method", &["normal_approximation", "leave_one_out", "exact"])),
        Test::that(Rule::Range("flag", -2.0, 2.0)),
        Test::that(Rule::Range("p_value", 0.0, 1.0)),
        Test::that(Rule::AtMost("p_value", "q_value")),
    ],
    tags: &["rbqm"],
    definition: Definition::Rust(by_method::by_level, 1, &[PARAMETERS]),
};

const BOTH: &[&str] = &["mart_indicator_input.numerator", "mart_indicator_input.denominator"];
