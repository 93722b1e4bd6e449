//! `/admin/access-review`

use leptos::prelude::*;

use super::accounts::state;
use super::lines::{button_to, instant, last_use, no_default, problem, reason_field};
use crate::component::breadcrumb::breadcrumb;
use crate::component::document::{Document, Drawing};
use crate::component::empty::Empty;
use crate::component::frame::csrf_field;
use crate::component::table::{head, scrolling};
use crate::view::{AccessLine, AccessReviewView, OwnedToken};
use crate::{format, link};

/// Who has what, with what should not be left so.
#[must_use]
pub fn access_review(view: &AccessReviewView) -> String {
    let content = view! {
        {breadcrumb(vec![("Admin".to_owned(), link::ADMIN.to_owned())], "Access review".to_owned())}
        <div class="page-head">
            <h1>"Access review"</h1>
            <p class="lead">
                "Who has which role and token, since when, given by whom, and when it was last used. "
                "Take away what is not needed, then sign the list off."
            </p>
        </div>
        {banner(view)}
        {problem(view.problem.as_ref())}
        <form method="post" action=link::ACCESS_REVIEW_SIGN_OFF>
            {csrf_field(view.frame.csrf.as_deref())}
            {no_default()}
            <input type="hidden" name="back" value="review"/>
            <input type="hidden" name="list_sha256" value=view.list_sha256.clone()/>
            <section class="panel stacked" aria-labelledby="sign">
                <h2 id="sign">"Sign off"</h2>
                {reason_field("", "What came of it, or why you take something away. It stands in the ledger for ever: name no person.")}
                <div class="button-row">
                    <button class="button primary" type="submit">"Sign this list off"</button>
                    <a class="button" href=format!("{}?format=csv", link::ACCESS_REVIEW)>"Download as CSV"</a>
                </div>
                <p class="soft">"List "<code>{view.list_sha256.clone()}</code></p>
            </section>
            <section aria-labelledby="roles"><h2 id="roles">"Roles"</h2>{roles(view)}</section>
            <section aria-labelledby="tokens"><h2 id="tokens">"Tokens"</h2>{tokens(view)}</section>
        </form>
    };
    Document { frame: &view.frame, title: "Access review", drawing: Drawing::None }.render(content.into_any())
}

fn banner(view: &AccessReviewView) -> AnyView {
    let last = view.last.as_ref().map_or_else(
        || "No review was ever signed off. ".to_owned(),
        |(at, by)| format!("The last review was signed off on {} by {by}. ", format::date(*at)),
    );
    let marked = format!(
        " {} of this list should not be left as they are.",
        format::counted(view.marked, "line", "lines")
    );
    if view.is_overdue {
        return view! {
            <p class="note bad" role="alert">
                <strong>"The review is overdue. "</strong>{last}
                {format!("It had to be signed off by {}.", format::date(view.due_unix_s))}{marked}
            </p>
        }
        .into_any();
    }
    view! {
        <p class="note" role="status">{last}{format!("The next one is due by {}.", format::date(view.due_unix_s))}{marked}</p>
    }
    .into_any()
}

fn marks(marks: &[String]) -> AnyView {
    let pills =
        marks.iter().map(|mark| view! { <li><span class="pill high-amber">{mark.clone()}</span></li> });
    view! { <ul class="plain-list">{pills.collect_view()}</ul> }.into_any()
}

fn roles(view: &AccessReviewView) -> AnyView {
    if view.entries.is_empty() {
        let advice = "No account has a role.".to_owned();
        return Empty { title: "No roles", advice, command: None, link: None }.render();
    }
    let table = view! {
        <table>
            <caption class="vh">"Roles, by e-mail address"</caption>
            <thead><tr>
                {head("Account", "")}{head("State", "")}{head("Role", "")}{head("In", "")}{head("Since", "")}
                {head("Given by", "")}{head("Last used", "")}{head("Marks", "")}{head("", "")}
            </tr></thead>
            <tbody>{view.entries.iter().map(role_row).collect_view()}</tbody>
        </table>
    };
    scrolling("Roles, by e-mail address".to_owned(), table.into_any())
}

fn role_row(line: &AccessLine) -> AnyView {
    let place = line.study.clone().unwrap_or_else(|| "all studies".to_owned());
    let label = format!("Take the role {} in {place} from {}", line.label, line.email);
    let to = link::admin_revoke_grant(&line.account, &line.role, line.study.as_deref());
    view! {
        <tr>
            <th scope="row"><a href=link::admin_account(&line.account)>{line.email.clone()}</a></th>
            <td>{state(line.is_enabled)}</td>
            <td>{line.label.clone()}</td>
            <td>{place}</td>
            <td class="nowrap">{instant(line.since_unix_s)}</td>
            <td>{line.by.clone()}</td>
            <td class="nowrap">{last_use(line.used_unix_s)}</td>
            <td>{marks(&line.marks)}</td>
            <td>{button_to(to, "Take away", label)}</td>
        </tr>
    }
    .into_any()
}

fn tokens(view: &AccessReviewView) -> AnyView {
    if view.tokens.is_empty() {
        return view! { <p class="soft">"There are no tokens."</p> }.into_any();
    }
    let rows = view.tokens.iter().map(|(OwnedToken { owner, token }, against)| {
        let label = format!("Revoke the token for {} of {}", token.label, owner.1);
        view! {
            <tr>
                <th scope="row"><a href=link::admin_account(&owner.0)>{owner.1.clone()}</a></th>
                <td>{token.label.clone()}</td>
                <td>{token.scope.clone()}</td>
                <td class="nowrap">{instant(token.ends_unix_s)}</td>
                <td class="nowrap">{last_use(token.used_unix_s)}</td>
                <td>{marks(against)}</td>
                <td>{button_to(link::admin_revoke_token(&owner.0, &token.id), "Revoke", label)}</td>
            </tr>
        }
    });
    let table = view! {
        <table>
            <caption class="vh">"Tokens that were not revoked, by e-mail address"</caption>
            <thead><tr>
                {head("Account", "")}{head("For", "")}{head("May", "")}{head("Ends", "")}{head("Last used", "")}
                {head("Marks", "")}{head("", "")}
            </tr></thead>
            <tbody>{rows.collect_view()}</tbody>
        </table>
    };
    scrolling("Tokens that were not revoked, by e-mail address".to_owned(), table.into_any())
}
