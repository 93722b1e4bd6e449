//! Numbers for combinations of values, by which rows are grouped and joined in one pass.

use rustc_hash::FxHashMap;

use super::Column;
use crate::pool::Sym;

/// Gives each combination of values a number, in the order of their first appearance.
#[derive(Debug)]
pub(crate) struct KeyIndex {
    /// One step for each column: the number so far and a value give the next number.
    steps: Vec<FxHashMap<(u32, Sym), u32>>,
}

impl KeyIndex {
    /// An index over combinations of `columns` values; at least one.
    pub(crate) fn new(columns: usize) -> Self {
        Self { steps: vec![FxHashMap::default(); columns.max(1)] }
    }

    /// The number of a combination, which is new if it was not seen before.
    pub(crate) fn insert(&mut self, key: impl IntoIterator<Item = Sym>) -> u32 {
        let mut id = 0;
        for (step, sym) in self.steps.iter_mut().zip(key) {
            let next = u32::try_from(step.len()).unwrap_or(u32::MAX);
            id = *step.entry((id, sym)).or_insert(next);
        }
        id
    }

    /// The number of a combination that was seen before.
    pub(crate) fn find(&self, key: impl IntoIterator<Item = Sym>) -> Option<u32> {
        let mut id = 0;
        for (step, sym) in self.steps.iter().zip(key) {
            id = *step.get(&(id, sym))?;
        }
        Some(id)
    }
}

/// Rows grouped by the values of some columns.
#[derive(Debug)]
pub(crate) struct Grouping {
    /// The group of each row.
    pub(crate) of_row: Vec<u32>,
    /// The rows of each group, in order; groups stand in the order of their first row.
    pub(crate) groups: Vec<Vec<u32>>,
}

impl Grouping {
    pub(crate) fn by(columns: &[&Column<'_>], rows: usize) -> Self {
        let mut index = KeyIndex::new(columns.len());
        let mut grouping = Self { of_row: Vec::with_capacity(rows), groups: Vec::new() };
        for row in 0..rows {
            let id = index.insert(columns.iter().map(|column| column.cell(row)));
            if id as usize == grouping.groups.len() {
                grouping.groups.push(Vec::new());
            }
            grouping.of_row.push(id);
            grouping.groups[id as usize].push(u32::try_from(row).unwrap_or(u32::MAX));
        }
        grouping
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pool::Pool;

    #[test]
    fn rows_are_grouped_by_all_columns_in_the_order_of_their_first() {
        let mut pool = Pool::new();
        let [a, b] = ["a", "b"].map(|text| pool.text(text).unwrap());
        let (one, two) = ([a, b, a, a], [a, a, b, a]);
        let grouping = Grouping::by(&[&Column::Slice(&one), &Column::Slice(&two)], 4);
        assert_eq!(grouping.groups, [vec![0, 3], vec![1], vec![2]]);
        assert_eq!(grouping.of_row, [0, 1, 2, 0]);
    }

    #[test]
    fn a_key_that_was_not_inserted_is_not_found() {
        let mut pool = Pool::new();
        let [a, b] = ["a", "b"].map(|text| pool.text(text).unwrap());
        let mut index = KeyIndex::new(2);
        assert_eq!(index.insert([a, b]), 0);
        assert_eq!(index.insert([b, b]), 1);
        assert_eq!(index.find([b, b]), Some(1));
        assert_eq!(index.find([b, a]), None);
    }
}
