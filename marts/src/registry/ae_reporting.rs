//! `mart_ae_reporting`.

use crate::mart::{Definition, Mart, column};
use crate::test::{Rule, Test};

pub(super) const MART: Mart = Mart {
    name: "mart_ae_reporting",
    grain: "one row per site with adverse events of enrolled subjects, and one for all of them",
    description: "How soon adverse events are reported.",
    owner: "drug safety",
    inputs: &["dim_site", "dim_subject", "fact_ae"],
    key: &["site_id"],
    columns: &[
        column("site_id", "the site on the day of the event; `ALL`", &["dim_site.site_id"]),
        column("n_events", "events", &["fact_ae.subject_dk"]),
        column("n_timed", "of those, with a day of start and of entry", &["fact_ae.reporting_lag_days"]),
        column(
            "n_within_1_day",
            "entered on the day after the start or before",
            &["fact_ae.reporting_lag_days"],
        ),
        column("n_2_to_7_days", "after 2 to 7 days", &["fact_ae.reporting_lag_days"]),
        column("n_8_to_30_days", "after 8 to 30 days", &["fact_ae.reporting_lag_days"]),
        column("n_above_30_days", "later", &["fact_ae.reporting_lag_days"]),
        column("mean_days", "the mean number of days", &["fact_ae.reporting_lag_days"]),
        column("n_serious", "serious events", &["fact_ae.serious"]),
        column(
            "n_serious_above_1_day",
            "of those, entered later than on the next day",
            &["fact_ae.reporting_lag_days"],
        ),
        column("share_serious", "n_serious / n_events", &["fact_ae.serious"]),
    ],
    tests: &[
        Test::that(Rule::AtMost("n_timed", "n_events")),
        Test::that(Rule::AtMost("n_serious", "n_events")),
    ],
    tags: &["safety"],
    definition: Definition::Sql(include_str!("../safety/reporting.sql")),
};
