//! Missing values added up to what the page shows. Percentages are computed here and nowhere else.

use std::collections::BTreeMap;

use crate::query::{Basis, QualityQuery, QualitySort, RowsBy};
use crate::view::{Choice, MissingnessRow, VisitLabel};

/// One cell of the heat map: a variable or a site at a visit.
#[derive(Debug, Clone, PartialEq)]
pub struct MissingCell {
    /// The variable or site.
    pub row: Choice,
    /// The visit.
    pub visit: VisitLabel,
    /// The counts.
    pub counts: MissingCounts,
}

/// Counts of expected, received and missing values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MissingCounts {
    /// Values the schedule asks for.
    pub expected: u64,
    /// Values on pages that were received.
    pub received: u64,
    /// Values that are there.
    pub observed: u64,
    /// Values missing on a page that was received.
    pub item_missing: u64,
    /// Values missing because the visit or page was not received.
    pub visit_missing: u64,
}

impl MissingCounts {
    /// The counts of one row.
    #[must_use]
    pub const fn of(row: &MissingnessRow) -> Self {
        Self {
            expected: row.n_expected,
            received: row.n_received,
            observed: row.n_observed,
            item_missing: row.n_item_missing,
            visit_missing: row.n_visit_missing,
        }
    }

    /// What is missing on this basis: of the expected, items and whole visits; of the received, items.
    #[must_use]
    pub const fn missing(&self, basis: Basis) -> u64 {
        match basis {
            Basis::Expected => self.item_missing.saturating_add(self.visit_missing),
            Basis::Received => self.item_missing,
        }
    }

    /// What the missing values are a share of.
    #[must_use]
    pub const fn denominator(&self, basis: Basis) -> u64 {
        match basis {
            Basis::Expected => self.expected,
            Basis::Received => self.received,
        }
    }

    /// The share that is missing; `None` when nothing was expected or received.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a study has fewer than 2^52 values")]
    pub fn share(&self, basis: Basis) -> Option<f64> {
        let denominator = self.denominator(basis);
        (denominator > 0).then(|| self.missing(basis) as f64 / denominator as f64)
    }

    fn add(&mut self, other: Self) {
        self.expected = self.expected.saturating_add(other.expected);
        self.received = self.received.saturating_add(other.received);
        self.observed = self.observed.saturating_add(other.observed);
        self.item_missing = self.item_missing.saturating_add(other.item_missing);
        self.visit_missing = self.visit_missing.saturating_add(other.visit_missing);
    }
}

/// The counts of all rows together.
#[must_use]
pub fn total(rows: &[MissingnessRow]) -> MissingCounts {
    rows.iter().fold(MissingCounts::default(), |mut sum, row| {
        sum.add(MissingCounts::of(row));
        sum
    })
}

/// One cell per variable (or site) and visit, in the query's order.
#[must_use]
pub fn cells(query: &QualityQuery, rows: &[MissingnessRow]) -> Vec<MissingCell> {
    let mut sums: BTreeMap<(String, String), MissingCell> = BTreeMap::new();
    for row in rows {
        let head = heading(query.rows, row);
        let cell = sums.entry((head.key.clone(), row.visit.key.clone())).or_insert_with(|| MissingCell {
            row: head.clone(),
            visit: row.visit.clone(),
            counts: MissingCounts::default(),
        });
        cell.counts.add(MissingCounts::of(row));
    }
    let mut cells: Vec<MissingCell> = sums.into_values().collect();
    cells.sort_by(|a, b| in_order(query, a, b));
    cells
}

/// The rows of the heat map, most missing values first.
#[must_use]
pub fn headings(query: &QualityQuery, cells: &[MissingCell]) -> Vec<Choice> {
    let mut sums: BTreeMap<String, (Choice, u64)> = BTreeMap::new();
    for cell in cells {
        let sum = sums.entry(cell.row.key.clone()).or_insert_with(|| (cell.row.clone(), 0));
        sum.1 = sum.1.saturating_add(cell.counts.missing(query.basis));
    }
    let mut headings: Vec<(Choice, u64)> = sums.into_values().collect();
    headings
        .sort_by(|(a, a_missing), (b, b_missing)| b_missing.cmp(a_missing).then_with(|| a.key.cmp(&b.key)));
    headings.into_iter().map(|(heading, _)| heading).collect()
}

/// The visits of the heat map, in the order of the schedule.
#[must_use]
pub fn visits(cells: &[MissingCell]) -> Vec<VisitLabel> {
    let mut visits: Vec<VisitLabel> = Vec::new();
    for cell in cells {
        if !visits.iter().any(|visit| visit.key == cell.visit.key) {
            visits.push(cell.visit.clone());
        }
    }
    visits.sort_by(by_schedule);
    visits
}

/// The share at the end of the colour scale: the largest one, and at least one in a hundred.
#[must_use]
pub fn share_max(cells: &[MissingCell], basis: Basis) -> f64 {
    cells.iter().filter_map(|cell| cell.counts.share(basis)).fold(0.01, f64::max)
}

/// Rows with the most missing values, at the grain they came in.
#[must_use]
pub fn worst_rows(query: &QualityQuery, rows: &[MissingnessRow], limit: usize) -> Vec<MissingnessRow> {
    let missing = |row: &MissingnessRow| MissingCounts::of(row).missing(query.basis);
    let key = |row: &MissingnessRow| (row.variable.key.clone(), row.site.key.clone(), row.visit.key.clone());
    let mut worst: Vec<&MissingnessRow> = rows.iter().filter(|row| missing(row) > 0).collect();
    worst.sort_by(|a, b| missing(b).cmp(&missing(a)).then_with(|| key(a).cmp(&key(b))));
    worst.into_iter().take(limit).cloned().collect()
}

fn heading(rows: RowsBy, row: &MissingnessRow) -> &Choice {
    match rows {
        RowsBy::Variable => &row.variable,
        RowsBy::Site => &row.site,
    }
}

fn in_order(query: &QualityQuery, a: &MissingCell, b: &MissingCell) -> std::cmp::Ordering {
    let missing = |cell: &MissingCell| cell.counts.missing(query.basis);
    let share = |cell: &MissingCell| cell.counts.share(query.basis).unwrap_or(-1.0);
    let by_missing = missing(b).cmp(&missing(a));
    let by_name = a.row.label.cmp(&b.row.label);
    let by_visit = by_schedule(&a.visit, &b.visit);
    let order = match query.sort {
        QualitySort::Missing => by_missing.then(share(b).total_cmp(&share(a))),
        QualitySort::Share => share(b).total_cmp(&share(a)).then(by_missing),
        QualitySort::Name => by_name.then(by_visit),
        QualitySort::Visit => by_visit.then(by_missing),
    };
    order.then_with(|| (&a.row.key, &a.visit.key).cmp(&(&b.row.key, &b.visit.key)))
}

fn by_schedule(a: &VisitLabel, b: &VisitLabel) -> std::cmp::Ordering {
    a.order.total_cmp(&b.order).then_with(|| a.key.cmp(&b.key))
}

#[cfg(test)]
mod tests;
