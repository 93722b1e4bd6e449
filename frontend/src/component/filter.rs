//! Forms that write the address.

use leptos::prelude::*;

use crate::view::Choice;

/// One choice of a filter form. The empty value stands for no restriction.
pub(crate) struct Select<'a> {
    /// The name in the address.
    pub(crate) name: &'static str,
    /// The label people read.
    pub(crate) label: &'static str,
    /// The word for no restriction; `None` when one must be chosen.
    pub(crate) any: Option<&'static str>,
    /// What to choose from.
    pub(crate) choices: &'a [Choice],
    /// What is chosen.
    pub(crate) chosen: Option<&'a str>,
}

impl Select<'_> {
    /// The label with its drop-down.
    pub(crate) fn render(&self) -> AnyView {
        let id = format!("filter-{}", self.name);
        let chosen = self.chosen.unwrap_or_default();
        let any = self.any.map(|any| view! { <option value="" selected=chosen.is_empty()>{any}</option> });
        let unlisted = !chosen.is_empty() && !self.choices.iter().any(|choice| choice.key == chosen);
        let unlisted = unlisted.then(|| {
            view! { <option value=chosen.to_owned() selected=true>{chosen.to_owned()}</option> }
        });
        let options = self.choices.iter().map(|choice| {
            view! {
                <option value=choice.key.clone() selected=choice.key == chosen>{choice.label.clone()}</option>
            }
        });
        view! {
            <div class="field">
                <label for=id.clone()>{self.label}</label>
                <select id=id name=self.name>{any}{unlisted}{options.collect_view()}</select>
            </div>
        }
        .into_any()
    }
}

/// A form of drop-downs that opens `action` with what was chosen. `hidden` keeps what is chosen elsewhere.
pub(crate) fn filter_bar(
    action: String,
    hidden: Vec<(&'static str, String)>,
    fields: Vec<AnyView>,
    label: &'static str,
) -> AnyView {
    let reset = action.clone();
    let hidden =
        hidden.into_iter().map(|(name, value)| view! { <input type="hidden" name=name value=value/> });
    view! {
        <form class="filter" method="get" action=action aria-label=label>
            {hidden.collect_view()}
            {fields}
            <div class="field-buttons">
                <button class="button primary" type="submit">"Apply"</button>
                <a class="button quiet" href=reset>"Reset"</a>
            </div>
        </form>
    }
    .into_any()
}

/// A choice by its key and label.
pub(crate) fn choice(key: &str, label: &str) -> Choice {
    Choice { key: key.to_owned(), label: label.to_owned() }
}
