//! How often each site test rejects: where nothing is planted, as often as its level says.

use std::collections::BTreeMap;

use crate::mart_rows::Rows;

/// The levels that are looked at.
pub(crate) const LEVELS: [f64; 3] = [0.05, 0.01, 0.001];

/// What one method came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Counts {
    /// Tests with a probability.
    pub(crate) tests: u64,
    /// Those below each level.
    pub(crate) below: [u64; 3],
    /// The same if sites did not differ at all but by their subjects.
    pub(crate) below_alike: [u64; 3],
}

/// Every method, by its id in the catalogue and its name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Calibration(pub(crate) BTreeMap<(String, String), Counts>);

impl Calibration {
    /// Counts the rows of `mart_site_test`.
    pub(super) fn of(rows: &Rows) -> Self {
        let (ids, methods) = (rows.texts("test_id"), rows.texts("method"));
        let (p, alike) = (rows.numbers("p_value"), rows.numbers("p_alike"));
        let mut all = Self::default();
        for row in 0..rows.len() {
            let (Some(p), Some(alike)) = (p[row], alike[row]) else { continue };
            all.0.entry((ids[row].clone(), methods[row].clone())).or_default().add(&Counts {
                tests: 1,
                below: below(p),
                below_alike: below(alike),
            });
        }
        all
    }

    /// Adds another study's.
    pub(crate) fn add(&mut self, other: &Self) {
        for (key, counts) in &other.0 {
            self.0.entry(key.clone()).or_default().add(counts);
        }
    }
}

impl Counts {
    fn add(&mut self, other: &Self) {
        self.tests += other.tests;
        for place in 0..LEVELS.len() {
            self.below[place] += other.below[place];
            self.below_alike[place] += other.below_alike[place];
        }
    }
}

fn below(p: f64) -> [u64; 3] {
    LEVELS.map(|level| u64::from(p < level))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probability_counts_at_every_level_above_it() {
        assert_eq!((below(0.004), below(0.05)), ([1, 1, 0], [0, 0, 0]));
        let key = ("C1".to_owned(), "mean".to_owned());
        let one = Calibration(BTreeMap::from([(
            key.clone(),
            Counts { tests: 2, below: [1, 0, 0], below_alike: [2, 1, 0] },
        )]));
        let mut all = one.clone();
        all.add(&one);
        assert_eq!(all.0[&key], Counts { tests: 4, below: [2, 0, 0], below_alike: [4, 2, 0] });
    }
}
