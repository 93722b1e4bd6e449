//! Builds of marts: how each ended, recorded together with the snapshot that it made. The tests' findings hold values
//! of the data and lie with the data; here stands where.

use chrono::{DateTime, Utc};
use kernel::{Build, Read, RunId, SnapshotId, StudyId, StudyScope};

use crate::actor::Actor;
use crate::control::Control;
use crate::error::{ControlError, corrupt, storage};
use crate::instant::{parse_timestamp, timestamp};
use crate::ledger::{AuditAction, Event, Outcome, Resource};
use crate::past_snapshots::{NewPastSnapshot, past_published, place_past};
use crate::snapshots::{NewSnapshot, Published, place_snapshot, published};
use crate::store::TenantTx;
use crate::studies::require_registered;
use crate::trace::TraceId;

const STEP: &str = "read the builds of marts";
const WHAT: &str = "build of marts";

/// How a build ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MartRunStatus {
    /// A new snapshot with every mart.
    Published,
    /// A new snapshot without some marts.
    Partial,
    /// Nothing had changed.
    Unchanged,
    /// A mart failed.
    Failed,
    /// It was told to stop.
    Cancelled,
}

impl MartRunStatus {
    const ALL: [Self; 5] = [Self::Published, Self::Partial, Self::Unchanged, Self::Failed, Self::Cancelled];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Partial => "partial",
            Self::Unchanged => "unchanged",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// A build that ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMartRun {
    /// Its id.
    pub id: RunId,
    /// How it ended.
    pub status: MartRunStatus,
    /// The snapshot whose tables were read.
    pub based_on: SnapshotId,
    /// The snapshot that it made.
    pub snapshot: Option<SnapshotId>,
    /// The instant of the sources that was built, where that is not the newest.
    pub sources_as_of: Option<DateTime<Utc>>,
    /// Where its record lies in the tenant's store.
    pub record_key: String,
    /// Marts that were made.
    pub made: u64,
    /// Marts that were taken over.
    pub shared: u64,
    /// Tests of weight that failed, and marts that could not be made.
    pub errors: u64,
    /// Tests that failed with a warning.
    pub warnings: u64,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub finished_at: DateTime<Utc>,
}

/// A build as it is kept.
pub type MartRunRow = NewMartRun;

/// The snapshot that a build publishes.
#[derive(Debug)]
enum Made {
    Current(NewSnapshot),
    Past(NewPastSnapshot),
    Nothing,
}

impl Control {
    /// Records a build, and publishes the snapshot that it made as the study's current one, together.
    ///
    /// # Errors
    /// As [`Control::publish`].
    pub async fn record_mart_run(
        &self,
        actor: &Actor,
        scope: &StudyScope<Build>,
        (run, snapshot): (NewMartRun, Option<NewSnapshot>),
        trace: &TraceId,
    ) -> Result<(), ControlError> {
        let made = snapshot.map_or(Made::Nothing, Made::Current);
        self.record_run(actor, scope, (run, made), trace).await
    }

    /// Records a build of a past instant, and makes its snapshot readable, together.
    ///
    /// # Errors
    /// [`ControlError::StudyNotRegistered`], and [`ControlError::Denied`] for an actor of another tenant.
    pub async fn record_past_mart_run(
        &self,
        actor: &Actor,
        scope: &StudyScope<Build>,
        (run, snapshot): (NewMartRun, Option<NewPastSnapshot>),
        trace: &TraceId,
    ) -> Result<(), ControlError> {
        let made = snapshot.map_or(Made::Nothing, Made::Past);
        self.record_run(actor, scope, (run, made), trace).await
    }

    async fn record_run(
        &self,
        actor: &Actor,
        scope: &StudyScope<Build>,
        (run, made): (NewMartRun, Made),
        trace: &TraceId,
    ) -> Result<(), ControlError> {
        actor.require_tenant(scope.tenant())?;
        let study = scope.study();
        let mut tx = self.store().tenant(scope.tenant()).await?.begin().await?;
        require_registered(tx.connection(), study).await?;
        insert(&mut tx, study, &run).await?;
        let built = built(actor, study, &run, trace);
        match made {
            Made::Nothing => tx.record(built).await?.commit().await,
            Made::Past(snapshot) => {
                place_past(&mut tx, study, &snapshot).await?;
                let recorded = tx.record(built).await?;
                recorded.and(past_published(actor, study, &snapshot, trace)).await?.commit().await
            }
            Made::Current(snapshot) => match place_snapshot(&mut tx, study, snapshot).await? {
                Published::Before(_) => tx.record(built).await?.commit().await,
                Published::Now(row) => {
                    let recorded = tx.record(built).await?;
                    recorded.and(published(actor, study, &row, trace)).await?.commit().await
                }
            },
        }
    }

