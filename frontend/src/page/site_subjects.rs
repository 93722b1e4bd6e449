//! `/studies/{study}/rbqm/{indicator}/sites/{site}`

use leptos::prelude::*;

use crate::component::breadcrumb::breadcrumb;
use crate::component::definition::{definition_box, downloads};
use crate::component::document::{Document, Drawing};
use crate::component::empty::Empty;
use crate::component::flag::flag_pill;
use crate::component::table::{Direction, SortHead, head, scrolling, share_bar};
use crate::figure::sentence_case;
use crate::query::{IndicatorQuery, SubjectsQuery, SubjectsSort};
use crate::row_order::subjects;
use crate::view::{SiteSubjectsView, SubjectContribution, Tab};
use crate::{format, link, verdict};

/// The subjects of one site behind one indicator.
#[must_use]
pub fn site_subjects(view: &SiteSubjectsView) -> String {
    let study = view.frame.study_key();
    let site = &view.site.site;
    let title = format!("{}, site {site}", view.indicator.title);
    let above = vec![
        ("RBQM".to_owned(), link::tab(study, Tab::Rbqm)),
        (view.indicator.title.clone(), link::indicator_at(study, &view.indicator.id, site)),
    ];
    let content = view! {
        {breadcrumb(above, format!("Site {site}"))}
        <div class="page-head"><h1>{title.clone()}</h1>{verdict_line(view)}</div>
        <section aria-labelledby="subjects">
            <h2 id="subjects">"Subjects"</h2>
            {downloads(&view.downloads)}
            {if view.subjects.is_empty() { nothing(view) } else { subject_table(view) }}
        </section>
        {definition_box(&view.definition)}
    };
    Document { frame: &view.frame, title: &title, drawing: Drawing::None }.render(content.into_any())
}

fn verdict_line(view: &SiteSubjectsView) -> Option<AnyView> {
    let signal = view.site.signals.first()?;
    let said =
        verdict::reason(&view.indicator, signal).unwrap_or_else(|| verdict::in_full(&view.indicator, signal));
    Some(view! { <p class="lead">{flag_pill(signal.flag)}" "{said}</p> }.into_any())
}

fn subject_table(view: &SiteSubjectsView) -> AnyView {
    let shown = subjects(&view.query, &view.subjects);
    let largest = shown.iter().map(|subject| subject.numerator).fold(0.0, f64::max);
    let rows = shown.iter().map(|subject| subject_row(view, subject, largest));
    let table = view! {
        <table>
            <caption class="vh">"What each subject adds"</caption>
            <thead>{heads(view)}</thead>
            <tbody>{rows.collect_view()}</tbody>
        </table>
    };
    scrolling("What each subject adds".to_owned(), table.into_any())
}

fn heads(view: &SiteSubjectsView) -> AnyView {
    let base = link::site_subjects(view.frame.study_key(), &view.indicator.id, &view.site.site);
    let sort_head = |label: String, sort: SubjectsSort, class: &'static str| {
        let direction = match sort {
            SubjectsSort::Subject => Direction::Ascending,
            _ => Direction::Descending,
        };
        let sorted = (view.query.sort == sort).then_some(direction);
        let href = format!("{base}{}", SubjectsQuery { sort }.to_query_string());
        SortHead { label, href, sorted, class }.render()
    };
    let indicator = &view.indicator;
    view! {
        <tr>
            {sort_head("Subject".to_owned(), SubjectsSort::Subject, "")}
            {head("Note", "")}
            {sort_head(sentence_case(&indicator.numerator), SubjectsSort::Numerator, "num")}
            <td></td>
            {sort_head(sentence_case(&indicator.denominator), SubjectsSort::Denominator, "num")}
            {sort_head(sentence_case(&verdict::metric_unit(indicator)), SubjectsSort::Metric, "num")}
        </tr>
    }
    .into_any()
}

fn subject_row(view: &SiteSubjectsView, subject: &SubjectContribution, largest: f64) -> AnyView {
    let site = &view.site.site;
    let href = link::subject_rows(view.frame.study_key(), &view.indicator.id, site, &subject.subject);
    let metric = (subject.denominator > 0.0).then(|| subject.numerator / subject.denominator);
    view! {
        <tr>
            <th scope="row"><a href=href>{subject.subject.clone()}</a></th>
            <td>{subject.note.clone()}</td>
            <td class="num">{format::quantity(subject.numerator)}</td>
            <td class="bar-cell">{(largest > 0.0).then(|| share_bar(subject.numerator / largest, "plain"))}</td>
            <td class="num">{format::quantity(subject.denominator)}</td>
            <td class="num">{verdict::metric(&view.indicator, metric)}</td>
        </tr>
    }
    .into_any()
}

fn nothing(view: &SiteSubjectsView) -> AnyView {
    let href = link::indicator(view.frame.study_key(), &view.indicator.id, &IndicatorQuery::default());
    Empty {
        title: "No subjects",
        advice: "No subject of this site belongs to the indicator's population.".to_owned(),
        command: None,
        link: Some((href, "Back to all sites")),
    }
    .render()
}
