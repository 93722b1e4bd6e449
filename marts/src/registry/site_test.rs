//! `mart_site_test`.

use crate::mart::{Definition, Mart, column};
use crate::site_test;
use crate::test::{Rule, Test};

pub(super) const MART: Mart = Mart {
    name: site_test::MART,
    grain: "one row per site, statistical test and variable that the test is made for",
    description: "Fourteen kinds of statistical tests of each site against the rest, with effects, sizes and adjusted probabilities.",
    owner: "central monitoring",
    inputs: &[
        "mart_value_due",
        "dim_subject",
        "dim_site",
        "dim_test",
        "dim_visit",
        "fact_observation",
        "fact_lab",
        "fact_visit",
        "fact_ae",
        "fact_deviation",
    ],
    key: &["site_id", "test_id", "method", "variable"],
    columns: &[
        column("site_id", "the site, by where its subjects are now", &["dim_subject.site_id"]),
        column("test_id", "`C1` to `C14`", &[]),
        column("method", "the test: `mean`, `last_digit`, …", &[]),
        column(
            "variable",
            "the variable, two of them, all of a domain together, or the kind of record",
            &["dim_test.domain", "dim_test.test_code"],
        ),
        column(
            "p_value",
            "the probability of such a difference if the site were one of those that the others are; null where it is not judged",
            DATA,
        ),
        column("q_value", "the same, adjusted for all tests of the study (Benjamini and Hochberg)", DATA),
        column("p_alike", "the probability if sites did not differ at all but by their subjects", DATA),
        column(
            "between_sites",
            "the standard deviation between sites that the other sites show, in standard deviations of the subjects; 0 where \
             they differ no more than their subjects make them",
            DATA,
        ),
        column("effect", "how large the difference is, in the unit of the test", DATA),
        column("n_site", "subjects of the site that count", DATA),
        column("n_rest", "subjects of the rest that count", DATA),
        column("not_judged", "why there is no probability", DATA),
    ],
    tests: &[
        Test::that(Rule::Range("p_value", 0.0, 1.0)),
        Test::that(Rule::AtMost("p_value", "q_value")),
        Test::that(Rule::AtMost("p_alike", "p_value")),
        Test::that(Rule::Relationship("site_id", "dim_site", "site_id")),
        Test::that(Rule::Absent(
            "what is judged has no reason why it is not, and the other way round",
            "SELECT site_id, test_id, variable FROM mart_site_test WHERE (p_value IS NULL) <> (not_judged IS NOT NULL)",
        )),
    ],
    tags: &["site_tests"],
    definition: Definition::Rust(
        site_test::by_variable,
        4,
        &[
            site_test::SUBJECTS,
            site_test::FINDINGS,
            site_test::VISITS,
            site_test::SAMPLES,
            site_test::KINDS,
            site_test::MISSING,
            site_test::VARIABLES,
        ],
    ),
};

const DATA: &[&str] = &[
    "fact_observation.std_value",
    "fact_lab.std_value",
    "fact_visit.start_date",
    "fact_ae.ctcae_grade",
    "fact_deviation.category",
];
