//! Makes the demonstration study in another size, to be measured from outside.
//!
//! ```text
//! cargo build -p evidence --examples
//! /usr/bin/time -v TARGET/debug/examples/sized_study DIR SITES SUBJECTS_PER_SITE [SEED [FORMAT ...]]
//! ```

use std::error::Error;
use std::path::PathBuf;

use evidence::{Format, StudyPlan, simulate};
use kernel::Seed;

fn main() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    let mut next = || words.next().ok_or("DIR SITES SUBJECTS_PER_SITE [SEED [FORMAT ...]]");
    let (folder, sites, subjects) = (PathBuf::from(next()?), next()?.parse()?, next()?.parse()?);
    let seed = words.next().map_or(Ok(1), |seed| seed.parse())?;
    let mut formats: Vec<Format> = words.map(|format| format.parse()).collect::<Result<_, _>>()?;
    if formats.is_empty() {
        formats = vec![Format::Edc, Format::SdtmXpt, Format::SdtmDatasetjson];
    }
    let plan = StudyPlan { formats, ..StudyPlan::demo().resized(sites, subjects) };
    let mut made = 0;
    let truth = simulate(&plan, Seed(seed), &folder, &mut |progress| made = progress.subjects_done)?;
    println!("{sites} sites, {made} subjects, {} anomalies", truth.anomalies.len());
    Ok(())
}
