//! Checks of the data's quality: those that fail, with what to do; those that were asked of no row apart.

use leptos::prelude::*;

use super::empty::Empty;
use super::table::{head, scrolling};
use crate::format;
use crate::view::{CheckSeverity, ChecksView, FailingCheck};

/// The section's content; why there is none when the snapshot was not checked.
pub(crate) fn checks(view: Option<&ChecksView>) -> AnyView {
    let Some(view) = view else {
        let advice =
            "This snapshot was made before data was checked. The next load is checked as it is taken in.";
        return Empty { title: "No checks", advice: advice.to_owned(), command: None, link: None }.render();
    };
    let counts = format!(
        "{} checks fail, {} pass, {} are not applicable.",
        format::count(view.failing.len() as u64),
        format::count(view.pass_count),
        format::count(view.not_applicable.len() as u64)
    );
    let failing = if view.failing.is_empty() {
        view! { <p><span class="pill good">"no check fails"</span></p> }.into_any()
    } else {
        failing_table(&view.failing)
    };
    view! {
        <p class="lead">{counts}" "<a href=view.list_href.clone()>"All checks with their counts"</a></p>
        {failing}
        {not_applicable(&view.not_applicable)}
    }
    .into_any()
}

fn failing_table(failing: &[FailingCheck]) -> AnyView {
    let heads = view! {
        {head("Check", "")}{head("Weight", "")}{head("Category", "")}{head("What should hold", "")}
        {head("Violations", "num")}{head("Asked of", "num")}{head("What to do", "")}{head("Rows", "")}
    };
    let table = view! {
        <table>
            <caption class="vh">"Checks that fail, the gravest first"</caption>
            <thead><tr>{heads}</tr></thead>
            <tbody>{failing.iter().map(row).collect_view()}</tbody>
        </table>
    };
    scrolling("Checks that fail, the gravest first".to_owned(), table.into_any())
}

fn row(check: &FailingCheck) -> AnyView {
    let (weight, class) = match check.severity {
        CheckSeverity::Error => ("error", "pill high-red"),
        CheckSeverity::Warn => ("warning", "pill high-amber"),
        CheckSeverity::Info => ("information", "pill none"),
    };
    let rows = format!("Rows that violate {}", check.id);
    view! {
        <tr>
            <th scope="row"><code>{check.id.clone()}</code></th>
            <td><span class=class>{weight}</span></td>
            <td>{check.category.clone()}</td>
            <td>{check.description.clone()}</td>
            <td class="num" title=check.accepted.clone()>{format::count(check.violations)}</td>
            <td class="num">{format::count(check.denominator)}" "<code>{check.entity.clone()}</code></td>
            <td>{check.remedy.clone()}</td>
            <td><a href=check.href.clone() aria-label=rows>"Rows"</a></td>
        </tr>
    }
    .into_any()
}

fn not_applicable(checks: &[String]) -> Option<AnyView> {
    (!checks.is_empty()).then(|| {
        let names = checks.iter().map(|check| view! { <li><code>{check.clone()}</code></li> });
        view! {
            <details>
                <summary>"Not applicable: "{format::count(checks.len() as u64)}" checks had no row to be asked of"</summary>
                <ul>{names.collect_view()}</ul>
            </details>
        }
        .into_any()
    })
}
