//! The law of a share: incomplete beta function on both sides, and its quantiles.

use super::saddle_point::ln_binomial;

/// The mass of a beta law below and above `share`.
///
/// Both shape parameters are positive and `share` lies within 0 and 1. The smaller side keeps its digits; the
/// fraction needs about the root of the larger parameter in steps, and gets them.
// Source: continued fraction 8.17.22 of the NIST Digital Library of Mathematical Functions, evaluated by
// Lentz's method; the factor before it by Loader's saddle point.
pub(crate) fn sides(a: f64, b: f64, share: f64) -> (f64, f64) {
    sides_of(a, b, share, 1.0 - share)
}

/// The same, with `1 - share` given apart, so that a share next to one loses no digits either.
pub(crate) fn sides_of(a: f64, b: f64, share: f64, rest: f64) -> (f64, f64) {
    if share <= 0.0 {
        return (0.0, 1.0);
    }
    if rest <= 0.0 {
        return (1.0, 0.0);
    }
    // x^a (1-x)^b / B(a, b), from the binomial density at a of a + b.
    let front = (ln_binomial(a, a + b, share, rest) + (a / (a + b)).ln() + b.ln()).exp();
    if share * (a + b + 2.0) <= a + 1.0 {
        let lower = (front * fraction(a, b, share) / a).clamp(0.0, 1.0);
        (lower, 1.0 - lower)
    } else {
        let upper = (front * fraction(b, a, rest) / b).clamp(0.0, 1.0);
        (1.0 - upper, upper)
    }
}

/// The share below which `mass` of a beta law lies.
pub(crate) fn quantile(a: f64, b: f64, mass: f64) -> f64 {
    let (mut low, mut high) = (0.0_f64, 1.0_f64);
    // Halving a double ends where two neighbours are left, after some thousand steps at the very worst.
    loop {
        let middle = low + (high - low) / 2.0;
        if middle <= low || middle >= high || high - low <= 1e-15 * high {
            return middle;
        }
        if sides(a, b, middle).0 < mass { low = middle } else { high = middle }
    }
}

fn fraction(a: f64, b: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let away_from_zero = |value: f64| if value.abs() < TINY { TINY } else { value };
    let steps = 300.0 + 20.0 * a.max(b).sqrt();
    let mut c = 1.0;
    let mut d = 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0));
    let mut value = d;
    let mut m = 1.0;
    while m <= steps {
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / away_from_zero(1.0 + even * d);
        c = away_from_zero(1.0 + even / c);
        value *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / away_from_zero(1.0 + odd * d);
        c = away_from_zero(1.0 + odd / c);
        let factor = d * c;
        value *= factor;
        if (factor - 1.0).abs() < 1e-16 {
            break;
        }
        m += 1.0;
    }
    value
}
