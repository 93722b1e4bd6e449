//! `cairn export`.

use std::path::PathBuf;

use clap::Args;
use control::Export;
use warehouse::catalogue;

use super::engineer::Place;
use crate::app::App;
use crate::cli::say::say;
use crate::error::{Failure, Result};
use crate::work;

/// Which catalogue is written, and where.
#[derive(Debug, Args)]
#[command(after_help = "\
The database holds one view for each table of the study's current snapshot, in the schemas `star` and
`marts`, and no data: the views read the data folder's files, which never change. Another snapshot needs
another export.

  cairn export --tenant acme --study TRIAL01 --duckdb trial01.duckdb
  duckdb trial01.duckdb 'SELECT site_id, flag FROM marts.mart_kri ORDER BY flag DESC LIMIT 5'")]
pub(crate) struct ExportArgs {
    #[command(flatten)]
    place: Place,
    /// The database file to write.
    #[arg(long, value_name = "FILE")]
    duckdb: PathBuf,
    /// Replace the file if it is there.
    #[arg(long)]
    force: bool,
}

pub(crate) async fn run(app: &App, args: ExportArgs) -> Result<()> {
    if args.duckdb.exists() && !args.force {
        return Err(Failure::Usage(format!(
            "`{}` is there already; name another file, or replace it with `--force`",
            args.duckdb.display()
        )));
    }
    let engineer = args.place.operator(app).await?;
    let (snapshot, manifest) = work::current(app, &engineer).await?;
    let export = Export { what: "catalogue".into(), snapshot: snapshot.id, as_of: None };
    app.control.export_started(&engineer.actor, &engineer.scope, &export, &engineer.trace).await?;
    let (files, target) = (app.storage.study(&engineer.scope), args.duckdb.clone());
    let views = work::blocking(move || Ok(catalogue::write(&files, &manifest, &target)?)).await?;
    say!("{} views of snapshot {} in {}", views, snapshot.id, args.duckdb.display());
    Ok(())
}
