use super::*;

fn levels(secondary: f64, limit: f64) -> Levels {
    Levels::new(secondary, limit).expect("the limits are valid")
}

fn verdicts(method: Method, least_units: f64, history: &[(f64, f64)]) -> Vec<Verdict> {
    let rule = Rule::new(Kind::Binary, method, least_units).expect("the rule is valid");
    let history: Vec<Snapshot> = history.iter().map(|&(events, units)| Snapshot { events, units }).collect();
    let readings = rule.readings(&history).expect("the history is valid");
    readings.iter().map(|reading| reading.verdict).collect()
}

#[test]
fn a_limit_that_is_reached_is_passed() {
    use Verdict::{Breach, Secondary, TooFew, Within};
    let fixed = Method::Fixed { levels: levels(0.25, 0.5) };
    let history = [(0.0, 0.0), (1.0, 2.0), (1.0, 5.0), (2.0, 8.0), (8.0, 16.0)];
    assert_eq!(verdicts(fixed, 4.0, &history), [TooFew, TooFew, Within, Secondary, Breach]);
    // By hand: 0.2 and sqrt(0.16 / 64) = 0.05; one deviation is 16 of 64, two are 19.2.
    let deviations = Method::Deviations { expected: 0.2, levels: levels(1.0, 2.0) };
    assert_eq!(
        verdicts(deviations, 0.0, &[(15.0, 64.0), (17.0, 64.0), (20.0, 64.0)]),
        [Within, Secondary, Breach]
    );
    // By hand: of 3 at one half, 3 or more have 1/8 and 2 or more 1/2.
    let exact = Method::Exact { expected: 0.5, levels: levels(0.5, 0.875) };
    assert_eq!(verdicts(exact, 0.0, &[(1.0, 3.0), (2.0, 3.0), (3.0, 3.0)]), [Within, Secondary, Breach]);
}

#[test]
fn a_probability_is_read_against_its_limits() {
    use Verdict::{Breach, Secondary, Within};
    // By hand with a flat prior: after x of 2, the share exceeds 1/2 with probability 1/8, 1/2 and 7/8.
    let posterior =
        Method::Posterior { prior: Prior { a: 1.0, b: 1.0 }, tolerated: 0.5, levels: levels(0.4, 0.8) };
    assert_eq!(verdicts(posterior, 0.0, &[(0.0, 2.0), (1.0, 2.0), (2.0, 2.0)]), [Within, Secondary, Breach]);
    let forecast = Forecast { prior: Prior { a: 1.0, b: 1.0 }, tolerated: 0.5, planned_units: 3.0 };
    let predictive = Method::Predictive { forecast, levels: levels(0.4, 0.9) };
    // By hand: at the end of 3, two are too many. After 0, 1 and 2 of 2: impossible, one half, certain.
    assert_eq!(verdicts(predictive, 0.0, &[(0.0, 2.0), (1.0, 2.0), (2.0, 2.0)]), [Within, Secondary, Breach]);
}

#[test]
fn a_rule_has_parameters_that_its_method_is_defined_for() {
    let half = levels(0.5, 0.5);
    let levels = levels(1.0, 2.0);
    let prior = Prior { a: 1.0, b: 1.0 };
    let sound = Method::Posterior { prior, tolerated: 0.1, levels: half };
    assert_eq!(Rule::new(Kind::Rate, sound, 0.0), Err(MeasureError::SharesOnly));
    assert!(Rule::new(Kind::Binary, sound, 0.0).is_ok());
    for (kind, method) in [
        (Kind::Binary, Method::Deviations { expected: 0.0, levels }),
        (Kind::Binary, Method::Deviations { expected: 1.0, levels }),
        (Kind::Rate, Method::Deviations { expected: f64::NAN, levels }),
        (Kind::Binary, Method::Exact { expected: 0.1, levels }),
        (Kind::Binary, Method::Chart { expected: 0.1, chart: Chart::Ewma { weight: 0.0 }, levels }),
        (Kind::Binary, Method::Chart { expected: 0.1, chart: Chart::Cusum { allowance: -1.0 }, levels }),
        (Kind::Binary, Method::Posterior { prior, tolerated: 0.1, levels }),
        (Kind::Binary, Method::Posterior { prior, tolerated: 1.0, levels: half }),
        (Kind::Binary, Method::Posterior { prior: Prior { a: 0.0, b: 1.0 }, tolerated: 0.1, levels: half }),
    ] {
        assert!(Rule::new(kind, method, 0.0).is_err(), "{method:?}");
    }
    assert!(Rule::new(Kind::Rate, Method::Fixed { levels }, -1.0).is_err());
    assert!(Levels::new(2.0, 1.0).is_err());
    assert!(Levels::new(0.0, f64::INFINITY).is_err());
}

#[test]
fn a_history_is_of_counts() {
    let exact = Method::Exact { expected: 0.5, levels: levels(0.5, 0.9) };
    let rule = Rule::new(Kind::Binary, exact, 0.0).expect("the rule is valid");
    for (events, units) in [(-1.0, 2.0), (3.0, 2.0), (0.5, 2.0), (0.0, f64::NAN), (0.0, 1e13)] {
        let good = Snapshot { events: 0.0, units: 1.0 };
        let refused = rule.readings(&[good, Snapshot { events, units }]);
        assert!(matches!(refused, Err(MeasureError::Snapshot { snapshot: 1, .. })), "{events} of {units}");
    }
}
