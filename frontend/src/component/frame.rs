//! The bar at the head of every page and the line at its foot.

use leptos::prelude::*;

use crate::view::{Choice, Frame, Person, SnapshotLine, Tab, Theme};
use crate::{format, link};

/// Product, tenant, study menu, tabs, person and snapshot.
pub(crate) fn head_bar(frame: &Frame) -> AnyView {
    let home = if frame.person.is_some() { link::STUDIES } else { link::LOGIN };
    view! {
        <header class="top">
            <div class="top-row">
                <a class="brand" href=home>{logo()}<span>{frame.product.clone()}</span></a>
                {(!frame.tenant.is_empty()).then(|| view! { <span class="tenant">{frame.tenant.clone()}</span> })}
                {(!frame.studies.is_empty()).then(|| study_menu(frame))}
                <span class="spacer"></span>
                {frame.person.as_ref().map(|person| person_menu(person, frame))}
            </div>
            {frame.person.is_some().then(|| tabs(frame))}
        </header>
    }
    .into_any()
}

/// The theme switch and the version.
pub(crate) fn foot(frame: &Frame) -> AnyView {
    let switches = Theme::ALL.map(|theme| {
        let label = match theme {
            Theme::System => "System",
            Theme::Light => "Light",
            Theme::Dark => "Dark",
        };
        let current = (theme == frame.theme).then_some("true");
        view! { <li><a href=link::theme(theme, &frame.here) aria-current=current>{label}</a></li> }
    });
    view! {
        <footer class="foot">
            <nav aria-label="Theme"><span class="foot-label">"Theme"</span><ul class="inline">{switches}</ul></nav>
            <span>{format!("{} {}", frame.product, frame.version)}</span>
        </footer>
    }
    .into_any()
}

/// The hidden field that every posting form carries.
pub(crate) fn csrf_field(csrf: Option<&str>) -> Option<AnyView> {
    csrf.map(|csrf| view! { <input type="hidden" name="csrf" value=csrf.to_owned()/> }.into_any())
}

fn logo() -> impl IntoView {
    view! {
        <svg class="logo" viewBox="0 0 24 24" width="24" height="24" aria-hidden="true" focusable="false">
            <ellipse cx="12" cy="18.5" rx="10" ry="3.5"></ellipse>
            <ellipse cx="12" cy="11.5" rx="7" ry="3"></ellipse>
            <ellipse cx="12" cy="5.5" rx="4" ry="2.5"></ellipse>
        </svg>
    }
}

/// Choosing another study keeps the tab.
fn study_menu(frame: &Frame) -> AnyView {
    let tab = frame.tab.filter(|tab| tab.is_of_a_study()).unwrap_or(Tab::Overview);
    let current = frame.study_key().to_owned();
    let items = frame.studies.iter().map(|Choice { key, label }| {
        let here = (*key == current).then_some("true");
        view! { <li><a href=link::tab(key, tab) aria-current=here>{label.clone()}</a></li> }
    });
    let summary =
        frame.study.as_ref().map_or_else(|| "Choose a study".to_owned(), |study| study.label.clone());
    view! {
        <nav aria-label="Study">
            <details class="menu">
                <summary><span class="vh">"Study: "</span>{summary}</summary>
                <ul>{items.collect_view()}<li><a class="all" href=link::STUDIES>"All studies"</a></li></ul>
            </details>
        </nav>
    }
    .into_any()
}

fn person_menu(person: &Person, frame: &Frame) -> AnyView {
    let csrf = frame.csrf.as_deref();
    view! {
        <div class="person">
            {inbox(frame.unread)}
            <a class="person-name" href=link::ACCOUNT>{person.name.clone()}</a>
            <span class="person-role">{person.role.clone()}</span>
            <form method="post" action=link::LOGOUT>
                {csrf_field(csrf)}
                <button class="button quiet" type="submit">"Sign out"</button>
            </form>
        </div>
    }
    .into_any()
}

/// The way to the inbox, with how much of it is unread.
fn inbox(unread: u64) -> AnyView {
    let count = (unread > 0).then(|| view! { " " <span class="pill high-amber">{format::count(unread)}<span class="vh">" unread"</span></span> });
    view! { <a class="person-name" href=link::INBOX>"Inbox"{count}</a> }.into_any()
}

fn tabs(frame: &Frame) -> AnyView {
    let study = frame.study.as_ref();
    let shown = frame.tabs.iter().filter_map(|tab| {
        let href = match (tab, study) {
            (tab, _) if !tab.is_of_a_study() => link::tab("", *tab),
            (tab, Some(study)) => link::tab(&study.key, *tab),
            (_, None) => return None,
        };
        let current = (frame.tab == Some(*tab)).then_some("page");
        Some(view! { <li><a href=href aria-current=current>{tab.label()}</a></li> })
    });
    let studies = study.is_none().then(|| {
        let here = frame.here.split('?').next() == Some(link::STUDIES);
        let current = here.then_some("page");
        view! { <li><a href=link::STUDIES aria-current=current>"Studies"</a></li> }
    });
    view! {
        <div class="top-row tabs-row">
            <nav class="tabs" aria-label="Main"><ul>{studies}{shown.collect_view()}</ul></nav>
            <span class="spacer"></span>
            {frame.snapshot.as_ref().map(snapshot_line)}
        </div>
    }
    .into_any()
}

/// Which snapshot every figure of the page comes from.
pub(crate) fn snapshot_line(snapshot: &SnapshotLine) -> AnyView {
    view! {
        <p class="snapshot">
            "snapshot " <code title=snapshot.id.clone()>{format::short_id(&snapshot.id)}</code> " published "
            <time datetime=format::instant_iso(snapshot.published_unix_s)>
                {format::instant(snapshot.published_unix_s)}
            </time>
        </p>
    }
    .into_any()
}
