//! `cairn canon`.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use clap::Subcommand;
use control::Export;
use warehouse::Writer;
use warehouse::canon::write_as_of;

use super::engineer::Place;
use crate::app::App;
use crate::cli::say::say;
use crate::error::Result;
use crate::work;

/// What to do with canon.
#[derive(Debug, Subcommand)]
pub(crate) enum CanonCommand {
    /// List the cuts that were taken in and the versions that canon holds of each entity.
    List {
        #[command(flatten)]
        place: Place,
    },
    /// Write one entity's current records as Parquet, as they are or as they were known at an instant.
    Read {
        #[command(flatten)]
        place: Place,
        /// The entity, such as `adverse_event`; `cairn canon list` names them.
        entity: String,
        /// What had been received by then: 2026-01-31, or 2026-01-31T18:00:00Z.
        #[arg(long, value_name = "INSTANT", value_parser = super::instant)]
        as_of: Option<DateTime<Utc>>,
        /// The Parquet file to write.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
}

pub(crate) async fn run(app: &App, command: CanonCommand) -> Result<()> {
    match command {
        CanonCommand::List { place } => list(app, &place).await,
        CanonCommand::Read { place, entity, as_of, out } => read(app, &place, (entity, as_of), out).await,
    }
}

async fn list(app: &App, place: &Place) -> Result<()> {
    let engineer = place.operator(app).await?;
    let (_, manifest) = work::current(app, &engineer).await?;
    say!("{:<12}{:<8}{:<28}{:>10}  batch", "source", "kind", "as of", "datasets");
    for cut in &manifest.cuts {
        let (kind, as_of) = (cut.kind.name(), cut.extracted_at.to_rfc3339());
        say!("{:<12}{kind:<8}{as_of:<28}{:>10}  {}", cut.source_system, cut.datasets.len(), cut.batch);
    }
    say!("\n{:<24}{:>12}{:>12}", "entity", "versions", "files");
    for (entity, files) in &manifest.canon {
        let versions: u64 = files.iter().map(|file| file.rows).sum();
        say!("{entity:<24}{versions:>12}{:>12}", files.len());
    }
    Ok(())
}

async fn read(
    app: &App,
    place: &Place,
    (entity, as_of): (String, Option<DateTime<Utc>>),
    out: PathBuf,
) -> Result<()> {
    let engineer = place.operator(app).await?;
    let (snapshot, manifest) = work::current(app, &engineer).await?;
    let export = Export {
        what: format!("canon.{entity}"),
        snapshot: snapshot.id,
        as_of: as_of.map(|instant| instant.to_rfc3339()),
    };
    app.control.export_started(&engineer.actor, &engineer.scope, &export, &engineer.trace).await?;
    let instant = as_of.unwrap_or(manifest.as_of);
    let (storage, scope, target) = (app.storage.clone(), engineer.scope.clone(), out.clone());
    let rows = work::blocking(move || {
        let writer = Writer::wait(&storage, &scope)?;
        Ok(write_as_of(&writer, &manifest, (&entity, instant), &target)?)
    })
    .await?;
    say!("{rows} records as of {} in {}", instant.to_rfc3339(), out.display());
    Ok(())
}
