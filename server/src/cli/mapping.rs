//! `cairn mapping`: reads and explains; takes nothing in and needs no data folder.

use std::path::PathBuf;

use clap::Subcommand;
use warehouse::Mapping;
use warehouse::mapping::check::{BlockReport, DatasetReport, Reading, Report, check};
use warehouse::mapping::skeleton;

use crate::cli::say::say;
use crate::error::{Failure, Result};

/// What can be done with mappings.
#[derive(Debug, Subcommand)]
#[command(after_help = "\
A mapping says which column of a delivered file feeds which column of the unified model.
`sdtm`, `edc` and `omop` are shipped; one of your own is a TOML file:

  cairn mapping new LABS labs.csv > labs.toml         begin with guesses by name
  cairn mapping check labs.csv --mapping labs.toml    see what becomes of the file
  cairn ingest --mapping labs.toml ...                take it in")]
pub(crate) enum MappingCommand {
    /// List the mappings that are shipped.
    List,
    /// Print a mapping's text: a shipped one, or a file after it was checked.
    Show {
        /// Its name, or a file.
        #[arg(value_name = "MAPPING")]
        name: String,
    },
    /// Show what would become of files: nothing is taken in.
    #[command(after_help = "\
For each dataset: format, encoding and rows; which columns of the model it feeds from which
columns of the file, and which stay empty; columns of the file that nothing reads; and names that
are nearly right. Values are not judged. Ends with code 2 when a file cannot be taken in.")]
    Check {
        /// How the files are read: a shipped mapping or a file. Found out when it is not given.
        #[arg(long, value_name = "MAPPING")]
        mapping: Option<String>,
        /// Files, or folders of files.
        #[arg(required = true, value_name = "PATH")]
        paths: Vec<PathBuf>,
    },
    /// Print the beginning of a mapping for a file of your own, with guesses by name.
    New {
        /// The dataset, as deliveries will name it.
        #[arg(value_name = "DATASET")]
        dataset: String,
        /// A file with its columns.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// The entity that it becomes (see `cairn model`). Guessed when it is not given.
        #[arg(long)]
        entity: Option<String>,
    },
}

pub(crate) fn run(command: MappingCommand) -> Result<()> {
    match command {
        MappingCommand::List => list(),
        MappingCommand::Show { name } => {
            let text = Mapping::text(&name)?;
            Mapping::parse(&name, &text)?;
            say!("{}", text.trim_end());
            Ok(())
        }
        MappingCommand::Check { mapping, paths } => {
            let mapping = mapping.as_deref().map(Mapping::load).transpose()?;
            let report = check(&paths, mapping.as_ref())?;
            print(&report);
            verdict(&report)
        }
        MappingCommand::New { dataset, file, entity } => {
            say!("{}", skeleton(&dataset, &file, entity.as_deref())?.trim_end());
            Ok(())
        }
    }
}

fn list() -> Result<()> {
    for (name, text) in Mapping::shipped() {
        let mapping = Mapping::parse(name, text)?;
        let mut entities: Vec<&str> = mapping.datasets.iter().map(|block| block.entity.as_str()).collect();
        entities.sort_unstable();
        entities.dedup();
        say!("{name:<6}{}", mapping.description);
        say!("      {} blocks for {} entities", mapping.datasets.len(), entities.len());
    }
    Ok(())
}

fn print(report: &Report) {
    match (&report.mapping, &report.no_mapping) {
        (Some(mapping), _) => say!("mapping `{mapping}`"),
        (None, Some(reason)) => say!("no mapping: {reason}"),
        (None, None) => {}
    }
    for (file, reason) in &report.unreadable {
        say!("\n{file}\n  CANNOT BE READ: {reason}");
    }
    report.datasets.iter().for_each(print_dataset);
    for lookup in &report.lookups_without_data {
        say!("\nnot delivered: the lookup {lookup}; what it gives stays empty");
    }
}

fn print_dataset(dataset: &DatasetReport) {
    let rows = dataset.rows.map_or("rows not counted".to_owned(), |rows| format!("{rows} rows"));
    say!(
        "\n{}: dataset {}, {}, {}, {rows}, {} columns",
        dataset.file,
        dataset.dataset,
        dataset.format,
        dataset.encoding,
        dataset.columns
    );
    match &dataset.reading {
        Reading::Blocks(blocks) => blocks.iter().for_each(print_block),
        Reading::LookedUp => say!("  makes no rows: other datasets look values up in it"),
        Reading::LeftOut => say!("  makes no rows: it is kept as it came"),
        Reading::Refused(reason) => say!("  CANNOT BE TAKEN IN: {reason}"),
    }
    if !dataset.unused.is_empty() && dataset.reading != Reading::LeftOut {
        say!("  not used: {}", dataset.unused.join(", "));
    }
    for (absent, near) in &dataset.near {
        say!("  there is no {absent}; nearly the same: {}", near.join(", "));
    }
}

fn print_block(block: &BlockReport) {
    say!("  becomes {}", block.entity);
    for (column, sources) in &block.fed {
        let sources =
            if sources.is_empty() { "(stated by the mapping)".to_owned() } else { sources.join(", ") };
        say!("    {column:<26}<- {sources}");
    }
    if !block.empty.is_empty() {
        say!("    stay empty: {}", block.empty.join(", "));
    }
}

fn verdict(report: &Report) -> Result<()> {
    match report.refused() {
        0 => Ok(()),
        refused => {
            let all = report.unreadable.len() + report.datasets.len();
            Err(Failure::Usage(format!("{refused} of {all} datasets cannot be taken in")))
        }
    }
}
