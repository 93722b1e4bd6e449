//! Each test of a group against the rest: how often it speaks up when there is nothing, and whether it does when there
//! is something. The studies are drawn from a fixed seed.

use measures::site_test::{self, Alternative, Cohort, NotApplicable, Outcome, Part, SiteTest};

use super::chance::Chance;

const RUNS: u32 = 2000;
const LEVEL: f64 = 0.05;

/// A group of `size` subjects and a rest of `rest`.
fn cohort(size: usize, rest: usize) -> Cohort {
    let groups: Vec<usize> = (0..size + rest).map(|subject| usize::from(subject >= size)).collect();
    Cohort::new(&groups).expect("the groups are valid")
}

type Answers = Result<Vec<SiteTest>, measures::MeasureError>;

fn of_group(answers: Answers) -> Outcome {
    answers.expect("the input is valid")[0].expect("the test applies")
}

fn rejections(seed: u64, mut study: impl FnMut(&mut Chance) -> Answers) -> f64 {
    let mut chance = Chance::new(seed);
    let mut count = 0_u32;
    for _ in 0..RUNS {
        let p_value = of_group(study(&mut chance)).p_value;
        assert!((0.0..=1.0).contains(&p_value), "p is {p_value}");
        count += u32::from(p_value <= LEVEL);
    }
    f64::from(count) / f64::from(RUNS)
}

/// Half the width of the interval in which a binomial share lies in 999 of 1000 cases.
fn reach() -> f64 {
    3.29 * (LEVEL * (1.0 - LEVEL) / f64::from(RUNS)).sqrt()
}

#[track_caller]
fn check_calibrated(study: impl FnMut(&mut Chance) -> Answers) {
    let share = rejections(20_260_914, study);
    println!("rejected {share}");
    assert!((share - LEVEL).abs() <= reach(), "{share} of the runs are below {LEVEL}");
}

/// A discrete test cannot reach its level, but must not exceed it.
#[track_caller]
fn check_conservative(least: f64, study: impl FnMut(&mut Chance) -> Answers) {
    let share = rejections(20_260_914, study);
    println!("rejected {share}");
    assert!(share <= LEVEL + reach() && share >= least, "{share} of the runs are below {LEVEL}");
}

/// At least nine of ten studies with the planted effect are found at one in a thousand.
#[track_caller]
fn check_power(mut study: impl FnMut(&mut Chance) -> Answers) {
    let mut chance = Chance::new(4711);
    let found = (0..200).filter(|_| of_group(study(&mut chance)).p_value < 0.001).count();
    println!("found {found}");
    assert!(found >= 180, "found {found} of 200");
}

/// Repeated values of subjects who differ: `subjects` and `values`, two to `most` per subject.
fn repeated(
    chance: &mut Chance,
    sizes: (usize, usize),
    most: usize,
    mut draw: impl FnMut(&mut Chance, bool) -> f64,
) -> (Vec<usize>, Vec<f64>) {
    let (mut subjects, mut values) = (Vec::new(), Vec::new());
    for subject in 0..sizes.0 + sizes.1 {
        let own = chance.normal();
        for _ in 0..2 + chance.below(most - 1) {
            subjects.push(subject);
            values.push(own + draw(chance, subject < sizes.0));
        }
    }
    (subjects, values)
}

fn values(
    chance: &mut Chance,
    sizes: (usize, usize),
    mut draw: impl FnMut(&mut Chance, bool) -> f64,
) -> Vec<f64> {
    (0..sizes.0 + sizes.1).map(|subject| draw(chance, subject < sizes.0)).collect()
}

