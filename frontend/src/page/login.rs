//! `/login`

use leptos::prelude::*;

use crate::component::document::{Document, Drawing};
use crate::component::frame::csrf_field;
use crate::link;
use crate::view::{LoginState, LoginView};

/// The sign-in page.
#[must_use]
pub fn login(view: &LoginView) -> String {
    let content = view! {
        <div class="narrow">
            <h1>{format!("Sign in to {}", view.frame.product)}</h1>
            {message(view.state)}
            {view.exposed.then(exposed)}
            {view.provider.as_ref().map(|provider| through(provider, &view.next))}
            {form(view)}
        </div>
    };
    Document { frame: &view.frame, title: "Sign in", drawing: Drawing::None }.render(content.into_any())
}

/// The way through the identity provider.
fn through(provider: &str, next: &str) -> AnyView {
    let words = format!("Sign in with {provider}");
    view! { <p><a class="button primary" href=link::login_through_provider(next)>{words}</a></p> }.into_any()
}

fn form(view: &LoginView) -> AnyView {
    let refused = (view.state == LoginState::Refused).then_some("true");
    let described = (view.state != LoginState::Fresh).then_some("login-message");
    view! {
        <form class="panel stacked" method="post" action=link::LOGIN>
            {csrf_field(view.frame.csrf.as_deref())}
            <input type="hidden" name="next" value=view.next.clone()/>
            <div class="field">
                <label for="email">"E-mail address"</label>
                <input id="email" name="email" type="email" autocomplete="username" required=true
                    value=view.email.clone() aria-invalid=refused aria-describedby=described/>
            </div>
            <div class="field">
                <label for="password">"Password"</label>
                <input id="password" name="password" type="password" autocomplete="current-password"
                    required=true aria-invalid=refused aria-describedby=described/>
            </div>
            <div class="field">
                <label for="code">"Code of your authenticator app, if you have set one up"</label>
                <input id="code" name="code" type="text" inputmode="text" autocomplete="one-time-code"
                    autocapitalize="off" spellcheck="false" aria-describedby=described/>
            </div>
            <button class="button primary" type="submit">"Sign in"</button>
        </form>
    }
    .into_any()
}

/// A browser that will not keep the session says nothing: the form would come back again and again.
fn exposed() -> AnyView {
    view! {
        <p class="note bad" role="alert">
            <strong>"This connection is not protected. "</strong>
            "Your browser keeps a sign-in only over HTTPS, or on the machine that runs the server. Open this page by its "
            "https address; if there is none, ask your administrator to put the server behind TLS."
        </p>
    }
    .into_any()
}

fn message(state: LoginState) -> Option<AnyView> {
    let (class, role, text) = match state {
        LoginState::Fresh => return None,
        LoginState::Refused => {
            ("note bad", "alert", "The e-mail address, the password or the code is not right.")
        }
        LoginState::Throttled => ("note bad", "alert", "Too many attempts. Wait a minute and try again."),
        LoginState::Expired => ("note", "status", "Your session has ended. Sign in to go on where you were."),
        LoginState::SignedOut => ("note", "status", "You have signed out."),
        LoginState::OrganisationDisabled => (
            "note bad",
            "alert",
            "Your organisation is disabled here. Ask whoever runs this server; nothing was deleted.",
        ),
        LoginState::ProviderRefused => {
            ("note bad", "alert", "That sign-in did not come to an end. Begin again from this page.")
        }
        LoginState::ProviderAway => (
            "note bad",
            "alert",
            "Your organisation's sign-in cannot be reached. Try again in a few minutes.",
        ),
        LoginState::NoAccount => (
            "note bad",
            "alert",
            "Your organisation's sign-in knows you, but no account here is linked to it. Ask your administrator for one.",
        ),
    };
    Some(view! { <p id="login-message" class=class role=role>{text}</p> }.into_any())
}
