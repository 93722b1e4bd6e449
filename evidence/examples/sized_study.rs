//! Makes the demonstration study in another size, to be measured from outside.
//!
//! ```text
//! cargo build -p evidence --examples
//! /usr/bin/time -v TARGET/debug/examples/sized_study DIR SITES SUBJECTS_PER_SITE QUESTIONS [FORMAT ...]
//! ```

use std::error::Error;
use std::path::PathBuf;

use evidence::{Format, Protocol, StudyPlan, simulate};
use kernel::Seed;

fn main() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    let mut next = || words.next().ok_or("DIR SITES SUBJECTS_PER_SITE QUESTIONS [FORMAT ...]");
    let folder = PathBuf::from(next()?);
    let (sites, subjects, questionnaire_items) = (next()?.parse()?, next()?.parse()?, next()?.parse()?);
    let mut formats: Vec<Format> = words.map(|format| format.parse()).collect::<Result<_, _>>()?;
    if formats.is_empty() {
        formats = vec![Format::Edc, Format::SdtmXpt, Format::SdtmDatasetjson];
    }
    let protocol = Protocol { questionnaire_items, ..Protocol::default() };
    let plan = StudyPlan { formats, protocol, ..StudyPlan::demo().resized(sites, subjects) };
    let mut made = 0;
    let truth = simulate(&plan, Seed(1), &folder, &mut |progress| made = progress.subjects_done)?;
    println!("{sites} sites, {made} subjects, {} anomalies", truth.anomalies.len());
    Ok(())
}
