//! A clinical study from a plan and a seed: the extract that its data-capture and trial-management systems
//! would deliver on the cut-off day, and the ledger of what was planted in it.
//!
//! Read [`plan`], [`rates`] and [`anomaly`] first (what can be set and planted), then [`truth`] (what is written down
//! about it), then `world`, `site` and `subject` (who takes part), `visit`, `course`, `measurement`, `entry`,
//! `adverse_event`, `lab` and `deviation` (what happens to them, collected in `history`), and `edc` with `extract`,
//! `sdtm` and `platform` (the files). Every site, subject and process draws from its own stream of the seed, so that a
//! site more, or an anomaly more, changes nothing else.
pub mod anomaly;
pub mod error;
pub mod folder;
pub mod plan;
pub mod rates;
pub mod truth;

mod history;
mod kind;
mod planting;
mod site;
mod subject;
mod world;

mod adverse_event;
mod course;
mod deviation;
mod entry;
mod form;
mod lab;
mod measurement;
mod visit;
mod walk;

mod calendar;
mod draw;
mod power;
mod words;

mod column;
mod dataset;
mod edc;
mod extract;
mod platform;
mod sdtm;

use std::path::Path;

use kernel::Seed;

use self::calendar::month_ends;
pub use self::error::SimulateError;
use self::extract::Extract;
use self::history::History;
use self::plan::{Format, StudyPlan};
use self::sdtm::Sdtm;
use self::truth::{Ledger, Truth};
use self::world::World;

/// How far a simulation has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Subjects made.
    pub subjects_done: u64,
    /// Subjects to be made in all.
    pub subjects_total: u64,
}

/// Writes one study into the folder `out`, in the formats of the plan: the extract of the cut-off as a Parquet file
/// per dataset; earlier cuts in `cuts/DAY`; platform tests in `platform/NAME`; SDTM datasets in `sdtm/xpt` and
/// `sdtm/datasetjson`; what the extract withholds in `truth`; the plan as `plan.json`; and the planted anomalies as
/// `truth.json`, which are also returned.
///
/// The same plan and seed give the same bytes. Subjects are made and written one at a time, so that memory
/// does not grow with the study. `progress` is told after each subject. Call [`folder::claim`] first, so that nothing
/// is mixed with what is there.
///
/// # Errors
/// If the plan contradicts itself or names a site that it does not have, or if a file cannot be written.
pub fn simulate(
    plan: &StudyPlan,
    seed: Seed,
    out: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<Truth, SimulateError> {
    let world = World::new(plan, seed)?;
    folder::make_folder(out)?;
    let mut ledger = Ledger::create(&world, out)?;
    let mut extracts = extracts(&world, out)?;
    extracts.iter_mut().try_for_each(|extract| edc::write_study(&world, extract))?;
    let mut sdtm = Sdtm::create(&world, out)?;
    sdtm.iter_mut().try_for_each(|sdtm| sdtm.write_study(&world))?;

    let subjects_total = world.sites.iter().map(|site| site.screenings.len() as u64).sum();
    let mut subjects_done = 0;
    for site in &world.sites {
        for number in 1..=site.screenings.len() {
            let history = History::draw(&world, site, number);
            extracts.iter_mut().try_for_each(|extract| edc::write(&history, extract))?;
            sdtm.iter_mut().try_for_each(|sdtm| sdtm.write(&history))?;
            ledger.add(&history)?;
            subjects_done += 1;
            progress(Progress { subjects_done, subjects_total });
        }
    }

    extracts.into_iter().try_for_each(Extract::finish)?;
    sdtm.into_iter().try_for_each(Sdtm::finish)?;
    platform::write(&world, out, &mut ledger)?;
    let truth = ledger.finish()?;
    folder::write_json(out, "plan.json", &StudyPlan { seed: Some(seed), ..plan.clone() })?;
    folder::write_json(out, "truth.json", &truth)?;
    Ok(truth)
}

/// The extract of the cut-off, and those of the month ends before it.
fn extracts(world: &World<'_>, out: &Path) -> Result<Vec<Extract>, SimulateError> {
    let plan = world.plan;
    if !plan.formats.contains(&Format::Edc) {
        return Ok(Vec::new());
    }
    let mut extracts = vec![Extract::create(out, plan.cut_off)?];
    let ends = month_ends(plan.start, plan.cut_off);
    let before = &ends[..ends.len() - 1];
    let first = before.len().saturating_sub(plan.cuts as usize);
    for end in &before[first..] {
        extracts.push(Extract::create(&out.join("cuts").join(end.to_string()), *end)?);
    }
    Ok(extracts)
}
