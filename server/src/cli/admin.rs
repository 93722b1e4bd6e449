//! `cairn admin`.
mod access_review;
mod account;
mod break_glass;
mod key;
mod session;
mod tenant;
mod token;

use std::path::{Path, PathBuf};

use clap::{Subcommand, ValueEnum};
use control::{Actor, Tenant};
use kernel::{Grant, Role, StudyId};

use crate::app::App;
use crate::backup;
use crate::cli::keys::{self, DataKeyCommand};
use crate::cli::mail::{self, MailCommand};
use crate::error::{Failure, Result};

mod job;
mod schedule;
mod study;
mod webhook;

/// What to administer.
#[derive(Debug, Subcommand)]
pub(crate) enum AdminCommand {
    /// Tenants: the organisations.
    #[command(subcommand)]
    Tenant(tenant::TenantCommand),
    /// Accounts: the people and machines that log in.
    #[command(subcommand)]
    Account(account::AccountCommand),
    /// Who has which role and token, and signing that list off (docs/access.md).
    AccessReview(access_review::ReviewArgs),
    /// Emergency access to a study: read only, an hour at most, reviewed within a day (docs/access.md).
    #[command(subcommand)]
    BreakGlass(break_glass::BreakGlassCommand),
    /// Sessions: who is signed in, and ending that.
    #[command(subcommand)]
    Session(session::SessionCommand),
    /// Tokens that people and machines keep.
    #[command(subcommand)]
    Token(token::TokenCommand),
    /// The keys that sign tokens.
    #[command(subcommand)]
    Key(key::KeyCommand),
    /// Data keys: what protects the keys of accounts, and with them personal data, at rest.
    #[command(subcommand)]
    DataKey(DataKeyCommand),
    /// Copy everything into a new folder, while servers run (docs/backup.md).
    Backup {
        /// The folder; it must be empty or not there.
        #[arg(value_name = "DIR")]
        to: PathBuf,
    },
    /// Put a copy in place, in a data folder that is empty or not there, and check it.
    Restore {
        /// The folder that `cairn admin backup` made.
        #[arg(value_name = "DIR")]
        from: PathBuf,
    },
    /// Studies: how long their data are kept, what holds them, and their end (docs/retention.md).
    #[command(subcommand)]
    Study(study::StudyCommand),
    /// Jobs: what servers do after a request was answered.
    #[command(subcommand)]
    Job(job::JobCommand),
    /// Schedules: jobs that are put in line again and again.
    #[command(subcommand)]
    Schedule(schedule::ScheduleCommand),
    /// Webhooks: messages about events, posted to addresses of a tenant.
    #[command(subcommand)]
    Webhook(webhook::WebhookCommand),
    /// E-mail: the relay that messages of inboxes leave by.
    #[command(subcommand)]
    Mail(MailCommand),
}

#[derive(Debug, Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum RoleName {
    /// Keeps accounts and their grants; sees no trial data.
    Administrator,
    /// Loads studies and builds marts.
    DataEngineer,
    /// Reads dashboards and the rows behind them.
    Clinical,
    /// Reads published tables.
    Researcher,
    /// Reads what a dataset would hold, and the ledger.
    Steward,
    /// Reads the ledger, and no trial data.
    Auditor,
    /// Adds treatment arms to what another role may read.
    Unblinded,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Administrator => Self::Administrator,
            RoleName::DataEngineer => Self::DataEngineer,
            RoleName::Clinical => Self::Clinical,
            RoleName::Researcher => Self::Researcher,
            RoleName::Steward => Self::Steward,
            RoleName::Auditor => Self::Auditor,
            RoleName::Unblinded => Self::Unblinded,
        }
    }
}

/// A role, and where it holds.
#[derive(Debug, clap::Args)]
pub(crate) struct GrantArgs {
    /// What the account is for.
    #[arg(long)]
    role: RoleName,
    /// Only this study; all of the tenant's when it is not given.
    #[arg(long)]
    study: Option<StudyId>,
}

impl From<GrantArgs> for Grant {
    fn from(args: GrantArgs) -> Self {
        Self { role: args.role.into(), study: args.study }
    }
}

pub(crate) async fn run(app: &App, data: &Path, command: AdminCommand) -> Result<()> {
    match command {
        AdminCommand::Tenant(command) => tenant::run(app, command).await,
        AdminCommand::Account(command) => account::run(app, command).await,
        AdminCommand::AccessReview(arguments) => access_review::run(app, arguments).await,
        AdminCommand::BreakGlass(command) => break_glass::run(app, command).await,
        AdminCommand::Session(command) => session::run(app, command).await,
        AdminCommand::Token(command) => token::run(app, command).await,
        AdminCommand::Key(command) => key::run(app, command).await,
        AdminCommand::DataKey(command) => keys::run(app, command).await,
        AdminCommand::Study(command) => study::run(app, command).await,
        AdminCommand::Job(command) => job::run(app, command).await,
        AdminCommand::Backup { to } => backup::make(app, data, &to).await,
        // It was begun before the data folder was opened.
        AdminCommand::Restore { from } => backup::check(app, &from).await,
        AdminCommand::Schedule(command) => schedule::run(app, command).await,
        AdminCommand::Webhook(command) => webhook::run(app, command).await,
        AdminCommand::Mail(command) => mail::run(app, command).await,
    }
}

/// The tenant of a short name.
async fn tenant_called(app: &App, slug: &str) -> Result<Tenant> {
    Ok(app.control.tenant_by_slug(&Actor::Operator, slug).await?)
}

/// One line of standard input.
fn secret_line(what: &str) -> Result<String> {
    eprintln!("{what} (read from standard input, one line):");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).map_err(Failure::io(format!("read the {what}")))?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
