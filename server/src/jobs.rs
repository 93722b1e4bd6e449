//! The workers of a server: they claim what is in line, one tenant after the other, and do it. Read `attempt` for what
//! happens to one claim, and `kinds` for what each kind of job does.
mod attempt;
mod kinds;

use std::collections::BTreeMap;
use std::pin::pin;
use std::time::Duration;

use chrono::TimeDelta;
use control::{Actor, Claim, ControlError, Terms};
use kernel::TenantId;
use tokio::task::{Id, JoinSet};
use tokio::time::Instant;
use tracing::{error, info, warn};

use crate::app::App;
use crate::error::{Failure, Result};

/// How often it is looked for jobs that another process put in line, or whose time has come.
const LOOK: Duration = Duration::from_secs(1);

/// How often it is looked for schedules whose time has come.
const FIRE: Duration = Duration::from_secs(5);

/// How often idempotency keys are forgotten whose time is over.
const TIDY: Duration = Duration::from_secs(600);

/// How a server works on jobs.
#[derive(Debug, Clone)]
pub(crate) struct Workforce {
    /// The server's name, for people.
    pub(crate) name: String,
    /// How many jobs it does at a time.
    pub(crate) workers: usize,
    /// How many of one tenant's jobs are done at a time, by all servers.
    pub(crate) at_a_time: u32,
    /// How long a job is a worker's without a sign of life.
    pub(crate) lease: TimeDelta,
}

/// Works until `stop`, then claims nothing more. What has not ended at `cut` goes back to the line.
pub(crate) async fn work(
    app: App,
    workforce: Workforce,
    stop: impl Future<Output = ()>,
    cut: impl Future<Output = ()>,
) {
    let mut shift =
        Shift { app, workforce, running: JoinSet::new(), claims: BTreeMap::new(), served: BTreeMap::new() };
    shift.go_on(stop).await;
    tokio::select! {
        () = shift.finish() => {}
        () = cut => {}
    }
    shift.release().await;
}

/// The workers, and what they have.
struct Shift {
    app: App,
    workforce: Workforce,
    running: JoinSet<()>,
    claims: BTreeMap<Id, Claim>,
    /// When each tenant was served last, as a number that grows.
    served: BTreeMap<TenantId, u64>,
}

impl Shift {
    /// Claims and does what is due. It stops between two looks: a claim that was cut off would be nobody's until its
    /// lease ends.
    async fn go_on(&mut self, stop: impl Future<Output = ()>) {
        let mut stop = pin!(stop);
        if self.workforce.workers == 0 {
            return stop.await;
        }
        let lease = self.workforce.lease.to_std().unwrap_or(LOOK);
        let (mut reaped, mut fired, mut tidied) = (Instant::now(), Instant::now(), Instant::now());
        loop {
            if reaped.elapsed() >= lease / 4 {
                reaped = Instant::now();
                told("look for lost jobs", self.reap().await);
            }
            if fired.elapsed() >= FIRE {
                fired = Instant::now();
                told("look at the schedules", self.fire().await);
            }
            if tidied.elapsed() >= TIDY {
                tidied = Instant::now();
                told("forget old idempotency keys", self.tidy().await);
            }
            told("claim a job", self.claim_what_is_due().await);
            let is_full = self.running.len() >= self.workforce.workers;
            tokio::select! {
                Some(ended) = self.running.join_next_with_id() => self.forget(ended),
                () = self.app.control.job_enqueued(), if !is_full => {}
                () = tokio::time::sleep(LOOK) => {}
                () = &mut stop => return,
            }
        }
    }

    async fn finish(&mut self) {
        while let Some(ended) = self.running.join_next_with_id().await {
            self.forget(ended);
        }
    }

    fn forget(&mut self, ended: std::result::Result<(Id, ()), tokio::task::JoinError>) {
        let id = match ended {
            Ok((id, ())) => id,
            Err(failure) => {
                // Its lease ends, and the job is tried again.
                error!(error = %failure, "a worker broke down");
                failure.id()
            }
        };
        self.claims.remove(&id);
    }