#[test]
fn the_mean_of_skewed_values_is_calibrated_and_found() {
    for sizes in [(4, 60), (12, 100), (40, 40)] {
        let cohort = cohort(sizes.0, sizes.1);
        check_calibrated(|chance| {
            site_test::mean(&cohort, &values(chance, sizes, |chance, _| chance.exponential().powi(2)))
        });
    }
    let sizes = (15, 150);
    let cohort = cohort(sizes.0, sizes.1);
    let shifted = |chance: &mut Chance, own: bool| chance.normal() + if own { 1.5 } else { 0.0 };
    check_power(|chance| site_test::mean(&cohort, &values(chance, sizes, shifted)));
}

#[test]
fn the_variance_is_calibrated_and_found() {
    for sizes in [(5, 60), (6, 60), (15, 100)] {
        let cohort = cohort(sizes.0, sizes.1);
        check_calibrated(|chance| {
            site_test::variance(&cohort, &values(chance, sizes, |chance, _| chance.normal()))
        });
        check_calibrated(|chance| {
            site_test::variance(&cohort, &values(chance, sizes, |chance, _| chance.exponential()))
        });
    }
    let sizes = (20, 200);
    let cohort = cohort(sizes.0, sizes.1);
    let narrow = |chance: &mut Chance, own: bool| chance.normal() * if own { 0.25 } else { 1.0 };
    check_power(|chance| site_test::variance(&cohort, &values(chance, sizes, narrow)));
}

#[test]
fn the_last_digit_is_calibrated_and_found() {
    let sizes = (6, 60);
    let cohort = cohort(sizes.0, sizes.1);
    let plain = |chance: &mut Chance, _: bool| chance.below(90) as f64;
    let whole = |(subjects, values): (Vec<usize>, Vec<f64>)| {
        (subjects, values.into_iter().map(f64::round).collect::<Vec<f64>>())
    };
    check_calibrated(|chance| {
        let (subjects, values) = whole(repeated(chance, sizes, 8, plain));
        site_test::last_digit(&cohort, &subjects, &values, 0)
    });
    let fond_of_seven = |chance: &mut Chance, own: bool| {
        if own && chance.happens(0.8) { 77.0 } else { chance.below(90) as f64 }
    };
    check_power(|chance| {
        let (subjects, mut values) = repeated(chance, sizes, 8, |_, _| 0.0);
        for (subject, value) in subjects.iter().zip(&mut values) {
            *value = fond_of_seven(chance, *subject < sizes.0);
        }
        site_test::last_digit(&cohort, &subjects, &values, 0)
    });
}

#[test]
fn heaping_is_calibrated_and_found() {
    let sizes = (6, 60);
    let cohort = cohort(sizes.0, sizes.1);
    let study = |chance: &mut Chance, share: f64| {
        let (subjects, mut values) = repeated(chance, sizes, 8, |_, _| 0.0);
        for (subject, value) in subjects.iter().zip(&mut values) {
            let rounds = chance.happens(if *subject < sizes.0 { share } else { 0.2 });
            *value = if rounds { 5.0 * chance.below(30) as f64 } else { chance.below(150) as f64 };
        }
        site_test::heaping(&cohort, &subjects, &values, 0)
    };
    check_calibrated(|chance| study(chance, 0.2));
    check_power(|chance| study(chance, 0.9));
}

#[test]
fn the_spread_within_subjects_is_calibrated_and_found() {
    let sizes = (6, 60);
    let cohort = cohort(sizes.0, sizes.1);
    let study = |chance: &mut Chance, spread: f64| {
        let draw = |chance: &mut Chance, own: bool| chance.normal() * if own { spread } else { 1.0 };
        let (subjects, values) = repeated(chance, sizes, 8, draw);
        site_test::within_subject_deviation(&cohort, &subjects, &values)
    };
    check_calibrated(|chance| study(chance, 1.0));
    check_power(|chance| study(chance, 0.2));
}

