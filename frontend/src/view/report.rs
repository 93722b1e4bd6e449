//! A page of sections, each a figure and a table over the same rows: enrolment, safety, missing data.

use serde::{Deserialize, Serialize};

use super::{Choice, Definition, Downloads, Frame, KeyCount};

/// What such a page needs.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ReportView {
    /// The frame.
    pub frame: Frame,
    /// The heading.
    pub title: String,
    /// What the page answers, in a sentence.
    pub lead: String,
    /// Where it belongs, when it is no tab of its own: address and label.
    pub above: Option<Choice>,
    /// The figures at the top.
    pub counts: Vec<KeyCount>,
    /// The sections, in order. Without any the page says what is needed.
    pub sections: Vec<Section>,
    /// What the study's data must hold for this page; shown when there is nothing.
    pub needs: String,
    /// How the numbers are made.
    pub definition: Definition,
}

/// One section.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Section {
    /// Its name in the address.
    pub id: String,
    /// Its heading.
    pub title: String,
    /// What to know before reading it; may be empty.
    pub note: String,
    /// Its figure.
    pub plot: Option<Plot>,
    /// Its table; without rows `empty` is shown.
    pub table: Table,
    /// Whether the table is folded below the figure, which says the same.
    pub is_folded: bool,
    /// Why there are no rows.
    pub empty: String,
    /// The mart as a file.
    pub downloads: Downloads,
}

/// A table.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Table {
    /// The heads of the columns.
    pub heads: Vec<String>,
    /// The rows, one cell for each head. The first cell names the row.
    pub rows: Vec<Vec<Cell>>,
    /// How many rows there are where not all are shown.
    pub of: Option<u64>,
}

/// One cell. Numbers are shown as the rest of the product shows them.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub enum Cell {
    /// Nothing.
    #[default]
    Empty,
    /// Words.
    Text(String),
    /// Words of a row below the one before: a term of a body system.
    Below(String),
    /// A whole number.
    Count(u64),
    /// A measure or a rate.
    Number(f64),
    /// A fraction of one.
    Share(f64),
    /// A probability.
    P(f64),
    /// Limits of a share.
    ShareBetween(f64, f64),
    /// Limits of a number.
    Between(f64, f64),
    /// A verdict that asks for attention.
    Alarm(String),
}

/// A figure.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Plot {
    /// What it shows, for those who do not see it.
    pub label: String,
    /// What stands below it.
    pub caption: String,
    /// The title of the axis across.
    pub across: String,
    /// The title of the axis up.
    pub up: String,
    /// Whether the axis up counts shares.
    pub is_share: bool,
    /// Whether both axes are logarithmic.
    pub is_logarithmic: bool,
    /// The lines, in drawing order.
    pub lines: Vec<Line>,
    /// Straight lines that mark a limit: across the figure at a height, or up it at a place.
    pub limits: Vec<Limit>,
}

/// A line, or points without one.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Line {
    /// Its name, which stands at its end.
    pub name: String,
    /// Its colour and kind.
    pub kind: LineKind,
    /// Where, across: a number or a day.
    pub x: Vec<Place>,
    /// How high.
    pub y: Vec<f64>,
    /// The limits around it, as far as they are known.
    pub band: Vec<(f64, f64)>,
    /// What each point says; may be empty.
    pub says: Vec<String>,
}

/// A place on the axis across.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Place {
    /// A number.
    Number(f64),
    /// A day: `2025-09-30`.
    Day(String),
}

/// How a line is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum LineKind {
    /// The line that the figure is about.
    #[default]
    Main,
    /// One of several.
    Other,
    /// What is expected and not yet seen.
    Forecast,
    /// A curve that holds its height until the next point.
    Steps,
    /// One of several such curves.
    OtherSteps,
    /// Points.
    Points,
    /// Points that ask for attention.
    Alarms,
}

/// A straight line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Limit {
    /// At a height, with its name.
    Height(f64, String),
    /// At a place across, with its name.
    Across(f64, String),
}
