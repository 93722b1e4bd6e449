//! Figures: pure functions from a view to Plotly JSON. Colours are names of style-sheet tokens, such as
//! `var(--ink)`, which the drawing script resolves for the theme in force. `customdata` holds the address
//! a click leads to.
pub mod funnel;
pub mod missingness;
pub mod ranking;
pub mod report;

use plotly::Layout;
use plotly::common::Font;
use plotly::layout::{Axis, Margin};
use serde::Serialize;
use serde_json::{Value, json};

pub use funnel::funnel;
pub(crate) use funnel::sentence_case;
pub use missingness::missingness_heatmap;
pub use ranking::ranking;
pub use report::plot;

use crate::verdict;
use crate::view::Flag;

/// A figure ready to be drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// Its name on the page.
    pub id: &'static str,
    /// What it shows, for those who do not see it.
    pub label: String,
    /// Traces and layout for Plotly.
    pub json: Value,
}

impl Figure {
    fn new(id: &'static str, label: String, traces: Vec<Value>, layout: &Layout) -> Self {
        Self { id, label, json: json!({ "data": Value::Array(traces), "layout": value(layout) }) }
    }

    /// The JSON for a data block in a page. No text in it can end the block or start a comment.
    #[must_use]
    pub fn data_block(&self) -> String {
        let json = self.json.to_string();
        let mut escaped = String::with_capacity(json.len() + json.len() / 16);
        // In JSON these characters stand inside strings only, where the escape means the same.
        for character in json.chars() {
            match character {
                '<' => escaped.push_str("\\u003c"),
                '>' => escaped.push_str("\\u003e"),
                '&' => escaped.push_str("\\u0026"),
                '\u{2028}' => escaped.push_str("\\u2028"),
                '\u{2029}' => escaped.push_str("\\u2029"),
                other => escaped.push(other),
            }
        }
        escaped
    }
}

/// A trace or layout as JSON.
fn value(part: &impl Serialize) -> Value {
    serde_json::to_value(part).expect("parts of a figure have text keys")
}

/// Text for a label. Plotly reads a few tags in labels, so what looks like one is taken literally.
fn label(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The colour token of a flag.
fn flag_colour(flag: Flag) -> String {
    format!("var(--mark-{})", verdict::class(flag))
}

/// What every figure has in common.
fn layout(height: usize, x_axis: Axis, y_axis: Axis) -> Layout {
    Layout::new()
        .height(height)
        .auto_size(true)
        .font(Font::new().family("var(--font)").size(13).color("var(--ink)"))
        .paper_background_color("rgba(0,0,0,0)")
        .plot_background_color("rgba(0,0,0,0)")
        .margin(Margin::new().left(64).right(24).top(24).bottom(56))
        .hover_label(
            plotly::common::Label::new()
                .background_color("var(--surface)")
                .border_color("var(--line-strong)")
                .font(Font::new().family("var(--font)").size(13).color("var(--ink)")),
        )
        .x_axis(x_axis)
        .y_axis(y_axis)
}

/// An axis with its title and unit.
fn axis(title: &str) -> Axis {
    Axis::new()
        .title(plotly::common::Title::with_text(label(title)))
        .grid_color("var(--line)")
        .line_color("var(--line-strong)")
        .tick_color("var(--line-strong)")
        .zero_line(false)
        .auto_margin(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_data_block_cannot_be_left() {
        let hostile = "</script><b>&\u{2028}\u{2029}<!--";
        let figure = Figure { id: "x", label: String::new(), json: json!({ "text": hostile }) };
        let block = figure.data_block();
        assert!(!block.contains(['<', '>', '&', '\u{2028}', '\u{2029}']), "{block}");
        let read: Value = serde_json::from_str(&block).expect("still JSON");
        assert_eq!(read["text"], hostile);
    }

    #[test]
    fn labels_are_taken_literally() {
        assert_eq!(label("<b>A&B</b>"), "&lt;b&gt;A&amp;B&lt;/b&gt;");
    }
}
