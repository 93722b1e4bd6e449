//! What holds for any groups.

use measures::{FlagRule, Kind, normal_approximation};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

/// Groups of at least one event in all, so that they can differ.
fn rates() -> impl Strategy<Value = (Vec<f64>, Vec<f64>)> {
    let group = (0_u32..200, 1_u32..5000);
    prop::collection::vec(group, 1..60).prop_map(|groups| {
        groups.into_iter().map(|(events, days)| (f64::from(events), f64::from(days))).unzip()
    })
}

/// Groups whose numerators are part of their denominators.
fn shares() -> impl Strategy<Value = (Vec<f64>, Vec<f64>)> {
    let group =
        (0_u32..200, 0_u32..200).prop_filter("a group has members", |(in_part, rest)| in_part + rest > 0);
    prop::collection::vec(group, 1..60).prop_map(|groups| {
        groups.into_iter().map(|(in_part, rest)| (f64::from(in_part), f64::from(in_part + rest))).unzip()
    })
}

fn check_scores(numerators: &[f64], denominators: &[f64], kind: Kind) {
    let fit = normal_approximation(numerators, denominators, kind).expect("the groups are valid");
    let count = numerators.len() as f64;
    let weighted: f64 =
        fit.groups.iter().zip(denominators).map(|(group, days)| days.sqrt() * group.score).sum();
    let scale: f64 = denominators.iter().map(|days| days.sqrt()).sum();
    assert!(weighted.abs() <= 1e-6 * scale * count.sqrt(), "sum sqrt(D) z is {weighted}");
    if fit.factor > 1e-12 {
        let squares: f64 = fit.groups.iter().map(|group| group.score * group.score).sum();
        assert!((squares - count).abs() <= 1e-6 * count, "sum of squares {squares} of {count} groups");
        let total: f64 = denominators.iter().sum();
        for (group, days) in fit.groups.iter().zip(denominators) {
            let largest = (count * (1.0 - days / total)).sqrt();
            assert!(group.score.abs() <= largest + 1e-6, "score {} above {largest}", group.score);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(20_260_914),
        ..ProptestConfig::default()
    })]

    #[test]
    fn scores_of_rates_balance_and_have_unit_spread((numerators, denominators) in rates()) {
        check_scores(&numerators, &denominators, Kind::Rate);
    }

    #[test]
    fn scores_of_shares_balance_and_have_unit_spread((numerators, denominators) in shares()) {
        check_scores(&numerators, &denominators, Kind::Binary);
    }

    #[test]
    fn the_unit_of_exposure_does_not_change_a_score((numerators, denominators) in rates(), unit in 0.01_f64..400.0) {
        let scaled: Vec<f64> = denominators.iter().map(|days| days / unit).collect();
        let plain = normal_approximation(&numerators, &denominators, Kind::Rate).expect("the groups are valid");
        let other = normal_approximation(&numerators, &scaled, Kind::Rate).expect("the groups are valid");
        prop_assume!(plain.factor > 1e-9);
        for (plain, other) in plain.groups.iter().zip(&other.groups) {
            prop_assert!((plain.score - other.score).abs() < 1e-6);
        }
    }

    #[test]
    fn a_higher_score_never_has_a_lower_flag(low in -6.0_f64..6.0, rise in 0.0_f64..6.0) {
        let rule = FlagRule::new(&[-2.0, -1.0, 2.0, 3.0], &[-2, -1, 0, 1, 2], None).expect("the rule is valid");
        prop_assert!(rule.flag(low) <= rule.flag(low + rise));
    }
}
