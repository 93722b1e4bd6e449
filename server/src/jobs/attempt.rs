//! One attempt at a job: the work, the lease that is kept meanwhile, and how it ends.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::TimeDelta;
use control::{Claim, ControlError, Ending, JobProgress};
use tokio::time::Instant;
use tracing::{error, info, warn};

use super::kinds;
use crate::app::App;
use crate::error::{Failure, Result};
use crate::work::Teller;

/// How often a new progress is written down.
const TELL: Duration = Duration::from_secs(1);

type Progress = Arc<Mutex<Option<JobProgress>>>;

/// Does what was claimed, for as long as it is this worker's.
pub(super) async fn make(app: &App, claim: &Claim, lease: TimeDelta) {
    let progress = Progress::default();
    let teller = teller(&progress);
    let work = async {
        if claim.job().is_cancel_asked {
            return Ok(Ending::Cancelled);
        }
        kinds::run(app, claim, teller.clone()).await
    };
    let (job, started) = (claim.job(), Instant::now());
    info!(tenant_id = %claim.tenant(), job.id = %job.id, job.kind = job.kind.name(), trace_id = %job.trace, attempt = job.attempt, "a job begins");
    let outcome = tokio::select! {
        outcome = work => outcome,
        () = keep(app, claim, lease, (&progress, &teller)) => {
            teller.stop();
            warn!(tenant_id = %claim.tenant(), job.id = %job.id, trace_id = %job.trace, "a job was lost to another worker");
            return;
        }
    };
    if let Err(failure) = settle(app, claim, outcome, started.elapsed()).await {
        let error = failure.chain();
        warn!(tenant_id = %claim.tenant(), job.id = %job.id, trace_id = %job.trace, error, "the end of a job could not be kept; its lease will end");
    }
}

fn teller(progress: &Progress) -> Teller {
    let progress = Arc::clone(progress);
    Teller::new(move |now| {
        let now = JobProgress { step: now.step, done: now.done, total: now.total };
        *progress.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
    })
}

/// Renews the lease and writes the progress down until the lease is lost.
async fn keep(app: &App, claim: &Claim, lease: TimeDelta, (progress, teller): (&Progress, &Teller)) {
    let lease_time = lease.to_std().unwrap_or(TELL);
    let (mut renewed, mut written) = (Instant::now(), None);
    loop {
        tokio::time::sleep(TELL.min(lease_time / 4)).await;
        let now = progress.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if now == written && renewed.elapsed() < lease_time / 4 {
            continue;
        }
        let began = Instant::now();
        match app.control.renew_job(claim, lease, now.as_ref()).await {
            Ok(is_cancel_asked) => {
                (renewed, written) = (began, now);
                if is_cancel_asked {
                    teller.stop();
                }
            }
            Err(ControlError::LeaseLost) => return,
            // The database may answer again before the lease ends.
            Err(_) if renewed.elapsed() < lease_time => {}
            Err(_) => return,
        }
    }
}

/// Writes down how an attempt ended.
async fn settle(app: &App, claim: &Claim, outcome: Result<Ending>, took: Duration) -> Result<()> {
    let (job, tenant) = (claim.job(), claim.tenant());
    let (job_id, kind, trace, seconds) = (job.id, job.kind.name(), &job.trace, took.as_secs_f64());
    let ending = match outcome {
        Ok(ending) => ending,
        Err(Failure::Control(ControlError::JobCancelled)) => Ending::Cancelled,
        Err(Failure::Control(error @ ControlError::LeaseLost)) => return Err(error.into()),
        Err(failure) => {
            let error = failure.chain();
            error!(tenant_id = %tenant, job.id = %job_id, job.kind = kind, trace_id = %trace, error, "a job failed");
            metrics::counter!("jobs_attempts_total", "kind" => kind, "outcome" => "failed").increment(1);
            let problem = failure.without_values();
            if is_hopeless(&failure) {
                return Ok(app.control.end_job(claim, Ending::Failed { problem }).await?);
            }
            return Ok(app.control.fail_job(claim, &problem).await?);
        }
    };
    let outcome = match ending {
        Ending::Done { .. } => "done",
        Ending::Refused { .. } => "refused",
        Ending::Failed { .. } => "failed",
        Ending::Cancelled => "cancelled",
    };
    let has_ended = matches!(ending, Ending::Done { .. } | Ending::Refused { .. });
    app.control.end_job(claim, ending).await?;
    metrics::counter!("jobs_attempts_total", "kind" => kind, "outcome" => outcome).increment(1);
    info!(tenant_id = %tenant, job.id = %job_id, job.kind = kind, trace_id = %trace, seconds, outcome, "a job ended");
    if has_ended && let Err(failure) = kinds::clear(app, claim).await {
        warn!(tenant_id = %tenant, job.id = %job_id, error = failure.chain(), "files of an ended job could not be removed");
    }
    Ok(())
}

/// Whether the same would come of it however often it is tried.
fn is_hopeless(failure: &Failure) -> bool {
    match failure {
        Failure::NotThere(_) => true,
        Failure::Control(ControlError::IdempotencyConflict { .. }) => true,
        Failure::Marts(error) => !matches!(error, marts::Error::Build { .. } | marts::Error::Snapshot { .. }),
        failure => failure.is_refusal(),
    }
}
