use super::*;

#[track_caller]
fn check_close(what: &str, ours: f64, expected: f64) {
    assert!((ours - expected).abs() <= 1e-11 * expected.abs().max(1e-3), "{what} {ours} against {expected}");
}

fn first(groups: &[(f64, f64)], kind: Kind, against: Against) -> ExactGroup {
    let (numerators, denominators): (Vec<f64>, Vec<f64>) = groups.iter().copied().unzip();
    exact(&numerators, &denominators, kind, against).expect("the groups are valid")[0]
}

#[test]
fn a_rate_beside_the_rest_is_a_share_of_all_events() {
    // By hand: none of 3 events where a third would be expected: (2/3)^3 = 8/27.
    let group = first(&[(0.0, 10.0), (3.0, 20.0)], Kind::Rate, Against::Rest);
    check_close("expected", group.expected, 1.0);
    check_close("lower", group.lower, 8.0 / 27.0);
    check_close("upper", group.upper, 1.0);
    // The masses are 8, 12, 6 and 1 of 27: no likelier than 8 are 8, 6 and 1.
    check_close("two-sided", group.two_sided, 15.0 / 27.0);
    check_close("mid-p", group.mid_p, 8.0 / 27.0);
    assert!(group.score < 0.0);
}

#[test]
fn rates_of_many_events_are_those_of_scipy() {
    // scipy 1.17 `binom` and `binomtest` at the group's part of the exposure.
    let total = |own: (f64, f64), all: (f64, f64)| [own, (all.0 - own.0, all.1 - own.1)];
    let low = first(&total((39.0, 675.0), (2246.0, 27_367.0)), Kind::Rate, Against::Rest);
    check_close("lower", low.lower, 0.012_062_405_135_014_343);
    check_close("two-sided", low.two_sided, 0.024_492_896_642_004_38);
    check_close("mid-p", low.mid_p, 0.020_097_788_505_189_37);
    let none = first(&total((0.0, 42.0), (2246.0, 27_367.0)), Kind::Rate, Against::Rest);
    check_close("two-sided", none.two_sided, 0.056_406_418_004_278);
    let high = first(&total((4300.0, 4000.0), (450_000.0, 450_000.0)), Kind::Rate, Against::Rest);
    check_close("upper", high.upper * 1e6, 1.286_830_404_598_722_6);
    check_close("two-sided", high.two_sided * 1e6, 2.483_153_713_417_600_3);
    let far = first(&total((4700.0, 4000.0), (450_000.0, 450_000.0)), Kind::Rate, Against::Rest);
    check_close("upper", far.upper * 1e27, 1.500_685_511_969_64);
}

#[test]
fn a_share_beside_the_rest_is_a_draw_from_all_members() {
    // By hand: both marked members of five fall into a group of two: 1 / C(5,2).
    let group = first(&[(2.0, 2.0), (0.0, 3.0)], Kind::Binary, Against::Rest);
    check_close("upper", group.upper, 0.1);
    check_close("two-sided", group.two_sided, 0.1);
    check_close("mid-p", group.mid_p, 0.1);
    // The normal score of a tail of 0.05.
    check_close("score", group.score, 1.644_853_626_951_472_2);
}

#[test]
fn a_given_rate_needs_no_other_group() {
    // By hand: exp(-3) for no event at a mean of 3; (1 - 0.1)^20 for none of 20.
    check_close("rate", first(&[(0.0, 30.0)], Kind::Rate, Against::Given(0.1)).lower, (-3.0_f64).exp());
    check_close("share", first(&[(0.0, 20.0)], Kind::Binary, Against::Given(0.1)).lower, 0.9_f64.powi(20));
}

#[test]
fn what_could_not_come_out_otherwise_has_no_score() {
    for (groups, kind, against) in [
        (&[(3.0, 4.0)][..], Kind::Rate, Against::Rest),
        (&[(3.0, 4.0)], Kind::Binary, Against::Rest),
        (&[(0.0, 4.0), (0.0, 5.0)], Kind::Rate, Against::Rest),
        (&[(4.0, 4.0), (5.0, 5.0)], Kind::Binary, Against::Rest),
        (&[(0.0, 4.0)], Kind::Rate, Against::Given(0.0)),
        (&[(4.0, 4.0)], Kind::Binary, Against::Given(1.0)),
    ] {
        let group = first(groups, kind, against);
        assert_eq!((group.two_sided, group.mid_p, group.score), (1.0, 1.0, 0.0), "{groups:?} {against:?}");
    }
}

#[test]
fn an_impossible_count_has_the_largest_score() {
    let group = first(&[(3.0, 4.0)], Kind::Rate, Against::Given(0.0));
    assert_eq!((group.upper, group.two_sided), (0.0, 0.0));
    assert!(group.score > 37.0 && group.score < 38.0, "score {}", group.score);
}

#[test]
fn rates_to_compare_with_are_rates() {
    for (kind, rate) in [(Kind::Binary, 1.1), (Kind::Rate, -0.1), (Kind::Rate, f64::INFINITY)] {
        let refused = exact(&[1.0], &[4.0], kind, Against::Given(rate));
        assert_eq!(refused, Err(MeasureError::Reference { rate }));
    }
    assert!(exact(&[1.0], &[4.0], Kind::Binary, Against::Given(f64::NAN)).is_err());
    assert!(exact(&[0.5], &[4.0], Kind::Rate, Against::Rest).is_err());
}

#[test]
fn a_group_on_a_limit_is_beyond_it_and_its_neighbour_is_not() {
    for (kind, against) in [
        (Kind::Rate, Against::Rest),
        (Kind::Binary, Against::Rest),
        (Kind::Rate, Against::Given(0.1)),
        (Kind::Binary, Against::Given(0.1)),
    ] {
        let (numerators, denominators) = ([12.0, 9.0, 11.0, 10.0], [100.0, 150.0, 60.0, 90.0]);
        let points = exact_bounds(&numerators, &denominators, kind, against, &[-2.0, 3.0])
            .expect("the groups are valid");
        let mut compared = 0;
        for point in points.iter().filter(|point| point.threshold != 0.0) {
            let score = |count: f64| {
                let groups: Vec<(f64, f64)> = [(count, point.denominator)]
                    .into_iter()
                    .chain(numerators.into_iter().zip(denominators))
                    .collect();
                first(&groups, kind, against).score
            };
            if point.threshold > 0.0 {
                assert!(score(point.numerator) >= point.threshold);
                assert!(score(point.numerator - 1.0) < point.threshold);
            } else {
                assert!(score(point.numerator) < point.threshold);
                assert!(score(point.numerator + 1.0) >= point.threshold);
            }
            compared += 1;
        }
        assert!(compared > 100, "{kind:?} {against:?}: {compared} points");
    }
}

#[test]
fn over_dispersion_widens_a_probability() {
    let group = first(&[(0.0, 10.0), (3.0, 20.0)], Kind::Rate, Against::Rest);
    check_close("without", group.widened(1.0), 15.0 / 27.0);
    // By scipy 1.17.1: 2 * norm.sf(norm.isf(15 / 54) / 1.5).
    check_close("widened", group.widened(2.25), 0.6943412462793266);
}
