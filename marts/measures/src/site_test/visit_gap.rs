//! C10: how regular the gaps between visits are.

use std::collections::BTreeMap;

use crate::error::MeasureError;
use crate::site_test::cohort::{Cohort, SiteTest, check_finite};
use crate::site_test::permutation::{Alternative, score_test};

/// Gaps of a kind from so many subjects on have a median to compare with.
const SUBJECTS_PER_GAP: usize = 5;

/// Whether the gaps between successive visits of a subject are more or less regular in a group than elsewhere, from the
/// planned position and the day of each visit: a schedule kept to the day by everybody is as odd as a chaotic one.
/// A gap's irregularity is `ln(1 + distance)` from the median gap between the same two positions, less the mean of that over all
/// gaps of the kind: late visits are less regular than early ones, and sites that began late have fewer of them. A
/// subject's score is the mean over its gaps. Two-sided; the effect is the difference of the mean distances in days, group less rest.
///
/// # Errors
/// For slices that do not pair, a subject outside the cohort, and days that are infinite (NaN: missing).
pub fn visit_gap(
    cohort: &Cohort,
    subjects: &[usize],
    positions: &[usize],
    days: &[f64],
) -> Result<Vec<SiteTest>, MeasureError> {
    cohort.check_records(subjects, "positions", positions.len())?;
    cohort.check_records(subjects, "days", days.len())?;
    check_finite(days)?;
    let mut visits: Vec<Vec<(usize, f64)>> = vec![Vec::new(); cohort.subjects()];
    for ((subject, position), day) in subjects.iter().zip(positions).zip(days) {
        if !day.is_nan() {
            visits[*subject].push((*position, *day));
        }
    }
    let mut gaps: BTreeMap<(usize, usize), Vec<(usize, f64)>> = BTreeMap::new();
    for (subject, visits) in visits.iter_mut().enumerate() {
        visits.sort_by(|left, right| left.0.cmp(&right.0).then(left.1.total_cmp(&right.1)));
        for pair in visits.windows(2) {
            gaps.entry((pair[0].0, pair[1].0)).or_default().push((subject, pair[1].1 - pair[0].1));
        }
    }
    let mut distances: Vec<Vec<Distance>> = vec![Vec::new(); cohort.subjects()];
    for of_kind in gaps.values().filter(|of_kind| of_kind.len() >= SUBJECTS_PER_GAP) {
        let median = median(of_kind.iter().map(|(_, gap)| *gap).collect());
        let days = |gap: f64| (gap - median).abs();
        let usual = of_kind.iter().map(|(_, gap)| days(*gap).ln_1p()).sum::<f64>() / of_kind.len() as f64;
        for (subject, gap) in of_kind {
            distances[*subject].push(Distance { days: days(*gap), unusual: days(*gap).ln_1p() - usual });
        }
    }
    Ok(scored(cohort, &distances))
}

/// How far a gap is from the usual one of its kind.
#[derive(Debug, Clone, Copy)]
struct Distance {
    days: f64,
    /// The logarithm less that of the kind's gaps on average.
    unusual: f64,
}

fn scored(cohort: &Cohort, distances: &[Vec<Distance>]) -> Vec<SiteTest> {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let score = |distances: &Vec<Distance>| {
        let logs: Vec<f64> = distances.iter().map(|distance| distance.unusual).collect();
        (!logs.is_empty()).then(|| mean(&logs))
    };
    let scores: Vec<Option<f64>> = distances.iter().map(score).collect();
    let mut outcomes = score_test(cohort, &scores, Alternative::TwoSided);
    for (group, outcome) in outcomes.iter_mut().enumerate() {
        if let Ok(outcome) = outcome {
            let side = |inside: bool| -> Vec<f64> {
                let of_side = distances
                    .iter()
                    .enumerate()
                    .filter(|(subject, _)| (cohort.group_of(*subject) == group) == inside);
                of_side.flat_map(|(_, distances)| distances.iter().map(|distance| distance.days)).collect()
            };
            outcome.effect = mean(&side(true)) - mean(&side(false));
        }
    }
    outcomes
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 { values[middle] } else { f64::midpoint(values[middle - 1], values[middle]) }
}
