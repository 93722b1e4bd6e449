//! `cairn marts`.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use kernel::RunId;
use marts::{MARTS, Mart, Order, Selection};
use warehouse::engine::Limits;

use super::engineer::Place;
use crate::app::App;
use crate::cli::say::say;
use crate::error::{Failure, Result};

mod backfill;
mod build;
mod definitions;
mod detection;
mod docs;
mod history;
mod limits;
mod lineage;
mod plan;

pub(crate) use build::build_everything;

/// What to do with marts.
#[derive(Debug, Subcommand)]
pub(crate) enum MartsCommand {
    /// Build every mart whose inputs or definition changed, test them, and publish all together.
    Build {
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        what: What,
        #[command(flatten)]
        use_up: UseUp,
        /// Build as the sources stood at this instant: 2026-01-31, or 2026-01-31T18:00:00Z. The result is read by its
        /// snapshot's id, and readers stay with the newest.
        #[arg(long, value_name = "INSTANT", value_parser = super::instant)]
        as_of: Option<DateTime<Utc>>,
        /// Say what would be built, and why; write nothing.
        #[arg(long)]
        dry_run: bool,
    },
    /// Build one snapshot for each of several past instants.
    Backfill {
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        what: What,
        #[command(flatten)]
        use_up: UseUp,
        #[command(flatten)]
        range: backfill::Range,
        /// Say what would be built, and why; write nothing.
        #[arg(long)]
        dry_run: bool,
    },
    /// List the builds of a study, or show one: what was made, why, how long it took, what the tests found.
    History {
        #[command(flatten)]
        place: Place,
        /// Show the newest build.
        #[arg(long, conflicts_with = "run")]
        last: bool,
        /// Show this build.
        #[arg(long, value_name = "ID")]
        run: Option<RunId>,
        /// How many builds to list.
        #[arg(long, default_value_t = 20, value_name = "NUMBER")]
        limit: u32,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Follow a mart's column through facts and canon to the delivered files.
    Lineage {
        #[command(flatten)]
        place: Place,
        /// The mart, or one of its columns: `mart_kri` or `mart_kri.score`.
        #[arg(value_name = "MART[.COLUMN]")]
        of: String,
        /// How many deliveries to show of each column of canon, the newest first.
        #[arg(long, default_value_t = 3, value_name = "NUMBER")]
        deliveries: usize,
    },
    /// See and change what indicators and tolerance limits are: thresholds, weights, accrual, whether they are shown.
    #[command(subcommand)]
    Definitions(definitions::DefinitionsCommand),
    /// See the tolerance limits of a study with their alarms, and what their methods are worth.
    #[command(subcommand)]
    Limits(limits::LimitsCommand),
    /// Write the pages about the marts: what each is, its columns and where they come from, its tests.
    Docs {
        /// The folder to write to; without it one page is printed.
        #[arg(long, value_name = "FOLDER")]
        out: Option<PathBuf>,
        /// Only these forms.
        #[arg(long, value_enum)]
        format: Vec<docs::Format>,
    },
    /// List the marts: grain, owner, inputs, tests.
    List {
        /// Which marts; see `cairn marts build --help`.
        #[arg(long, value_name = "SELECTOR")]
        select: Vec<String>,
    },
    /// Show one mart: what it is, how it is made, and its columns.
    Show {
        /// Its name.
        #[arg(value_name = "MART")]
        mart: String,
        /// Only the query that makes it.
        #[arg(long)]
        sql: bool,
    },
    /// Simulate studies with planted anomalies and without, build their marts, and write what is found: for each kind the
    /// sensitivity and the delay, and false alarms, by the reference method and by ours.
    Detection(detection::DetectionArgs),
    /// Show which table is built from which.
    Graph,
}

/// Which marts are built.
#[derive(Debug, Clone, Args)]
pub(crate) struct What {
    /// Which marts: `mart_kri`, `mart_k*`, `tag:rbqm`, `owner:drug_safety`, `state:modified` (itself changed),
    /// `state:stale` (anything it is computed from changed), `dim_site+` (what reads a table). `+` before or after
    /// adds what it reads or what reads it; `,` narrows. May be given several times. What a selected mart reads
    /// is built too where it is stale. Readers stay with the former snapshot until every mart is built.
    #[arg(long, value_name = "SELECTOR")]
    select: Vec<String>,
    /// Which of them not.
    #[arg(long, value_name = "SELECTOR")]
    exclude: Vec<String>,
    /// Build the selected marts even if nothing changed.
    #[arg(long)]
    full_refresh: bool,
}

/// What a build may use.
#[derive(Debug, Clone, Args)]
pub(crate) struct UseUp {
    /// Memory for the engine's buffers, in MiB; what does not fit spills to disk.
    #[arg(long, default_value_t = 2048)]
    memory_mib: u64,
    /// Threads. So many marts that do not read each other are built side by side.
    #[arg(long, default_value_t = 2)]
    threads: u64,
}

impl What {
    fn selection(&self) -> Selection {
        Selection { select: self.select.clone(), exclude: self.exclude.clone() }
    }

