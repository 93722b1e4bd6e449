//! Curves with their bands, and clouds of points with limits.

use serde_json::{Value, json};

use super::{Figure, axis, label, layout, value};
use crate::view::{Limit, Line, LineKind, Place, Plot};

const HEIGHT: usize = 380;

/// The figure of a section; `None` when it has no point.
#[must_use]
pub fn plot(id: &'static str, plot: &Plot) -> Option<Figure> {
    if plot.lines.iter().all(|line| line.x.is_empty()) {
        return None;
    }
    let scale = if plot.is_share { 100.0 } else { 1.0 };
    let traces: Vec<Value> = plot.lines.iter().flat_map(|line| traces(line, scale)).collect();
    let mut layout = value(&layout(HEIGHT, axis(&plot.across), axis(&plot.up)).show_legend(false));
    if plot.is_share {
        layout["yaxis"]["ticksuffix"] = json!("%");
        layout["yaxis"]["rangemode"] = json!("tozero");
    }
    if plot.is_logarithmic {
        layout["xaxis"]["type"] = json!("log");
        layout["yaxis"]["type"] = json!("log");
    }
    layout["margin"]["r"] = json!(96);
    layout["shapes"] = plot.limits.iter().map(|limit| shape(limit, scale)).collect();
    layout["annotations"] =
        plot.limits.iter().map(|limit| annotation(limit, scale, plot.is_logarithmic)).collect();
    Some(Figure { id, label: plot.label.clone(), json: json!({ "data": traces, "layout": layout }) })
}

/// The band below, then the line with its name at its end.
fn traces(line: &Line, scale: f64) -> Vec<Value> {
    let places: Vec<Value> = line.x.iter().map(place).collect();
    let shape = match line.kind {
        LineKind::Steps | LineKind::OtherSteps => "hv",
        _ => "linear",
    };
    let mut traces = Vec::new();
    if line.band.len() == line.x.len() && !line.band.is_empty() {
        let edge = |of: fn(&(f64, f64)) -> f64, fill: &str| {
            json!({
                "type": "scatter", "mode": "lines", "x": places,
                "y": line.band.iter().map(|limits| of(limits) * scale).collect::<Vec<f64>>(),
                "line": { "width": 0, "shape": shape }, "fill": fill, "fillcolor": "var(--accent-soft)",
                "hoverinfo": "skip"
            })
        };
        traces.push(edge(|limits| limits.0, "none"));
        traces.push(edge(|limits| limits.1, "tonexty"));
    }
    let heights: Vec<f64> = line.y.iter().map(|height| height * scale).collect();
    let (colour, dash) = style(line.kind);
    let is_cloud = matches!(line.kind, LineKind::Points | LineKind::Alarms);
    let mut trace = json!({
        "type": "scatter", "x": places, "y": heights, "name": label(&line.name),
        "mode": if is_cloud { "markers" } else { "lines+text" },
        "line": { "color": colour, "width": 2, "shape": shape, "dash": dash },
        "marker": { "color": colour, "size": 8 }, "hoverinfo": "x+y+name", "cliponaxis": false
    });
    if !line.says.is_empty() {
        trace["hovertext"] = line.says.iter().map(|said| label(said)).collect();
        trace["hoverinfo"] = json!("text");
    }
    if !is_cloud {
        let last = line.x.len().saturating_sub(1);
        let text = |place: usize| if place == last { label(&line.name) } else { String::new() };
        trace["text"] = (0..line.x.len()).map(text).collect();
        trace["textposition"] = json!("middle right");
        trace["textfont"] = json!({ "color": "var(--ink-soft)", "size": 12 });
    }
    traces.push(trace);
    traces
}

fn style(kind: LineKind) -> (&'static str, &'static str) {
    match kind {
        LineKind::Main | LineKind::Steps => ("var(--accent)", "solid"),
        LineKind::Other | LineKind::OtherSteps => ("var(--mark-none)", "solid"),
        LineKind::Forecast => ("var(--accent)", "dash"),
        LineKind::Points => ("var(--mark-none)", "solid"),
        LineKind::Alarms => ("var(--mark-high-red)", "solid"),
    }
}

fn place(place: &Place) -> Value {
    match place {
        Place::Number(number) => json!(number),
        Place::Day(day) => json!(day),
    }
}

fn shape(limit: &Limit, scale: f64) -> Value {
    let line = json!({ "color": "var(--mark-high-amber)", "width": 1.5, "dash": "dash" });
    match limit {
        Limit::Height(at, _) => json!({
            "type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": at * scale, "y1": at * scale, "line": line
        }),
        Limit::Across(at, _) => json!({
            "type": "line", "yref": "paper", "y0": 0, "y1": 1, "x0": at, "x1": at, "line": line
        }),
    }
}

/// The name of a limit. On a logarithmic axis the place of a name is a power of ten.
fn annotation(limit: &Limit, scale: f64, is_logarithmic: bool) -> Value {
    let at = |at: f64| if is_logarithmic { at.log10() } else { at };
    let font = json!({ "color": "var(--ink-soft)", "size": 12 });
    match limit {
        Limit::Height(height, name) => json!({
            "xref": "paper", "x": 0.01, "xanchor": "left", "y": at(height * scale), "yanchor": "bottom",
            "text": label(name), "showarrow": false, "font": font
        }),
        Limit::Across(place, name) => json!({
            "yref": "paper", "y": 1, "yanchor": "top", "x": at(*place), "xanchor": "left", "text": label(name),
            "showarrow": false, "font": font
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve() -> Plot {
        Plot {
            is_share: true,
            lines: vec![Line {
                name: "All <b>".to_owned(),
                kind: LineKind::Steps,
                x: vec![Place::Number(0.0), Place::Number(30.0)],
                y: vec![1.0, 0.9],
                band: vec![(1.0, 1.0), (0.8, 0.95)],
                says: Vec::new(),
            }],
            limits: vec![Limit::Height(0.93, "tolerated".to_owned())],
            ..Plot::default()
        }
    }

    #[test]
    fn a_curve_has_its_band_below_and_its_name_at_its_end() {
        let figure = plot("stay", &curve()).expect("there are points");
        let data = &figure.json["data"];
        assert_eq!(data[0]["y"], json!([100.0, 80.0]));
        assert_eq!(data[1]["fill"], "tonexty");
        assert_eq!(data[2]["text"], json!(["", "All &lt;b&gt;"]));
        assert_eq!(figure.json["layout"]["shapes"][0]["y0"], 93.0);
    }

    #[test]
    fn names_of_limits_stand_where_a_logarithmic_axis_has_them() {
        let logarithmic = Plot { is_logarithmic: true, is_share: false, ..curve() };
        let figure = plot("stay", &logarithmic).expect("there are points");
        let y = figure.json["layout"]["annotations"][0]["y"].as_f64().expect("a number");
        assert!((y - 0.93_f64.log10()).abs() < 1e-12);
    }

    #[test]
    fn nothing_seen_draws_nothing() {
        assert_eq!(plot("stay", &Plot::default()), None);
    }
}
