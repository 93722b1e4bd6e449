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

    /// About how many numbers have a probability worth keeping.
    pub(super) fn width(self) -> f64 {
        let scale = if let Self::NegativeBinomial { odds, .. } = self { 1.0 + odds } else { 1.0 };
        20.0 + 20.0 * self.variance().sqrt() + 50.0 * scale
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
    /// Nobody, for certain.
    pub(super) fn none() -> Self {
        Self { first: 0, probabilities: vec![1.0] }
    }

    /// The sum with another, independent number; only numbers below `limit` are kept.
    pub(super) fn plus(&self, other: &Self, limit: usize) -> Self {
        let first = self.first + other.first;
        let length = self.probabilities.len() + other.probabilities.len() - 1;
        let length = length.min(limit.saturating_sub(first));
        let mut probabilities = vec![0.0; length];
        for (i, left) in self.probabilities.iter().enumerate().take(length) {
            for (sum, right) in probabilities[i..].iter_mut().zip(&other.probabilities) {
                *sum += left * right;
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
        let sum = left.counts().plus(&right.counts(), usize::MAX);
        let whole = CountLaw::Poisson { mean: 7.5 }.counts();
        for number in 0..40 {
            assert!((sum.below(number) - whole.below(number)).abs() < 1e-14);
        }
        assert!((left.counts().plus(&right.counts(), 9).below(9) - whole.below(9)).abs() < 1e-14);
        assert!((sum.below(5) + sum.at_least(5) - 1.0).abs() < 1e-14);
    }
}
