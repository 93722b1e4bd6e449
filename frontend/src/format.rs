//! Numbers and instants as people read them. The only place that decides on digits.

/// What stands where there is no value.
pub const NO_VALUE: &str = "–";

/// A whole number with thousands separators: `12,345`.
#[must_use]
pub fn count(value: u64) -> String {
    grouped(&value.to_string())
}

/// A counted or summed quantity: whole numbers as such, others to one decimal.
#[must_use]
pub fn quantity(value: f64) -> String {
    if !value.is_finite() {
        return NO_VALUE.to_owned();
    }
    let decimals = if value.fract() == 0.0 { 0 } else { 1 };
    signed(value, decimals)
}

/// A share as a percentage: one decimal, and never a rounded `0%` or `100%` that is not exactly that.
#[must_use]
pub fn percent(share: f64) -> String {
    match share * 100.0 {
        percent if !percent.is_finite() => NO_VALUE.to_owned(),
        0.0 => "0%".to_owned(),
        100.0 => "100%".to_owned(),
        percent if percent > 0.0 && percent < 0.1 => "< 0.1%".to_owned(),
        percent if percent > 99.9 && percent < 100.0 => "> 99.9%".to_owned(),
        percent => format!("{}%", signed(percent, 1)),
    }
}

/// A rate or any other metric: three significant digits, no fewer than its whole part has.
#[must_use]
pub fn rate(value: f64) -> String {
    if !value.is_finite() {
        return NO_VALUE.to_owned();
    }
    let decimals = match value.abs() {
        0.0 => 0,
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 1.0 => 2,
        size if size >= 0.1 => 3,
        _ => 4,
    };
    signed(value, decimals)
}

/// A z score: two decimals and a true minus sign.
#[must_use]
pub fn z(score: f64) -> String {
    if score.is_finite() { signed(score, 2) } else { NO_VALUE.to_owned() }
}

/// A probability: three decimals, and the power of ten where that would be nothing.
#[must_use]
pub fn p_value(p: f64) -> String {
    match p {
        p if !p.is_finite() => NO_VALUE.to_owned(),
        p if p <= 0.0 => "0".to_owned(),
        p if p < 1e-300 => "< 1e-300".to_owned(),
        p if p < 0.0005 => format!("{p:.0e}"),
        p => signed(p, 3),
    }
}

/// A threshold: as few decimals as it needs, at most two.
#[must_use]
pub fn threshold(value: f64) -> String {
    if !value.is_finite() {
        return NO_VALUE.to_owned();
    }
    let text = signed(value, 2);
    let trimmed = text.trim_end_matches('0').trim_end_matches('.');
    trimmed.to_owned()
}

/// How many times one value is another: `3.2 times`.
#[must_use]
pub fn times(ratio: f64) -> String {
    let decimals = if ratio.abs() < 0.095 { 2 } else { 1 };
    format!("{} times", signed(ratio, decimals))
}

/// A risk score from 0 to 100, to one decimal.
#[must_use]
pub fn risk_score(score: Option<f64>) -> String {
    score.filter(|score| score.is_finite()).map_or_else(|| NO_VALUE.to_owned(), |score| signed(score, 1))
}

/// `1 site`, `2 sites`.
#[must_use]
pub fn counted(value: u64, singular: &str, plural: &str) -> String {
    format!("{} {}", count(value), if value == 1 { singular } else { plural })
}

/// A size in decimal units: `12.3 MB`.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
pub fn bytes(value: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    if value < 1000 {
        return format!("{value} B");
    }
    let mut size = value as f64 / 1000.0;
    let mut unit = 0;
    while size >= 999.95 && unit + 1 < UNITS.len() {
        size /= 1000.0;
        unit += 1;
    }
    format!("{size:.1} {}", UNITS[unit])
}

/// The first eight characters of an identifier or hash.
#[must_use]
pub fn short_id(id: &str) -> String {
    id.chars().take(8).collect()
}

/// An instant to the minute: `2026-11-21 09:14 UTC`.
#[must_use]
pub fn instant(unix_s: i64) -> String {
    let second_of_day = unix_s.rem_euclid(86_400);
    format!("{} {:02}:{:02} UTC", date(unix_s), second_of_day / 3600, second_of_day / 60 % 60)
}

