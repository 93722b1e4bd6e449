//! `/studies/{study}/rbqm`
mod matrix;

use leptos::prelude::*;
use matrix::matrix_table;

use crate::component::calls::call_list;
use crate::component::definition::{definition_box, downloads};
use crate::component::document::{Document, Drawing};
use crate::component::empty::Empty;
use crate::component::filter::{Select, choice, filter_bar};
use crate::component::flag::legend;
use crate::component::limits::limits;
use crate::query::{FlagFilter, Level, RbqmQuery, RbqmSort};
use crate::row_order::matrix_sites;
use crate::site_call::{SiteCall, site_calls};
use crate::view::{Choice, Flag, RbqmView, SiteRow, Tab};
use crate::{format, link, verdict};

/// What indicators are about.
const DOMAINS: [(&str, &str); 4] = [
    ("safety", "Safety"),
    ("data", "Data quality and timeliness"),
    ("protocol", "Protocol compliance"),
    ("retention", "Enrolment and retention"),
];
const LEVELS: [(Level, &str); 6] = [
    (Level::Site, "Sites"),
    (Level::Monitor, "Monitors"),
    (Level::Region, "Regions"),
    (Level::Country, "Countries"),
    (Level::Cro, "CROs"),
    (Level::Study, "The whole study"),
];
const METHODS: [(&str, &str); 5] = [
    ("normal_approximation", "Reference: normal approximation"),
    ("leave_one_out", "Against the others"),
    ("exact", "Exact, for small groups"),
    ("in_frame", "Exact, events by visit"),
    ("identity", "The number itself"),
];

/// The levels that the study has groups at, as choices.
pub(super) fn level_choices(levels: &[Level]) -> Vec<Choice> {
    let offered = LEVELS.iter().filter(|(level, _)| levels.contains(level));
    offered.map(|(level, label)| choice(level.name(), label)).collect()
}

/// Methods as choices, in the order of the list.
pub(super) fn method_choices(is_offered: impl Fn(&str) -> bool) -> Vec<Choice> {
    METHODS.iter().filter(|(key, _)| is_offered(key)).map(|(key, label)| choice(key, label)).collect()
}

/// Sites named on top of the page.
const CALLS_MAX: usize = 5;

/// Sites against indicators.
#[must_use]
pub fn rbqm(view: &RbqmView) -> String {
    let sites = matrix_sites(&view.query, &view.indicators, &view.sites);
    let body =
        if view.indicators.is_empty() || view.sites.is_empty() { nothing(view) } else { found(view, &sites) };
    let content = view! {
        <div class="page-head"><h1>"Risk-based quality management"</h1></div>
        {body}
        {definition_box(&view.definition)}
    };
    Document { frame: &view.frame, title: "RBQM", drawing: Drawing::None }.render(content.into_any())
}

fn found(view: &RbqmView, sites: &[SiteRow]) -> AnyView {
    let calls = (view.query.level == Level::Site).then(|| site_calls(&view.indicators, sites));
    view! {
        {calls.map(|calls| call_section(view, &calls))}
        <section aria-labelledby="limits">
            <h2 id="limits">"Tolerance limits of the study"</h2>
            {limits(&view.limits)}
            <p><a class="button small" href=link::limits(view.frame.study_key())>"Alarms and methods of the limits"</a></p>
            {downloads(&view.limit_downloads)}
        </section>
        <section aria-labelledby="matrix">
            <h2 id="matrix">{format!("Every {} and indicator", view.query.level.groups().0)}</h2>
            {filter(view)}
            {flag_counts(view, sites)}
            {legend()}
            {downloads(&view.downloads)}
            {if sites.is_empty() { no_match(view) } else { matrix_table(view, sites) }}
            {not_applicable(view)}
        </section>
    }
    .into_any()
}

fn call_section(view: &RbqmView, calls: &[SiteCall]) -> AnyView {
    let place = view.query.country.as_ref().map(|country| format!(" in {country}")).unwrap_or_default();
    let body = if calls.is_empty() {
        let said = format!("No site{place} needs a call: no indicator is red, and no site has two in amber.");
        view! { <p class="note good">{said}</p> }.into_any()
    } else {
        let rest = calls.len().saturating_sub(CALLS_MAX);
        let more = (rest > 0).then(|| {
            let said = format!(
                "{} more in the table below, in the same order.",
                format::counted(rest as u64, "site", "sites")
            );
            view! { <p class="soft">{said}</p> }
        });
        view! { {call_list(view.frame.study_key(), calls, CALLS_MAX)} {more} }.into_any()
    };
    view! {
        <section class="call-section" aria-labelledby="calls">
            <h2 id="calls">"Sites to call today"{place}</h2>
            {body}
        </section>
    }
    .into_any()
}

