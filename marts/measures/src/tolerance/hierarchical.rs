//! Groups that differ, and what they have in common: a beta-binomial model, integrated by quadrature instead of
//! sampled.

use statrs::function::gamma::ln_gamma;

use crate::error::MeasureError;
use crate::law::beta;
use crate::proportion_table::{check, check_shares, check_whole};

use super::check_parameter;

/// What the groups' counts say of the groups' shares.
#[derive(Debug, Clone, PartialEq)]
pub struct Hierarchical {
    /// The posterior mean of `a / (a + b)`: the expected share of a group.
    pub mean: f64,
    /// The posterior probability that this expected share exceeds what is tolerated: the study-level question.
    pub above: f64,
    /// The probability that the share of a further group exceeds it.
    pub further_above: f64,
    /// Each group, in the order of the input.
    pub groups: Vec<Shrunken>,
}

/// A group's share, drawn towards the others the more the fewer its units are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shrunken {
    /// The share counted.
    pub metric: f64,
    /// The posterior mean of the share.
    pub mean: f64,
    /// The posterior probability that the share exceeds what is tolerated.
    pub above: f64,
}

/// Nodes along either axis of a panel.
const NODES: u32 = 32;

/// Fits `r_i ~ Binomial(n_i, p_i)`, `p_i ~ Beta(a, b)`, with `a` and `b` even on 0 to `widest`.
///
/// The posterior of `(a, b)` is integrated by Gauss-Legendre quadrature over the part of the square that holds its
/// mass, with the `p_i` integrated out in closed form. `widest` is 10 in the reference, and bounds how alike the groups
/// can be held to be: shares near 0 that hardly differ are then drawn away from 0, for `b` cannot be large enough.
/// About the units of a group is wide enough for any.
///
/// # Errors
/// As [`crate::exact()`] for shares; for a tolerated share outside 0 and 1, and for a `widest` that is not positive
/// and at most 1e6.
// Source: Berry SM et al., "Bayesian adaptive methods for clinical trials", 2010, section 2.4, as rbqmR (f970c3d) fits
// it with JAGS.
pub fn hierarchical(
    numerators: &[f64],
    denominators: &[f64],
    tolerated: f64,
    widest: f64,
) -> Result<Hierarchical, MeasureError> {
    check(numerators, denominators)?;
    check_shares(numerators, denominators)?;
    check_whole("numerator", numerators)?;
    check_whole("denominator", denominators)?;
    check_parameter("tolerated share", tolerated, "between 0 and 1", |value| value > 0.0 && value < 1.0)?;
    check_parameter("width of the prior", widest, "above 0 and at most 1e6", |value| {
        value > 0.0 && value <= 1e6
    })?;
    let model = Model::of(numerators, denominators, widest);
    let points = model.posterior(tolerated);
    let mean_of =
        |value: &dyn Fn(&Point) -> f64| -> f64 { points.iter().map(|point| point.mass * value(point)).sum() };
    let groups = numerators.iter().zip(denominators).map(|(&events, &units)| Shrunken {
        metric: events / units,
        mean: mean_of(&|at| (at.a + events) / (at.a + at.b + units)),
        above: mean_of(&|at| beta::sides(at.a + events, at.b + units - events, tolerated).1).min(1.0),
    });
    Ok(Hierarchical {
        mean: mean_of(&|at| at.a / (at.a + at.b)),
        above: mean_of(&|at| f64::from(u8::from(at.share > tolerated))).min(1.0),
        further_above: mean_of(&|at| beta::sides(at.a, at.b, tolerated).1).min(1.0),
        groups: groups.collect(),
    })
}

/// A node of the quadrature and its part of the posterior mass.
struct Point {
    /// `a / (a + b)`.
    share: f64,
    a: f64,
    b: f64,
    mass: f64,
}

/// The part of the plane of share `a / (a + b)` and size `a + b` that holds the posterior.
#[derive(Clone, Copy)]
struct Region {
    share: (f64, f64),
    size: (f64, f64),
}

