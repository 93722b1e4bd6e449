//! When a perfect detector could see what is planted: one that knows the study's rates, the site and the statistic
//! that the anomaly moves, and looks at nothing else.
//!
//! Each kind has a statistic over exposure units (days on study, pages, events, ...) with a mean and a variance for
//! one unit without (`usual`) and with the anomaly (`shifted`), computed from the plan. After `n` units the two-sided
//! test of level 5 % by normal approximation has the power
//! `Phi((|m1 - m0| sqrt(n) - z sqrt(v0)) / sqrt(v1))`, `z` = 1.96. Where the usual share is 0, one affected unit is
//! proof, and the power is `1 - (1 - m1)^n`. Units are counted as they are in the study, by the day on which each is
//! known.

use chrono::NaiveDate;
use libm::{exp, log, pow};

use super::adverse_event::GRADES;
use super::anomaly::AnomalyKind;
use super::calendar::after;
use super::draw::{logistic, normal_cdf};
use super::history::{Enrolment, History};
use super::plan::StudyPlan;
use super::rates::Rates;
use super::subject::Arm;
use super::world::EntryLag;

/// What a statistic is counted over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    SubjectDays,
    Events,
    SeriousEvents,
    Pages,
    Points,
    OptionalPoints,
    Queries,
    Visits,
    Vitals,
    BloodSugars,
    Bottles,
    Deviations,
    Screened,
    Enrolled,
    ActiveStays,
}

/// Mean and variance of a statistic for one unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Moments {
    mean: f64,
    variance: f64,
}

/// The statistic that an anomaly moves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Signal {
    pub(super) unit: Unit,
    usual: Moments,
    shifted: Moments,
}

const fn share(p: f64) -> Moments {
    Moments { mean: p, variance: p * (1.0 - p) }
}

const fn moments(mean: f64, variance: f64) -> Moments {
    Moments { mean, variance }
}

impl Signal {
    /// The statistic of a kind of anomaly of a size in a plan; none for platform tests.
    pub(super) fn of(kind: AnomalyKind, size: f64, plan: &StudyPlan, lag: EntryLag) -> Option<Self> {
        use AnomalyKind as K;
        let rates = &plan.rates;
        let (unit, usual, shifted) = match kind {
            K::AeUnderReporting => (Unit::SubjectDays, events(plan, 1.0), events(plan, 1.0 - size)),
            K::AeOverReporting | K::CountryShift => {
                (Unit::SubjectDays, events(plan, 1.0), events(plan, size))
            }
            K::SaeLateEntry => {
                let square = exp(lag.sigma * lag.sigma);
                let mean = lag.median * square.sqrt();
                let variance = mean * mean * (square - 1.0);
                (Unit::SeriousEvents, moments(mean, variance), moments(mean + size, variance))
            }
            K::GradeMiscoding => {
                let graded = 1.0 - GRADES[0] / GRADES.iter().sum::<f64>();
                (Unit::Events, share(graded), share(graded * (1.0 - size)))
            }
            K::DelayedEntry => (Unit::Pages, share(late(lag, 1.0)), share(late(lag, size))),
            K::QueryAgeing => (Unit::Queries, share(overdue(rates, 1.0)), share(overdue(rates, size))),
            K::HighQueryRate => {
                let queried = rates.queries_per_point;
                (Unit::Points, share(queried), share((queried * size).min(1.0)))
            }
            K::ChangesBeforeMonitoring => {
                let changed = rates.changed;
                (Unit::Points, share(changed), share(1.0 - (1.0 - changed) * (1.0 - size)))
            }
            K::MissedVisits => {
                let missed = rates.missed_visit;
                (Unit::Visits, share(missed), share(missed + (1.0 - missed) * size))
            }
            K::WindowDrift => {
                // Even over the visits from 0 to `size` days, on top of the usual two days' variance.
                (Unit::Visits, moments(0.0, 2.5), moments(size / 2.0, 2.5 + size * size / 12.0))
            }
            K::HiddenImportantDeviations => {
                let important = rates.deviations_important;
                (Unit::Deviations, share(important), share(important * (1.0 - size)))
            }
            K::DigitPreference => (Unit::Vitals, share(0.1), share(0.1 + 0.9 * size)),
            // The logarithm of the squared deviation from the subject's mean; its variance is about 2.
            K::CopiedVitals => (Unit::Vitals, moments(0.0, 2.0), moments(2.0 * log(size.max(1e-3)), 2.0)),
            K::UnitSwitch => (Unit::BloodSugars, moments(0.0, 0.04), moments(log(size), 0.04)),
            K::InformativeDropout => {
                let leave = rates.discontinuation;
                let iller = 1.0 - pow(1.0 - leave, size);
                (Unit::ActiveStays, share(leave), share(0.5 * leave + 0.5 * iller))
            }
            K::MnarMissingness => {
                let usual = rates.item_missing();
                (Unit::OptionalPoints, share(usual), share((usual + withheld(size)).min(1.0)))
            }
            K::EligibilityLapses => (Unit::Enrolled, share(0.005), share(0.005 + 0.995 * size)),
            // Two tablets are returned on average, and their number is Poisson.
            K::PerfectAdherence => {
                let none = exp(-2.0);
                (Unit::Bottles, share(none), share(none + (1.0 - none) * size))
            }
            K::DuplicateSubjects => (Unit::Screened, share(0.0), share(1.0)),
            K::LateConsent => (Unit::Screened, share(0.0), share(size)),
            K::SiteTransfer => (Unit::Enrolled, share(0.0), share(size)),
            K::WeekdayVisits => (Unit::Visits, share(0.0), share(size)),
            // Four of five samples are dated to a weekday like any other.
            K::TimezoneError => (Unit::Visits, share(0.0), share(0.2)),
            K::DuplicateBatch | K::ReorderedBatch | K::TombstoneStorm => return None,
        };
        Some(Self { unit, usual, shifted })
    }

