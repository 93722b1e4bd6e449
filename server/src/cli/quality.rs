//! `cairn quality`.

use clap::Subcommand;
use warehouse::quality::{Thresholds, Verdict, read_checks, read_findings};

use super::engineer::Place;
use crate::app::App;
use crate::cli::say::say;
use crate::error::{Failure, Result};
use crate::work::{self, blocking};

/// What to do with quality checks.
#[derive(Debug, Subcommand)]
pub(crate) enum QualityCommand {
    /// List the checks of the current snapshot: what each was asked of, what violates it, and the verdict.
    List {
        #[command(flatten)]
        place: Place,
        /// Also those that pass and those that are not applicable.
        #[arg(long)]
        all: bool,
    },
    /// Show one check with the rows that violate it.
    Show {
        #[command(flatten)]
        place: Place,
        /// The check's id.
        check: String,
        /// How many rows.
        #[arg(long, default_value_t = 20)]
        rows: u64,
    },
    /// Print the page of all checks.
    Page,
}

pub(crate) async fn run(app: &App, command: QualityCommand) -> Result<()> {
    match command {
        QualityCommand::List { place, all } => list(app, &place, all).await,
        QualityCommand::Show { place, check, rows } => show(app, &place, check, rows).await,
        QualityCommand::Page => page(),
    }
}

pub(crate) fn page() -> Result<()> {
    for line in warehouse::quality::page::markdown()?.lines() {
        say!("{line}");
    }
    Ok(())
}

async fn list(app: &App, place: &Place, all: bool) -> Result<()> {
    let scope = place.operator(app).await?.scope.to_read();
    let visible = work::newest(app, &scope).await?.ok_or_else(|| nothing(place))?;
    let (storage, at_work) = (app.storage.clone(), scope.clone());
    let manifest = visible.manifest.clone();
    let (checks, thresholds) = blocking(move || {
        let thresholds = Thresholds::of(&storage.study(&at_work))?;
        Ok((read_checks(&storage, &at_work, &manifest)?, thresholds))
    })
    .await?;
    if checks.is_empty() {
        return Err(nothing(place));
    }
    say!("{:<36}{:<15}{:<7}{:>12}{:>12}  verdict", "check", "category", "weight", "asked of", "violations");
    let mut counts = [0_u64; 3];
    for check in &checks {
        let verdict = thresholds.judge(check).verdict;
        let place = match verdict {
            Verdict::Fail => 0,
            Verdict::Pass => 1,
            Verdict::NotApplicable => 2,
        };
        counts[place] += 1;
        if all || verdict == Verdict::Fail {
            say!(
                "{:<36}{:<15}{:<7}{:>12}{:>12}  {}",
                check.check_id,
                check.category,
                check.severity,
                check.denominator,
                check.violations,
                verdict.name()
            );
        }
    }
    say!("{} fail, {} pass, {} are not applicable", counts[0], counts[1], counts[2]);
    Ok(())
}

async fn show(app: &App, place: &Place, check: String, rows: u64) -> Result<()> {
    let scope = place.operator(app).await?.scope.to_read();
    let visible = work::newest(app, &scope).await?.ok_or_else(|| nothing(place))?;
    let (storage, manifest) = (app.storage.clone(), visible.manifest.clone());
    let (found, findings, thresholds) = blocking(move || {
        let thresholds = Thresholds::of(&storage.study(&scope))?;
        let checks = read_checks(&storage, &scope, &manifest)?;
        let known = checks.into_iter().find(|row| row.check_id == check).ok_or_else(|| {
            Failure::Usage(format!("the snapshot has no check `{check}`; see `cairn quality list --all`"))
        })?;
        let findings = read_findings(&storage, &scope, (&manifest, &check), (0, rows))?;
        Ok((known, findings, thresholds))
    })
    .await?;
    let judged = thresholds.judge(&found);
    say!("{} (version {}, {}, {})", found.check_id, found.version, found.category, found.severity);
    say!("  {}", found.description);
    say!("  remedy: {}", found.remedy);
    say!("  {} of {} rows violate it: {}", found.violations, found.denominator, judged.verdict.name());
    if let Some(threshold) = judged.threshold {
        say!("  accepted: {} ({}: {})", threshold.words(), threshold.owner, threshold.reason);
    }
    for finding in &findings {
        say!(
            "  {:<16}{:<8}row {:<8}{}: {}{}",
            finding.subject_id.as_deref().unwrap_or("-"),
            finding.site_id.as_deref().unwrap_or("-"),
            finding.source_row.map_or_else(|| "-".to_owned(), |row| row.to_string()),
            finding.column,
            finding.value.as_deref().map_or_else(String::new, |value| format!("`{value}`: ")),
            finding.message
        );
    }
    if found.violations > findings.len() as u64 {
        say!("  and {} more", found.violations - findings.len() as u64);
    }
    Ok(())
}

fn nothing(place: &Place) -> Failure {
    Failure::NotThere(format!("`{}` has no checked snapshot; ingest something first", place.study))
}
