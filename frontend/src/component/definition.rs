//! How a figure was computed, and where to take its table away.

use leptos::prelude::*;

use crate::component::table::{head, scrolling};
use crate::format;
use crate::view::{Definition, DefinitionChange, Downloads};

/// The box with formula, source and parameters; nothing when nothing is defined.
pub(crate) fn definition_box(definition: &Definition) -> Option<AnyView> {
    if definition.title.is_empty() {
        return None;
    }
    let entries = [
        ("Numerator", &definition.numerator),
        ("Denominator", &definition.denominator),
        ("Method", &definition.method),
        ("Formula", &definition.formula),
        ("Accrual", &definition.accrual),
        ("Source", &definition.source),
    ];
    let entries = entries.into_iter().filter(|(_, text)| !text.is_empty()).map(|(name, text)| {
        let coded = matches!(name, "Method" | "Formula");
        let text = text.clone();
        let text = if coded { view! { <code>{text}</code> }.into_any() } else { text.into_any() };
        view! { <dt>{name}</dt><dd>{text}</dd> }
    });
    let parameters = definition.parameters.iter().map(|(name, value)| {
        view! { <dt>{name.clone()}</dt><dd>{value.clone()}</dd> }
    });
    let boxed = view! {
        <section class="panel definition" aria-labelledby="definition">
            <h2 id="definition">{format!("Definition: {}", definition.title)}</h2>
            {(!definition.summary.is_empty()).then(|| view! { <p>{definition.summary.clone()}</p> })}
            <dl class="facts">{entries.collect_view()}{parameters.collect_view()}</dl>
            {changed(&definition.changes)}
        </section>
    };
    Some(boxed.into_any())
}

/// What was changed, with the old and the new value.
fn changed(changes: &[DefinitionChange]) -> Option<AnyView> {
    if changes.is_empty() {
        return None;
    }
    let rows = changes.iter().map(|change| {
        let (at, iso) = (format::instant(change.at_unix_s), format::instant_iso(change.at_unix_s));
        view! {
            <tr>
                <td class="nowrap"><time datetime=iso>{at}</time></td>
                <td>{change.title.clone()}</td>
                <td>{change.place.clone()}</td>
                <td>{change.before.clone()}</td>
                <td>{change.after.clone()}</td>
                <td>{change.by.clone()}</td>
                <td>{change.reason.clone()}</td>
            </tr>
        }
    });
    let label = "What was changed, the newest first".to_owned();
    let table = view! {
        <table>
            <caption class="vh">{label.clone()}</caption>
            <thead><tr>
                {head("When", "")}{head("Definition", "")}{head("Where", "")}{head("Before", "")}{head("After", "")}
                {head("By", "")}{head("Reason", "")}
            </tr></thead>
            <tbody>{rows.collect_view()}</tbody>
        </table>
    };
    let said = "A change holds from the next build of the marts on.";
    Some(view! { <h3>"Changes"</h3><p>{said}</p>{scrolling(label, table.into_any())} }.into_any())
}

/// Links to the table as files.
pub(crate) fn downloads(downloads: &Downloads) -> Option<AnyView> {
    if downloads.csv_href.is_none() && downloads.parquet_href.is_none() {
        return None;
    }
    Some(
        view! {
            <p class="downloads">
                <span>"Take the table away: "</span>
                {file_link(downloads.csv_href.as_deref(), "CSV")}
                {file_link(downloads.parquet_href.as_deref(), "Parquet")}
            </p>
        }
        .into_any(),
    )
}

/// One link to a file.
pub(crate) fn file_link(href: Option<&str>, kind: &'static str) -> Option<AnyView> {
    href.map(|href| {
        view! { <a class="button small" href=href.to_owned() download="">{kind}</a> " " }.into_any()
    })
}
