//! What the pages of sections share: the tables they read, and cells of what may not be known.

use flight::published::Visible;
use frontend::view::Cell;
use kernel::{Read, StudyScope};

use crate::app::App;
use crate::error::Result;
use crate::mart_rows::Rows;

/// The snapshot that a page reads.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) app: &'a App,
    pub(super) scope: &'a StudyScope<Read>,
    pub(super) visible: &'a Visible,
}

impl Source<'_> {
    /// A table of the snapshot; no rows when it does not have it.
    pub(super) async fn table(&self, name: &str) -> Result<Rows> {
        self.app.mart_rows.table(self.scope, self.visible, name).await
    }
}

/// Columns of numbers by their names.
pub(super) struct Numbers<'a> {
    rows: &'a Rows,
}

impl<'a> Numbers<'a> {
    pub(super) fn of(rows: &'a Rows) -> Self {
        Self { rows }
    }

    /// A column, cell by cell.
    pub(super) fn cells(&self, name: &str, cell: fn(f64) -> Cell) -> Vec<Cell> {
        self.rows.numbers(name).into_iter().map(|number| number.map_or(Cell::Empty, cell)).collect()
    }
}

/// A whole number.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts are whole and not negative"
)]
pub(super) fn count(number: f64) -> Cell {
    Cell::Count(number.max(0.0) as u64)
}

/// Words, or nothing.
pub(super) fn text(text: &str) -> Cell {
    if text.is_empty() { Cell::Empty } else { Cell::Text(text.to_owned()) }
}

/// Limits, where both are known.
pub(super) fn limits(low: Option<f64>, high: Option<f64>, cell: fn(f64, f64) -> Cell) -> Cell {
    low.zip(high).map_or(Cell::Empty, |(low, high)| cell(low, high))
}

/// The heads of a table.
pub(super) fn heads<const N: usize>(heads: [&str; N]) -> Vec<String> {
    heads.iter().map(|head| (*head).to_owned()).collect()
}
