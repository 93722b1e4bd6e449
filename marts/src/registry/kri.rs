//! `mart_kri`.

use crate::indicators::{PARAMETERS, score};
use crate::mart::{Definition, Mart, column};
use crate::test::{Rule, Test};

pub(super) const MART: Mart = Mart {
    name: "mart_kri",
    grain: "one row per indicator and site with a denominator above zero",
    description: "Risk indicators of each site with score and flag by the method `normal_approximation`.",
    owner: "central monitoring",
    inputs: &["mart_indicator_input", "dim_site"],
    key: &["indicator_id", "site_id"],
    columns: &[
        column("indicator_id", "the indicator", &["mart_indicator_input.indicator_id"]),
        column("site_id", "the site", &["dim_site.site_id"]),
        column("method", "the method: `normal_approximation`", &[]),
        column("numerator", "events of the site", NUMERATOR),
        column("denominator", "what they are divided by", DENOMINATOR),
        column("metric", "numerator / denominator", BOTH),
        column("overall_metric", "the same of all sites together", BOTH),
        column("factor", "the over-dispersion of the sites", BOTH),
        column("score", "standard deviations from all sites; null below the accrual", BOTH),
        column("flag", "-2 to 2 by the indicator's thresholds; null below the accrual", BOTH),
    ],
    tests: &[
        Test::that(Rule::NotNull("metric")),
        Test::that(Rule::Range("flag", -2.0, 2.0)),
        Test::that(Rule::Relationship("site_id", "dim_site", "site_id")),
        Test::that(Rule::Reconciles(
            "the sum of the numerators of all indicators",
            "SELECT sum(numerator) FROM mart_kri",
            "SELECT sum(n) FROM (
                 SELECT sum(i.numerator) AS n FROM mart_indicator_input i JOIN dim_site s ON s.site_sk = i.site_sk
                 GROUP BY i.indicator_id, s.site_id HAVING sum(i.denominator) > 0)",
        )),
    ],
    tags: &["rbqm"],
    definition: Definition::Rust(score::by_site, 1, &[PARAMETERS]),
};

const NUMERATOR: &[&str] = &["mart_indicator_input.numerator"];
const DENOMINATOR: &[&str] = &["mart_indicator_input.denominator"];
const BOTH: &[&str] = &["mart_indicator_input.numerator", "mart_indicator_input.denominator"];
