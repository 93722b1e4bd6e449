//! `cairn marts history`.

use kernel::RunId;

use super::build::print;
use crate::app::App;
use crate::cli::engineer::Place;
use crate::cli::say::say;
use crate::error::{Failure, Result};
use crate::work::mart_runs;

/// What of the history.
#[derive(Debug, Clone, Copy)]
pub(super) enum Wanted {
    /// The newest builds, so many.
    List(u32),
    /// The newest build.
    Last,
    /// One build.
    One(RunId),
}

/// A build is looked for among so many.
const LOOKED_AT: u32 = 10_000;

impl Wanted {
    pub(super) const fn of(last: bool, run: Option<RunId>, limit: u32) -> Self {
        match (last, run) {
            (true, _) => Self::Last,
            (false, Some(id)) => Self::One(id),
            (false, None) => Self::List(limit),
        }
    }
}

pub(super) async fn run(app: &App, place: &Place, wanted: Wanted, json: bool) -> Result<()> {
    let scope = place.operator(app).await?.scope.to_read();
    let nothing =
        || Failure::NotThere(format!("a build of the marts of `{}`; run `cairn marts build`", place.study));
    let at_most = match wanted {
        Wanted::List(limit) => limit,
        Wanted::Last => 1,
        Wanted::One(_) => LOOKED_AT,
    };
    let mut rows = app.control.mart_runs(&scope, at_most).await?;
    if let Wanted::One(id) = wanted {
        rows.retain(|row| row.id == id);
    }
    if rows.is_empty() {
        return Err(nothing());
    }
    if let Wanted::List(_) = wanted {
        say!(
            "{:<38}{:<22}{:<11}{:>6}{:>8}{:>8}{:>9}{:>9}  snapshot",
            "run",
            "ended",
            "status",
            "made",
            "shared",
            "errors",
            "warnings",
            "ms"
        );
        for row in rows {
            let took = (row.finished_at - row.started_at).num_milliseconds();
            let snapshot = row.snapshot.map_or_else(|| "-".to_owned(), |id| id.to_string());
            let as_of =
                row.sources_as_of.map_or_else(String::new, |at| format!(" as of {}", at.to_rfc3339()));
            say!(
                "{:<38}{:<22}{:<11}{:>6}{:>8}{:>8}{:>9}{took:>9}  {snapshot}{as_of}",
                row.id.to_string(),
                row.finished_at.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
                row.status.name(),
                row.made,
                row.shared,
                row.errors,
                row.warnings
            );
        }
        return Ok(());
    }
    for row in rows {
        let record = mart_runs::read(app, &scope, &row).await?;
        if json {
            let text =
                serde_json::to_string_pretty(&record).map_err(|error| Failure::Lost(error.to_string()))?;
            say!("{text}");
            continue;
        }
        say!("run {} {} of {}", row.id, row.status.name(), record.selection);
        say!("from {} to {}, by Cairn {}", record.started_at, record.finished_at, record.code_version);
        say!("reads snapshot {}", record.based_on);
        print(&record);
    }
    Ok(())
}
