//! What a rule is worth: how often, and how soon, it raises an alarm if the true rate is this or that.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::error::MeasureError;
use crate::law::count::CountLaw;
use crate::proportion_table::Kind;

use super::critical_count::count_law;
use super::{Rule, Snapshot, Verdict, check_parameter};

/// A study to be simulated many times.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Design<'a> {
    /// The units at each snapshot, cumulative and not falling; whole for shares.
    pub units: &'a [f64],
    /// The true rate.
    pub truth: f64,
    /// How many studies to simulate, at most a million.
    pub runs: u32,
    /// Where the random numbers begin: the same seed gives the same answer.
    pub seed: u64,
}

/// How a rule fares at one true rate.
#[derive(Debug, Clone, PartialEq)]
pub struct OperatingCharacteristics {
    /// The share of studies with a breach at some snapshot.
    pub breach: f64,
    /// The Monte-Carlo standard error of that share.
    pub breach_error: f64,
    /// The share of studies with a breach or a secondary alarm at some snapshot.
    pub secondary: f64,
    /// The mean number of snapshots up to the first breach, counted from 1, among studies with one; none where no
    /// study has one.
    pub snapshots_to_breach: Option<f64>,
    /// For each snapshot the share of studies with a breach up to it.
    pub breach_by: Vec<f64>,
}

/// Simulates a design and judges it by a rule.
///
/// The events of each interval are drawn from the binomial law for shares and the Poisson law for rates, by
/// inversion, from one stream of ChaCha numbers.
///
/// # Errors
/// For units that fall or are no counts, a true rate that is no rate, and a number of runs that is zero, above a
/// million, or above ten million over the number of snapshots; and as [`Rule::readings`].
pub fn operating_characteristics(
    rule: &Rule,
    design: Design<'_>,
) -> Result<OperatingCharacteristics, MeasureError> {
    check(rule.kind(), design)?;
    let laws = intervals(rule.kind(), design);
    let mut chance = ChaCha8Rng::seed_from_u64(design.seed);
    let mut breached_at = vec![0_u32; design.units.len()];
    let mut secondary = 0_u32;
    let mut history: Vec<Snapshot> = Vec::with_capacity(design.units.len());
    for _ in 0..design.runs {
        history.clear();
        let mut events = 0.0;
        for (law, &units) in laws.iter().zip(design.units) {
            events += law.draw(chance.random());
            history.push(Snapshot { events, units });
        }
        let readings = rule.readings(&history)?;
        if let Some(place) = readings.iter().position(|reading| reading.verdict == Verdict::Breach) {
            breached_at[place] += 1;
        }
        secondary += u32::from(readings.iter().any(|reading| reading.verdict >= Verdict::Secondary));
    }
    Ok(summary(&breached_at, secondary, f64::from(design.runs)))
}

fn summary(breached_at: &[u32], secondary: u32, runs: f64) -> OperatingCharacteristics {
    let breaches: f64 = breached_at.iter().copied().map(f64::from).sum();
    let waited: f64 =
        (1_u32..).zip(breached_at).map(|(place, &count)| f64::from(place) * f64::from(count)).sum();
    let breach = breaches / runs;
    let mut sum = 0.0;
    let breach_by = breached_at.iter().map(|&count| {
        sum += f64::from(count);
        sum / runs
    });
    OperatingCharacteristics {
        breach,
        breach_error: (breach * (1.0 - breach) / runs).sqrt(),
        secondary: f64::from(secondary) / runs,
        snapshots_to_breach: (breaches > 0.0).then(|| waited / breaches),
        breach_by: breach_by.collect(),
    }
}

fn check(kind: Kind, design: Design<'_>) -> Result<(), MeasureError> {
    check_parameter("true rate", design.truth, "a rate; a share lies within 0 and 1", |rate| {
        rate >= 0.0 && (kind == Kind::Rate || rate <= 1.0)
    })?;
    check_parameter("number of runs", f64::from(design.runs), "from 1 to 1000000", |runs| {
        (1.0..=1e6).contains(&runs)
    })?;
    let readings = f64::from(design.runs) * design.units.len() as f64;
    check_parameter("number of runs times snapshots", readings, "at most 1e7", |readings| readings <= 1e7)?;
    let mut before = 0.0;
    for &units in design.units {
        let range = "counts of at most 1e8 that do not fall";
        check_parameter("number of units", units, range, |units| {
            units >= before && units <= 1e8 && (kind == Kind::Rate || units.fract() == 0.0)
        })?;
        check_parameter("mean number of events", units * design.truth, "at most 1e8", |mean| mean <= 1e8)?;
        before = units;
    }
    Ok(())
}

