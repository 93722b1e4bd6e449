//! Sites: when they open, whom they screen, when the monitor comes, and how they differ from each other.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use kernel::Seed;

use super::calendar::{after, working_day};
use super::draw::{Draw, whole};
use super::plan::StudyPlan;
use super::words::{COUNTRIES, Country, Cro, FIRST_NAMES, LAST_NAMES};

/// One site.
pub(super) struct Site {
    pub(super) id: String,
    pub(super) country: &'static Country,
    /// City and region.
    pub(super) place: (&'static str, &'static str),
    /// First and last name.
    pub(super) investigator: (&'static str, &'static str),
    /// The organisation that monitors it.
    pub(super) cro: &'static Cro,
    /// Its person for this site: `ELM-DEU-02`.
    pub(super) monitor: String,
    pub(super) activation: NaiveDate,
    /// The day each subject is screened on, in order. Never empty.
    pub(super) screenings: Vec<NaiveDate>,
    pub(super) effects: Effects,
    /// The place among the sites, from 0 on.
    pub(super) index: usize,
}

/// What makes a site unlike the others. Apart from the share and the days, each is a factor of mean 1.
pub(super) struct Effects {
    /// Share of screened subjects who are not enrolled.
    pub(super) screen_failure: f64,
    /// Days by which visits are late.
    pub(super) visit_days: f64,
    pub(super) discontinuation: f64,
    pub(super) missing: f64,
    pub(super) adverse_events: f64,
    pub(super) deviations: f64,
    pub(super) entry_lag: f64,
    pub(super) changes: f64,
    pub(super) queries: f64,
}

/// All sites of a plan. A site depends on its own id alone, its monitor on those before it too; nothing depends on how many
/// there are.
pub(super) fn sites(plan: &StudyPlan, seed: Seed) -> Vec<Site> {
    let mut sites: Vec<Site> = (0..plan.sites)
        .zip(0..)
        .map(|(number, index)| site(plan, seed, format!("{}", 1001 + number), index))
        .collect();
    assign_monitors(&mut sites);
    sites
}

/// A CRO has one monitor for every five of its sites in a country.
fn assign_monitors(sites: &mut [Site]) {
    const SITES_PER_MONITOR: u32 = 5;
    let mut before: BTreeMap<(&str, &str), u32> = BTreeMap::new();
    for site in sites {
        let (cro, country) = (site.cro.mark, site.country.code);
        let count = before.entry((cro, country)).or_default();
        site.monitor = format!("{cro}-{country}-{:02}", *count / SITES_PER_MONITOR + 1);
        *count += 1;
    }
}

fn site(plan: &StudyPlan, seed: Seed, id: String, index: usize) -> Site {
    let draw = |process: &str| Draw::new(seed, &format!("{}/site/{id}/{process}", plan.study));
    let mut frame = draw("frame");
    let country = &COUNTRIES[frame.weighted(COUNTRIES.iter().map(|country| country.weight))];
    let place = *frame.pick(country.cities);
    let investigator = (*frame.pick(&FIRST_NAMES), *frame.pick(&LAST_NAMES));
    let (activation, screenings) = recruitment(plan, country.code, &mut draw("recruitment"));
    let effects = effects(plan, &mut draw("effects"));
    let cro = draw("monitoring").pick(country.cros);
    let monitor = String::new();
    Site { id, country, place, investigator, cro, monitor, activation, screenings, effects, index }
}

/// When a site opens and screens. Set-up takes gamma-distributed days; the number of subjects is negative binomial:
/// Poisson around a gamma rate.
// Source: Anisimov VV, Fedorov VV, "Modelling, prediction and adaptive adjustment of recruitment in multicentre
// trials", Stat Med 2007;26:4958-4975, for the Poisson-gamma model; its shape is that of clindata's 176 sites.
fn recruitment(plan: &StudyPlan, country: &str, draw: &mut Draw) -> (NaiveDate, Vec<NaiveDate>) {
    const SETUP_DAYS_SCALE: f64 = 20.0;
    let latest = i64::from(plan.recruitment_days / 2);
    let setup_days = whole(draw.gamma(2.0) * SETUP_DAYS_SCALE).min(latest);
    let activation = working_day(after(plan.start, setup_days), country);
    let shape = plan.rates.enrolment_shape;
    let rate = plan.subjects_per_site * draw.gamma(shape) / shape;
    let count = draw.poisson(rate).max(1);
    let mut screenings: Vec<NaiveDate> =
        (0..count).map(|_| working_day(draw.day(activation, plan.recruitment_end()), country)).collect();
    screenings.sort_unstable();
    (activation, screenings)
}

