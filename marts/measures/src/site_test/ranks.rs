//! Ranks with ties.

use crate::tail_probability::normal_quantile_upper;

/// The rank of each value from 1, ties at their mean.
pub(super) fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|left, right| values[*left].total_cmp(&values[*right]));
    let mut ranks = vec![0.0; values.len()];
    let mut start = 0;
    while start < order.len() {
        let tied = order[start..].iter().take_while(|index| values[**index] == values[order[start]]).count();
        let rank = (2 * start + tied + 1) as f64 / 2.0;
        for index in &order[start..start + tied] {
            ranks[*index] = rank;
        }
        start += tied;
    }
    ranks
}

/// The values' ranks on the scale of a standard normal variable.
// Source: van der Waerden BL, 1952.
pub(super) fn normal_scores(values: &[f64]) -> Vec<f64> {
    let places = values.len() as f64 + 1.0;
    ranks(values).iter().map(|rank| -normal_quantile_upper(rank / places)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_share_their_mean_rank() {
        assert_eq!(ranks(&[3.0, 1.0, 3.0, -0.0, 0.0]), [4.5, 3.0, 4.5, 1.5, 1.5]);
    }

    #[test]
    fn the_middle_is_zero() {
        let scores = normal_scores(&[5.0, 7.0, 6.0]);
        assert!(scores[2].abs() < 1e-12 && (scores[0] + scores[1]).abs() < 1e-12 && scores[1] > 0.0);
    }
}
