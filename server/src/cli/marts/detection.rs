//! `cairn marts detection`.

use std::path::{Path, PathBuf};

use clap::Args;
use kernel::Seed;

use crate::app::App;
use crate::cli::Bars;
use crate::cli::say::say;
use crate::detection::plan::Size;
use crate::detection::{report, run as make};
use crate::error::{Failure, Result};

/// How much is simulated.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Give an empty folder as `--data`: the studies are taken in like any others, and stay there to be looked at. The same
arguments give the same table.

  cairn --data /tmp/detection marts detection --studies 5 --out docs/detection.md")]
pub(crate) struct DetectionArgs {
    /// Studies with each kind of anomaly.
    #[arg(long, default_value_t = 5, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=1000))]
    studies: u32,
    /// Studies without any, for false alarms.
    #[arg(long, default_value_t = 20, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=1000))]
    null_studies: u32,
    /// Sites of a study.
    #[arg(long, default_value_t = 24, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=8999))]
    sites: u32,
    /// Subjects that a site screens on average.
    #[arg(long, default_value_t = 20.0, value_name = "NUMBER")]
    subjects_per_site: f64,
    /// Extracts of a study, three months apart; one is the cut-off alone.
    #[arg(long, default_value_t = 3, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=4))]
    cuts: u32,
    /// The seed of all studies.
    #[arg(long, default_value_t = 1, value_name = "NUMBER")]
    seed: u64,
    /// The file to write; without it the page is printed.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(super) async fn run(app: &App, data: &Path, args: &DetectionArgs) -> Result<()> {
    let size = Size {
        studies: args.studies,
        nulls: args.null_studies,
        sites: args.sites,
        subjects_per_site: args.subjects_per_site,
        cuts: args.cuts,
        seed: Seed(args.seed),
    };
    if data.join("simulated").exists() {
        return Err(Failure::Usage(format!(
            "`{}` holds simulated studies already; name an empty folder with `--data`",
            data.display()
        )));
    }
    let bars = Bars::new("simulated studies judged");
    let outcome = make(app, data, &size, &mut |done, total| bars.set(done, total)).await;
    bars.finish();
    let page = report::markdown(&size, &outcome?);
    match &args.out {
        None => say!("{page}"),
        Some(file) => {
            std::fs::write(file, page).map_err(Failure::io("write the table of what is found"))?;
            say!("written to {}", file.display());
        }
    }
    Ok(())
}
