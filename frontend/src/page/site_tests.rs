//! `/studies/{study}/site-tests`

use leptos::prelude::*;

use crate::component::definition::{definition_box, downloads};
use crate::component::document::{Document, Drawing};
use crate::component::empty::Empty;
use crate::component::table::scrolling;
use crate::query::SiteTestQuery;
use crate::view::{SiteTestCell, SiteTestsRow, SiteTestsView, Tab};
use crate::{format, link};

/// An adjusted probability below this is red: of a hundred such marks one is expected to be false.
const RED: f64 = 0.01;
/// Below this it is amber.
const AMBER: f64 = 0.05;

/// Sites against tests.
#[must_use]
pub fn site_tests(view: &SiteTestsView) -> String {
    let body = if view.sites.is_empty() {
        Empty {
            title: "No site tests yet",
            advice: "Site tests need enrolled subjects with measurements or visits at two sites or more. They are \
                     made with the next build of this study's marts."
                .to_owned(),
            command: None,
            link: Some((link::tab(view.frame.study_key(), Tab::Data), "See what was loaded")),
        }
        .render()
    } else {
        found(view)
    };
    let content = view! {
        <div class="page-head">
            <h1>"Site tests"</h1>
            <p class="lead">{lead(view)}</p>
        </div>
        {body}
        {definition_box(&view.definition)}
    };
    Document { frame: &view.frame, title: "Site tests", drawing: Drawing::None }.render(content.into_any())
}

fn lead(view: &SiteTestsView) -> String {
    let odd = |limit: f64| {
        view.sites.iter().filter(|site| site.all.as_ref().is_some_and(|all| all.q_value < limit)).count()
            as u64
    };
    if view.sites.is_empty() {
        return "Is a site's data like that of the others?".to_owned();
    }
    format!(
        "Is a site's data like that of the others? {} of {} differ beyond chance, {} of them clearly.",
        format::count(odd(AMBER)),
        format::counted(view.sites.len() as u64, "site", "sites"),
        format::count(odd(RED)),
    )
}

fn found(view: &SiteTestsView) -> AnyView {
    let study = view.frame.study_key();
    let heads = view.tests.iter().map(|test| {
        view! { <th scope="col" class="indicator"><abbr title=test.label.clone()>{test.key.clone()}</abbr></th> }
    });
    let rows = view.sites.iter().map(|site| site_row(view, study, site));
    let label = "Probability of each kind of test at each site, the oddest site first";
    let table = view! {
        <table class="matrix">
            <caption class="vh">{label}</caption>
            <thead>
                <tr>
                    <th scope="col" class="sticky">"Site"</th>
                    <th scope="col" class="indicator">"All tests"</th>
                    {heads.collect_view()}
                    <th scope="col">"What stands out most"</th>
                </tr>
            </thead>
            <tbody>{rows.collect_view()}</tbody>
        </table>
    };
    let names = view.tests.iter().map(|test| {
        view! { <dt>{test.key.clone()}</dt><dd>{test.label.clone()}</dd> }
    });
    view! {
        {legend()}
        {downloads(&view.downloads)}
        {scrolling(label.to_owned(), table.into_any())}
        <section aria-labelledby="kinds">
            <h2 id="kinds">"The tests"</h2>
            <dl class="facts">{names.collect_view()}</dl>
        </section>
    }
    .into_any()
}

fn legend() -> AnyView {
    view! {
        <ul class="legend" aria-label="Legend">
            <li><span class="swatch high-red" aria-hidden="true">"p"</span>"adjusted below 0.01"</li>
            <li><span class="swatch high-amber" aria-hidden="true">"p"</span>"adjusted below 0.05"</li>
            <li><span class="swatch none" aria-hidden="true">"p"</span>"like the other sites, as far as can be told"</li>
            <li><span class="swatch not-enough" aria-hidden="true">"few"</span>"too few subjects to judge"</li>
        </ul>
    }
    .into_any()
}

fn site_row(view: &SiteTestsView, study: &str, site: &SiteTestsRow) -> AnyView {
    let here = |test: Option<&str>| {
        link::site_test(study, &site.site, &SiteTestQuery { test: test.map(str::to_owned), variable: None })
    };
    let cells = view
        .tests
        .iter()
        .zip(&site.cells)
        .map(|(test, found)| cell(found.as_ref(), here(Some(&test.key)), &test.label));
    let strongest = site.all.as_ref().map(|all| all.strongest.clone()).unwrap_or_default();
    view! {
        <tr>
            <th scope="row" class="sticky"><a href=here(None)>{site.site.clone()}</a></th>
            {cell(site.all.as_ref(), here(None), "All tests")}
            {cells.collect_view()}
            <td>{strongest}</td>
        </tr>
    }
    .into_any()
}

fn cell(found: Option<&SiteTestCell>, href: String, test: &str) -> AnyView {
    let Some(found) = found else {
        return view! { <td class="cell not-enough" title=format!("{test}: too few subjects to judge")>"few"</td> }
            .into_any();
    };
    let class = match found.q_value {
        q if q < RED => "cell high-red",
        q if q < AMBER => "cell high-amber",
        _ => "cell none",
    };
    let said = format!(
        "{test}: p {}, adjusted {}, of {}; most: {}",
        format::p_value(found.p_value),
        format::p_value(found.q_value),
        format::counted(found.n_tests, "test", "tests"),
        found.strongest
    );
    view! { <td class=class><a href=href title=said>{format::p_value(found.p_value)}</a></td> }.into_any()
}
