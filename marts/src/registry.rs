//! Every mart there is, each after those it reads.

use crate::mart::{Definition, Mart, Test};
use crate::{indicators, retention, tolerance};

/// All marts in building order.
pub const MARTS: &[Mart] = &[
    Mart {
        name: "mart_missingness",
        grain: "one row per variable, scheduled visit and site",
        description: "Values that are missing: of those the schedule asks for, and of those on received records.",
        inputs: &[
            "dim_subject",
            "dim_site",
            "dim_visit",
            "dim_test",
            "fact_visit",
            "fact_observation",
            "fact_lab",
        ],
        key: &["domain", "test_code", "visit_num", "site_id"],
        tests: &[
            Test::NotNull("n_expected"),
            Test::AtMost("n_observed", "n_received"),
            Test::AtMost("n_received", "n_expected"),
            Test::Range("share_missing_of_expected", 0.0, 1.0),
            Test::Relationship("site_id", "dim_site", "site_id"),
        ],
        tags: &["quality"],
        definition: Definition::Sql(include_str!("missingness/by_variable_visit_site.sql")),
    },
    Mart {
        name: "mart_indicator_input",
        grain: "one row per indicator and subject that counts for it",
        description: "What each subject adds to the numerator and the denominator of each risk indicator.",
        inputs: &[
            "dim_subject",
            "fact_ae",
            "fact_deviation",
            "fact_lab",
            "fact_disposition",
            "fact_query",
            "fact_form",
        ],
        key: &["indicator_id", "subject_sk"],
        tests: &[
            Test::NotNull("numerator"),
            Test::NotNull("denominator"),
            Test::Range("numerator", 0.0, 1e15),
            Test::Range("denominator", 0.0, 1e15),
            Test::Relationship("site_sk", "dim_site", "site_sk"),
        ],
        tags: &["rbqm"],
        definition: Definition::Sql(include_str!("indicators/input.sql")),
    },
    Mart {
        name: "mart_kri",
        grain: "one row per indicator and site with a denominator above zero",
        description: "Risk indicators of each site with score and flag by the method `normal_approximation`.",
        inputs: &["mart_indicator_input", "dim_site"],
        key: &["indicator_id", "site_id"],
        tests: &[
            Test::NotNull("metric"),
            Test::Range("flag", -2.0, 2.0),
            Test::Relationship("site_id", "dim_site", "site_id"),
        ],
        tags: &["rbqm"],
        definition: Definition::Rust(indicators::score::by_site, 1, &[indicators::PARAMETERS]),
    },
    Mart {
        name: "mart_indicator",
        grain: "one row per indicator, level, group with a denominator above zero, and method",
        description: "Risk indicators of each site, country and region by each method, with probabilities adjusted for the false discovery rate.",
        inputs: &["mart_indicator_input", "dim_site"],
        key: &["indicator_id", "level", "group_id", "method"],
        tests: &[
            Test::NotNull("metric"),
            Test::Range("flag", -2.0, 2.0),
            Test::Range("p_value", 0.0, 1.0),
            Test::AtMost("p_value", "q_value"),
        ],
        tags: &["rbqm"],
        definition: Definition::Rust(indicators::by_method::by_level, 1, &[indicators::PARAMETERS]),
    },
    Mart {
        name: "mart_kri_bounds",
        grain: "one row per indicator, threshold and denominator of the grid",
        description: "The limits of each indicator over the denominator, for the funnel figure.",
        inputs: &["mart_indicator_input"],
        key: &["indicator_id", "threshold", "denominator"],
        tests: &[Test::NotNull("metric")],
        tags: &["rbqm"],
        definition: Definition::Rust(indicators::score::bounds_by_indicator, 1, &[indicators::PARAMETERS]),
    },
    Mart {
        name: "mart_site_risk",
        grain: "one row per site with a flagged or cleared indicator",
        description: "The weighted flags of each site as a share of the most they could be, in percent.",
        inputs: &["mart_kri"],
        key: &["site_id"],
        tests: &[Test::Range("risk_score", 0.0, 100.0)],
        tags: &["rbqm"],
        definition: Definition::Rust(indicators::site_risk::by_site, 1, &[indicators::PARAMETERS]),
    },
    Mart {
        name: "mart_tolerance_limit",
        grain: "one row per tolerance limit that the study's sources can answer, and method",
        description: "Tolerance limits of the whole study: share, limits and verdict by each method.",
        inputs: &[
            "dim_study",
            "dim_subject",
            "dim_visit",
            "fact_disposition",
            "fact_deviation",
            "fact_visit",
            "fact_ae",
        ],
        key: &["limit_id", "method"],
        tests: &[Test::Range("share", 0.0, 1.0), Test::AtMost("events", "units")],
        tags: &["rbqm"],
        definition: Definition::Rust(tolerance::by_method, 1, &[tolerance::PARAMETERS, tolerance::COUNTS]),
    },
    Mart {
        name: "mart_retention",
        grain: "one row per day on which a subject left the study or was last seen",
        description: "The share of subjects that stays on study, by the Kaplan-Meier estimate with 95 % limits.",
        inputs: &["dim_subject", "fact_disposition"],
        key: &["day"],
        tests: &[Test::Range("share_on_study", 0.0, 1.0), Test::AtMost("n_left", "at_risk")],
        tags: &["enrolment"],
        definition: Definition::Rust(retention::curve, 1, &[retention::COURSES]),
    },
    Mart {
        name: "mart_retention_reason",
        grain: "one row per reason and day on which a subject left for it",
        description: "The share of subjects that has left for each reason, as competing risks.",
        inputs: &["dim_subject", "fact_disposition"],
        key: &["reason", "day"],
        tests: &[Test::Range("share_left", 0.0, 1.0)],
        tags: &["enrolment"],
        definition: Definition::Rust(retention::by_reason, 1, &[retention::COURSES]),
    },
    Mart {
        name: "mart_ae_term",
        grain: "one row per body system and preferred term among the adverse events of enrolled subjects",
        description: "Adverse events by body system and term: events, subjects, seriousness, and rate by exposure.",
        inputs: &["dim_subject", "fact_ae"],
        key: &["soc", "pt"],
        tests: &[
            Test::AtMost("n_subjects", "n_events"),
            Test::AtMost("n_subjects", "n_enrolled"),
            Test::Range("share_of_subjects", 0.0, 1.0),
        ],
        tags: &["safety"],
        definition: Definition::Sql(include_str!("safety/events.sql")),
    },
];

