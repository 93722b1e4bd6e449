//! `cairn admin study`: how long a study's data are kept, what holds them, and their end.

use chrono::NaiveDate;
use clap::Subcommand;
use control::{Actor, HoldId, NewRemoval, NewRetention, Removed, StudyRetention, TraceId};
use kernel::{AccountId, Build, StudyId, TenantId};
use warehouse::removal::{inventory, remove};
use warehouse::{Storage, Writer};

use super::tenant_called;
use crate::app::App;
use crate::cli::say::say;
use crate::error::{Failure, Result};
use crate::work::blocking;

/// How long studies are kept (docs/retention.md).
#[derive(Debug, Subcommand)]
pub(crate) enum StudyCommand {
    /// List the studies with the day from which each may be removed, and the holds on it.
    List {
        /// The tenant, by its short name.
        tenant: String,
    },
    /// Decide from which day on a study's data may be removed.
    Retain {
        /// The tenant, by its short name.
        tenant: String,
        /// The study.
        study: StudyId,
        /// The first day on which they may be removed, such as 2051-11-22.
        #[arg(long, value_name = "DAY")]
        until: NaiveDate,
        /// Why, without naming a person; it is recorded for ever.
        #[arg(long)]
        reason: String,
        /// The second person who agrees, for an earlier day than was decided before: the id of an account in use.
        #[arg(long, value_name = "ACCOUNT")]
        approved_by: Option<AccountId>,
    },
    /// Hold a study's data, whatever its day is.
    Hold {
        /// The tenant, by its short name.
        tenant: String,
        /// The study.
        study: StudyId,
        /// Why, without naming a person; it is recorded for ever.
        #[arg(long)]
        reason: String,
    },
    /// Lift a hold.
    Release {
        /// The tenant, by its short name.
        tenant: String,
        /// The study.
        study: StudyId,
        /// The hold's id, which `cairn admin study list` shows.
        hold: HoldId,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Remove a study's data for good: every file in every zone. The ledger keeps what was there, why it went and who
    /// agreed. Its code is never used again. Run it again to finish one that was cut off.
    Remove {
        /// The tenant, by its short name.
        tenant: String,
        /// The study.
        study: StudyId,
        /// Why, without naming a person; it is recorded for ever.
        #[arg(long)]
        reason: String,
        /// The second person who agrees: the id of an account of the tenant in use.
        #[arg(long, value_name = "ACCOUNT")]
        approved_by: AccountId,
    },
}

pub(super) async fn run(app: &App, command: StudyCommand) -> Result<()> {
    let (control, actor, trace) = (&app.control, Actor::Operator, TraceId::random()?);
    match command {
        StudyCommand::List { tenant } => {
            let tenant = tenant_called(app, &tenant).await?;
            control.retentions(&actor, tenant.id).await?.iter().for_each(print);
        }
        StudyCommand::Retain { tenant, study, until, reason, approved_by } => {
            let tenant = tenant_called(app, &tenant).await?;
            let new = NewRetention { not_before: until, reason, approved_by };
            control.set_retention(&actor, tenant.id, &study, &new, &trace).await?;
            say!("{study} may be removed from {until} on");
        }
        StudyCommand::Hold { tenant, study, reason } => {
            let tenant = tenant_called(app, &tenant).await?;
            let hold = control.place_hold(&actor, tenant.id, &study, &reason, &trace).await?;
            say!("hold {} keeps {study}", hold.id);
        }
        StudyCommand::Release { tenant, study, hold, reason } => {
            let tenant = tenant_called(app, &tenant).await?;
            control.lift_hold(&actor, tenant.id, (&study, hold), &reason, &trace).await?;
            say!("hold {hold} is lifted");
        }
        StudyCommand::Remove { tenant, study, reason, approved_by } => {
            let tenant = tenant_called(app, &tenant).await?;
            removal(app, tenant.id, &study, (reason, approved_by)).await?;
        }
    }
    Ok(())
}

/// First the study is not there any more, then its files go: whoever reads meanwhile finds nothing, and a removal that is cut
/// off is finished by the next.
async fn removal(
    app: &App,
    tenant: TenantId,
    study: &StudyId,
    (reason, approved_by): (String, AccountId),
) -> Result<()> {
    let (control, actor, trace) = (&app.control, Actor::Operator, TraceId::random()?);
    if !control.is_being_removed(tenant, study).await? {
        let grants = control.operator_grants(tenant).await?;
        let scope = grants.scope::<Build>(study).map_err(|denied| Failure::NotThere(denied.to_string()))?;
        let (storage, held) = (app.storage.clone(), scope);
        // Nobody writes in the study between its being counted and its being gone.
        let (writer, there) = blocking(move || {
            let writer = Writer::wait(&storage, &held)?;
            let there = inventory(&writer)?;
            Ok((writer, there))
        })
        .await?;
        let files = Removed { files: there.files, bytes: there.bytes, blake3: there.blake3 };
        let new = NewRemoval { reason, approved_by, files };
        control.begin_removal(&actor, tenant, study, &new, &trace).await?;
        say!("{study} is not there any more; it had {} files of {} bytes", new.files.files, new.files.bytes);
        blocking(move || Ok(remove(writer)?)).await?;
    } else {
        let scope = control.removal_scope(&actor, tenant, study).await?;
        let storage: Storage = app.storage.clone();
        blocking(move || Ok(remove(Writer::wait(&storage, &scope)?)?)).await?;
    }
    control.finish_removal(&actor, tenant, study, &trace).await?;
    say!("its files are gone; copies made before, such as backups, still hold them");
    Ok(())
}

fn print(row: &StudyRetention) {
    let day =
        row.not_before.map_or_else(|| "nobody has decided".to_owned(), |day| format!("kept until {day}"));
    let gone = row.removed_at.map(|at| format!("removed {}", at.format("%Y-%m-%d")));
    say!("{:<24}{}", row.study, gone.unwrap_or(day));
    for hold in &row.holds {
        let since = hold.placed_at.format("%Y-%m-%d");
        let until =
            hold.lifted_at.map(|at| format!(", lifted {}", at.format("%Y-%m-%d"))).unwrap_or_default();
        say!("  hold {}  since {since}{until}  {}", hold.id, hold.reason);
    }
}
