//! The table of sites against indicators.

use leptos::prelude::*;

use crate::component::table::{Direction, SortHead, scrolling, share_bar};
use crate::query::{IndicatorQuery, Level, RbqmQuery, RbqmSort};
use crate::site_call::flag_counts;
use crate::view::{Flag, Indicator, MonitoredBy, RbqmView, Signal, SiteRow};
use crate::{format, link, verdict};

/// One row per site, one column per indicator.
pub(super) fn matrix_table(view: &RbqmView, sites: &[SiteRow]) -> AnyView {
    let study = view.frame.study_key();
    let with_monitors = has_monitors(view);
    let rows = sites.iter().map(|site| site_row(view, site, with_monitors));
    let said = format!("Flags and scores of every {} and indicator", view.query.level.groups().0);
    let table = view! {
        <table class="matrix">
            <caption class="vh">{said.clone()}</caption>
            <thead>{heads(study, view)}</thead>
            <tbody>{rows.collect_view()}</tbody>
        </table>
    };
    scrolling(said, table.into_any())
}

/// Whether any source tells who monitors the sites that are shown.
fn has_monitors(view: &RbqmView) -> bool {
    let is_known = |site: &SiteRow| site.monitored_by != MonitoredBy::default();
    view.query.level == Level::Site && view.sites.iter().any(is_known)
}

fn heads(study: &str, view: &RbqmView) -> AnyView {
    let query = &view.query;
    let sort_head = |label: &str, sort: RbqmSort, direction: Direction, class: &'static str| {
        let sorted = (query.sort == sort).then_some(direction);
        let href = link::rbqm(study, &RbqmQuery { sort, ..query.clone() });
        SortHead { label: label.to_owned(), href, sorted, class }.render()
    };
    let indicators = view.indicators.iter().map(|indicator| indicator_head(study, query, indicator));
    let with_monitors = has_monitors(view);
    let of_sites = query.level == Level::Site;
    // Only a site lies in a country and has a score of its own.
    let columns = 3 + 2 * u8::from(of_sites) + 2 * u8::from(with_monitors);
    let domains = domain_heads(&view.indicators, columns);
    let country = of_sites.then(|| sort_head("Country", RbqmSort::Country, Direction::Ascending, ""));
    let score = of_sites.then(|| sort_head("Risk score", RbqmSort::Worst, Direction::Descending, "num"));
    let monitors = with_monitors.then(|| view! { <th scope="col">"CRO"</th> <th scope="col">"Monitor"</th> });
    let (one, _) = query.level.groups();
    let group = format!("{}{}", one[..1].to_uppercase(), &one[1..]);
    view! {
        {domains}
        <tr>
            {sort_head(&group, RbqmSort::Site, Direction::Ascending, "sticky")}
            {country}
            {monitors}
            {sort_head("Subjects", RbqmSort::Subjects, Direction::Descending, "num")}
            {score}
            <th scope="col" class="num">"Red"</th>
            <th scope="col" class="num">"Amber"</th>
            {indicators.collect_view()}
        </tr>
    }
    .into_any()
}

/// One head over the indicators of each domain, where there is more than one domain, after so many other columns.
fn domain_heads(indicators: &[Indicator], columns: u8) -> Option<AnyView> {
    let mut spans: Vec<(&str, usize)> = Vec::new();
    for indicator in indicators {
        match spans.last_mut() {
            Some((domain, count)) if *domain == indicator.domain => *count += 1,
            _ => spans.push((&indicator.domain, 1)),
        }
    }
    if spans.len() < 2 {
        return None;
    }
    let label = |domain: &str| {
        super::DOMAINS.iter().find(|(key, _)| *key == domain).map_or(domain, |(_, label)| label).to_owned()
    };
    let heads = spans.into_iter().map(|(domain, count)| {
        view! { <th scope="colgroup" class="domain" colspan=count.to_string()>{label(domain)}</th> }
    });
    Some(view! { <tr><td class="sticky"></td><td colspan=columns.to_string()></td>{heads.collect_view()}</tr> }.into_any())
}