    /// Gives back what the workers still have, and sends them home.
    async fn release(&mut self) {
        self.running.shutdown().await;
        for claim in std::mem::take(&mut self.claims).into_values() {
            let id = claim.job().id;
            match self.app.control.release_job(&claim).await {
                Ok(()) => info!(tenant_id = %claim.tenant(), job.id = %id, "a job went back to the line"),
                // It ended in this moment.
                Err(ControlError::LeaseLost) => {}
                Err(failure) => {
                    warn!(tenant_id = %claim.tenant(), job.id = %id, error = %failure, "a job could not be given back; its lease will end");
                }
            }
        }
    }

    async fn claim_what_is_due(&mut self) -> Result<()> {
        while self.running.len() < self.workforce.workers {
            let Some(claim) = self.claim_next().await? else { return Ok(()) };
            let (app, lease, claimed) = (self.app.clone(), self.workforce.lease, claim.clone());
            let task = self.running.spawn(async move { attempt::make(&app, &claimed, lease).await });
            self.claims.insert(task.id(), claim);
        }
        Ok(())
    }

    /// A job of the tenant that has the fewest workers; of several, the one that was served longest ago.
    async fn claim_next(&mut self) -> Result<Option<Claim>> {
        let control = &self.app.control;
        let mut tenants: Vec<TenantId> =
            control.tenants(&Actor::System).await?.into_iter().map(|tenant| tenant.id).collect();
        let busy = |tenant: TenantId| self.claims.values().filter(|claim| claim.tenant() == tenant).count();
        tenants.sort_by_key(|tenant| (busy(*tenant), self.served.get(tenant).copied().unwrap_or(0), *tenant));
        let terms = Terms {
            worker: &self.workforce.name,
            lease: self.workforce.lease,
            at_a_time: self.workforce.at_a_time,
        };
        for tenant in tenants {
            match control.claim_job(tenant, terms).await {
                Ok(None) => {}
                Ok(Some(claim)) => {
                    let next = self.served.values().max().map_or(1, |last| last + 1);
                    self.served.insert(tenant, next);
                    return Ok(Some(claim));
                }
                // One tenant's trouble is not the others'.
                Err(failure) => told("claim a job", Err(failure.into())),
            }
        }
        Ok(None)
    }

    async fn fire(&self) -> Result<()> {
        for tenant in self.app.control.tenants(&Actor::System).await? {
            match self.app.control.fire_schedules(tenant.id).await {
                Ok(0) => {}
                Ok(schedules) => info!(tenant_id = %tenant.id, schedules, "the time of schedules has come"),
                Err(failure) => told("look at the schedules", Err(failure.into())),
            }
        }
        Ok(())
    }

    async fn tidy(&self) -> Result<()> {
        for tenant in self.app.control.tenants(&Actor::System).await? {
            self.app.control.forget_keys(tenant.id).await?;
        }
        Ok(())
    }

    async fn reap(&self) -> Result<()> {
        for tenant in self.app.control.tenants(&Actor::System).await? {
            match self.app.control.reap_jobs(tenant.id).await {
                Ok(0) => {}
                Ok(jobs) => warn!(tenant_id = %tenant.id, jobs, "jobs were found whose worker was lost"),
                Err(failure) => told("look for lost jobs", Err(failure.into())),
            }
        }
        Ok(())
    }
}

fn told(step: &'static str, outcome: Result<()>) {
    if let Err(failure) = outcome {
        error!(error = failure.chain(), "failed to {step}");
    }
}

/// The name of this server, for people who look at a job.
pub(crate) fn name_of_server() -> Result<String> {
    let unique = control::TraceId::random()?;
    Ok(format!("{}-{}", std::process::id(), &unique.as_str()[..8]))
}

/// The workers that a command line asks for.
pub(crate) fn workforce(workers: usize, at_a_time: u32, lease_seconds: u32) -> Result<Workforce> {
    if lease_seconds == 0 || at_a_time == 0 {
        return Err(Failure::Usage("a lease has at least one second, and a tenant at least one job".into()));
    }
    let lease = TimeDelta::seconds(i64::from(lease_seconds));
    Ok(Workforce { name: name_of_server()?, workers, at_a_time, lease })
}
