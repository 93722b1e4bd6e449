//! From a flag to subjects, and from a subject to rows. Rows of subjects leave here, so each visit is an
//! event of the ledger.

use std::collections::BTreeMap;

use axum::extract::{OriginalUri, Path, State as Extract};
use axum::http::HeaderMap;
use axum::response::Response;
use control::{Amount, Outcome, TableRead};
use flight::published::Visible;
use frontend::query::{RowsQuery, SubjectsQuery};
use frontend::view::{
    Choice, Indicator, SiteRow, SiteSubjectsView, SubjectContribution, SubjectRowsView, Tab,
};
use kernel::{Read, StudyScope};
use marts::IndicatorDefinition;

use super::indicator::one;
use super::readable::{Readable, readable};
use super::{Answer, Visit, corrections, pairs, signals};
use crate::app::App;
use crate::error::{Failure, Result};
use crate::http::State;
use crate::http::caller::Reader;
use crate::mart_rows::Rows;
use crate::work::blocking;

const ROWS_PER_PAGE: usize = 100;

/// A site and an indicator that a reader drilled down to.
struct Place {
    scope: StudyScope<Read>,
    visible: Visible,
    definition: IndicatorDefinition,
    indicator: Indicator,
    site: SiteRow,
}

async fn place(visit: &Visit<'_>, study: &str, id: &str, site: &str) -> Result<Place, Response> {
    let scope = visit.scope(study).await?;
    let visible = visit.visible(&scope).await?;
    let defined = signals::defined(&visit.state.app, &scope, &visible).await;
    let defined = defined.map_err(|failure| visit.fail(failure))?;
    let read =
        signals::read(&visit.state.app, &scope, &visible).await.map_err(|failure| visit.fail(failure))?;
    let found = defined.into_iter().find(|one| one.definition.id == id).zip(one(read, id));
    if let Some((defined, (indicator, sites))) = found
        && let Some(site) = sites.into_iter().find(|row| row.site == site)
    {
        return Ok(Place { scope, visible, definition: defined.definition, indicator, site });
    }
    let problem = visit.caller.refuse(visit.state, "no_such_site").await;
    Err(visit.refuse(&problem))
}

/// `GET /studies/{study}/rbqm/{indicator}/sites/{site}`: the site's subjects and what each adds.
pub(crate) async fn site(
    Extract(state): Extract<State>,
    reader: Reader,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
    Path((study, id, site)): Path<(String, String, String)>,
) -> Answer {
    let visit = Visit::new(&state, &reader, &headers, &uri);
    let place = place(&visit, &study, &id, &site).await?;
    let subjects = recorded(&visit, (&place.scope, &place.visible), "mart_indicator_input", async {
        let subjects = contributions(&state.app, &place).await?;
        let rows = subjects.len() as u64;
        Ok((subjects, rows))
    })
    .await?;
    let view = SiteSubjectsView {
        frame: visit.frame(Some(Tab::Rbqm), Some((&place.scope, &place.visible.row))).await?,
        query: SubjectsQuery::from_pairs(&pairs(&uri)),
        indicator: place.indicator,
        site: place.site,
        subjects,
        definition: signals::definition_of(&place.definition, &signals::Comparison::default()),
        downloads: signals::downloads(&study, "mart_indicator_input"),
    };
    Ok(visit.page(frontend::page::site_subjects(&view)))
}

/// Does the reading between the two events of the ledger.
pub(super) async fn recorded<T>(
    visit: &Visit<'_>,
    (scope, visible): (&StudyScope<Read>, &Visible),
    table: &str,
    reading: impl Future<Output = Result<(T, u64)>>,
) -> Result<T, Response> {
    let (control, principal) = (&visit.state.app.control, &visit.caller.principal);
    let read = TableRead {
        door: "page".into(),
        study: scope.study().clone(),
        snapshot: visible.row.id,
        table: table.to_owned(),
        trace: visit.caller.trace.clone(),
    };
    let pull = control.read_started(principal, read.clone()).await.map_err(|error| visit.fail(error))?;
    let result = reading.await;
    let (rows, outcome) = match &result {
        Ok((_, rows)) => (*rows, Outcome::Success),
        Err(_) => (0, Outcome::Failed),
    };
    let amount = Amount { rows, bytes: 0 };
    control.read_finished(principal, pull, read, amount, outcome).await.map_err(|error| visit.fail(error))?;
    result.map(|(value, _)| value).map_err(|failure| visit.fail(failure))
}

async fn contributions(app: &App, place: &Place) -> Result<Vec<SubjectContribution>> {
    let subjects = app.mart_rows.table(&place.scope, &place.visible, "dim_subject").await?;
    let (keys, ids) = (subjects.integers("subject_sk"), subjects.texts("subject_id"));
    let (sites, states) = (subjects.texts("site_id"), subjects.texts("status"));
    let now = subjects.truths("is_current");
    let mut of_site: BTreeMap<i64, (&String, &String)> = BTreeMap::new();
    for row in (0..subjects.len()).filter(|row| now[*row] && sites[*row] == place.site.site) {
        if let Some(key) = keys[row] {
            of_site.insert(key, (&ids[row], &states[row]));
        }
    }
    if let Some(events) = &place.definition.events {
        return reported(app, place, (events, &of_site)).await;
    }
    let inputs = app.mart_rows.table(&place.scope, &place.visible, "mart_indicator_input").await?;
    let (indicators, keys) = (inputs.texts("indicator_id"), inputs.integers("subject_sk"));
    let [numerators, denominators] = ["numerator", "denominator"].map(|name| inputs.numbers(name));
    let mut rows = Vec::new();
    for row in (0..inputs.len()).filter(|row| indicators[*row] == place.definition.id) {
        let Some((subject, status)) = keys[row].and_then(|key| of_site.get(&key)) else { continue };
        rows.push(SubjectContribution {
            subject: (*subject).clone(),
            note: status.to_lowercase().replace('_', " "),
            numerator: numerators[row].unwrap_or(0.0),
            denominator: denominators[row].unwrap_or(0.0),
        });
    }
    Ok(rows)
}

