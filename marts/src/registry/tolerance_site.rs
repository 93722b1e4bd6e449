//! `mart_tolerance_site`.

use crate::mart::{Definition, Mart, column};
use crate::test::{Rule, Test};
use crate::tolerance;

pub(super) const MART: Mart = Mart {
    name: "mart_tolerance_site",
    grain: "one row per tolerance limit and site with a unit",
    description: "What each site adds to the tolerance limits of the study.",
    owner: "central monitoring",
    inputs: &["mart_indicator_input", "dim_subject", "dim_site", "dim_study"],
    key: &["limit_id", "site_id"],
    columns: &[
        column("limit_id", "the limit", &[]),
        column("site_id", "the site", &["dim_site.site_id"]),
        column("events", "subjects, visits or events that count", EVENTS),
        column("units", "of how many", &["mart_indicator_input.denominator"]),
        column("share", "events / units", EVENTS),
    ],
    tests: &[Test::that(Rule::Range("share", 0.0, 1.0)), Test::that(Rule::AtMost("events", "units"))],
    tags: &["rbqm"],
    definition: Definition::Rust(tolerance::by_site, 1, &[tolerance::PARAMETERS, tolerance::COUNTS]),
};

const EVENTS: &[&str] = &["mart_indicator_input.numerator", "mart_indicator_input.denominator"];
