//! `cairn audit verify`.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use control::{Actor, Fault, OfflineReport, VerifierKey, VerifyReport, verify_folder, verify_receipt};
use serde_json::{Value, json};

use crate::app::App;
use crate::cli::say::say;
use crate::error::{Failure, Result};

const TAMPERED: u8 = 1;
const INCOMPLETE: u8 = 2;
const USAGE: u8 = 3;

/// What to verify.
#[derive(Debug, Args)]
#[command(after_help = "\
Without `--from` and `--receipt` the data folder's own logs are read, and what was found becomes an event. With \
them nothing but the files is read: no database, no network. The keys are those that the operator has published \
with `cairn audit keys`; a key that came with the data proves nothing.

Exit codes: 0 everything is good, 1 something was changed, 2 something is missing (a file, a key), so that \
nothing can be said, 3 the command makes no sense.")]
pub(crate) struct VerifyArgs {
    /// Only this tenant's log, by its short name; all logs when it is not given.
    #[arg(long, conflicts_with_all = ["from", "receipt"])]
    tenant: Option<String>,
    /// Only the events since the last checkpoint of each log.
    #[arg(long, conflicts_with_all = ["from", "receipt", "tenant"])]
    new: bool,
    /// An export or an anchor: every log below this folder is verified offline.
    #[arg(long, value_name = "DIR")]
    from: Option<PathBuf>,
    /// A receipt of one event (`.tlog-proof`), verified offline.
    #[arg(long, value_name = "FILE")]
    receipt: Option<PathBuf>,
    /// A verifier key that you trust; may be given several times, for witnesses too.
    #[arg(long, value_name = "KEY")]
    key: Vec<VerifierKey>,
    /// A file of such keys, one a line.
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
    /// Print one JSON object instead of lines.
    #[arg(long)]
    json: bool,
}

impl VerifyArgs {
    pub(crate) const fn is_offline(&self) -> bool {
        self.from.is_some() || self.receipt.is_some()
    }
}

/// Verifies files.
pub(crate) fn offline(args: &VerifyArgs) -> Result<()> {
    let keys = trusted_keys(&args.key, args.keys.as_deref())?;
    if let Some(path) = &args.receipt {
        receipt(path, &keys, args.json)?;
    }
    let Some(folder) = &args.from else { return Ok(()) };
    if !folder.is_dir() {
        return Err(usage(format!("`{}` is not a folder", folder.display())));
    }
    let mut reports = verify_folder(folder, &keys)?;
    if reports.is_empty() {
        return Err(usage(format!("no log lies below `{}`", folder.display())));
    }
    reports.iter_mut().for_each(explain_missing_key);
    let logs: Vec<Found> = reports.iter().map(Found::from).collect();
    tell(&logs, args.json)
}

fn explain_missing_key(report: &mut OfflineReport) {
    if let Some(reason) = report.incomplete.as_mut().filter(|reason| reason.starts_with("no given key")) {
        reason.push_str("; get its line of `cairn audit keys` from the operator and give it with `--key`");
    }
}

fn receipt(path: &Path, keys: &[VerifierKey], as_json: bool) -> Result<()> {
    let bytes = fs::read(path).map_err(|error| usage(format!("`{}`: {error}", path.display())))?;
    if keys.is_empty() {
        let reason = "no key was given; get the log's line of `cairn audit keys` from the operator";
        return Err(Failure::Verdict { code: INCOMPLETE, text: reason.to_owned() });
    }
    let proven = verify_receipt(&bytes, keys).map_err(|error| Failure::Verdict {
        code: TAMPERED,
        text: format!("`{}` proves nothing: {error}", path.display()),
    })?;
    if as_json {
        let event: Value = serde_json::from_str(&proven.leaf).unwrap_or_default();
        let (log, seq, size) = (&proven.log, proven.seq, proven.size);
        say!(
            "{}",
            json!({ "verdict": "ok", "log": log, "seq": seq, "size": size,
                           "signers": proven.signers, "event": event })
        );
    } else {
        say!("ok       event {} of {} is in the log of {} events", proven.seq, proven.log, proven.size);
        say!("signed   {}", proven.signers.join(", "));
        say!("{}", proven.leaf);
    }
    Ok(())
}

