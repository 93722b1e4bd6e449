//! `/studies/{study}/site-tests/{site}`

use leptos::prelude::*;

use crate::component::breadcrumb::breadcrumb;
use crate::component::definition::{definition_box, downloads};
use crate::component::document::{Document, Drawing};
use crate::component::empty::Empty;
use crate::component::filter::{Select, filter_bar};
use crate::component::table::{head, scrolling};
use crate::query::SiteTestQuery;
use crate::view::{SiteTestRow, SiteTestView, SubjectValues, Tab, VariableValues};
use crate::{format, link};

/// Rows on the page; the file holds all.
const ROWS_MAX: usize = 100;

/// The tests of one site, and the values behind one of them.
#[must_use]
pub fn site_test(view: &SiteTestView) -> String {
    let study = view.frame.study_key();
    let title = format!("Site tests, site {}", view.site);
    let content = view! {
        {breadcrumb(vec![("Site tests".to_owned(), link::tab(study, Tab::SiteTests))], format!("Site {}", view.site))}
        <div class="page-head">
            <h1>{title.clone()}</h1>
            <p class="lead">"Each test compares this site's subjects with those of all other sites."</p>
        </div>
        {filter(view)}
        {view.values.as_ref().map(|values| value_table(view, values))}
        <section aria-labelledby="tests">
            <h2 id="tests">"Tests"</h2>
            {downloads(&view.downloads)}
            {if view.rows.is_empty() { nothing(view) } else { test_table(view) }}
        </section>
        {definition_box(&view.definition)}
    };
    Document { frame: &view.frame, title: &title, drawing: Drawing::None }.render(content.into_any())
}

fn filter(view: &SiteTestView) -> AnyView {
    let select = Select {
        name: "test",
        label: "Kind of test",
        any: Some("All tests"),
        choices: &view.tests,
        chosen: view.query.test.as_deref(),
    };
    let action = link::site_test(view.frame.study_key(), &view.site, &SiteTestQuery::default());
    filter_bar(action, Vec::new(), vec![select.render()], "Filter tests")
}

fn test_table(view: &SiteTestView) -> AnyView {
    let rows = view.rows.iter().take(ROWS_MAX).map(|row| test_row(view, row));
    let cut = (view.rows.len() > ROWS_MAX).then(|| {
        let said = format!(
            "The {ROWS_MAX} smallest probabilities of {} are shown. Choose a kind of test, or take the file.",
            format::count(view.rows.len() as u64)
        );
        view! { <p class="soft">{said}</p> }
    });
    let label = "Tests of this site, the smallest probability first";
    let table = view! {
        <table>
            <caption class="vh">{label}</caption>
            <thead>
                <tr>
                    {head("Test", "")}{head("Variable", "")}{head("p", "num")}{head("Adjusted", "num")}
                    {head("Effect", "num")}{head("What the effect counts", "")}{head("Subjects here", "num")}
                    {head("Elsewhere", "num")}
                </tr>
            </thead>
            <tbody>{rows.collect_view()}</tbody>
        </table>
    };
    view! { {scrolling(label.to_owned(), table.into_any())} {cut} }.into_any()
}

fn test_row(view: &SiteTestView, row: &SiteTestRow) -> AnyView {
    let p = |p: Option<f64>| p.map_or_else(|| format::NO_VALUE.to_owned(), format::p_value);
    let n = |n: Option<f64>| n.map_or_else(|| format::NO_VALUE.to_owned(), format::quantity);
    let variable = match &row.values_of {
        Some(of) => {
            let query = SiteTestQuery { variable: Some(of.clone()), ..view.query.clone() };
            let href = format!("{}#values", link::site_test(view.frame.study_key(), &view.site, &query));
            view! { <a href=href>{row.variable.clone()}</a> }.into_any()
        }
        None => row.variable.clone().into_any(),
    };
    let unit =
        row.not_judged.clone().map_or_else(|| row.effect_unit.clone(), |why| format!("not judged: {why}"));
    view! {
        <tr>
            <th scope="row">{format!("{} {}", row.id, row.title)}</th>
            <td>{variable}</td>
            <td class="num">{p(row.p_value)}</td>
            <td class="num">{p(row.q_value)}</td>
            <td class="num">{row.effect.map_or_else(|| format::NO_VALUE.to_owned(), format::z)}</td>
            <td>{unit}</td>
            <td class="num">{n(row.n_site)}</td>
            <td class="num">{n(row.n_rest)}</td>
        </tr>
    }
    .into_any()
}

fn value_table(view: &SiteTestView, values: &VariableValues) -> AnyView {
    let label = format!("{}: subjects of site {}", values.label, view.site);
    if values.subjects.is_empty() {
        let said = format!("No subject of this site has a value of {}.", values.variable);
        return view! { <p class="note" id="values">{said}</p> }.into_any();
    }
    let rows = values.subjects.iter().map(|subject| value_row(subject, ""));
    let table = view! {
        <table>
            <caption class="vh">{label.clone()}</caption>
            <thead>
                <tr>
                    {head("Subject", "")}{head("Values", "num")}{head("Mean", "num")}{head("SD", "num")}
                    {head("Least", "num")}{head("Greatest", "num")}{head("Ending in 0 or 5", "num")}
                </tr>
            </thead>
            <tbody>{value_row(&values.rest, "lit")}{rows.collect_view()}</tbody>
        </table>
    };
    view! {
        <section aria-labelledby="values">
            <h2 id="values">{label.clone()}</h2>
            <p class="soft">"The first row is the mean of the subjects of all other sites."</p>
            {scrolling(label, table.into_any())}
        </section>
    }
    .into_any()
}

fn value_row(subject: &SubjectValues, class: &'static str) -> AnyView {
    let number = |value: Option<f64>| value.map_or_else(|| format::NO_VALUE.to_owned(), format::rate);
    view! {
        <tr class=class>
            <th scope="row">{subject.subject.clone()}</th>
            <td class="num">{format::quantity(subject.n_values)}</td>
            <td class="num">{number(subject.mean)}</td>
            <td class="num">{number(subject.standard_deviation)}</td>
            <td class="num">{number(subject.least)}</td>
            <td class="num">{number(subject.greatest)}</td>
            <td class="num">{subject.share_0_or_5.map_or_else(|| format::NO_VALUE.to_owned(), format::percent)}</td>
        </tr>
    }
    .into_any()
}

fn nothing(view: &SiteTestView) -> AnyView {
    let href = link::site_test(view.frame.study_key(), &view.site, &SiteTestQuery::default());
    Empty {
        title: "No tests of this kind",
        advice: "The study's data hold nothing that this kind of test could be made on at this site."
            .to_owned(),
        command: None,
        link: Some((href, "All tests of this site")),
    }
    .render()
}
