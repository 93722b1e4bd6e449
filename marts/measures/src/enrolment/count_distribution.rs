//! Distributions of counts, as the probabilities of successive numbers.

/// The least share of the commonest number's probability that is kept.
const SMALLEST: f64 = 1e-18;

/// Probabilities of `first`, `first + 1` and so on; below and above them is nothing that a double could add.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Counts {
    pub(super) first: usize,
    pub(super) probabilities: Vec<f64>,
}

/// How one centre's number is distributed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum CountLaw {
    /// Poisson.
    Poisson { mean: f64 },
    /// Negative binomial: a Poisson number whose mean is gamma distributed, `odds` being scale over one.
    NegativeBinomial { shape: f64, odds: f64 },
}

impl CountLaw {
    pub(super) fn mean(self) -> f64 {
        match self {
            Self::Poisson { mean } => mean,
            Self::NegativeBinomial { shape, odds } => shape * odds,
        }
    }

    pub(super) fn variance(self) -> f64 {
        match self {
            Self::Poisson { mean } => mean,
            Self::NegativeBinomial { shape, odds } => shape * odds * (1.0 + odds),
        }
    }

    /// The logarithm of the probability of nobody.
    fn log_none(self) -> f64 {
        match self {
            Self::Poisson { mean } => -mean,
            Self::NegativeBinomial { shape, odds } => -shape * odds.ln_1p(),
        }
    }

    /// The first coefficient of the logarithm of the generating function's derivative, and the quotient of successive ones.
    fn series(self) -> (f64, f64) {
        match self {
            Self::Poisson { mean } => (mean, 0.0),
            Self::NegativeBinomial { shape, odds } => {
                let quotient = odds / (1.0 + odds);
                (shape * quotient, quotient)
            }
        }
    }

    /// The probability of `k + 1` over that of `k`.
    fn ratio(self, k: f64) -> f64 {
        match self {
            Self::Poisson { mean } => mean / (k + 1.0),
            Self::NegativeBinomial { shape, odds } => (shape + k) / (k + 1.0) * odds / (1.0 + odds),
        }
    }

    /// The number of greatest probability, or one next to it.
    fn mode(self) -> usize {
        let mode = match self {
            Self::Poisson { mean } => mean,
            Self::NegativeBinomial { shape, odds } => (shape - 1.0) * odds,
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "not negative, and the caller bounds the mean"
        )]
        let mode = mode.max(0.0).floor() as usize;
        mode
    }

    /// The probabilities, from the mode outwards, so that none of them under- or overflows.
    pub(super) fn counts(self) -> Counts {
        let mode = self.mode();
        let mut above = vec![1.0];
        let mut k = mode;
        while let Some(last) = above.last().copied().filter(|last| *last > SMALLEST) {
            above.push(last * self.ratio(k as f64));
            k += 1;
        }
        let mut below: Vec<f64> = Vec::new();
        let (mut k, mut last) = (mode, 1.0);
        while k > 0 && last > SMALLEST {
            k -= 1;
            last /= self.ratio(k as f64);
            below.push(last);
        }
        below.reverse();
        below.append(&mut above);
        let total: f64 = below.iter().sum();
        Counts { first: k, probabilities: below.iter().map(|probability| probability / total).collect() }
    }
}

impl Counts {
    /// The sum of independent numbers; only numbers below `limit` are kept.
    ///
    /// The derivative of the logarithm of a negative binomial number's generating function has the coefficients
    /// `shape q^j` with `q = odds / (1 + odds)` (a Poisson number's is its mean), whence `n p_n` is the sum over the parts of
    /// `s_n = shape q p_(n - 1) + q s_(n - 1)`. All terms are positive, so that no digits are lost, and the work is the
    /// number of parts times that of probabilities.
    // Source: the recursion of Panjer HH, ASTIN Bulletin 1981;12:22-26, for the sum in compound Poisson form, with the
    // geometric series of each part carried along.
    pub(super) fn sum(laws: &[CountLaw], limit: usize) -> Self {
        const LARGE: f64 = 1e200;
        let mean: f64 = laws.iter().map(|law| law.mean()).sum();
        let mut log_scale: f64 = laws.iter().map(|law| law.log_none()).sum();
        let mut parts: Vec<(f64, f64, f64)> =
            laws.iter().map(|law| law.series()).map(|(a, q)| (a, q, 0.0)).collect();
        let mut relative = vec![1.0_f64];
        let (mut last, mut largest) = (1.0_f64, 1.0_f64);
        while relative.len() < limit && !(relative.len() as f64 > mean && last < SMALLEST * largest) {
            if last > LARGE {
                relative.iter_mut().for_each(|probability| *probability /= LARGE);
                parts.iter_mut().for_each(|part| part.2 /= LARGE);
                (last, largest) = (last / LARGE, largest / LARGE);
                log_scale += LARGE.ln();
            }
            let mut total = 0.0;
            for (first, quotient, series) in &mut parts {
                *series = *first * last + *quotient * *series;
                total += *series;
            }
            last = total / relative.len() as f64;
            largest = largest.max(last);
            relative.push(last);
        }
        relative.truncate(limit);
        let scale = log_scale.exp();
        Self { first: 0, probabilities: relative.iter().map(|probability| probability * scale).collect() }
    }

