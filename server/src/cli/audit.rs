//! `cairn audit`.

use clap::Subcommand;
use control::Actor;

use crate::app::App;
use crate::cli::say::say;
use crate::error::{Failure, Result};

/// What to do with the ledger.
#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Re-hash every event and check that none was changed, removed or put in between.
    Verify {
        /// Only this tenant's log, by its short name; all logs when it is not given.
        #[arg(long)]
        tenant: Option<String>,
    },
}

pub(crate) async fn run(app: &App, command: AuditCommand) -> Result<()> {
    let AuditCommand::Verify { tenant } = command;
    let reports = match tenant {
        Some(slug) => {
            let tenant = app.control.tenant_by_slug(&Actor::Operator, &slug).await?;
            vec![app.control.verify_tenant(tenant.id).await?]
        }
        None => app.control.verify_all().await?,
    };
    let mut broken = 0;
    for report in &reports {
        match &report.fault {
            None => say!("ok       {} events  {}  head {}", report.size, report.log, report.last_hash),
            Some(fault) => {
                broken += 1;
                say!(
                    "TAMPERED {}  at event {}: {}; {} events before it are proved good",
                    report.log,
                    fault.index,
                    fault.kind,
                    report.size
                );
            }
        }
    }
    if broken == 0 {
        return Ok(());
    }
    Err(Failure::NotThere(format!(
        "{broken} of {} logs do not verify; stop writing and restore from a copy",
        reports.len()
    )))
}
