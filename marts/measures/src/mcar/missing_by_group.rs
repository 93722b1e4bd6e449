//! Whether gaps are as frequent in every group: sites, visits or arms.

use crate::error::MeasureError;
use crate::tail_probability::chi_square_upper;

/// Pearson's test of a table of groups by missing and not.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MissingByGroup {
    /// Pearson's statistic, without a correction for continuity.
    pub chi_square: f64,
    /// Groups with a value due, less one.
    pub degrees_of_freedom: usize,
    /// The upper tail.
    pub p_value: f64,
    /// Cramér's V, from 0 to 1.
    pub association: f64,
    /// Values that are missing.
    pub missing: usize,
    /// Values that are there.
    pub observed: usize,
}

/// Pearson's chi-square test of gaps against groups, numbered from 0, one mark and one group per value due. None where
/// fewer than two groups have values due, or none or all are missing. With few expected gaps in a group it is rough.
///
/// # Errors
/// For slices that do not pair, and for a group that is not below the number of values due.
pub fn missing_by_group(missing: &[bool], groups: &[usize]) -> Result<Option<MissingByGroup>, MeasureError> {
    if missing.len() != groups.len() {
        return Err(MeasureError::Unpaired { what: "groups", length: groups.len(), expected: missing.len() });
    }
    if let Some(index) = groups.iter().position(|group| *group >= groups.len()) {
        return Err(MeasureError::OutOfRange { what: "group", index, value: groups[index] as f64 });
    }
    let mut counts = vec![(0_usize, 0_usize); groups.iter().max().map_or(0, |largest| largest + 1)];
    for (missing, group) in missing.iter().zip(groups) {
        counts[*group].0 += usize::from(*missing);
        counts[*group].1 += 1;
    }
    counts.retain(|(_, all)| *all > 0);
    let gaps: usize = counts.iter().map(|(gaps, _)| gaps).sum();
    let all = missing.len();
    if counts.len() < 2 || gaps == 0 || gaps == all {
        return Ok(None);
    }
    let share = gaps as f64 / all as f64;
    // Both cells of a group deviate by the same number.
    let term = |(found, size): &(usize, usize)| {
        let expected = *size as f64 * share;
        (*found as f64 - expected).powi(2) / (expected * (1.0 - share))
    };
    let chi_square: f64 = counts.iter().map(term).sum();
    let degrees_of_freedom = counts.len() - 1;
    Ok(Some(MissingByGroup {
        chi_square,
        degrees_of_freedom,
        p_value: chi_square_upper(chi_square, degrees_of_freedom as f64),
        association: (chi_square / all as f64).sqrt().min(1.0),
        missing: gaps,
        observed: all - gaps,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    // By hand: 3 of 4 missing against 1 of 4: 8 (3 * 3 - 1 * 1)^2 / 4^4 = 2.
    #[test]
    fn a_table_of_two_by_two_by_hand() {
        let missing = [true, true, true, false, true, false, false, false];
        let found =
            missing_by_group(&missing, &[0, 0, 0, 0, 1, 1, 1, 1]).expect("they pair").expect("it varies");
        assert!((found.chi_square - 2.0).abs() < 1e-12);
        // The normal distribution beyond the root of two, on both sides.
        assert!((found.p_value - 0.157_299_207_050_285).abs() < 1e-12, "{}", found.p_value);
        assert!((found.association - 0.5).abs() < 1e-12);
    }

    #[test]
    fn what_does_not_vary_has_no_test() {
        assert_eq!(missing_by_group(&[true, true], &[0, 1]), Ok(None));
        assert_eq!(missing_by_group(&[true, false], &[0, 0]), Ok(None));
        assert_eq!(missing_by_group(&[], &[]), Ok(None));
        assert!(missing_by_group(&[true], &[]).is_err());
    }
}
