//! How many subjects are enrolled, and by when the target is reached: the sites' rates are drawn from one gamma law, and
//! each site's own past says what its rate may be (Anisimov and Fedorov 2007), over all laws that the past leaves possible.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::Float64Type;
use chrono::{Days, NaiveDate};
use measures::MeasureError;
use measures::enrolment::{Centre, RecruitmentBelief, time_to_target, total_enrolment};
use warehouse::engine::Engine;

use crate::columns::{numbers, some_numbers, table, texts};
use crate::{Definitions, Error, Result};

pub(crate) const MART: &str = "mart_enrolment_forecast";
/// Subjects by day.
pub const BY_DAY: &str = include_str!("enrolment/by_day.sql");
/// The past of each site.
pub const CENTRES: &str = include_str!("enrolment/centres.sql");

const STEP_DAYS: f64 = 30.0;
const STEPS: u32 = 24;
const LEVELS: [f64; 2] = [0.95, 0.80];
/// Where so little as this speaks for a silence as long as that before the cut-off, recruitment has ended.
const ENDED: f64 = 1e-6;

/// Where enrolment stands or may stand on a day.
#[derive(Debug)]
struct Point {
    day: String,
    kind: &'static str,
    enrolled: f64,
    limits: [Option<(f64, f64)>; 2],
    target: Option<f64>,
}

#[derive(Debug, Default)]
struct Past {
    centres: Vec<Centre>,
    target: Option<f64>,
    cut_off: Option<NaiveDate>,
    silence: f64,
}

/// `mart_enrolment_forecast`: subjects enrolled at each month end, and where recruitment goes on and a target is known, those
/// to be expected every 30 days from the cut-off, until the target is reached with more than even chances or for two years.
///
/// # Errors
/// [`Error::Measure`] when the sites' past cannot be used.
pub fn forecast(engine: &Engine, _: &Definitions) -> Result<RecordBatch> {
    let failed = |source| Error::Build { mart: MART.to_owned(), source };
    let past = past(&engine.query("read the sites' past", CENTRES).map_err(failed)?);
    let mut points = Vec::new();
    for batch in engine.query("read enrolment by day", BY_DAY).map_err(failed)? {
        let (days, enrolled) =
            (batch.column(0).as_string::<i32>(), batch.column(1).as_primitive::<Float64Type>());
        for row in 0..batch.num_rows() {
            points.push(Point {
                day: days.value(row).to_owned(),
                kind: "actual",
                enrolled: enrolled.value(row),
                limits: [None, None],
                target: past.target,
            });
        }
    }
    let now = points.last().map_or(0.0, |point: &Point| point.enrolled);
    points.extend(ahead(&past, now).map_err(|source| Error::Measure {
        mart: MART.to_owned(),
        indicator: "enrolment".to_owned(),
        source,
    })?);
    let limit = |place: usize, upper: usize| {
        move |point: &Point| point.limits[place].map(|limits| if upper == 0 { limits.0 } else { limits.1 })
    };
    let column = |name, place: usize, upper: usize| {
        let values: Vec<Option<f64>> = points.iter().map(limit(place, upper)).collect();
        some_numbers(name, &values, |value| *value)
    };
    let columns = vec![
        texts("day", &points, |point| &point.day),
        texts("kind", &points, |point| point.kind),
        numbers("n_enrolled", &points, |point| point.enrolled),
        column("lower_95", 0, 0),
        column("upper_95", 0, 1),
        column("lower_80", 1, 0),
        column("upper_80", 1, 1),
        some_numbers("target", &points, |point| point.target),
    ];
    table(MART, columns)
}

