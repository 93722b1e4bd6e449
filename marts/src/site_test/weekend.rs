//! On which days of the week a country rests.

use measures::site_test::day_of_week;

/// Friday and Saturday, Monday being 0.
const FRIDAY_AND_SATURDAY: &[usize] = &[4, 5];
const SATURDAY_AND_SUNDAY: &[usize] = &[5, 6];

/// The countries (ISO 3166-1 alpha-3) whose weekend is not Saturday and Sunday.
// Source: Unicode CLDR 44, supplemental data, `weekendStart` and `weekendEnd`.
const OTHERS: [(&[&str], &[usize]); 3] = [
    (
        &["BHR", "DZA", "EGY", "IRQ", "ISR", "JOR", "KWT", "LBY", "OMN", "QAT", "SAU", "SDN", "SYR", "YEM"],
        FRIDAY_AND_SATURDAY,
    ),
    (&["AFG"], &[3, 4]),
    (&["IRN"], &[4]),
];

/// The days of a country's weekend, Monday 0 to Sunday 6.
pub(super) fn weekend(country: &str) -> &'static [usize] {
    OTHERS
        .iter()
        .find(|(countries, _)| countries.contains(&country))
        .map_or(SATURDAY_AND_SUNDAY, |(_, days)| days)
}

/// Whether a day, counted from 1970-01-01, is one of them.
pub(super) fn is_off(country: &str, day: i64) -> bool {
    weekend(country).contains(&day_of_week(day))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sunday_is_a_working_day_in_egypt() {
        // By the calendar: day 19,785, 2024-03-03, was a Sunday.
        assert!(is_off("DEU", 19_785) && !is_off("EGY", 19_785));
        assert!(is_off("EGY", 19_783) && !is_off("DEU", 19_783), "a Friday");
    }
}
