//! Flags in words, signs and sentences, so that colour is never the only sign.

use crate::format;
use crate::view::{Flag, Indicator, Metric, Scored, Signal};

/// The sign of a flag: two arrows for red, one for amber, up for high, down for low; empty for the rest.
#[must_use]
pub const fn sign(flag: Flag) -> &'static str {
    match flag {
        Flag::HighRed => "▲▲",
        Flag::HighAmber => "▲",
        Flag::LowAmber => "▼",
        Flag::LowRed => "▼▼",
        Flag::None | Flag::NotEnough | Flag::NotAvailable => "",
    }
}

/// The flag in words.
#[must_use]
pub const fn words(flag: Flag) -> &'static str {
    match flag {
        Flag::HighRed => "red, high",
        Flag::HighAmber => "amber, high",
        Flag::None => "within limits",
        Flag::LowAmber => "amber, low",
        Flag::LowRed => "red, low",
        Flag::NotEnough => "not enough data",
        Flag::NotAvailable => "not available for this source",
    }
}

/// The flag's colour alone, as people say it.
#[must_use]
pub const fn colour(flag: Flag) -> &'static str {
    match flag {
        Flag::HighRed | Flag::LowRed => "red",
        Flag::HighAmber | Flag::LowAmber => "amber",
        Flag::None => "within limits",
        Flag::NotEnough => "not enough data",
        Flag::NotAvailable => "not available",
    }
}

/// The class of the style sheet, and the last part of the token `--flag-...`.
#[must_use]
pub const fn class(flag: Flag) -> &'static str {
    match flag {
        Flag::HighRed => "high-red",
        Flag::HighAmber => "high-amber",
        Flag::None => "none",
        Flag::LowAmber => "low-amber",
        Flag::LowRed => "low-red",
        Flag::NotEnough => "not-enough",
        Flag::NotAvailable => "not-available",
    }
}

/// Where the flag stands when the most urgent comes first.
#[must_use]
pub const fn urgency(flag: Flag) -> u8 {
    match flag {
        Flag::HighRed | Flag::LowRed => 0,
        Flag::HighAmber | Flag::LowAmber => 1,
        Flag::None => 2,
        Flag::NotEnough => 3,
        Flag::NotAvailable => 4,
    }
}

/// A metric with its unit: `3.2%`, `7.74`, `4`. The unit of a rate stands in [`metric_unit`].
#[must_use]
pub fn metric(indicator: &Indicator, value: Option<f64>) -> String {
    let Some(value) = value.filter(|value| value.is_finite()) else { return format::NO_VALUE.to_owned() };
    match indicator.metric {
        Metric::Share => format::percent(value),
        Metric::RatePer(per) => format::rate(value * per),
        Metric::Count => format::rate(value),
    }
}

/// What one unit of the metric is: `% of enrolled subjects`, `adverse events per 100 patient-days`.
#[must_use]
pub fn metric_unit(indicator: &Indicator) -> String {
    match indicator.metric {
        Metric::Share => format!("% of {}", indicator.denominator),
        Metric::RatePer(1.0) => format!("{} per one of {}", indicator.numerator, indicator.denominator),
        Metric::RatePer(per) => {
            format!("{} per {} {}", indicator.numerator, format::quantity(per), indicator.denominator)
        }
        Metric::Count => indicator.numerator.clone(),
    }
}

/// By what a metric is multiplied before it is drawn.
#[must_use]
pub const fn metric_scale(indicator: &Indicator) -> f64 {
    match indicator.metric {
        Metric::Share => 100.0,
        Metric::RatePer(per) => per,
        Metric::Count => 1.0,
    }
}

/// The score as it stands in a table: a z score, a metric or a count.
#[must_use]
pub fn score(indicator: &Indicator, signal: &Signal) -> String {
    let Some(score) = signal.score else { return format::NO_VALUE.to_owned() };
    match indicator.scored {
        Scored::Z => format::z(score),
        Scored::Metric => metric(indicator, Some(score)),
        Scored::Numerator => format::quantity(score),
    }
}

/// How the score of an indicator is called.
#[must_use]
pub const fn score_name(indicator: &Indicator) -> &'static str {
    match indicator.scored {
        Scored::Z => "z score",
        Scored::Metric => "Metric",
        Scored::Numerator => "Count",
    }
}