    /// The builds of a study, newest first, so many at most.
    ///
    /// # Errors
    /// When they cannot be read from the store.
    pub async fn mart_runs(
        &self,
        scope: &StudyScope<Read>,
        at_most: u32,
    ) -> Result<Vec<MartRunRow>, ControlError> {
        let rows: Vec<RunColumns> = sqlx::query_as(
            "SELECT run_id, status, based_on, snapshot_id, sources_as_of, record_key, made_count, shared_count,
                 error_count, warning_count, started_at, finished_at
             FROM mart_runs WHERE study_id = $1 ORDER BY finished_at DESC, run_id DESC LIMIT $2",
        )
        .bind(scope.study().as_str())
        .bind(i64::from(at_most))
        .fetch_all(&mut *self.store().tenant(scope.tenant()).await?.view().await?)
        .await
        .map_err(storage(STEP))?;
        rows.into_iter().map(read).collect()
    }
}

type Names = (String, String, String, Option<String>, Option<String>, String);
type Counts = (i64, i64, i64, i64);
type RunColumns =
    (String, String, String, Option<String>, Option<String>, String, i64, i64, i64, i64, String, String);

fn read(columns: RunColumns) -> Result<MartRunRow, ControlError> {
    let (id, status, based_on, snapshot, as_of, record, made, shared, errors, warnings, started, finished) =
        columns;
    read_parts(
        (id, status, based_on, snapshot, as_of, record),
        (made, shared, errors, warnings),
        [&started, &finished],
    )
}

fn read_parts(
    (id, status, based_on, snapshot, sources_as_of, record_key): Names,
    (made, shared, errors, warnings): Counts,
    [started_at, finished_at]: [&str; 2],
) -> Result<MartRunRow, ControlError> {
    let instant = |text: &str| parse_timestamp(text).ok_or(()).map_err(corrupt(WHAT));
    let count = |count: i64| u64::try_from(count).map_err(corrupt(WHAT));
    let status = MartRunStatus::ALL.into_iter().find(|known| known.name() == status);
    Ok(MartRunRow {
        id: id.parse().map_err(corrupt(WHAT))?,
        status: status.ok_or(()).map_err(corrupt(WHAT))?,
        based_on: based_on.parse().map_err(corrupt(WHAT))?,
        snapshot: snapshot.map(SnapshotId::try_from).transpose().map_err(corrupt(WHAT))?,
        sources_as_of: sources_as_of.as_deref().map(instant).transpose()?,
        record_key,
        made: count(made)?,
        shared: count(shared)?,
        errors: count(errors)?,
        warnings: count(warnings)?,
        started_at: instant(started_at)?,
        finished_at: instant(finished_at)?,
    })
}

async fn insert(tx: &mut TenantTx, study: &StudyId, run: &NewMartRun) -> Result<(), ControlError> {
    let count = |count: u64| i64::try_from(count).map_err(corrupt(WHAT));
    sqlx::query(
        "INSERT INTO mart_runs (run_id, study_id, status, based_on, snapshot_id, sources_as_of, record_key,
             made_count, shared_count, error_count, warning_count, started_at, finished_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
    )
    .bind(run.id.to_string())
    .bind(study.as_str())
    .bind(run.status.name())
    .bind(run.based_on.to_string())
    .bind(run.snapshot.map(|id| id.to_string()))
    .bind(run.sources_as_of.map(timestamp))
    .bind(&run.record_key)
    .bind(count(run.made)?)
    .bind(count(run.shared)?)
    .bind(count(run.errors)?)
    .bind(count(run.warnings)?)
    .bind(timestamp(run.started_at))
    .bind(timestamp(run.finished_at))
    .execute(tx.connection())
    .await
    .map(|_| ())
    .map_err(storage("record the build of marts"))
}

fn built(actor: &Actor, study: &StudyId, run: &NewMartRun, trace: &TraceId) -> Event {
    let outcome = match run.status {
        MartRunStatus::Failed | MartRunStatus::Cancelled => Outcome::Failed,
        MartRunStatus::Published | MartRunStatus::Partial | MartRunStatus::Unchanged => Outcome::Success,
    };
    Event::success(AuditAction::MartsBuilt, actor, Resource::new("mart_run", run.id.to_string()))
        .ended(outcome)
        .with("study", study.as_str())
        .with("status", run.status.name())
        .with("based_on", run.based_on.to_string())
        .with("snapshot", run.snapshot.map(|id| id.to_string()))
        .with("made", run.made)
        .with("shared", run.shared)
        .with("errors", run.errors)
        .with("warnings", run.warnings)
        .traced(trace)
}
