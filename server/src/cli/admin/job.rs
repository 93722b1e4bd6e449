//! `cairn admin job`.

use clap::{Args, Subcommand};
use control::{Actor, JobFilter, JobId, JobRow, JobState, TraceId};
use kernel::{Grants, StudyId};

use crate::app::App;
use crate::cli::say::say;
use crate::error::{Failure, Result};

/// What to do with jobs.
#[derive(Debug, Subcommand)]
pub(crate) enum JobCommand {
    /// List jobs, newest first.
    List {
        #[command(flatten)]
        tenant: TenantName,
        /// Only those in this state: QUEUED, RUNNING, SUCCEEDED, FAILED or CANCELLED.
        #[arg(long, value_parser = state)]
        state: Option<JobState>,
        /// Only those of this study.
        #[arg(long)]
        study: Option<StudyId>,
        /// Only those older than this job.
        #[arg(long, value_name = "JOB")]
        before: Option<JobId>,
        /// At most so many.
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// Show one job.
    Show(One),
    /// Give a job up: at once when it waits, at its next step when it is being done.
    Cancel(One),
    /// Put a job that failed, or was given up, back in line.
    Retry(One),
}

/// A tenant by its short name.
#[derive(Debug, Args)]
pub(crate) struct TenantName {
    /// The tenant, by its short name.
    #[arg(long, env = "CAIRN_TENANT", value_name = "TENANT")]
    tenant: String,
}

#[derive(Debug, Args)]
pub(crate) struct One {
    #[command(flatten)]
    tenant: TenantName,
    /// The job's id.
    job: JobId,
}

pub(crate) async fn run(app: &App, command: JobCommand) -> Result<()> {
    match command {
        JobCommand::List { tenant, state, study, before, limit } => {
            let filter = JobFilter { state, study, before, limit };
            list(app, &tenant.grants(app).await?, &filter).await
        }
        JobCommand::Show(one) => {
            let grants = one.tenant.grants(app).await?;
            show(&app.control.job(&grants, one.job).await?);
            Ok(())
        }
        JobCommand::Cancel(one) => {
            let (grants, trace) = (one.tenant.grants(app).await?, TraceId::random()?);
            let job = app.control.cancel_job(&Actor::Operator, &grants, one.job, &trace).await?;
            match job.state {
                JobState::Cancelled => say!("job {} is cancelled", job.id),
                _ => say!("job {} ends at its next step", job.id),
            }
            Ok(())
        }
        JobCommand::Retry(one) => {
            let (grants, trace) = (one.tenant.grants(app).await?, TraceId::random()?);
            let job = app.control.retry_job(&Actor::Operator, &grants, one.job, &trace).await?;
            say!("job {} is in line again; a server does it", job.id);
            Ok(())
        }
    }
}

impl TenantName {
    /// What the operator may do in the tenant.
    pub(crate) async fn grants(&self, app: &App) -> Result<Grants> {
        let tenant = app.control.tenant_by_slug(&Actor::Operator, &self.tenant).await?;
        Ok(app.control.operator_grants(tenant.id).await?)
    }
}

async fn list(app: &App, grants: &Grants, filter: &JobFilter) -> Result<()> {
    let jobs = app.control.jobs(grants, filter).await?;
    say!("{:<38}{:<15}{:<14}{:<11}{:>8}  since", "job", "kind", "study", "state", "attempts");
    for job in &jobs {
        let study = job.study.as_ref().map_or("-", |study| study.as_str());
        let (kind, state, since) = (job.kind.name(), job.state.name(), job.enqueued_at.format("%F %T"));
        say!("{:<38}{kind:<15}{study:<14}{state:<11}{:>8}  {since}", job.id.to_string(), job.attempt);
    }
    if let Some(last) = jobs.last()
        && u32::try_from(jobs.len()).is_ok_and(|count| count == filter.limit)
    {
        say!("older ones: --before {}", last.id);
    }
    Ok(())
}

fn show(job: &JobRow) {
    let or_none = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    say!("job       {}", job.id);
    say!("kind      {}", job.kind.name());
    say!("study     {}", or_none(job.study.as_ref().map(ToString::to_string)));
    say!("subject   {}", or_none(job.subject.clone()));
    say!("state     {}{}", job.state.name(), if job.is_cancel_asked { ", asked to end" } else { "" });
    say!("attempts  {}, of which {} of {} failed", job.attempt, job.failures, job.max_failures);
    let progress = job.progress.as_ref().map(|at| format!("{} ({} of {})", at.step, at.done, at.total));
    say!("progress  {}", or_none(progress));
    say!("problem   {}", or_none(job.problem.clone()));
    say!("result    {}", or_none(job.result.as_ref().map(ToString::to_string)));
    say!("asked by  {} {}", job.actor_type, job.actor_id);
    say!("worker    {}", or_none(job.worker.clone()));
    say!("trace     {}", job.trace);
    let times = [
        ("enqueued", Some(job.enqueued_at)),
        ("due", Some(job.due_at)),
        ("started", job.started_at),
        ("ended", job.ended_at),
    ];
    for (name, at) in times {
        say!("{name:<10}{}", or_none(at.map(|at| at.to_rfc3339())));
    }
}

fn state(text: &str) -> std::result::Result<JobState, Failure> {
    JobState::from_name(text).ok_or_else(|| {
        let names: Vec<&str> = JobState::ALL.into_iter().map(JobState::name).collect();
        Failure::Usage(format!("choose one of {}", names.join(", ")))
    })
}