fn indicator_head(study: &str, query: &RbqmQuery, indicator: &Indicator) -> AnyView {
    let sort = RbqmSort::Indicator(indicator.id.clone());
    let sorted = query.sort == sort;
    let href = link::rbqm(study, &RbqmQuery { sort, ..query.clone() });
    let page = link::indicator(study, &indicator.id, &compared(query, None));
    view! {
        <th scope="col" class="indicator" aria-sort=sorted.then_some("other")>
            <a href=page title=indicator.title.clone()>{indicator.abbreviation.clone()}</a>
            <a class="sort-mark" href=href aria-label=format!("Sort by {}", indicator.title)
                aria-current=sorted.then_some("true")>"▾"</a>
        </th>
    }
    .into_any()
}

/// The page of an indicator at the level and by the method of the matrix.
fn compared(query: &RbqmQuery, group: Option<&str>) -> IndicatorQuery {
    IndicatorQuery {
        level: if query.level == Level::Study { Level::Site } else { query.level },
        method: query.method.clone(),
        site: group.map(str::to_owned),
        ..IndicatorQuery::default()
    }
}

fn site_row(view: &RbqmView, site: &SiteRow, with_monitors: bool) -> AnyView {
    let (red, amber) = flag_counts(site);
    let cells = view
        .indicators
        .iter()
        .zip(&site.signals)
        .map(|(indicator, signal)| cell(view, site, indicator, signal));
    let monitors = with_monitors.then(|| {
        let MonitoredBy { cro, monitor } = site.monitored_by.clone();
        view! { <td>{cro}</td> <td>{monitor}</td> }
    });
    let name = (!site.name.is_empty()).then(|| view! { <span class="row-note">{site.name.clone()}</span> });
    let count = |count: usize| if count == 0 { format::NO_VALUE.to_owned() } else { count.to_string() };
    let of_sites = view.query.level == Level::Site;
    let country = of_sites.then(|| view! { <td>{site.country.clone()}</td> });
    let score = of_sites.then(|| {
        view! {
            <td class="num risk-cell">
                {format::risk_score(site.risk_score)}
                {site.risk_score.map(|score| share_bar(score / 100.0, "risk"))}
            </td>
        }
    });
    view! {
        <tr>
            <th scope="row" class="sticky">{site.site.clone()}{name}</th>
            {country}
            {monitors}
            <td class="num">{format::count(site.subject_count)}</td>
            {score}
            <td class="num">{count(red)}</td>
            <td class="num">{count(amber)}</td>
            {cells.collect_view()}
        </tr>
    }
    .into_any()
}

fn cell(view: &RbqmView, site: &SiteRow, indicator: &Indicator, signal: &Signal) -> AnyView {
    let (study, level) = (view.frame.study_key(), view.query.level);
    let class = format!("cell {}", verdict::class(signal.flag));
    let said = verdict::in_full(indicator, signal);
    match signal.flag {
        Flag::NotAvailable => view! { <td class=class title=said>"n/a"</td> }.into_any(),
        Flag::NotEnough => view! { <td class=class title=said>"few"</td> }.into_any(),
        flag => {
            let href = link::indicator(study, &indicator.id, &compared(&view.query, Some(&site.site)));
            let score = match level {
                Level::Study => verdict::metric(indicator, signal.metric),
                _ => verdict::score(indicator, signal),
            };
            let sign = verdict::sign(flag);
            let sign = (!sign.is_empty()).then(|| {
                view! {
                    <span class="cell-sign" aria-hidden="true">{sign}</span>
                    <span class="vh">{format!("{}: ", verdict::words(flag))}</span>
                }
            });
            if level == Level::Study {
                // The whole study is compared with nothing, so that no page draws it.
                view! { <td class=class title=said><span>{sign}{score}</span></td> }.into_any()
            } else {
                view! { <td class=class><a href=href title=said>{sign}{score}</a></td> }.into_any()
            }
        }
    }
}