/// The keys that were named, and those of a file.
pub(crate) fn trusted_keys(named: &[VerifierKey], file: Option<&Path>) -> Result<Vec<VerifierKey>> {
    let mut keys = named.to_vec();
    let Some(path) = file else { return Ok(keys) };
    let text = fs::read_to_string(path).map_err(|error| usage(format!("`{}`: {error}", path.display())))?;
    for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
        let key =
            line.parse().map_err(|error| usage(format!("`{}` line {number}: {error}", path.display())))?;
        keys.push(key);
    }
    Ok(keys)
}

fn usage(text: String) -> Failure {
    Failure::Verdict { code: USAGE, text }
}

/// Verifies the logs of the data folder, and records what was found.
pub(crate) async fn run(app: &App, args: &VerifyArgs) -> Result<()> {
    let reports = match &args.tenant {
        Some(slug) => {
            let tenant = app.control.tenant_by_slug(&Actor::Operator, slug).await?;
            vec![app.control.verify_tenant(tenant.id).await?]
        }
        None if args.new => app.control.verify_new().await?,
        None => app.control.verify_all().await?,
    };
    // A ledger that was tampered with may not take the event; what was found is told nevertheless.
    if let Err(error) = app.control.record_verification(&Actor::Operator, &reports).await {
        eprintln!("cairn: the result could not be recorded: {error}");
    }
    let logs: Vec<Found> = reports.iter().map(Found::from).collect();
    tell(&logs, args.json)
}

/// What was found in one log, wherever it lies.
struct Found {
    log: String,
    size: u64,
    good: String,
    facts: Value,
    fault: Option<Fault>,
    incomplete: Option<String>,
}

impl From<&VerifyReport> for Found {
    fn from(report: &VerifyReport) -> Self {
        let anchored = report.anchored.map(|size| format!(", {size} events anchored")).unwrap_or_default();
        Self {
            log: report.log.clone(),
            size: report.size,
            good: format!("head {}  {} checkpoints{anchored}", report.last_hash, report.checkpoints),
            facts: json!({ "checkpoints": report.checkpoints, "anchored": report.anchored,
                           "head": report.last_hash }),
            fault: report.fault,
            incomplete: None,
        }
    }
}

impl From<&OfflineReport> for Found {
    fn from(report: &OfflineReport) -> Self {
        let witnesses = match report.witnesses.as_slice() {
            [] => String::new(),
            names => format!(", witnessed by {}", names.join(", ")),
        };
        Self {
            log: report.log.clone(),
            size: report.size,
            good: format!("{} checkpoints{witnesses}", report.checkpoints),
            facts: json!({ "checkpoints": report.checkpoints, "witnesses": report.witnesses,
                           "folder": report.folder.display().to_string() }),
            fault: report.fault,
            incomplete: report.incomplete.clone(),
        }
    }
}

fn tell(logs: &[Found], as_json: bool) -> Result<()> {
    let tampered = logs.iter().filter(|log| log.fault.is_some()).count();
    let incomplete = logs.iter().filter(|log| log.fault.is_none() && log.incomplete.is_some()).count();
    let (code, verdict) = match (tampered, incomplete) {
        (0, 0) => (0, "ok"),
        (0, _) => (INCOMPLETE, "incomplete"),
        _ => (TAMPERED, "tampered"),
    };
    if as_json {
        let logs: Vec<Value> = logs.iter().map(Found::to_json).collect();
        say!("{}", json!({ "verdict": verdict, "logs": logs }));
    } else {
        logs.iter().for_each(Found::say);
    }
    match code {
        0 => Ok(()),
        TAMPERED => Err(Failure::Verdict {
            code,
            text: format!(
                "{tampered} of {} logs do not verify; stop writing, keep a copy as evidence, and restore",
                logs.len()
            ),
        }),
        _ => Err(Failure::Verdict {
            code,
            text: format!("{incomplete} of {} logs are not complete", logs.len()),
        }),
    }
}

impl Found {
    fn say(&self) {
        match (&self.fault, &self.incomplete) {
            (Some(fault), _) => say!(
                "TAMPERED {}  at event {}: {}; {} events before it are proved good",
                self.log,
                fault.index,
                fault.kind,
                self.size
            ),
            (None, Some(reason)) => {
                say!("MISSING  {}  {reason}; {} events are proved good", self.log, self.size);
            }
            (None, None) => say!("ok       {} events  {}  {}", self.size, self.log, self.good),
        }
    }

    fn to_json(&self) -> Value {
        let fault = self.fault.map(|fault| json!({ "event": fault.index, "found": fault.kind.to_string() }));
        json!({ "log": self.log, "proven_events": self.size, "fault": fault, "missing": self.incomplete,
                "facts": self.facts })
    }
}
