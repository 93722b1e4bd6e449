//! Forecasts against exact answers of scipy: gamma, negative binomial and beta prime distributions, and convolutions.

use measures::enrolment::{
    Centre, Method, RecruitmentBelief, RecruitmentLaw, TimeToTarget, fit_recruitment, time_to_target,
    total_enrolment,
};
use serde::Deserialize;

use super::chance::Chance;
use super::oracle::json;

#[derive(Deserialize)]
struct Case {
    id: String,
    method: String,
    inputs: Inputs,
    expected: Expected,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Inputs {
    rate_total: f64,
    #[serde(rename = "N")]
    target: usize,
    alpha: f64,
    beta: f64,
    horizon: f64,
    remaining: usize,
    sites: Sites,
    open_time: Vec<f64>,
    rate: Vec<f64>,
    t: Numbers,
}

/// A number of centres, or each centre's past.
#[derive(Deserialize)]
#[serde(untagged)]
enum Sites {
    Number(usize),
    Past(Vec<Past>),
}

impl Default for Sites {
    fn default() -> Self {
        Self::Number(0)
    }
}

#[derive(Deserialize)]
struct Past {
    k: u64,
    tau: f64,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Expected {
    mean: Numbers,
    var: f64,
    q05: f64,
    q50: f64,
    q95: f64,
    q10: Vec<f64>,
    q90: Vec<f64>,
    p_ge_mean: f64,
    p_ge_60: f64,
    alpha: f64,
    beta: f64,
    loglik: f64,
    posterior_rates: Vec<f64>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Numbers {
    One(f64),
    Many(Vec<f64>),
}

impl Default for Numbers {
    fn default() -> Self {
        Self::One(0.0)
    }
}

impl Numbers {
    fn one(&self) -> f64 {
        self.list().first().copied().expect("one number is expected")
    }

    fn list(&self) -> &[f64] {
        match self {
            Self::One(number) => std::slice::from_ref(number),
            Self::Many(numbers) => numbers,
        }
    }
}

impl Inputs {
    fn centres(&self) -> Vec<Centre> {
        match &self.sites {
            Sites::Number(count) => vec![Centre { enrolled: 0, exposure: 0.0, opens_in: 0.0 }; *count],
            Sites::Past(past) => past
                .iter()
                .map(|past| Centre { enrolled: past.k, exposure: past.tau, opens_in: 0.0 })
                .collect(),
        }
    }

    fn law(&self) -> RecruitmentLaw {
        RecruitmentLaw::Gamma { shape: self.alpha, rate: self.beta }
    }
}

#[track_caller]
fn check(what: &str, ours: f64, theirs: f64, tolerance: f64) {
    assert!((ours / theirs - 1.0).abs() <= tolerance, "{what}: {ours} against {theirs}");
}

fn check_times(case: &Case, ours: &TimeToTarget) {
    let pairs =
        [(ours.lower, case.expected.q05), (ours.median, case.expected.q50), (ours.upper, case.expected.q95)];
    for (ours, theirs) in pairs {
        check(&case.id, ours.expect("it is reached"), theirs, 1e-8);
    }
}

fn check_total(case: &Case, horizon: f64) -> measures::enrolment::TotalEnrolment {
    let total = total_enrolment(&case.inputs.law().into(), &case.inputs.centres(), horizon)
        .expect("the case is valid");
    let forecast = total.forecast(0.9).expect("the level is valid");
    assert_eq!(forecast.method, Method::Exact);
    check(&case.id, forecast.mean, case.expected.mean.one(), 1e-9);
    check(&case.id, forecast.variance, case.expected.var, 1e-9);
    let quantiles = [forecast.lower as f64, forecast.median as f64, forecast.upper as f64];
    assert_eq!(quantiles, [case.expected.q05, case.expected.q50, case.expected.q95], "{}", case.id);
    total
}

#[test]
fn forecasts_agree() {
    let Some(cases) = json::<Vec<Case>>("design/enrolment_cases.json") else { return };
    for case in &cases {
        let inputs = &case.inputs;
        match case.method.as_str() {
            "homogeneous_poisson_time_to_N" => {
                let law = RecruitmentLaw::Common { rate: inputs.rate_total };
                let centre = Centre { enrolled: 0, exposure: 0.0, opens_in: 0.0 };
                let ours = time_to_target(&law.into(), &[centre], inputs.target, 0.9, 1000.0);
                check_times(case, &ours.expect("the case is valid"));
            }
            "poisson_gamma_total_by_t" => {
                let total = check_total(case, inputs.t.one());
                let mean = (0..1000_u16).find(|number| f64::from(*number) >= case.expected.mean.one());
                let at_least = total.at_least(usize::from(mean.expect("the mean is small")));
                check(&case.id, at_least, case.expected.p_ge_mean, 1e-9);
            }
            "poisson_gamma_time_to_N_same_start" => {
                let ours =
                    time_to_target(&inputs.law().into(), &inputs.centres(), inputs.target, 0.9, 1000.0);
                check_times(case, &ours.expect("the case is valid"));
            }
            "poisson_gamma_marginal_mle" => check_fit(case),
            "poisson_gamma_posterior_predictive_convolution" => {
                let total = check_total(case, inputs.horizon);
                check(&case.id, total.at_least(60), case.expected.p_ge_60, 1e-9);
                for (centre, theirs) in inputs.centres().iter().zip(&case.expected.posterior_rates) {
                    let ours = inputs.law().posterior_rate(centre, 0.9).expect("the centre is valid");
                    check(&case.id, ours.mean, *theirs, 1e-12);
                }
            }
            "poisson_gamma_time_to_remaining" => {
                let ours =
                    time_to_target(&inputs.law().into(), &inputs.centres(), inputs.remaining, 0.9, 1000.0);
                check_times(case, &ours.expect("the case is valid"));
            }
            "staggered_opening_expected_curve" => check_staggered(case),
            method => assert_eq!(method, "one of those above"),
        }
    }
    assert_eq!(cases.len(), 12);
}

/// Their answer is that of a simplex search, good to 1e-4.
fn check_fit(case: &Case) {
    let fit = fit_recruitment(&case.inputs.centres()).expect("the case is valid");
    let gamma = if let RecruitmentLaw::Gamma { shape, rate } = fit.law { Some((shape, rate)) } else { None };
    let (shape, rate) = gamma.expect("the centres differ");
    check(&case.id, shape, case.expected.alpha, 1e-4);
    check(&case.id, rate, case.expected.beta, 1e-4);
    check(&case.id, fit.log_likelihood, case.expected.loglik, 1e-9);
    assert!(fit.log_likelihood >= case.expected.loglik - 1e-12);
}

/// Centres of known rates, as a long past makes them.
fn check_staggered(case: &Case) {
    let inputs = &case.inputs;
    let known = |(rate, opens_in): (&f64, &f64)| {
        // Rates are given to one digit after the point.
        let tenths =
            (0_u32..100).find(|tenths| f64::from(*tenths) >= 10.0 * rate - 0.5).expect("it is small");
        Centre { enrolled: u64::from(tenths) * 100_000_000, exposure: 1e9, opens_in: *opens_in }
    };
    let centres: Vec<Centre> = inputs.rate.iter().zip(&inputs.open_time).map(known).collect();
    let law = RecruitmentLaw::Gamma { shape: 1.0, rate: 1.0 };
    for (k, horizon) in inputs.t.list().iter().enumerate() {
        let total = total_enrolment(&law.into(), &centres, *horizon).expect("the case is valid");
        let forecast = total.forecast(0.8).expect("the level is valid");
        check(&case.id, forecast.mean, case.expected.mean.list()[k], 1e-7);
        let limits = [forecast.lower as f64, forecast.upper as f64];
        assert_eq!(limits, [case.expected.q10[k], case.expected.q90[k]], "{} at {horizon}", case.id);
    }
}

/// The share of studies in which what is enrolled lies within the limits of level 0.9: some centres with a past of six
/// months, as many that are still to open, and a horizon of a year.
fn share_inside(count: u32, belief: fn(&[Centre]) -> RecruitmentBelief) -> f64 {
    const RUNS: u32 = 200;
    let mut chance = Chance::new(17);
    let mut inside = 0;
    for _ in 0..RUNS {
        let (mut centres, mut enrolled) = (Vec::new(), 0);
        for centre in 0..2 * count {
            // Rates of shape 2 and mean 0.8: the sum of two exponential variables.
            let rate = 0.4 * (chance.exponential() + chance.exponential());
            let exposure = if centre < count { 6.0 } else { 0.0 };
            let past = arrivals(&mut chance, exposure * rate);
            centres.push(Centre { enrolled: past, exposure, opens_in: 0.0 });
            enrolled += arrivals(&mut chance, 12.0 * rate);
        }
        let total = total_enrolment(&belief(&centres), &centres, 12.0).expect("the centres are valid");
        let forecast = total.forecast(0.9).expect("the level is valid");
        inside += u32::from((forecast.lower as u64..=forecast.upper as u64).contains(&enrolled));
    }
    f64::from(inside) / f64::from(RUNS)
}

#[test]
fn limits_hold_what_they_promise_if_the_law_is_not_taken_for_certain() {
    let certain = |centres: &[Centre]| fit_recruitment(centres).expect("somebody is enrolled").law.into();
    let open = |centres: &[Centre]| RecruitmentBelief::from_past(centres).expect("somebody is enrolled");
    let (certain, open) = (share_inside(8, certain), share_inside(8, open));
    println!("inside {open}, with the likeliest law {certain}");
    assert!((0.83..=0.97).contains(&open), "{open}");
    assert!(certain < open - 0.1);
}

/// A Poisson number, by the arrivals of a process of unit rate.
fn arrivals(chance: &mut Chance, mean: f64) -> u64 {
    let mut time = chance.exponential();
    let mut count = 0;
    while time <= mean {
        count += 1;
        time += chance.exponential();
    }
    count
}
