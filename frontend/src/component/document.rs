//! The document around a page.

use leptos::prelude::*;

use super::frame::{foot, head_bar};
use crate::asset;
use crate::view::{Frame, Theme};

/// What makes a whole document of a page's content.
pub(crate) struct Document<'a> {
    /// The frame.
    pub(crate) frame: &'a Frame,
    /// What stands in the browser's tab before the study and the product.
    pub(crate) title: &'a str,
    /// What a script is to show.
    pub(crate) drawing: Drawing,
}

/// Which scripts a page loads.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Drawing {
    /// No figures, no scripts.
    None,
    /// The page holds data blocks of figures.
    Figures,
    /// The page holds jobs whose progress is shown as it happens.
    Progress,
}

impl Document<'_> {
    /// The document as HTML text.
    pub(crate) fn render(&self, content: AnyView) -> String {
        let theme = match self.frame.theme {
            Theme::System => None,
            chosen => Some(chosen.name()),
        };
        let html = view! {
            <html lang="en" data-theme=theme>
                {self.head()}
                <body>
                    <a class="skip" href="#content">"Skip to content"</a>
                    {head_bar(self.frame)}
                    <main id="content" tabindex="-1">{content}</main>
                    {foot(self.frame)}
                </body>
            </html>
        };
        format!("<!DOCTYPE html>{}", html.to_html())
    }

    fn head(&self) -> AnyView {
        let study = self.frame.study.as_ref().map(|study| format!(" · {}", study.label)).unwrap_or_default();
        let title = format!("{}{study} · {}", self.title, self.frame.product);
        view! {
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="light dark"/>
                <meta name="referrer" content="same-origin"/>
                <title>{title}</title>
                <link rel="icon" type="image/svg+xml" href=asset::url("cairn.svg")/>
                <link rel="stylesheet" href=asset::url("cairn.css")/>
                {(self.drawing == Drawing::Figures).then(drawing_assets)}
                {(self.drawing == Drawing::Progress).then(|| {
                    view! { <script defer src=asset::url("jobs.js")></script> }
                })}
            </head>
        }
        .into_any()
    }
}

/// Plotly looks for this very id and class and then leaves its style rules to the sheet, as the
/// content security policy wants it.
fn drawing_assets() -> impl IntoView {
    view! {
        <link rel="stylesheet" id="plotly.js-style-global" class="no-inline-styles" href=asset::url("plotly.css")/>
        <script defer src=asset::url("plotly.js")></script>
        <script defer src=asset::url("cairn.js")></script>
    }
}
