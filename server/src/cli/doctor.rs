//! `cairn doctor`.

use control::Actor;
use kernel::Read;

use crate::app::App;
use crate::cli::say::say;
use crate::error::{Failure, Result};
use crate::work::blocking;

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
            let Some(visible) = app.published.current(&scope).await? else {
                say!("ok    {} {}: nothing published yet", tenant.slug, study.id);
                continue;
            };
            let files = app.storage.study(&scope);
            let manifest = visible.manifest.clone();
            let wrong: Vec<String> = blocking(move || {
                let canon = manifest.canon.values().flatten();
                let tables = manifest.tables.values().flat_map(|table| &table.files);
                Ok(canon
                    .chain(tables)
                    .filter_map(|file| files.check(file).err())
                    .map(|error| error.to_string())
                    .collect())
            })
            .await?;
            problems += u32::from(!wrong.is_empty());
            let verdict = if wrong.is_empty() { "ok   " } else { "WRONG" };
            say!("{verdict} {} {}: snapshot {}", tenant.slug, study.id, visible.row.id);
            wrong.iter().for_each(|wrong| say!("      {wrong}"));
        }
    }
    if problems == 0 { Ok(()) } else { Err(Failure::NotThere(format!("{problems} problems were found"))) }
}
