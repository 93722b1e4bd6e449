//! Protocol deviations of enrolled subjects.

use super::dataset::DeviationRow;
use super::error::SimulateError;
use super::extract::Extract;
use super::subject::Subject;
use super::words::DEVIATIONS;

/// Writes the deviations of every visit from baseline on that the extract knows of.
pub(super) fn write(subject: &Subject<'_>, extract: &mut Extract) -> Result<(), SimulateError> {
    let Some(course) = subject.course() else { return Ok(()) };
    let rates = &subject.plan.rates;
    let mut draw = subject.stream("deviations");
    let since_baseline = subject.visits.iter().filter(|visit| visit.date >= course.baseline);
    for visit in since_baseline.filter(|visit| subject.known(visit.date)) {
        for _ in 0..draw.poisson(rates.deviations_per_visit * subject.site.effects.deviations) {
            let kind = draw.weighted(DEVIATIONS.iter().map(|(_, weight, _)| *weight));
            let (category, _, description) = DEVIATIONS[kind];
            extract.deviations.push(DeviationRow {
                studyid: subject.study(),
                subjectenrollmentnumber: &subject.id,
                deemedimportant: draw.chance(rates.deviations_important),
                crocategory: category,
                description,
                deviationdate: draw.moment(visit.date),
            })?;
        }
    }
    Ok(())
}
