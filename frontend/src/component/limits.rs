//! Tolerance limits of the whole study, the gravest first.

use leptos::prelude::*;

use super::table::{head, scrolling};
use crate::format;
use crate::view::{LimitVerdict, ToleranceLimit};

/// The limits as a table; a sentence when no source answers any.
pub(crate) fn limits(limits: &[ToleranceLimit]) -> AnyView {
    if limits.is_empty() {
        let said =
            "No tolerance limit can be judged: the sources hold no dispositions, deviations or visits.";
        return view! { <p class="soft">{said}</p> }.into_any();
    }
    let mut sorted: Vec<&ToleranceLimit> = limits.iter().collect();
    sorted.sort_by(|a, b| b.verdict.cmp(&a.verdict).then_with(|| a.title.cmp(&b.title)));
    let heads = view! {
        {head("Limit", "")}{head("Now", "")}{head("Share", "num")}{head("Counted", "num")}{head("Expected", "num")}
        {head("Tolerated", "num")}{head("Chance to end above", "num")}
    };
    let label = "Tolerance limits of the study, the gravest first";
    let table = view! {
        <table>
            <caption class="vh">{label}</caption>
            <thead><tr>{heads}</tr></thead>
            <tbody>{sorted.into_iter().map(row).collect_view()}</tbody>
        </table>
    };
    scrolling(label.to_owned(), table.into_any())
}

fn row(limit: &ToleranceLimit) -> AnyView {
    #[expect(clippy::cast_precision_loss, reason = "a share of counts needs no more than 53 bits")]
    let share = limit.events as f64 / limit.units.max(1) as f64;
    let counted = format!("{} of {}", format::count(limit.events), format::count(limit.units));
    let chance = limit.chance_above.map_or_else(|| "–".to_owned(), format::percent);
    view! {
        <tr>
            <th scope="row">{limit.title.clone()}</th>
            <td>{verdict_pill(limit.verdict)}</td>
            <td class="num">{format::percent(share)}</td>
            <td class="num">{counted}</td>
            <td class="num">{format::percent(limit.expected)}</td>
            <td class="num">{format::percent(limit.tolerated)}</td>
            <td class="num">{chance}</td>
        </tr>
    }
    .into_any()
}

/// How a share stands to its limits, in words and colour.
pub(crate) fn verdict_pill(verdict: LimitVerdict) -> AnyView {
    let (words, class) = match verdict {
        LimitVerdict::TooFew => ("too few to say", "pill none"),
        LimitVerdict::Within => ("within", "pill good"),
        LimitVerdict::Secondary => ("secondary limit", "pill high-amber"),
        LimitVerdict::Breach => ("limit exceeded", "pill high-red"),
    };
    view! { <span class=class>{words}</span> }.into_any()
}