fn intervals(kind: Kind, design: Design<'_>) -> Vec<Table> {
    let before = std::iter::once(&0.0).chain(design.units);
    let gained = before.zip(design.units).map(|(before, units)| units - before);
    gained.map(|units| Table::of(count_law(kind, design.truth, units))).collect()
}

/// The cumulative masses of a law, between counts that are never drawn in practice.
struct Table {
    first: f64,
    cumulative: Vec<f64>,
}

impl Table {
    fn of(law: CountLaw) -> Self {
        let (first, last) = (law.quantile(1e-16), law.quantile(1.0 - 1e-15));
        let mut cumulative = Vec::new();
        let (mut count, mut sum) = (first, 0.0);
        while count <= last {
            sum += law.mass(count);
            cumulative.push(sum);
            count += 1.0;
        }
        Self { first, cumulative }
    }

    /// The smallest count whose cumulative mass exceeds a number between 0 and 1.
    fn draw(&self, chance: f64) -> f64 {
        let place = self.cumulative.partition_point(|mass| *mass <= chance);
        self.first + place.min(self.cumulative.len() - 1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tolerance::{Levels, Method, critical_count::critical_count};

    fn exact_rule() -> Rule {
        let levels = Levels::new(0.9, 0.975).expect("the limits are valid");
        Rule::new(Kind::Binary, Method::Exact { expected: 0.1, levels }, 0.0).expect("the rule is valid")
    }

    fn fare(rule: &Rule, units: &[f64], truth: f64, runs: u32, seed: u64) -> OperatingCharacteristics {
        operating_characteristics(rule, Design { units, truth, runs, seed }).expect("the design is valid")
    }

    #[test]
    fn one_look_has_the_power_of_its_exact_test() {
        // 17 of 100 are critical at 0.1 (R's `qbinom`); scipy 1.17 `binom.sf(16, 100, p)` is the power.
        assert_eq!(critical_count(Kind::Binary, 0.1, 100.0, 0.975), Ok(17.0));
        for (truth, power) in [(0.1, 0.020_598_810_145_300_16), (0.2, 0.807_662_415_402_398_2)] {
            let ours = fare(&exact_rule(), &[100.0], truth, 20_000, 1);
            let error = (power * (1.0 - power) / 20_000.0_f64).sqrt();
            assert!((ours.breach - power).abs() < 4.0 * error, "{} against {power}", ours.breach);
            assert_eq!(ours.snapshots_to_breach, Some(1.0));
            assert!(ours.secondary > ours.breach);
        }
    }

    #[test]
    fn a_seed_gives_its_answer_again_and_another_seed_another() {
        let units = [50.0, 100.0, 150.0, 200.0];
        let first = fare(&exact_rule(), &units, 0.15, 500, 7);
        assert_eq!(first, fare(&exact_rule(), &units, 0.15, 500, 7));
        assert_ne!(first, fare(&exact_rule(), &units, 0.15, 500, 8));
    }

    #[test]
    fn a_worse_rate_is_found_more_often_and_sooner() {
        let units: Vec<f64> = (1..=12).map(|month| f64::from(month) * 40.0).collect();
        let (good, bad) =
            (fare(&exact_rule(), &units, 0.12, 2000, 3), fare(&exact_rule(), &units, 0.2, 2000, 3));
        assert!(bad.breach > good.breach && bad.snapshots_to_breach < good.snapshots_to_breach);
        assert!(bad.breach_by.windows(2).all(|pair| pair[0] <= pair[1]));
        assert_eq!(bad.breach_by.last(), Some(&bad.breach));
    }

    #[test]
    fn rates_without_chance_need_none() {
        let never = fare(&exact_rule(), &[50.0, 50.0, 100.0], 0.0, 100, 1);
        assert_eq!((never.breach, never.snapshots_to_breach), (0.0, None));
        let always = fare(&exact_rule(), &[50.0, 100.0], 1.0, 100, 1);
        assert_eq!((always.breach, always.snapshots_to_breach), (1.0, Some(1.0)));
        assert_eq!(fare(&exact_rule(), &[], 0.5, 100, 1).breach, 0.0);
    }

    #[test]
    fn designs_that_cannot_be_are_refused() {
        for (units, truth, runs) in
            [(&[50.0, 40.0][..], 0.1, 10), (&[1.5], 0.1, 10), (&[50.0], 1.5, 10), (&[50.0], 0.1, 0)]
        {
            assert!(
                operating_characteristics(&exact_rule(), Design { units, truth, runs, seed: 1 }).is_err()
            );
        }
    }
}
