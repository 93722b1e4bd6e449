//! Pages: each handler fills a view of `frontend` and sends what it renders.

use axum::http::{HeaderMap, Uri, header};
use axum::response::{IntoResponse, Redirect, Response};
use control::{Principal, SnapshotRow, TraceId};
use flight::published::Visible;
use frontend::view::{Choice, ErrorView, Frame, Person, SnapshotLine, Tab};
use kernel::{Administer, Audit, Build, Read, Role, StudyScope};

use super::State;
use super::caller::{Caller, Reader};
use super::problem::Problem;
use super::theme;
use crate::error::Failure;

pub(super) mod access_review;
pub(super) mod account;
pub(super) mod account_changes;
pub(super) mod accounts;
pub(super) mod admin;
pub(super) mod audit;
pub(super) mod audit_event;
mod corrections;
pub(super) mod data;
mod definition_changes;
pub(super) mod enrolment;
pub(super) mod inbox;
pub(super) mod indicator;
pub(super) mod jobs;
pub(super) mod limits;
pub(super) mod login;
pub(super) mod marts;
pub(super) mod missing;
pub(super) mod oidc;
pub(super) mod overview;
pub(super) mod quality;
pub(super) mod rbqm;
mod readable;
mod report;
pub(super) mod safety;
pub(super) mod schedules;
pub(super) mod signals;
pub(super) mod signatures;
pub(super) mod site_tests;
pub(super) mod studies;
pub(super) mod subjects;
pub(super) mod webhooks;

/// `GET /`: the studies, or the ledger for whom no study is meant.
pub(crate) async fn home(reader: Reader) -> Redirect {
    let principal = &reader.0.principal;
    let reads = principal.grants().allow_anywhere::<Read>();
    Redirect::to(if !reads && may_audit(principal) { frontend::link::AUDIT } else { frontend::link::STUDIES })
}

fn may_audit(principal: &Principal) -> bool {
    principal.grants().allow_everywhere::<Audit>()
}

/// What no route answers to.
pub(crate) async fn not_found(uri: Uri, headers: HeaderMap) -> Response {
    let Ok(trace) = TraceId::random() else { return axum::http::StatusCode::NOT_FOUND.into_response() };
    let problem = Problem::new(super::problem::Kind::NotThere, "There is no such address.", &trace);
    if uri.path().starts_with("/api/") {
        return problem.into_response();
    }
    problem_page(&problem, frame_for_nobody(&headers))
}

/// A page as an answer.
pub(crate) fn html(text: String) -> Response {
    ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], text).into_response()
}

/// A frame without a person.
pub(crate) fn frame_for_nobody(headers: &HeaderMap) -> Frame {
    Frame {
        product: "Cairn".into(),
        version: kernel::CODE_VERSION.into(),
        theme: theme::chosen(headers),
        ..Frame::default()
    }
}

fn problem_page(problem: &Problem, frame: Frame) -> Response {
    let view = ErrorView {
        frame,
        status: problem.status,
        title: problem.title.clone(),
        detail: problem.detail.clone(),
        remedy: problem.remedy.clone(),
        trace_id: problem.trace_id.clone(),
    };
    (problem.status(), html(frontend::page::error(&view))).into_response()
}

/// A reader on the way to one page.
#[derive(Debug)]
pub(crate) struct Visit<'a> {
    pub(crate) state: &'a State,
    pub(crate) caller: &'a Caller,
    headers: &'a HeaderMap,
    here: String,
}

/// What a page handler ends with: a page, or the page that says why not.
pub(crate) type Answer = Result<Response, Response>;

impl<'a> Visit<'a> {
    pub(crate) fn new(state: &'a State, reader: &'a Reader, headers: &'a HeaderMap, uri: &Uri) -> Self {
        Self { state, caller: &reader.0, headers, here: uri.to_string() }
    }

    /// The page of a problem, within the reader's frame.
    pub(crate) fn refuse(&self, problem: &Problem) -> Response {
        problem_page(problem, self.bare_frame(None))
    }