#[test]
fn the_lag_correlation_is_calibrated_and_found() {
    let sizes = (10, 80);
    let cohort = cohort(sizes.0, sizes.1);
    let study = |chance: &mut Chance, dependence: f64| {
        let (mut subjects, mut values) = (Vec::new(), Vec::new());
        for subject in 0..sizes.0 + sizes.1 {
            let mut last = 0.0;
            for _ in 0..6 + chance.below(8) {
                last = last * if subject < sizes.0 { dependence } else { 0.0 } + chance.normal();
                subjects.push(subject);
                values.push(last);
            }
        }
        site_test::lag_correlation(&cohort, &subjects, &values)
    };
    check_calibrated(|chance| study(chance, 0.0));
    check_power(|chance| study(chance, 0.9));
}

#[test]
fn the_correlation_of_two_variables_is_calibrated_and_found() {
    for (sizes, dependence) in [((10, 100), 0.0), ((15, 100), 0.7), ((30, 100), 0.7)] {
        let cohort = cohort(sizes.0, sizes.1);
        check_calibrated(|chance| {
            let first = values(chance, sizes, |chance, _| chance.normal());
            let second: Vec<f64> = first.iter().map(|x| dependence * x + chance.normal()).collect();
            site_test::pair_correlation(&cohort, &first, &second)
        });
    }
    let sizes = (30, 200);
    let cohort = cohort(sizes.0, sizes.1);
    check_power(|chance| {
        let first = values(chance, sizes, |chance, _| chance.normal());
        let tied =
            |(subject, x): (usize, &f64)| if subject < sizes.0 { -x } else { 2.0 * x } + chance.normal();
        let second: Vec<f64> = first.iter().enumerate().map(tied).collect();
        site_test::pair_correlation(&cohort, &first, &second)
    });
}

/// Three correlated variables, the group's with another spread.
fn cloud(chance: &mut Chance, sizes: (usize, usize), spread: f64) -> Vec<Vec<f64>> {
    let mut columns = vec![Vec::new(); 3];
    for subject in 0..sizes.0 + sizes.1 {
        let scale = if subject < sizes.0 { spread } else { 1.0 };
        let shared = chance.normal();
        for column in &mut columns {
            column.push(scale * (shared + chance.normal()));
        }
    }
    columns
}

#[test]
fn distances_from_the_centre_are_calibrated_and_found() {
    let sizes = (8, 80);
    let cohort = cohort(sizes.0, sizes.1);
    let slices = |columns: &[Vec<f64>], test: fn(&Cohort, &[&[f64]]) -> Answers| {
        let columns: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
        test(&cohort, &columns)
    };
    check_calibrated(|chance| slices(&cloud(chance, sizes, 1.0), site_test::mahalanobis_outliers));
    check_calibrated(|chance| slices(&cloud(chance, sizes, 1.0), site_test::mahalanobis_inliers));
    check_power(|chance| slices(&cloud(chance, sizes, 3.0), site_test::mahalanobis_outliers));
    check_power(|chance| slices(&cloud(chance, sizes, 0.3), site_test::mahalanobis_inliers));
}

#[test]
fn repeated_values_are_calibrated_and_found() {
    let sizes = (8, 80);
    let cohort = cohort(sizes.0, sizes.1);
    let study = |chance: &mut Chance, carried: f64| {
        let (subjects, mut values) = repeated(chance, sizes, 8, |chance, _| chance.below(6) as f64);
        for index in 0..values.len() {
            let carries = chance.happens(if subjects[index] < sizes.0 { carried } else { 0.2 });
            if carries && index > 0 && subjects[index] == subjects[index - 1] {
                values[index] = values[index - 1];
            }
        }
        site_test::repeated_values(&cohort, &subjects, &values)
    };
    check_calibrated(|chance| study(chance, 0.2));
    check_power(|chance| study(chance, 0.9));
}

