//! `cairn signature`: look at electronic signatures, hand them out, and verify them anywhere.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use control::{Actor, SignatureError, SignatureId, VerifierKey, verify_signature};
use kernel::{Read, StudyId, StudyScope};

use crate::app::App;
use crate::cli::audit::trusted_keys;
use crate::cli::say::say;
use crate::error::{Failure, Result};
use crate::records;

const INVALID: u8 = 1;
const INCOMPLETE: u8 = 2;

/// What to do with signatures. People sign on the data page of a study, or with REST.
#[derive(Debug, Subcommand)]
pub(crate) enum SignatureCommand {
    /// List the signatures of a study, oldest first, each with whether it holds.
    List {
        #[command(flatten)]
        place: Place,
    },
    /// Write a signature, its record and the receipt of its event as files, to verify elsewhere.
    Export {
        #[command(flatten)]
        place: Place,
        /// The signature's id.
        signature: SignatureId,
        /// The folder; it is made when it is not there.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// Verify files that `cairn signature export` wrote, or REST gave: no database, no network.
    #[command(after_help = "\
The keys are those that the operator has published with `cairn audit keys`; a key that came with the signature proves \
nothing. Exit codes: 0 the signature holds, 1 it is invalid, 2 a file or a key is missing.")]
    Verify(VerifyArgs),
}

#[derive(Debug, Args)]
pub(crate) struct Place {
    /// The tenant, by its short name.
    #[arg(long)]
    tenant: String,
    /// The study.
    #[arg(long)]
    study: StudyId,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// The signature's text (`signature.json`).
    #[arg(long, value_name = "FILE")]
    signature: PathBuf,
    /// The record as it is now.
    #[arg(long, value_name = "FILE")]
    record: PathBuf,
    /// The receipt of the signature's event (`signature.tlog-proof`).
    #[arg(long, value_name = "FILE")]
    receipt: PathBuf,
    /// A verifier key that you trust; may be given several times.
    #[arg(long, value_name = "KEY")]
    key: Vec<VerifierKey>,
    /// A file of such keys, one a line.
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
}

impl Place {
    async fn scope(&self, app: &App) -> Result<StudyScope<Read>> {
        let tenant = app.control.tenant_by_slug(&Actor::Operator, &self.tenant).await?;
        let grants = app.control.operator_grants(tenant.id).await?;
        grants.scope(&self.study).map_err(|denied| Failure::NotThere(denied.to_string()))
    }
}

/// Verifies files.
pub(crate) fn verify(args: &VerifyArgs) -> Result<()> {
    let read = |path: &Path| {
        std::fs::read(path).map_err(|error| Failure::Verdict {
            code: INCOMPLETE,
            text: format!("`{}`: {error}", path.display()),
        })
    };
    let keys = trusted_keys(&args.key, args.keys.as_deref())?;
    if keys.is_empty() {
        let reason = "no key was given; get the log's line of `cairn audit keys` from the operator";
        return Err(Failure::Verdict { code: INCOMPLETE, text: reason.to_owned() });
    }
    let (block, record, receipt) = (read(&args.signature)?, read(&args.record)?, read(&args.receipt)?);
    let held = verify_signature(&block, &record, &receipt, &keys);
    let held = held.map_err(|error: SignatureError| Failure::Verdict {
        code: INVALID,
        text: format!("`{}`: {error}", args.signature.display()),
    })?;
    let (block, at) = (&held.block, held.block.signed_at.format("%Y-%m-%d %H:%M:%S"));
    say!("ok       {} `{}` of study {}", block.record.kind.name(), block.record.id, block.study);
    say!("signed   by {} at {at} UTC, meaning {}", block.name, block.meaning.name());
    say!("known    as event {} of {}, signed by {}", held.seq, held.log, held.signers.join(", "));
    Ok(())
}

pub(crate) async fn run(app: &App, command: SignatureCommand) -> Result<()> {
    match command {
        SignatureCommand::List { place } => {
            for (row, state) in records::judged(app, &place.scope(app).await?).await? {
                let (record, at) = (&row.record, row.signed_at.format("%Y-%m-%d %H:%M:%S"));
                let name = row.block.as_ref().map_or("(erased)", |block| &block.name);
                let kind = record.kind.name();
                say!("{}  {kind} {}  {at} UTC  {}  {name}  {state}", row.id, record.id, row.meaning.name());
            }
            Ok(())
        }
        SignatureCommand::Export { place, signature, out } => export(app, &place, signature, &out).await,
        SignatureCommand::Verify(args) => verify(&args),
    }
}

async fn export(app: &App, place: &Place, id: SignatureId, out: &Path) -> Result<()> {
    let scope = place.scope(app).await?;
    let proof = app.control.signature_proof(&scope, id).await?;
    let found = app.control.signatures(&scope).await?.into_iter().find(|row| row.id == id);
    let row = found.ok_or_else(|| Failure::NotThere(id.to_string()))?;
    let record = records::bytes(app, &scope, row.record.kind, &row.record.id).await?;
    let record = record.ok_or_else(|| Failure::NotThere(format!("the record of signature {id}")))?;
    std::fs::create_dir_all(out).map_err(Failure::io(format!("make `{}`", out.display())))?;
    let files: [(&str, &[u8]); 3] = [
        ("signature.json", proof.block.as_bytes()),
        ("signature.tlog-proof", proof.receipt.as_bytes()),
        ("record", &record),
    ];
    for (name, bytes) in files {
        let path = out.join(name);
        std::fs::write(&path, bytes).map_err(Failure::io(format!("write `{}`", path.display())))?;
        say!("wrote {}", path.display());
    }
    Ok(())
}
