//! The sites to call, worst first, each with its reasons.

use leptos::prelude::*;

use super::flag::count_pills;
use super::table::share_bar;
use crate::site_call::{Reason, SiteCall};
use crate::view::MonitoredBy;
use crate::{format, link, verdict};

/// Reasons shown for one site before the rest is counted.
const REASONS_MAX: usize = 3;

/// An ordered list of the first `limit` calls.
pub(crate) fn call_list(study: &str, calls: &[SiteCall], limit: usize) -> AnyView {
    let items = calls.iter().take(limit).enumerate().map(|(place, call)| call_item(study, place + 1, call));
    view! { <ol class="calls">{items.collect_view()}</ol> }.into_any()
}

fn call_item(study: &str, place: usize, call: &SiteCall) -> AnyView {
    let worst = call.reasons.first();
    let href =
        worst.map(|reason| link::site_subjects(study, &reason.indicator, &call.site)).unwrap_or_default();
    let MonitoredBy { cro, monitor } = &call.monitored_by;
    let about = [&call.name, &call.country, cro, monitor].map(String::as_str);
    let about: Vec<&str> = about.into_iter().filter(|part| !part.is_empty()).collect();
    let reasons = call.reasons.iter().take(REASONS_MAX).map(|reason| reason_item(study, &call.site, reason));
    let more = call.reasons.len().saturating_sub(REASONS_MAX);
    view! {
        <li class="call">
            <div class="call-rank" aria-hidden="true">{place}</div>
            <div class="call-body">
                <h3 class="call-head">
                    <a href=href>{format!("Site {}", call.site)}</a>
                    <span class="call-about">{about.join(" · ")}</span>
                </h3>
                <ul class="reasons">
                    {reasons.collect_view()}
                    {(more > 0).then(|| view! { <li class="more">{format!("and {more} more")}</li> })}
                </ul>
            </div>
            <div class="call-score">
                <p class="call-risk">
                    <span class="call-risk-label">"Risk score "</span>
                    <strong>{format::risk_score(call.risk_score)}</strong>
                </p>
                {share_bar(call.risk_score.unwrap_or(0.0) / 100.0, "risk")}
                <p class="call-pills">{count_pills(call.red_count, call.amber_count)}</p>
            </div>
        </li>
    }
    .into_any()
}

fn reason_item(study: &str, site: &str, reason: &Reason) -> AnyView {
    let href = link::indicator_at(study, &reason.indicator, site);
    view! {
        <li>
            <span class=format!("sign {}", verdict::class(reason.flag)) aria-hidden="true">
                {verdict::sign(reason.flag)}
            </span>
            <a href=href>{reason.sentence.clone()}</a>
        </li>
    }
    .into_any()
}
