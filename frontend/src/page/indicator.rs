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
use crate::figure::{funnel, ranking, sentence_case};
use crate::page::rbqm::{level_choices, method_choices};
use crate::query::{IndicatorBars, IndicatorQuery, Level};
use crate::view::{Choice, IndicatorView, MonitoredBy, SiteRow, Tab};
use crate::{format, link, verdict};

/// One indicator over all sites, or all groups of another level.
#[must_use]
pub fn indicator(view: &IndicatorView) -> String {
    let study = view.frame.study_key();
    let (body, drawing) = match &view.indicator.unavailable {
        Some(why) => (unavailable(study, why), Drawing::None),
        None if view.sites.is_empty() => (nothing(view), Drawing::None),
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
    let (one, many) = view.query.level.groups();
    format!("{study} {} red, {} amber.", format::counted(red, one, many), format::count(amber))
}

fn found(view: &IndicatorView) -> AnyView {
    let (_, many) = view.query.level.groups();
    let scatter = funnel(view).map(|figure| chart(&figure, None, funnel_caption(view)));
    let bars = ranking(view).map(|figure| {
        let caption = match view.query.bars {
            IndicatorBars::Score => "by score; dotted lines are amber limits, dashed lines red ones.",
            IndicatorBars::Metric => "by metric; the line is the whole study.",
        };
        chart(&figure, None, format!("{} {caption}", sentence_case(many)))
    });
    view! {
        {filter(view)}
        {selected(view)}
        {scatter}
        <section aria-labelledby="ranking"><h2 id="ranking">"Ranking"</h2>{bars_switch(view)}{bars}</section>
        <section aria-labelledby="sites">
            <h2 id="sites">{format!("All {many}")}</h2>
            {downloads(&view.downloads)}
            {site_table(view)}
        </section>
    }
    .into_any()
}

/// The method whose limits are another for each group.
const LEAVE_ONE_OUT: &str = "leave_one_out";

fn funnel_caption(view: &IndicatorView) -> String {
    let (one, many) = view.query.level.groups();
    let limits = if view.bounds.is_empty() {
        "This method draws no limits.".to_owned()
    } else if view.definition.method == LEAVE_ONE_OUT {
        format!(
            "The curves are the limits of one more {one}. Each one here is judged against the others alone, so that a large one \
             can be flagged inside of them."
        )
    } else {
        format!(
            "Beyond the curves it is flagged. The smallest {many} lie to the left, where limits are wide."
        )
    };
    let click = match view.query.level {
        Level::Site => "A click opens the site's subjects.".to_owned(),
        _ => format!("A click points the {one} out."),
    };
    format!("Each mark is a {one}. {limits} {click}")
}

/// What is compared, by which method, and which group is pointed out.
fn filter(view: &IndicatorView) -> AnyView {
    let mut groups: Vec<Choice> = view.sites.iter().map(|site| choice(&site.site, &site.site)).collect();
    groups.sort_by(|a, b| a.key.cmp(&b.key));
    let mut levels = level_choices(&view.levels);
    levels.retain(|level| level.key != Level::Study.name());
    let methods = method_choices(|key| view.methods.iter().any(|method| method == key));
    let query = &view.query;
    let select = |name, label, any, choices, chosen| Select { name, label, any, choices, chosen }.render();
    let fields = vec![
        select("level", "Compare", None, &levels, Some(query.level.name())),
        select("method", "Method", Some("The indicator's own"), &methods, query.method.as_deref()),
        select("site", "Point out", Some("None"), &groups, query.site.as_deref()),
    ];
    let hidden = vec![("sort", query.sort.name().to_owned()), ("bars", query.bars.name().to_owned())];
    let action = link::indicator(view.frame.study_key(), &view.indicator.id, &IndicatorQuery::default());
    filter_bar(action, hidden, fields, "Compare and point out")
}

/// What the indicator says about the site, or other group, that was asked for.
fn selected(view: &IndicatorView) -> Option<AnyView> {
    let wanted = view.query.site.as_deref()?;
    let (one, _) = view.query.level.groups();
    let Some(site) = view.sites.iter().find(|site| site.site == wanted) else {
        return Some(view! { <p class="note">{format!("This study has no {one} {wanted}.")}</p> }.into_any());
    };
    let signal = site.signals.first()?;
    let said =
        verdict::reason(&view.indicator, signal).unwrap_or_else(|| verdict::in_full(&view.indicator, signal));
    let subjects = (view.query.level == Level::Site).then(|| {
        let href = link::site_subjects(view.frame.study_key(), &view.indicator.id, wanted);
        view! { <p><a class="button" href=href>"Subjects of this site"</a></p> }
    });
    Some(
        view! {
            <div class="panel selected">
                <p><strong>{format!("{} ", view.query.level.group(wanted))}</strong>{flag_pill(signal.flag)}</p>
                <p>{said}</p>
                {monitored_by(site)}
                {subjects}
            </div>
        }
        .into_any(),
    )
}

/// Whom to call about a site.
fn monitored_by(site: &SiteRow) -> Option<AnyView> {
    let MonitoredBy { cro, monitor } = &site.monitored_by;
    let known: Vec<&str> =
        [cro.as_str(), monitor.as_str()].into_iter().filter(|name| !name.is_empty()).collect();
    (!known.is_empty())
        .then(|| view! { <p class="soft">{format!("Monitored by {}.", known.join(", "))}</p> }.into_any())
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

fn nothing(view: &IndicatorView) -> AnyView {
    let study = view.frame.study_key();
    let empty = match view.query.level {
        Level::Site => Empty {
            title: "No sites",
            advice: "No site of this snapshot has subjects, so that there is nothing to compare.".to_owned(),
            command: None,
            link: Some((link::tab(study, Tab::Rbqm), "Back to all indicators")),
        },
        level => Empty {
            title: "Nothing to compare",
            advice: format!(
                "The sources of this snapshot name no {} that this method compares.",
                level.groups().0
            ),
            command: None,
            link: Some((
                link::indicator(study, &view.indicator.id, &IndicatorQuery::default()),
                "Compare sites",
            )),
        },
    };
    empty.render()
}
