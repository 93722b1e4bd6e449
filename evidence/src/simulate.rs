//! A clinical study from a plan and a seed: the extract that its data-capture and trial-management systems
//! would deliver on the cut-off day, and the ledger of what was planted in it.
//!
//! Read [`plan`] first (what can be set), then [`truth`] (what is written down about it), then `site` and
//! `subject` (who takes part), `visit`, `measurement`, `adverse_event`, `lab`, `deviation` and `page` (what
//! happens to them), and `dataset` with `extract` (the files). Every site, subject and process draws from its
//! own stream of the seed, so that a site more, or an anomaly more, changes nothing else.
pub mod error;
pub mod plan;
pub mod truth;

mod site;
mod subject;

mod adverse_event;
mod deviation;
mod lab;
mod measurement;
mod page;
mod visit;

mod column;
mod dataset;
mod draw;
mod extract;
mod words;

use std::path::Path;

use kernel::Seed;

pub use self::error::SimulateError;
use self::extract::Extract;
use self::plan::StudyPlan;
use self::site::Planting;
use self::subject::Subject;
use self::truth::Truth;

/// How far a simulation has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Subjects made.
    pub subjects_done: u64,
    /// Subjects to be made in all.
    pub subjects_total: u64,
}

/// Writes the extract of one study into the folder `out`: a Parquet file per dataset, the plan as
/// `plan.json` and the planted anomalies as `truth.json`, which is also returned.
///
/// The same plan and seed give the same bytes. Subjects are made and written one at a time, so that memory
/// does not grow with the study. `progress` is told after each subject.
///
/// # Errors
/// If the plan contradicts itself or names a site that it does not have, or if a file cannot be written.
pub fn simulate(
    plan: &StudyPlan,
    seed: Seed,
    out: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<Truth, SimulateError> {
    plan.check()?;
    let sites = site::sites(plan, seed);
    let mut truth = Truth::of_plan(plan, seed, &sites)?;
    let mut extract = Extract::create(out)?;
    site::write(plan, &sites, &mut extract)?;
    visit::write_schedule(plan, &mut extract)?;

    let subjects_total = sites.iter().map(|site| site.screenings.len() as u64).sum();
    let mut subjects_done = 0;
    for site in &sites {
        let planting = Planting::at(site, &truth);
        for number in 1..=site.screenings.len() {
            let subject = Subject::draw(plan, seed, site, number);
            let affected = subject.write(&planting, &mut extract)?;
            truth.count(&site.id, affected);
            subjects_done += 1;
            progress(Progress { subjects_done, subjects_total });
        }
    }

    extract.finish()?;
    extract::write_json(out, "plan.json", plan)?;
    extract::write_json(out, "truth.json", &truth)?;
    Ok(truth)
}