/// The likelihood, by how often each number of events, of other units and of units occurs among the groups.
struct Model {
    widest: f64,
    events: Vec<(f64, f64)>,
    others: Vec<(f64, f64)>,
    units: Vec<(f64, f64)>,
}

impl Model {
    fn of(numerators: &[f64], denominators: &[f64], widest: f64) -> Self {
        let others: Vec<f64> = numerators.iter().zip(denominators).map(|(r, n)| n - r).collect();
        Self { widest, events: tally(numerators), others: tally(&others), units: tally(denominators) }
    }

    /// The largest size at which both `a` and `b` are within the prior.
    fn largest_size(&self, share: f64) -> f64 {
        self.widest / share.max(1.0 - share)
    }

    /// The logarithm of the posterior density of share and size, up to a constant: the product of
    /// `B(a + r, b + n - r) / B(a, b)`, and the size, which is the area that `da db` takes in the new coordinates.
    fn ln_density(&self, share: f64, size: f64) -> f64 {
        if size > self.largest_size(share) {
            return f64::NEG_INFINITY;
        }
        let rise = |from: f64, tally: &[(f64, f64)]| -> f64 {
            let start = ln_gamma(from);
            tally.iter().map(|(by, times)| times * (ln_gamma(from + by) - start)).sum()
        };
        let (a, b) = (share * size, (1.0 - share) * size);
        rise(a, &self.events) + rise(b, &self.others) - rise(size, &self.units) + size.ln()
    }

    /// Narrows the plane to where the density is within `e^-45` of its peak, on ever finer grids.
    fn region(&self) -> Region {
        const CELLS: u32 = 40;
        let mut region = Region { share: (0.0, 1.0), size: (0.0, 2.0 * self.widest) };
        for _ in 0..12 {
            let cell =
                |range: (f64, f64), index: f64| range.0 + (range.1 - range.0) * index / f64::from(CELLS);
            let middles = (0..CELLS).flat_map(|i| (0..CELLS).map(move |j| (f64::from(i), f64::from(j))));
            let densities: Vec<(f64, f64, f64)> = middles
                .map(|(i, j)| {
                    (i, j, self.ln_density(cell(region.share, i + 0.5), cell(region.size, j + 0.5)))
                })
                .collect();
            let peak = densities.iter().map(|cell| cell.2).fold(f64::NEG_INFINITY, f64::max);
            let (mut rows, mut columns) = ((f64::INFINITY, 0.0_f64), (f64::INFINITY, 0.0_f64));
            for (i, j, _) in densities.iter().filter(|cell| cell.2 > peak - 45.0) {
                rows = (rows.0.min(*i), rows.1.max(*i));
                columns = (columns.0.min(*j), columns.1.max(*j));
            }
            // One cell more on either side, for the density is known at the middles only.
            let narrow = |range: (f64, f64), kept: (f64, f64)| {
                let most = f64::from(CELLS);
                (cell(range, (kept.0 - 1.0).max(0.0)), cell(range, (kept.1 + 2.0).min(most)))
            };
            let (share, size) = (narrow(region.share, rows), narrow(region.size, columns));
            let width = |range: (f64, f64)| range.1 - range.0;
            let kept = width(share) * width(size) / (width(region.share) * width(region.size));
            region = Region { share, size };
            if kept > 0.7 {
                break;
            }
        }
        region
    }

    /// The posterior mass at the nodes. The share axis is cut at the tolerated share, where the question changes
    /// its answer, and at a half, where the prior's edge has its corner.
    fn posterior(&self, tolerated: f64) -> Vec<Point> {
        let nodes = gauss_legendre(NODES);
        let region = self.region();
        let (low, high) = region.share;
        let mut cuts: Vec<f64> =
            [tolerated, 0.5].into_iter().filter(|cut| low < *cut && *cut < high).collect();
        cuts.extend([low, high]);
        cuts.sort_by(f64::total_cmp);
        let mut found = Vec::new();
        for panel in cuts.windows(2) {
            for &(share, share_weight) in &scaled(&nodes, (panel[0], panel[1])) {
                let (least, most) = (region.size.0, region.size.1.min(self.largest_size(share)));
                if least >= most {
                    continue;
                }
                for (size, size_weight) in scaled(&nodes, (least, most)) {
                    found.push((share, size, share_weight * size_weight, self.ln_density(share, size)));
                }
            }
        }
        let peak = found.iter().map(|node| node.3).fold(f64::NEG_INFINITY, f64::max);
        let mass = |node: &(f64, f64, f64, f64)| node.2 * (node.3 - peak).exp();
        let total: f64 = found.iter().map(mass).sum();
        let points = found.iter().map(|node| {
            let (share, size) = (node.0, node.1);
            Point { share, a: share * size, b: (1.0 - share) * size, mass: mass(node) / total }
        });
        points.filter(|point| point.mass > 1e-16).collect()
    }
}

