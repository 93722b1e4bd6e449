//! Laws of whole counts: tails by summing outwards from the count, so that a small tail keeps its digits.

use super::normal_score;
use super::saddle_point::{ln_binomial, ln_poisson};

/// A law of a count. Counts are whole numbers held as `f64`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum CountLaw {
    /// The number of successes in `trials`, each with `chance`; `rest` is `1 - chance`.
    Binomial { trials: f64, chance: f64, rest: f64 },
    /// Events at a mean.
    Poisson { mean: f64 },
    /// Marked members in a sample of `drawn` from `marked` and `plain` ones, each marked one drawn with
    /// `odds` times the odds of a plain one.
    Hypergeometric { marked: f64, plain: f64, drawn: f64, odds: f64 },
}

/// The mass below, at and above one count.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Tails {
    pub(crate) below: f64,
    pub(crate) at: f64,
    pub(crate) above: f64,
}

impl Tails {
    /// The probability of this count or a lower one.
    pub(crate) fn lower(self) -> f64 {
        (self.below + self.at).min(1.0)
    }

    /// The probability of this count or a higher one.
    pub(crate) fn upper(self) -> f64 {
        (self.above + self.at).min(1.0)
    }

    /// The two-sided mid-p value: twice the smaller side, of which the count itself is half a member.
    pub(crate) fn mid_p(self) -> f64 {
        let half = 0.5 * self.at;
        (2.0 * (self.below.min(self.above) + half)).min(1.0)
    }

    /// The normal score of the smaller mid-p side.
    pub(crate) fn score(self) -> f64 {
        normal_score(self.below + 0.5 * self.at, self.above + 0.5 * self.at)
    }
}

impl CountLaw {
    /// A binomial law by its chance; the chance of failure is its difference to one.
    pub(crate) fn binomial(trials: f64, chance: f64) -> Self {
        Self::Binomial { trials, chance, rest: 1.0 - chance }
    }

    /// The smallest and the largest count possible.
    pub(crate) fn support(self) -> (f64, f64) {
        match self {
            Self::Binomial { trials, .. } => (0.0, trials),
            Self::Poisson { .. } => (0.0, f64::INFINITY),
            Self::Hypergeometric { marked, plain, drawn, .. } => {
                ((drawn - plain).max(0.0), marked.min(drawn))
            }
        }
    }

    /// The probability of one count. For unequal odds it is known up to a constant only: use [`Self::mean`].
    pub(crate) fn mass(self, count: f64) -> f64 {
        let (least, most) = self.support();
        if count < least || count > most {
            return 0.0;
        }
        match self {
            Self::Binomial { trials, chance, rest } => ln_binomial(count, trials, chance, rest).exp(),
            Self::Poisson { mean } => ln_poisson(count, mean).exp(),
            Self::Hypergeometric { marked, plain, drawn, .. } => {
                let all = marked + plain;
                if drawn == 0.0 || drawn == all {
                    return 1.0;
                }
                let (p, q) = (drawn / all, (all - drawn) / all);
                (ln_binomial(count, marked, p, q) + ln_binomial(drawn - count, plain, p, q)
                    - ln_binomial(drawn, all, p, q))
                .exp()
            }
        }
    }

    /// What the mass changes by from one count to the next; falls with the count, for the laws have one peak.
    fn rise(self, count: f64) -> f64 {
        match self {
            Self::Binomial { trials, chance, rest } => (trials - count) * chance / ((count + 1.0) * rest),
            Self::Poisson { mean } => mean / (count + 1.0),
            Self::Hypergeometric { marked, plain, drawn, odds } => {
                odds * (marked - count) * (drawn - count) / ((count + 1.0) * (plain - drawn + count + 1.0))
            }
        }
    }

    /// The first count after which the mass does not rise.
    fn mode(self) -> f64 {
        let (least, most) = self.support();
        if let Self::Poisson { mean } = self {
            return mean.floor();
        }
        // INVARIANT: the mass rises up to `low` and not from `high` on.
        let (mut low, mut high) = (least, most);
        while low < high {
            let middle = (low + (high - low) / 2.0).floor();
            if self.rise(middle) > 1.0 { low = middle + 1.0 } else { high = middle }
        }
        low
    }

