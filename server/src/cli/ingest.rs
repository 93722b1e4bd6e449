//! `cairn ingest`.

use std::path::PathBuf;

use clap::Args;
use warehouse::engine::Limits;
use warehouse::{Delivery, Mapping, Receipt};

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
    let delivery = Delivery::of(&args.paths, mapping)?;
    let title = args.title.unwrap_or_else(|| args.place.study.to_string());
    let bars = Bars::new("taking in");
    let order = Order { delivery, key: args.key, title };
    let taken_in = work::ingest(app, &engineer, &order, bars.teller()).await;
    bars.finish();
    let taken_in = taken_in?;
    print_receipt(&taken_in.receipt);
    if taken_in.repeated {
        say!("this delivery was taken in before: nothing was written");
    }
    say!("snapshot {}", taken_in.snapshot);
    if !args.no_marts {
        marts::build(app, &engineer, Limits::default()).await?;
    }
    Ok(())
}

/// The receipt as a table.
pub(crate) fn print_receipt(receipt: &Receipt) {
    say!("batch {} by mapping `{}`, {} files", receipt.batch, receipt.mapping, receipt.files.len());
    say!(
        "{:<24}{:>12}{:>12}{:>12}{:>12}{:>12}",
        "entity",
        "in",
        "new",
        "changed",
        "unchanged",
        "quarantined"
    );
    let total = receipt.total();
    for (entity, counts) in
        receipt.entities.iter().map(|(entity, counts)| (entity.as_str(), counts)).chain([("total", &total)])
    {
        say!(
            "{entity:<24}{:>12}{:>12}{:>12}{:>12}{:>12}",
            counts.rows_in,
            counts.new,
            counts.changed,
            counts.unchanged,
            counts.quarantined
        );
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
