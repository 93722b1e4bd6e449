//! `mart_site_risk`.

use crate::indicators::{PARAMETERS, site_risk};
use crate::mart::{Definition, Mart, column};
use crate::test::{Rule, Test};

pub(super) const MART: Mart = Mart {
    name: "mart_site_risk",
    grain: "one row per site with a flagged or cleared indicator",
    description: "The weighted flags of each site as a share of the most they could be, in percent.",
    owner: "central monitoring",
    inputs: &["mart_kri"],
    key: &["site_id"],
    columns: &[
        column("site_id", "the site", &["mart_kri.site_id"]),
        column("risk_score", "the weights of its flags in percent of the largest ones", &["mart_kri.flag"]),
        column("n_red", "flags of -2 and 2", &["mart_kri.flag"]),
        column("n_amber", "flags of -1 and 1", &["mart_kri.flag"]),
    ],
    tests: &[
        Test::that(Rule::Range("risk_score", 0.0, 100.0)),
        Test::that(Rule::Relationship("site_id", "mart_kri", "site_id")),
    ],
    tags: &["rbqm"],
    definition: Definition::Rust(site_risk::by_site, 1, &[PARAMETERS]),
};
