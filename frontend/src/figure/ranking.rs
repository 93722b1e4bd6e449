//! One indicator over all sites: bars from the largest to the smallest, with the thresholds.

use plotly::Bar;
use plotly::common::{DashType, HoverInfo, Marker};
use plotly::layout::{AxisType, BarMode, Shape, ShapeLine, ShapeType};
use serde_json::{Value, json};

use super::{Figure, axis, flag_colour, label, layout, sentence_case, value};
use crate::query::IndicatorBars;
use crate::view::{Flag, IndicatorView, Metric, Scored, SiteRow};
use crate::{link, verdict};

/// The ranked bars of an indicator; `None` when no site has a value.
#[must_use]
pub fn ranking(view: &IndicatorView) -> Option<Figure> {
    let bars = bars(view);
    if bars.is_empty() {
        return None;
    }
    let traces = Flag::ALL.into_iter().filter_map(|flag| flag_trace(view, &bars, flag)).collect();
    let sites: Vec<String> = bars.iter().map(|(site, _)| label(&site.site)).collect();
    let (one, _) = view.query.level.groups();
    let x_axis = axis(&format!("{}, largest first", sentence_case(one)))
        .type_(AxisType::Category)
        .category_array(sites)
        .show_grid(false);
    let suffix = if is_share(view) { "%" } else { "" };
    let title = value_title(view);
    let y_axis = axis(&title).tick_suffix(suffix).zero_line(true).zero_line_color("var(--line-strong)");
    let layout = layout(340, x_axis, y_axis)
        .bar_mode(BarMode::Overlay)
        .bar_gap(0.25)
        .show_legend(false)
        .shapes(lines(view));
    Some(Figure::new(
        "ranking",
        format!("{title} of each {one}, largest first, with thresholds"),
        traces,
        &layout,
    ))
}

/// Sites with their value in the unit of the axis, largest first.
fn bars(view: &IndicatorView) -> Vec<(&SiteRow, f64)> {
    let mut bars: Vec<(&SiteRow, f64)> = view
        .sites
        .iter()
        .filter_map(|site| {
            let signal = site.signals.first()?;
            let shown = match view.query.bars {
                IndicatorBars::Score => signal.score.map(|score| score * score_scale(view)),
                IndicatorBars::Metric => {
                    signal.metric.map(|metric| metric * verdict::metric_scale(&view.indicator))
                }
            };
            shown.filter(|shown| shown.is_finite()).map(|shown| (site, shown))
        })
        .collect();
    bars.sort_by(|(a, a_value), (b, b_value)| b_value.total_cmp(a_value).then_with(|| a.site.cmp(&b.site)));
    bars
}

fn flag_trace(view: &IndicatorView, bars: &[(&SiteRow, f64)], flag: Flag) -> Option<Value> {
    let has_flag = |site: &SiteRow| site.signals.first().is_some_and(|signal| signal.flag == flag);
    let of_flag: Vec<&(&SiteRow, f64)> = bars.iter().filter(|(site, _)| has_flag(site)).collect();
    if of_flag.is_empty() {
        return None;
    }
    let study = view.frame.study_key();
    let selected = |site: &SiteRow| view.query.site.as_deref() == Some(site.site.as_str());
    let outlines =
        of_flag.iter().map(|(site, _)| if selected(site) { "var(--accent)" } else { "rgba(0,0,0,0)" });
    let outlines: Vec<&str> = outlines.collect();
    let hovers = of_flag.iter().map(|(site, _)| {
        let said =
            site.signals.first().map_or_else(String::new, |signal| verdict::in_full(&view.indicator, signal));
        format!("{}<br>{}", label(&view.query.level.group(&site.site)), label(&said))
    });
    let x: Vec<String> = of_flag.iter().map(|(site, _)| label(&site.site)).collect();
    let y: Vec<f64> = of_flag.iter().map(|(_, shown)| *shown).collect();
    let trace = Bar::new(x, y)
        .name(sentence_case(verdict::words(flag)))
        .marker(Marker::new().color(flag_colour(flag)))
        .hover_text_array(hovers.collect())
        .hover_info(HoverInfo::Text);
    let mut trace = value(&*trace);
    // The typed bar has neither addresses nor one outline per bar.
    let links = of_flag
        .iter()
        .map(|(site, _)| link::indicator_group(study, &view.indicator.id, &view.query, &site.site));
    trace["customdata"] = json!(links.collect::<Vec<String>>());
    trace["marker"]["line"] = json!({ "width": 3, "color": outlines });
    Some(trace)
}

