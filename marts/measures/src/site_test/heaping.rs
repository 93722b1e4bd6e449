//! C4: values rounded to 0 and 5.

use crate::error::MeasureError;
use crate::site_test::cohort::{Cohort, SiteTest};
use crate::site_test::last_digit::digit;
use crate::site_test::permutation::Alternative;
use crate::site_test::share::Tally;

/// Whether the last of `decimals` decimal places is 0 or 5 more or less often in a group than elsewhere, from repeated
/// values (NaN where missing). Two-sided; the effect is the difference of the shares, group less rest.
///
/// # Errors
/// As [`crate::site_test::last_digit()`].
pub fn heaping(
    cohort: &Cohort,
    subjects: &[usize],
    values: &[f64],
    decimals: u8,
) -> Result<Vec<SiteTest>, MeasureError> {
    let mut tally = Tally::new(cohort.subjects());
    for (subject, series) in cohort.series(subjects, values)?.iter().enumerate() {
        for value in series {
            tally.add(subject, digit(*value, decimals)? % 5 == 0);
        }
    }
    Ok(tally.test(cohort, Alternative::TwoSided))
}
