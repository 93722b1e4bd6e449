//! `cairn marts`.

use clap::Subcommand;
use marts::{MARTS, Outcome};
use warehouse::engine::Limits;

use super::Bars;
use super::engineer::Place;
use crate::app::App;
use crate::cli::say::say;
use crate::error::Result;
use crate::work::{self, Engineer};

/// What to do with marts.
#[derive(Debug, Subcommand)]
pub(crate) enum MartsCommand {
    /// Build every mart whose inputs or definition changed, test them, and publish all together.
    Build {
        #[command(flatten)]
        place: Place,
        /// Memory for the engine's buffers, in MiB; what does not fit spills to disk.
        #[arg(long, default_value_t = 2048)]
        memory_mib: u64,
        /// Threads.
        #[arg(long, default_value_t = 2)]
        threads: u64,
    },
    /// List the marts: grain, inputs, tests.
    List,
    /// Show which table is built from which.
    Graph,
}

pub(crate) async fn run(app: &App, command: MartsCommand) -> Result<()> {
    match command {
        MartsCommand::Build { place, memory_mib, threads } => {
            let engineer = place.operator(app).await?;
            build(app, &engineer, Limits { memory_mib, threads }).await
        }
        MartsCommand::List => {
            list();
            Ok(())
        }
        MartsCommand::Graph => {
            graph();
            Ok(())
        }
    }
}

pub(crate) async fn build(app: &App, engineer: &Engineer, limits: Limits) -> Result<()> {
    let bars = Bars::new("building marts");
    let publication = work::build_marts(app, engineer, limits, bars.teller()).await;
    bars.finish();
    let publication = publication?;
    say!("{:<24}{:>12}{:>12}  outcome", "mart", "rows", "ms");
    for built in &publication.marts {
        let outcome = match built.outcome {
            Outcome::Made => "made",
            Outcome::Shared => "unchanged",
        };
        say!("{:<24}{:>12}{:>12}  {outcome}", built.mart, built.rows, built.took.as_millis());
    }
    match &publication.snapshot {
        Some((id, _, _)) => say!("snapshot {id}"),
        None => say!("nothing changed: the current snapshot stays"),
    }
    Ok(())
}

fn list() {
    for mart in MARTS {
        say!("{}\n  {}\n  grain: {}", mart.name, mart.description, mart.grain);
        say!("  reads: {}\n  key:   {}", mart.inputs.join(", "), mart.key.join(", "));
        for test in mart.tests {
            say!("  test:  {}", test.words());
        }
        say!("  tags:  {}", mart.tags.join(", "));
    }
}

fn graph() {
    for table in warehouse::star::TABLES {
        let read: Vec<&str> = table.entities.iter().chain(table.tables).copied().collect();
        say!("{} <- {}", table.name, read.join(", "));
    }
    for mart in MARTS {
        say!("{} <- {}", mart.name, mart.inputs.join(", "));
    }
}
