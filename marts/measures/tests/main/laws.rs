//! What holds for any groups.

use measures::{
    Against, FlagRule, Kind, Pool, Reported, benjamini_hochberg, exact, in_frame, leave_one_out,
    normal_approximation,
};
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

/// The leave-one-out score of one group as its formula reads, sum by sum.
fn left_out_score(numerators: &[f64], denominators: &[f64], group: usize) -> f64 {
    let others: Vec<usize> = (0..numerators.len()).filter(|other| *other != group).collect();
    let sum = |values: &[f64]| others.iter().map(|other| values[*other]).sum::<f64>();
    let exposure = sum(denominators);
    let mean = sum(numerators) / exposure;
    let deviation = |other: usize| numerators[other] / denominators[other] - mean;
    let squares: f64 =
        others.iter().map(|&other| denominators[other] * deviation(other).powi(2) / mean).sum();
    let factor = (squares / (others.len() - 1) as f64).max(1.0);
    deviation(group) / (factor * mean * (1.0 / denominators[group] + 1.0 / exposure)).sqrt()
}

/// Subjects of up to five groups with up to eight visits.
fn subjects() -> impl Strategy<Value = Vec<(usize, Vec<u64>)>> {
    let visits = prop::collection::vec(0_u64..4, 0..8).prop_map(|events| {
        let mut sum = 0;
        events
            .into_iter()
            .map(|new| {
                sum += new;
                sum
            })
            .collect::<Vec<u64>>()
    });
    prop::collection::vec((0_usize..5, visits), 1..40)
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

    #[test]
    fn a_group_left_out_has_the_score_of_its_formula((numerators, denominators) in rates()) {
        prop_assume!(numerators.len() > 2);
        let ours = leave_one_out(&numerators, &denominators, Kind::Rate).expect("the groups are valid");
        for (group, ours) in ours.iter().enumerate() {
            let rest: f64 = numerators.iter().sum::<f64>() - numerators[group];
            if rest > 0.0 {
                let direct = left_out_score(&numerators, &denominators, group);
                prop_assert!((ours.score - direct).abs() <= 1e-8 * direct.abs().max(1.0));
            }
            prop_assert!(ours.factor >= 1.0 && ours.score.is_finite() && (0.0..=1.0).contains(&ours.p));
        }
    }

    #[test]
    fn more_events_never_lower_a_score_beside_the_rest((numerators, denominators) in shares(), more in 1_u32..50) {
        let mut higher = (numerators.clone(), denominators);
        higher.0[0] = (higher.0[0] + f64::from(more)).min(higher.1[0]);
        let (numerators, denominators) = (&numerators, &higher.1);
        let score = |numerators: &[f64]| {
            leave_one_out(numerators, denominators, Kind::Binary).expect("the groups are valid")[0].score
        };
        let exact_score = |numerators: &[f64]| {
            let against = Against::Rest;
            exact(numerators, denominators, Kind::Binary, against).expect("the groups are valid")[0].score
        };
        let rest: f64 = numerators.iter().skip(1).sum();
        let others: f64 = denominators.iter().skip(1).sum();
        if rest > 0.0 && rest < others {
            prop_assert!(score(&higher.0) >= score(numerators) - 1e-9);
        }
        prop_assert!(exact_score(&higher.0) >= exact_score(numerators) - 1e-9);
    }

    #[test]
    fn exact_tails_overlap_in_the_count_itself((numerators, denominators) in rates(), given in 0.0_f64..2.0) {
        for against in [Against::Rest, Against::Given(given)] {
            let groups = exact(&numerators, &denominators, Kind::Rate, against).expect("the groups are valid");
            for group in groups {
                prop_assert!(group.lower + group.upper >= 1.0 - 1e-9);
                prop_assert!(group.two_sided >= group.lower.min(group.upper) - 1e-12);
                prop_assert!((0.0..=1.0).contains(&group.two_sided) && (0.0..=1.0).contains(&group.mid_p));
                prop_assert!(group.score.is_finite() && group.expected.is_finite());
                prop_assert!(group.mid_p <= 2.0 * group.lower.min(group.upper) + 1e-12);
            }
        }
    }

    #[test]
    fn the_expected_counts_beside_the_rest_add_up((numerators, denominators) in shares()) {
        let groups = exact(&numerators, &denominators, Kind::Binary, Against::Rest).expect("the groups are valid");
        let expected: f64 = groups.iter().map(|group| group.expected).sum();
        let events: f64 = numerators.iter().sum();
        prop_assert!((expected - events).abs() <= 1e-9 * events.max(1.0));
    }

    #[test]
    fn adjusted_values_keep_the_order_and_never_shrink(p in prop::collection::vec(0.0_f64..=1.0, 1..80)) {
        let adjusted = benjamini_hochberg(&p);
        for (place, value) in p.iter().enumerate() {
            prop_assert!(adjusted[place] >= *value && adjusted[place] <= 1.0);
            for (other, larger) in p.iter().enumerate().filter(|(_, larger)| *larger >= value) {
                prop_assert!(adjusted[other] >= adjusted[place], "{larger} after {value}");
            }
        }
    }

    #[test]
    fn a_frame_gives_laws_whatever_was_reported(subjects in subjects()) {
        let reported: Vec<Reported<'_>> =
            subjects.iter().map(|(group, cumulative)| Reported { group: *group, cumulative }).collect();
        for pool in [Pool::Study, Pool::Rest] {
            let groups = in_frame(&reported, 5, pool).expect("the subjects are valid");
            for group in groups {
                prop_assert!((0.0..=1.0).contains(&group.under) && (0.0..=1.0).contains(&group.over));
                prop_assert!(group.under + group.over >= 1.0 - 1e-12 && group.score.is_finite());
                if pool == Pool::Study {
                    prop_assert!(group.under > 0.0 && group.over > 0.0, "the group's own course is possible");
                }
            }
        }
    }
}