fn effects(plan: &StudyPlan, draw: &mut Draw) -> Effects {
    const VISIT_DAYS_SD: f64 = 0.3;
    let rates = &plan.rates;
    Effects {
        screen_failure: draw.beta(rates.screen_failure, rates.screen_failure_concentration),
        visit_days: VISIT_DAYS_SD * draw.normal(),
        discontinuation: draw.frailty(rates.discontinuation_site_variance),
        missing: draw.frailty(rates.missing_site_variance),
        adverse_events: draw.frailty(rates.adverse_events_site_variance),
        deviations: draw.frailty(rates.deviations_site_variance),
        entry_lag: draw.log_normal(1.0, rates.entry_lag_site_sd),
        changes: draw.frailty(rates.cleaning_site_variance),
        queries: draw.frailty(rates.cleaning_site_variance),
    }
}

impl Site {
    /// The first monitoring visit after a day: one every six weeks from activation on.
    pub(super) fn next_monitoring(&self, day: NaiveDate) -> NaiveDate {
        const EVERY_DAYS: i64 = 42;
        let elapsed = (day - self.activation).num_days().max(0);
        after(self.activation, (elapsed / EVERY_DAYS + 1) * EVERY_DAYS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_monitor_comes_every_six_weeks_from_activation_on() {
        let site = &sites(&StudyPlan::default(), Seed(1))[0];
        let opened = site.activation;
        assert_eq!(site.next_monitoring(opened), after(opened, 42));
        assert_eq!(site.next_monitoring(after(opened, 41)), after(opened, 42));
        assert_eq!(site.next_monitoring(after(opened, 42)), after(opened, 84));
    }

    #[test]
    fn a_monitor_has_up_to_five_sites_of_one_cro_and_country() {
        let plan = StudyPlan { sites: 60, ..StudyPlan::default() };
        let all = sites(&plan, Seed(1));
        let mut by_monitor: BTreeMap<&str, Vec<&Site>> = BTreeMap::new();
        for site in &all {
            by_monitor.entry(&site.monitor).or_default().push(site);
        }
        for (monitor, sites) in &by_monitor {
            assert!(sites.len() <= 5, "{monitor}");
            let places = sites.iter().map(|site| (site.cro.name, site.country.code));
            assert_eq!(places.collect::<std::collections::BTreeSet<_>>().len(), 1, "{monitor}");
        }
        assert_eq!(all.iter().map(|site| site.cro.name).collect::<std::collections::BTreeSet<_>>().len(), 3);
        // A study with fewer sites has the same ones.
        let fewer = sites(&StudyPlan { sites: 40, ..StudyPlan::default() }, Seed(1));
        assert!(fewer.iter().zip(&all).all(|(one, other)| one.monitor == other.monitor));
    }

    #[test]
    fn sites_differ_in_size_as_planned() {
        let plan = StudyPlan { sites: 3_000, subjects_per_site: 20.0, ..StudyPlan::default() };
        let counts: Vec<f64> =
            sites(&plan, Seed(1)).iter().map(|site| site.screenings.len() as f64).collect();
        let mean = counts.iter().sum::<f64>() / 3_000.0;
        let variance = counts.iter().map(|count| (count - mean).powi(2)).sum::<f64>() / 3_000.0;
        assert!((mean - 20.0).abs() < 1.5, "{mean}");
        // Negative binomial: mean + mean squared / shape.
        assert!((variance / (20.0 + 400.0 / 0.63) - 1.0).abs() < 0.15, "{variance}");
    }
}
