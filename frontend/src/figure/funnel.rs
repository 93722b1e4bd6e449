//! One indicator over all sites, or groups of another level: the metric against the denominator, with the limits.

use plotly::Scatter;
use plotly::common::{DashType, HoverInfo, Line, Marker, MarkerSymbol, Mode, Position};
use plotly::layout::{AxisType, Legend};
use serde_json::Value;

use super::{Figure, axis, flag_colour, label, layout, value};
use crate::view::{Bound, Flag, IndicatorView, Metric, Signal, SiteRow};
use crate::{format, link, verdict};

/// Flagged sites that are named in the figure; the others are named on hover.
const NAMED_MAX: usize = 6;

/// The funnel of an indicator; `None` when no site has a denominator and a metric.
#[must_use]
pub fn funnel(view: &IndicatorView) -> Option<Figure> {
    let points = points(view);
    if points.is_empty() {
        return None;
    }
    let scale = verdict::metric_scale(&view.indicator);
    let mut traces: Vec<Value> = view.bounds.iter().map(|bound| bound_trace(view, bound, scale)).collect();
    let mut flags = Flag::ALL;
    // Drawn last, the most urgent lie on top.
    flags.reverse();
    traces.extend(flags.into_iter().filter_map(|flag| flag_trace(view, &points, flag)));
    traces.extend(selected_trace(view, &points));
    let (low, high) = denominators(&points);
    let ticks = decade_ticks(low, high);
    let x_axis = axis(&format!("{} (log scale)", sentence_case(&view.indicator.denominator)))
        .type_(AxisType::Log)
        .range(vec![low.log10(), high.log10()])
        .tick_values(ticks.clone())
        .tick_text(ticks.iter().map(|tick| format::quantity(*tick)).collect::<Vec<_>>());
    let suffix = if view.indicator.metric == Metric::Share { "%" } else { "" };
    let y_axis = axis(&sentence_case(&verdict::metric_unit(&view.indicator)))
        .tick_suffix(suffix)
        .range(metric_range(view, &points, (low, high)));
    let legend = Legend::new().orientation(plotly::common::Orientation::Horizontal).x(0.0).y(1.14);
    let layout = layout(460, x_axis, y_axis).legend(legend).show_legend(true);
    let described = format!(
        "{} of each {} against {} on a logarithmic axis, with limits",
        view.indicator.title,
        view.query.level.groups().0,
        view.indicator.denominator
    );
    Some(Figure::new("funnel", described, traces, &layout))
}

#[derive(Clone, Copy)]
struct Point<'a> {
    site: &'a SiteRow,
    signal: &'a Signal,
    denominator: f64,
    metric: f64,
}

/// Sites that have a place in the figure, the most urgent and farthest first.
fn points(view: &IndicatorView) -> Vec<Point<'_>> {
    let scale = verdict::metric_scale(&view.indicator);
    let mut points: Vec<Point<'_>> = view
        .sites
        .iter()
        .filter_map(|site| {
            let signal = site.signals.first()?;
            let denominator = signal.denominator.filter(|denominator| *denominator > 0.0)?;
            let metric = signal.metric.filter(|metric| metric.is_finite())? * scale;
            Some(Point { site, signal, denominator, metric })
        })
        .collect();
    let size = |point: &Point<'_>| point.signal.score.map_or(0.0, f64::abs);
    points.sort_by(|a, b| {
        let urgency = verdict::urgency(a.signal.flag).cmp(&verdict::urgency(b.signal.flag));
        urgency.then(size(b).total_cmp(&size(a))).then_with(|| a.site.site.cmp(&b.site.site))
    });
    points
}

fn bound_trace(view: &IndicatorView, bound: &Bound, scale: f64) -> Value {
    let (name, dash, colour) = if bound.threshold == 0.0 {
        ("Study".to_owned(), DashType::Solid, "var(--ink-soft)".to_owned())
    } else {
        let flags = verdict::threshold_flags(&view.indicator);
        let flag = flags.iter().find(|(threshold, _)| *threshold == bound.threshold);
        let flag = flag.map_or(Flag::None, |(_, flag)| *flag);
        let dash = if flag.is_red() { DashType::Dash } else { DashType::Dot };
        let threshold = verdict::threshold(&view.indicator, bound.threshold);
        (format!("Limit {threshold}, {}", verdict::colour(flag)), dash, flag_colour(flag))
    };
    let x: Vec<f64> = bound.points.iter().map(|point| point.denominator).collect();
    let y: Vec<f64> = bound.points.iter().map(|point| point.metric * scale).collect();
    let line = Line::new().width(1.5).dash(dash).color(colour);
    value(&*Scatter::new(x, y).mode(Mode::Lines).name(name).line(line).hover_info(HoverInfo::Skip))
}

