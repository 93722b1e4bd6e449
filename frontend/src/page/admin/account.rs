//! `/admin/accounts/{account}`

use leptos::prelude::*;

use super::accounts::state;
use super::lines::{self, Owners, button_to, instant, last_use, options, problem, reason_field};
use crate::component::breadcrumb::breadcrumb;
use crate::component::document::{Document, Drawing};
use crate::component::frame::csrf_field;
use crate::component::table::{head, scrolling};
use crate::link;
use crate::view::{AdminAccountView, GrantLine, IdentityLine};

/// One account, with what it was granted and what lets it in.
#[must_use]
pub fn admin_account(view: &AdminAccountView) -> String {
    let above = vec![
        ("Admin".to_owned(), link::ADMIN.to_owned()),
        ("Accounts".to_owned(), link::ADMIN_ACCOUNTS.to_owned()),
    ];
    let own = view.is_own.then(|| view! { <p class="note" role="status">"This is your own account."</p> });
    let content = view! {
        {breadcrumb(above, view.account.email.clone())}
        <div class="page-head">
            <h1>{view.account.email.clone()}</h1>
            <p class="lead">{state(view.account.is_enabled)}{view.account.name.clone()}</p>
        </div>
        {own}
        {problem(view.problem.as_ref())}
        {facts(view)}
        // One form: each button sends the reason that is given once.
        <form method="post" action=grant_address(view)>
            {csrf_field(view.frame.csrf.as_deref())}
            {lines::no_default()}
            <section class="panel stacked" aria-labelledby="change">
                <h2 id="change">"Change something"</h2>
                {reason_field(&view.reason, "Every button on this page needs it. It stands in the ledger for ever: name no person.")}
                {standing(view)}
            </section>
            <section aria-labelledby="roles">
                <h2 id="roles">"Roles"</h2>
                {grants(view)}
                {new_grant(view)}
            </section>
            <section aria-labelledby="identities">
                <h2 id="identities">"Identities"</h2>
                {identities(view)}
                {new_identity(view)}
            </section>
            <section aria-labelledby="sessions">
                <h2 id="sessions">"Sessions"</h2>
                {lines::sessions(&view.sessions, Owners::Known)}
            </section>
            <section aria-labelledby="tokens">
                <h2 id="tokens">"Tokens"</h2>
                {lines::tokens(&view.tokens, Owners::Known)}
            </section>
        </form>
    };
    Document { frame: &view.frame, title: "Account", drawing: Drawing::None }.render(content.into_any())
}

fn grant_address(view: &AdminAccountView) -> String {
    link::admin_account_action(&view.account.id, "grant")
}

fn facts(view: &AdminAccountView) -> AnyView {
    let disabled = view.disabled_unix_s.map(|at| view! { <dt>"Disabled"</dt><dd>{instant(at)}</dd> });
    let factor = if view.account.has_second_factor { "authenticator app in use" } else { "none" };
    view! {
        <dl class="facts">
            <dt>"Account"</dt><dd><code>{view.account.id.clone()}</code></dd>
            <dt>"Made"</dt><dd>{instant(view.created_unix_s)}</dd>
            {disabled}
            <dt>"Last used"</dt><dd>{last_use(view.account.used_unix_s)}</dd>
            <dt>"Signs in by"</dt><dd>{view.account.signs_in_by.clone()}</dd>
            <dt>"Second factor"</dt><dd>{factor}</dd>
        </dl>
    }
    .into_any()
}

fn standing(view: &AdminAccountView) -> AnyView {
    let to = |what: &'static str| link::admin_account_action(&view.account.id, what);
    let switch = if view.account.is_enabled {
        ("disable", "Disable the account")
    } else {
        ("enable", "Enable the account")
    };
    let reset = (view.account.has_second_factor && !view.is_own).then(|| {
        view! {
            <button class="button" type="submit" formaction=to("second-factor/reset")>"Remove the authenticator app"</button>
        }
    });
    let end = (!view.sessions.is_empty()).then(|| {
        view! { <button class="button" type="submit" formaction=to("sessions/end")>"End all sessions"</button> }
    });
    view! {
        <div class="button-row">
            <button class="button" type="submit" formaction=to(switch.0)>{switch.1}</button>
            {reset}{end}
        </div>
    }
    .into_any()
}

