//! The schedules, below the jobs that they put in line.

use leptos::prelude::*;

use crate::component::frame::csrf_field;
use crate::component::table::{head, scrolling};
use crate::view::{Choice, JobsView, ScheduleLine};
use crate::{format, link};

/// The schedules, and a form that adds one.
pub(super) fn schedules(view: &JobsView) -> AnyView {
    let csrf = view.frame.csrf.as_deref();
    view! {
        <section aria-labelledby="schedules">
            <h2 id="schedules">"Schedules"</h2>
            <p class="lead">
                "Jobs that are put in line again and again, at the times of a cron expression in a time zone."
            </p>
            {(!view.schedules.is_empty()).then(|| schedule_table(&view.schedules, csrf))}
            {form(&view.frame.studies, csrf)}
        </section>
    }
    .into_any()
}

fn schedule_table(schedules: &[ScheduleLine], csrf: Option<&str>) -> AnyView {
    let heads = view! {
        {head("What", "")}{head("Study", "")}{head("Times", "")}{head("Zone", "")}{head("Next three runs", "")}
        {head("Action", "")}
    };
    let rows = schedules.iter().map(|schedule| schedule_row(schedule, csrf));
    let table = view! {
        <table>
            <caption class="vh">"Schedules, oldest first"</caption>
            <thead><tr>{heads}</tr></thead>
            <tbody>{rows.collect_view()}</tbody>
        </table>
    };
    scrolling("Schedules, oldest first".to_owned(), table.into_any())
}

fn schedule_row(schedule: &ScheduleLine, csrf: Option<&str>) -> AnyView {
    let runs = schedule.next_unix_s.iter().map(|at| {
        view! { <li><time datetime=format::instant_iso(*at)>{format::instant(*at)}</time></li> }
    });
    let next = if schedule.next_unix_s.is_empty() {
        view! { <span class="pill none">"off"</span> }.into_any()
    } else {
        view! { <ul class="plain">{runs.collect_view()}</ul> }.into_any()
    };
    let turn = if schedule.next_unix_s.is_empty() { ("enable", "Turn on") } else { ("disable", "Turn off") };
    let buttons = [("run", "Run now"), turn, ("remove", "Remove")];
    let buttons = buttons.map(|(what, word)| button(schedule, (what, word), csrf));
    view! {
        <tr>
            <th scope="row" title=schedule.id.clone()>{schedule.kind.clone()}</th>
            <td>{if schedule.study.is_empty() { "all".to_owned() } else { schedule.study.clone() }}</td>
            <td><code>{schedule.cron.clone()}</code></td>
            <td>{schedule.zone.clone()}</td>
            <td class="nowrap">{next}</td>
            <td><div class="inline">{buttons}</div></td>
        </tr>
    }
    .into_any()
}

fn button(schedule: &ScheduleLine, (what, word): (&str, &'static str), csrf: Option<&str>) -> AnyView {
    let label = format!("{word}: {} {} {}", schedule.kind, schedule.study, schedule.cron);
    view! {
        <form method="post" action=link::schedule(&schedule.id, what)>
            {csrf_field(csrf)}
            <button class="button quiet" type="submit" aria-label=label>{word}</button>
        </form>
    }
    .into_any()
}

fn form(studies: &[Choice], csrf: Option<&str>) -> AnyView {
    let options = studies.iter().map(|study| {
        view! { <option value=study.key.clone()>{format!("Build the marts of {}", study.label)}</option> }
    });
    view! {
        <form class="filter" method="post" action=link::SCHEDULES aria-label="Add a schedule">
            {csrf_field(csrf)}
            <div class="field">
                <label for="schedule-study">"What"</label>
                <select id="schedule-study" name="study">
                    {options.collect_view()}
                    <option value="">"Verify the ledger"</option>
                </select>
            </div>
            <div class="field">
                <label for="schedule-cron">"Times (minute, hour, day, month, weekday)"</label>
                <input id="schedule-cron" name="cron" value="30 2 * * *" required=true maxlength="100"/>
            </div>
            <div class="field">
                <label for="schedule-zone">"Time zone"</label>
                <input id="schedule-zone" name="zone" value="UTC" required=true maxlength="60"/>
            </div>
            <div class="field-buttons">
                <button class="button primary" type="submit">"Add schedule"</button>
            </div>
        </form>
    }
    .into_any()
}