    fn order(&self, use_up: &UseUp) -> Order {
        let limits = Limits { memory_mib: use_up.memory_mib, threads: use_up.threads };
        Order { selection: self.selection(), full_refresh: self.full_refresh, limits, ..Order::default() }
    }
}

/// Says what marts are, which needs no data folder and must not make one; every other command is given back.
pub(crate) fn run_offline(command: MartsCommand) -> Result<Option<MartsCommand>> {
    match command {
        MartsCommand::Docs { out, format } => docs::run(out.as_deref(), &format)?,
        MartsCommand::List { select } => list(&select)?,
        MartsCommand::Show { mart, sql } => show(&mart, sql)?,
        MartsCommand::Graph => graph(),
        command => return Ok(Some(command)),
    }
    Ok(None)
}

pub(crate) async fn run(app: &App, data: &Path, command: MartsCommand) -> Result<()> {
    match command {
        MartsCommand::Build { place, what, as_of, dry_run: true, .. } => {
            plan::show(app, &place, &what, as_of).await
        }
        MartsCommand::Build { place, what, use_up, as_of, .. } => {
            let engineer = place.operator(app).await?;
            build::run(app, &engineer, what.order(&use_up), as_of).await.map(drop)
        }
        MartsCommand::Backfill { place, what, use_up, range, dry_run } => {
            backfill::run(app, &place, (&what, &use_up), (&range, dry_run)).await
        }
        MartsCommand::History { place, last, run, limit, json } => {
            history::run(app, &place, history::Wanted::of(last, run, limit), json).await
        }
        MartsCommand::Lineage { place, of, deliveries } => lineage::run(app, &place, &of, deliveries).await,
        MartsCommand::Definitions(command) => definitions::run(app, command).await,
        MartsCommand::Limits(command) => limits::run(app, command).await,
        MartsCommand::Detection(args) => detection::run(app, data, &args).await,
        MartsCommand::Docs { .. }
        | MartsCommand::List { .. }
        | MartsCommand::Show { .. }
        | MartsCommand::Graph => Ok(()),
    }
}

fn list(select: &[String]) -> Result<()> {
    let selection = Selection { select: select.to_vec(), exclude: Vec::new() };
    let selected = selection.marts(MARTS, &[])?;
    for mart in MARTS.iter().filter(|mart| selected.contains(mart.name)) {
        describe(mart);
    }
    Ok(())
}

fn describe(mart: &Mart) {
    say!("{}\n  {}\n  grain: {}", mart.name, mart.description, mart.grain);
    say!("  reads: {}\n  key:   {}", mart.inputs.join(", "), mart.key.join(", "));
    for test in mart.tests {
        say!("  test:  {} ({})", test.words(), test.severity.name());
    }
    say!("  tags:  {}\n  owner: {}", mart.tags.join(", "), mart.owner);
}

fn show(name: &str, only_sql: bool) -> Result<()> {
    let mart = marts::registry::find(name)
        .ok_or_else(|| Failure::Usage(format!("there is no mart `{name}`; `cairn marts list` names them")))?;
    let query = mart.query();
    if only_sql {
        let query = query.ok_or_else(|| {
            Failure::Usage(format!("`{name}` is made by a function, without a query of its own"))
        })?;
        say!("{query}");
        return Ok(());
    }
    describe(mart);
    say!("\ncolumns:");
    for column in mart.columns {
        say!("  {:<28}{}", column.name, column.description);
    }
    if let Some(query) = query {
        say!("\n{query}");
    }
    Ok(())
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
