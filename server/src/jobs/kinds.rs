//! What each kind of job does.

use control::{Actor, Claim, Ending, JobKind};
use kernel::Build;
use serde_json::json;
use warehouse::engine::Limits;

use crate::app::App;
use crate::error::{Failure, Result};
use crate::intake;
use crate::work::{self, Engineer, Teller};

/// Does a job.
pub(super) async fn run(app: &App, claim: &Claim, teller: Teller) -> Result<Ending> {
    match claim.job().kind {
        JobKind::Ingest => {
            let batch = subject(claim)?.parse().map_err(|_| Failure::Lost("a job's subject".into()))?;
            intake::take_in(app, &engineer(app, claim).await?, batch, teller).await
        }
        JobKind::MartsBuild => {
            let engineer = engineer(app, claim).await?;
            let built = work::build_marts(app, &engineer, Limits::default(), teller).await?;
            let snapshot = built.snapshot.map(|(id, _, _)| id.to_string());
            let result = json!({ "snapshot": snapshot, "marts": built.run.marts.len() });
            Ok(Ending::Done { result, then: Vec::new() })
        }
        JobKind::LedgerVerify => verify(app, claim).await,
    }
}

/// Removes what an ended job needed.
pub(super) async fn clear(app: &App, claim: &Claim) -> Result<()> {
    if claim.job().kind != JobKind::Ingest {
        return Ok(());
    }
    let batch = subject(claim)?.parse().map_err(|_| Failure::Lost("a job's subject".into()))?;
    intake::clear(app, &engineer(app, claim).await?, batch).await
}

async fn verify(app: &App, claim: &Claim) -> Result<Ending> {
    let report = app.control.verify_tenant(claim.tenant()).await?;
    app.control.record_verification(&Actor::System, std::slice::from_ref(&report)).await?;
    match report.fault {
        None => {
            let result = json!({ "events": report.size, "last_hash": report.last_hash });
            Ok(Ending::Done { result, then: Vec::new() })
        }
        Some(fault) => {
            metrics::counter!("audit_verify_failures_total").increment(1);
            tracing::error!(log = %report.log, fault.index, "the ledger was tampered with; run `cairn audit verify`");
            let problem = format!("the ledger does not verify at event {}: {}", fault.index, fault.kind);
            Ok(Ending::Failed { problem })
        }
    }
}

/// Whoever asked for the job, at work in its study. That they might was found when it was put in line.
async fn engineer(app: &App, claim: &Claim) -> Result<Engineer> {
    let study = claim.job().study.as_ref().ok_or_else(|| Failure::Lost("a job's study".into()))?;
    let grants = app.control.operator_grants(claim.tenant()).await?;
    let scope = grants.scope::<Build>(study).map_err(|denied| Failure::NotThere(denied.to_string()))?;
    let (actor, trace) = (claim.actor(), claim.job().trace.clone());
    Ok(Engineer { actor, scope, trace, fence: Some(claim.fence()) })
}

fn subject(claim: &Claim) -> Result<&str> {
    claim.job().subject.as_deref().ok_or_else(|| Failure::Lost("a job's subject".into()))
}
