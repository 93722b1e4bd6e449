//! What all subjects of a study have in common.

use kernel::Seed;
use libm::log;

use super::draw::normal_quantile;
use super::error::SimulateError;
use super::form::Forms;
use super::history::PlannedVisit;
use super::plan::StudyPlan;
use super::planting::Planting;
use super::rates::Rates;
use super::site::{self, Site};
use super::visit;

/// A study before its first subject.
pub(super) struct World<'p> {
    pub(super) plan: &'p StudyPlan,
    pub(super) seed: Seed,
    pub(super) schedule: Vec<PlannedVisit>,
    pub(super) forms: Forms,
    pub(super) sites: Vec<Site>,
    pub(super) plantings: Vec<Planting>,
    pub(super) entry_lag: EntryLag,
}

/// The days between a visit and the entry of its page: on the same day with a share, otherwise log-normal.
#[derive(Clone, Copy)]
pub(super) struct EntryLag {
    pub(super) zero: f64,
    pub(super) median: f64,
    pub(super) sigma: f64,
}

impl<'p> World<'p> {
    /// The study of a plan.
    pub(super) fn new(plan: &'p StudyPlan, seed: Seed) -> Result<Self, SimulateError> {
        plan.check()?;
        let sites = site::sites(plan, seed);
        let plantings = Planting::resolve(plan, &sites)?;
        Ok(Self {
            plan,
            seed,
            schedule: visit::schedule(&plan.protocol),
            forms: Forms::new(&plan.protocol),
            sites,
            plantings,
            entry_lag: EntryLag::new(&plan.rates),
        })
    }

    /// Days from baseline to the last planned visit.
    pub(super) fn treatment_days(&self) -> i64 {
        self.schedule.last().map_or(1, |visit| visit.day - 1)
    }
}

impl EntryLag {
    /// The log-normal part whose mixture with the zeros has the median and the 95th percentile of the plan.
    fn new(rates: &Rates) -> Self {
        let zero = rates.entry_lag_zero;
        let within = |p: f64| normal_quantile((p - zero) / (1.0 - zero));
        let (low, high) = (within(0.5), within(0.95));
        let (median, p95) = (rates.entry_lag_days_median, rates.entry_lag_days_p95);
        let sigma = log(p95 / median) / (high - low);
        Self { zero, median: libm::exp(log(median) - sigma * low), sigma }
    }
}
