//! `cairn rules`.

use std::path::PathBuf;

use clap::Subcommand;
use warehouse::quality::conformance::{self, SOURCE};

use super::engineer::Place;
use crate::app::App;
use crate::cli::say::say;
use crate::error::{Failure, Result};
use crate::work::{self, blocking};

/// What to do with conformance rules.
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Rules are files in the form of the CDISC open rules, one YAML file each; none ships with Cairn.

  cairn rules import --tenant acme --study TRIAL01 path/to/rules
  cairn rules check --tenant acme --study TRIAL01 --ig 3.3
  cairn quality show --tenant acme --study TRIAL01 CORE-000542")]
pub(crate) enum RulesCommand {
    /// Take a folder of rule files over as the study's rules, in place of those before.
    Import {
        #[command(flatten)]
        place: Place,
        /// The folder; every .yml, .yaml and .json file below it is read.
        folder: PathBuf,
    },
    /// List the study's rules: what is executed, and what is not and why.
    List {
        #[command(flatten)]
        place: Place,
    },
    /// Run the rules over the newest delivery of each SDTM dataset, and publish what they say with the study's checks.
    Check {
        #[command(flatten)]
        place: Place,
        /// The version of the SDTM implementation guide that the data follow, such as 3.4.
        #[arg(long, value_name = "VERSION")]
        ig: String,
    },
}

pub(crate) async fn run(app: &App, command: RulesCommand) -> Result<()> {
    match command {
        RulesCommand::Import { place, folder } => import(app, &place, folder).await,
        RulesCommand::List { place } => list(app, &place).await,
        RulesCommand::Check { place, ig } => check(app, &place, &ig).await,
    }
}

async fn import(app: &App, place: &Place, folder: PathBuf) -> Result<()> {
    let engineer = place.operator(app).await?;
    let read = folder.clone();
    let pack = blocking(move || Ok(conformance::read(&read)?)).await?;
    let counts = (pack.rules.len() as u64, pack.others.len() as u64);
    app.control.rules_imported(&engineer.actor, &engineer.scope, counts, &engineer.trace).await?;
    let files = app.storage.study(&engineer.scope);
    blocking(move || Ok(conformance::import(&files, &folder)?)).await?;
    say!("{} rules can be executed", counts.0);
    if counts.1 > 0 {
        say!("{} cannot; `cairn rules list` says why", counts.1);
    }
    Ok(())
}

async fn list(app: &App, place: &Place) -> Result<()> {
    let engineer = place.operator(app).await?;
    let files = app.storage.study(&engineer.scope);
    let pack = blocking(move || Ok(conformance::imported(&files)?)).await?.ok_or_else(none)?;
    for rule in &pack.rules {
        say!("{:<16}{}", rule.id(), rule.description());
    }
    for other in &pack.others {
        say!("{:<16}NOT EXECUTED: {}", other.rule, other.reason);
    }
    say!("{} rules can be executed, {} cannot", pack.rules.len(), pack.others.len());
    Ok(())
}

async fn check(app: &App, place: &Place, ig: &str) -> Result<()> {
    let engineer = place.operator(app).await?;
    let receipts = work::receipts(app, &engineer.scope.to_read()).await?;
    let (files, version) = (app.storage.study(&engineer.scope), ig.to_owned());
    let said = blocking(move || {
        let pack = conformance::imported(&files)?.ok_or_else(none)?;
        let rules: Vec<_> = pack.of_standard("SDTMIG", &version).cloned().collect();
        if rules.is_empty() {
            return Err(Failure::Usage(format!(
                "no imported rule belongs to SDTMIG {version}; see `cairn rules list`"
            )));
        }
        Ok(conformance::check(&files, &receipts, &rules)?)
    })
    .await?;
    let asked = said.checks.iter().filter(|check| check.row.denominator > 0).count();
    say!("{} rules over {} datasets; {asked} had something to look at", said.rules, said.datasets.len());
    say!("{:<16}{:>12}{:>12}  rule", "rule", "asked of", "violations");
    for check in said.checks.iter().filter(|check| check.row.violations > 0) {
        say!(
            "{:<16}{:>12}{:>12}  {}",
            check.row.check_id,
            check.row.denominator,
            check.row.violations,
            check.row.description
        );
    }
    for (rule, reason) in &said.not_executable {
        say!("{rule:<16}not judged everywhere: {reason}");
    }
    let snapshot = work::add_checks(app, &engineer, SOURCE, said.checks).await?;
    say!("snapshot {snapshot}");
    Ok(())
}

fn none() -> Failure {
    Failure::NotThere("conformance rules of the study; import a folder with `cairn rules import`".into())
}
