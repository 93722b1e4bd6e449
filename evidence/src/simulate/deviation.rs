//! Protocol deviations of enrolled subjects.

use chrono::NaiveDate;

use super::anomaly::AnomalyKind;
use super::calendar::after;
use super::draw::{Draw, whole};
use super::history::{Deviation, History};
use super::planting::Mark;
use super::words::DEVIATIONS;

/// The deviations of every visit from baseline on, by the day on which they are recorded. Their number is Poisson with
/// the site's own rate.
// Source: clindata: 3.7 deviations for each subject, 10.7 % of them important.
pub(super) fn draw(history: &History<'_>, marks: &mut Vec<Mark>) -> Vec<Deviation> {
    let Some(course) = history.stay() else { return Vec::new() };
    let (subject, rates) = (&history.subject, &history.subject.world.plan.rates);
    let mut draw = subject.stream("deviations");
    let mut hiding = subject.stream("planted deviations");
    let mut found: Vec<(Deviation, Option<usize>)> = Vec::new();
    for visit in history.visits.iter().filter(|visit| visit.date >= course.baseline) {
        for _ in 0..draw.poisson(rates.deviations_per_visit * subject.site.effects.deviations) {
            let kind = draw.weighted(DEVIATIONS.iter().map(|(_, weight, _)| *weight));
            let is_important = draw.chance(rates.deviations_important);
            let hidden = subject.planted.on(AnomalyKind::HiddenImportantDeviations, visit.date);
            let hidden = hidden.filter(|planting| hiding.chance(planting.magnitude) && is_important);
            let deviation =
                recorded(DEVIATIONS[kind], visit.date, is_important && hidden.is_none(), &mut draw);
            found.push((deviation, hidden.map(|planting| planting.index)));
        }
    }
    if history.broken_criterion.is_some() {
        let lapse = ("Eligibility", 0.0, "the subject was enrolled against a criterion");
        let planted = subject.planted.on(AnomalyKind::EligibilityLapses, course.baseline);
        let mut draw = subject.stream("eligibility deviation");
        found.push((
            recorded(lapse, course.baseline, true, &mut draw),
            planted.map(|planting| planting.index),
        ));
    }
    found.sort_by_key(|(deviation, _)| (deviation.recorded, deviation.date));
    let plantings = &subject.world.plantings;
    let numbered = found.into_iter().zip(1..).map(|((deviation, by), number)| {
        let id = format!("{}-DV-{number}", subject.id);
        marks.extend(by.map(|index| plantings[index].mark("pd", id.clone(), deviation.recorded)));
        Deviation { id, ..deviation }
    });
    numbered.collect()
}

fn recorded(
    (category, _, description): (&'static str, f64, &'static str),
    day: NaiveDate,
    important: bool,
    draw: &mut Draw,
) -> Deviation {
    const DAYS_TO_RECORD: f64 = 5.0;
    let recorded = after(day, whole(DAYS_TO_RECORD * draw.exponential()));
    Deviation { id: String::new(), date: draw.moment(day), recorded, important, category, description }
}
