//! `/account`

use leptos::prelude::*;

use crate::component::document::{Document, Drawing};
use crate::component::empty::Empty;
use crate::component::frame::csrf_field;
use crate::component::table::{head, scrolling};
use crate::page::second_factor::second_factor;
use crate::view::{AccountView, Choice, SessionLine, TokenLine};
use crate::{format, link};

/// A person's sessions and tokens.
#[must_use]
pub fn account(view: &AccountView) -> String {
    let problem = view.problem.clone();
    let content = view! {
        <div class="page-head">
            <h1>"Your account"</h1>
            <p class="lead">{view.email.clone()}</p>
        </div>
        {problem.map(|problem| view! { <p class="note bad" role="alert">{problem}</p> })}
        {view.issued.clone().map(issued)}
        <section aria-labelledby="second-factor">
            <h2 id="second-factor">"Authenticator app"</h2>
            {second_factor(view)}
        </section>
        <section aria-labelledby="tokens">
            <h2 id="tokens">"Tokens for programs"</h2>
            {tokens(view)}
            {new_token(view)}
        </section>
        <section aria-labelledby="sessions"><h2 id="sessions">"Where you are signed in"</h2>{sessions(view)}</section>
    };
    Document { frame: &view.frame, title: "Your account", drawing: Drawing::None }.render(content.into_any())
}

fn issued(token: String) -> AnyView {
    view! {
        <div class="note good" role="status">
            <p><strong>"Your new token. "</strong>"Copy it now: nobody can show it again."</p>
            <p><code>{token}</code></p>
        </div>
    }
    .into_any()
}

fn tokens(view: &AccountView) -> AnyView {
    if view.tokens.is_empty() {
        let advice = "A token lets a program of yours pull tables without your password, until it ends.";
        return Empty { title: "No tokens", advice: advice.to_owned(), command: None, link: None }.render();
    }
    let heads = view! {
        {head("For", "")}{head("May", "")}{head("Ends", "")}{head("Last used", "")}{head("State", "")}{head("", "")}
    };
    let rows = view.tokens.iter().map(|token| token_row(token, view.frame.csrf.as_deref()));
    let table = view! {
        <table>
            <caption class="vh">"Your tokens, newest first"</caption>
            <thead><tr>{heads}</tr></thead>
            <tbody>{rows.collect_view()}</tbody>
        </table>
    };
    scrolling("Your tokens, newest first".to_owned(), table.into_any())
}

fn token_row(token: &TokenLine, csrf: Option<&str>) -> AnyView {
    let revoke = token.is_live.then(|| {
        let label = format!("Revoke the token for {}", token.label);
        small_form(link::revoke_token(&token.id), csrf, "Revoke", label)
    });
    let class = if token.is_live { "pill good" } else { "pill none" };
    view! {
        <tr>
            <th scope="row">{token.label.clone()}</th>
            <td>{token.scope.clone()}</td>
            <td class="nowrap">{instant(token.ends_unix_s)}</td>
            <td class="nowrap">{token.used_unix_s.map_or_else(|| "never".into_any(), instant)}</td>
            <td><span class=class>{token.state.clone()}</span></td>
            <td>{revoke}</td>
        </tr>
    }
    .into_any()
}

fn new_token(view: &AccountView) -> AnyView {
    let option = |choice: &Choice| {
        view! { <option value=choice.key.clone()>{choice.label.clone()}</option> }
    };
    let roles = view.roles.iter().map(option).collect_view();
    let studies = view.studies.iter().map(option).collect_view();
    view! {
        <form class="panel stacked" method="post" action=link::ACCOUNT_TOKENS>
            {csrf_field(view.frame.csrf.as_deref())}
            <h3>"Make a token"</h3>
            <div class="field">
                <label for="label">"What it is for"</label>
                <input id="label" name="label" type="text" maxlength="100" required=true/>
            </div>
            <div class="field">
                <label for="role">"It acts as"</label>
                <select id="role" name="role">{roles}</select>
            </div>
            <div class="field">
                <label for="study">"It opens"</label>
                <select id="study" name="study"><option value="">"all of your studies"</option>{studies}</select>
            </div>
            <div class="field">
                <label for="days">"Days until it ends, at most 90"</label>
                <input id="days" name="days" type="number" min="1" max="90" value="30" required=true/>
            </div>
            <div><button class="button primary" type="submit">"Make the token"</button></div>
        </form>
    }
    .into_any()
}

fn sessions(view: &AccountView) -> AnyView {
    let heads = view! {
        {head("Kind", "")}{head("Proved by", "")}{head("Since", "")}{head("Last used", "")}{head("", "")}
    };
    let rows = view.sessions.iter().map(|session| session_row(session, view.frame.csrf.as_deref()));
    let table = view! {
        <table>
            <caption class="vh">"Your sessions, newest first"</caption>
            <thead><tr>{heads}</tr></thead>
            <tbody>{rows.collect_view()}</tbody>
        </table>
    };
    scrolling("Your sessions, newest first".to_owned(), table.into_any())
}

fn session_row(session: &SessionLine, csrf: Option<&str>) -> AnyView {
    let end = if session.is_this {
        view! { <span class="pill good">"this one"</span> }.into_any()
    } else {
        let label = format!("End the session since {}", format::instant(session.started_unix_s));
        small_form(link::end_session(&session.id), csrf, "End", label)
    };
    view! {
        <tr>
            <th scope="row">{session.kind.clone()}</th>
            <td>{session.method.clone()}</td>
            <td class="nowrap">{instant(session.started_unix_s)}</td>
            <td class="nowrap">{instant(session.used_unix_s)}</td>
            <td>{end}</td>
        </tr>
    }
    .into_any()
}

fn small_form(action: String, csrf: Option<&str>, word: &'static str, label: String) -> AnyView {
    view! {
        <form method="post" action=action>
            {csrf_field(csrf)}
            <button class="button quiet" type="submit" aria-label=label>{word}</button>
        </form>
    }
    .into_any()
}

fn instant(unix_s: i64) -> AnyView {
    view! { <time datetime=format::instant_iso(unix_s)>{format::instant(unix_s)}</time> }.into_any()
}
