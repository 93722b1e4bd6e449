//! The part of `/account` about the authenticator app.

use leptos::prelude::*;

use crate::component::frame::csrf_field;
use crate::link;
use crate::view::{AccountView, SecondFactorState};

/// What there is, what was just made of it, and what can be done.
pub(crate) fn second_factor(view: &AccountView) -> AnyView {
    let csrf = view.frame.csrf.as_deref();
    let enrolment = view.enrolment.as_ref().map(|(secret, uri)| enrolment(secret, uri));
    let codes = (!view.recovery_codes.is_empty()).then(|| recovery_codes(&view.recovery_codes));
    let form = match view.second_factor {
        SecondFactorState::Absent => begin(csrf, "Set up an authenticator app"),
        SecondFactorState::Enrolled => view! {
            {code_form(link::SECOND_FACTOR_CONFIRM, csrf, "Take it into use", "The code that the app shows")}
            {begin(csrf, "Begin again with another secret")}
        }
        .into_any(),
        SecondFactorState::Confirmed(left) => view! {
            <p>
                <span class="pill good">"in use"</span>
                {format!(" Every sign-in asks for its code. {left} recovery codes are left.")}
            </p>
            {code_form(link::SECOND_FACTOR_DISABLE, csrf, "Give it up", "A code of the app, or a recovery code")}
        }
        .into_any(),
    };
    view! { {enrolment}{codes}{form} }.into_any()
}

fn enrolment(secret: &str, uri: &str) -> AnyView {
    view! {
        <div class="note good" role="status">
            <p>
                <strong>"Tell your app this secret. "</strong>
                "Choose \u{201c}enter a key\u{201d} in the app, time-based with six digits; on this device you can also "
                <a href=uri.to_owned()>"open the app"</a>". Then type the code that it shows."
            </p>
            <p><code>{secret.to_owned()}</code></p>
        </div>
    }
    .into_any()
}

fn recovery_codes(codes: &[String]) -> AnyView {
    let items = codes.iter().map(|code| view! { <li><code>{code.clone()}</code></li> });
    view! {
        <div class="note good" role="status">
            <p>
                <strong>"Your recovery codes. "</strong>
                "Each lets you in once when the app is lost. Keep them apart from it: nobody can show them again."
            </p>
            <ul>{items.collect_view()}</ul>
        </div>
    }
    .into_any()
}

fn begin(csrf: Option<&str>, words: &'static str) -> AnyView {
    view! {
        <form method="post" action=link::SECOND_FACTOR_ENROL>
            {csrf_field(csrf)}
            <button class="button" type="submit">{words}</button>
        </form>
    }
    .into_any()
}

fn code_form(action: &'static str, csrf: Option<&str>, words: &'static str, label: &'static str) -> AnyView {
    view! {
        <form class="panel stacked" method="post" action=action>
            {csrf_field(csrf)}
            <div class="field">
                <label for="second-factor-code">{label}</label>
                <input id="second-factor-code" name="code" type="text" autocomplete="one-time-code" required=true/>
            </div>
            <div><button class="button primary" type="submit">{words}</button></div>
        </form>
    }
    .into_any()
}
