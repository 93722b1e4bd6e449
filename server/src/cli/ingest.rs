//! `cairn ingest`.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use clap::Args;
use warehouse::{CutKind, Delivery, Mapping, Receipt};

use super::engineer::Place;
use super::{Bars, marts};
use crate::app::App;
use crate::cli::say::say;
use crate::error::Result;
use crate::work::{self, Order};

/// What is taken in, and where.
#[derive(Debug, Args)]
#[command(after_help = "\
Files may be SAS XPT (v5, v8), Parquet or CSV, one dataset each. All of them are taken in, or none:
a file that cannot be used is named with the column or row at fault, and nothing is published.
The same files again change nothing and give the first receipt.")]
pub(crate) struct IngestArgs {
    #[command(flatten)]
    place: Place,
    /// How the files are read: `sdtm`, `edc`, `omop`, or a mapping file. Found out when it is not given.
    #[arg(long, value_name = "MAPPING")]
    mapping: Option<String>,
    /// The study's title, when it is new.
    #[arg(long)]
    title: Option<String>,
    /// A key of yours for this delivery: the same key again gives the first receipt.
    #[arg(long)]
    key: Option<String>,
    /// The files hold only what changed. Without it each dataset is whole, and a record that it does not hold
    /// any more is gone.
    #[arg(long)]
    delta: bool,
    /// When the source was read, such as 2026-01-31 or 2026-01-31T18:00:00Z. Without it, when the files say
    /// they were made, else now. An older cut may come late: it overwrites nothing newer.
    #[arg(long, value_name = "INSTANT", value_parser = super::instant)]
    extracted_at: Option<DateTime<Utc>>,
    /// Do not build the marts afterwards.
    #[arg(long)]
    no_marts: bool,
    /// Files, or folders of files.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
}

pub(crate) async fn run(app: &App, args: IngestArgs) -> Result<()> {
    let mapping = args.mapping.as_deref().map(Mapping::load).transpose()?;
    let engineer = args.place.operator(app).await?;
    let kind = if args.delta { CutKind::Delta } else { CutKind::Full };
    let delivery = Delivery { kind, extracted_at: args.extracted_at, ..Delivery::of(&args.paths, mapping)? };
    let title = args.title.unwrap_or_else(|| args.place.study.to_string());
    let bars = Bars::new("taking in");
    let order = Order { delivery, key: args.key, title, batch: None };
    let taken_in = work::ingest(app, &engineer, &order, bars.teller()).await;
    bars.finish();
    let taken_in = taken_in?;
    print_receipt(&taken_in.receipt);
    if taken_in.repeated {
        say!("this delivery was taken in before: nothing was written");
    }
    say!("snapshot {}", taken_in.snapshot);
    if !args.no_marts {
        marts::build_everything(app, &engineer).await?;
    }
    Ok(())
}

/// The receipt as a table.
pub(crate) fn print_receipt(receipt: &Receipt) {
    say!("batch {} by mapping `{}`, {} files", receipt.batch, receipt.mapping, receipt.files.len());
    say!("{} cut of {} as of {}", receipt.kind.name(), receipt.source_system, receipt.extracted_at);
    if let Some(latest) = receipt.out_of_order_after {
        say!("it came late, after the cut as of {latest}: nothing newer was overwritten");
    }
    for file in &receipt.files {
        if let Some(batch) = file.duplicate_of {
            say!("{} holds what batch {batch} held", file.file);
        }
    }
    print_line("entity", &["in", "new", "changed", "unchanged", "deleted", "quarantined"]);
    let total = receipt.total();
    let entities = receipt.entities.iter().map(|(entity, counts)| (entity.as_str(), counts));
    for (entity, counts) in entities.chain([("total", &total)]) {
        let counts = [
            counts.rows_in,
            counts.new,
            counts.changed,
            counts.unchanged,
            counts.deleted,
            counts.quarantined,
        ];
        print_line(entity, &counts.map(|count| count.to_string()));
    }
    if total.restored > 0 {
        say!("{} records stay as a later cut told", total.restored);
    }
    for note in &receipt.quarantine {
        say!(
            "quarantined: {} rows of `{}` for `{}`, column `{}` for `{}`, first row {}: {}",
            note.rows,
            note.file,
            note.entity,
            note.source_column,
            note.column,
            note.first_row,
            note.reason
        );
    }
    for note in &receipt.counted {
        say!(
            "{}: {} of {} rows of `{}` for `{}`, column `{}` for `{}`",
            note.count,
            note.rows,
            note.of,
            note.file,
            note.entity,
            note.source_column,
            note.column
        );
    }
    let (submitted, equal) = receipt
        .study_days
        .values()
        .fold((0, 0), |(submitted, equal), check| (submitted + check.submitted, equal + check.equal));
    if submitted > 0 {
        say!("study days: {equal} of {submitted} submitted values follow from their dates");
    }
}

fn print_line(entity: &str, cells: &[impl std::fmt::Display]) {
    let cells: String = cells.iter().map(|cell| format!("{cell:>12}")).collect();
    say!("{entity:<24}{cells}");
}