/// A threshold in the unit of the score.
#[must_use]
pub fn threshold(indicator: &Indicator, value: f64) -> String {
    match (indicator.scored, indicator.metric) {
        (Scored::Metric, Metric::Share) => format!("{}%", format::threshold(value * 100.0)),
        (Scored::Metric, Metric::RatePer(per)) => format::threshold(value * per),
        _ => format::threshold(value),
    }
}

/// Each threshold with the flag that is raised beyond it.
#[must_use]
pub fn threshold_flags(indicator: &Indicator) -> Vec<(f64, Flag)> {
    let flags: &[i8] = match (indicator.flags.as_slice(), indicator.thresholds.len()) {
        ([], 4) => &[-2, -1, 0, 1, 2],
        ([], _) => &[0, 1, 2],
        (flags, _) => flags,
    };
    let raised = flags.windows(2).map(|pair| if pair[0].abs() > pair[1].abs() { pair[0] } else { pair[1] });
    let raised = raised.map(|flag| Flag::from_scored(Some(flag)));
    indicator.thresholds.iter().copied().zip(raised).collect()
}

/// The threshold beyond which a flag is raised.
#[must_use]
pub fn threshold_of(indicator: &Indicator, flag: Flag) -> Option<f64> {
    threshold_flags(indicator).into_iter().find(|(_, raised)| *raised == flag).map(|(threshold, _)| threshold)
}

/// One sentence on why a flag was raised; `None` when none was.
#[must_use]
pub fn reason(indicator: &Indicator, signal: &Signal) -> Option<String> {
    if !signal.flag.is_red() && !signal.flag.is_amber() {
        return None;
    }
    let colour = colour(signal.flag);
    let said = match indicator.scored {
        Scored::Z => {
            let score = score(indicator, signal);
            format!("{} {} (z {score}, {colour})", indicator.title, against_study(indicator, signal))
        }
        Scored::Metric => {
            format!(
                "{} {} ({colour}{})",
                indicator.title,
                metric(indicator, signal.metric),
                limit(indicator, signal)
            )
        }
        Scored::Numerator => {
            let counted = signal.numerator.map_or_else(|| format::NO_VALUE.to_owned(), format::quantity);
            format!(
                "{}: {counted} {} ({colour}{})",
                indicator.title,
                indicator.numerator,
                limit(indicator, signal)
            )
        }
    };
    Some(said)
}

/// Everything about one site and indicator in one line, for a pointer that rests on a cell.
#[must_use]
pub fn in_full(indicator: &Indicator, signal: &Signal) -> String {
    match (signal.flag, signal.numerator, signal.denominator) {
        (Flag::NotAvailable, _, _) => match &indicator.unavailable {
            Some(why) => format!("{}: not available for this source; {why}", indicator.title),
            None => format!("{}: not available for this source", indicator.title),
        },
        (flag, Some(numerator), Some(denominator)) => format!(
            "{}: {} {} over {} {} = {}; {}",
            indicator.title,
            format::quantity(numerator),
            indicator.numerator,
            format::quantity(denominator),
            indicator.denominator,
            metric(indicator, signal.metric),
            words(flag),
        ),
        (flag, _, _) => format!("{}: {}", indicator.title, words(flag)),
    }
}

fn against_study(indicator: &Indicator, signal: &Signal) -> String {
    let here = metric(indicator, signal.metric);
    match (indicator.metric, signal.metric, indicator.overall) {
        (Metric::Share, _, Some(overall)) => {
            format!("{here} against the study's {}", metric(indicator, Some(overall)))
        }
        (_, Some(0.0), Some(overall)) if overall > 0.0 => {
            format!(
                "zero against the study's {} {}",
                metric(indicator, Some(overall)),
                metric_unit(indicator)
            )
        }
        (_, Some(here), Some(overall)) if overall > 0.0 => {
            format!("{} the study's", format::times(here / overall))
        }
        _ => format!("{here} {}", metric_unit(indicator)),
    }
}

fn limit(indicator: &Indicator, signal: &Signal) -> String {
    let Some(limit) = threshold_of(indicator, signal.flag) else { return String::new() };
    let side = if matches!(signal.flag, Flag::LowAmber | Flag::LowRed) { "below" } else { "from" };
    format!(" {side} {}", threshold(indicator, limit))
}

#[cfg(test)]
mod tests;
