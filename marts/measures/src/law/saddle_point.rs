//! Probabilities of single counts without the cancellation that differences of large logarithms of factorials
//! bring: the deviance of the count carries the size, Stirling's error the rest.
// Source: Loader C, "Fast and accurate computation of binomial probabilities", 2000.

use std::f64::consts::PI;

use statrs::function::gamma::ln_gamma;

/// The logarithm of the density `C(n, x) p^x q^(n-x)`, for real `0 <= x <= n` and `p + q = 1`.
pub(crate) fn ln_binomial(x: f64, n: f64, p: f64, q: f64) -> f64 {
    if p == 0.0 {
        return certain(x == 0.0);
    }
    if q == 0.0 {
        return certain(x == n);
    }
    if x == 0.0 {
        return all_on_one_side(n, p, q);
    }
    if x == n {
        return all_on_one_side(n, q, p);
    }
    let rest = n - x;
    let size = stirling_error(n) - stirling_error(x) - stirling_error(rest);
    let width = (2.0 * PI).ln() + x.ln() + (rest / n).ln();
    size - deviance_part(x, n * p) - deviance_part(rest, n * q) - 0.5 * width
}

/// The logarithm of the density `mean^x exp(-mean) / x!`.
pub(crate) fn ln_poisson(x: f64, mean: f64) -> f64 {
    if mean == 0.0 {
        return certain(x == 0.0);
    }
    if x == 0.0 {
        return -mean;
    }
    -stirling_error(x) - deviance_part(x, mean) - 0.5 * (2.0 * PI * x).ln()
}

fn certain(holds: bool) -> f64 {
    if holds { 0.0 } else { f64::NEG_INFINITY }
}

/// `n ln(q)`, with `q = 1 - p` near one taken from `p`.
fn all_on_one_side(n: f64, p: f64, q: f64) -> f64 {
    if p < 0.5 { n * (-p).ln_1p() } else { n * q.ln() }
}

/// `ln(n!) - ln(sqrt(2 pi n) (n/e)^n)` for `n > 0`.
fn stirling_error(n: f64) -> f64 {
    if n <= 15.0 {
        return ln_gamma(n + 1.0) - (n + 0.5) * n.ln() + n - 0.5 * (2.0 * PI).ln();
    }
    let square = n * n;
    let tail = 1.0 / 1680.0 - 1.0 / (1188.0 * square);
    (1.0 / 12.0 - (1.0 / 360.0 - (1.0 / 1260.0 - tail / square) / square) / square) / n
}

/// `x ln(x / mean) + mean - x`, half of a Poisson deviance, by its series where the two are near.
pub(crate) fn deviance_part(x: f64, mean: f64) -> f64 {
    if x == 0.0 {
        return mean;
    }
    let apart = x - mean;
    let sum = x + mean;
    if apart.abs() >= 0.1 * sum {
        return x * (x / mean).ln() + mean - x;
    }
    let relative = apart / sum;
    let mut part = apart * relative;
    let mut term = 2.0 * x * relative;
    for index in 1..1000_u32 {
        term *= relative * relative;
        let next = part + term / f64::from(2 * index + 1);
        if next == part {
            break;
        }
        part = next;
    }
    part
}
