//! C1: the level.

use crate::error::MeasureError;
use crate::site_test::cohort::{Cohort, SiteTest};
use crate::site_test::permutation::{Alternative, permutation_test};

/// Whether a group's mean differs, from one value per subject (NaN where missing): one visit's value, or the mean of
/// a subject's visits. Two-sided permutation test of the mean; the effect is the difference of the means, group less
/// rest, in standard deviations of all subjects.
///
/// # Errors
/// For slices that do not pair and values that are infinite.
pub fn mean(cohort: &Cohort, values: &[f64]) -> Result<Vec<SiteTest>, MeasureError> {
    permutation_test(cohort, values, Alternative::TwoSided)
}
