//! `cairn quarantine`.

use std::collections::BTreeMap;

use clap::Subcommand;
use kernel::BatchId;
use warehouse::Mapping;
use warehouse::quarantine::{QuarantinedRow, Wanted};

use super::engineer::Place;
use super::ingest::print_receipt;
use super::{Bars, marts};
use crate::app::App;
use crate::cli::say::say;
use crate::error::Result;
use crate::work::{self, Replay};

/// What to do with rows that did not fit.
#[derive(Debug, Subcommand)]
pub(crate) enum QuarantineCommand {
    /// Count the rows that were set aside, by file, column and reason.
    List {
        #[command(flatten)]
        place: Place,
        /// Only this delivery's.
        #[arg(long, value_name = "BATCH")]
        batch: Option<BatchId>,
        /// Also those that a later delivery resolved.
        #[arg(long)]
        all: bool,
    },
    /// Show the rows that a delivery set aside, with their values.
    Show {
        #[command(flatten)]
        place: Place,
        /// The delivery.
        #[arg(long, value_name = "BATCH")]
        batch: BatchId,
        /// How many rows.
        #[arg(long, default_value_t = 50)]
        rows: usize,
    },
    /// Read the files of a delivery again, through a corrected mapping or a newer program: rows that fit now are taken in.
    Replay {
        #[command(flatten)]
        place: Place,
        /// The delivery.
        #[arg(long, value_name = "BATCH")]
        batch: BatchId,
        /// How the files are read: a shipped mapping or a mapping file. As the first time when it is not given.
        #[arg(long, value_name = "MAPPING")]
        mapping: Option<String>,
        /// Do not build the marts afterwards.
        #[arg(long)]
        no_marts: bool,
    },
}

pub(crate) async fn run(app: &App, command: QuarantineCommand) -> Result<()> {
    match command {
        QuarantineCommand::List { place, batch, all } => {
            let scope = place.operator(app).await?.scope.to_read();
            let rows = work::quarantine(app, &scope, Wanted { batch, only_open: !all }).await?;
            list(&rows);
            Ok(())
        }
        QuarantineCommand::Show { place, batch, rows } => {
            let scope = place.operator(app).await?.scope.to_read();
            let found =
                work::quarantine(app, &scope, Wanted { batch: Some(batch), only_open: false }).await?;
            show(&found, rows);
            Ok(())
        }
        QuarantineCommand::Replay { place, batch, mapping, no_marts } => {
            let mapping = mapping.as_deref().map(Mapping::load).transpose()?;
            replay(app, &place, Replay { batch, mapping }, no_marts).await
        }
    }
}

/// Everything about a row that was set aside but its place.
type Kind<'a> = (BatchId, [&'a str; 5]);

/// Counts by everything but the row.
fn list(rows: &[QuarantinedRow]) {
    let mut counts: BTreeMap<Kind<'_>, (u64, u64)> = BTreeMap::new();
    for row in rows {
        let key = (row.batch, [row.file.as_str(), &row.entity, &row.column, row.state.name(), &row.reason]);
        let (count, first) = counts.entry(key).or_insert((0, row.row));
        *count += 1;
        *first = row.row.min(*first);
    }
    if counts.is_empty() {
        say!("no row is set aside");
        return;
    }
    for ((batch, [file, entity, column, state, reason]), (count, first)) in counts {
        say!("{batch}  {file}  {entity}.{column}  {count} rows {state}, first row {first}: {reason}");
    }
}

fn show(rows: &[QuarantinedRow], at_most: usize) {
    for row in rows.iter().take(at_most) {
        let by = row.state.by().map_or_else(String::new, |by| format!(" by {by}"));
        say!(
            "{} row {}, column `{}` for `{}.{}`: `{}`: {} ({}{by})",
            row.file,
            row.row,
            row.source_column,
            row.entity,
            row.column,
            row.value,
            row.reason,
            row.state.name()
        );
    }
    if rows.is_empty() {
        say!("this delivery set no row aside");
    } else if rows.len() > at_most {
        say!("and {} more; ask for them with `--rows`", rows.len() - at_most);
    }
}

async fn replay(app: &App, place: &Place, replay: Replay, no_marts: bool) -> Result<()> {
    let engineer = place.operator(app).await?;
    let bars = Bars::new("reading again");
    let taken_in = work::replay(app, &engineer, &replay, bars.teller()).await;
    bars.finish();
    let taken_in = taken_in?;
    print_receipt(&taken_in.receipt);
    if taken_in.repeated {
        say!("this delivery was read again in the same way before: nothing was written");
    }
    let before = work::quarantine(
        app,
        &engineer.scope.to_read(),
        Wanted { batch: Some(replay.batch), only_open: false },
    )
    .await?;
    let resolved = before.iter().filter(|row| row.state.name() == "resolved").count();
    say!("replay of {}: {resolved} of {} rows that it set aside are resolved", replay.batch, before.len());
    say!("snapshot {}", taken_in.snapshot);
    if no_marts {
        return Ok(());
    }
    marts::build_everything(app, &engineer).await
}
