//! `mart_tolerance_limit`.

use crate::mart::{Definition, Mart, column};
use crate::test::{Rule, Test};
use crate::tolerance;

pub(super) const MART: Mart = Mart {
    name: "mart_tolerance_limit",
    grain: "one row per tolerance limit that the study's sources can answer, and method",
    description: "Tolerance limits of the whole study: share, limits and verdict by each method.",
    owner: "central monitoring",
    inputs: &["mart_indicator_input", "dim_subject", "dim_site", "dim_study"],
    key: &["limit_id", "method"],
    columns: &[
        column("limit_id", "the limit", &[]),
        column(
            "method",
            "`fixed`, `deviations`, `exact`, `shewhart`, `cusum`, `ewma`, `observed_minus_expected`, `posterior`, `predictive` or \
             `hierarchical`",
            &[],
        ),
        column("title", "the limit in words", &[]),
        column("events", "subjects, visits or events that count", EVENTS),
        column("units", "of how many", &["mart_indicator_input.denominator"]),
        column("share", "events / units", EVENTS),
        column("expected", "the share that is expected", &[]),
        column("tolerated", "the share that is tolerated", &[]),
        column("statistic", "what the method judges by", EVENTS),
        column("secondary_limit", "where an early word is due", &["dim_study.planned_subjects"]),
        column("limit", "where the limit is breached", &["dim_study.planned_subjects"]),
        column("verdict", "`too_few`, `within`, `secondary` or `breach`", EVENTS),
    ],
    tests: &[
        Test::that(Rule::Range("share", 0.0, 1.0)),
        Test::that(Rule::AtMost("events", "units")),
        Test::that(Rule::Accepted("method", METHODS)),
        Test::that(Rule::Accepted("verdict", &["too_few", "within", "secondary", "breach"])),
    ],
    tags: &["rbqm"],
    definition: Definition::Rust(tolerance::by_method, 2, &[tolerance::PARAMETERS, tolerance::COUNTS]),
};

const EVENTS: &[&str] = &["mart_indicator_input.numerator", "mart_indicator_input.denominator"];

const METHODS: &[&str] = &[
    "fixed",
    "deviations",
    "exact",
    "shewhart",
    "cusum",
    "ewma",
    "observed_minus_expected",
    "posterior",
    "predictive",
    "hierarchical",
];
