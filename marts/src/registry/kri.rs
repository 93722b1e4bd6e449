//! `mart_kri`.

use crate::indicators::{PARAMETERS, score};
use crate::mart::{Definition, Mart, column};
use crate::test::{Rule, Test};

pub(super) const MART: Mart = Mart {
    name: "mart_kri",
    grain: "one row per indicator and site with a denominator above zero",
    description: "Risk indicators of each site with score and flag by the indicator's own method.",
    owner: "central monitoring",
    inputs: &["mart_indicator_input", "mart_reporting", "dim_site"],
    key: &["indicator_id", "site_id"],
    columns: &[
        column("indicator_id", "the indicator", &["mart_indicator_input.indicator_id"]),
        column("site_id", "the site", &["dim_site.site_id"]),
        column("method", "the method: `normal_approximation`, `in_frame` or `identity`", &[]),
        column("numerator", "events of the site", NUMERATOR),
        column("denominator", "what they are divided by", DENOMINATOR),
        column("metric", "numerator / denominator", BOTH),
        column("overall_metric", "the same of all sites together", BOTH),
        column("factor", "the over-dispersion of the sites; null where the method knows none", BOTH),
        column("score", "standard deviations from all sites; null below the accrual", BOTH),
        column("flag", "-2 to 2 by the indicator's thresholds; null below the accrual", BOTH),
    ],
    tests: &[
        Test::that(Rule::NotNull("metric")),
        Test::that(Rule::Range("flag", -2.0, 2.0)),
        Test::that(Rule::Relationship("site_id", "dim_site", "site_id")),
        // Subjects stand at the site of now, of which each name has one.
        Test::that(Rule::Reconciles(
            "the sum of the numerators of all indicators that are no events by visit",
            "SELECT sum(numerator) FROM mart_kri WHERE method <> 'in_frame'",
            "SELECT sum(n) FROM (
                 SELECT sum(numerator) AS n FROM mart_indicator_input
                 WHERE indicator_id IN (SELECT indicator_id FROM mart_kri)
                 GROUP BY indicator_id, site_sk HAVING sum(denominator) > 0)",
        )),
    ],
    tags: &["rbqm"],
    definition: Definition::Rust(score::by_site, 3, &[PARAMETERS]),
};

const NUMERATOR: &[&str] = &["mart_indicator_input.numerator"];
const DENOMINATOR: &[&str] = &["mart_indicator_input.denominator"];
const BOTH: &[&str] = &["mart_indicator_input.numerator", "mart_indicator_input.denominator"];
