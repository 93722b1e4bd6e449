//! Building marts: of the current snapshot, or of a past instant. However a build ends, it is recorded together with
//! what it publishes.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use control::{NewPastSnapshot, NewSnapshot, PastSnapshotRow};
use kernel::{Read, RunId, SnapshotId, StudyScope};
use marts::build::{Event, Publication};
use marts::openlineage::{Namer, begun, ended};
use marts::{Base, Freshness, Order, Planned, Selection, Severity, Status};
use warehouse::engine::Limits;
use warehouse::ingest::Progress;
use warehouse::{Manifest, Writer};

use super::mart_runs::{last_kept, new_run, take_tests_over, write};
use super::{Engineer, Teller, blocking, current, writer};
use crate::app::App;
use crate::error::Result;
use crate::openlineage::OpenLineage;

/// Former snapshots whose tables are looked through for what need not be made again.
const PAST_LOOKED_AT: usize = 32;

/// Builds the marts of the current snapshot whose inputs or definition changed and publishes them. When nothing
/// changed nothing is published.
///
/// # Errors
/// With the mart that could not be built or whose test failed; the former snapshot stays current then.
pub async fn build_marts(
    app: &App,
    engineer: &Engineer,
    limits: Limits,
    tell: Teller,
) -> Result<Publication> {
    let asked = tell.clone();
    let mut publication = build(app, engineer, Order { limits, ..Order::default() }, tell).await?;
    match publication.failure.take() {
        None => Ok(publication),
        Some(failure) => asked.require_going_on().and(Err(failure.into())),
    }
}

/// Builds what is ordered of the current snapshot. A mart that fails is told in the publication.
///
/// # Errors
/// When nothing was taken in yet, the selection means nothing, or the snapshot cannot be opened, written or published.
pub async fn build(app: &App, engineer: &Engineer, order: Order, tell: Teller) -> Result<Publication> {
    let writer = writer(app, engineer).await?;
    let (row, manifest) = current(app, engineer).await?;
    let formers = formers(app, engineer).await?;
    let work = Work { app, engineer, writer: writer.clone(), id: new_id(app, engineer) };
    work.tell_begun().await;
    let mut publication = work.build(((row.id, manifest), formers), order, tell).await?;
    take_tests_over(app, &engineer.scope.to_read(), &mut publication.run).await?;
    let snapshot = publication.snapshot.as_ref().map(|(new, key, _)| NewSnapshot {
        id: *new,
        manifest_key: key.clone(),
        // Readers stay with the former snapshot until every mart is there.
        has_marts: publication.run.status == Status::Published,
        replaces: Some(row.id),
        fence: engineer.fence,
    });
    let run = new_run(work.id, &publication.run, work.record(&publication).await?);
    app.control.record_mart_run(&engineer.actor, &engineer.scope, (run, snapshot), &engineer.trace).await?;
    work.tell_ended(&publication).await;
    drop(writer);
    raise(engineer, work.id, &publication);
    Ok(publication)
}

