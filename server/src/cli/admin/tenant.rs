//! `cairn admin tenant`.

use clap::Subcommand;
use control::{Actor, DisabledTenant, Order, Tenant, TenantOverview};
use frontend::format;
use warehouse::Zone;

use super::tenant_called;
use crate::app::App;
use crate::cli::say::say;
use crate::error::Result;
use crate::occupancy::Measured;

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
    /// List the tenants, with whether they are in use and how much room they take.
    List,
    /// Show what there is of a tenant: accounts, studies, jobs, how much room they take, its key, and the last backup.
    Show {
        /// Its short name.
        slug: String,
    },
    /// Disable a tenant: its sessions and tokens open nothing from the next request on, nobody of it signs in, and its jobs,
    /// schedules and messages wait. Its data and its ledger stay as they are (docs/access.md).
    Disable(StandingArgs),
    /// Take a disabled tenant into use again: what waited goes on, and sessions and tokens that have not ended open again.
    Enable(StandingArgs),
}

/// A tenant, and why it is disabled or enabled.
#[derive(Debug, clap::Args)]
pub(crate) struct StandingArgs {
    /// Its short name.
    slug: String,
    /// Why, without naming a person; it is recorded for ever.
    #[arg(long)]
    reason: String,
}

impl StandingArgs {
    fn order(&self) -> Order<'_> {
        Order { actor: &Actor::Operator, reason: Some(&self.reason), trace: None }
    }
}

pub(super) async fn run(app: &App, command: TenantCommand) -> Result<()> {
    match command {
        TenantCommand::Create { slug, name } => {
            let name = name.unwrap_or_else(|| slug.clone());
            let tenant = app.control.create_tenant(&Actor::Operator, &slug, &name).await?;
            say!("tenant {} ({})", tenant.slug, tenant.id);
        }
        TenantCommand::Show { slug } => show(app, &tenant_called(app, &slug).await?).await?,
        TenantCommand::List => {
            for tenant in app.control.tenants(&Actor::Operator).await? {
                let (overview, measured) = found(app, &tenant).await?;
                let standing = if overview.disabled.is_some() { "disabled" } else { "enabled" };
                let size = format::bytes(total(&overview, &measured));
                say!("{:<24}{:<40}{standing:<10}{size:<12}{}", tenant.slug, tenant.name, tenant.id);
            }
        }
        TenantCommand::Disable(asked) => {
            let tenant = tenant_called(app, &asked.slug).await?;
            app.control.disable_tenant(asked.order(), tenant.id).await?;
            say!("tenant {} is disabled; nobody of it is let in, and its work waits", tenant.slug);
        }
        TenantCommand::Enable(asked) => {
            let tenant = tenant_called(app, &asked.slug).await?;
            app.control.enable_tenant(asked.order(), tenant.id).await?;
            say!("tenant {} is enabled", tenant.slug);
        }
    }
    Ok(())
}

async fn show(app: &App, tenant: &Tenant) -> Result<()> {
    let (overview, measured) = found(app, tenant).await?;
    say!("tenant       {} ({}), {}", tenant.slug, tenant.id, tenant.name);
    say!("standing     {}", standing(overview.disabled.as_ref()));
    say!("accounts     {} enabled, {} disabled", overview.accounts_enabled, overview.accounts_disabled);
    say!("studies      {}, with {} snapshots", overview.studies, overview.snapshots);
    say!("deliveries   {}", overview.batches);
    say!("jobs         {} waiting or being done", overview.jobs_open);
    say!("ledger       {} events", overview.events);
    let key = overview
        .data_key
        .as_ref()
        .map_or_else(|| "none".to_owned(), |key| format!("{} since {}", key.id, key.created_at));
    say!("data key     {key}");
    let backup = overview.last_backup_at.map_or_else(|| "never".to_owned(), |at| at.to_rfc3339());
    say!("last backup  {backup}");
    say!("storage      {}", storage(&overview, &measured));
    say!("free         {}", measured.free.map_or_else(|| "not told by the system".to_owned(), format::bytes));
    Ok(())
}

/// What there is of a tenant, and how much room it takes.
async fn found(app: &App, tenant: &Tenant) -> Result<(TenantOverview, Measured)> {
    let overview = app.control.tenant_overview(&Actor::Operator, tenant.id).await?;
    let grants = app.control.operator_grants(tenant.id).await?;
    Ok((overview, app.occupied(&grants).await?))
}

fn total(overview: &TenantOverview, measured: &Measured) -> u64 {
    measured.occupied.total() + overview.control_bytes.unwrap_or(0)
}

fn storage(overview: &TenantOverview, measured: &Measured) -> String {
    let named =
        [("raw", Zone::Raw), ("conformed", Zone::Canon), ("star", Zone::Star), ("marts", Zone::Marts)];
    let sizes = named.map(|(word, zone)| (word, measured.occupied.zone(zone)));
    let rest = measured.occupied.total() - sizes.iter().map(|(_, bytes)| bytes).sum::<u64>();
    let parts: Vec<String> =
        sizes.iter().map(|(word, bytes)| format!("{word} {}", format::bytes(*bytes))).collect();
    let control = overview.control_bytes.map_or_else(|| "in PostgreSQL".to_owned(), format::bytes);
    let total = format::bytes(total(overview, measured));
    format!("{total}: {}, other files {}, control database {control}", parts.join(", "), format::bytes(rest))
}

fn standing(disabled: Option<&DisabledTenant>) -> String {
    match disabled {
        None => "enabled".to_owned(),
        Some(DisabledTenant { since, reason }) => {
            format!("disabled since {}: {reason}", since.to_rfc3339())
        }
    }
}
