use super::*;

fn ae_rate() -> Indicator {
    Indicator {
        title: "AE rate".to_owned(),
        numerator: "adverse events".to_owned(),
        denominator: "patient-days".to_owned(),
        metric: Metric::RatePer(100.0),
        overall: Some(0.02),
        thresholds: vec![-2.0, -1.0, 2.0, 3.0],
        ..Indicator::default()
    }
}

fn signal(flag: Flag, numerator: f64, denominator: f64, score: f64) -> Signal {
    let metric = Some(numerator / denominator);
    Signal { flag, numerator: Some(numerator), denominator: Some(denominator), metric, score: Some(score) }
}

fn check_reason(indicator: &Indicator, signal: &Signal, expected: &str) {
    assert_eq!(reason(indicator, signal).as_deref(), Some(expected));
}

#[test]
fn a_rate_is_told_as_a_multiple_of_the_study() {
    check_reason(
        &ae_rate(),
        &signal(Flag::HighRed, 64.0, 1000.0, 4.1),
        "AE rate 3.2 times the study's (z 4.10, red)",
    );
    check_reason(
        &ae_rate(),
        &signal(Flag::LowAmber, 5.0, 1000.0, -1.7),
        "AE rate 0.2 times the study's (z \u{2212}1.70, amber)",
    );
}

#[test]
fn a_rate_of_zero_is_told_beside_the_study() {
    check_reason(
        &ae_rate(),
        &signal(Flag::LowRed, 0.0, 1000.0, -3.2),
        "AE rate zero against the study's 2.00 adverse events per 100 patient-days (z \u{2212}3.20, red)",
    );
}

#[test]
fn a_rate_without_a_study_value_is_told_in_its_unit() {
    let indicator = Indicator { overall: Some(0.0), ..ae_rate() };
    check_reason(
        &indicator,
        &signal(Flag::HighRed, 64.0, 1000.0, 4.1),
        "AE rate 6.40 adverse events per 100 patient-days (z 4.10, red)",
    );
}

#[test]
fn a_share_is_told_beside_the_study() {
    let indicator = Indicator {
        title: "Screen failure".to_owned(),
        metric: Metric::Share,
        overall: Some(0.18),
        ..Indicator::default()
    };
    check_reason(
        &indicator,
        &signal(Flag::HighAmber, 21.0, 50.0, 2.4),
        "Screen failure 42.0% against the study's 18.0% (z 2.40, amber)",
    );
}

#[test]
fn a_fixed_limit_is_named() {
    let compliance = Indicator {
        title: "PK compliance".to_owned(),
        metric: Metric::Share,
        scored: Scored::Metric,
        thresholds: vec![0.85, 0.9],
        flags: vec![-2, -1, 0],
        ..Indicator::default()
    };
    check_reason(&compliance, &signal(Flag::LowRed, 8.0, 10.0, 0.8), "PK compliance 80.0% (red below 85%)");
    let deaths = Indicator {
        title: "Early deaths".to_owned(),
        numerator: "deaths within 90 days".to_owned(),
        scored: Scored::Numerator,
        thresholds: vec![1.0, 2.0],
        ..Indicator::default()
    };
    check_reason(
        &deaths,
        &signal(Flag::HighRed, 3.0, 12.0, 3.0),
        "Early deaths: 3 deaths within 90 days (red from 2)",
    );
}

#[test]
fn nothing_is_said_without_a_flag() {
    for flag in [Flag::None, Flag::NotEnough, Flag::NotAvailable] {
        assert_eq!(reason(&ae_rate(), &signal(flag, 1.0, 100.0, 0.1)), None);
    }
}

#[test]
fn not_enough_and_not_available_are_told_apart() {
    let indicator = Indicator { unavailable: Some("needs the table QUERY".to_owned()), ..ae_rate() };
    let not_available = Signal { flag: Flag::NotAvailable, ..Signal::default() };
    assert_eq!(
        in_full(&indicator, &not_available),
        "AE rate: not available for this source; needs the table QUERY"
    );
    assert_eq!(in_full(&ae_rate(), &Signal::default()), "AE rate: not enough data");
    assert_eq!(
        in_full(&ae_rate(), &signal(Flag::HighRed, 64.0, 1000.0, 4.1)),
        "AE rate: 64 adverse events over 1,000 patient-days = 6.40; red, high"
    );
}

#[test]
fn each_threshold_raises_one_flag() {
    let raised = |thresholds: &[f64], flags: &[i8]| {
        let (thresholds, flags) = (thresholds.to_vec(), flags.to_vec());
        let indicator = Indicator { thresholds, flags, ..Indicator::default() };
        threshold_flags(&indicator).into_iter().map(|(_, flag)| flag).collect::<Vec<_>>()
    };
    let both = [Flag::LowRed, Flag::LowAmber, Flag::HighAmber, Flag::HighRed];
    assert_eq!(raised(&[-3.0, -2.0, 2.0, 3.0], &[-2, -1, 0, 1, 2]), both);
    assert_eq!(raised(&[-3.0, -2.0, 2.0, 3.0], &[]), both);
    assert_eq!(raised(&[2.0, 3.0], &[]), [Flag::HighAmber, Flag::HighRed]);
    assert_eq!(raised(&[0.85, 0.9], &[-2, -1, 0]), [Flag::LowRed, Flag::LowAmber]);
    assert_eq!(threshold_of(&ae_rate(), Flag::HighRed), Some(3.0));
    assert_eq!(threshold_of(&ae_rate(), Flag::None), None);
}
