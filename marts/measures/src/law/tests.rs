//! Tails against mpmath (40 digits) and scipy 1.17.

use super::count::CountLaw;
use super::{beta, normal_score, normal_two_sided};

#[track_caller]
fn check_close(ours: f64, expected: f64, relative: f64) {
    assert!((ours - expected).abs() <= relative * expected.abs(), "{ours:e} against {expected:e}");
}

#[test]
fn tails_of_a_binomial_keep_their_digits() {
    check_close(CountLaw::binomial(200.0, 0.1).tails(3.0).lower(), 1.460_787_517_681_551_4e-6, 1e-12);
    check_close(CountLaw::binomial(1000.0, 0.1).tails(60.0).lower(), 4.378_819_902_862_792e-6, 1e-12);
    check_close(CountLaw::binomial(1000.0, 0.5).tails(700.0).upper(), 8.832_839_003_975_069e-38, 1e-11);
    check_close(CountLaw::binomial(1e6, 0.3).tails(302_000.0).upper(), 6.483_732_181_156_594e-6, 1e-10);
}

#[test]
fn tails_of_a_poisson_law_keep_their_digits() {
    check_close(CountLaw::Poisson { mean: 80.0 }.tails(120.0).upper(), 1.819_021_641_575_67e-5, 1e-12);
    check_close(
        CountLaw::Poisson { mean: 1e6 }.tails(1_003_000.0).upper(),
        0.001_358_035_272_683_128_3,
        1e-10,
    );
    check_close(CountLaw::Poisson { mean: 40.0 }.tails(2.0).lower(), 3.572_865_928_700_226e-15, 1e-12);
}

#[test]
fn tails_of_a_hypergeometric_law_keep_their_digits() {
    let law = CountLaw::Hypergeometric { marked: 59.0, plain: 704.0, drawn: 6.0, odds: 1.0 };
    check_close(law.tails(3.0).upper(), 0.007_438_294_767_953_661, 1e-12);
    check_close(law.mean(), 6.0 * 59.0 / 763.0, 1e-12);
}

#[test]
fn both_sides_of_a_beta_law_keep_their_digits() {
    for (a, b, share, lower, upper) in [
        (0.5, 20.5, 0.05, 0.850_529_495_046_993_3, 0.149_470_504_953_006_74),
        (7.25, 3.5, 0.9, 0.971_141_289_673_318_3, 0.028_858_710_326_681_704),
        (300.0, 700.0, 0.32, 0.915_037_428_128_722_5, 0.084_962_571_871_277_48),
        (3000.0, 7000.0, 0.32, 0.999_992_016_735_153_7, 7.983_264_846_247_369e-6),
    ] {
        check_close(beta::sides(a, b, share).0, lower, 1e-12);
        check_close(beta::sides(a, b, share).1, upper, 1e-11);
    }
    check_close(beta::sides(13.5, 487.5, 0.1).1, 5.558_645_432_664_252e-11, 1e-11);
    check_close(beta::sides(50_000.0, 950_000.0, 0.0508).0, 0.999_870_732_472_331_9, 1e-12);
    check_close(beta::sides(50_000.0, 950_000.0, 0.0492).0, 1.130_129_917_119_112_8e-4, 1e-9);
}

#[test]
fn a_quantile_of_a_beta_law_has_its_mass_below() {
    for (a, b) in [(0.5, 20.5), (3.0, 97.0), (400.0, 2.0)] {
        for mass in [0.025, 0.5, 0.975] {
            check_close(beta::sides(a, b, beta::quantile(a, b, mass)).0, mass, 1e-11);
        }
    }
}

#[test]
fn two_sided_values_are_those_of_the_likelihood_order() {
    check_close(CountLaw::binomial(200.0, 0.03).two_sided(3.0), 0.296_747_427_584_462_93, 1e-11);
    check_close(CountLaw::binomial(200.0, 0.03).two_sided(12.0), 0.020_672_560_852_089_936, 1e-11);
    check_close(CountLaw::binomial(40.0, 0.5).two_sided(12.0), 0.016_589_003_374_974_71, 1e-11);
    let law = CountLaw::Hypergeometric { marked: 233.0, plain: 763.0, drawn: 6.0, odds: 1.0 };
    check_close(law.two_sided(4.0), 0.029_333_603_402_665_74, 1e-11);
}

#[test]
fn quantiles_are_whole_counts() {
    assert_eq!(CountLaw::binomial(62.0, 0.1).quantile(0.01), 1.0);
    assert_eq!(CountLaw::binomial(62.0, 0.1).quantile(0.99), 12.0);
    assert_eq!(CountLaw::Poisson { mean: 7.3 }.quantile(0.025), 3.0);
    assert_eq!(CountLaw::Poisson { mean: 7.3 }.quantile(0.975), 13.0);
    assert_eq!(CountLaw::binomial(5.0, 0.0).quantile(0.99), 0.0);
    assert_eq!(CountLaw::binomial(5.0, 1.0).quantile(0.01), 5.0);
    // One of two sides of a coin: half of the mass lies at the lower one.
    assert_eq!(CountLaw::binomial(1.0, 0.5).quantile(0.5), 0.0);
}

#[test]
fn laws_without_chance_have_one_count() {
    for (law, count) in [
        (CountLaw::binomial(7.0, 0.0), 0.0),
        (CountLaw::binomial(7.0, 1.0), 7.0),
        (CountLaw::binomial(0.0, 0.3), 0.0),
        (CountLaw::Poisson { mean: 0.0 }, 0.0),
        (CountLaw::Hypergeometric { marked: 3.0, plain: 0.0, drawn: 2.0, odds: 1.0 }, 2.0),
        (CountLaw::Hypergeometric { marked: 0.0, plain: 4.0, drawn: 2.0, odds: 1.0 }, 0.0),
    ] {
        let tails = law.tails(count);
        assert_eq!((tails.below, tails.at, tails.above), (0.0, 1.0, 0.0), "{law:?}");
        assert_eq!((law.two_sided(count), tails.mid_p(), tails.score()), (1.0, 1.0, 0.0), "{law:?}");
    }
}

#[test]
fn scores_have_the_tails_of_a_normal_law() {
    for (tail, score) in [
        (1e-300, 37.047_096_299_361_2),
        (1e-20, 9.262_340_089_798_408),
        (0.025, 1.959_963_984_540_054_2),
        (0.3, 0.524_400_512_708_040_8),
    ] {
        check_close(normal_score(1.0 - tail, tail), score, 1e-12);
        check_close(normal_score(tail, 1.0 - tail), -score, 1e-12);
        check_close(normal_two_sided(score), 2.0 * tail, 1e-10);
    }
    assert_eq!(normal_score(0.5, 0.5), 0.0);
    assert!(normal_score(0.0, 1.0) > -38.0);
}