/// An instant for machines: `2026-11-21T09:14:05Z`.
#[must_use]
pub fn instant_iso(unix_s: i64) -> String {
    let second_of_day = unix_s.rem_euclid(86_400);
    let (hour, minute, second) = (second_of_day / 3600, second_of_day / 60 % 60, second_of_day % 60);
    format!("{}T{hour:02}:{minute:02}:{second:02}Z", date(unix_s))
}

/// The day of an instant in UTC: `2026-11-21`.
// Source: Howard Hinnant, "chrono-compatible low-level date algorithms", civil_from_days.
#[must_use]
pub fn date(unix_s: i64) -> String {
    let days = unix_s.div_euclid(86_400) + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

/// Fixed decimals, separators and a true minus sign; never a minus before zero.
fn signed(value: f64, decimals: usize) -> String {
    let digits = format!("{:.decimals$}", value.abs());
    let (whole, fraction) = digits.split_once('.').unwrap_or((&digits, ""));
    let zero = digits.bytes().all(|byte| byte == b'0' || byte == b'.');
    let sign = if value < 0.0 && !zero { "\u{2212}" } else { "" };
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{}{point}{fraction}", grouped(whole))
}

fn grouped(digits: &str) -> String {
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_grouped_by_three() {
        let cases = [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")];
        for (value, text) in cases {
            assert_eq!(count(value), text);
        }
    }

    #[test]
    fn quantities_keep_one_decimal_only_when_they_have_one() {
        assert_eq!(quantity(12_345.0), "12,345");
        assert_eq!(quantity(12_345.67), "12,345.7");
        assert_eq!(quantity(-3.0), "\u{2212}3");
        assert_eq!(quantity(f64::NAN), NO_VALUE);
    }

    #[test]
    fn percentages_never_round_to_a_false_nothing_or_all() {
        let cases = [
            (0.0, "0%"),
            (0.0004, "< 0.1%"),
            (0.032, "3.2%"),
            (0.5, "50.0%"),
            (0.9996, "> 99.9%"),
            (1.0, "100%"),
            (1.25, "125.0%"),
            (f64::INFINITY, NO_VALUE),
        ];
        for (share, text) in cases {
            assert_eq!(percent(share), text, "{share}");
        }
    }

    #[test]
    fn rates_keep_three_digits() {
        let cases = [(0.0, "0"), (0.01234, "0.0123"), (0.1234, "0.123"), (1.234, "1.23"), (12.34, "12.3")];
        for (value, text) in cases {
            assert_eq!(rate(value), text);
        }
        assert_eq!(rate(12_345.6), "12,346");
    }

    #[test]
    fn scores_have_two_decimals_and_a_true_minus() {
        assert_eq!(z(4.1), "4.10");
        assert_eq!(z(-2.306), "\u{2212}2.31");
        assert_eq!(z(-0.001), "0.00");
        assert_eq!(z(f64::NAN), NO_VALUE);
    }

    #[test]
    fn thresholds_keep_the_digits_they_need() {
        let cases =
            [(2.0, "2"), (-3.0, "\u{2212}3"), (0.85, "0.85"), (1.5, "1.5"), (100.0, "100"), (0.0, "0")];
        for (value, text) in cases {
            assert_eq!(threshold(value), text);
        }
    }

    #[test]
    fn ratios_and_sizes_are_short() {
        assert_eq!(times(3.21), "3.2 times");
        assert_eq!(times(0.041), "0.04 times");
        assert_eq!(bytes(999), "999 B");
        assert_eq!(bytes(1_500), "1.5 kB");
        assert_eq!(bytes(999_960), "1.0 MB");
        assert_eq!(counted(1, "site", "sites"), "1 site");
        assert_eq!(counted(2000, "site", "sites"), "2,000 sites");
    }

    // Instants from GNU date: `date -u -d @N`.
    #[test]
    fn instants_are_in_utc() {
        let cases = [
            (0, "1970-01-01 00:00 UTC"),
            (1_795_252_440, "2026-11-21 09:14 UTC"),
            (951_827_696, "2000-02-29 12:34 UTC"),
            (-1, "1969-12-31 23:59 UTC"),
        ];
        for (unix_s, text) in cases {
            assert_eq!(instant(unix_s), text);
        }
        assert_eq!(instant_iso(951_827_696), "2000-02-29T12:34:56Z");
    }
}