/// Builds what is ordered as the sources stood at `instant`. The result is read by its id, and nobody's current
/// snapshot.
///
/// # Errors
/// When no source was read by then, else as [`build`].
pub async fn build_past(
    app: &App,
    engineer: &Engineer,
    (order, instant): (Order, DateTime<Utc>),
    tell: Teller,
) -> Result<Publication> {
    let writer = writer(app, engineer).await?;
    let (_, newest) = current(app, engineer).await?;
    let latest = warehouse::star::latest_cut(&newest, instant)?;
    let mut known = past(app, &engineer.scope.to_read(), latest).await?;
    known.extend(formers(app, engineer).await?);
    known.extend(former_snapshots(app, &engineer.scope.to_read()).await?);
    let (at_work, told, looked_at) = (writer.clone(), tell.clone(), known.clone());
    let star = blocking(move || {
        let known: Vec<&Manifest> = std::iter::once(&newest).chain(&looked_at).map(AsRef::as_ref).collect();
        let (id, _, manifest) =
            warehouse::star::build_as_of(&at_work, &newest, instant, &known, &mut |progress| {
                told.tell(progress);
            })?;
        Ok((id, Arc::new(manifest)))
    })
    .await?;
    let work = Work { app, engineer, writer: writer.clone(), id: new_id(app, engineer) };
    work.tell_begun().await;
    let mut publication = work.build((star, known), order, tell).await?;
    take_tests_over(app, &engineer.scope.to_read(), &mut publication.run).await?;
    let snapshot = publication.snapshot.as_ref().filter(|_| publication.run.status == Status::Published);
    let snapshot = snapshot.map(|(id, key, _)| NewPastSnapshot {
        id: *id,
        manifest_key: key.clone(),
        sources_as_of: latest,
    });
    if let Some(new) = &snapshot
        && app.control.past_snapshot(&engineer.scope.to_read(), new.id).await?.is_some()
    {
        publication.run.status = Status::Unchanged;
    }
    let run = new_run(work.id, &publication.run, work.record(&publication).await?);
    app.control
        .record_past_mart_run(&engineer.actor, &engineer.scope, (run, snapshot), &engineer.trace)
        .await?;
    work.tell_ended(&publication).await;
    drop(writer);
    raise(engineer, work.id, &publication);
    Ok(publication)
}

/// What a build would do, and why. Nothing is written.
///
/// # Errors
/// When nothing was taken in yet, and when the selection means nothing.
pub async fn plan(
    app: &App,
    engineer: &Engineer,
    (selection, full_refresh): (&Selection, bool),
    instant: Option<DateTime<Utc>>,
) -> Result<Vec<Planned>> {
    let (row, manifest) = current(app, engineer).await?;
    let mut known = Vec::new();
    let mut base = (row.id, manifest.clone());
    if let Some(instant) = instant {
        let latest = warehouse::star::latest_cut(&manifest, instant)?;
        known = past(app, &engineer.scope.to_read(), latest).await?;
        match known.first().filter(|past| past.sources_as_of == Some(latest)) {
            Some(same) => base.1 = same.clone(),
            // The tables of that instant are not known before they are made.
            None => {
                let unknown = Manifest { tables: BTreeMap::new(), ..(*manifest).clone() };
                base.1 = Arc::new(unknown);
            }
        }
    }
    known.extend(formers(app, engineer).await?);
    if instant.is_some() {
        known.extend(former_snapshots(app, &engineer.scope.to_read()).await?);
    }
    let definitions = super::definitions::of_study(app, &engineer.scope.to_read()).await?;
    let base = Base {
        current: (base.0, &base.1),
        formers: known.iter().map(AsRef::as_ref).collect(),
        definitions: &definitions,
    };
    Ok(marts::plan(marts::MARTS, &base, selection, full_refresh)?)
}

/// The results whose marts may be taken over: what readers see, what is current, and what a failed build has kept.
async fn formers(app: &App, engineer: &Engineer) -> Result<Vec<Arc<Manifest>>> {
    let read = engineer.scope.to_read();
    let mut formers = Vec::new();
    if let Some(row) = app.control.current_with_marts(&read).await? {
        formers.push(app.published.open(&engineer.scope, row)?.manifest);
    }
    if let Some(visible) = super::newest(app, &read).await?.filter(|visible| visible.manifest.has_marts()) {
        formers.push(visible.manifest);
    }
    formers.extend(last_kept(app, &read).await?);
    Ok(formers)
}

/// The last snapshots that were current, the newest first: one of them showed the instant when it was new.
async fn former_snapshots(app: &App, scope: &StudyScope<Read>) -> Result<Vec<Arc<Manifest>>> {
    let rows = app.control.snapshots(scope).await?;
    let open = |row| Ok(app.published.open(scope, row)?.manifest);
    rows.into_iter().take(PAST_LOOKED_AT).map(open).collect()
}

