//! Back from an identity provider.

use leptos::prelude::*;

use crate::component::document::{Document, Drawing};
use crate::view::Frame;

/// The page between the provider and where the reader wanted to go. The browser keeps a session that is for this site
/// alone from requests that begin elsewhere, as a redirect from the provider does; what this page asks for begins here.
#[must_use]
pub fn signed_in(frame: &Frame, next: &str) -> String {
    onward(frame, "You are signed in", next)
}

/// The same for who has signed a record by their provider.
#[must_use]
pub fn signed(frame: &Frame, next: &str) -> String {
    onward(frame, "The record is signed", next)
}

fn onward(frame: &Frame, title: &'static str, next: &str) -> String {
    let content = view! {
        <div class="narrow">
            <h1>{title}</h1>
            <p><a class="button primary" href=next.to_owned()>"Go on"</a></p>
        </div>
    };
    let page = Document { frame, title, drawing: Drawing::None }.render(content.into_any());
    let refresh = view! { <meta http-equiv="refresh" content=format!("0;url={next}")/> }.to_html();
    page.replacen("</head>", &format!("{refresh}</head>"), 1)
}
