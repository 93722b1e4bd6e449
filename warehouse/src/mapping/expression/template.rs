//! Text with columns in braces.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray};
use serde::Deserialize;

use super::column_of;

/// `{ template = "{YEAR:4}-{MONTH:2}" }`: a number after the name fills up with zeros on the left.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Template {
    template: String,
}

/// One piece of a template.
#[derive(Debug, Clone, Copy)]
enum Piece<'a> {
    Text(&'a str),
    Column { name: &'a str, width: usize },
}

/// The widest that a value is filled up to: a template is no way to make long texts.
const WIDEST: usize = 20;

impl Template {
    fn pieces(&self) -> Vec<Piece<'_>> {
        let mut pieces = Vec::new();
        let mut rest = self.template.as_str();
        while let Some((text, after)) = rest.split_once('{') {
            let Some((inside, after)) = after.split_once('}') else { break };
            let (name, width) = inside.split_once(':').unwrap_or((inside, "0"));
            let width = width.parse().unwrap_or(0).min(WIDEST);
            pieces.extend([Piece::Text(text), Piece::Column { name, width }]);
            rest = after;
        }
        pieces.push(Piece::Text(rest));
        pieces
    }

    /// The columns that stand in braces.
    pub(super) fn columns(&self) -> impl Iterator<Item = &str> {
        let name = |piece| match piece {
            Piece::Column { name, .. } => Some(name),
            Piece::Text(_) => None,
        };
        self.pieces().into_iter().filter_map(name)
    }

    pub(super) fn for_each_column(&mut self, change: &mut dyn FnMut(&mut String)) {
        let mut changed = String::new();
        for piece in self.pieces() {
            match piece {
                Piece::Text(text) => changed.push_str(text),
                Piece::Column { name, width } => {
                    let mut name = name.to_owned();
                    change(&mut name);
                    changed.push_str(&match width {
                        0 => format!("{{{name}}}"),
                        width => format!("{{{name}:{width}}}"),
                    });
                }
            }
        }
        self.template = changed;
    }

    pub(super) fn texts(&self, batch: &RecordBatch) -> ArrayRef {
        let pieces = self.pieces();
        let columns: Vec<Option<ArrayRef>> = pieces
            .iter()
            .map(|piece| match piece {
                Piece::Column { name, .. } => Some(column_of(batch, name)),
                Piece::Text(_) => None,
            })
            .collect();
        let text_of = |row: usize| {
            pieces.iter().zip(&columns).try_fold(String::new(), |made, (piece, column)| {
                match (piece, column) {
                    (Piece::Column { width, .. }, Some(column)) => {
                        let column = column.as_string::<i32>();
                        (!column.is_null(row)).then(|| format!("{made}{:0>width$}", column.value(row)))
                    }
                    (Piece::Text(text), _) => Some(made + text),
                    (Piece::Column { .. }, None) => None,
                }
            })
        };
        let texts: StringArray = (0..batch.num_rows()).map(text_of).collect();
        Arc::new(texts)
    }
}
