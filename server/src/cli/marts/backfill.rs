//! `cairn marts backfill`: one snapshot for each of several past instants.

use std::collections::BTreeSet;

use chrono::{DateTime, Days, Months, Utc};
use clap::{Args, ValueEnum};

use super::{UseUp, What, build, plan};
use crate::app::App;
use crate::cli::engineer::Place;
use crate::cli::say::say;
use crate::error::{Failure, Result};
use crate::work;

/// More instants are a mistake.
const INSTANTS_AT_MOST: usize = 1_000;

/// The instants of a backfill.
#[derive(Debug, Clone, Args)]
pub(crate) struct Range {
    /// The first instant: 2026-01-31, or 2026-01-31T18:00:00Z.
    #[arg(long, value_name = "INSTANT", value_parser = crate::cli::instant)]
    from: DateTime<Utc>,
    /// The last instant, itself included.
    #[arg(long, value_name = "INSTANT", value_parser = crate::cli::instant)]
    to: DateTime<Utc>,
    /// How far apart they are; `cut` takes every instant at which a source was read.
    #[arg(long, value_enum, default_value_t = Every::Month)]
    every: Every,
}

/// How far the instants of a backfill are apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Every {
    Day,
    Week,
    Month,
    Cut,
}

pub(super) async fn run(
    app: &App,
    place: &Place,
    (what, use_up): (&What, &UseUp),
    (range, dry_run): (&Range, bool),
) -> Result<()> {
    let engineer = place.operator(app).await?;
    let (_, manifest) = work::current(app, &engineer).await?;
    let cuts: BTreeSet<DateTime<Utc>> = manifest.cuts.iter().map(|cut| cut.extracted_at).collect();
    let instants = range.instants(&cuts)?;
    let mut built = 0_usize;
    for instant in &instants {
        say!("as of {}", instant.to_rfc3339());
        if dry_run {
            plan::show(app, place, what, Some(*instant)).await?;
        } else {
            build::run(app, &engineer, what.order(use_up), Some(*instant)).await.inspect_err(|_| {
                say!(
                    "{built} of {} instants are built; begin again with `--from {}`",
                    instants.len(),
                    instant.to_rfc3339()
                );
            })?;
            built += 1;
        }
    }
    say!("{built} of {} instants are built", instants.len());
    Ok(())
}

impl Range {
    /// The instants, oldest first. Those of which nothing is known are refused when they are built.
    fn instants(&self, cuts: &BTreeSet<DateTime<Utc>>) -> Result<Vec<DateTime<Utc>>> {
        if self.from > self.to {
            return Err(Failure::Usage(format!(
                "`--from {}` is after `--to {}`",
                self.from.to_rfc3339(),
                self.to.to_rfc3339()
            )));
        }
        if self.every == Every::Cut {
            let within: Vec<_> = cuts.range(self.from..=self.to).copied().collect();
            let known = || cuts.iter().map(DateTime::to_rfc3339).collect::<Vec<_>>().join(", ");
            return if within.is_empty() {
                Err(Failure::Usage(format!("no source was read in that time; the cuts are of {}", known())))
            } else {
                Ok(within)
            };
        }
        let mut instants = Vec::new();
        // Each is counted from the first, so that a month after 31 January and 28 February is 31 March.
        for nth in 0..=u32::try_from(INSTANTS_AT_MOST).unwrap_or(u32::MAX) {
            let next = match self.every {
                Every::Day | Every::Cut => self.from.checked_add_days(Days::new(u64::from(nth))),
                Every::Week => self.from.checked_add_days(Days::new(7 * u64::from(nth))),
                Every::Month => self.from.checked_add_months(Months::new(nth)),
            };
            match next.filter(|next| *next <= self.to) {
                Some(next) => instants.push(next),
                None => break,
            }
        }
        if instants.len() > INSTANTS_AT_MOST {
            return Err(Failure::Usage(format!(
                "that are more than {INSTANTS_AT_MOST} instants; take fewer, or `--every cut`"
            )));
        }
        Ok(instants)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        crate::cli::instant(text).expect("an instant")
    }

    #[track_caller]
    fn check(from: &str, to: &str, every: Every, expected: &[&str]) {
        let range = Range { from: at(from), to: at(to), every };
        let cuts = ["2026-01-10", "2026-02-20", "2026-04-01"].map(at).into_iter().collect();
        let found = range.instants(&cuts).expect("a range");
        assert_eq!(found, expected.iter().map(|text| at(text)).collect::<Vec<_>>());
    }

    #[test]
    fn a_range_ends_with_its_last_instant() {
        check("2026-01-30", "2026-02-01", Every::Day, &["2026-01-30", "2026-01-31", "2026-02-01"]);
        check("2026-01-01", "2026-01-20", Every::Week, &["2026-01-01", "2026-01-08", "2026-01-15"]);
        check("2026-01-31", "2026-03-31", Every::Month, &["2026-01-31", "2026-02-28", "2026-03-31"]);
        check("2026-02-01", "2026-04-01", Every::Cut, &["2026-02-20", "2026-04-01"]);
    }

    #[test]
    fn a_range_that_ends_before_it_begins_or_never_is_refused() {
        let refused =
            |from, to, every| Range { from: at(from), to: at(to), every }.instants(&BTreeSet::new());
        assert!(refused("2026-02-01", "2026-01-01", Every::Day).is_err());
        assert!(refused("1900-01-01", "2026-01-01", Every::Day).is_err());
        assert!(refused("2026-01-01", "2026-02-01", Every::Cut).is_err());
    }
}
