//! Sites: when they open, whom they screen, and how they differ from each other.

use chrono::NaiveDate;
use kernel::Seed;

use super::dataset::{SiteRow, StudyRow};
use super::draw::{Draw, after, whole, working_day};
use super::error::SimulateError;
use super::extract::Extract;
use super::plan::StudyPlan;
use super::truth::{AnomalyKind, Truth};
use super::visit;
use super::words::{COUNTRIES, Country, FIRST_NAMES, LAST_NAMES};

/// One site.
pub(super) struct Site {
    pub(super) id: String,
    pub(super) country: &'static Country,
    /// City and region.
    place: (&'static str, &'static str),
    /// First and last name.
    investigator: (&'static str, &'static str),
    pub(super) activation: NaiveDate,
    /// The day each subject is screened on, in order. Never empty.
    pub(super) screenings: Vec<NaiveDate>,
    pub(super) effects: Effects,
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

/// What is planted at a site.
pub(super) struct Planting {
    /// The share of adverse events that is reported.
    pub(super) events_reported: f64,
    /// From which day on pages are late, and by which factor.
    pub(super) entry_step: Option<(NaiveDate, f64)>,
}

impl Planting {
    /// What the ledger says about a site.
    pub(super) fn at(site: &Site, truth: &Truth) -> Self {
        let mut planting = Self { events_reported: 1.0, entry_step: None };
        for planted in truth.anomalies.iter().filter(|planted| planted.site == site.id) {
            match planted.kind {
                AnomalyKind::AeUnderReporting => planting.events_reported *= 1.0 + planted.magnitude,
                AnomalyKind::DelayedEntry => planting.entry_step = Some((planted.start, planted.magnitude)),
            }
        }
        planting
    }
}

/// All sites of a plan. A site depends on its own id alone, and not on how many there are.
pub(super) fn sites(plan: &StudyPlan, seed: Seed) -> Vec<Site> {
    (0..plan.sites).map(|index| site(plan, seed, format!("{}", 1001 + index))).collect()
}

fn site(plan: &StudyPlan, seed: Seed, id: String) -> Site {
    let draw = |process: &str| Draw::new(seed, &format!("{}/site/{id}/{process}", plan.study));
    let mut frame = draw("frame");
    let country = &COUNTRIES[frame.weighted(COUNTRIES.iter().map(|country| country.weight))];
    let place = *frame.pick(country.cities);
    let investigator = (*frame.pick(&FIRST_NAMES), *frame.pick(&LAST_NAMES));
    let (activation, screenings) = recruitment(plan, &mut draw("recruitment"));
    let effects = effects(plan, &mut draw("effects"));
    Site { id, country, place, investigator, activation, screenings, effects }
}

/// When a site opens and screens. The number of subjects is negative binomial: Poisson around a gamma rate.
// Source: Anisimov VV, Fedorov VV, "Modelling, prediction and adaptive adjustment of recruitment in multicentre
// trials", Stat Med 2007;26:4958-4975, for the Poisson-gamma model.
fn recruitment(plan: &StudyPlan, draw: &mut Draw) -> (NaiveDate, Vec<NaiveDate>) {
    const SETUP_DAYS_SCALE: f64 = 20.0;
    let latest = i64::from(plan.recruitment_days / 2);
    let setup_days = whole(draw.gamma(2.0) * SETUP_DAYS_SCALE).min(latest);
    let activation = working_day(after(plan.start, setup_days));
    let shape = plan.rates.enrolment_shape;
    let rate = plan.subjects_per_site * draw.gamma(shape) / shape;
    let count = draw.poisson(rate).max(1);
    let mut screenings: Vec<NaiveDate> =
        (0..count).map(|_| working_day(draw.day(activation, plan.recruitment_end()))).collect();
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

/// Writes the study and its sites.
pub(super) fn write(plan: &StudyPlan, sites: &[Site], extract: &mut Extract) -> Result<(), SimulateError> {
    let known = |day: NaiveDate| day <= plan.cut_off;
    let first_screening = sites.iter().filter_map(|site| site.screenings.first().copied()).min();
    let title = format!("A simulated study of {} sites", plan.sites);
    extract.studies.push(StudyRow {
        protocol_number: plan.study.as_str(),
        nickname: "CAIRN",
        protocol_title: &title,
        status: "Active",
        num_plan_site: i64::from(plan.sites),
        num_plan_subj: whole(f64::from(plan.sites) * plan.subjects_per_site),
        act_fpfv: first_screening.filter(|day| known(*day)),
        est_lplv: after(plan.recruitment_end(), visit::LONGEST_STAY_DAYS),
        therapeutic_area: "Metabolism",
        protocol_indication: "Raised blood sugar",
        phase: "P3",
        product: "Compound C",
    })?;
    for site in sites {
        let active = known(site.activation);
        extract.sites.push(SiteRow {
            protocol: plan.study.as_str(),
            pi_number: &site.id,
            pi_first_name: site.investigator.0,
            pi_last_name: site.investigator.1,
            site_status: if active { "Active" } else { "Selected" },
            site_active_dt: active.then_some(site.activation),
            city: site.place.0,
            state: site.place.1,
            country: site.country.code,
        })?;
    }
    Ok(())
}
