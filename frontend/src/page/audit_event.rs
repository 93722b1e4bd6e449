//! `/audit/{seq}`

use leptos::prelude::*;

use crate::component::breadcrumb::breadcrumb;
use crate::component::document::{Document, Drawing};
use crate::view::AuditEventView;
use crate::{format, link};

/// One event in full.
#[must_use]
pub fn audit_event(view: &AuditEventView) -> String {
    let event = &view.event;
    let facts = view.facts.iter().map(|(name, value)| {
        view! { <dt>{name.clone()}</dt><dd>{value.clone()}</dd> }
    });
    let change = view.change.as_ref().map(|(before, after)| {
        view! {
            <section aria-labelledby="change">
                <h2 id="change">"What changed"</h2>
                <dl class="facts">
                    <dt>"Before"</dt><dd>{before.clone()}</dd>
                    <dt>"After"</dt><dd>{after.clone()}</dd>
                </dl>
            </section>
        }
    });
    let trace =
        view.trace_id.as_ref().map(|trace| view! { <dt>"Request"</dt><dd><code>{trace.clone()}</code></dd> });
    let content = view! {
        {breadcrumb(vec![("Audit".to_owned(), link::AUDIT.to_owned())], format!("Entry {}", format::count(event.sequence)))}
        <div class="page-head">
            <h1>{event.action.clone()}</h1>
            <p class="lead">{format!("Entry {}, {}", format::count(event.sequence), format::instant(event.at_unix_s))}</p>
        </div>
        <dl class="facts">
            <dt>"Who"</dt><dd>{event.actor.clone()}</dd>
            <dt>"Object"</dt><dd>{event.object.clone()}</dd>
            <dt>"Outcome"</dt><dd>{event.outcome.clone()}</dd>
            <dt>"Event"</dt><dd><code>{view.event_id.clone()}</code></dd>
            {trace}
            {facts.collect_view()}
        </dl>
        {change}
        <section aria-labelledby="proof">
            <h2 id="proof">"Proof"</h2>
            <p>
                "The proof shows to anybody who has the ledger's key that this very event is in the log: "
                <code>"cairn audit verify --receipt FILE --keys KEYS"</code>", without this server."
            </p>
            <p><a class="button" href=link::audit_proof(event.sequence)>"Download the proof"</a></p>
            <dl class="facts"><dt>"Hash of the entry"</dt><dd><code>{event.leaf_hash.clone()}</code></dd></dl>
            <h3>"The exact text that was hashed"</h3>
            <pre class="code"><code>{view.leaf.clone()}</code></pre>
        </section>
    };
    Document { frame: &view.frame, title: "Event", drawing: Drawing::None }.render(content.into_any())
}