    pub(crate) fn fail(&self, failure: impl Into<Failure>) -> Response {
        self.refuse(&self.caller.problem(failure))
    }

    /// The scope of the study, or the page that says that there is none.
    pub(crate) async fn scope(&self, study: &str) -> Result<StudyScope<Read>, Response> {
        self.caller.read(self.state, study).await.map_err(|problem| self.refuse(&problem))
    }

    /// The study's current snapshot, or the page that says that there is none.
    pub(crate) async fn visible(&self, scope: &StudyScope<Read>) -> Result<Visible, Response> {
        self.caller.visible(self.state, scope, None).await.map_err(|problem| self.refuse(&problem))
    }

    /// The whole frame of a page of a study, or of none.
    pub(crate) async fn frame(
        &self,
        tab: Option<Tab>,
        place: Option<(&StudyScope<Read>, &SnapshotRow)>,
    ) -> Result<Frame, Response> {
        let studies = self.state.app.control.studies(self.caller.principal.grants()).await;
        let studies = studies.map_err(|error| self.fail(error))?;
        let tenant = self.state.app.control.tenant_of(&self.caller.principal).await;
        let mut frame = self.bare_frame(tab);
        frame.tenant = tenant.map_err(|error| self.fail(error))?.name;
        let principal = &self.caller.principal;
        let own = (principal.tenant(), principal.account());
        let unread = self.state.app.control.unread_notices(&principal.actor(), own).await;
        frame.unread = unread.map_err(|error| self.fail(error))?;
        frame.studies = studies
            .iter()
            .map(|study| Choice { key: study.id.to_string(), label: study.id.to_string() })
            .collect();
        if let Some((scope, row)) = place {
            let key = scope.study().to_string();
            frame.study = Some(Choice { label: key.clone(), key });
            frame.snapshot = Some(snapshot_line(row));
        }
        Ok(frame)
    }

    fn bare_frame(&self, tab: Option<Tab>) -> Frame {
        let principal = &self.caller.principal;
        let may_audit = may_audit(principal);
        let may_administer = principal.grants().allow_everywhere::<Administer>();
        let may_open = |tab: &Tab| match tab {
            Tab::Audit => may_audit,
            Tab::Jobs => self.may_build(),
            Tab::Webhooks => may_administer,
            Tab::Admin => principal.grants().allow_everywhere::<Administer>(),
            _ => true,
        };
        Frame {
            person: Some(Person {
                name: principal.display_name().to_owned(),
                role: principal
                    .roles()
                    .iter()
                    .map(|role| role_in_words(*role))
                    .collect::<Vec<_>>()
                    .join(", "),
            }),
            tab,
            tabs: Tab::ALL.into_iter().filter(may_open).collect(),
            here: self.here.clone(),
            ..frame_for_nobody(self.headers)
        }
    }

    /// A finished page.
    pub(crate) fn page(&self, text: String) -> Response {
        html(text)
    }

    pub(crate) fn may_build(&self) -> bool {
        self.caller.principal.grants().allow_anywhere::<Build>()
    }
}

pub(crate) fn role_in_words(role: Role) -> &'static str {
    match role {
        Role::Administrator => "Administrator",
        Role::DataEngineer => "Data engineer",
        Role::Clinical => "Clinical team",
        Role::Researcher => "Researcher",
        Role::Steward => "Data steward",
        Role::Auditor => "Auditor",
        Role::Unblinded => "Unblinded",
    }
}

pub(crate) fn snapshot_line(row: &SnapshotRow) -> SnapshotLine {
    SnapshotLine { id: row.id.to_string(), published_unix_s: row.published_at.timestamp() }
}

/// The decoded pairs of an address's query.
pub(crate) fn pairs(uri: &Uri) -> Vec<(String, String)> {
    serde_urlencoded::from_str(uri.query().unwrap_or_default()).unwrap_or_default()
}
