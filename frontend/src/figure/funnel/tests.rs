use serde_json::json;

use super::*;
use crate::query::IndicatorQuery;
use crate::view::{BoundPoint, Choice, Frame, Indicator};

fn site(number: &str, flag: Flag, numerator: f64, score: Option<f64>) -> SiteRow {
    let signal = Signal {
        flag,
        numerator: Some(numerator),
        denominator: Some(1000.0),
        metric: Some(numerator / 1000.0),
        score,
    };
    SiteRow { site: number.to_owned(), signals: vec![signal], ..SiteRow::default() }
}

fn view() -> IndicatorView {
    let point = BoundPoint { denominator: 500.0, metric: 0.03 };
    let bound = |threshold| Bound { threshold, points: vec![point] };
    IndicatorView {
        frame: Frame {
            study: Some(Choice { key: "S1".to_owned(), ..Choice::default() }),
            ..Frame::default()
        },
        query: IndicatorQuery { site: Some("103".to_owned()), ..IndicatorQuery::default() },
        indicator: Indicator {
            id: "kri0001".to_owned(),
            numerator: "adverse events".to_owned(),
            denominator: "patient-days".to_owned(),
            metric: Metric::RatePer(100.0),
            thresholds: vec![-2.0, -1.0, 2.0, 3.0],
            ..Indicator::default()
        },
        sites: vec![
            site("101", Flag::HighRed, 64.0, Some(4.1)),
            site("</script><b>", Flag::LowAmber, 5.0, Some(-1.2)),
            site("103", Flag::None, 20.0, Some(0.1)),
            site("104", Flag::NotEnough, 1.0, None),
        ],
        bounds: [-2.0, -1.0, 0.0, 2.0, 3.0].map(bound).to_vec(),
        ..IndicatorView::default()
    }
}

fn traces() -> Vec<Value> {
    let figure = funnel(&view()).expect("there are sites");
    figure.json["data"].as_array().expect("traces").clone()
}

fn named(name: &str) -> Value {
    traces().into_iter().find(|trace| trace["name"] == name).unwrap_or_else(|| panic!("no trace `{name}`"))
}

#[test]
fn every_threshold_has_its_curve_in_the_unit_of_the_axis() {
    let names: Vec<Value> = traces().iter().take(5).map(|trace| trace["name"].clone()).collect();
    assert_eq!(
        names,
        ["Limit \u{2212}2, red", "Limit \u{2212}1, amber", "Study", "Limit 2, amber", "Limit 3, red"]
    );
    assert_eq!(named("Study")["y"], json!([3.0]));
    assert_eq!(named("Limit 3, red")["line"]["color"], "var(--mark-high-red)");
    assert_eq!(named("Limit 3, red")["line"]["dash"], "dash");
}

#[test]
fn sites_are_marked_by_flag_and_lead_to_their_subjects() {
    let red = named("▲▲ Red, high");
    assert_eq!(red["x"], json!([1000.0]));
    assert_eq!(red["y"], json!([6.4]));
    assert_eq!(red["text"], json!(["101"]));
    assert_eq!(red["marker"]["symbol"], "triangle-up");
    assert_eq!(red["customdata"], json!(["/studies/S1/rbqm/kri0001/sites/101"]));
    assert_eq!(named("Not enough data")["marker"]["symbol"], "circle-open");
}

#[test]
fn the_site_asked_for_is_ringed() {
    let ring = named("Site 103");
    assert_eq!(ring["marker"]["symbol"], "circle-open");
    assert_eq!(ring["text"], json!(["Site 103"]));
}

#[test]
fn the_denominator_is_on_a_logarithmic_axis_with_its_unit() {
    let figure = funnel(&view()).expect("there are sites");
    assert_eq!(figure.json["layout"]["xaxis"]["type"], "log");
    assert_eq!(figure.json["layout"]["xaxis"]["title"]["text"], "Patient-days (log scale)");
    assert_eq!(figure.json["layout"]["yaxis"]["title"]["text"], "Adverse events per 100 patient-days");
}

#[test]
fn a_hostile_site_name_stays_text() {
    let low = named("▼ Amber, low");
    assert_eq!(low["text"], json!(["&lt;/script&gt;&lt;b&gt;"]));
    let block = funnel(&view()).expect("there are sites").data_block();
    assert!(!block.contains('<'));
}

#[test]
fn no_denominator_no_figure() {
    assert_eq!(funnel(&IndicatorView::default()), None);
}

#[test]
fn ticks_are_round_on_a_logarithmic_axis() {
    assert_eq!(decade_ticks(15.0, 1200.0), [20.0, 50.0, 100.0, 200.0, 500.0, 1000.0]);
}

#[test]
fn limits_beyond_the_sites_do_not_stretch_the_axis() {
    let mut view = view();
    let far = BoundPoint { denominator: 1.0, metric: 99.0 };
    view.bounds[4].points.insert(0, far);
    let figure = funnel(&view).expect("there are sites");
    let top = figure.json["layout"]["yaxis"]["range"][1].as_f64().expect("a range");
    assert!(top < 10.0, "{top}");
}