/// The mart of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Mart> {
    MARTS.iter().find(|mart| mart.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mart_comes_after_the_marts_it_reads() {
        for (position, mart) in MARTS.iter().enumerate() {
            for input in mart.inputs.iter().filter(|input| input.starts_with("mart_")) {
                assert!(
                    MARTS[..position].iter().any(|earlier| earlier.name == *input),
                    "{} reads {input}",
                    mart.name
                );
            }
        }
    }

    #[test]
    fn every_mart_reads_tables_that_exist() {
        for mart in MARTS {
            for input in mart.inputs.iter().filter(|input| !input.starts_with("mart_")) {
                assert!(
                    warehouse::star::TABLES.iter().any(|table| table.name == *input),
                    "{} reads {input}",
                    mart.name
                );
            }
        }
    }

    // Engine-only functions and integer division give different answers on DuckDB and DataFusion.
    #[test]
    fn a_query_keeps_to_what_both_engines_answer_alike() {
        for mart in MARTS {
            let Definition::Sql(sql) = mart.definition else { continue };
            for line in sql.lines().filter(|line| !line.trim_start().starts_with("--")) {
                assert!(
                    !line.contains('/') || line.contains("AS DOUBLE)"),
                    "{}: cast around `/` in: {line}",
                    mart.name
                );
                assert!(
                    !line.contains("ORDER BY") || line.contains("NULLS LAST"),
                    "{}: say NULLS LAST in: {line}",
                    mart.name
                );
            }
        }
    }
}
