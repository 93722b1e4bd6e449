//! `/admin`

use leptos::prelude::*;

use super::lines::{self, Owners, no_default, reason_field};
use crate::component::document::{Document, Drawing};
use crate::component::frame::csrf_field;
use crate::format;
use crate::link;
use crate::view::AdminView;

/// The tenant: what there is, how it stands, and who is in.
#[must_use]
pub fn admin(view: &AdminView) -> String {
    let facts =
        view.facts.iter().map(|(word, said)| view! { <dt>{word.clone()}</dt><dd>{said.clone()}</dd> });
    let overdue = view.review_is_overdue.then(|| {
        view! {
            <p class="note bad" role="alert">
                <strong>"The review of access is overdue. "</strong>
                <a href=link::ACCESS_REVIEW>"Look the list through and sign it off"</a>"."
            </p>
        }
    });
    let content = view! {
        <div class="page-head">
            <h1>"Your organisation"</h1>
            <p class="lead">{view.frame.tenant.clone()}</p>
        </div>
        {overdue}
        <nav class="button-row" aria-label="Administration">
            <a class="button" href=link::ADMIN_ACCOUNTS>"Accounts"</a>
            <a class="button" href=link::ACCESS_REVIEW>"Access review"</a>
            <a class="button" href=link::AUDIT>"Audit"</a>
        </nav>
        <section aria-labelledby="counts">
            <h2 id="counts">"What there is"</h2>
            {counts(&view.counts)}
        </section>
        <section aria-labelledby="storage">
            <h2 id="storage">"Storage"</h2>
            <p>{format!("Measured {}.", format::instant(view.storage_unix_s))}</p>
            {counts(&view.storage)}
        </section>
        <section aria-labelledby="standing">
            <h2 id="standing">"How it stands"</h2>
            <dl class="facts">{facts.collect_view()}</dl>
        </section>
        <form method="post" action=link::ADMIN>
            {csrf_field(view.frame.csrf.as_deref())}
            {no_default()}
            <input type="hidden" name="back" value="admin"/>
            <section class="panel stacked" aria-labelledby="in">
                <h2 id="in">"Who is in"</h2>
                {reason_field("", "Every button below needs it. It stands in the ledger for ever: name no person.")}
            </section>
            <section aria-labelledby="sessions">
                <h2 id="sessions">"Sessions"</h2>
                {lines::sessions(&view.sessions, Owners::Shown)}
            </section>
            <section aria-labelledby="tokens">
                <h2 id="tokens">"Tokens"</h2>
                {lines::tokens(&view.tokens, Owners::Shown)}
            </section>
        </form>
    };
    Document { frame: &view.frame, title: "Your organisation", drawing: Drawing::None }
        .render(content.into_any())
}

/// What there is how much of.
fn counts(lines: &[(String, String, String)]) -> AnyView {
    let lines = lines.iter().map(|(word, number, note)| {
        view! {
            <div class="count">
                <dt>{word.clone()}</dt><dd class="count-value">{number.clone()}</dd><dd class="count-note">{note.clone()}</dd>
            </div>
        }
    });
    view! { <dl class="counts">{lines.collect_view()}</dl> }.into_any()
}
