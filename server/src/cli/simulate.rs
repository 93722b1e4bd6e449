//! `cairn simulate`.

use std::fmt::Write;
use std::path::PathBuf;

use clap::Args;
use evidence::simulate::anomaly::{Anomaly, KINDS};
use evidence::simulate::folder::{Earlier, claim};
use evidence::simulate::plan::{Format, StudyPlan};
use evidence::simulate::simulate;
use evidence::simulate::truth::Planted;
use kernel::{Seed, StudyId};

use super::Bars;
use crate::cli::say::say;
use crate::demo::SIMULATED_STUDY;
use crate::error::{Failure, Result};

/// What study is made.
#[derive(Debug, Args)]
#[command(
    after_help = "\
The same arguments give the same bytes. `truth.json` lists what was planted and `truth/` the values that
are withheld; `plan.json` makes the same study again with `--plan`. Take the extract in with
`cairn ingest --study SIM-001 DIR`. `cairn simulate --help` lists the anomalies.",
    after_long_help = explanation()
)]
pub(crate) struct SimulateArgs {
    /// The folder to write to; made when it is not there.
    #[arg(value_name = "DIR")]
    out: PathBuf,
    /// A study plan in TOML or JSON, which says only what differs from the demonstration without anomalies.
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,
    /// The study's code [default: the plan's, or SIM-001].
    #[arg(long)]
    study: Option<StudyId>,
    /// Where chance begins [default: the plan's, or 2026].
    #[arg(long)]
    seed: Option<u64>,
    /// Sites [default: the plan's, or 60].
    #[arg(long)]
    sites: Option<u32>,
    /// Screened subjects in all, on average [default: the plan's, or 1500].
    #[arg(long, conflicts_with = "subjects_per_site")]
    subjects: Option<u32>,
    /// Screened subjects of a site, on average.
    #[arg(long)]
    subjects_per_site: Option<f64>,
    /// Plant this instead of the plan's anomalies; may be given several times.
    #[arg(long, value_name = "TYPE@TARGET[:MAGNITUDE[:START]]")]
    anomaly: Vec<Anomaly>,
    /// Plant every kind of anomaly once.
    #[arg(long, conflicts_with = "anomaly")]
    all_anomalies: bool,
    /// Plant nothing: for counting false alarms.
    #[arg(long, conflicts_with_all = ["anomaly", "all_anomalies"])]
    null: bool,
    /// Monthly cuts to write besides the last one, in `cuts/`.
    #[arg(long)]
    cuts: Option<u32>,
    /// What to write: `edc`, `sdtm-xpt` or `sdtm-datasetjson`; may be given several times [default: the plan's, or edc].
    #[arg(long)]
    format: Vec<Format>,
    /// Replace an earlier simulation in the folder. Nothing else is ever removed.
    #[arg(long)]
    force: bool,
}

pub(crate) fn run(args: &SimulateArgs) -> Result<()> {
    let plan = plan(args)?;
    let seed = args.seed.map(Seed).or(plan.seed).unwrap_or(Seed(2026));
    plan.check()?;
    claim(&args.out, if args.force { Earlier::Replace } else { Earlier::Keep })?;
    let bars = Bars::new("simulating");
    let truth = simulate(&plan, seed, &args.out, &mut |progress| {
        bars.set(progress.subjects_done, progress.subjects_total);
    });
    bars.finish();
    let truth = truth?;
    say!("study {} with seed {}, data until {}", truth.study, truth.seed, truth.cut_off);
    for planted in &truth.anomalies {
        say!("{}", sentence(planted));
    }
    Ok(())
}

/// The plan of the arguments.
fn plan(args: &SimulateArgs) -> Result<StudyPlan> {
    let mut plan = match &args.plan {
        Some(path) => StudyPlan::read(path)?,
        None => StudyPlan::demo(),
    };
    if let Some(study) = &args.study {
        plan.study = study.clone();
    } else if args.plan.is_none() {
        let code = SIMULATED_STUDY.parse::<StudyId>();
        plan.study = code.map_err(|error| Failure::Usage(format!("{error}")))?;
    }
    if args.sites.is_some() || args.subjects.is_some() || args.subjects_per_site.is_some() {
        let sites = args.sites.unwrap_or(plan.sites);
        let in_all = args.subjects.map(|subjects| f64::from(subjects) / f64::from(sites.max(1)));
        let per_site = in_all.or(args.subjects_per_site).unwrap_or(plan.subjects_per_site);
        plan = plan.resized(sites, per_site);
    }
    if args.null {
        plan = plan.without_anomalies();
    } else if args.all_anomalies {
        plan = plan.with_all_anomalies();
    } else if !args.anomaly.is_empty() {
        plan.anomalies.clone_from(&args.anomaly);
    }
    if let Some(cuts) = args.cuts {
        plan.cuts = cuts;
    }
    if !args.format.is_empty() {
        plan.formats.clone_from(&args.format);
    }
    Ok(plan)
}

fn sentence(planted: &Planted) -> String {
    let place =
        if planted.site == "*" { "the whole study".to_owned() } else { format!("site {}", planted.site) };
    let visible = match planted.first_detectable_cut {
        Some(day) => format!(", detectable from {day}"),
        None => String::new(),
    };
    format!(
        "planted {}: {} ({} {}) at {place}, {} records, shows in {}{visible}",
        planted.id,
        planted.kind,
        planted.magnitude,
        planted.unit,
        planted.affected_records,
        planted.expected_indicators.join(", "),
    )
}

/// The long help: how an anomaly is written, and which there are.
fn explanation() -> String {
    let mut text = String::from(
        "\
The same arguments give the same bytes. The folder gets the extract of the cut-off as Parquet, `cuts/` with
earlier cuts, `platform/` with deliveries that a system must survive, `sdtm/` with SDTM datasets, `truth/` with
what is withheld (true values, touched records, effects of sites and subjects), `truth.json` with what was planted,
and `plan.json`, which makes the same study again.

An anomaly is written TYPE@TARGET[:MAGNITUDE[:START]]. A target is a site (1003), several (1003+1007), the largest
(rank1) or the next in size (rank2), subjects (1003-004), a country (DEU, or `country` for the largest) or `study`:

  cairn simulate out --anomaly ae_under_reporting@rank1:0.5 --anomaly unit_switch@1004::2025-09-01
  cairn simulate out --sites 100 --subjects 2000 --cuts 6 --format edc --format sdtm-xpt
  cairn simulate again --plan out/plan.json

Types, with what the magnitude counts and its usual size:
",
    );
    for facts in KINDS {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{:>4} {:<28} {} [{}]", facts.number, facts.name, facts.unit, facts.magnitude);
    }
    text
}
