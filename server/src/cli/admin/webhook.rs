//! `cairn admin webhook`.

use clap::{Args, Subcommand};
use control::{
    Actor, Channel, DeliveryId, EndpointId, EndpointRow, EndpointState, IssuedEndpoint, NewEndpoint, TraceId,
};

use super::job::TenantName;
use crate::app::App;
use crate::cli::say::say;
use crate::error::Result;

/// What to do with endpoints of webhooks (docs/webhooks.md).
#[derive(Debug, Subcommand)]
pub(crate) enum WebhookCommand {
    /// Add an endpoint. Its secret is printed once, on standard output.
    #[command(after_help = "\
Kinds: ingest.delivery.staged, ingest.delivery.ended, ingest.delivery.rejected, ingest.batch.committed,
snapshot.published, marts.built, job.finished, job.failed, study.registered, account.grants.changed,
account.disabled, audit.verification.failed.

  cairn admin webhook add --tenant acme --kind snapshot.published --kind job.failed https://hooks.acme.example/cairn")]
    Add {
        #[command(flatten)]
        tenant: TenantName,
        /// What it is, for people.
        #[arg(long, default_value = "", value_name = "TEXT")]
        description: String,
        /// A kind of message that it asks for; can be given several times.
        #[arg(long = "kind", required = true, value_delimiter = ',', value_name = "KIND")]
        kinds: Vec<String>,
        /// Where messages are posted: https:// and a name on the public internet.
        url: String,
    },
    /// List the endpoints, oldest first.
    List {
        #[command(flatten)]
        tenant: TenantName,
    },
    /// Show one endpoint.
    Show(One),
    /// Give an endpoint a further secret, printed once. The one before signs too for 24 hours.
    Rotate(One),
    /// Turn an endpoint off. What is in line for it waits.
    Disable(One),
    /// Turn an endpoint on.
    Enable(One),
    /// Remove an endpoint with its secret.
    Remove(One),
    /// Put a test message in line; a server sends it.
    Test(One),
    /// List what was put in line for an endpoint, newest first, with what it answered.
    Deliveries {
        #[command(flatten)]
        one: One,
        /// Only those older than this delivery.
        #[arg(long, value_name = "DELIVERY")]
        before: Option<DeliveryId>,
        /// At most so many.
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// Send a message again that was given up.
    Retry {
        #[command(flatten)]
        tenant: TenantName,
        /// The delivery's id.
        delivery: DeliveryId,
    },
}

#[derive(Debug, Args)]
pub(crate) struct One {
    #[command(flatten)]
    tenant: TenantName,
    /// The endpoint's id.
    endpoint: EndpointId,
}

pub(crate) async fn run(app: &App, command: WebhookCommand) -> Result<()> {
    let (actor, trace, control) = (Actor::Operator, TraceId::random()?, &app.control);
    match command {
        WebhookCommand::Add { tenant, description, kinds, url } => {
            let new = NewEndpoint { url, description, kinds };
            show_secret(&control.add_webhook(&actor, &tenant.grants(app).await?, &new, &trace).await?);
        }
        WebhookCommand::List { tenant } => {
            for row in control.webhooks(&actor, &tenant.grants(app).await?).await? {
                print(app, &row);
            }
        }
        WebhookCommand::Show(one) => {
            print(app, &control.webhook(&actor, &one.tenant.grants(app).await?, one.endpoint).await?);
        }
        WebhookCommand::Rotate(one) => {
            let grants = one.tenant.grants(app).await?;
            show_secret(&control.rotate_webhook(&actor, &grants, one.endpoint, &trace).await?);
        }
        WebhookCommand::Disable(one) => turn(app, &one, EndpointState::Disabled).await?,
        WebhookCommand::Enable(one) => turn(app, &one, EndpointState::Enabled).await?,
        WebhookCommand::Remove(one) => {
            control.remove_webhook(&actor, &one.tenant.grants(app).await?, one.endpoint, &trace).await?;
            say!("endpoint {} is removed", one.endpoint);
        }
        WebhookCommand::Test(one) => {
            let grants = one.tenant.grants(app).await?;
            let delivery = control.test_webhook(&actor, &grants, one.endpoint, &trace).await?;
            say!("delivery {delivery} is in line; a server sends it");
        }
        WebhookCommand::Deliveries { one, before, limit } => list(app, &one, (before, limit)).await?,
        WebhookCommand::Retry { tenant, delivery } => {
            control.retry_webhook(&actor, &tenant.grants(app).await?, delivery, &trace).await?;
            say!("delivery {delivery} is in line again; a server sends it");
        }
    }
    Ok(())
}

async fn turn(app: &App, one: &One, wanted: EndpointState) -> Result<()> {
    let (actor, trace, grants) = (Actor::Operator, TraceId::random()?, one.tenant.grants(app).await?);
    print(app, &app.control.enable_webhook(&actor, &grants, (one.endpoint, wanted), &trace).await?);
    Ok(())
}

async fn list(app: &App, one: &One, page: (Option<DeliveryId>, u32)) -> Result<()> {
    let grants = one.tenant.grants(app).await?;
    let found = app.control.webhook_deliveries(&Actor::Operator, &grants, one.endpoint, page).await?;
    say!("{:<38}{:<28}{:<11}{:>8}  {:<21}answer", "delivery", "kind", "state", "attempts", "since");
    for delivery in &found {
        let status = delivery.status.map_or_else(|| "-".to_owned(), |status| status.to_string());
        let (kind, state, since) =
            (delivery.kind.as_str(), delivery.state.name(), delivery.created_at.format("%F %T"));
        let answer = delivery.problem.as_deref().unwrap_or(&status);
        let id = delivery.id.to_string();
        say!("{id:<38}{kind:<28}{state:<11}{:>8}  {since}  {answer}", delivery.attempt);
    }
    if let Some(last) = found.last()
        && u32::try_from(found.len()).is_ok_and(|count| count == page.1)
    {
        say!("older ones: --before {}", last.id);
    }
    Ok(())
}

fn show_secret(issued: &IssuedEndpoint) {
    eprintln!("endpoint {}; its secret is printed this once:", issued.endpoint.id);
    say!("{}", issued.secret);
}

fn print(app: &App, row: &EndpointRow) {
    let or_never = |at: Option<chrono::DateTime<chrono::Utc>>| {
        at.map_or_else(|| "never".to_owned(), |at| at.format("%F %T").to_string())
    };
    say!("{}  {}  {}", row.id, row.state.name(), row.url);
    let kinds: Vec<&str> = row.kinds.iter().map(|kind| kind.name()).collect();
    match row.channel {
        Channel::Webhook => say!("  asks for {}", kinds.join(", ")),
        Channel::Mail => say!("  messages of inboxes, by e-mail to who wants them"),
    }
    say!(
        "  breaker {}, {} failures in a row, last delivery {}",
        row.breaker(app.clock.now()).name(),
        row.failures,
        or_never(row.last_delivered_at)
    );
    if let Some(reason) = &row.reason {
        say!("  {reason}");
    }
}