#[test]
fn duplicated_records_are_calibrated_and_found() {
    let sizes = (10, 90);
    let cohort = cohort(sizes.0, sizes.1);
    let study = |chance: &mut Chance, copies: bool| {
        let (subjects, mut first) = repeated(chance, sizes, 6, |_, _| 0.0);
        let mut second = first.clone();
        for index in 0..first.len() {
            (first[index], second[index]) = (chance.below(20) as f64, chance.below(20) as f64);
            if copies && subjects[index] < sizes.0 && chance.happens(0.9) {
                (first[index], second[index]) = (7.0, 7.0);
            }
        }
        site_test::duplicated_records(&cohort, &subjects, &[&first, &second])
    };
    check_calibrated(|chance| study(chance, false));
    check_power(|chance| study(chance, true));
}

#[test]
fn days_of_visits_are_calibrated_and_found() {
    let sizes = (8, 80);
    let cohort = cohort(sizes.0, sizes.1);
    let draw = |chance: &mut Chance, sundays: f64| {
        let (subjects, values) = repeated(chance, sizes, 8, |_, _| 0.0);
        let mut days = Vec::new();
        for subject in subjects.iter().take(values.len()) {
            let on_sunday = chance.happens(if *subject < sizes.0 { sundays } else { 0.05 });
            let day = if on_sunday { 6 } else { chance.below(5) };
            days.push(4 + 7 * 2000 + i64::try_from(day).expect("a day of the week"));
        }
        (subjects, days)
    };
    let week = |(subjects, days): (Vec<usize>, Vec<i64>)| site_test::weekday(&cohort, &subjects, &days);
    let off = |(subjects, days): (Vec<usize>, Vec<i64>)| {
        let marks: Vec<bool> = days.iter().map(|day| site_test::day_of_week(*day) > 4).collect();
        site_test::off_days(&cohort, &subjects, &marks)
    };
    check_calibrated(|chance| week(draw(chance, 0.05)));
    check_power(|chance| week(draw(chance, 0.6)));
    check_calibrated(|chance| off(draw(chance, 0.05)));
    check_power(|chance| off(draw(chance, 0.6)));
}

#[test]
fn gaps_between_visits_are_calibrated_and_found() {
    let sizes = (8, 80);
    let cohort = cohort(sizes.0, sizes.1);
    let study = |chance: &mut Chance, spread: f64| {
        let (mut subjects, mut positions, mut days) = (Vec::new(), Vec::new(), Vec::new());
        for subject in 0..sizes.0 + sizes.1 {
            let scale = if subject < sizes.0 { spread } else { 4.0 };
            for position in 0..3 + chance.below(5) {
                subjects.push(subject);
                positions.push(position);
                days.push((28.0 * position as f64 + scale * chance.normal()).round());
            }
        }
        site_test::visit_gap(&cohort, &subjects, &positions, &days)
    };
    check_calibrated(|chance| study(chance, 4.0));
    check_power(|chance| study(chance, 0.0));
}

#[test]
fn missing_shares_are_calibrated_and_found() {
    for sizes in [(5, 50), (20, 60)] {
        let cohort = cohort(sizes.0, sizes.1);
        let study = |chance: &mut Chance, share: f64| {
            let (subjects, _) = repeated(chance, sizes, 8, |_, _| 0.0);
            let missing: Vec<bool> = subjects
                .iter()
                .map(|subject| chance.happens(if *subject < sizes.0 { share } else { 0.15 }))
                .collect();
            site_test::missing_share(&cohort, &subjects, &missing)
        };
        check_calibrated(|chance| study(chance, 0.15));
        check_power(|chance| study(chance, 0.8));
    }
}

/// A site that is older than the others has more records of each subject, and is no odder for it.
#[test]
fn a_group_with_more_records_per_subject_is_calibrated() {
    let sizes = (6, 60);
    let cohort = cohort(sizes.0, sizes.1);
    let draw = |chance: &mut Chance| {
        let of_subject = |subject| std::iter::repeat_n(subject, if subject < sizes.0 { 12 } else { 2 });
        let subjects: Vec<usize> = (0..66).flat_map(of_subject).collect();
        let kinds: Vec<usize> = subjects.iter().map(|_| chance.below(4)).collect();
        (subjects, kinds)
    };
    check_calibrated(|chance| {
        let (subjects, kinds) = draw(chance);
        let missing: Vec<bool> = kinds.iter().map(|kind| *kind == 0).collect();
        site_test::missing_share(&cohort, &subjects, &missing)
    });
    check_calibrated(|chance| {
        let (subjects, kinds) = draw(chance);
        site_test::category_mix(&cohort, &subjects, &kinds)
    });
}

