//! How often the combination rejects when there is nothing, for tests that depend on each other, and what holds for
//! any p-values.

use measures::cauchy_combination;
use measures::site_test::{self, Cohort};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::chance::Chance;

/// The upper tail of a standard normal variable, by the continued fraction and the series of Abramowitz and Stegun, as
/// far as a simulation needs it (7.1.26: 1.5e-7).
fn upper_tail(z: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.327_591_1 * z.abs() / std::f64::consts::SQRT_2);
    let series = [1.061_405_429, -1.453_152_027, 1.421_413_741, -0.284_496_736, 0.254_829_592];
    let tail = 0.5 * series.iter().fold(0.0, |sum, term| (sum + term) * t) * (-z * z / 2.0).exp();
    if z < 0.0 { 1.0 - tail } else { tail }
}

fn rejections(level: f64, shared: f64) -> f64 {
    const RUNS: u32 = 100_000;
    let mut chance = Chance::new(99);
    let mut count = 0_u32;
    for _ in 0..RUNS {
        let common = chance.normal();
        let p_values: Vec<f64> = (0..14)
            .map(|_| upper_tail(shared.sqrt() * common + (1.0 - shared).sqrt() * chance.normal()))
            .collect();
        count += u32::from(cauchy_combination(&p_values).expect("the p-values are valid") <= level);
    }
    f64::from(count) / f64::from(RUNS)
}

#[test]
fn the_combination_nears_its_level_as_that_gets_small_whatever_the_dependence() {
    for shared in [0.0, 0.3, 0.8] {
        for (level, most) in [(0.05, 1.5), (0.01, 1.3), (0.001, 1.3)] {
            let share = rejections(level, shared);
            println!("shared {shared}, level {level}: {share}");
            assert!((0.6 * level..=most * level).contains(&share), "{share} at {level} with {shared} shared");
        }
    }
}

/// All tests of one study combined, as they are meant to be used, for the first of its sites.
#[test]
fn the_combination_of_tests_of_one_study_holds_its_level() {
    const RUNS: u32 = 1000;
    let groups: Vec<usize> = (0..90).map(|subject| subject / 15).collect();
    let cohort = Cohort::new(&groups).expect("the groups are valid");
    let mut chance = Chance::new(5);
    let mut count = 0_u32;
    for _ in 0..RUNS {
        let first: Vec<f64> = groups.iter().map(|_| 60.0 + 10.0 * chance.normal()).collect();
        let second: Vec<f64> = first.iter().map(|x| x + 10.0 * chance.normal()).collect();
        let times: Vec<f64> = groups.iter().map(|_| chance.uniform()).collect();
        let subjects: Vec<usize> = (0..90).collect();
        let tests = [
            site_test::mean(&cohort, &first),
            site_test::variance(&cohort, &first),
            site_test::distribution(&cohort, &first),
            site_test::last_digit(&cohort, &subjects, &first, 0),
            site_test::heaping(&cohort, &subjects, &first, 0),
            site_test::mahalanobis_outliers(&cohort, &[&first, &second]),
            site_test::mahalanobis_inliers(&cohort, &[&first, &second]),
            site_test::pair_correlation(&cohort, &first, &second),
            site_test::trend(&cohort, &times, &first),
            site_test::step(&cohort, &times, &first),
        ];
        let p_values: Vec<f64> = tests
            .into_iter()
            .filter_map(|answers| answers.expect("the input is valid")[0].ok())
            .map(|outcome| outcome.p_value)
            .collect();
        assert_eq!(p_values.len(), 10);
        count += u32::from(cauchy_combination(&p_values).expect("the p-values are valid") <= 0.05);
    }
    let share = f64::from(count) / f64::from(RUNS);
    println!("rejected {share}");
    assert!((0.025..=0.075).contains(&share), "{share}");
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(20_260_914),
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_smaller_p_value_never_makes_the_result_larger(
        p_values in prop::collection::vec(0.0_f64..=1.0, 1..20), place in 0_usize..20, share in 0.0_f64..=1.0,
    ) {
        let before = cauchy_combination(&p_values).expect("the p-values are valid");
        let mut smaller = p_values;
        let place = place % smaller.len();
        smaller[place] *= share;
        let after = cauchy_combination(&smaller).expect("the p-values are valid");
        prop_assert!((0.0..=1.0).contains(&before));
        prop_assert!(after <= before + 1e-12);
    }

    #[test]
    fn the_order_and_copies_do_not_matter(p_values in prop::collection::vec(1e-9_f64..=0.99, 1..20)) {
        let combined = cauchy_combination(&p_values).expect("the p-values are valid");
        let mut other: Vec<f64> = p_values.iter().chain(&p_values).copied().collect();
        other.reverse();
        let copied = cauchy_combination(&other).expect("the p-values are valid");
        prop_assert!((combined - copied).abs() <= 1e-9 * combined);
    }
}
