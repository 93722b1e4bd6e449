//! `cairn doctor`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use control::Actor;
use kernel::Read;

use crate::app::App;
use crate::break_glass;
use crate::cli::say::say;
use crate::error::{Failure, Result};
use crate::work::blocking;

pub(super) mod controls;

#[derive(Debug, clap::Args)]
pub(crate) struct DoctorArgs {
    /// List the controls of the security concept instead, with the tests that hold them and how these ended last.
    #[arg(long)]
    pub(super) controls: bool,
    /// The file that `./dev test` keeps of how those tests ended; `./dev help` says where. Without it they were never
    /// run here.
    #[arg(long, env = "CAIRN_CONTROL_RESULTS", value_name = "FILE", requires = "controls")]
    pub(super) results: Option<PathBuf>,
}

/// Looks at everything that can be checked without changing anything.
pub(crate) async fn run(app: &App) -> Result<()> {
    app.control.ready().await?;
    say!("ok    control database");
    let mut problems = 0;
    for report in app.control.verify_all().await? {
        problems += u32::from(!report.is_intact());
        let verdict = if report.is_intact() { "ok   " } else { "WRONG" };
        say!("{verdict} ledger {} ({} events)", report.log, report.size);
    }
    for tenant in app.control.tenants(&Actor::Operator).await? {
        let grants = app.control.operator_grants(tenant.id).await?;
        for study in app.control.studies(&grants).await? {
            let scope =
                grants.scope::<Read>(&study.id).map_err(|denied| Failure::NotThere(denied.to_string()))?;
            let mut published = Vec::new();
            for row in app.control.snapshots(&scope).await? {
                published.push(app.published.open(&scope, row)?.manifest);
            }
            let files = app.storage.study(&scope);
            let snapshots = published.len();
            let wrong: Vec<String> = blocking(move || {
                let files_of = |manifest: &Arc<warehouse::Manifest>| -> Vec<warehouse::DataFile> {
                    let tables = manifest.tables.values().flat_map(|table| table.files.clone());
                    manifest.canon.values().flatten().cloned().chain(tables).collect()
                };
                // Snapshots share files; each is looked at once.
                let all: BTreeMap<String, warehouse::DataFile> =
                    published.iter().flat_map(files_of).map(|file| (file.key.clone(), file)).collect();
                let wrong = all.values().filter_map(|file| files.check(file).err());
                Ok(wrong.map(|error| error.to_string()).collect())
            })
            .await?;
            problems += u32::from(!wrong.is_empty());
            let verdict = if wrong.is_empty() { "ok   " } else { "WRONG" };
            say!("{verdict} {} {}: the files of {snapshots} snapshots", tenant.slug, study.id);
            wrong.iter().for_each(|wrong| say!("      {wrong}"));
        }
    }
    for (tenant, row) in break_glass::overdue(app).await? {
        problems += 1;
        say!("LATE  {} {}: the review of the emergency access {} is overdue", tenant.slug, row.study, row.id);
    }
    if problems == 0 { Ok(()) } else { Err(Failure::NotThere(format!("{problems} problems were found"))) }
}