#[test]
fn a_share_of_single_records_is_exact() {
    let sizes = (20, 100);
    let cohort = cohort(sizes.0, sizes.1);
    let subjects: Vec<usize> = (0..120).collect();
    check_conservative(0.005, |chance| {
        let missing: Vec<bool> = subjects.iter().map(|_| chance.happens(0.2)).collect();
        site_test::missing_share(&cohort, &subjects, &missing)
    });
}

#[test]
fn the_mix_of_categories_is_calibrated_and_found() {
    for (sizes, per_subject) in [((10, 100), 1), ((40, 160), 1), ((6, 60), 5)] {
        let cohort = cohort(sizes.0, sizes.1);
        let study = |chance: &mut Chance, fondness: f64| {
            let (mut subjects, mut categories) = (Vec::new(), Vec::new());
            for subject in 0..sizes.0 + sizes.1 {
                // Subjects have habits of their own, so that their records resemble each other.
                let habit = chance.below(4);
                for _ in 0..per_subject {
                    subjects.push(subject);
                    let common = if chance.happens(0.5) { habit } else { chance.below(4) };
                    categories.push(if subject < sizes.0 && chance.happens(fondness) { 4 } else { common });
                }
            }
            site_test::category_mix(&cohort, &subjects, &categories)
        };
        check_calibrated(|chance| study(chance, 0.0));
        check_power(|chance| study(chance, 0.9));
    }
}

#[test]
fn the_distribution_is_calibrated_and_found() {
    let sizes = (12, 100);
    let cohort = cohort(sizes.0, sizes.1);
    check_conservative(0.02, |chance| {
        site_test::distribution(&cohort, &values(chance, sizes, |chance, _| chance.exponential()))
    });
    check_conservative(0.005, |chance| {
        site_test::distribution(&cohort, &values(chance, sizes, |chance, _| chance.below(6) as f64))
    });
    let other = |chance: &mut Chance, own: bool| if own { 4.0 + chance.normal() } else { chance.normal() };
    check_power(|chance| site_test::distribution(&cohort, &values(chance, sizes, other)));
}

#[test]
fn a_trend_is_calibrated_and_found() {
    for sizes in [(5, 60), (20, 100)] {
        let cohort = cohort(sizes.0, sizes.1);
        check_calibrated(|chance| {
            let times = values(chance, sizes, |chance, _| chance.uniform());
            let drifting: Vec<f64> = times.iter().map(|time| time + chance.exponential()).collect();
            site_test::trend(&cohort, &times, &drifting)
        });
    }
    let sizes = (40, 200);
    let cohort = cohort(sizes.0, sizes.1);
    check_power(|chance| {
        let times = values(chance, sizes, |chance, _| chance.uniform());
        let rising = |(subject, time): (usize, &f64)| {
            chance.normal() + if subject < sizes.0 { 5.0 * time } else { 0.0 }
        };
        let values: Vec<f64> = times.iter().enumerate().map(rising).collect();
        site_test::trend(&cohort, &times, &values)
    });
}

