//! Laboratory results: a subject's level, a memory from visit to visit, and a grade by fixed limits.

use chrono::NaiveDate;
use libm::exp;

use super::anomaly::AnomalyKind;
use super::calendar::after;
use super::draw::{Draw, logistic, logit, whole};
use super::history::{History, Lab, Mechanism};
use super::planting::Mark;
use super::subject::{Arm, Subject};
use super::walk::{Shape, Walk};

/// The test whose unit is switched by a planted anomaly.
const SWITCHED_TEST: &str = "GLUC";

/// Two hundredths of the variance are the assay's.
const ASSAY: Shape = Shape { level: 0.5, noise: 0.02, memory: 0.5 };

/// A laboratory test, log-normal around its centre.
pub(super) struct Test {
    pub(super) code: &'static str,
    pub(super) name: &'static str,
    pub(super) unit: &'static str,
    center: f64,
    /// Standard deviation of the logarithm.
    sigma: f64,
    /// Which end of the range is harmful.
    harmful: Option<End>,
    /// Standard deviations by which active treatment moves it.
    drift: f64,
}

#[derive(Clone, Copy)]
enum End {
    High,
    Low,
}

pub(super) const TESTS: [Test; 10] = [
    test(("ALT", "Liver enzyme A", "U/L"), (22.0, 0.38), Some(End::High), 0.1),
    test(("AST", "Liver enzyme B", "U/L"), (23.0, 0.33), Some(End::High), 0.1),
    test(("ALP", "Liver enzyme C", "U/L"), (70.0, 0.28), Some(End::High), 0.0),
    test(("BILI", "Bile pigment", "umol/L"), (9.0, 0.4), Some(End::High), 0.0),
    test(("CREAT", "Kidney marker", "umol/L"), (76.0, 0.2), Some(End::High), 0.0),
    test(("GLUC", "Blood sugar", "mmol/L"), (5.6, 0.2), Some(End::High), -0.4),
    test(("HGB", "Red pigment", "g/L"), (141.0, 0.09), Some(End::Low), 0.0),
    test(("PLAT", "Platelets", "10^9/L"), (245.0, 0.24), Some(End::Low), 0.0),
    test(("UREA", "Urea", "mmol/L"), (5.2, 0.25), None, 0.0),
    test(("CHOL", "Cholesterol", "mmol/L"), (5.1, 0.19), None, -0.2),
];

const fn test(
    (code, name, unit): (&'static str, &'static str, &'static str),
    (center, sigma): (f64, f64),
    harmful: Option<End>,
    drift: f64,
) -> Test {
    Test { code, name, unit, center, sigma, harmful, drift }
}

/// Standard deviations from the centre at which grades 1 to 4 begin, so that 95.4, 3.4, 1.0, 0.22 and 0.04 %
/// of results have grades 0 to 4.
// Source: the graded results of clindata; normal quantiles of the cumulated shares.
const GRADE_BEGINS: [f64; 4] = [1.685, 2.238, 2.794, 3.353];

impl Test {
    fn at(&self, deviations: f64) -> f64 {
        self.center * exp(self.sigma * deviations)
    }

    /// The range that is called normal: its harmful end is where grade 1 begins.
    pub(super) fn range(&self) -> (f64, f64) {
        const OTHER_END: f64 = 1.96;
        let (low, high) = match self.harmful {
            Some(End::High) => (OTHER_END, GRADE_BEGINS[0]),
            Some(End::Low) => (GRADE_BEGINS[0], OTHER_END),
            None => (OTHER_END, OTHER_END),
        };
        (hundredths(self.at(-low)), hundredths(self.at(high)))
    }

    /// The grade of a result, by the limits that it has reached.
    pub(super) fn grade(&self, result: f64) -> Option<&'static str> {
        let reached = |begin: f64| match self.harmful {
            Some(End::High) => result > self.at(begin),
            Some(End::Low) => result < self.at(-begin),
            None => false,
        };
        self.harmful?;
        let grade = GRADE_BEGINS.iter().filter(|begin| reached(**begin)).count();
        ["0", "1", "2", "3", "4"].get(grade).copied()
    }
}

