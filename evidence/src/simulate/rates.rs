//! How often things happen in a simulated study.

use serde::{Deserialize, Serialize};

use super::error::SimulateError;
use super::plan::{first_broken, within};

/// How often things happen, and how much sites and subjects differ. A variance is that of a frailty: a factor
/// of mean 1 on the rate.
// Source: the values come from two public studies: the CDISC pilot and the operational data of clindata.
// Where the two differ widely, a value between them stands here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rates {
    /// Shape of the gamma distribution of sites' enrolment rates; the smaller, the more uneven.
    pub enrolment_shape: f64,
    /// Share of screened subjects who are not enrolled.
    pub screen_failure: f64,
    /// How alike the sites' screen-failure rates are: the sum of the beta distribution's parameters.
    pub screen_failure_concentration: f64,
    /// Share of enrolled subjects who leave before the last visit.
    pub discontinuation: f64,
    /// Variance of the sites' dropout frailty.
    pub discontinuation_site_variance: f64,
    /// Share of enrolled subjects who stop treatment and stay in the study.
    pub treatment_stop: f64,
    /// Share of due visits that do not take place.
    pub missed_visit: f64,
    /// Share of visits after which an unscheduled one follows.
    pub unscheduled_visit: f64,
    /// Share of items that are left empty completely at random.
    pub item_missing_mcar: f64,
    /// Share of items that are left empty at random given site, visit and age.
    pub item_missing_mar: f64,
    /// The log odds ratio of the latter from one visit to the next.
    pub item_missing_mar_visit: f64,
    /// The log odds ratio of the latter for twelve years of age.
    pub item_missing_mar_age: f64,
    /// Share of items that are left empty because of what they would say.
    pub item_missing_mnar: f64,
    /// The log odds ratio of the latter for one standard deviation of the value.
    pub item_missing_mnar_value: f64,
    /// Variance of the sites' frailty for missed visits and empty items.
    pub missing_site_variance: f64,
    /// Adverse events per subject and year.
    pub adverse_events_per_year: f64,
    /// Variance of the subjects' adverse-event frailty.
    pub adverse_events_subject_variance: f64,
    /// Variance of the sites' adverse-event frailty.
    pub adverse_events_site_variance: f64,
    /// Protocol deviations per visit.
    pub deviations_per_visit: f64,
    /// Share of deviations that are important.
    pub deviations_important: f64,
    /// Variance of the sites' deviation frailty.
    pub deviations_site_variance: f64,
    /// Share of pages entered on the day of the visit, apart from those that the distribution of days says.
    pub entry_lag_zero: f64,
    /// Median of the days between a visit and the entry of a page.
    pub entry_lag_days_median: f64,
    /// Ninety-fifth percentile of the same.
    pub entry_lag_days_p95: f64,
    /// Standard deviation of the logarithm of the sites' median lag.
    pub entry_lag_site_sd: f64,
    /// Share of data points that are changed after entry.
    pub changed: f64,
    /// Mean number of changes of a data point, changed or not.
    pub changes_mean: f64,
    /// Share of changed data points that were wrong until then.
    pub corrections: f64,
    /// Queries per data point.
    pub queries_per_point: f64,
    /// Mean days until a query is answered, if nothing closes it before.
    pub query_days_to_answer: f64,
    /// Mean days until a query is closed without an answer, if none comes before.
    pub query_days_to_close: f64,
    /// Mean days from an answer until the query is closed.
    pub query_days_to_review: f64,
    /// Share of queries that nobody ever answers or closes.
    pub query_stale: f64,
    /// Variance of the sites' frailty for changes and queries.
    pub cleaning_site_variance: f64,
}

impl Default for Rates {
    fn default() -> Self {
        Self {
            enrolment_shape: 0.63,
            screen_failure: 0.25,
            screen_failure_concentration: 8.0,
            discontinuation: 0.12,
            discontinuation_site_variance: 0.1,
            treatment_stop: 0.04,
            missed_visit: 0.02,
            unscheduled_visit: 0.03,
            item_missing_mcar: 0.010,
            item_missing_mar: 0.008,
            item_missing_mar_visit: 0.05,
            item_missing_mar_age: 0.2,
            item_missing_mnar: 0.002,
            item_missing_mnar_value: 1.0,
            missing_site_variance: 0.1,
            adverse_events_per_year: 4.0,
            adverse_events_subject_variance: 1.08,
            adverse_events_site_variance: 0.4,
            deviations_per_visit: 0.4,
            deviations_important: 0.107,
            deviations_site_variance: 0.1,
            entry_lag_zero: 0.1,
            entry_lag_days_median: 2.0,
            entry_lag_days_p95: 10.0,
            entry_lag_site_sd: 0.1,
            changed: 0.26,
            changes_mean: 0.30,
            corrections: 0.2,
            queries_per_point: 0.02,
            query_days_to_answer: 8.0,
            query_days_to_close: 45.0,
            query_days_to_review: 1.7,
            query_stale: 0.004,
            cleaning_site_variance: 0.03,
        }
    }
}