#[test]
fn a_step_is_calibrated_and_found() {
    for sizes in [(8, 60), (15, 60), (40, 100)] {
        let cohort = cohort(sizes.0, sizes.1);
        check_conservative(0.02, |chance| {
            let times = values(chance, sizes, |chance, _| chance.uniform());
            let drifting: Vec<f64> = times.iter().map(|time| 2.0 * time + chance.normal()).collect();
            site_test::step(&cohort, &times, &drifting)
        });
    }
    let sizes = (30, 150);
    let cohort = cohort(sizes.0, sizes.1);
    check_power(|chance| {
        let times = values(chance, sizes, |chance, _| chance.uniform());
        let jumping = |(subject, time): (usize, &f64)| {
            chance.normal() + if subject < sizes.0 && *time > 0.5 { 3.0 } else { 0.0 }
        };
        let values: Vec<f64> = times.iter().enumerate().map(jumping).collect();
        site_test::step(&cohort, &times, &values)
    });
}

/// What every test says of a group without subjects, of constant values, and of nothing but missing ones.
#[test]
fn a_test_that_does_not_apply_says_why() {
    let cohort = Cohort::new(&[0, 0, 0, 2, 2, 2, 2]).expect("the groups are valid");
    let records: Vec<usize> = (0..7).chain(0..7).collect();
    let check = |name: &str, answers: Answers, wanted: NotApplicable| {
        let answers = answers.expect("the input is valid");
        assert_eq!(answers.len(), 3, "{name}");
        assert_eq!(answers[0], Err(wanted), "{name}");
        assert!(answers.iter().all(Result::is_err), "{name}");
        let none = answers[1].expect_err("group 1 has no subjects");
        let is_about_group = matches!(
            none,
            NotApplicable::TooFewSubjects { part: Part::Group, .. } | NotApplicable::Collinear
        );
        assert!(is_about_group, "{name}: {none}");
    };
    let (flat, flat_long) = ([4.0; 7], [4.0; 14]);
    let constant = NotApplicable::Constant;
    check("mean", site_test::mean(&cohort, &flat), constant);
    check("variance", site_test::variance(&cohort, &flat), constant);
    check("distribution", site_test::distribution(&cohort, &flat), constant);
    check("trend", site_test::trend(&cohort, &flat, &flat), constant);
    check("digit", site_test::last_digit(&cohort, &records, &flat_long, 0), constant);
    check("heaping", site_test::heaping(&cohort, &records, &flat_long, 0), constant);
    check("within", site_test::within_subject_deviation(&cohort, &records, &flat_long), constant);
    check("repeats", site_test::repeated_values(&cohort, &records, &flat_long), constant);
    check("duplicates", site_test::duplicated_records(&cohort, &records, &[&flat_long]), constant);
    check("weekday", site_test::weekday(&cohort, &records, &[3; 14]), constant);
    check("off days", site_test::off_days(&cohort, &records, &[true; 14]), constant);
    check("missing", site_test::missing_share(&cohort, &records, &[false; 14]), constant);
    check("categories", site_test::category_mix(&cohort, &records, &[1; 14]), constant);
    check("outliers", site_test::mahalanobis_outliers(&cohort, &[&flat]), NotApplicable::Collinear);
    let days: Vec<f64> = (0..14).map(|visit| f64::from(visit / 7) * 28.0).collect();
    let positions: Vec<usize> = (0..14).map(|visit| visit / 7).collect();
    check("gaps", site_test::visit_gap(&cohort, &records, &positions, &days), constant);
    let few = |needed| NotApplicable::TooFewSubjects { part: Part::Group, found: 3, needed };
    check("pairs", site_test::pair_correlation(&cohort, &flat, &flat), few(10));
    check("step", site_test::step(&cohort, &flat, &flat), few(8));
    let none = |needed| NotApplicable::TooFewSubjects { part: Part::Group, found: 0, needed };
    check("lag", site_test::lag_correlation(&cohort, &records, &flat_long), none(1));
    let (missing, missing_long) = ([f64::NAN; 7], [f64::NAN; 14]);
    check("mean", site_test::mean(&cohort, &missing), none(1));
    check("variance", site_test::variance(&cohort, &missing), none(3));
    check("distribution", site_test::distribution(&cohort, &missing), none(3));
    check("trend", site_test::trend(&cohort, &missing, &flat), none(3));
    check("step", site_test::step(&cohort, &missing, &flat), none(8));
    check("digit", site_test::last_digit(&cohort, &records, &missing_long, 0), none(1));
    check("gaps", site_test::visit_gap(&cohort, &records, &positions, &missing_long), none(1));
    check("outliers", site_test::mahalanobis_outliers(&cohort, &[&missing]), NotApplicable::Collinear);
}

