//! From which category at baseline to which worst one after it.

use crate::error::MeasureError;

/// Subjects by baseline category and worst category after baseline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShiftTable {
    categories: usize,
    // INVARIANT: (categories + 1)² counts by rows of baseline; the last row and column are the missing ones.
    counts: Vec<u64>,
}

impl ShiftTable {
    /// Subjects who went from one category to another; none stands for a category that is not known.
    #[must_use]
    pub fn count(&self, baseline: Option<usize>, worst: Option<usize>) -> u64 {
        let place = |category: Option<usize>| category.unwrap_or(self.categories);
        let (row, column) = (place(baseline), place(worst));
        if row > self.categories || column > self.categories {
            return 0;
        }
        self.counts[row * (self.categories + 1) + column]
    }

    /// Subjects of one baseline category, whose worst category may be missing: what a row's shares are of.
    #[must_use]
    pub fn of_baseline(&self, baseline: Option<usize>) -> u64 {
        (0..self.categories).map(Some).chain([None]).map(|worst| self.count(baseline, worst)).sum()
    }

    /// The number of categories, without the missing one.
    #[must_use]
    pub fn categories(&self) -> usize {
        self.categories
    }
}

/// Counts subjects, one element of both slices each, by category at baseline and worst category after it. The
/// categories are numbered from 0; none is a value that is missing, and is counted as such.
///
/// # Errors
/// For slices that do not pair, for a category that is not below `categories`, and for more than a thousand of them.
// Source: PHUSE white paper, "Analyses and displays associated with measures of central tendency / outliers or shifts",
// shift from baseline to the worst post-baseline category.
pub fn shift_table(
    baseline: &[Option<usize>],
    worst: &[Option<usize>],
    categories: usize,
) -> Result<ShiftTable, MeasureError> {
    const LIMIT: usize = 1000;
    if categories > LIMIT {
        return Err(MeasureError::TooMany { what: "categories", found: categories, limit: LIMIT });
    }
    if baseline.len() != worst.len() {
        return Err(MeasureError::Unpaired {
            what: "worst categories",
            length: worst.len(),
            expected: baseline.len(),
        });
    }
    let mut counts = vec![0; (categories + 1) * (categories + 1)];
    for (index, pair) in baseline.iter().zip(worst).enumerate() {
        let place = |category: Option<usize>| match category {
            Some(known) if known >= categories => {
                Err(MeasureError::OutOfRange { what: "category", index, value: known as f64 })
            }
            Some(known) => Ok(known),
            None => Ok(categories),
        };
        counts[place(*pair.0)? * (categories + 1) + place(*pair.1)?] += 1;
    }
    Ok(ShiftTable { categories, counts })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_subject_is_in_one_cell() {
        let baseline = [Some(0), Some(0), Some(1), None, Some(0)];
        let worst = [Some(1), Some(1), Some(0), Some(1), None];
        let table = shift_table(&baseline, &worst, 2).expect("the categories are known");
        assert_eq!(table.count(Some(0), Some(1)), 2);
        assert_eq!(table.count(Some(0), None), 1);
        assert_eq!(table.count(None, Some(1)), 1);
        assert_eq!(table.of_baseline(Some(0)), 3);
        let all: u64 = [Some(0), Some(1), None].into_iter().map(|row| table.of_baseline(row)).sum();
        assert_eq!(all, 5);
        assert_eq!(table.count(Some(7), Some(0)), 0);
    }

    #[test]
    fn an_unknown_category_is_refused() {
        assert!(shift_table(&[Some(2)], &[Some(0)], 2).is_err());
        assert!(shift_table(&[Some(0)], &[], 2).is_err());
        assert!(shift_table(&[], &[], usize::MAX).is_err());
    }
}
