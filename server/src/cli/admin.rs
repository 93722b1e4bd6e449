//! `cairn admin`.

use std::path::{Path, PathBuf};

use clap::{Subcommand, ValueEnum};
use control::{Actor, Erasure, NewAccount};
use kernel::{AccountId, Grant, Role, StudyId};

use crate::app::App;
use crate::backup;
use crate::cli::say::say;
use crate::error::{Failure, Result};

mod job;
mod schedule;

/// What to administer.
#[derive(Debug, Subcommand)]
pub(crate) enum AdminCommand {
    /// Tenants: the organisations.
    #[command(subcommand)]
    Tenant(TenantCommand),
    /// Accounts: the people and machines that log in.
    #[command(subcommand)]
    Account(AccountCommand),
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
    /// Jobs: what servers do after a request was answered.
    #[command(subcommand)]
    Job(job::JobCommand),
    /// Schedules: jobs that are put in line again and again.
    #[command(subcommand)]
    Schedule(schedule::ScheduleCommand),
}

#[derive(Debug, Subcommand)]
pub(crate) enum TenantCommand {
    /// Make a tenant.
    Create {
        /// Its short name: lower-case letters, digits and hyphens.
        slug: String,
        /// Its name as people say it.
        #[arg(long)]
        name: Option<String>,
    },
    /// List the tenants.
    List,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AccountCommand {
    /// Make an account. The password is read from the first line of standard input.
    Create {
        /// The tenant, by its short name.
        tenant: String,
        /// The address to log in with.
        #[arg(long)]
        email: String,
        /// The name that pages show.
        #[arg(long)]
        name: Option<String>,
        /// What the account is for.
        #[arg(long)]
        role: RoleName,
        /// Only this study; all of the tenant's when it is not given.
        #[arg(long)]
        study: Option<StudyId>,
    },
    /// Disable an account: its tokens stop working at once.
    Disable {
        /// The tenant, by its short name.
        tenant: String,
        /// The account's id.
        account: AccountId,
    },
    /// Erase what is known of a person: e-mail, name, and what lies encrypted beside the ledger's events.
    /// The ledger keeps that it was done, why, and who agreed. It cannot be taken back.
    Erase {
        /// The tenant, by its short name.
        tenant: String,
        /// The account's id.
        account: AccountId,
        /// Why, without naming the person; it is recorded for ever.
        #[arg(long)]
        reason: String,
        /// The second person who agreed: the id of another account of the tenant that is in use.
        #[arg(long, value_name = "ACCOUNT")]
        approved_by: AccountId,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum RoleName {
    /// Loads studies and builds marts.
    DataEngineer,
    /// Reads published tables.
    Researcher,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::DataEngineer => Self::DataEngineer,
            RoleName::Researcher => Self::Researcher,
        }
    }
}

pub(crate) async fn run(app: &App, data: &Path, command: AdminCommand) -> Result<()> {
    match command {
        AdminCommand::Tenant(command) => tenant(app, command).await,
        AdminCommand::Account(command) => account(app, command).await,
        AdminCommand::Job(command) => job::run(app, command).await,
        AdminCommand::Backup { to } => backup::make(app, data, &to).await,
        // It was begun before the data folder was opened.
        AdminCommand::Restore { from } => backup::check(app, &from).await,
        AdminCommand::Schedule(command) => schedule::run(app, command).await,
    }
}

async fn tenant(app: &App, command: TenantCommand) -> Result<()> {
    match command {
        TenantCommand::Create { slug, name } => {
            let name = name.unwrap_or_else(|| slug.clone());
            let tenant = app.control.create_tenant(&Actor::Operator, &slug, &name).await?;
            say!("tenant {} ({})", tenant.slug, tenant.id);
        }
        TenantCommand::List => {
            for tenant in app.control.tenants(&Actor::Operator).await? {
                say!("{:<24}{:<40}{}", tenant.slug, tenant.name, tenant.id);
            }
        }
    }
    Ok(())
}

async fn account(app: &App, command: AccountCommand) -> Result<()> {
    match command {
        AccountCommand::Create { tenant, email, name, role, study } => {
            let tenant = app.control.tenant_by_slug(&Actor::Operator, &tenant).await?;
            let account = NewAccount {
                display_name: name.unwrap_or_else(|| email.clone()),
                password: password()?,
                grants: vec![Grant { role: role.into(), study }],
                email,
            };
            let id = app.control.create_account(&Actor::Operator, tenant.id, account).await?;
            say!("account {id}");
        }
        AccountCommand::Erase { tenant, account, reason, approved_by } => {
            let tenant = app.control.tenant_by_slug(&Actor::Operator, &tenant).await?;
            let erasure = Erasure { account, reason, approved_by };
            app.control.erase_account(&Actor::Operator, tenant.id, erasure).await?;
            say!("erased; copies made before, such as backups, still hold the e-mail and the name");
        }
        AccountCommand::Disable { tenant, account } => {
            let tenant = app.control.tenant_by_slug(&Actor::Operator, &tenant).await?;
            app.control.disable_account(&Actor::Operator, tenant.id, account).await?;
            say!("account {account} is disabled");
        }
    }
    Ok(())
}

fn password() -> Result<String> {
    eprintln!("password (read from standard input, one line):");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).map_err(Failure::io("read the password"))?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