    /// The sum of the masses of the counts above `count`, from the mass of the first outwards.
    fn sum_above(self, count: f64) -> f64 {
        let (_, most) = self.support();
        let mut place = count + 1.0;
        let mut term = self.mass(place);
        let mut sum = term;
        while place < most && term > sum * 1e-18 {
            term *= self.rise(place);
            sum += term;
            place += 1.0;
        }
        sum
    }

    fn sum_below(self, count: f64) -> f64 {
        let (least, _) = self.support();
        let mut place = count - 1.0;
        let mut term = self.mass(place);
        let mut sum = term;
        while place > least && term > sum * 1e-18 {
            place -= 1.0;
            term /= self.rise(place);
            sum += term;
        }
        sum
    }

    /// The mass below, at and above a count. The tail away from the peak is summed, the other one is the rest.
    pub(crate) fn tails(self, count: f64) -> Tails {
        let (least, most) = self.support();
        if count < least {
            return Tails { below: 0.0, at: 0.0, above: 1.0 };
        }
        if count > most {
            return Tails { below: 1.0, at: 0.0, above: 0.0 };
        }
        let at = self.mass(count).min(1.0);
        if count < self.mode() {
            let below = self.sum_below(count);
            return Tails { below, at, above: (1.0 - below - at).max(0.0) };
        }
        let above = self.sum_above(count);
        Tails { below: (1.0 - above - at).max(0.0), at, above }
    }

    /// The two-sided p-value of a count: the mass of all counts that are no likelier than it, to seven digits.
    // Source: the definition of R's `fisher.test`, `binom.test` and `poisson.test`.
    pub(crate) fn two_sided(self, count: f64) -> f64 {
        let tails = self.tails(count);
        let likeliest = tails.at * (1.0 + 1e-7);
        let mode = self.mode();
        if self.mass(mode) <= likeliest {
            return 1.0;
        }
        let other = if count < mode {
            // The first count above the peak that is as rare; its tail begins there.
            let first = first_where(mode, self.far_above(mode), |place| self.mass(place) <= likeliest);
            tails.lower() + self.sum_above(first - 1.0)
        } else {
            let (least, _) = self.support();
            let depth = first_where(0.0, mode - least + 1.0, |depth| self.mass(mode - depth) <= likeliest);
            tails.upper() + self.sum_below(mode - depth + 1.0)
        };
        other.min(1.0)
    }

    /// A count whose tail is beyond any digit.
    fn far_above(self, from: f64) -> f64 {
        let (_, most) = self.support();
        if most.is_finite() { most + 1.0 } else { (from + 40.0 * (from + 1.0).sqrt() + 800.0).ceil() }
    }

    /// The smallest count up to which at least `share` of the mass lies.
    // The fuzz is R's, so that a mass that equals the share but for rounding counts.
    pub(crate) fn quantile(self, share: f64) -> f64 {
        let (least, _) = self.support();
        first_where(least, self.far_above(self.mode()), |count| {
            let tails = self.tails(count);
            if share <= 0.5 {
                tails.lower() >= share * (1.0 - 64.0 * f64::EPSILON)
            } else {
                tails.above <= (1.0 - share) + 64.0 * f64::EPSILON * share
            }
        })
    }

    /// The mean, by summing outwards from the peak; for any odds.
    pub(crate) fn mean(self) -> f64 {
        let (least, most) = self.support();
        let mode = self.mode();
        let (mut mass, mut moment) = (1.0, 0.0);
        let (mut place, mut term) = (mode, 1.0);
        while place < most && term > mass * 1e-18 {
            term *= self.rise(place);
            place += 1.0;
            mass += term;
            moment += term * (place - mode);
        }
        (place, term) = (mode, 1.0);
        while place > least && term > mass * 1e-18 {
            place -= 1.0;
            term /= self.rise(place);
            mass += term;
            moment += term * (place - mode);
        }
        mode + moment / mass
    }
}

/// The first whole number from `low` on, below `high`, at which a condition holds that keeps holding from
/// there on; `high` if it never does.
pub(crate) fn first_where(low: f64, high: f64, holds: impl Fn(f64) -> bool) -> f64 {
    let (mut low, mut high) = (low, high);
    while low < high {
        let middle = (low + (high - low) / 2.0).floor();
        if holds(middle) { high = middle } else { low = middle + 1.0 }
    }
    low
}
