//! Flags as people see them: a colour, a sign and a word.

use leptos::prelude::*;

use crate::verdict;
use crate::view::Flag;

/// The flag as a pill with its sign and its words.
pub(crate) fn flag_pill(flag: Flag) -> AnyView {
    view! {
        <span class=format!("pill {}", verdict::class(flag))>{sign(flag)}{verdict::words(flag)}</span>
    }
    .into_any()
}

/// Red and amber flags of a site, counted.
pub(crate) fn count_pills(red: usize, amber: usize) -> AnyView {
    let pill = |class: &'static str, count: usize, word: &'static str| {
        (count > 0).then(|| view! { <span class=format!("pill {class}")>{format!("{count} {word}")}</span> })
    };
    view! { {pill("high-red", red, "red")} {pill("high-amber", amber, "amber")} }.into_any()
}

/// What each sign and colour of the matrix means.
pub(crate) fn legend() -> AnyView {
    let items = Flag::ALL.map(|flag| {
        let shown = match flag {
            Flag::None => "1.2",
            Flag::NotEnough => "few",
            Flag::NotAvailable => "n/a",
            raised => verdict::sign(raised),
        };
        let words = match flag {
            Flag::NotEnough => "not enough data yet: the accrual threshold is not met",
            flag => verdict::words(flag),
        };
        view! {
            <li><span class=format!("swatch {}", verdict::class(flag)) aria-hidden="true">{shown}</span>{words}</li>
        }
    });
    view! { <ul class="legend" aria-label="Legend">{items}</ul> }.into_any()
}

fn sign(flag: Flag) -> Option<AnyView> {
    let sign = verdict::sign(flag);
    (!sign.is_empty()).then(|| view! { <span aria-hidden="true">{sign}" "</span> }.into_any())
}
