//! `mart_missingness`.

use crate::mart::{Definition, Mart, Native, column};
use crate::missingness::by_site;
use crate::test::{Rule, Test};

pub(super) const MART: Mart = Mart {
    name: "mart_missingness",
    grain: "one row per variable, scheduled visit and site",
    description: "Values that are missing: of those the schedule asks for, and of those on received records.",
    owner: "data management",
    inputs: &["mart_missing_count", "dim_site", "dim_visit", "dim_test"],
    key: &["domain", "test_code", "visit_num", "site_id"],
    columns: &[
        column("domain", "the domain of the variable", &["dim_test.domain"]),
        column("test_code", "the variable", &["dim_test.test_code"]),
        column("test", "the variable in words", &["dim_test.test"]),
        column("visit_num", "the number of the visit", &["dim_visit.visit_num"]),
        column("visit", "the visit in words", &["dim_visit.visit"]),
        column("visit_order", "the place of the visit in the schedule", &["dim_visit.visit_order"]),
        column("site_id", "the site", &["dim_site.site_id"]),
        column(
            "n_expected",
            "subjects of whom the value is expected: the visit took place, or its window closed (R-06)",
            &["mart_missing_count.n_expected"],
        ),
        column("n_received", "of those, subjects with a record", &["mart_missing_count.n_received"]),
        column("n_observed", "of those, subjects whose record has a result", RESULTS),
        column("n_item_missing", "records without a result", RESULTS),
        column(
            "n_visit_missing",
            "expected values without a record",
            &["mart_missing_count.n_expected", "mart_missing_count.n_received"],
        ),
        column("share_missing_of_expected", "1 - n_observed / n_expected", RESULTS),
        column("share_missing_of_received", "1 - n_observed / n_received", RESULTS),
    ],
    tests: &[
        Test::that(Rule::NotNull("n_expected")),
        Test::that(Rule::AtMost("n_observed", "n_received")),
        Test::that(Rule::AtMost("n_received", "n_expected")),
        Test::that(Rule::Range("share_missing_of_expected", 0.0, 1.0)),
        Test::that(Rule::Relationship("site_id", "dim_site", "site_id")),
        Test::that(Rule::RowsAtMost(
            "variables times scheduled visits times sites",
            "SELECT (SELECT count(DISTINCT test_dk) FROM dim_test)
                * (SELECT count(DISTINCT visit_dk) FROM dim_visit WHERE is_scheduled)
                * (SELECT count(DISTINCT site_dk) FROM dim_site)",
        )),
    ],
    tags: &["quality"],
    definition: Definition::Native(
        || by_site::QUERY,
        Native { schema: by_site::schema, rows: by_site::rows },
        2,
    ),
};

const RESULTS: &[&str] = &["mart_missing_count.n_observed", "mart_missing_count.n_received"];
