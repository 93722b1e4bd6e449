//! What the ledger needs from time to time while the server runs: checkpoints, and verification, and telling what it says is owed.

use std::convert::Infallible;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use control::{Actor, VerifyReport};
use tracing::{error, info, warn};

use crate::app::App;
use crate::break_glass;

/// How often it is looked whether a checkpoint is due.
const TICK: Duration = Duration::from_secs(5);
/// How often the new events of every log are verified,
const NEW_EVENTS: TimeDelta = TimeDelta::minutes(5);
/// and how often every event.
const ALL_EVENTS: TimeDelta = TimeDelta::hours(24);

/// How often open emergency accesses and late reviews are counted.
const EMERGENCIES: TimeDelta = TimeDelta::minutes(1);

/// How long the last checkpoint may take; what it does not sign is signed after the next start.
const LAST_CHECKPOINT: Duration = Duration::from_secs(5);

/// Keeps the ledger until `stop`, whatever is being done then; then everything is signed once more.
pub(crate) async fn keep(app: App, stop: impl Future<Output = ()>) {
    tokio::select! {
        () = stop => {}
        never = keep_on(&app) => match never {},
    }
    match tokio::time::timeout(LAST_CHECKPOINT, app.control.checkpoint_now()).await {
        Ok(made) => told(made.map(|made| made.len())),
        Err(_) => warn!("the ledger could not be signed in time; the next start does it"),
    }
}

async fn keep_on(app: &App) -> Infallible {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let (mut new_events, mut all_events) = (app.clock.now(), app.clock.now());
    let (mut access_reviews, mut emergencies) = (new_events, new_events - EMERGENCIES);
    loop {
        ticks.tick().await;
        let now = app.clock.now();
        told(app.control.checkpoint(now).await.map(|made| made.len()));
        if now >= access_reviews {
            access_reviews = now + NEW_EVENTS;
            look_for_overdue_reviews(app).await;
        }
        if now - emergencies >= EMERGENCIES {
            emergencies = now;
            break_glass::watch(app).await;
        }
        if now - all_events >= ALL_EVENTS {
            (new_events, all_events) = (now, now);
            judge(app, now, app.control.verify_all().await).await;
        } else if now - new_events >= NEW_EVENTS {
            new_events = now;
            judge(app, now, app.control.verify_new().await).await;
        }
    }
}

/// Says of how many tenants the review of access is overdue. Which they are, their administrators see: a metric is
/// everybody's who watches the machine.
async fn look_for_overdue_reviews(app: &App) {
    match app.control.overdue_access_reviews().await {
        #[expect(clippy::cast_precision_loss, reason = "a deployment has fewer than 2^52 tenants")]
        Ok(overdue) => {
            metrics::gauge!("access_reviews_overdue").set(overdue as f64);
            if overdue > 0 {
                warn!(overdue, "reviews of access are overdue; see `cairn admin access-review`");
            }
        }
        Err(failure) => {
            error!(error = %failure, "it could not be seen whether reviews of access are overdue");
        }
    }
}

fn told(made: Result<usize, control::ControlError>) {
    match made {
        Ok(0) => {}
        Ok(checkpoints) => info!(checkpoints, "signed the ledger"),
        Err(failure) => {
            metrics::counter!("audit_checkpoint_failures_total").increment(1);
            error!(error = %crate::error::Failure::from(failure).chain(), "the ledger could not be signed");
        }
    }
}

/// Records what a verification found: as an event, as two metrics, and, when it is bad, as an error.
async fn judge(app: &App, now: DateTime<Utc>, reports: Result<Vec<VerifyReport>, control::ControlError>) {
    let recorded = match &reports {
        Ok(reports) => app.control.record_verification(&Actor::System, reports).await,
        Err(_) => Ok(()),
    };
    let broken = reports.as_ref().map(|reports| reports.iter().find(|report| !report.is_intact()));
    match (broken, recorded) {
        #[expect(clippy::cast_precision_loss, reason = "seconds since 1970 stay below 2^52 for ages")]
        (Ok(None), Ok(())) => {
            metrics::gauge!("audit_verify_last_ok_timestamp").set(now.timestamp() as f64);
        }
        (Ok(Some(report)), _) => {
            metrics::counter!("audit_verify_failures_total").increment(1);
            let fault = report.fault.map(|fault| format!("event {}: {}", fault.index, fault.kind));
            error!(log = %report.log, fault, "the ledger was tampered with; run `cairn audit verify`");
        }
        (Err(failure), _) => {
            metrics::counter!("audit_verify_failures_total").increment(1);
            error!(error = %failure, "the ledger could not be verified");
        }
        (_, Err(failure)) => error!(error = %failure, "the verification could not be recorded"),
    }
}