/// The results of every visit. All tests of a subject share a part of what moves them; the active arm drifts over
/// the first twelve weeks.
pub(super) fn draw(history: &History<'_>, marks: &mut Vec<Mark>) -> Vec<Lab> {
    let subject = &history.subject;
    let mut draw = subject.body_stream("labs");
    let mut loss = subject.stream("labs lost");
    let shared = draw.normal();
    let mut walks: Vec<Walk> =
        TESTS.iter().map(|_| Walk::new(ASSAY, correlated(shared, &mut draw), &mut draw)).collect();
    let mut labs = Vec::with_capacity(history.visits.len() * TESTS.len());
    for (place, visit) in history.visits.iter().enumerate() {
        let shared = draw.normal();
        let drift = drift(history, visit.date);
        let arrives = draw.uniform();
        for (index, (test, walk)) in TESTS.iter().zip(&mut walks).enumerate() {
            let (level, around) = walk.step(correlated(shared, &mut draw), &mut draw);
            let deviation = level + around + drift * test.drift;
            let truth = hundredths(test.at(deviation));
            let mut lab = Lab {
                id: format!("{}-V{}-{}", subject.id, visit.number, test.code),
                test: index,
                visit: place,
                truth,
                reported: truth,
                missing: lost(subject, deviation, &mut loss).filter(|_| !visit.is_made_up),
                collected: visit.date,
                received: after(visit.date, 2 + whole(3.0 * arrives)),
                altered_by: None,
            };
            alter(subject, &mut lab, marks);
            labs.push(lab);
        }
    }
    labs
}

/// How far the drift of treatment has come: 0 at baseline, 1 from week 12 on; 0 without active treatment.
fn drift(history: &History<'_>, day: NaiveDate) -> f64 {
    const FULL_AFTER_DAYS: f64 = 84.0;
    match history.stay() {
        Some(course) if history.subject.arm == Arm::Active => {
            ((day.min(course.treatment_end) - course.baseline).num_days() as f64 / FULL_AFTER_DAYS)
                .clamp(0.0, 1.0)
        }
        _ => 0.0,
    }
}

/// Standard normal, a fifth of its variance shared.
fn correlated(shared: f64, draw: &mut Draw) -> f64 {
    const SHARED: f64 = 0.2;
    SHARED.sqrt() * shared + (1.0 - SHARED).sqrt() * draw.normal()
}

/// Why a result is missing, if it is: the mechanisms of the pages, without visit and age.
fn lost(subject: &Subject<'_>, deviation: f64, draw: &mut Draw) -> Option<Mechanism> {
    let rates = &subject.world.plan.rates;
    let draws = [draw.uniform(), draw.uniform(), draw.uniform()];
    let of_value = || logistic(logit(rates.item_missing_mnar) + rates.item_missing_mnar_value * deviation);
    if draws[0] < rates.item_missing_mcar {
        Some(Mechanism::Mcar)
    } else if draws[1] < rates.item_missing_mar * subject.site.effects.missing {
        Some(Mechanism::Mar)
    } else if rates.item_missing_mnar > 0.0 && draws[2] < of_value() {
        Some(Mechanism::Mnar)
    } else {
        None
    }
}

/// What is planted on a result: another unit under the same label, or the date of another day.
fn alter(subject: &Subject<'_>, lab: &mut Lab, marks: &mut Vec<Mark>) {
    if let Some(planting) = subject.planted.on(AnomalyKind::TimezoneError, lab.collected) {
        lab.collected = after(lab.collected, whole(planting.magnitude));
        lab.altered_by = Some(planting.index);
        marks.push(planting.mark("lb", lab.id.clone(), lab.received));
    }
    if let Some(planting) = subject.planted.on(AnomalyKind::UnitSwitch, lab.collected)
        && TESTS[lab.test].code == SWITCHED_TEST
    {
        lab.reported = hundredths(lab.truth * planting.magnitude);
        lab.altered_by = Some(planting.index);
        if lab.missing.is_none() {
            marks.push(planting.mark("lb", lab.id.clone(), lab.received));
        }
    }
}

fn hundredths(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_grade(test: &Test, deviations: f64, grade: Option<&str>) {
        assert_eq!(test.grade(test.at(deviations)), grade, "{} at {deviations}", test.code);
    }

    #[test]
    fn grades_begin_at_the_harmful_end() {
        check_grade(&TESTS[0], 1.6, Some("0"));
        check_grade(&TESTS[0], 1.7, Some("1"));
        check_grade(&TESTS[0], 3.4, Some("4"));
        check_grade(&TESTS[0], -4.0, Some("0"));
        check_grade(&TESTS[6], -2.3, Some("2"));
        check_grade(&TESTS[6], 4.0, Some("0"));
        check_grade(&TESTS[8], 4.0, None);
    }
}