#[test]
fn input_that_does_not_fit_is_refused() {
    let cohort = cohort(3, 4);
    assert!(site_test::mean(&cohort, &[1.0]).is_err());
    assert!(site_test::mean(&cohort, &[f64::INFINITY; 7]).is_err());
    assert!(site_test::last_digit(&cohort, &[9], &[1.0], 0).is_err());
    assert!(site_test::last_digit(&cohort, &[0], &[1e300], 0).is_err());
    assert!(site_test::category_mix(&cohort, &[0], &[usize::MAX]).is_err());
    assert!(site_test::missing_share(&cohort, &[0], &[]).is_err());
    assert!(site_test::visit_gap(&cohort, &[0], &[1], &[]).is_err());
    assert!(site_test::duplicated_records(&cohort, &[0], &[]).is_err());
    assert!(site_test::mahalanobis_outliers(&cohort, &[]).is_err());
    let column = [0.0; 7];
    assert!(site_test::mahalanobis_outliers(&cohort, &[column.as_slice(); 51]).is_err());
}

#[test]
fn a_score_test_is_one_sided_on_request() {
    let cohort = cohort(2, 4);
    let scores = [9.0, 8.0, 1.0, 2.0, 3.0, 4.0];
    let p_value = |alternative| of_group(site_test::permutation_test(&cohort, &scores, alternative)).p_value;
    // By hand: the group is the highest of the 15 pairs.
    assert!((p_value(Alternative::Greater) - 1.0 / 15.0).abs() < 1e-12);
    assert!((p_value(Alternative::TwoSided) - 2.0 / 15.0).abs() < 1e-12);
    assert!((p_value(Alternative::Less) - 1.0).abs() < 1e-12);
}

/// Effects that can be worked out by hand.
#[test]
fn effects_have_the_units_that_they_promise() {
    let check = |name: &str, answers: Answers, expected: f64| {
        let effect = of_group(answers).effect;
        assert!((effect - expected).abs() < 1e-12, "{name}: {effect} against {expected}");
    };
    let cohort = cohort(3, 3);
    // Means 2 and 5; the standard deviation of 1, 2, 3, 4, 5, 6 is sqrt(35 / 12).
    let values = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    check("mean", site_test::mean(&cohort, &values), -3.0 / (35.0_f64 / 12.0).sqrt());
    let spread = [1.0, 2.0, 3.0, 4.0, 8.0, 12.0];
    check("variance", site_test::variance(&cohort, &spread), 0.25);
    let records: Vec<usize> = (0..6).flat_map(|subject| [subject; 2]).collect();
    let pairs = [1.0, 2.0, 1.0, 2.0, 5.0, 6.0, 1.0, 3.0, 1.0, 3.0, 5.0, 7.0];
    check("within", site_test::within_subject_deviation(&cohort, &records, &pairs), 0.5);
    let marks: Vec<bool> = (0..12).map(|record| record < 3 || record == 6).collect();
    check("missing", site_test::missing_share(&cohort, &records, &marks), 3.0 / 6.0 - 1.0 / 6.0);
    // Shares 1/2 and 1/6 of one kind, 1/3 of all: sqrt((1/3)² / (1/3) + (1/3)² / (2/3)).
    let kinds: Vec<usize> = marks.iter().map(|mark| usize::from(*mark)).collect();
    check("categories", site_test::category_mix(&cohort, &records, &kinds), 0.5_f64.sqrt());
}
