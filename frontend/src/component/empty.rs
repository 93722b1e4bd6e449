//! What stands where there is no data: why, and what to do.

use leptos::prelude::*;

/// Why there is nothing here and what to do about it.
pub(crate) struct Empty {
    /// What is not there.
    pub(crate) title: &'static str,
    /// Why, and what to do.
    pub(crate) advice: String,
    /// A command to type.
    pub(crate) command: Option<String>,
    /// A link with its label.
    pub(crate) link: Option<(String, &'static str)>,
}

impl Empty {
    /// The empty state as a panel.
    pub(crate) fn render(self) -> AnyView {
        view! {
            <div class="empty">
                <p class="empty-title">{self.title}</p>
                <p>{self.advice}</p>
                {self.command.map(|command| view! { <pre class="code"><code>{command}</code></pre> })}
                {self.link.map(|(href, label)| view! { <p><a class="button" href=href>{label}</a></p> })}
            </div>
        }
        .into_any()
    }
}
