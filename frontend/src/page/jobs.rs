//! `/jobs`
mod schedules;

use leptos::prelude::*;

use crate::component::document::{Document, Drawing};
use crate::component::empty::Empty;
use crate::component::filter::{Select, filter_bar};
use crate::component::frame::csrf_field;
use crate::component::table::{head, scrolling};
use crate::query::JobsQuery;
use crate::view::{JobLine, JobStanding, JobsView};
use crate::{format, link};

/// Work that is done after its request was answered.
#[must_use]
pub fn jobs(view: &JobsView) -> String {
    let state = Select {
        name: "state",
        label: "State",
        any: Some("All states"),
        choices: &view.states,
        chosen: view.query.state.as_deref(),
    };
    let study = Select {
        name: "study",
        label: "Study",
        any: Some("All studies"),
        choices: &view.frame.studies,
        chosen: view.query.study.as_deref(),
    };
    let filter =
        filter_bar(link::JOBS.to_owned(), Vec::new(), vec![state.render(), study.render()], "Filter jobs");
    let content = view! {
        <div class="page-head">
            <h1>"Jobs"</h1>
            <p class="lead">"Deliveries that are taken in, marts that are built, ledgers that are verified."</p>
        </div>
        {filter}
        {if view.jobs.is_empty() { nothing(&view.query) } else { job_table(view) }}
        {paging(view)}
        {schedules::schedules(view)}
    };
    let is_open = view.jobs.iter().any(|job| job.state.is_open());
    let drawing = if is_open { Drawing::Progress } else { Drawing::None };
    Document { frame: &view.frame, title: "Jobs", drawing }.render(content.into_any())
}

fn nothing(query: &JobsQuery) -> AnyView {
    let is_filtered = *query != JobsQuery::default();
    let advice = if is_filtered {
        "No job matches this filter. Choose another state or study, or start from the newest job."
    } else {
        "Nothing was asked for yet: a delivery that is committed puts the first job in line."
    };
    let link = is_filtered.then(|| (link::JOBS.to_owned(), "All jobs"));
    Empty { title: "No jobs", advice: advice.to_owned(), command: None, link }.render()
}

fn job_table(view: &JobsView) -> AnyView {
    let heads = view! {
        {head("What", "")}{head("Study", "")}{head("State", "")}{head("Since", "")}{head("Until", "")}
        {head("Attempts", "num")}{head("Progress", "")}{head("Problem", "")}{head("Action", "")}
    };
    let rows = view.jobs.iter().map(|job| job_row(job, view.frame.csrf.as_deref()));
    let table = view! {
        <table>
            <caption class="vh">"Jobs, newest first"</caption>
            <thead><tr>{heads}</tr></thead>
            <tbody>{rows.collect_view()}</tbody>
        </table>
    };
    scrolling("Jobs, newest first".to_owned(), table.into_any())
}

fn job_row(job: &JobLine, csrf: Option<&str>) -> AnyView {
    let class = match job.state {
        JobStanding::Failed => "pill high-red",
        JobStanding::Cancelled => "pill high-amber",
        JobStanding::Queued | JobStanding::Running | JobStanding::Succeeded => "pill none",
    };
    let state = if job.is_ending { "ending" } else { job.state.label() };
    let events = job.state.is_open().then(|| link::job_events(&job.id));
    view! {
        <tr data-events=events data-state=job.state.name()>
            <th scope="row" title=job.id.clone()>{job.kind.clone()}</th>
            <td>{study(&job.study)}</td>
            <td><span class=class>{state}</span></td>
            <td class="nowrap">{instant(job.since_unix_s)}</td>
            <td class="nowrap">{job.until_unix_s.map(instant)}</td>
            <td class="num">{format::count(job.attempts)}</td>
            <td data-progress="">{job.progress.clone()}</td>
            <td>{job.problem.clone()}</td>
            <td>{action(job, csrf)}</td>
        </tr>
    }
    .into_any()
}

fn study(key: &str) -> AnyView {
    if key.is_empty() {
        return view! { <span class="quiet">"all"</span> }.into_any();
    }
    view! { <a href=link::study(key)>{key.to_owned()}</a> }.into_any()
}

fn instant(unix_s: i64) -> AnyView {
    view! { <time datetime=format::instant_iso(unix_s)>{format::instant(unix_s)}</time> }.into_any()
}

/// What can be done with a job. The label names the job, for whoever hears the buttons one after the other.
fn action(job: &JobLine, csrf: Option<&str>) -> Option<AnyView> {
    let (to, word) = if job.state.is_open() && !job.is_ending {
        (link::cancel_job(&job.id), "Cancel")
    } else if job.state.may_be_retried() {
        (link::retry_job(&job.id), "Retry")
    } else {
        return None;
    };
    let label = format!("{word}: {} {}", job.kind, job.study);
    let form = view! {
        <form method="post" action=to>
            {csrf_field(csrf)}
            <button class="button quiet" type="submit" aria-label=label>{word}</button>
        </form>
    };
    Some(form.into_any())
}

fn paging(view: &JobsView) -> Option<AnyView> {
    let at = |before: Option<String>| link::jobs(&JobsQuery { before, ..view.query.clone() });
    let newest = view.query.before.is_some().then(|| view! { <a class="button" href=at(None)>"Newest"</a> });
    let older = view.older_before.clone().map(|before| {
        view! { <a class="button" rel="next" href=at(Some(before))>"Older jobs"</a> }
    });
    (newest.is_some() || older.is_some())
        .then(|| view! { <nav class="paging" aria-label="Pages">{newest}{older}</nav> }.into_any())
}
