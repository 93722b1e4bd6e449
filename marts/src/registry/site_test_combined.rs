//! `mart_site_test_combined`.

use crate::mart::{Definition, Mart, column};
use crate::site_test;
use crate::test::{Rule, Test};

pub(super) const MART: Mart = Mart {
    name: site_test::COMBINED_MART,
    grain: "one row per site and kind of test, and one per site for all of them",
    description: "The site tests of a site as one probability per kind of test and one in all, by Cauchy's combination.",
    owner: "central monitoring",
    inputs: &["mart_site_test"],
    key: &["site_id", "test_id"],
    columns: &[
        column("site_id", "the site", &["mart_site_test.site_id"]),
        column("test_id", "`C1` to `C14`; `ALL` for the site", &["mart_site_test.test_id"]),
        column("n_tests", "probabilities that were combined", P),
        column("p_value", "the combined probability", P),
        column("q_value", "the same, adjusted for all sites and kinds of tests; of `ALL`, for all sites", P),
        column("strongest_method", "the test with the smallest probability", P),
        column("strongest_variable", "its variable", &["mart_site_test.variable"]),
        column("strongest_effect", "its effect", &["mart_site_test.effect"]),
    ],
    tests: &[
        Test::that(Rule::NotNull("p_value")),
        Test::that(Rule::Range("p_value", 0.0, 1.0)),
        Test::that(Rule::AtMost("p_value", "q_value")),
        Test::that(Rule::Reconciles(
            "the sum of combined probabilities",
            "SELECT sum(n_tests) FROM mart_site_test_combined WHERE test_id <> 'ALL'",
            "SELECT count(p_value) FROM mart_site_test",
        )),
    ],
    tags: &["site_tests"],
    definition: Definition::Rust(site_test::combined, 1, &[site_test::JUDGED]),
};

const P: &[&str] = &["mart_site_test.p_value"];
