//! What a simulated study is asked to be.

use chrono::{Datelike, NaiveDate};
use kernel::StudyId;
use serde::{Deserialize, Serialize};

use super::draw::after;
use super::error::SimulateError;

/// A study to simulate. [`StudyPlan::demo`] is the one to start from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StudyPlan {
    /// The study's id.
    pub study: StudyId,
    /// How many sites take part, up to 8,999.
    pub sites: u32,
    /// How many subjects a site screens on average; each site screens at least one.
    pub subjects_per_site: f64,
    /// The day the first site may open.
    pub start: NaiveDate,
    /// For how many days from the start subjects are screened.
    pub recruitment_days: u32,
    /// The last day that the extract knows of. What was entered later is not in it.
    pub cut_off: NaiveDate,
    /// How often things happen.
    pub rates: Rates,
    /// What is planted. A study with none is a null study.
    pub anomalies: Vec<Anomaly>,
}

/// How often things happen, and how much sites and subjects differ. A variance is that of a frailty: a factor
/// of mean 1 on the rate.
// Source: the values come from two public studies: the CDISC pilot and the operational data of clindata.
// Where the two differ widely, a value between them stands here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
    /// Share of items that are left empty, completely at random.
    pub item_missing: f64,
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
    /// Queries per data point.
    pub queries_per_point: f64,
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
            item_missing: 0.02,
            missing_site_variance: 0.1,
            adverse_events_per_year: 4.0,
            adverse_events_subject_variance: 1.08,
            adverse_events_site_variance: 0.05,
            deviations_per_visit: 0.3,
            deviations_important: 0.107,
            deviations_site_variance: 0.1,
            entry_lag_days_median: 2.0,
            entry_lag_days_p95: 10.0,
            entry_lag_site_sd: 0.1,
            changed: 0.26,
            changes_mean: 0.30,
            queries_per_point: 0.02,
            cleaning_site_variance: 0.03,
        }
    }
}

/// Something wrong at one site, to be found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Anomaly {
    /// The site reports only a part of its adverse events.
    AeUnderReporting {
        /// The site.
        target: Target,
        /// The share that is not reported: 0.75 leaves a quarter.
        reduction: f64,
    },
    /// From a day on, the site enters its pages later.
    DelayedEntry {
        /// The site.
        target: Target,
        /// The first visit day that is concerned.
        from: NaiveDate,
        /// What the lag is multiplied by.
        factor: f64,
    },
}

impl Anomaly {
    /// The site it is meant for.
    #[must_use]
    pub fn target(&self) -> &Target {
        match self {
            Self::AeUnderReporting { target, .. } | Self::DelayedEntry { target, .. } => target,
        }
    }
}

/// A site, by name or by size.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// The site of this id.
    Site(String),
    /// The site that screens the most subjects (1), the second most (2), and so on.
    Rank(u32),
}

impl StudyPlan {
    /// The demonstration study: 40 sites and about 600 screened subjects over fifteen months. The largest
    /// site reports a quarter of its adverse events; the second in size enters its pages five times as late from
    /// September 2025 on.
    #[must_use]
    pub fn demo() -> Self {
        let anomalies = vec![
            Anomaly::AeUnderReporting { target: Target::Rank(1), reduction: 0.75 },
            Anomaly::DelayedEntry { target: Target::Rank(2), from: day(2025, 9, 1), factor: 5.0 },
        ];
        Self {
            study: "CAIRN-DEMO-01".parse().expect("the id is 13 letters, digits and hyphens"),
            sites: 40,
            subjects_per_site: 15.0,
            start: day(2025, 1, 6),
            recruitment_days: 300,
            cut_off: day(2026, 3, 31),
            rates: Rates::default(),
            anomalies,
        }
    }

    /// The same study with nothing planted in it.
    #[must_use]
    pub fn without_anomalies(self) -> Self {
        Self { anomalies: Vec::new(), ..self }
    }

    /// The last day on which a subject may be screened.
    pub(super) fn recruitment_end(&self) -> NaiveDate {
        after(self.start, i64::from(self.recruitment_days))
    }