    /// The power after some units.
    pub(super) fn power(&self, units: f64) -> f64 {
        const Z: f64 = 1.959_963_984_540_054;
        if units <= 0.0 {
            return 0.0;
        }
        if self.usual.variance <= 0.0 {
            return 1.0 - pow(1.0 - self.shifted.mean, units);
        }
        let shift = (self.shifted.mean - self.usual.mean).abs() * units.sqrt();
        let beyond = shift - Z * self.usual.variance.sqrt();
        if self.shifted.variance > 0.0 {
            normal_cdf(beyond / self.shifted.variance.sqrt())
        } else if beyond > 0.0 {
            1.0
        } else {
            0.0
        }
    }
}

/// Adverse events in a day on study; subjects differ by a frailty, which counts for as long as they stay.
fn events(plan: &StudyPlan, factor: f64) -> Moments {
    let stay = 7.0 * plan.protocol.visit_weeks.last().copied().map_or(24.0, f64::from);
    let mean = plan.rates.adverse_events_per_year / 365.25 * factor;
    moments(mean, mean * (1.0 + plan.rates.adverse_events_subject_variance * mean * stay))
}

/// The share of pages entered after more than ten days.
fn late(lag: EntryLag, factor: f64) -> f64 {
    let later = 1.0 - normal_cdf(log(10.7 / (lag.median * factor)) / lag.sigma);
    if factor > 1.0 { later } else { (1.0 - lag.zero) * later }
}

/// The share of queries open for more than thirty days: the answer and the review after it are exponential.
fn overdue(rates: &Rates, factor: f64) -> f64 {
    const DAYS: f64 = 30.0;
    let answer = 1.0 / rates.query_days_to_answer;
    let mut review = 1.0 / rates.query_days_to_review;
    if (review - answer).abs() < 1e-6 {
        review *= 1.0 + 1e-4;
    }
    let days = DAYS / factor;
    let open = (review * exp(-answer * days) - answer * exp(-review * days)) / (review - answer);
    (rates.query_stale + (1.0 - rates.query_stale) * open).clamp(1e-9, 1.0 - 1e-9)
}

/// The share of values that the planted mechanism withholds: its logistic curve over a standard normal value.
fn withheld(slope: f64) -> f64 {
    let points = (-40..=40).map(|step| f64::from(step) / 10.0);
    let weights = points.map(|z| (exp(-0.5 * z * z), logistic(-3.5 + slope * z)));
    let (total, weighted) =
        weights.fold((0.0, 0.0), |(total, sum), (weight, p)| (total + weight, sum + weight * p));
    weighted / total
}

/// How many units of a subject from a day on are known at each of some days, which are in order.
pub(super) fn exposures(unit: Unit, history: &History<'_>, from: NaiveDate, days: &[NaiveDate]) -> Vec<u64> {
    if unit == Unit::SubjectDays {
        let Some(course) = history.stay() else { return vec![0; days.len()] };
        let first = course.baseline.max(from);
        let until = |day: &NaiveDate| (course.end.min(*day) - first).num_days() + 1;
        return days.iter().map(|day| u64::try_from(until(day)).unwrap_or(0)).collect();
    }
    let mut counts = vec![0_u64; days.len()];
    let mut count = |known: NaiveDate, units: usize| {
        if let Some(place) = counts.get_mut(days.partition_point(|day| *day < known)) {
            *place += units as u64;
        }
    };
    units(unit, history, from, &mut count);
    let mut total = 0;
    counts.iter_mut().for_each(|count| {
        total += *count;
        *count = total;
    });
    counts
}