/// Snapshots of the past, those of the instants nearest to `instant` first, and of one instant the newest.
async fn past(app: &App, scope: &StudyScope<Read>, instant: DateTime<Utc>) -> Result<Vec<Arc<Manifest>>> {
    let mut rows: Vec<PastSnapshotRow> = app.control.past_snapshots(scope).await?;
    rows.sort_by_key(|row| {
        ((row.sources_as_of - instant).abs(), std::cmp::Reverse(row.published_at), row.id)
    });
    let open = |row: PastSnapshotRow| Ok(app.published.open_past(scope, row)?.manifest);
    rows.into_iter().take(PAST_LOOKED_AT).map(open).collect()
}

struct Work<'a> {
    app: &'a App,
    engineer: &'a Engineer,
    writer: Arc<Writer>,
    id: RunId,
}

fn new_id(app: &App, engineer: &Engineer) -> RunId {
    RunId::at(app.clock.now(), engineer.trace.as_str())
}

type Known = ((SnapshotId, Arc<Manifest>), Vec<Arc<Manifest>>);

impl Work<'_> {
    async fn build(&self, (current, formers): Known, order: Order, tell: Teller) -> Result<Publication> {
        let (at_work, clock) = (self.writer.clone(), self.app.clock.clone());
        let files = self.app.storage.study(&self.engineer.scope);
        let definitions = super::definitions::of_study(self.app, &self.engineer.scope.to_read()).await?;
        blocking(move || {
            let base = Base {
                current: (current.0, &current.1),
                formers: formers.iter().map(AsRef::as_ref).collect(),
                definitions: &definitions,
            };
            let order = Order { freshness: Freshness::of(&files)?, ..order };
            let cancel = order.cancel.clone();
            tell.require_going_on()?;
            let mut watch = |event: Event<'_>| {
                let (mart, done, total) = match event {
                    Event::Begun(mart, done, total) => (mart, done, total),
                    Event::Ended(built, done, total) => (built.mart.as_str(), done, total),
                };
                tell.tell(Progress { step: format!("building {mart}"), done, total });
                if tell.require_going_on().is_err() {
                    cancel.now();
                }
            };
            Ok(marts::build(&at_work, &base, &order, clock.as_ref(), &mut watch)?)
        })
        .await
    }

    /// Writes the record; returns its key.
    async fn record(&self, publication: &Publication) -> Result<String> {
        let (id, at_work, run) = (self.id, self.writer.clone(), publication.run.clone());
        blocking(move || write(&at_work, id, &run)).await
    }

    async fn tell_begun(&self) {
        if let Some((sink, namer)) = self.openlineage() {
            sink.send(vec![begun(&namer, self.app.clock.now())]).await;
        }
    }

    async fn tell_ended(&self, publication: &Publication) {
        if let Some((sink, namer)) = self.openlineage() {
            sink.send(ended(&namer, marts::MARTS, &publication.run)).await;
        }
    }

    /// Where OpenLineage events go, and how this build is named there.
    fn openlineage(&self) -> Option<(&OpenLineage, Namer)> {
        let sink = self.app.openlineage.as_deref()?;
        let (tenant, study) = (self.engineer.scope.tenant(), self.engineer.scope.study().clone());
        Some((sink, Namer { namespace: sink.namespace.clone(), tenant, study, run: self.id }))
    }
}

/// Says what failed, without any value.
fn raise(engineer: &Engineer, id: RunId, publication: &Publication) {
    let study = engineer.scope.study();
    for (mart, test) in publication.run.alerts() {
        let (mart, test, rows) = (mart.unwrap_or("sources"), test.test.as_str(), test.rows);
        tracing::warn!(trace_id = %engineer.trace, study.id = %study, run.id = %id, mart.name = mart, test, rows,
            "a test of a mart failed");
    }
    let run = &publication.run;
    tracing::info!(trace_id = %engineer.trace, study.id = %study, run.id = %id, status = run.status.name(),
        duration_us = run.took_us(), errors = run.alert_count(Severity::Error), "a build of marts ended");
}
