//! `mart_definition`.

use crate::indicators::{PARAMETERS, defined};
use crate::mart::{Definition, Mart, column};
use crate::test::{Rule, Test};
use crate::tolerance;

pub(super) const MART: Mart = Mart {
    name: "mart_definition",
    grain: "one row per indicator and tolerance limit",
    description: "The definitions that made the numbers of this snapshot, with what the tenant and the study changed of them.",
    owner: "central monitoring",
    inputs: &["mart_indicator_input", "mart_reporting"],
    key: &["definition_id"],
    columns: &[
        column("definition_id", "the indicator or the limit", &[]),
        column("kind", "`indicator` or `limit`", &[]),
        column("code", "its place in the catalogue: S1 to E9, Q1 to Q12", &[]),
        column("domain", "`safety`, `data`, `protocol`, `retention`; `study` for a limit", &[]),
        column("title", "in words", &[]),
        column("numerator", "what is counted, exactly", &[]),
        column("denominator", "what it is divided by, exactly", &[]),
        column("method", "the method whose flags are shown first", &[]),
        column("thresholds", "ascending, between commas", &[]),
        column("flags", "one for each interval between thresholds", &[]),
        column("weights", "in the site risk score, one for each flag", &[]),
        column("accrual_on", "what must reach the least before a group is judged", &[]),
        column("accrual_least", "the least", &[]),
        column("expected", "of a limit: the share expected", &[]),
        column("secondary", "of a limit: the share at which an early word is due", &[]),
        column("tolerated", "of a limit: the share tolerated", &[]),
        column("needs", "what a source has to tell", &[]),
        column("version", "`shipped`, or who changed it last and how often: `tenant 2`, `study 1`", &[]),
        column("is_shown", "whether it is computed and shown", &[]),
        column(
            "is_answered",
            "whether any source of the study tells what it needs",
            &["mart_indicator_input.denominator", "mart_reporting.n_ae"],
        ),
    ],
    tests: &[
        Test::that(Rule::Accepted("kind", &["indicator", "limit"])),
        Test::that(Rule::Accepted("domain", &["safety", "data", "protocol", "retention", "study"])),
    ],
    tags: &["rbqm"],
    definition: Definition::Rust(defined::table_of_definitions, 1, &[PARAMETERS, tolerance::PARAMETERS]),
};
