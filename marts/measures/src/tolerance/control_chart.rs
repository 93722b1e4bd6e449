//! Control charts: what happened between one snapshot and the next, and whether it adds up.

use crate::error::MeasureError;
use crate::normal_approximation::unit_variance;
use crate::proportion_table::Kind;

use super::{Levels, Reading, Snapshot, check_parameter};

/// Which statistic a chart follows. `z` is an interval's events less those expected, over their standard deviation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Chart {
    /// The rate of each interval by itself: a p chart for shares, a u chart for rates. The statistic is the rate,
    /// its limits are `expected + k sd` at the units of the interval.
    Shewhart,
    /// The upper cumulative sum `max(0, C + z - allowance)`: quick on small shifts that last. Not reset by an alarm.
    Cusum {
        /// What is taken off each step; half of the shift to be found, in standard deviations.
        allowance: f64,
    },
    /// The exponentially weighted mean `weight z + (1 - weight) W`. Its limits are `k` of its own standard
    /// deviations, `sqrt(weight / (2 - weight) (1 - (1 - weight)^(2 t)))` after `t` intervals.
    Ewma {
        /// The weight of the newest interval, above 0 and at most 1.
        weight: f64,
    },
}

impl Chart {
    pub(super) fn check(self) -> Result<(), MeasureError> {
        match self {
            Self::Shewhart => Ok(()),
            Self::Cusum { allowance } => {
                check_parameter("allowance", allowance, "finite and not negative", |value| value >= 0.0)
            }
            Self::Ewma { weight } => check_parameter("weight", weight, "above 0 and at most 1", |value| {
                value > 0.0 && value <= 1.0
            }),
        }
    }
}

/// The chart's reading at each snapshot.
///
/// An interval begins at the last snapshot that had more units than any before. A snapshot that adds no units (or
/// takes some back, as a correction may) ends none: sums and means stand as they were, a single rate has nothing
/// to say, and what it counted falls to the next interval.
// Source: Montgomery DC, "Introduction to statistical quality control", 7th edition, 2012, sections 7.2, 9.1 and 9.2.
pub(super) fn readings(
    history: &[Snapshot],
    kind: Kind,
    expected: f64,
    chart: Chart,
    levels: Levels,
) -> Vec<Reading> {
    let variance = unit_variance(kind, expected);
    let mut start = Snapshot { events: 0.0, units: 0.0 };
    let mut standing = Reading::NOTHING;
    let (mut statistic, mut intervals) = (0.0_f64, 0.0_f64);
    let read = history.iter().map(|&end| {
        let units = end.units - start.units;
        if units <= 0.0 {
            if chart == Chart::Shewhart {
                standing = Reading::NOTHING;
            }
            return standing;
        }
        let events = end.events - start.events;
        let z = (events - expected * units) / (variance * units).sqrt();
        start = end;
        intervals += 1.0;
        standing = match chart {
            Chart::Shewhart => {
                let at = |k: f64| expected + k * (variance / units).sqrt();
                Reading::of(
                    events / units,
                    Levels { secondary: at(levels.secondary), limit: at(levels.limit) },
                )
            }
            Chart::Cusum { allowance } => {
                statistic = (statistic + z - allowance).max(0.0);
                Reading::of(statistic, levels)
            }
            Chart::Ewma { weight } => {
                statistic = weight * z + (1.0 - weight) * statistic;
                let spread = (weight / (2.0 - weight) * (1.0 - (1.0 - weight).powf(2.0 * intervals))).sqrt();
                let scaled = Levels { secondary: levels.secondary * spread, limit: levels.limit * spread };
                Reading::of(statistic, scaled)
            }
        };
        standing
    });
    read.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tolerance::{Method, Rule, Verdict};

    fn read(chart: Chart, levels: (f64, f64), history: &[(f64, f64)]) -> Vec<Reading> {
        let levels = Levels::new(levels.0, levels.1).expect("the limits are valid");
        let method = Method::Chart { expected: 0.2, chart, levels };
        let rule = Rule::new(Kind::Binary, method, 0.0).expect("the rule is valid");
        let history: Vec<Snapshot> =
            history.iter().map(|&(events, units)| Snapshot { events, units }).collect();
        rule.readings(&history).expect("the history is valid")
    }

    fn speaks(reading: &Reading) -> bool {
        reading.verdict != Verdict::TooFew
    }

    #[track_caller]
    fn check_statistics(readings: &[Reading], expected: &[f64]) {
        assert_eq!(readings.len(), expected.len());
        for (reading, expected) in readings.iter().zip(expected) {
            let ours = reading.statistic.expect("something was observed");
            assert!((ours - expected).abs() < 1e-12, "{ours} against {expected}");
        }
    }

    // Intervals of 25 units at 0.2: 5 events expected, with a standard deviation of 2.
    const HISTORY: [(f64, f64); 3] = [(7.0, 25.0), (16.0, 50.0), (19.0, 75.0)];

    #[test]
    fn a_p_chart_judges_each_interval_by_itself() {
        let readings = read(Chart::Shewhart, (1.5, 2.0), &HISTORY);
        check_statistics(&readings, &[7.0 / 25.0, 9.0 / 25.0, 3.0 / 25.0]);
        // By hand: limits at 5 + 1.5 × 2 = 8 and 5 + 2 × 2 = 9 of 25.
        assert!((readings[0].limit.expect("there is one") - 0.36).abs() < 1e-12);
        let verdicts: Vec<Verdict> = readings.iter().map(|reading| reading.verdict).collect();
        assert_eq!(verdicts[0], Verdict::Within);
        assert!(verdicts[1] >= Verdict::Secondary);
        assert_eq!(verdicts[2], Verdict::Within);
    }

    #[test]
    fn a_sum_chart_adds_what_exceeds_the_allowance() {
        // By hand: z is 1, 2 and -1; sums of 0.5, 2 and 0.5.
        let readings = read(Chart::Cusum { allowance: 0.5 }, (1.0, 2.0), &HISTORY);
        check_statistics(&readings, &[0.5, 2.0, 0.5]);
        assert_eq!(readings[1].verdict, Verdict::Breach);
    }

    #[test]
    fn a_weighted_mean_forgets() {
        // By hand with a half: 0.5, 1.25, 0.125; spreads sqrt(1/3 (1 - 1/4)) = 0.5, ...
        let readings = read(Chart::Ewma { weight: 0.5 }, (1.0, 2.0), &HISTORY);
        check_statistics(&readings, &[0.5, 1.25, 0.125]);
        assert!((readings[0].limit.expect("there is one") - 1.0).abs() < 1e-12);
        assert_eq!(readings[0].verdict, Verdict::Secondary);
    }

    #[test]
    fn a_snapshot_without_new_units_ends_no_interval() {
        let history = [(7.0, 25.0), (8.0, 25.0), (6.0, 20.0), (16.0, 50.0)];
        let sums = read(Chart::Cusum { allowance: 0.5 }, (1.0, 2.0), &history);
        check_statistics(&sums, &[0.5, 0.5, 0.5, 2.0]);
        let rates = read(Chart::Shewhart, (1.5, 2.0), &history);
        assert_eq!(rates.iter().map(speaks).collect::<Vec<_>>(), [true, false, false, true]);
        assert!(read(Chart::Shewhart, (1.5, 2.0), &[]).is_empty());
        assert!(!speaks(&read(Chart::Ewma { weight: 0.2 }, (2.0, 3.0), &[(0.0, 0.0)])[0]));
    }
}
