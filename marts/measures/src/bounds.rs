//! What the curves of a funnel chart are made of. Each method draws its own; the grid of exposures is shared.

/// The numerator at which a group of a given denominator would reach a threshold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bound {
    /// The score that this point has.
    pub threshold: f64,
    /// The exposure.
    pub denominator: f64,
    /// The count.
    pub numerator: f64,
    /// Count over exposure.
    pub metric: f64,
}

const STEPS_IN_RANGE: u32 = 250;

/// Positive exposures from one step below the smallest to one step above the largest, in 250 steps of the range
/// (of 1, where all are equal).
// Source: gsm.core 1.1.3 `Analyze_NormalApprox_PredictBounds`.
pub(crate) fn exposure_grid(denominators: &[f64]) -> Vec<f64> {
    let mut grid = stepped(denominators.iter().copied(), 1.0);
    grid.retain(|exposure| *exposure > 0.0);
    grid
}

/// The same in steps of the logarithm (of 0.05, where all are equal).
// Source: gsm.core 1.1.3 `Analyze_Poisson_PredictBounds`.
pub(crate) fn log_exposure_grid(denominators: &[f64]) -> Vec<f64> {
    stepped(denominators.iter().map(|denominator| denominator.ln()), 0.05)
}

/// The whole exposures of [`exposure_grid`], each once.
pub(crate) fn whole_exposure_grid(denominators: &[f64]) -> Vec<f64> {
    let mut grid = exposure_grid(denominators);
    grid.iter_mut().for_each(|exposure| *exposure = exposure.round());
    grid.retain(|exposure| *exposure > 0.0);
    grid.dedup();
    grid
}

fn stepped(values: impl Iterator<Item = f64>, lone_step: f64) -> Vec<f64> {
    let (smallest, largest) = values
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    let range = largest - smallest;
    let (step, steps) =
        if range > 0.0 { (range / f64::from(STEPS_IN_RANGE), STEPS_IN_RANGE + 2) } else { (lone_step, 2) };
    let first = smallest - step;
    (0..=steps).map(|index| first + f64::from(index) * step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grid_runs_one_step_beyond_its_groups() {
        let grid = exposure_grid(&[500.0, 1000.0, 750.0]);
        assert_eq!((grid.len(), grid[0], grid[1], grid[252]), (253, 498.0, 500.0, 1002.0));
        assert_eq!(exposure_grid(&[1.0, 251.0]).len(), 252, "an exposure of zero is left out");
        assert_eq!(log_exposure_grid(&[1.0, 1.0]), [-0.05, 0.0, 0.05]);
    }

    #[test]
    fn whole_exposures_come_once() {
        assert_eq!(whole_exposure_grid(&[1.0, 3.0]), [1.0, 2.0, 3.0]);
    }
}
