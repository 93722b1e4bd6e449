//! Parts that the pages of an administrator share: rows of sessions and tokens, and the reason that every change asks
//! for.

use leptos::prelude::*;

use crate::component::table::{head, scrolling};
use crate::view::{Choice, OwnedSession, OwnedToken};
use crate::{format, link};

/// A moment, for people and programs.
pub(super) fn instant(unix_s: i64) -> AnyView {
    view! { <time datetime=format::instant_iso(unix_s)>{format::instant(unix_s)}</time> }.into_any()
}

/// When something was last used, if ever.
pub(super) fn last_use(unix_s: Option<i64>) -> AnyView {
    unix_s.map_or_else(|| view! { <span class="soft">"never"</span> }.into_any(), instant)
}

/// What was wrong with the last form.
pub(super) fn problem(problem: Option<&String>) -> Option<AnyView> {
    problem.map(|problem| view! { <p class="note bad" role="alert">{problem.clone()}</p> }.into_any())
}

/// The reason that every button of the form sends with it.
pub(super) fn reason_field(value: &str, help: &'static str) -> AnyView {
    view! {
        <div class="field">
            <label for="reason">"Reason"</label>
            <input id="reason" name="reason" type="text" maxlength="200" required=true value=value.to_owned()
                aria-describedby="reason-help"/>
            <p id="reason-help" class="soft">{help}</p>
        </div>
    }
    .into_any()
}

/// The button that the Enter key would press, which does nothing: no key disables an account by accident.
pub(super) fn no_default() -> AnyView {
    view! { <button type="submit" disabled=true hidden=true></button> }.into_any()
}

/// A button that sends the form around it elsewhere.
pub(super) fn button_to(action: String, word: &'static str, label: String) -> AnyView {
    view! {
        <button class="button quiet small" type="submit" formaction=action aria-label=label>{word}</button>
    }
    .into_any()
}

/// Drop-down choices.
pub(super) fn options(choices: &[Choice]) -> AnyView {
    choices
        .iter()
        .map(|choice| view! { <option value=choice.key.clone()>{choice.label.clone()}</option> })
        .collect_view()
        .into_any()
}

/// Whether the rows say whose they are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Owners {
    Shown,
    Known,
}

fn owner(owners: Owners, (id, email): &(String, String)) -> Option<AnyView> {
    (owners == Owners::Shown)
        .then(|| view! { <td><a href=link::admin_account(id)>{email.clone()}</a></td> }.into_any())
}

fn owner_head(owners: Owners) -> Option<AnyView> {
    (owners == Owners::Shown).then(|| head("Account", ""))
}

/// Sessions, each with a button that ends it.
pub(super) fn sessions(sessions: &[OwnedSession], owners: Owners) -> AnyView {
    if sessions.is_empty() {
        return view! { <p class="soft">"Nobody is signed in."</p> }.into_any();
    }
    let rows = sessions.iter().map(|session| {
        let label = format!(
            "End the session of {} since {}",
            session.owner.1,
            format::instant(session.started_unix_s)
        );
        view! {
            <tr>
                {owner(owners, &session.owner)}
                <td>{session.kind.clone()}</td>
                <td>{session.method.clone()}</td>
                <td class="nowrap">{instant(session.started_unix_s)}</td>
                <td class="nowrap">{instant(session.used_unix_s)}</td>
                <td>{button_to(link::admin_end_session(&session.owner.0, &session.id), "End", label)}</td>
            </tr>
        }
    });
    let table = view! {
        <table>
            <caption class="vh">"Sessions, newest first"</caption>
            <thead><tr>
                {owner_head(owners)}{head("Kind", "")}{head("Proved by", "")}{head("Since", "")}{head("Last used", "")}
                {head("", "")}
            </tr></thead>
            <tbody>{rows.collect_view()}</tbody>
        </table>
    };
    scrolling("Sessions, newest first".to_owned(), table.into_any())
}

/// Tokens, each that is in use with a button that revokes it.
pub(super) fn tokens(tokens: &[OwnedToken], owners: Owners) -> AnyView {
    if tokens.is_empty() {
        return view! { <p class="soft">"There are no tokens."</p> }.into_any();
    }
    let rows = tokens.iter().map(|OwnedToken { owner: whose, token }| {
        let label = format!("Revoke the token for {} of {}", token.label, whose.1);
        let revoke =
            token.is_live.then(|| button_to(link::admin_revoke_token(&whose.0, &token.id), "Revoke", label));
        let class = if token.is_live { "pill good" } else { "pill none" };
        view! {
            <tr>
                {owner(owners, whose)}
                <th scope="row">{token.label.clone()}</th>
                <td>{token.scope.clone()}</td>
                <td class="nowrap">{instant(token.ends_unix_s)}</td>
                <td class="nowrap">{last_use(token.used_unix_s)}</td>
                <td><span class=class>{token.state.clone()}</span></td>
                <td>{revoke}</td>
            </tr>
        }
    });
    let table = view! {
        <table>
            <caption class="vh">"Tokens, newest first"</caption>
            <thead><tr>
                {owner_head(owners)}{head("For", "")}{head("May", "")}{head("Ends", "")}{head("Last used", "")}
                {head("State", "")}{head("", "")}
            </tr></thead>
            <tbody>{rows.collect_view()}</tbody>
        </table>
    };
    scrolling("Tokens, newest first".to_owned(), table.into_any())
}
