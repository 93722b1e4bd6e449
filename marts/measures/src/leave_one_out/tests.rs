use super::*;

fn left_out(groups: &[(f64, f64)], kind: Kind) -> Vec<LeftOut> {
    let (numerators, denominators): (Vec<f64>, Vec<f64>) = groups.iter().copied().unzip();
    leave_one_out(&numerators, &denominators, kind).expect("the groups are valid")
}

#[track_caller]
fn check_close(ours: f64, expected: f64) {
    assert!((ours - expected).abs() <= 1e-12 * expected.abs().max(1.0), "{ours} against {expected}");
}

#[test]
fn a_group_is_measured_by_the_others_alone() {
    // By hand: the others have mu = 4/8 and V = 1/2, each is 4 (1/4)² / (1/2) = 1/2, so phi = 1 / 1;
    // the distance is 10/4 - 1/2 = 2 in units of sqrt((1/4 + 1/8) / 2).
    let last = left_out(&[(1.0, 4.0), (3.0, 4.0), (10.0, 4.0)], Kind::Rate)[2];
    check_close(last.rest.expect("there are others"), 0.5);
    check_close(last.expected, 2.0);
    check_close(last.factor, 1.0);
    check_close(last.score, 2.0 / 0.1875_f64.sqrt());
    // By hand: V = 1/4 doubles both, so phi = 2 and the error keeps its size.
    let last = left_out(&[(1.0, 4.0), (3.0, 4.0), (4.0, 4.0)], Kind::Binary)[2];
    check_close(last.factor, 2.0);
    check_close(last.score, 0.5 / (2.0 * 0.25 * 0.375_f64).sqrt());
}

#[test]
fn one_group_among_three_can_reach_an_alarm() {
    // The reference's score of the last group is at most sqrt(2) whatever it reports.
    let last = left_out(&[(20.0, 100.0), (22.0, 100.0), (60.0, 100.0)], Kind::Rate)[2];
    assert!(last.score > 5.0, "{last:?}");
    // By hand: two others leave one degree of freedom, Cauchy's law.
    check_close(last.p, 1.0 - 2.0 / std::f64::consts::PI * last.score.atan());
}

#[test]
fn a_factor_of_few_groups_has_students_law() {
    // By hand: four others with 5/20, 5/20, 9/20 and 1/20 have mu = 1/4 and phi = 20 (2 (1/5)²) / (1/4) / 3 = 32/15; the
    // distance is 15/20 - 5/20 in units of sqrt(32/15 / 4 (1/20 + 1/80)), the score 2.7386. By scipy 1.17.1:
    // 2 * t.sf(2.7386127875258306, 3).
    let last = left_out(&[(5.0, 20.0), (5.0, 20.0), (9.0, 20.0), (1.0, 20.0), (15.0, 20.0)], Kind::Rate)[4];
    check_close(last.factor, 32.0 / 15.0);
    check_close(last.score, 2.7386127875258306);
    assert!((last.p - 0.071_421_538_231_450_14).abs() < 1e-9, "{last:?}");
}

#[test]
fn a_rest_without_events_borrows_the_variance_of_all() {
    // By hand: V = 4/20 over all, distance 4/10 in units of sqrt(0.2 (1/10 + 1/10)) = 0.2.
    let first = left_out(&[(4.0, 10.0), (0.0, 10.0)], Kind::Rate)[0];
    check_close(first.score, 2.0);
    let first = left_out(&[(5.0, 10.0), (10.0, 10.0)], Kind::Binary)[0];
    check_close(first.score, -0.5 / (0.75 * 0.25 * 0.2_f64).sqrt());
}

#[test]
fn groups_that_cannot_differ_have_no_score() {
    for (groups, kind) in [
        (&[(3.0, 4.0)][..], Kind::Rate),
        (&[(0.0, 4.0), (0.0, 9.0)], Kind::Rate),
        (&[(4.0, 4.0), (9.0, 9.0), (2.0, 2.0)], Kind::Binary),
        (&[(4.0, 4.0), (9.0, 9.0), (2.0, 2.0)], Kind::Rate),
    ] {
        for group in left_out(groups, kind) {
            assert_eq!((group.score, group.p, group.factor), (0.0, 1.0, 1.0), "{groups:?}");
        }
    }
}

#[test]
fn a_group_on_a_bound_has_its_threshold_as_its_score() {
    for (groups, kind) in [
        (&[(30.0, 200.0), (55.0, 190.0), (18.0, 120.0), (70.0, 300.0)][..], Kind::Rate),
        (&[(30.0, 200.0), (55.0, 190.0), (18.0, 120.0), (70.0, 300.0)], Kind::Binary),
        (&[(0.0, 200.0), (0.0, 120.0)], Kind::Rate),
        (&[(0.0, 200.0), (0.0, 120.0)], Kind::Binary),
        (&[(200.0, 200.0), (120.0, 120.0)], Kind::Binary),
    ] {
        let (numerators, denominators): (Vec<f64>, Vec<f64>) = groups.iter().copied().unzip();
        let points = leave_one_out_bounds(&numerators, &denominators, kind, &[-2.0, 3.0]).expect("valid");
        assert!(points.len() > 400, "{groups:?}: {} points", points.len());
        for point in points {
            let further: Vec<(f64, f64)> =
                groups.iter().copied().chain([(point.numerator, point.denominator)]).collect();
            let score = left_out(&further, kind)[groups.len()].score;
            assert!((score - point.threshold).abs() < 1e-9, "{score} at {point:?} of {groups:?}");
        }
    }
}
