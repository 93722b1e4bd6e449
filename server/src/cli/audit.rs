//! `cairn audit`: verify the ledger, hand out proofs, and let others watch it.

mod verify;
mod witness;

pub(crate) use verify::trusted_keys;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use control::{Actor, Control};
use kernel::TenantId;

use crate::app::App;
use crate::cli::say::say;
use crate::error::{Failure, Result};

/// What to do with the ledger.
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Every governed action is an event of a log: one log of the system, one of each tenant. The events are the leaves \
of a Merkle tree, whose root is signed every 60 seconds or 1,000 events, a checkpoint. Three habits make the \
ledger evidence also against its own operator:

  cairn audit keys > ledger-keys          publish the keys once, outside of this machine
  cairn serve --anchor /mnt/worm/cairn    copy every checkpoint to another disk
  cairn serve --anchor s3://bucket/cairn  or to a bucket with Object Lock
  cairn audit witness --help              have somebody else sign that the log only grows")]
pub(crate) enum AuditCommand {
    /// Re-hash every event and hold it against checkpoints and anchor; or check an export or a receipt offline.
    Verify(verify::VerifyArgs),
    /// Write the receipt of one event, a `.tlog-proof` that verifies without this machine.
    Prove(ProveArgs),
    /// Write every log with its checkpoints as files, to verify elsewhere with `cairn audit verify --from`.
    Export {
        /// The folder; an earlier export in it is continued.
        dir: PathBuf,
    },
    /// Print the verifier key of every log, a line each. Publish them; who verifies needs them.
    Keys,
    /// Sign the present state of every log now, without waiting for the server's timer.
    Checkpoint,
    /// Be a witness of somebody's logs, or ask one.
    #[command(subcommand)]
    Witness(witness::WitnessCommand),
}

/// Which event to prove.
#[derive(Debug, Args)]
#[command(after_help = "\
The receipt holds the event's exact text, the hashes that lead from it to the root, and the signed checkpoint. \
Check it with `cairn audit verify --receipt FILE --keys ledger-keys`, or without this program with \
`python3 docs/verify_audit.py --receipt FILE --keys ledger-keys`.")]
pub(crate) struct ProveArgs {
    /// The event's number in its log, counted from 0; the audit page shows it.
    seq: u64,
    /// The tenant's short name; the system's log when it is not given.
    #[arg(long)]
    tenant: Option<String>,
    /// Where to write it, usually with the ending `.tlog-proof`; to standard output when it is not given.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Runs what needs no data folder, and must not make one; gives the rest back.
pub(crate) async fn run_offline(command: AuditCommand) -> Result<Option<AuditCommand>> {
    match command {
        AuditCommand::Verify(args) if args.is_offline() => verify::offline(&args).map(|()| None),
        AuditCommand::Witness(command) => Ok(witness::run_offline(command).await?.map(AuditCommand::Witness)),
        command => Ok(Some(command)),
    }
}

pub(crate) async fn run(app: &App, command: AuditCommand) -> Result<()> {
    match command {
        AuditCommand::Verify(args) => verify::run(app, &args).await,
        AuditCommand::Prove(args) => prove(&app.control, args).await,
        AuditCommand::Export { dir } => {
            for (log, size) in app.control.export_ledger(&dir).await? {
                say!("wrote    {size} events  {log}");
            }
            say!("verify it anywhere: cairn audit verify --from {} --keys FILE", dir.display());
            say!(
                "`{}` lists the keys; take FILE from the operator, not from the export",
                dir.join("keys").display()
            );
            Ok(())
        }
        AuditCommand::Keys => {
            for key in app.control.verifier_keys().await? {
                say!("{key}");
            }
            Ok(())
        }
        AuditCommand::Checkpoint => {
            let made = app.control.checkpoint_now().await?;
            for checkpoint in &made {
                say!("signed   {} events  {}", checkpoint.size, checkpoint.log);
            }
            if made.is_empty() {
                say!("every log is covered by its last checkpoint");
            }
            Ok(())
        }
        AuditCommand::Witness(command) => witness::run(app, command).await,
    }
}

async fn prove(control: &Control, args: ProveArgs) -> Result<()> {
    let tenant = tenant_of(control, args.tenant.as_deref()).await?;
    let receipt = control.receipt(tenant, args.seq).await?;
    match args.out {
        None => say!("{}", receipt.trim_end_matches('\n')),
        Some(path) => {
            let failed = Failure::io(format!("write `{}`", path.display()));
            std::fs::write(&path, receipt).map_err(failed)?;
            say!("wrote {}", path.display());
        }
    }
    Ok(())
}

async fn tenant_of(control: &Control, slug: Option<&str>) -> Result<Option<TenantId>> {
    let Some(slug) = slug else { return Ok(None) };
    Ok(Some(control.tenant_by_slug(&Actor::Operator, slug).await?.id))
}
