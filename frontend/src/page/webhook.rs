//! `/webhooks/{endpoint}`

use leptos::prelude::*;

use crate::component::document::{Document, Drawing};
use crate::component::empty::Empty;
use crate::component::frame::csrf_field;
use crate::component::table::{head, scrolling};
use crate::page::webhooks::state;
use crate::view::{DeliveryLine, WebhookView};
use crate::{format, link};

/// What was put in line for one endpoint, and what it answered.
#[must_use]
pub fn webhook(view: &WebhookView) -> String {
    let older = view.older_before.as_deref().map(|before| {
        let href = link::webhook_before(&view.endpoint.id, before);
        view! { <nav class="paging" aria-label="Pages"><a class="button" rel="next" href=href>"Older deliveries"</a></nav> }
    });
    let content = view! {
        <div class="page-head">
            <h1>"Deliveries"</h1>
            <p class="lead">{view.endpoint.url.clone()} " " {state(&view.endpoint)}</p>
        </div>
        {if view.deliveries.is_empty() { nothing() } else { delivery_table(view) }}
        {older}
        <p><a class="button" href=link::WEBHOOKS>"All endpoints"</a></p>
    };
    Document { frame: &view.frame, title: "Deliveries", drawing: Drawing::None }.render(content.into_any())
}

fn nothing() -> AnyView {
    let advice = "Nothing has happened that it asks for. Send a test message to see whether it arrives.";
    let link = Some((link::WEBHOOKS.to_owned(), "All endpoints"));
    Empty { title: "No deliveries", advice: advice.to_owned(), command: None, link }.render()
}

fn delivery_table(view: &WebhookView) -> AnyView {
    let heads = view! {
        {head("Message", "")}{head("State", "")}{head("Since", "")}{head("Next attempt", "")}
        {head("Attempts", "num")}{head("Last answer", "")}{head("Action", "")}
    };
    let rows = view.deliveries.iter().map(|line| delivery_row(view, line));
    let table = view! {
        <table>
            <caption class="vh">"Deliveries, newest first"</caption>
            <thead><tr>{heads}</tr></thead>
            <tbody>{rows.collect_view()}</tbody>
        </table>
    };
    scrolling("Deliveries, newest first".to_owned(), table.into_any())
}

fn delivery_row(view: &WebhookView, line: &DeliveryLine) -> AnyView {
    let class = if line.is_dead { "pill high-red" } else { "pill none" };
    let retry = (line.is_dead && view.endpoint.is_enabled).then(|| {
        let label = format!("Send again: {} {}", line.kind, line.webhook_id);
        view! {
            <form method="post" action=link::retry_delivery(&view.endpoint.id, &line.id)>
                {csrf_field(view.frame.csrf.as_deref())}
                <button class="button quiet" type="submit" aria-label=label>"Send again"</button>
            </form>
        }
    });
    view! {
        <tr>
            <th scope="row" title=line.webhook_id.clone()>{line.kind.clone()}</th>
            <td><span class=class>{line.state.clone()}</span></td>
            <td class="nowrap">{instant(line.since_unix_s)}</td>
            <td class="nowrap">{line.due_unix_s.map(instant)}</td>
            <td class="num">{format::count(line.attempts)}</td>
            <td>{line.answer.clone()}</td>
            <td>{retry}</td>
        </tr>
    }
    .into_any()
}

fn instant(unix_s: i64) -> AnyView {
    view! { <time datetime=format::instant_iso(unix_s)>{format::instant(unix_s)}</time> }.into_any()
}
