//! `mart_indicator`.

use crate::indicators::{PARAMETERS, by_method};
use crate::mart::{Definition, Mart, column};
use crate::test::{Rule, Test};

pub(super) const MART: Mart = Mart {
    name: "mart_indicator",
    grain: "one row per indicator, level, group with a denominator above zero, and method",
    description: "Risk indicators of the study and of each site, country, region, CRO and monitor by each method, with probabilities adjusted for the false discovery rate.",
    owner: "central monitoring",
    inputs: &["mart_indicator_input", "mart_reporting", "dim_site"],
    key: &["indicator_id", "level", "group_id", "method"],
    columns: &[
        column("indicator_id", "the indicator", &["mart_indicator_input.indicator_id"]),
        column("level", "`study`, `site`, `country`, `region`, `cro` or `monitor`", &[]),
        column(
            "group_id",
            "the study, site, country, region or CRO, or the pseudonym of the monitor",
            &[
                "dim_site.site_id",
                "dim_site.country",
                "dim_site.region",
                "dim_site.cro",
                "dim_site.monitor_pseudonym",
            ],
        ),
        column(
            "method",
            "`normal_approximation`, `leave_one_out`, `exact`, `in_frame` or `identity`; `metric` for the study",
            &[],
        ),
        column("numerator", "events of the group", NUMERATOR),
        column("denominator", "what they are divided by", DENOMINATOR),
        column("metric", "numerator / denominator", BOTH),
        column("expected", "events that the others lead one to expect; null without a comparison", BOTH),
        column("factor", "the over-dispersion; null where the method knows none", BOTH),
        column("score", "standard deviations from what is expected", BOTH),
        column("p_value", "the two-sided probability of what was seen or worse", BOTH),
        column("q_value", "the same, adjusted for how many groups and indicators were looked at", BOTH),
        column("p_low", "the probability of so few events or fewer: small for under-reporting", BOTH),
        column("q_low", "the same, adjusted", BOTH),
        column("p_high", "the probability of so many events or more: small for over-reporting", BOTH),
        column("q_high", "the same, adjusted", BOTH),
        column("flag", "-2 to 2 by the indicator's thresholds", BOTH),
    ],
    tests: &[
        Test::that(Rule::NotNull("metric")),
        Test::that(Rule::Accepted("level", &["study", "site", "country", "region", "cro", "monitor"])),
        Test::that(Rule::Accepted(
            "method",
            &["normal_approximation", "leave_one_out", "exact", "in_frame", "identity", "metric"],
        )),
        Test::that(Rule::Range("flag", -2.0, 2.0)),
        Test::that(Rule::Range("p_value", 0.0, 1.0)),
        Test::that(Rule::AtMost("p_value", "q_value")),
        Test::that(Rule::AtMost("p_low", "q_low")),
        Test::that(Rule::AtMost("p_high", "q_high")),
    ],
    tags: &["rbqm"],
    definition: Definition::Rust(by_method::by_level, 4, &[PARAMETERS]),
};

const NUMERATOR: &[&str] =
    &["mart_indicator_input.numerator", "mart_reporting.n_ae", "mart_reporting.n_sae", "mart_reporting.n_pd"];
const DENOMINATOR: &[&str] = &["mart_indicator_input.denominator", "mart_reporting.visit_no"];
const BOTH: &[&str] = &[
    "mart_indicator_input.numerator",
    "mart_reporting.n_ae",
    "mart_reporting.n_sae",
    "mart_reporting.n_pd",
    "mart_indicator_input.denominator",
    "mart_reporting.visit_no",
];
