//! The part of `/audit` about what was signed of the log, and about looking it through.

use leptos::prelude::*;

use crate::component::frame::csrf_field;
use crate::view::{AuditView, StandingFacts};
use crate::{format, link};

/// Checkpoints, anchor, witnesses, the last verification, and the sign-off of a span.
pub(super) fn standing(view: &AuditView) -> AnyView {
    let facts = &view.standing;
    view! {
        <section aria-labelledby="standing">
            <h2 id="standing">"How the log stands"</h2>
            {signed(facts)}
        </section>
        <section aria-labelledby="review">
            <h2 id="review">"Review of the trail"</h2>
            {reviewed(facts)}
            {form(view)}
        </section>
    }
    .into_any()
}

fn signed(facts: &StandingFacts) -> AnyView {
    let verified = match facts.verified {
        Some((at, true)) => format!("{}: every log was whole", format::instant(at)),
        Some((at, false)) => format!("{}: something was wrong; see the server's log", format::instant(at)),
        None => "not yet; the program does it every day".to_owned(),
    };
    let anchor =
        if facts.is_anchored { "copied to a folder elsewhere" } else { "none: set one with --anchor" };
    let checkpoints = facts.checkpoints.iter().map(|(at, size)| {
        view! { <li>{format!("{}: {}", format::instant(*at), format::counted(*size, "event", "events"))}</li> }
    });
    let checkpoints = if facts.checkpoints.is_empty() {
        view! { "none yet" }.into_any()
    } else {
        view! { <ul class="plain-list">{checkpoints.collect_view()}</ul> }.into_any()
    };
    view! {
        <dl class="facts">
            <dt>"Log"</dt><dd><code>{facts.log.clone()}</code></dd>
            <dt>"Last full or partial verification"</dt><dd>{verified}</dd>
            <dt>"Newest checkpoints"</dt><dd>{checkpoints}</dd>
            <dt>"Witnesses below the newest"</dt><dd>{format::count(facts.cosignatures)}</dd>
            <dt>"Anchor"</dt><dd>{anchor}</dd>
        </dl>
    }
    .into_any()
}

fn reviewed(facts: &StandingFacts) -> AnyView {
    match &facts.reviewed {
        None => view! { <p class="soft">"Nobody has signed a review off yet."</p> }.into_any(),
        Some((at, by, first, last, remark)) => view! {
            <p>
                {format!("Entries {first} to {last} were signed off on {} by {by}: ", format::instant(*at))}
                {remark.clone()}
            </p>
        }
        .into_any(),
    }
}

fn form(view: &AuditView) -> AnyView {
    let facts = &view.standing;
    let first = facts.reviewed.as_ref().map_or(0, |(_, _, _, last, _)| (last + 1).min(facts.newest));
    view! {
        <form class="panel stacked" method="post" action=link::AUDIT_REVIEWS>
            {csrf_field(view.frame.csrf.as_deref())}
            <div class="field">
                <label for="first">"First entry that you looked at"</label>
                <input id="first" name="first" type="number" min="0" required=true value=first.to_string()/>
            </div>
            <div class="field">
                <label for="last">"Last entry"</label>
                <input id="last" name="last" type="number" min="0" required=true value=facts.newest.to_string()/>
            </div>
            <div class="field">
                <label for="remark">"What came of it, without naming a person"</label>
                <input id="remark" name="remark" type="text" maxlength="500" required=true/>
            </div>
            <div><button class="button primary" type="submit">"Sign the review off"</button></div>
        </form>
    }
    .into_any()
}