/// Each value with how often it occurs.
fn tally(values: &[f64]) -> Vec<(f64, f64)> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let runs = sorted.chunk_by(|left, right| left == right);
    runs.map(|run| (run[0], run.len() as f64)).collect()
}

/// Nodes and weights moved from -1 to 1 onto a range.
fn scaled(nodes: &[(f64, f64)], (low, high): (f64, f64)) -> Vec<(f64, f64)> {
    let half = 0.5 * (high - low);
    nodes.iter().map(|(node, weight)| (low + half * (1.0 + node), half * weight)).collect()
}

/// The roots of the Legendre polynomial of a degree, and their weights, by Newton's method.
fn gauss_legendre(degree: u32) -> Vec<(f64, f64)> {
    let polynomial = |x: f64| {
        let (mut before, mut value) = (1.0, x);
        for k in 2..=degree {
            let k = f64::from(k);
            (before, value) = (value, ((2.0 * k - 1.0) * x * value - (k - 1.0) * before) / k);
        }
        (value, f64::from(degree) * (x * value - before) / (x * x - 1.0))
    };
    let root = |index: u32| {
        let mut x = (std::f64::consts::PI * (f64::from(index) + 0.75) / (f64::from(degree) + 0.5)).cos();
        for _ in 0..8 {
            let (value, slope) = polynomial(x);
            x -= value / slope;
        }
        let slope = polynomial(x).1;
        (x, 2.0 / ((1.0 - x * x) * slope * slope))
    };
    (0..degree).map(root).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quadrature_integrates_polynomials_exactly() {
        // By hand: the integral of x^6 + x over -1 to 1 is 2/7.
        let sum: f64 = gauss_legendre(4).iter().map(|(x, weight)| weight * (x.powi(6) + x)).sum();
        assert!((sum - 2.0 / 7.0).abs() < 1e-14, "{sum}");
        let area: f64 = gauss_legendre(NODES).iter().map(|(_, weight)| weight).sum();
        assert!((area - 2.0).abs() < 1e-13, "{area}");
    }

    #[test]
    fn one_unit_says_little() {
        // By symmetry: one event of one unit, and none of one, mirror each other.
        let event = hierarchical(&[1.0], &[1.0], 0.5, 10.0).expect("the group is valid");
        let none = hierarchical(&[0.0], &[1.0], 0.5, 10.0).expect("the group is valid");
        assert!((event.mean + none.mean - 1.0).abs() < 1e-10);
        assert!((event.above + none.above - 1.0).abs() < 1e-10);
        assert!(event.above > 0.5 && event.mean > 0.5);
    }

    #[test]
    fn groups_without_events_have_small_shares_and_defined_ones() {
        let fit = hierarchical(&[0.0; 30], &[40.0; 30], 0.05, 10.0).expect("the groups are valid");
        assert!(fit.mean < 0.05 && fit.above < 0.5, "{} {}", fit.mean, fit.above);
        assert!(fit.groups.iter().all(|group| group.mean > 0.0 && group.mean < 0.01));
    }

    #[test]
    fn the_parameters_are_checked() {
        assert!(hierarchical(&[1.0], &[2.0], 1.0, 10.0).is_err());
        assert!(hierarchical(&[1.0], &[2.0], 0.5, 0.0).is_err());
        assert!(hierarchical(&[3.0], &[2.0], 0.5, 10.0).is_err());
    }
}
