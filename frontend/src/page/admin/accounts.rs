//! `/admin/accounts`

use leptos::prelude::*;

use super::lines::{last_use, options, problem, reason_field};
use crate::component::breadcrumb::breadcrumb;
use crate::component::document::{Document, Drawing};
use crate::component::empty::Empty;
use crate::component::frame::csrf_field;
use crate::component::table::{head, scrolling};
use crate::link;
use crate::view::{AccountLine, AccountsView, FilledAccount};

/// The people and machines of a tenant.
#[must_use]
pub fn accounts(view: &AccountsView) -> String {
    let content = view! {
        {breadcrumb(vec![("Admin".to_owned(), link::ADMIN.to_owned())], "Accounts".to_owned())}
        <div class="page-head">
            <h1>"Accounts"</h1>
            <p class="lead">"The people and machines that may sign in, and what they are for."</p>
        </div>
        {problem(view.problem.as_ref())}
        {if view.accounts.is_empty() { nothing() } else { table(&view.accounts) }}
        <section aria-labelledby="new">{new_account(view)}</section>
    };
    Document { frame: &view.frame, title: "Accounts", drawing: Drawing::None }.render(content.into_any())
}

fn nothing() -> AnyView {
    let advice = "Make the first account below.".to_owned();
    Empty { title: "No accounts", advice, command: None, link: None }.render()
}

fn table(accounts: &[AccountLine]) -> AnyView {
    let rows = accounts.iter().map(|account| {
        let factor = if account.has_second_factor { "in use" } else { "none" };
        view! {
            <tr>
                <th scope="row"><a href=link::admin_account(&account.id)>{account.email.clone()}</a></th>
                <td>{account.name.clone()}</td>
                <td>{roles(&account.roles)}</td>
                <td>{account.signs_in_by.clone()}</td>
                <td>{factor}</td>
                <td class="nowrap">{last_use(account.used_unix_s)}</td>
                <td>{state(account.is_enabled)}</td>
            </tr>
        }
    });
    let table = view! {
        <table>
            <caption class="vh">"Accounts, by e-mail address"</caption>
            <thead><tr>
                {head("Account", "")}{head("Name", "")}{head("Roles", "")}{head("Signs in by", "")}
                {head("Second factor", "")}{head("Last used", "")}{head("State", "")}
            </tr></thead>
            <tbody>{rows.collect_view()}</tbody>
        </table>
    };
    scrolling("Accounts, by e-mail address".to_owned(), table.into_any())
}

/// Roles, one a line.
pub(super) fn roles(roles: &[String]) -> AnyView {
    if roles.is_empty() {
        return view! { <span class="soft">"none"</span> }.into_any();
    }
    let items = roles.iter().map(|role| view! { <li>{role.clone()}</li> });
    view! { <ul class="plain-list">{items.collect_view()}</ul> }.into_any()
}

/// Whether an account may sign in.
pub(super) fn state(is_enabled: bool) -> AnyView {
    if is_enabled {
        view! { <span class="pill good">"enabled"</span> }.into_any()
    } else {
        view! { <span class="pill none">"disabled"</span> }.into_any()
    }
}

fn new_account(view: &AccountsView) -> AnyView {
    let FilledAccount { email, name, issuer, subject, reason } = view.filled.clone();
    view! {
        <form class="panel stacked" method="post" action=link::ADMIN_ACCOUNTS>
            {csrf_field(view.frame.csrf.as_deref())}
            <h2 id="new">"Make an account"</h2>
            <div class="field">
                <label for="email">"E-mail address"</label>
                <input id="email" name="email" type="email" maxlength="254" autocomplete="off" required=true value=email/>
            </div>
            <div class="field">
                <label for="name">"Name, as pages show it"</label>
                <input id="name" name="name" type="text" maxlength="200" autocomplete="off" value=name/>
            </div>
            <div class="field">
                <label for="role">"Role"</label>
                <select id="role" name="role">{options(&view.roles)}</select>
            </div>
            <div class="field">
                <label for="study">"In"</label>
                <select id="study" name="study"><option value="">"all studies"</option>{options(&view.studies)}</select>
            </div>
            <div class="field">
                <label for="password">"Initial password, of at least 12 characters; empty for a machine or a provider"</label>
                <input id="password" name="password" type="password" autocomplete="new-password"/>
            </div>
            <div class="field">
                <label for="issuer">"Identity provider's address, for who signs in through it"</label>
                <input id="issuer" name="issuer" type="text" maxlength="500" autocomplete="off" value=issuer/>
            </div>
            <div class="field">
                <label for="subject">"The provider's own name for the person (sub)"</label>
                <input id="subject" name="subject" type="text" maxlength="255" autocomplete="off" value=subject/>
            </div>
            {reason_field(&reason, "Why, without naming a person: it stands in the ledger for ever.")}
            <div><button class="button primary" type="submit">"Make the account"</button></div>
        </form>
    }
    .into_any()
}