/// What each subject had reported by its last visit.
async fn reported(
    app: &App,
    place: &Place,
    (events, of_site): (&str, &BTreeMap<i64, (&String, &String)>),
) -> Result<Vec<SubjectContribution>> {
    let rows = app.mart_rows.table(&place.scope, &place.visible, "mart_reporting").await?;
    let (keys, visits, events) =
        (rows.integers("subject_sk"), rows.integers("visit_no"), rows.counts(events));
    let mut last: BTreeMap<i64, (i64, u64)> = BTreeMap::new();
    for row in 0..rows.len() {
        let (Some(key), Some(visit)) = (keys[row], visits[row]) else { continue };
        let known = last.entry(key).or_default();
        *known = (*known).max((visit, events[row]));
    }
    #[expect(clippy::cast_precision_loss, reason = "a subject has fewer than 2^52 visits and events")]
    let contribution = |(key, (subject, status)): (&i64, &(&String, &String))| {
        let (visits, events) = last.get(key)?;
        Some(SubjectContribution {
            subject: (*subject).clone(),
            note: status.to_lowercase().replace('_', " "),
            numerator: *events as f64,
            denominator: *visits as f64,
        })
    };
    Ok(of_site.iter().filter_map(contribution).collect())
}

/// `GET /studies/{study}/rbqm/{indicator}/sites/{site}/subjects/{subject}`: the subject's source rows.
pub(crate) async fn rows(
    Extract(state): Extract<State>,
    reader: Reader,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
    Path((study, id, site, subject)): Path<(String, String, String, String)>,
) -> Answer {
    let visit = Visit::new(&state, &reader, &headers, &uri);
    let place = place(&visit, &study, &id, &site).await?;
    let key = subject_key(&state.app, &place, &subject).await.map_err(|failure| visit.fail(failure))?;
    let Some(key) = key else {
        let problem = visit.caller.refuse(&state, "no_such_subject").await;
        return Err(visit.refuse(&problem));
    };
    let table = place.definition.table.clone();
    let all = recorded(
        &visit,
        (&place.scope, &place.visible),
        &table,
        subject_rows(&state.app, (&place.scope, &place.visible), &table, key),
    )
    .await?;
    let query = RowsQuery::from_pairs(&pairs(&uri));
    let corrections = if query.corrections {
        Some(corrections::of_subject(&visit, (&place.scope, &place.visible), (&table, key), &all).await?)
    } else {
        None
    };
    let row_count = all.len() as u64;
    let Readable { columns, rows: all, empty } = readable(&state.app, (&place.scope, &place.visible), &all)
        .await
        .map_err(|failure| visit.fail(failure))?;
    let page = usize::try_from(query.page.max(1) - 1).unwrap_or(usize::MAX);
    let first = page.saturating_mul(ROWS_PER_PAGE);
    let view = SubjectRowsView {
        frame: visit.frame(Some(Tab::Rbqm), Some((&place.scope, &place.visible.row))).await?,
        query,
        site: Choice { key: place.site.site.clone(), label: place.site.site.clone() },
        indicator: place.indicator,
        subject,
        corrections,
        columns,
        empty,
        row_count,
        rows: all.into_iter().skip(first).take(ROWS_PER_PAGE).collect(),
        page_size: ROWS_PER_PAGE as u64,
        downloads: signals::downloads(&study, &table),
        table,
    };
    Ok(visit.page(frontend::page::subject_rows(&view)))
}

async fn subject_key(app: &App, place: &Place, subject: &str) -> Result<Option<i64>> {
    let subjects = app.mart_rows.table(&place.scope, &place.visible, "dim_subject").await?;
    let (keys, ids, sites) =
        (subjects.integers("subject_dk"), subjects.texts("subject_id"), subjects.texts("site_id"));
    let now = subjects.truths("is_current");
    let is_it = |row: &usize| now[*row] && ids[*row] == subject && sites[*row] == place.site.site;
    let row = (0..subjects.len()).find(is_it);
    Ok(row.and_then(|row| keys[row]))
}

/// The rows of one subject in a table, with their number.
pub(super) async fn subject_rows(
    app: &App,
    (scope, visible): (&StudyScope<Read>, &Visible),
    table: &str,
    key: i64,
) -> Result<(Rows, u64)> {
    let scan = app.published.scan(scope, visible, table, 8_192)?.only("subject_dk", key);
    let rows = blocking(move || {
        let schema = scan.schema().clone();
        let batches = scan.collect_all()?;
        let rows = arrow::compute::concat_batches(&schema, &batches);
        Ok(Rows::of(rows.map_err(|source| Failure::Arrow { step: "join the rows", source })?))
    })
    .await?;
    let count = rows.len() as u64;
    Ok((rows, count))
}