fn past(batches: &[RecordBatch]) -> Past {
    let mut past = Past::default();
    for batch in batches {
        let number = |column: usize, row: usize| {
            let numbers = batch.column(column).as_primitive::<Float64Type>();
            numbers.is_valid(row).then(|| numbers.value(row))
        };
        for row in 0..batch.num_rows() {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a count of subjects"
            )]
            past.centres.push(Centre {
                enrolled: number(0, row).unwrap_or_default() as u64,
                // Who has enrolled somebody was open on that day.
                exposure: number(1, row)
                    .unwrap_or_default()
                    .max(f64::from(u8::from(number(0, row) > Some(0.0)))),
                opens_in: number(2, row).unwrap_or_default().max(0.0),
            });
            past.target = number(3, row).filter(|target| *target > 0.0);
            past.cut_off = batch.column(4).as_string::<i32>().value(row).parse().ok();
            past.silence = number(5, row).unwrap_or_default();
        }
    }
    past
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "subjects and days are fewer than 2^53 and not negative"
)]
fn ahead(past: &Past, now: f64) -> std::result::Result<Vec<Point>, MeasureError> {
    let (Some(target), Some(cut_off)) = (past.target, past.cut_off) else { return Ok(Vec::new()) };
    // A site that opened on the cut-off itself has no past yet.
    let open: f64 = past.centres.iter().map(|centre| centre.exposure).sum();
    let enrolled: u64 = past.centres.iter().map(|centre| centre.enrolled).sum();
    let per_day = enrolled as f64 / open.max(1.0) * past.centres.len() as f64;
    let has_ended = (-per_day * past.silence).exp() < ENDED;
    if now >= target || enrolled == 0 || has_ended {
        return Ok(Vec::new());
    }
    let belief = RecruitmentBelief::from_past(&past.centres)?;
    let after = |days: f64| {
        cut_off.checked_add_days(Days::new(days.round().max(0.0) as u64)).map(|day| day.to_string())
    };
    let mut points = Vec::new();
    for step in 1..=STEPS {
        let horizon = f64::from(step) * STEP_DAYS;
        let total = total_enrolment(&belief, &past.centres, horizon)?;
        let mut limits = [None, None];
        for (place, level) in LEVELS.into_iter().enumerate() {
            let found = total.forecast(level)?;
            limits[place] = Some((now + found.lower as f64, now + found.upper as f64));
        }
        let median = now + total.forecast(LEVELS[0])?.median as f64;
        let Some(day) = after(horizon) else { break };
        points.push(Point { day, kind: "forecast", enrolled: median, limits, target: Some(target) });
        if median >= target {
            break;
        }
    }
    let remaining = (target - now).ceil() as usize;
    let reached =
        time_to_target(&belief, &past.centres, remaining, LEVELS[0], f64::from(STEPS * 10) * STEP_DAYS)?;
    let days =
        [("target_early", reached.lower), ("target_median", reached.median), ("target_late", reached.upper)];
    for (kind, days) in days {
        if let Some(day) = days.and_then(after) {
            points.push(Point { day, kind, enrolled: target, limits: [None, None], target: Some(target) });
        }
    }
    Ok(points)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn past(target: f64, silence: f64) -> Past {
        let centre = |enrolled| Centre { enrolled, exposure: 100.0, opens_in: 0.0 };
        Past {
            centres: [4, 6, 5, 5, 3, 7].map(centre).to_vec(),
            target: Some(target),
            cut_off: NaiveDate::from_ymd_opt(2025, 1, 1),
            silence,
        }
    }

    // By hand: thirty subjects in a hundred days at six sites go on at about 0.3 a day, nine in thirty days.
    #[test]
    fn recruitment_goes_on_at_its_pace_until_the_target() {
        let points = ahead(&past(60.0, 1.0), 30.0).expect("the past can be used");
        let first = &points[0];
        assert_eq!((first.day.as_str(), first.kind), ("2025-01-31", "forecast"));
        assert!((first.enrolled - 39.0).abs() <= 1.0, "{}", first.enrolled);
        let (lower, upper) = first.limits[0].expect("there are limits");
        // The Poisson limits of nine are 4 and 15; not knowing the rate makes them no narrower.
        assert!(lower <= 34.0 && upper >= 45.0, "{lower} {upper}");
        let median = points.iter().find(|point| point.kind == "target_median").expect("it is reached");
        assert!(("2025-03-27".."2025-04-22").contains(&median.day.as_str()), "{}", median.day);
    }

    #[test]
    fn what_has_ended_or_is_reached_has_no_forecast() {
        assert!(ahead(&past(60.0, 80.0), 30.0).expect("usable").is_empty(), "nobody came for eighty days");
        assert!(ahead(&past(30.0, 1.0), 30.0).expect("usable").is_empty(), "the target is reached");
        assert!(ahead(&Past::default(), 0.0).expect("usable").is_empty());
    }
}
