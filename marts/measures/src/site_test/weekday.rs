//! C9: on which days there were visits.

use crate::error::MeasureError;
use crate::site_test::category_mix::category_mix;
use crate::site_test::cohort::{Cohort, SiteTest};
use crate::site_test::permutation::Alternative;
use crate::site_test::share::Tally;

/// Whether a group's visits fall on the days of the week as those of the rest do, from their days since 1970-01-01. By
/// [`category_mix()`], with its effect. Countries have other working weeks: compare sites within one.
///
/// # Errors
/// For slices that do not pair, and a subject outside the cohort.
pub fn weekday(cohort: &Cohort, subjects: &[usize], days: &[i64]) -> Result<Vec<SiteTest>, MeasureError> {
    let categories: Vec<usize> = days.iter().map(|day| day_of_week(*day)).collect();
    category_mix(cohort, subjects, &categories)
}

/// Whether more visits of a group than of the rest fall on days off, from one mark per visit: true on a weekend or a
/// holiday of its country. One-sided; the effect is the difference of the shares, group less rest.
///
/// # Errors
/// As [`weekday()`].
pub fn off_days(cohort: &Cohort, subjects: &[usize], off: &[bool]) -> Result<Vec<SiteTest>, MeasureError> {
    Ok(Tally::of_records(cohort, subjects, off)?.test(cohort, Alternative::Greater))
}

/// The day of the week, Monday 0 to Sunday 6, of a day counted from 1970-01-01, a Thursday.
#[must_use]
pub fn day_of_week(day: i64) -> usize {
    // Within 0 to 6 by the remainder, before the shift as well as after it.
    usize::try_from((day.rem_euclid(7) + 3) % 7).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_epoch_was_a_thursday() {
        // By the calendar: 1969-12-29 a Monday, 2024-02-29 a Thursday, day 19,782.
        for (day, expected) in [(0, 3), (-3, 0), (19_782, 3), (3, 6), (i64::MAX, 3), (i64::MIN, 2)] {
            assert_eq!(day_of_week(day), expected, "{day}");
        }
    }
}