    /// Checks that the plan is one that a study can be made of.
    ///
    /// # Errors
    /// With the first value at fault.
    pub fn check(&self) -> Result<(), SimulateError> {
        let years = 1990..=2100;
        let rules = [
            ("sites", "between 1 and 8999", (1..=8999).contains(&self.sites)),
            ("subjects_per_site", "above 0 and at most 10000", within(self.subjects_per_site, 1e-9, 1e4)),
            ("start", "a day from 1990 to 2100", years.contains(&self.start.year())),
            ("cut_off", "after the start and before 2101", {
                self.cut_off > self.start && years.contains(&self.cut_off.year())
            }),
            ("recruitment_days", "between 1 and 3650", (1..=3650).contains(&self.recruitment_days)),
        ];
        first_broken(&rules)?;
        self.rates.check()?;
        self.anomalies.iter().try_for_each(Anomaly::check)
    }
}

impl Rates {
    fn check(&self) -> Result<(), SimulateError> {
        const SHARE: &str = "between 0 and 0.95";
        const VARIANCE: &str = "between 0 and 10";
        const COUNT: &str = "between 0 and 1000";
        const DAYS: &str = "above 0 and at most 365";
        let share = |value: f64| within(value, 0.0, 0.95);
        let variance = |value: f64| within(value, 0.0, 10.0);
        let count = |value: f64| within(value, 0.0, 1000.0);
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
            ("item_missing", SHARE, share(self.item_missing)),
            ("missing_site_variance", VARIANCE, variance(self.missing_site_variance)),
            ("adverse_events_per_year", COUNT, count(self.adverse_events_per_year)),
            ("adverse_events_subject_variance", VARIANCE, variance(self.adverse_events_subject_variance)),
            ("adverse_events_site_variance", VARIANCE, variance(self.adverse_events_site_variance)),
            ("deviations_per_visit", COUNT, count(self.deviations_per_visit)),
            ("deviations_important", SHARE, share(self.deviations_important)),
            ("deviations_site_variance", VARIANCE, variance(self.deviations_site_variance)),
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
            ("cleaning_site_variance", VARIANCE, variance(self.cleaning_site_variance)),
        ])
    }
}

impl Anomaly {
    fn check(&self) -> Result<(), SimulateError> {
        match self {
            Self::AeUnderReporting { reduction, .. } => {
                first_broken(&[("reduction", "above 0 and at most 1", within(*reduction, 1e-9, 1.0))])
            }
            Self::DelayedEntry { factor, .. } => {
                first_broken(&[("factor", "above 1 and at most 100", within(*factor, 1.0 + 1e-9, 100.0))])
            }
        }
    }
}

fn within(value: f64, least: f64, most: f64) -> bool {
    (least..=most).contains(&value)
}

fn first_broken(rules: &[(&'static str, &'static str, bool)]) -> Result<(), SimulateError> {
    match rules.iter().find(|(_, _, kept)| !kept) {
        Some(&(field, rule, _)) => Err(SimulateError::Plan { field, rule }),
        None => Ok(()),
    }
}

fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).expect("the caller names a day of the calendar")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_refused(change: impl FnOnce(&mut StudyPlan), field: &str) {
        let mut plan = StudyPlan::demo();
        change(&mut plan);
        match plan.check() {
            Err(SimulateError::Plan { field: found, .. }) => assert_eq!(found, field),
            other => panic!("{field}: {other:?}"),
        }
    }

    #[test]
    fn the_demonstration_can_be_made() {
        assert!(StudyPlan::demo().check().is_ok());
    }

    #[test]
    fn a_plan_that_makes_no_study_is_refused() {
        check_refused(|plan| plan.sites = 0, "sites");
        check_refused(|plan| plan.subjects_per_site = f64::NAN, "subjects_per_site");
        check_refused(|plan| plan.cut_off = plan.start, "cut_off");
        check_refused(|plan| plan.rates.screen_failure = 1.0, "screen_failure");
        check_refused(|plan| plan.rates.entry_lag_days_p95 = 1.0, "entry_lag_days_p95");
        check_refused(|plan| plan.rates.changes_mean = 0.1, "changes_mean");
        let nothing = Anomaly::AeUnderReporting { target: Target::Rank(1), reduction: 0.0 };
        check_refused(|plan| plan.anomalies = vec![nothing], "reduction");
    }

    #[test]
    fn a_plan_reads_back_what_it_writes() {
        let plan = StudyPlan::demo();
        let text = serde_json::to_string(&plan).expect("the plan renders");
        assert_eq!(serde_json::from_str::<StudyPlan>(&text).expect("the plan parses"), plan);
    }
}
