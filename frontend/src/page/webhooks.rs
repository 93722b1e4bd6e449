//! `/webhooks`

use leptos::prelude::*;

use crate::component::document::{Document, Drawing};
use crate::component::empty::Empty;
use crate::component::frame::csrf_field;
use crate::component::table::{head, scrolling};
use crate::view::{EndpointLine, WebhooksView};
use crate::{format, link};

/// The endpoints of a tenant, and a form that adds one.
#[must_use]
pub fn webhooks(view: &WebhooksView) -> String {
    let problem = view.problem.clone();
    let content = view! {
        <div class="page-head">
            <h1>"Webhooks"</h1>
            <p class="lead">"Messages about what happens here, posted to programs of yours. They hold ids and no data."</p>
        </div>
        {problem.map(|problem| view! { <p class="note bad" role="alert">{problem}</p> })}
        {view.issued.clone().map(issued)}
        {if view.endpoints.is_empty() { nothing() } else { endpoint_table(view) }}
        {form(view)}
    };
    Document { frame: &view.frame, title: "Webhooks", drawing: Drawing::None }.render(content.into_any())
}

fn issued((url, secret): (String, String)) -> AnyView {
    view! {
        <div class="note good" role="status">
            <p><strong>"The secret of " {url} ". "</strong>"Copy it now: nobody can show it again."</p>
            <p><code>{secret}</code></p>
        </div>
    }
    .into_any()
}

fn nothing() -> AnyView {
    let advice =
        "Add the address of a program that wants to know when a snapshot is published or a job fails.";
    Empty { title: "No endpoints", advice: advice.to_owned(), command: None, link: None }.render()
}

fn endpoint_table(view: &WebhooksView) -> AnyView {
    let heads = view! {
        {head("Address", "")}{head("Messages", "")}{head("State", "")}{head("Last delivery", "")}
        {head("Failures in a row", "num")}{head("Action", "")}
    };
    let rows = view.endpoints.iter().map(|endpoint| endpoint_row(endpoint, view.frame.csrf.as_deref()));
    let table = view! {
        <table>
            <caption class="vh">"Endpoints, oldest first"</caption>
            <thead><tr>{heads}</tr></thead>
            <tbody>{rows.collect_view()}</tbody>
        </table>
    };
    scrolling("Endpoints, oldest first".to_owned(), table.into_any())
}

fn endpoint_row(endpoint: &EndpointLine, csrf: Option<&str>) -> AnyView {
    let kinds = endpoint.kinds.iter().map(|kind| view! { <li><code>{kind.clone()}</code></li> });
    let turn = if endpoint.is_enabled { ("disable", "Turn off") } else { ("enable", "Turn on") };
    let test = endpoint.is_enabled.then_some(("test", "Send test"));
    let own = [("rotate", "New secret"), ("remove", "Remove")].into_iter().filter(|_| !endpoint.is_mail);
    let orders = test.into_iter().chain([turn]).chain(own);
    let buttons = orders.map(|order| button(endpoint, order, csrf)).collect_view();
    let description = (!endpoint.description.is_empty())
        .then(|| view! { <br/><span class="quiet">{endpoint.description.clone()}</span> });
    view! {
        <tr>
            <th scope="row"><a href=link::webhook(&endpoint.id)>{endpoint.url.clone()}</a>{description}</th>
            <td><ul class="plain">{kinds.collect_view()}</ul></td>
            <td>{state(endpoint)}</td>
            <td class="nowrap">{last(endpoint)}</td>
            <td class="num">{format::count(endpoint.failures)}</td>
            <td><div class="inline">{buttons}</div></td>
        </tr>
    }
    .into_any()
}

/// Whether messages are sent, and why not.
pub(super) fn state(endpoint: &EndpointLine) -> AnyView {
    let (class, word) = match (endpoint.is_enabled, endpoint.is_held_back) {
        (false, _) => ("pill none", "off"),
        (true, true) => ("pill high-red", "waiting, it fails"),
        (true, false) => ("pill good", "on"),
    };
    let reason = (!endpoint.reason.is_empty())
        .then(|| view! { <br/><span class="quiet">{endpoint.reason.clone()}</span> });
    view! { <span class=class>{word}</span>{reason} }.into_any()
}

fn last(endpoint: &EndpointLine) -> AnyView {
    let Some(at) = endpoint.delivered_unix_s else { return "none yet".into_any() };
    view! { <time datetime=format::instant_iso(at)>{format::instant(at)}</time> }.into_any()
}

/// What can be done with an endpoint. The label names it, for whoever hears the buttons one after the other.
fn button(endpoint: &EndpointLine, (what, word): (&str, &'static str), csrf: Option<&str>) -> AnyView {
    let label = format!("{word}: {}", endpoint.url);
    view! {
        <form method="post" action=link::webhook_order(&endpoint.id, what)>
            {csrf_field(csrf)}
            <button class="button quiet" type="submit" aria-label=label>{word}</button>
        </form>
    }
    .into_any()
}

fn form(view: &WebhooksView) -> AnyView {
    let options = view.kinds.iter().map(|kind| view! { <option value=kind.clone()>{kind.clone()}</option> });
    view! {
        <form class="panel stacked" method="post" action=link::WEBHOOKS>
            {csrf_field(view.frame.csrf.as_deref())}
            <h2>"Add an endpoint"</h2>
            <div class="field">
                <label for="webhook-url">"Address, beginning with https://"</label>
                <input id="webhook-url" name="url" type="url" maxlength="2000" required=true/>
            </div>
            <div class="field">
                <label for="webhook-description">"What it is"</label>
                <input id="webhook-description" name="description" type="text" maxlength="200"/>
            </div>
            <div class="field">
                <label for="webhook-kinds">"Messages that it asks for, one or several"</label>
                <select id="webhook-kinds" name="kinds" multiple=true size="6" required=true>{options.collect_view()}</select>
            </div>
            <div><button class="button primary" type="submit">"Add endpoint"</button></div>
        </form>
    }
    .into_any()
}