/// The thresholds for scores, the study's own value for metrics.
fn lines(view: &IndicatorView) -> Vec<Shape> {
    let indicator = &view.indicator;
    match view.query.bars {
        IndicatorBars::Score => verdict::threshold_flags(indicator)
            .into_iter()
            .map(|(threshold, flag)| {
                let dash = if flag.is_red() { DashType::Dash } else { DashType::Dot };
                line(threshold * score_scale(view), dash, flag_colour(flag))
            })
            .collect(),
        IndicatorBars::Metric => indicator
            .overall
            .map(|overall| {
                line(overall * verdict::metric_scale(indicator), DashType::Solid, "var(--ink-soft)".into())
            })
            .into_iter()
            .collect(),
    }
}

fn line(at: f64, dash: DashType, colour: String) -> Shape {
    Shape::new()
        .shape_type(ShapeType::Line)
        .x_ref("paper")
        .x0(0.0)
        .x1(1.0)
        .y0(at)
        .y1(at)
        .line(ShapeLine::new().width(1.5).dash(dash).color(colour))
}

fn score_scale(view: &IndicatorView) -> f64 {
    match view.indicator.scored {
        Scored::Metric => verdict::metric_scale(&view.indicator),
        Scored::Z | Scored::Numerator => 1.0,
    }
}

fn is_share(view: &IndicatorView) -> bool {
    let of_metric = view.query.bars == IndicatorBars::Metric || view.indicator.scored == Scored::Metric;
    of_metric && view.indicator.metric == Metric::Share
}

fn value_title(view: &IndicatorView) -> String {
    match (view.query.bars, view.indicator.scored) {
        (IndicatorBars::Score, Scored::Z) => "z score (standard deviations)".to_owned(),
        (IndicatorBars::Score, Scored::Numerator) => sentence_case(&view.indicator.numerator),
        _ => sentence_case(&verdict::metric_unit(&view.indicator)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::IndicatorQuery;
    use crate::view::{Choice, Frame, Indicator, Signal};

    fn view(bars: IndicatorBars) -> IndicatorView {
        let site = |number: &str, flag, metric, score| SiteRow {
            site: number.to_owned(),
            signals: vec![Signal { flag, metric: Some(metric), score, ..Signal::default() }],
            ..SiteRow::default()
        };
        IndicatorView {
            frame: Frame {
                study: Some(Choice { key: "S1".to_owned(), ..Choice::default() }),
                ..Frame::default()
            },
            query: IndicatorQuery { bars, site: Some("102".to_owned()), ..IndicatorQuery::default() },
            indicator: Indicator {
                id: "kri0012".to_owned(),
                denominator: "screened subjects".to_owned(),
                thresholds: vec![-3.0, -2.0, 2.0, 3.0],
                overall: Some(0.2),
                ..Indicator::default()
            },
            sites: vec![
                site("101", Flag::None, 0.25, Some(0.5)),
                site("102", Flag::HighRed, 0.6, Some(4.0)),
                site("103", Flag::NotEnough, 0.1, None),
            ],
            ..IndicatorView::default()
        }
    }

    #[test]
    fn scores_are_ranked_with_their_thresholds() {
        let figure = ranking(&view(IndicatorBars::Score)).expect("there are scores");
        assert_eq!(figure.json["layout"]["xaxis"]["categoryarray"], json!(["102", "101"]));
        assert_eq!(figure.json["layout"]["xaxis"]["type"], "category");
        let shapes = figure.json["layout"]["shapes"].as_array().expect("lines").clone();
        let heights: Vec<Value> = shapes.iter().map(|shape| shape["y0"].clone()).collect();
        assert_eq!(heights, [-3.0, -2.0, 2.0, 3.0]);
        assert_eq!(shapes[3]["line"]["color"], "var(--mark-high-red)");
        assert_eq!(shapes[2]["line"]["dash"], "dot");
    }

    #[test]
    fn a_bar_leads_to_the_subjects_and_the_site_asked_for_is_outlined() {
        let figure = ranking(&view(IndicatorBars::Score)).expect("there are scores");
        let red = &figure.json["data"][0];
        assert_eq!(red["customdata"], json!(["/studies/S1/rbqm/kri0012/sites/102"]));
        assert_eq!(red["marker"]["line"]["color"], json!(["var(--accent)"]));
        assert_eq!(red["marker"]["color"], "var(--mark-high-red)");
    }

    #[test]
    fn metrics_are_ranked_with_the_studys_own_value() {
        let figure = ranking(&view(IndicatorBars::Metric)).expect("there are metrics");
        assert_eq!(figure.json["layout"]["xaxis"]["categoryarray"], json!(["102", "101", "103"]));
        assert_eq!(figure.json["layout"]["yaxis"]["ticksuffix"], "%");
        assert_eq!(figure.json["layout"]["yaxis"]["title"]["text"], "% of screened subjects");
        assert_eq!(figure.json["layout"]["shapes"][0]["y0"], 20.0);
    }

    #[test]
    fn nothing_scored_draws_nothing() {
        assert_eq!(ranking(&IndicatorView::default()), None);
    }
}
