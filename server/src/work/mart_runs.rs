//! The records of builds: written with the data, found by the rows of the control plane.

use std::sync::Arc;

use control::{MartRunRow, MartRunStatus, NewMartRun};
use kernel::{Read, RunId, StudyScope};
use marts::{Built, Outcome, Run, Severity, Status};
use warehouse::storage::Staging;
use warehouse::{Manifest, Writer, Zone};

use super::blocking;
use crate::app::App;
use crate::error::{Failure, Result};

/// What the tests of a mart found holds for as long as its content is the same: takes over what an earlier build found
/// of the marts that were not made again.
pub(super) async fn take_tests_over(app: &App, scope: &StudyScope<Read>, run: &mut Run) -> Result<()> {
    let waits = |built: &Built| built.outcome == Outcome::Shared && built.tests.is_empty();
    for row in app.control.mart_runs(scope, RECORDS_READ).await? {
        if !run.marts.iter().any(waits) {
            break;
        }
        let earlier = read(app, scope, &row).await?;
        for built in run.marts.iter_mut().filter(|built| waits(built)) {
            let same = |known: &&Built| known.mart == built.mart && known.content == built.content;
            if let Some(known) = earlier.marts.iter().find(same) {
                built.tests.clone_from(&known.tests);
            }
        }
    }
    Ok(())
}

/// Records that are looked through for what tests found.
const RECORDS_READ: u32 = 20;

/// Stores a record; returns its key.
pub(super) fn write(writer: &Writer, id: RunId, run: &Run) -> Result<String> {
    let bytes = serde_json::to_vec_pretty(run).map_err(|error| Failure::Lost(error.to_string()))?;
    let staging = Staging::new(writer, "run")?;
    Ok(staging.publish_bytes(&bytes, Zone::Runs, &format!("{id}.json"))?)
}

/// The row of a build.
pub(super) fn new_run(id: RunId, run: &Run, record_key: String) -> NewMartRun {
    let broken = run.marts.iter().filter(|built| built.outcome == Outcome::Failed);
    // A test of weight that failed is counted by itself.
    let broken = broken.filter(|built| built.tests.iter().all(marts::Tested::holds)).count() as u64;
    NewMartRun {
        id,
        status: match run.status {
            Status::Published => MartRunStatus::Published,
            Status::Partial => MartRunStatus::Partial,
            Status::Unchanged => MartRunStatus::Unchanged,
            Status::Failed => MartRunStatus::Failed,
            Status::Cancelled => MartRunStatus::Cancelled,
        },
        based_on: run.based_on,
        snapshot: run.snapshot,
        sources_as_of: run.sources_as_of,
        record_key,
        made: run.count(Outcome::Made),
        shared: run.count(Outcome::Shared),
        errors: run.alert_count(Severity::Error) + broken,
        warnings: run.alert_count(Severity::Warning),
        started_at: run.started_at,
        finished_at: run.finished_at,
    }
}

/// The record of a build.
///
/// # Errors
/// When it cannot be read.
pub async fn read(app: &App, scope: &StudyScope<Read>, row: &MartRunRow) -> Result<Run> {
    let (files, key) = (app.storage.study(scope), row.record_key.clone());
    blocking(move || {
        let bytes = files.read(&key)?;
        serde_json::from_slice(&bytes).map_err(|error| Failure::Lost(format!("the record `{key}`: {error}")))
    })
    .await
}

/// The newest build of the newest state of the sources, with its record.
///
/// # Errors
/// When it cannot be read.
pub async fn last(app: &App, scope: &StudyScope<Read>) -> Result<Option<(MartRunRow, Run)>> {
    let rows = app.control.mart_runs(scope, LOOKED_AT).await?;
    let Some(row) = rows.into_iter().find(|row| row.sources_as_of.is_none()) else { return Ok(None) };
    let run = read(app, scope, &row).await?;
    Ok(Some((row, run)))
}

/// Backfills may stand between the newest build and now.
const LOOKED_AT: u32 = 500;

/// What the last build kept before it failed.
pub(super) async fn last_kept(app: &App, scope: &StudyScope<Read>) -> Result<Option<Arc<Manifest>>> {
    let Some((_, run)) = last(app, scope).await? else { return Ok(None) };
    let Some((id, key)) = run.kept else { return Ok(None) };
    let files = app.storage.study(scope);
    let manifest = blocking(move || Ok(Manifest::read(&files, &key, id)?)).await?;
    Ok(Some(Arc::new(manifest)))
}
