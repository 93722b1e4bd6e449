//! `cairn admin break-glass`.

use chrono::TimeDelta;
use clap::{Subcommand, ValueEnum};
use control::{Actor, BreakGlassId, BreakGlassRow, NewBreakGlass, NewReview, TraceId, Verdict};
use kernel::{AccountId, StudyId};

use super::tenant_called;
use crate::app::App;
use crate::break_glass;
use crate::cli::say::say;
use crate::error::Result;

/// Emergency access to a study: read only, for an hour at most, reviewed by another person within a day.
#[derive(Debug, Subcommand)]
pub(crate) enum BreakGlassCommand {
    /// Let an account that has no role in a study read it, from its next request on.
    Open {
        /// The tenant, by its short name.
        tenant: String,
        /// Who is to read.
        #[arg(long)]
        account: AccountId,
        /// What.
        #[arg(long)]
        study: StudyId,
        /// Why. Reviewers read it; the ledger keeps a commitment to it.
        #[arg(long)]
        reason: String,
        /// For how many minutes, 1 to 60.
        #[arg(long, default_value = "60")]
        minutes: u16,
    },
    /// List emergency accesses, newest first, with what came of them.
    List {
        /// The tenant, by its short name.
        tenant: String,
        /// Only those whose review is late.
        #[arg(long)]
        overdue: bool,
    },
    /// End one before its time.
    End {
        /// The tenant, by its short name.
        tenant: String,
        /// Its id.
        id: BreakGlassId,
    },
    /// Keep what another person found about it.
    Review {
        /// The tenant, by its short name.
        tenant: String,
        /// Its id.
        id: BreakGlassId,
        /// Who judges: a steward or an administrator of the tenant, and not the one who is judged.
        #[arg(long, value_name = "ACCOUNT")]
        by: AccountId,
        /// What they found.
        #[arg(long)]
        verdict: VerdictName,
        /// In their words.
        #[arg(long)]
        note: String,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum VerdictName {
    /// There was an emergency, and what was read served it.
    Justified,
    /// There was none, or more was read than it took.
    Unjustified,
}

impl From<VerdictName> for Verdict {
    fn from(name: VerdictName) -> Self {
        match name {
            VerdictName::Justified => Self::Justified,
            VerdictName::Unjustified => Self::Unjustified,
        }
    }
}

pub(super) async fn run(app: &App, command: BreakGlassCommand) -> Result<()> {
    let (control, actor, trace) = (&app.control, Actor::Operator, TraceId::random()?);
    match command {
        BreakGlassCommand::Open { tenant, account, study, reason, minutes } => {
            let tenant = tenant_called(app, &tenant).await?;
            let lasting = TimeDelta::minutes(i64::from(minutes));
            let new = NewBreakGlass { account, study, reason, lasting };
            let opened = control.open_break_glass(&actor, tenant.id, &new, &trace).await?;
            break_glass::alert(tenant.id, &opened);
            print(app, &opened);
        }
        BreakGlassCommand::List { tenant, overdue } => {
            let tenant = tenant_called(app, &tenant).await?;
            let now = app.clock.now();
            for row in control.break_glasses(&actor, tenant.id).await? {
                if !overdue || row.is_overdue(now) {
                    print(app, &row);
                }
            }
        }
        BreakGlassCommand::End { tenant, id } => {
            let tenant = tenant_called(app, &tenant).await?;
            print(app, &control.end_break_glass(&actor, tenant.id, id, &trace).await?);
        }
        BreakGlassCommand::Review { tenant, id, by, verdict, note } => {
            let tenant = tenant_called(app, &tenant).await?;
            let new = NewReview { by, verdict: verdict.into(), note };
            print(app, &control.review_break_glass(&actor, tenant.id, id, &new, &trace).await?);
        }
    }
    Ok(())
}

fn print(app: &App, row: &BreakGlassRow) {
    let now = app.clock.now();
    let until = row.ended_at.unwrap_or(row.ends_at).format("%Y-%m-%d %H:%M");
    let due = row.review_due_at.format("%Y-%m-%d %H:%M");
    let state =
        if row.is_open(now) { format!("open until {until} UTC") } else { format!("ended {until} UTC") };
    let review = match &row.review {
        Some(review) => format!("{} by {}", review.verdict.name(), review.by),
        None if row.is_overdue(now) => format!("review OVERDUE since {due} UTC"),
        None => format!("review due by {due} UTC"),
    };
    let reason = row.reason.as_deref().unwrap_or("(erased)");
    say!("{}  account {}  {}  {state}  {review}  {reason}", row.id, row.account, row.study);
}