fn grants(view: &AdminAccountView) -> AnyView {
    if view.grants.is_empty() {
        return view! { <p class="soft">"The account has no role: it may sign in and see nothing."</p> }
            .into_any();
    }
    let row = |grant: &GrantLine| {
        let place = grant.study.clone().unwrap_or_else(|| "all studies".to_owned());
        let label = format!("Take the role {} in {place}", grant.label);
        let to = link::admin_revoke_grant(&view.account.id, &grant.role, grant.study.as_deref());
        view! {
            <tr>
                <th scope="row">{grant.label.clone()}</th>
                <td>{place}</td>
                <td class="nowrap">{instant(grant.since_unix_s)}</td>
                <td>{grant.by.clone()}</td>
                <td>{button_to(to, "Take away", label)}</td>
            </tr>
        }
    };
    let table = view! {
        <table>
            <caption class="vh">"Roles of the account"</caption>
            <thead><tr>{head("Role", "")}{head("In", "")}{head("Since", "")}{head("Given by", "")}{head("", "")}</tr></thead>
            <tbody>{view.grants.iter().map(row).collect_view()}</tbody>
        </table>
    };
    scrolling("Roles of the account".to_owned(), table.into_any())
}

fn new_grant(view: &AdminAccountView) -> AnyView {
    view! {
        <div class="filter">
            <div class="field">
                <label for="role">"Role"</label>
                <select id="role" name="role">{options(&view.roles)}</select>
            </div>
            <div class="field">
                <label for="study">"In"</label>
                <select id="study" name="study"><option value="">"all studies"</option>{options(&view.studies)}</select>
            </div>
            <div class="field-buttons">
                <button class="button primary" type="submit" formaction=grant_address(view)>"Give the role"</button>
            </div>
        </div>
    }
    .into_any()
}

fn identities(view: &AdminAccountView) -> AnyView {
    if view.identities.is_empty() {
        return view! { <p class="soft">"Nobody signs in to the account through an identity provider."</p> }
            .into_any();
    }
    let to = link::admin_account_action(&view.account.id, "identities/unlink");
    let row = |one: &IdentityLine| {
        let label = format!("Take the identity {} of {}", one.subject, one.issuer);
        view! {
            <tr>
                <td>{one.issuer.clone()}</td>
                <th scope="row"><code>{one.subject.clone()}</code></th>
                <td class="nowrap">{instant(one.since_unix_s)}</td>
                <td>
                    <button class="button quiet small" type="submit" name="identity" value=one.key.clone()
                        formaction=to.clone() aria-label=label>"Take away"</button>
                </td>
            </tr>
        }
    };
    let table = view! {
        <table>
            <caption class="vh">"Identities of the account"</caption>
            <thead><tr>{head("Provider", "")}{head("Its name for the person", "")}{head("Since", "")}{head("", "")}</tr></thead>
            <tbody>{view.identities.iter().map(row).collect_view()}</tbody>
        </table>
    };
    scrolling("Identities of the account".to_owned(), table.into_any())
}

fn new_identity(view: &AdminAccountView) -> AnyView {
    let to = link::admin_account_action(&view.account.id, "identities");
    view! {
        <div class="filter">
            <div class="field">
                <label for="issuer">"Provider"</label>
                <input id="issuer" name="issuer" type="text" maxlength="500" autocomplete="off" value=view.issuer.clone()
                    aria-describedby="identity-help"/>
            </div>
            <div class="field">
                <label for="subject">"Its name for the person (sub)"</label>
                <input id="subject" name="subject" type="text" maxlength="255" autocomplete="off" value=view.subject.clone()
                    aria-describedby="identity-help"/>
            </div>
            <div class="field-buttons">
                <button class="button primary" type="submit" formaction=to>"Link the identity"</button>
            </div>
        </div>
        <p id="identity-help" class="soft">
            "Both letter by letter as the provider writes them; the name is no e-mail address. When an identity is taken away, the "
            "account's sessions end."
        </p>
    }
    .into_any()
}