fn filter(view: &RbqmView) -> AnyView {
    let query = &view.query;
    let mut countries: Vec<&str> = view.sites.iter().map(|site| site.country.as_str()).collect();
    countries.sort_unstable();
    countries.dedup();
    let countries: Vec<Choice> = countries
        .into_iter()
        .filter(|country| !country.is_empty())
        .map(|country| choice(country, country))
        .collect();
    let flags = [
        choice(FlagFilter::All.name(), "All sites"),
        choice(FlagFilter::Flagged.name(), "Red or amber"),
        choice(FlagFilter::Red.name(), "Red"),
    ];
    let select = |name, label, any, choices, chosen| Select { name, label, any, choices, chosen }.render();
    let domains: Vec<Choice> = DOMAINS.iter().map(|(key, label)| choice(key, label)).collect();
    let (levels, methods) = (level_choices(&view.levels), method_choices(|_| true));
    let fields = vec![
        select("domain", "Indicators", Some("All indicators"), &domains, query.domain.as_deref()),
        select("level", "Compare", None, &levels, Some(query.level.name())),
        select("method", "Method", Some("Each indicator's own"), &methods, query.method.as_deref()),
        select("flag", "Sites", None, &flags, Some(query.flag.name())),
        select("country", "Country", Some("All countries"), &countries, query.country.as_deref()),
    ];
    let hidden = vec![("sort", query.sort.name())];
    filter_bar(link::tab(view.frame.study_key(), Tab::Rbqm), hidden, fields, "Filter sites")
}

/// How many cells of the matrix carry each flag.
fn flag_counts(view: &RbqmView, sites: &[SiteRow]) -> AnyView {
    let signals = sites.iter().flat_map(|site| &site.signals);
    let count =
        |wanted: fn(Flag) -> bool| signals.clone().filter(|signal| wanted(signal.flag)).count() as u64;
    let entries = [
        ("red", count(Flag::is_red)),
        ("amber", count(Flag::is_amber)),
        ("within limits", count(|flag| flag == Flag::None)),
        ("not enough data", count(|flag| flag == Flag::NotEnough)),
        ("not available", count(|flag| flag == Flag::NotAvailable)),
    ];
    let said: Vec<String> =
        entries.into_iter().map(|(word, count)| format!("{} {word}", format::count(count))).collect();
    let (one, many) = view.query.level.groups();
    let shown = format::counted(sites.len() as u64, one, many);
    let order = if view.query.sort == RbqmSort::Worst {
        " The worst first: red before amber alone, then by risk score and flags."
    } else {
        ""
    };
    view! { <p class="tally">{format!("{shown} shown. Signals: {}.{order}", said.join(", "))}</p> }.into_any()
}

/// The indicators without an answer, folded: they are there, and no source tells of them.
fn not_applicable(view: &RbqmView) -> Option<AnyView> {
    if view.not_applicable.is_empty() {
        return None;
    }
    let count = view.not_applicable.len() as u64;
    let said = format!("{} not applicable", format::counted(count, "indicator is", "indicators are"));
    let rows = view.not_applicable.iter().map(|missing| {
        let (code, title, reason) = (missing.code.clone(), missing.title.clone(), missing.reason.clone());
        view! { <li>{format!("{title} ({code}): {reason}.")}</li> }
    });
    let folded = view! {
        <details class="not-applicable">
            <summary>{said}</summary>
            <ul>{rows.collect_view()}</ul>
        </details>
    };
    Some(folded.into_any())
}

fn nothing(view: &RbqmView) -> AnyView {
    Empty {
        title: "No risk indicators",
        advice: "This snapshot holds no sites or no indicators. They are built when a snapshot is published \
                 from subjects with a site."
            .to_owned(),
        command: None,
        link: Some((link::tab(view.frame.study_key(), Tab::Data), "See what was loaded")),
    }
    .render()
}

fn no_match(view: &RbqmView) -> AnyView {
    let all = RbqmQuery { sort: view.query.sort.clone(), ..RbqmQuery::default() };
    let what = match view.query.flag {
        FlagFilter::All => "No site".to_owned(),
        FlagFilter::Flagged => "No site with a red or amber flag".to_owned(),
        FlagFilter::Red => format!("No site with a {} flag", verdict::colour(Flag::HighRed)),
    };
    Empty {
        title: "No sites match this filter",
        advice: format!(
            "{what} matches. The study has {}.",
            format::counted(view.sites.len() as u64, "site", "sites")
        ),
        command: None,
        link: Some((link::rbqm(view.frame.study_key(), &all), "Show all sites")),
    }
    .render()
}
