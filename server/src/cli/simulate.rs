//! `cairn simulate`.

use std::path::PathBuf;

use clap::Args;
use evidence::simulate::plan::StudyPlan;
use evidence::simulate::simulate;
use kernel::{Seed, StudyId};

use super::Bars;
use crate::cli::say::say;
use crate::error::Result;

/// What study is made.
#[derive(Debug, Args)]
#[command(after_help = "\
The same arguments give the same bytes. `truth.json` lists what was planted; `plan.json` holds the
whole plan. Take the extract in with `cairn ingest --study SIM-001 DIR`.")]
pub(crate) struct SimulateArgs {
    /// The folder to write to; made when it is not there.
    #[arg(value_name = "DIR")]
    out: PathBuf,
    /// The study's code.
    #[arg(long, default_value = "SIM-001")]
    study: StudyId,
    /// Where chance begins.
    #[arg(long, default_value_t = 2026)]
    seed: u64,
    /// Sites.
    #[arg(long, default_value_t = 40)]
    sites: u32,
    /// Screened subjects of a site, on average.
    #[arg(long, default_value_t = 15.0)]
    subjects_per_site: f64,
    /// Plant nothing: for counting false alarms.
    #[arg(long)]
    null: bool,
}

pub(crate) fn run(args: &SimulateArgs) -> Result<()> {
    let mut plan = StudyPlan {
        study: args.study.clone(),
        sites: args.sites,
        subjects_per_site: args.subjects_per_site,
        ..StudyPlan::demo()
    };
    if args.null {
        plan = plan.without_anomalies();
    }
    let bars = Bars::new("simulating");
    let truth = simulate(&plan, Seed(args.seed), &args.out, &mut |progress| {
        bars.set(progress.subjects_done, progress.subjects_total);
    });
    bars.finish();
    let truth = truth?;
    say!("study {} with seed {}, data until {}", truth.study, truth.seed, truth.cut_off);
    for planted in &truth.anomalies {
        say!(
            "planted {}: {:?} at site {}, shows in {}",
            planted.id,
            planted.kind,
            planted.site,
            planted.expected_indicator
        );
    }
    Ok(())
}
