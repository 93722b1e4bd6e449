//! C11: what is not there.

use crate::error::MeasureError;
use crate::site_test::cohort::{Cohort, SiteTest};
use crate::site_test::permutation::Alternative;
use crate::site_test::share::Tally;

/// Whether a group lacks more, or fewer, of the values that are due, from one mark per value due: true where it is
/// missing. Two-sided, since a site without any gap may be as odd as one with many; the effect is the difference of
/// the shares missing, group less rest.
///
/// # Errors
/// For slices that do not pair, and a subject outside the cohort.
pub fn missing_share(
    cohort: &Cohort,
    subjects: &[usize],
    missing: &[bool],
) -> Result<Vec<SiteTest>, MeasureError> {
    Ok(Tally::of_records(cohort, subjects, missing)?.test(cohort, Alternative::TwoSided))
}
