//! `mart_site_enrolment`.

use crate::mart::{Definition, Mart, column};
use crate::test::{Rule, Test};

pub(super) const MART: Mart = Mart {
    name: "mart_site_enrolment",
    grain: "one row per site",
    description: "Activation, screening and enrolment of each site.",
    owner: "clinical operations",
    inputs: &["dim_study", "dim_site", "dim_subject"],
    key: &["site_id"],
    columns: &[
        column("site_id", "the site", &["dim_site.site_id"]),
        column("country", "its country", &["dim_site.country"]),
        column("status", "its status", &["dim_site.status"]),
        column("activation_date", "when it was activated", &["dim_site.activation_date"]),
        column("closeout_date", "when it was closed", &["dim_site.closeout_date"]),
        column("target_enrolment", "subjects it is to enrol", &["dim_site.target_enrolment"]),
        column("n_screened", "subjects screened", &["dim_subject.is_screened"]),
        column("n_screen_failed", "of those, who failed screening", &["dim_subject.is_screen_failure"]),
        column("n_enrolled", "of those, who were enrolled", &["dim_subject.is_enrolled"]),
        column(
            "first_enrolled",
            "the day of the first of them",
            &["dim_subject.randomised_date", "dim_subject.ref_start_date", "dim_subject.consent_date"],
        ),
        column(
            "last_enrolled",
            "the day of the last of them",
            &["dim_subject.randomised_date", "dim_subject.ref_start_date", "dim_subject.consent_date"],
        ),
        column(
            "days_open",
            "days from activation, else from the first enrolment, to close-out or cut-off; null before it opens",
            &["dim_site.activation_date", "dim_site.closeout_date", "dim_study.cut_off_date"],
        ),
        column("share_screen_failed", "n_screen_failed / n_screened", &["dim_subject.is_screen_failure"]),
        column("enrolled_per_month", "n_enrolled in 30.4375 days open", &["dim_subject.is_enrolled"]),
    ],
    tests: &[
        Test::that(Rule::AtMost("n_enrolled", "n_screened")),
        Test::that(Rule::Range("share_screen_failed", 0.0, 1.0)),
        Test::that(Rule::Reconciles(
            "the sum of enrolled subjects",
            "SELECT sum(n_enrolled) FROM mart_site_enrolment",
            "SELECT count(*) FROM dim_subject WHERE is_current AND is_enrolled AND is_screened
                 AND site_dk IN (SELECT site_dk FROM dim_site WHERE is_current)",
        )),
    ],
    tags: &["enrolment"],
    definition: Definition::Sql(include_str!("../enrolment/by_site.sql")),
};
