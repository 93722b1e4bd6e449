//! Laboratory results: a subject's level, a memory from visit to visit, and a grade by fixed limits.

use super::dataset::LabRow;
use super::draw::Draw;
use super::error::SimulateError;
use super::extract::Extract;
use super::subject::Subject;

/// A laboratory test, log-normal around its centre.
struct Test {
    code: &'static str,
    name: &'static str,
    unit: &'static str,
    center: f64,
    /// Standard deviation of the logarithm.
    sigma: f64,
    /// Which end of the range is harmful.
    harmful: Option<End>,
}

#[derive(Clone, Copy)]
enum End {
    High,
    Low,
}

const TESTS: [Test; 10] = [
    Test {
        code: "ALT",
        name: "Liver enzyme A",
        unit: "U/L",
        center: 22.0,
        sigma: 0.38,
        harmful: Some(End::High),
    },
    Test {
        code: "AST",
        name: "Liver enzyme B",
        unit: "U/L",
        center: 23.0,
        sigma: 0.33,
        harmful: Some(End::High),
    },
    Test {
        code: "ALP",
        name: "Liver enzyme C",
        unit: "U/L",
        center: 70.0,
        sigma: 0.28,
        harmful: Some(End::High),
    },
    Test {
        code: "BILI",
        name: "Bile pigment",
        unit: "umol/L",
        center: 9.0,
        sigma: 0.4,
        harmful: Some(End::High),
    },
    Test {
        code: "CREAT",
        name: "Kidney marker",
        unit: "umol/L",
        center: 76.0,
        sigma: 0.2,
        harmful: Some(End::High),
    },
    Test {
        code: "GLUC",
        name: "Blood sugar",
        unit: "mmol/L",
        center: 5.6,
        sigma: 0.2,
        harmful: Some(End::High),
    },
    Test {
        code: "HGB",
        name: "Red pigment",
        unit: "g/L",
        center: 141.0,
        sigma: 0.09,
        harmful: Some(End::Low),
    },
    Test {
        code: "PLAT",
        name: "Platelets",
        unit: "10^9/L",
        center: 245.0,
        sigma: 0.24,
        harmful: Some(End::Low),
    },
    Test { code: "UREA", name: "Urea", unit: "mmol/L", center: 5.2, sigma: 0.25, harmful: None },
    Test { code: "CHOL", name: "Cholesterol", unit: "mmol/L", center: 5.1, sigma: 0.19, harmful: None },
];

/// Standard deviations from the centre at which grades 1 to 4 begin, so that 95.4, 3.4, 1.0, 0.22 and 0.04 %
/// of results have grades 0 to 4.
// Source: the graded results of clindata; normal quantiles of the cumulated shares.
const GRADE_BEGINS: [f64; 4] = [1.685, 2.238, 2.794, 3.353];

impl Test {
    fn at(&self, deviations: f64) -> f64 {
        self.center * (self.sigma * deviations).exp()
    }

    /// The range that is called normal: its harmful end is where grade 1 begins.
    fn range(&self) -> (f64, f64) {
        const OTHER_END: f64 = 1.96;
        let (low, high) = match self.harmful {
            Some(End::High) => (OTHER_END, GRADE_BEGINS[0]),
            Some(End::Low) => (GRADE_BEGINS[0], OTHER_END),
            None => (OTHER_END, OTHER_END),
        };
        (hundredths(self.at(-low)), hundredths(self.at(high)))
    }

    /// The grade of a result, by the limits that it has reached.
    fn grade(&self, result: f64) -> Option<&'static str> {
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

/// Writes the results of every visit that the extract knows of.
pub(super) fn write(subject: &Subject<'_>, extract: &mut Extract) -> Result<(), SimulateError> {
    let mut draw = subject.stream("labs");
    let mut paths: Vec<Path> = TESTS.iter().map(|_| Path::draw(&mut draw)).collect();
    let missing = subject.plan.rates.item_missing * subject.site.effects.missing;
    for visit in subject.visits.iter().filter(|visit| subject.known(visit.date)) {
        for (test, path) in TESTS.iter().zip(&mut paths) {
            let drawn = hundredths(test.at(path.step(&mut draw)));
            let result = (!draw.chance(missing)).then_some(drawn);
            let (low, high) = test.range();
            extract.labs.push(LabRow {
                studyid: subject.study(),
                subjid: &subject.id,
                visnam: &visit.name,
                visit_num: visit.number,
                lbtestcd: test.code,
                lbtest: test.name,
                lbstresn: result,
                lbstresu: test.unit,
                lbnrlo: low,
                lbnrhi: high,
                toxgrg_nsv: result.and_then(|result| test.grade(result)),
                lb_dt: visit.date,
            })?;
        }
    }
    Ok(())
}

/// The way of one test of one subject: a level of its own and deviations that fade. Standard normal at any visit.
struct Path {
    level: f64,
    deviation: f64,
}

impl Path {
    const LEVEL_VARIANCE: f64 = 0.5;
    const MEMORY: f64 = 0.5;

    fn draw(draw: &mut Draw) -> Self {
        Self { level: draw.normal(), deviation: draw.normal() }
    }

    fn step(&mut self, draw: &mut Draw) -> f64 {
        self.deviation =
            Self::MEMORY * self.deviation + (1.0 - Self::MEMORY * Self::MEMORY).sqrt() * draw.normal();
        Self::LEVEL_VARIANCE.sqrt() * self.level + (1.0 - Self::LEVEL_VARIANCE).sqrt() * self.deviation
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
