//! Days: arithmetic, working days by country, and the ends of months.

use chrono::{Datelike, NaiveDate, TimeDelta, Weekday};

/// The day some days after another, or before it.
pub(super) fn after(day: NaiveDate, days: i64) -> NaiveDate {
    day + TimeDelta::days(days.clamp(-100_000, 100_000))
}

/// Whether offices of a country are closed: weekends and the holidays whose date is the same every year.
pub(super) fn is_closed(day: NaiveDate, country: &str) -> bool {
    const EVERYWHERE: [(u32, u32); 2] = [(1, 1), (12, 25)];
    const EUROPE: [(u32, u32); 2] = [(5, 1), (12, 26)];
    let own: &[(u32, u32)] = match country {
        "USA" => &[(7, 4), (11, 11)],
        "DEU" => &[(10, 3)],
        "POL" => &[(5, 3), (8, 15), (11, 11)],
        "ESP" => &[(8, 15), (10, 12), (12, 8)],
        "FRA" => &[(7, 14), (8, 15), (11, 11)],
        "JPN" => &[(1, 2), (1, 3), (2, 11), (4, 29), (5, 3), (5, 4), (5, 5), (11, 3), (11, 23)],
        _ => &[],
    };
    let european = !matches!(country, "USA" | "JPN");
    let date = (day.month(), day.day());
    matches!(day.weekday(), Weekday::Sat | Weekday::Sun)
        || EVERYWHERE.contains(&date)
        || (european && EUROPE.contains(&date))
        || own.contains(&date)
}

/// The nearest working day of a country; the earlier one of two.
pub(super) fn working_day(day: NaiveDate, country: &str) -> NaiveDate {
    let candidates = (0..8).flat_map(|distance| [-distance, distance]).map(|days| after(day, days));
    // No country above has eight closed days in a row.
    candidates.into_iter().find(|day| !is_closed(*day, country)).unwrap_or(day)
}

/// The first working day of a country after a day.
pub(super) fn next_working_day(day: NaiveDate, country: &str) -> NaiveDate {
    let mut next = after(day, 1);
    while is_closed(next, country) {
        next = after(next, 1);
    }
    next
}

/// The last days of the months from that of `first` to the last one that is before `last`, and `last` itself.
pub(super) fn month_ends(first: NaiveDate, last: NaiveDate) -> Vec<NaiveDate> {
    let mut ends = Vec::new();
    let (mut year, mut month) = (first.year(), first.month());
    loop {
        (year, month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
        let next = NaiveDate::from_ymd_opt(year, month, 1).map(|next| after(next, -1));
        match next.filter(|end| *end < last) {
            Some(end) => ends.push(end),
            None => break,
        }
    }
    ends.push(last);
    ends
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("the test names a day")
    }

    #[track_caller]
    fn check_next(of: &str, country: &str, next: &str) {
        assert_eq!(next_working_day(day(of), country), day(next));
    }

    #[test]
    fn after_a_friday_comes_a_monday() {
        check_next("2025-01-09", "GBR", "2025-01-10");
        check_next("2025-01-10", "GBR", "2025-01-13");
        check_next("2025-01-11", "GBR", "2025-01-13");
        check_next("2025-01-12", "GBR", "2025-01-13");
    }

    #[test]
    fn holidays_are_those_of_the_country() {
        // 4 July 2025 is a Friday.
        check_next("2025-07-03", "USA", "2025-07-07");
        check_next("2025-07-03", "DEU", "2025-07-04");
        assert_eq!(working_day(day("2025-01-11"), "GBR"), day("2025-01-10"));
        assert_eq!(working_day(day("2025-01-12"), "GBR"), day("2025-01-13"));
        assert_eq!(working_day(day("2025-07-04"), "USA"), day("2025-07-03"));
    }

    #[test]
    fn months_end_on_their_last_day_and_the_last_is_the_cut_off() {
        let ends = month_ends(day("2025-01-06"), day("2025-03-15"));
        assert_eq!(ends, [day("2025-01-31"), day("2025-02-28"), day("2025-03-15")]);
        let ends = month_ends(day("2025-11-30"), day("2026-01-31"));
        assert_eq!(ends, [day("2025-11-30"), day("2025-12-31"), day("2026-01-31")]);
    }
}