/// Tells `count` when units are known, and how many.
fn units(unit: Unit, history: &History<'_>, from: NaiveDate, count: &mut dyn FnMut(NaiveDate, usize)) {
    let of_form = |code: Option<&'static str>| {
        history
            .pages
            .iter()
            .filter(move |page| page.date >= from && code.is_none_or(|code| page.form.code == code))
    };
    let events = history.events.iter().filter(|event| event.onset >= from);
    match unit {
        Unit::SubjectDays => {}
        Unit::Events => events.for_each(|event| count(event.entered.date(), 1)),
        Unit::SeriousEvents => {
            events.filter(|event| event.serious).for_each(|event| count(event.entered.date(), 1));
        }
        Unit::Pages => of_form(None).for_each(|page| count(page.entered.date(), 1)),
        Unit::Points => of_form(None).for_each(|page| count(page.entered.date(), page.points.len())),
        Unit::OptionalPoints => of_form(None)
            .filter(|page| page.form.fields.first().is_some_and(|field| field.may_lack))
            .for_each(|page| count(page.entered.date(), page.points.len())),
        Unit::Vitals => of_form(Some("VS")).for_each(|page| count(page.entered.date(), 3)),
        Unit::Bottles => of_form(Some("EX")).for_each(|page| count(page.entered.date(), 1)),
        Unit::Queries => {
            let queries =
                history.pages.iter().flat_map(|page| &page.points).filter_map(|point| point.query.as_ref());
            queries.filter(|query| query.opened >= from).for_each(|query| count(after(query.opened, 30), 1));
        }
        Unit::Visits => {
            let planned = history.visits.iter().filter(|visit| visit.planned.is_some_and(|due| due.day > 1));
            planned.filter(|visit| visit.date >= from).for_each(|visit| count(visit.entered.date(), 1));
        }
        Unit::BloodSugars => {
            let visits = history.visits.iter().filter(|visit| visit.date >= from);
            visits.for_each(|visit| count(after(visit.date, 5), 1));
        }
        Unit::Deviations => {
            let recorded = history.deviations.iter().map(|deviation| deviation.recorded);
            recorded.filter(|day| *day >= from).for_each(|day| count(day, 1));
        }
        Unit::Screened => count(history.subject.screened.max(from), 1),
        Unit::Enrolled => {
            if let Enrolment::Enrolled(course) = history.enrolment {
                count(course.baseline.max(from), 1);
            }
        }
        Unit::ActiveStays => {
            let stay = history.stay().filter(|_| history.subject.arm == Arm::Active);
            stay.into_iter().filter(|course| course.baseline >= from).for_each(|course| count(course.end, 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::anomaly::KINDS;
    use super::*;

    fn lag() -> EntryLag {
        EntryLag { zero: 0.1, median: 2.3, sigma: 0.93 }
    }

    #[test]
    fn every_kind_but_the_platform_tests_has_a_statistic_that_more_units_show_better() {
        for facts in KINDS {
            let signal = Signal::of(facts.kind, facts.magnitude, &StudyPlan::default(), lag());
            assert_eq!(signal.is_none(), facts.kind.is_platform_test(), "{}", facts.name);
            let Some(signal) = signal else { continue };
            let powers = [1.0, 100.0, 10_000.0, 1_000_000.0].map(|units| signal.power(units));
            assert!(powers.windows(2).all(|pair| pair[0] <= pair[1]), "{}: {powers:?}", facts.name);
            assert!(powers[3] > 0.99, "{}: {powers:?}", facts.name);
        }
    }

    #[test]
    fn the_power_is_that_of_the_textbook() {
        // One sample, one standard deviation of shift, n = 10: Phi(sqrt(10) - 1.96) = Phi(1.2023) = 0.8854.
        let signal = Signal { unit: Unit::Pages, usual: moments(0.0, 1.0), shifted: moments(1.0, 1.0) };
        assert!((signal.power(10.0) - 0.8854).abs() < 1e-4);
        // Three units at a share of one half: 1 - 1/8.
        let signal = Signal { unit: Unit::Pages, usual: share(0.0), shifted: share(0.5) };
        assert!((signal.power(3.0) - 0.875).abs() < 1e-12);
    }
}
