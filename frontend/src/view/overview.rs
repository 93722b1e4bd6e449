//! One study at a glance.

use serde::{Deserialize, Serialize};

use super::{BatchRow, Frame, Indicator, SiteRow, TableRow};

/// What the overview of a study needs.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct OverviewView {
    /// The frame.
    pub frame: Frame,
    /// The study's title.
    pub title: String,
    /// The figures at the top, in order: sites, subjects screened, enrolled, discontinued, adverse events...
    pub counts: Vec<KeyCount>,
    /// The indicators, in catalogue order; the sites' signals are in the same order.
    pub indicators: Vec<Indicator>,
    /// Every site, or at least those with a flag; the page ranks them and keeps five.
    pub sites: Vec<SiteRow>,
    /// The last loads, newest first.
    pub batches: Vec<BatchRow>,
    /// The tables of the snapshot.
    pub tables: Vec<TableRow>,
    /// How to pull a table over Arrow Flight from Python; empty shows no box.
    pub flight_snippet: String,
}

/// One figure with its name.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct KeyCount {
    /// What is counted: `Subjects enrolled`.
    pub label: String,
    /// How many; `None` says that the source does not hold it.
    pub count: Option<u64>,
    /// A second line: `7 % of enrolled`; may be empty.
    pub note: String,
    /// Where the figure is explained.
    pub href: Option<String>,
}