impl Rates {
    /// Share of items that are left empty, whatever the reason.
    #[must_use]
    pub fn item_missing(&self) -> f64 {
        self.item_missing_mcar + self.item_missing_mar + self.item_missing_mnar
    }

    pub(super) fn check(&self) -> Result<(), SimulateError> {
        const SHARE: &str = "between 0 and 0.95";
        const VARIANCE: &str = "between 0 and 10";
        const COUNT: &str = "between 0 and 1000";
        const SLOPE: &str = "between -10 and 10";
        const DAYS: &str = "above 0 and at most 365";
        let share = |value: f64| within(value, 0.0, 0.95);
        let variance = |value: f64| within(value, 0.0, 10.0);
        let count = |value: f64| within(value, 0.0, 1000.0);
        let slope = |value: f64| within(value, -10.0, 10.0);
        let days = |value: f64| within(value, 1e-3, 365.0);
        first_broken(&[
            ("enrolment_shape", "between 0.01 and 1000", within(self.enrolment_shape, 0.01, 1e3)),
            ("screen_failure", SHARE, share(self.screen_failure)),
            ("screen_failure_concentration", "between 0.1 and 1000000", {
                within(self.screen_failure_concentration, 0.1, 1e6)
            }),
            ("discontinuation", SHARE, share(self.discontinuation)),
            ("discontinuation_site_variance", VARIANCE, variance(self.discontinuation_site_variance)),
            ("treatment_stop", SHARE, share(self.treatment_stop)),
            ("missed_visit", SHARE, share(self.missed_visit)),
            ("unscheduled_visit", SHARE, share(self.unscheduled_visit)),
            ("item_missing_mcar", SHARE, share(self.item_missing_mcar)),
            ("item_missing_mar", SHARE, share(self.item_missing_mar)),
            ("item_missing_mar_visit", SLOPE, slope(self.item_missing_mar_visit)),
            ("item_missing_mar_age", SLOPE, slope(self.item_missing_mar_age)),
            ("item_missing_mnar", SHARE, share(self.item_missing_mnar)),
            ("item_missing_mnar_value", SLOPE, slope(self.item_missing_mnar_value)),
            ("missing_site_variance", VARIANCE, variance(self.missing_site_variance)),
            ("adverse_events_per_year", COUNT, count(self.adverse_events_per_year)),
            ("adverse_events_subject_variance", VARIANCE, variance(self.adverse_events_subject_variance)),
            ("adverse_events_site_variance", VARIANCE, variance(self.adverse_events_site_variance)),
            ("deviations_per_visit", COUNT, count(self.deviations_per_visit)),
            ("deviations_important", SHARE, share(self.deviations_important)),
            ("deviations_site_variance", VARIANCE, variance(self.deviations_site_variance)),
            ("entry_lag_zero", "between 0 and 0.45", within(self.entry_lag_zero, 0.0, 0.45)),
            ("entry_lag_days_median", DAYS, days(self.entry_lag_days_median)),
            ("entry_lag_days_p95", "at least the median", {
                days(self.entry_lag_days_p95) && self.entry_lag_days_p95 >= self.entry_lag_days_median
            }),
            ("entry_lag_site_sd", VARIANCE, variance(self.entry_lag_site_sd)),
            ("changed", SHARE, share(self.changed)),
            ("changes_mean", "between the share changed and 100", {
                within(self.changes_mean, self.changed, 100.0)
            }),
            ("queries_per_point", SHARE, share(self.queries_per_point)),
            ("corrections", SHARE, share(self.corrections)),
            ("query_days_to_answer", DAYS, days(self.query_days_to_answer)),
            ("query_days_to_close", DAYS, days(self.query_days_to_close)),
            ("query_days_to_review", DAYS, days(self.query_days_to_review)),
            ("query_stale", SHARE, share(self.query_stale)),
            ("cleaning_site_variance", VARIANCE, variance(self.cleaning_site_variance)),
        ])
    }
}
