//! `cairn admin schedule`.

use clap::{Args, Subcommand};
use control::{Actor, Enabled, JobKind, NewSchedule, ScheduleId, ScheduleRow, Timetable, TraceId};
use kernel::StudyId;

use super::job::TenantName;
use crate::app::App;
use crate::cli::say::say;
use crate::error::{Failure, Result};

/// What to do with schedules.
#[derive(Debug, Subcommand)]
pub(crate) enum ScheduleCommand {
    /// Add a schedule: with a study it builds that study's marts, without one it verifies the ledger.
    Add {
        #[command(flatten)]
        tenant: TenantName,
        /// The study whose marts are built.
        #[arg(long)]
        study: Option<StudyId>,
        /// The time zone in which the expression is read, such as Europe/Berlin.
        #[arg(long, default_value = "UTC")]
        zone: String,
        /// Minute, hour, day of the month, month and weekday, such as '30 2 * * 1-5'.
        cron: String,
    },
    /// List the schedules with their next three times.
    List {
        #[command(flatten)]
        tenant: TenantName,
    },
    /// Turn a schedule on.
    Enable(One),
    /// Turn a schedule off.
    Disable(One),
    /// Remove a schedule. The jobs that it put in line stay.
    Remove(One),
    /// Put its job in line now. Its times stay as they are.
    Run(One),
}

#[derive(Debug, Args)]
pub(crate) struct One {
    #[command(flatten)]
    tenant: TenantName,
    /// The schedule's id.
    schedule: ScheduleId,
}

pub(crate) async fn run(app: &App, command: ScheduleCommand) -> Result<()> {
    let (actor, trace) = (Actor::Operator, TraceId::random()?);
    match command {
        ScheduleCommand::Add { tenant, study, zone, cron } => {
            let kind = if study.is_some() { JobKind::MartsBuild } else { JobKind::LedgerVerify };
            let timetable =
                Timetable::new(&cron, &zone).map_err(|error| Failure::Usage(error.to_string()))?;
            let schedule = NewSchedule { kind, study, timetable };
            print(&app.control.add_schedule(&actor, &tenant.grants(app).await?, schedule, &trace).await?);
        }
        ScheduleCommand::List { tenant } => {
            for row in app.control.schedules(&tenant.grants(app).await?).await? {
                print(&row);
            }
        }
        ScheduleCommand::Enable(one) => turn(app, &one, Enabled::Yes).await?,
        ScheduleCommand::Disable(one) => turn(app, &one, Enabled::No).await?,
        ScheduleCommand::Remove(one) => {
            let grants = one.tenant.grants(app).await?;
            app.control.remove_schedule(&actor, &grants, one.schedule, &trace).await?;
            say!("schedule {} is removed", one.schedule);
        }
        ScheduleCommand::Run(one) => {
            let grants = one.tenant.grants(app).await?;
            let job = app.control.run_schedule(&actor, &grants, one.schedule, &trace).await?;
            say!("job {} is in line; a server does it", job.id);
        }
    }
    Ok(())
}

async fn turn(app: &App, one: &One, enabled: Enabled) -> Result<()> {
    let (actor, trace, grants) = (Actor::Operator, TraceId::random()?, one.tenant.grants(app).await?);
    print(&app.control.enable_schedule(&actor, &grants, (one.schedule, enabled), &trace).await?);
    Ok(())
}

fn print(row: &ScheduleRow) {
    let study = row.study.as_ref().map_or("-", |study| study.as_str());
    let (cron, zone) = (row.timetable.cron(), row.timetable.zone());
    say!("{}  {}  {study}  {cron}  {zone}", row.id, row.kind.name());
    match row.next_runs(3).as_slice() {
        [] => say!("  turned off"),
        runs => {
            let runs: Vec<String> = runs.iter().map(ToString::to_string).collect();
            say!("  next: {}", runs.join(", "));
        }
    }
}