    /// One of several, each with its probability.
    pub(super) fn mixture(parts: &[(Self, f64)]) -> Self {
        let first = parts.iter().map(|(counts, _)| counts.first).min().unwrap_or_default();
        let end = parts.iter().map(|(counts, _)| counts.first + counts.probabilities.len()).max();
        let mut probabilities = vec![0.0; end.unwrap_or_default().saturating_sub(first)];
        for (counts, weight) in parts {
            for (sum, probability) in
                probabilities[counts.first - first..].iter_mut().zip(&counts.probabilities)
            {
                *sum += weight * probability;
            }
        }
        Self { first, probabilities }
    }

    /// The probability of fewer than `number`.
    pub(super) fn below(&self, number: usize) -> f64 {
        let length = number.saturating_sub(self.first).min(self.probabilities.len());
        self.probabilities[..length].iter().sum()
    }

    /// The probability of `number` or more, for a distribution without a limit.
    pub(super) fn at_least(&self, number: usize) -> f64 {
        let start = number.saturating_sub(self.first).min(self.probabilities.len());
        // Summed from the small end, so that a small tail keeps its digits.
        self.probabilities[start..].iter().rev().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(law: CountLaw, number: usize, probability: f64) {
        let counts = law.counts();
        let ours = counts.probabilities[number - counts.first];
        assert!((ours / probability - 1.0).abs() < 1e-10, "{ours} against {probability}");
    }

    // By scipy 1.17.1: poisson.pmf and nbinom.pmf(k, shape, 1 / (1 + odds)).
    #[test]
    fn probabilities_agree() {
        check(CountLaw::Poisson { mean: 3.2 }, 0, 0.040762203978366204);
        check(CountLaw::Poisson { mean: 3.2 }, 7, 0.027789259206343495);
        check(CountLaw::Poisson { mean: 2000.5 }, 2100, 0.0007630134512054685);
        check(CountLaw::NegativeBinomial { shape: 0.4, odds: 2.5 }, 0, 0.6058606999546626);
        check(CountLaw::NegativeBinomial { shape: 0.4, odds: 2.5 }, 9, 0.003490382561051852);
        check(CountLaw::NegativeBinomial { shape: 30.0, odds: 20.0 }, 550, 0.003473695066076703);
    }

    #[test]
    fn sums_add_up() {
        let (left, right) = (CountLaw::Poisson { mean: 3.0 }, CountLaw::Poisson { mean: 4.5 });
        let sum = Counts::sum(&[left, right], usize::MAX);
        let whole = CountLaw::Poisson { mean: 7.5 }.counts();
        for number in 0..40 {
            assert!((sum.below(number) - whole.below(number)).abs() < 1e-14);
        }
        assert!((Counts::sum(&[left, right], 9).below(9) - whole.below(9)).abs() < 1e-14);
        assert!((sum.below(5) + sum.at_least(5) - 1.0).abs() < 1e-14);
        assert_eq!(Counts::sum(&[], usize::MAX).below(1), 1.0);
    }

    #[test]
    fn a_sum_is_the_convolution_of_its_parts() {
        let parts = [
            CountLaw::NegativeBinomial { shape: 0.7, odds: 3.0 },
            CountLaw::NegativeBinomial { shape: 40.0, odds: 25.0 },
            CountLaw::Poisson { mean: 6.0 },
        ];
        let mut convolved = vec![1.0];
        for part in parts.map(CountLaw::counts) {
            let mut next = vec![0.0; convolved.len() + part.first + part.probabilities.len()];
            for (i, left) in convolved.iter().enumerate() {
                for (j, right) in part.probabilities.iter().enumerate() {
                    next[i + part.first + j] += left * right;
                }
            }
            convolved = next;
        }
        let sum = Counts::sum(&parts, usize::MAX);
        for (ours, theirs) in sum.probabilities.iter().zip(&convolved) {
            assert!((ours - theirs).abs() < 1e-14, "{ours} against {theirs}");
        }
        assert!((sum.at_least(0) - 1.0).abs() < 1e-11);
    }
}