fn flag_trace(view: &IndicatorView, points: &[Point<'_>], flag: Flag) -> Option<Value> {
    let of_flag: Vec<&Point<'_>> = points.iter().filter(|point| point.signal.flag == flag).collect();
    if of_flag.is_empty() {
        return None;
    }
    let urgent = flag.is_red() || flag.is_amber();
    let named = points.iter().map(|point| point.site.site.as_str()).take(NAMED_MAX);
    // The site that was asked for has its name at its ring.
    let named: Vec<&str> = named.filter(|site| urgent && view.query.site.as_deref() != Some(site)).collect();
    let texts = of_flag.iter().map(|point| {
        let site = point.site.site.as_str();
        if named.contains(&site) { label(site) } else { String::new() }
    });
    let texts: Vec<String> = texts.collect();
    let marker = Marker::new()
        .symbol(symbol(flag))
        .size(if urgent { 11 } else { 8 })
        .color(flag_colour(flag))
        .line(Line::new().width(1.0).color("var(--surface)"));
    let name = format!("{} {}", verdict::sign(flag), sentence_case(verdict::words(flag)));
    let trace = scatter(view, &of_flag)
        .mode(if urgent { Mode::MarkersText } else { Mode::Markers })
        .name(name.trim())
        .marker(marker)
        .text_array(texts)
        .text_position(name_position(flag));
    Some(value(&*trace))
}

fn selected_trace(view: &IndicatorView, points: &[Point<'_>]) -> Option<Value> {
    let wanted = view.query.site.as_deref()?;
    let point = points.iter().find(|point| point.site.site == wanted)?;
    let marker = Marker::new()
        .symbol(MarkerSymbol::CircleOpen)
        .size(22)
        .color("var(--accent)")
        .line(Line::new().width(3.0).color("var(--accent)"));
    let trace = scatter(view, &[point])
        .mode(Mode::MarkersText)
        .name(label(&view.query.level.group(wanted)))
        .marker(marker)
        .text_array(vec![label(&view.query.level.group(wanted))])
        .text_position(Position::BottomCenter);
    Some(value(&*trace))
}

fn scatter(view: &IndicatorView, points: &[&Point<'_>]) -> Box<Scatter<f64, f64>> {
    let study = view.frame.study_key();
    let x: Vec<f64> = points.iter().map(|point| point.denominator).collect();
    let y: Vec<f64> = points.iter().map(|point| point.metric).collect();
    let links = points
        .iter()
        .map(|point| link::indicator_group(study, &view.indicator.id, &view.query, &point.site.site));
    let hovers = points.iter().map(|point| hover_text(view, point));
    Scatter::new(x, y)
        .custom_data(links.collect::<Vec<String>>())
        .hover_text_array(hovers.collect::<Vec<String>>())
        .hover_info(HoverInfo::Text)
}

fn hover_text(view: &IndicatorView, point: &Point<'_>) -> String {
    let indicator = &view.indicator;
    let quantity = |value: Option<f64>| value.map_or_else(|| format::NO_VALUE.to_owned(), format::quantity);
    format!(
        "{} {}<br>{} {} over {} {}<br>{} {}<br>{} {}, {}",
        label(&view.query.level.group(&point.site.site)),
        label(&point.site.country),
        quantity(point.signal.numerator),
        label(&indicator.numerator),
        quantity(point.signal.denominator),
        label(&indicator.denominator),
        verdict::metric(indicator, point.signal.metric),
        label(&verdict::metric_unit(indicator)),
        verdict::score_name(indicator),
        verdict::score(indicator, point.signal),
        verdict::words(point.signal.flag),
    )
}

/// A name stands on the far side of the limits.
const fn name_position(flag: Flag) -> Position {
    match flag {
        Flag::LowRed | Flag::LowAmber => Position::BottomCenter,
        _ => Position::TopCenter,
    }
}

const fn symbol(flag: Flag) -> MarkerSymbol {
    match flag {
        Flag::HighRed | Flag::HighAmber => MarkerSymbol::TriangleUp,
        Flag::LowRed | Flag::LowAmber => MarkerSymbol::TriangleDown,
        Flag::None => MarkerSymbol::Circle,
        Flag::NotEnough | Flag::NotAvailable => MarkerSymbol::CircleOpen,
    }
}

/// The smallest and the largest denominator with a margin: the sites fill the axis, whatever the limits
/// reach to.
fn denominators(points: &[Point<'_>]) -> (f64, f64) {
    let (low, high) = span(points.iter().map(|point| point.denominator));
    let margin = (high / low).powf(0.06).max(1.25);
    (low / margin, high * margin)
}

/// Metrics of the sites, and of the limits where there are sites.
fn metric_range(view: &IndicatorView, points: &[Point<'_>], (low, high): (f64, f64)) -> Vec<f64> {
    let scale = verdict::metric_scale(&view.indicator);
    let limits = view.bounds.iter().flat_map(|bound| &bound.points);
    let limits =
        limits.filter(|point| (low..=high).contains(&point.denominator)).map(|point| point.metric * scale);
    let (bottom, top) = span(points.iter().map(|point| point.metric).chain(limits));
    let margin = ((top - bottom) * 0.1).max(f64::EPSILON);
    vec![bottom - margin, top + margin]
}

fn span(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)))
}

/// 1, 2 and 5 of every power of ten between two positive values.
fn decade_ticks(low: f64, high: f64) -> Vec<f64> {
    let mut decade = 10_f64.powf(low.log10().floor());
    let mut ticks = Vec::new();
    while decade <= high {
        ticks.extend(
            [1.0, 2.0, 5.0].map(|step| step * decade).into_iter().filter(|tick| (low..=high).contains(tick)),
        );
        decade *= 10.0;
    }
    ticks
}

pub(crate) fn sentence_case(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

#[cfg(test)]
mod tests;
