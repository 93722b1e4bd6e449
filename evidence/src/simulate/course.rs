//! The stay: until when an enrolled subject is treated and followed, and why it ends.

use chrono::{NaiveDate, NaiveDateTime};
use libm::{log1p, pow};

use super::anomaly::AnomalyKind;
use super::calendar::after;
use super::draw::whole;
use super::entry::{Answer, Desk, Order};
use super::history::{Cause, Course, History, Page, Value};
use super::planting::Mark;
use super::subject::{Arm, Subject};

/// The causes and their shares among those who leave.
// Source: the 108 discontinued of 1,301 subjects of clindata, and lack of efficacy as in the CDISC pilot.
const SHARES: [(Cause, f64); 7] = [
    (Cause::Withdrawal, 56.0 / 110.0),
    (Cause::Lost, 16.0 / 110.0),
    (Cause::Physician, 12.0 / 110.0),
    (Cause::AdverseEvent, 10.0 / 110.0),
    (Cause::Pregnancy, 10.0 / 110.0),
    (Cause::Death, 4.0 / 110.0),
    (Cause::Efficacy, 2.0 / 110.0),
];

/// The stay between the baseline visit and the last one. Each cause has its own hazard; the first to strike before
/// the last visit ends the stay.
pub(super) fn draw(
    subject: &Subject<'_>,
    baseline: NaiveDate,
    last_visit: NaiveDate,
    marks: &mut Vec<Mark>,
) -> Course {
    let (world, rates) = (subject.world, &subject.world.plan.rates);
    let mut draw = subject.body_stream("course");
    let exponentials = SHARES.map(|_| draw.exponential());
    let stops = draw.chance(rates.treatment_stop);
    let stop = draw.day(after(baseline, 1), after(baseline, world.treatment_days()));
    let hazard = -log1p(-rates.discontinuation) * subject.origin.site.effects.discontinuation;
    let stay = |hazard: f64| {
        let leaving = departure(subject, hazard, &exponentials)
            .map(|(day, cause)| (after(baseline, day), cause))
            .filter(|(day, _)| *day < last_visit);
        let end = leaving.map_or(last_visit, |(day, _)| day);
        let treatment_end = if stops { stop.min(end) } else { end };
        Course {
            baseline,
            end,
            departure: leaving.map(|(_, cause)| cause),
            treatment_end,
            treatment_completed: leaving.is_none() && treatment_end == end,
        }
    };
    let ordinary = stay(hazard);
    let Some(planting) = subject.planted.on(AnomalyKind::InformativeDropout, baseline) else {
        return ordinary;
    };
    if subject.arm != Arm::Active || subject.severity <= 0.0 {
        return ordinary;
    }
    let informative = stay(hazard * planting.magnitude);
    if informative != ordinary {
        marks.push(planting.mark("studcomp", subject.id.clone(), informative.end));
    }
    informative
}

/// The first cause to strike, and after how many days. A cause's cumulated hazard is Weibull in a time that runs
/// faster in the first third of treatment.
fn departure(subject: &Subject<'_>, hazard: f64, exponentials: &[f64; 7]) -> Option<(i64, Cause)> {
    const SHAPE: f64 = 0.9;
    let days = subject.world.treatment_days() as f64;
    let may_be_pregnant = subject.sex == "F" && subject.age < 50;
    let mut first: Option<(i64, Cause)> = None;
    for ((cause, share), exponential) in SHARES.into_iter().zip(exponentials) {
        let standard = exponential / (hazard * share).max(f64::MIN_POSITIVE);
        let day = whole((days * clock_time(pow(standard, 1.0 / SHAPE))).min(1e6)).max(1);
        let possible = cause != Cause::Pregnancy || may_be_pregnant;
        if possible && first.is_none_or(|(earliest, _)| day < earliest) {
            first = Some((day, cause));
        }
    }
    first
}

/// The share of treatment at which the faster-running time says `operational`; both are 1 at the end.
fn clock_time(operational: f64) -> f64 {
    const EARLY: f64 = 1.0 / 3.0;
    const EARLY_SPEED: f64 = 1.3;
    const LATE_SPEED: f64 = (1.0 - EARLY * EARLY_SPEED) / (1.0 - EARLY);
    let turn = EARLY * EARLY_SPEED;
    if operational < turn { operational / EARLY_SPEED } else { EARLY + (operational - turn) / LATE_SPEED }
}

/// The last page of an enrolled subject, when it is entered, and when the end of treatment is.
pub(super) fn ends<'w>(
    history: &History<'w>,
    desk: &mut Desk<'_, 'w>,
) -> Option<(Page<'w>, NaiveDateTime, NaiveDateTime)> {
    let course = history.stay()?;
    let reason = course.departure.map(Cause::reason);
    let completed = if reason.is_none() { "Y" } else { "N" };
    let answers = [completed, reason.unwrap_or("Completed")].map(|text| Answer::of(Value::Text(text)));
    let page = desk.enter(Order {
        id: format!("{}-DS", history.subject.id),
        visit: "End of study".into(),
        ..Order::log(&history.subject.world.forms.end_of_study, course.end, answers.into())
    });
    let entered = page.entered;
    let treatment_entered = if course.treatment_end == course.end {
        entered
    } else {
        history.subject.stream("treatment end").moment(course.treatment_end)
    };
    Some((page, entered, treatment_entered))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_faster_time_meets_the_clock_at_the_beginning_and_the_end() {
        assert!(clock_time(0.0).abs() < 1e-15);
        assert!((clock_time(1.0) - 1.0).abs() < 1e-15);
        // A third of the way is 1.3 thirds of the hazard.
        assert!((clock_time(1.3 / 3.0) - 1.0 / 3.0).abs() < 1e-15);
    }

    #[test]
    fn the_shares_of_the_causes_make_a_whole() {
        assert!((SHARES.iter().map(|(_, share)| share).sum::<f64>() - 1.0).abs() < 1e-12);
    }
}
