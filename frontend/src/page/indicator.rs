//! `/studies/{study}/rbqm/{indicator}`
mod site_table;

use leptos::prelude::*;
use site_table::site_table;

use crate::component::breadcrumb::breadcrumb;
use crate::component::chart::chart;
use crate::component::definition::{definition_box, downloads};
use crate::component::document::{Document, Drawing};
use crate::component::empty::Empty;
use crate::component::filter::{Select, choice, filter_bar};
use crate::component::flag::flag_pill;
use crate::figure::{funnel, ranking};
use crate::query::{IndicatorBars, IndicatorQuery};
use crate::view::{Choice, IndicatorView, Tab};
use crate::{format, link, verdict};

/// One indicator over all sites.
#[must_use]
pub fn indicator(view: &IndicatorView) -> String {
    let study = view.frame.study_key();
    let (body, drawing) = match &view.indicator.unavailable {
        Some(why) => (unavailable(study, why), Drawing::None),
        None if view.sites.is_empty() => (nothing(study), Drawing::None),
        None => (found(view), Drawing::Figures),
    };
    let content = view! {
        {breadcrumb(vec![("RBQM".to_owned(), link::tab(study, Tab::Rbqm))], view.indicator.title.clone())}
        <div class="page-head">
            <h1>{view.indicator.title.clone()}</h1>
            <p class="lead">{lead(view)}</p>
        </div>
        {body}
        {definition_box(&view.definition)}
    };
    Document { frame: &view.frame, title: &view.indicator.title, drawing }.render(content.into_any())
}

fn lead(view: &IndicatorView) -> String {
    let indicator = &view.indicator;
    let signals = view.sites.iter().filter_map(|site| site.signals.first());
    let red = signals.clone().filter(|signal| signal.flag.is_red()).count() as u64;
    let amber = signals.filter(|signal| signal.flag.is_amber()).count() as u64;
    let study = match indicator.metric {
        crate::view::Metric::Share => format!(
            "{} among {}: {} in the study.",
            indicator.numerator,
            indicator.denominator,
            verdict::metric(indicator, indicator.overall)
        ),
        _ => format!(
            "{} {} in the study.",
            verdict::metric(indicator, indicator.overall),
            verdict::metric_unit(indicator)
        ),
    };
    let mut study = study;
    if let Some(first) = study.get_mut(0..1) {
        first.make_ascii_uppercase();
    }
    format!("{study} {} red, {} amber.", format::counted(red, "site", "sites"), format::count(amber))
}

fn found(view: &IndicatorView) -> AnyView {
    let scatter = funnel(view).map(|figure| {
        let caption = "Each mark is a site; beyond the curves it is flagged. Small sites lie to the left, where \
                       limits are wide. A click opens the site's subjects.";
        chart(&figure, None, caption.to_owned())
    });
    let bars = ranking(view).map(|figure| {
        let caption = match view.query.bars {
            IndicatorBars::Score => "Sites by score; dotted lines are amber limits, dashed lines red ones.",
            IndicatorBars::Metric => "Sites by metric; the line is the whole study.",
        };
        chart(&figure, None, caption.to_owned())
    });
    view! {
        {site_filter(view)}
        {selected(view)}
        {scatter}
        <section aria-labelledby="ranking"><h2 id="ranking">"Ranking"</h2>{bars_switch(view)}{bars}</section>
        <section aria-labelledby="sites">
            <h2 id="sites">"All sites"</h2>
            {downloads(&view.downloads)}
            {site_table(view)}
        </section>
    }
    .into_any()
}

fn site_filter(view: &IndicatorView) -> AnyView {
    let mut sites: Vec<Choice> = view.sites.iter().map(|site| choice(&site.site, &site.site)).collect();
    sites.sort_by(|a, b| a.key.cmp(&b.key));
    let select = Select {
        name: "site",
        label: "Point out a site",
        any: Some("None"),
        choices: &sites,
        chosen: view.query.site.as_deref(),
    };
    let hidden =
        vec![("sort", view.query.sort.name().to_owned()), ("bars", view.query.bars.name().to_owned())];
    let action = link::indicator(view.frame.study_key(), &view.indicator.id, &IndicatorQuery::default());
    filter_bar(action, hidden, vec![select.render()], "Point out a site")
}

/// What the indicator says about the site that was asked for.
fn selected(view: &IndicatorView) -> Option<AnyView> {
    let wanted = view.query.site.as_deref()?;
    let Some(site) = view.sites.iter().find(|site| site.site == wanted) else {
        return Some(view! { <p class="note">{format!("This study has no site {wanted}.")}</p> }.into_any());
    };
    let signal = site.signals.first()?;
    let href = link::site_subjects(view.frame.study_key(), &view.indicator.id, wanted);
    let said =
        verdict::reason(&view.indicator, signal).unwrap_or_else(|| verdict::in_full(&view.indicator, signal));
    Some(
        view! {
            <div class="panel selected">
                <p><strong>{format!("Site {wanted} ")}</strong>{flag_pill(signal.flag)}</p>
                <p>{said}</p>
                <p><a class="button" href=href>"Subjects of this site"</a></p>
            </div>
        }
        .into_any(),
    )
}

fn bars_switch(view: &IndicatorView) -> AnyView {
    let items = IndicatorBars::ALL.map(|bars| {
        let label = match bars {
            IndicatorBars::Score => "By score",
            IndicatorBars::Metric => "By metric",
        };
        let query = IndicatorQuery { bars, ..view.query.clone() };
        let href = link::indicator(view.frame.study_key(), &view.indicator.id, &query);
        let current = (bars == view.query.bars).then_some("true");
        view! { <li><a href=format!("{href}#ranking") aria-current=current>{label}</a></li> }
    });
    view! { <ul class="switch" aria-label="What the bars show">{items}</ul> }.into_any()
}

fn unavailable(study: &str, why: &str) -> AnyView {
    Empty {
        title: "Not available for this source",
        advice: format!("This indicator cannot be computed from what was loaded: {why}."),
        command: None,
        link: Some((link::tab(study, Tab::Data), "See what was loaded")),
    }
    .render()
}

fn nothing(study: &str) -> AnyView {
    Empty {
        title: "No sites",
        advice: "No site of this snapshot has subjects, so that there is nothing to compare.".to_owned(),
        command: None,
        link: Some((link::tab(study, Tab::Rbqm), "Back to all indicators")),
    }
    .render()
}
