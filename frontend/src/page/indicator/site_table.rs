//! The table of one indicator: one row per site, or group of another level.

use leptos::prelude::*;

use crate::component::flag::flag_pill;
use crate::component::table::{Direction, SortHead, head, scrolling};
use crate::figure::sentence_case;
use crate::query::{IndicatorQuery, IndicatorSort, Level};
use crate::row_order::indicator_sites;
use crate::view::{IndicatorView, MonitoredBy, SiteRow};
use crate::{format, link, verdict};

/// One row per site or group, in the query's order.
pub(super) fn site_table(view: &IndicatorView) -> AnyView {
    let sites = indicator_sites(&view.query, &view.sites);
    let rows = sites.iter().map(|site| site_row(view, site));
    let said = format!("{} of every {}", view.indicator.title, view.query.level.groups().0);
    let table = view! {
        <table>
            <caption class="vh">{said.clone()}</caption>
            <thead>{heads(view)}</thead>
            <tbody>{rows.collect_view()}</tbody>
        </table>
    };
    scrolling(said, table.into_any())
}

/// Columns that only sites have.
fn is_of_sites(view: &IndicatorView) -> bool {
    view.query.level == Level::Site
}

/// Whether any source tells who monitors the sites.
fn has_monitors(view: &IndicatorView) -> bool {
    is_of_sites(view) && view.sites.iter().any(|site| site.monitored_by != MonitoredBy::default())
}

fn heads(view: &IndicatorView) -> AnyView {
    let sort_head = |label: String, sort: IndicatorSort, class: &'static str| {
        let direction = match sort {
            IndicatorSort::Site => Direction::Ascending,
            _ => Direction::Descending,
        };
        let sorted = (view.query.sort == sort).then_some(direction);
        let query = IndicatorQuery { sort, ..view.query.clone() };
        let href = format!("{}#sites", link::indicator(view.frame.study_key(), &view.indicator.id, &query));
        SortHead { label, href, sorted, class }.render()
    };
    let indicator = &view.indicator;
    view! {
        <tr>
            {sort_head(sentence_case(view.query.level.groups().0), IndicatorSort::Site, "")}
            {is_of_sites(view).then(|| head("Country", ""))}
            {has_monitors(view).then(|| view! { {head("CRO", "")} {head("Monitor", "")} })}
            {head("Subjects", "num")}
            {sort_head(sentence_case(&indicator.numerator), IndicatorSort::Numerator, "num")}
            {sort_head(sentence_case(&indicator.denominator), IndicatorSort::Denominator, "num")}
            {sort_head(sentence_case(&verdict::metric_unit(indicator)), IndicatorSort::Metric, "num")}
            {sort_head(verdict::score_name(indicator).to_owned(), IndicatorSort::Score, "num")}
            {sort_head("Flag".to_owned(), IndicatorSort::Flag, "")}
            {head("Change", "num")}
            {head("Flagged in", "num")}
            {is_of_sites(view).then(|| head("Drill down", ""))}
        </tr>
    }
    .into_any()
}

fn site_row(view: &IndicatorView, site: &SiteRow) -> Option<AnyView> {
    let signal = site.signals.first()?;
    let selected = view.query.site.as_deref() == Some(site.site.as_str());
    let quantity = |value: Option<f64>| value.map_or_else(|| format::NO_VALUE.to_owned(), format::quantity);
    let drill = is_of_sites(view).then(|| {
        let href = link::site_subjects(view.frame.study_key(), &view.indicator.id, &site.site);
        view! { <td><a href=href>"Subjects"<span class="vh">{format!(" of site {}", site.site)}</span></a></td> }
    });
    let monitors = has_monitors(view).then(|| {
        let MonitoredBy { cro, monitor } = site.monitored_by.clone();
        view! { <td>{cro}</td> <td>{monitor}</td> }
    });
    let name = (!site.name.is_empty()).then(|| view! { <span class="row-note">{site.name.clone()}</span> });
    let row = view! {
        <tr class=selected.then_some("lit") aria-current=selected.then_some("true")>
            <th scope="row">{site.site.clone()}{name}</th>
            {is_of_sites(view).then(|| view! { <td>{site.country.clone()}</td> })}
            {monitors}
            <td class="num">{format::count(site.subject_count)}</td>
            <td class="num">{quantity(signal.numerator)}</td>
            <td class="num">{quantity(signal.denominator)}</td>
            <td class="num">{verdict::metric(&view.indicator, signal.metric)}</td>
            <td class="num">{verdict::score(&view.indicator, signal)}</td>
            <td>{flag_pill(signal.flag)}</td>
            <td class="num">{change(view, site)}</td>
            <td class="num">{occurrence(view, site)}</td>
            {drill}
        </tr>
    };
    Some(row.into_any())
}

/// The metric less that of the snapshot before, in the unit of the metric.
fn change(view: &IndicatorView, site: &SiteRow) -> String {
    let change = view.courses.get(&site.site).and_then(|course| course.change);
    let Some(change) = change else { return format::NO_VALUE.to_owned() };
    let sign = if change < 0.0 { "\u{2212}" } else { "+" };
    format!("{sign}{}", verdict::metric(&view.indicator, Some(change.abs())))
}

/// In how many of the last snapshots the site was red or amber.
fn occurrence(view: &IndicatorView, site: &SiteRow) -> String {
    match view.courses.get(&site.site) {
        Some(course) if course.judged > 0 => format!("{} of {}", course.flagged, course.judged),
        _ => format::NO_VALUE.to_owned(),
    }
}
