//! What does not change a result, for any data.

use measures::mcar::{little_test, missing_patterns};
use measures::safety::{clopper_pearson, incidence_rate, wilson};
use measures::site_test::{self, Cohort, SiteTest};
use measures::survival::{Band, cumulative_incidence, kaplan_meier, log_rank};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

/// Times on a coarse grid, so that there are ties, with a cause each; 0 is censored.
fn left() -> impl Strategy<Value = Vec<(f64, usize)>> {
    prop::collection::vec((0_u32..30, 0_usize..3).prop_map(|(time, cause)| (f64::from(time), cause)), 1..80)
}

/// A group and a whole number per subject, with ties and gaps.
fn grouped() -> impl Strategy<Value = Vec<(usize, Option<i32>)>> {
    prop::collection::vec((0_usize..3, prop::option::weighted(0.9, -20_i32..20)), 6..60)
}

fn values(subjects: &[(usize, Option<i32>)], map: impl Fn(f64) -> f64) -> Vec<f64> {
    subjects.iter().map(|(_, value)| value.map_or(f64::NAN, |value| map(f64::from(value)))).collect()
}

fn same(left: &[SiteTest], right: &[SiteTest]) -> bool {
    left.len() == right.len()
        && left.iter().zip(right).all(|pair| match pair {
            (Ok(left), Ok(right)) => {
                (left.p_value - right.p_value).abs() <= 1e-6
                    && left.p_value.is_finite()
                    && (left.group_size, left.rest_size) == (right.group_size, right.rest_size)
            }
            (left, right) => left == right,
        })
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(20_260_914),
        ..ProptestConfig::default()
    })]

    #[test]
    fn curves_fall_and_causes_share_what_has_left(subjects in left()) {
        let (times, causes): (Vec<f64>, Vec<usize>) = subjects.into_iter().unzip();
        let events: Vec<bool> = causes.iter().map(|cause| *cause > 0).collect();
        let curve = kaplan_meier(&times, &events, Band::LogLog, 0.95).expect("the times are valid");
        let incidence = cumulative_incidence(&times, &causes).expect("the times are valid");
        prop_assert!(curve.windows(2).all(|pair| pair[0].survival >= pair[1].survival));
        prop_assert_eq!(curve.len(), incidence.len());
        for (step, shares) in curve.iter().zip(&incidence) {
            prop_assert!((step.survival + shares.incidence.iter().sum::<f64>() - 1.0).abs() < 1e-12);
            prop_assert!(shares.standard_error.iter().all(|error| error.is_finite()));
        }
    }

    #[test]
    fn expected_and_observed_events_add_up(subjects in left()) {
        let (times, groups): (Vec<f64>, Vec<usize>) = subjects.into_iter().unzip();
        let events: Vec<bool> = times.iter().map(|time| *time % 3.0 > 0.0).collect();
        let test = log_rank(&times, &events, &groups).expect("the times are valid");
        let observed: u64 = test.groups.iter().map(|group| group.observed).sum();
        let expected: f64 = test.groups.iter().map(|group| group.expected).sum();
        prop_assert!((observed as f64 - expected).abs() < 1e-9);
        prop_assert!(test.p_value.is_none_or(|p| (0.0..=1.0).contains(&p)));
    }

    #[test]
    fn the_unit_of_a_value_does_not_change_a_test(subjects in grouped(), scale in 0.5_f64..40.0, shift in -9.0_f64..9.0) {
        let groups: Vec<usize> = subjects.iter().map(|(group, _)| *group).collect();
        let cohort = Cohort::new(&groups).expect("the groups are valid");
        let (plain, other) = (values(&subjects, |x| x), values(&subjects, |x| scale * x + shift));
        let times: Vec<f64> = (0..subjects.len()).map(|k| (k % 7) as f64).collect();
        for test in [site_test::mean, site_test::variance, site_test::distribution] {
            let (plain, other) = (test(&cohort, &plain), test(&cohort, &other));
            prop_assert!(same(&plain.expect("valid"), &other.expect("valid")));
        }
        for test in [site_test::trend, site_test::pair_correlation] {
            let (plain, other) = (test(&cohort, &times, &plain), test(&cohort, &times, &other));
            prop_assert!(same(&plain.expect("valid"), &other.expect("valid")));
        }
    }

    #[test]
    fn a_group_and_the_rest_say_the_same_of_two(subjects in grouped()) {
        let groups: Vec<usize> = subjects.iter().map(|(group, _)| group % 2).collect();
        let cohort = Cohort::new(&groups).expect("the groups are valid");
        let (values, records) = (values(&subjects, |x| x), (0..subjects.len()).collect::<Vec<usize>>());
        let gaps: Vec<bool> = values.iter().map(|value| value.is_nan()).collect();
        for answers in [
            site_test::mean(&cohort, &values),
            site_test::variance(&cohort, &values),
            site_test::distribution(&cohort, &values),
            site_test::missing_share(&cohort, &records, &gaps),
        ] {
            let answers = answers.expect("the input is valid");
            if let [Ok(group), Ok(rest)] = answers.as_slice() {
                prop_assert!((group.p_value - rest.p_value).abs() < 1e-6, "{group:?} {rest:?}");
                prop_assert_eq!((group.group_size, group.rest_size), (rest.rest_size, rest.group_size));
            }
        }
    }

    #[test]
    fn every_row_has_one_pattern_and_units_do_not_matter(
        rows in prop::collection::vec(prop::array::uniform3(prop::option::weighted(0.8, -9.0_f64..9.0)), 12..40),
    ) {
        let column = |k: usize, scale: f64| -> Vec<f64> {
            rows.iter().map(|row| row[k].map_or(f64::NAN, |value| scale * value + 5.0 * scale)).collect()
        };
        let (a, b, c) = (column(0, 1.0), column(1, 1.0), column(2, 1.0));
        let patterns = missing_patterns(&[&a, &b, &c]).expect("the columns are valid");
        prop_assert_eq!(patterns.iter().map(|pattern| pattern.rows).sum::<u64>(), rows.len() as u64);
        let large = column(1, 1e9);
        if let (Ok(plain), Ok(other)) = (little_test(&[&a, &b, &c]), little_test(&[&c, &large, &a])) {
            prop_assert!((plain.statistic - other.statistic).abs() <= 1e-6 * plain.statistic.max(1.0));
            prop_assert_eq!(plain.degrees_of_freedom, other.degrees_of_freedom);
        }
    }

    #[test]
    fn limits_hold_the_estimate_and_widen_with_the_level(with in 0_u64..200, rest in 0_u64..200) {
        let all = with + rest;
        prop_assume!(all > 0);
        for interval in [wilson, clopper_pearson] {
            let (narrow, wide) = (interval(with, all, 0.8).expect("valid"), interval(with, all, 0.99).expect("valid"));
            prop_assert!(wide.lower <= narrow.lower && narrow.upper <= wide.upper);
            prop_assert!(narrow.lower <= narrow.proportion && narrow.proportion <= narrow.upper);
            prop_assert!(0.0 <= wide.lower && wide.upper <= 1.0);
        }
        let rate = incidence_rate(with, 10.0, 0.9).expect("valid");
        prop_assert!(rate.lower <= rate.rate && rate.rate < rate.upper);
    }
}
