//! `cairn marts build`.

use chrono::{DateTime, Utc};
use marts::{Order, Publication, Run, Severity, Status, Tested};
use warehouse::engine::Limits;

use crate::app::App;
use crate::cli::Bars;
use crate::cli::say::say;
use crate::error::Result;
use crate::work::{self, Engineer};

/// Builds whatever changed.
pub(crate) async fn build_everything(app: &App, engineer: &Engineer) -> Result<()> {
    let order = Order { limits: Limits::default(), ..Order::default() };
    run(app, engineer, order, None).await.map(drop)
}

/// Builds, prints what became of each mart and what its tests found, and fails when one failed.
pub(super) async fn run(
    app: &App,
    engineer: &Engineer,
    order: Order,
    as_of: Option<DateTime<Utc>>,
) -> Result<Publication> {
    let bars = Bars::new("building marts");
    let cancel = order.cancel.clone();
    let listening = tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            cancel.now();
        }
    });
    let built = match as_of {
        None => work::marts::build(app, engineer, order, bars.teller()).await,
        Some(instant) => work::marts::build_past(app, engineer, (order, instant), bars.teller()).await,
    };
    bars.finish();
    listening.abort();
    let mut publication = built?;
    print(&publication.run);
    match publication.failure.take() {
        Some(failure) => Err(failure.into()),
        None => Ok(publication),
    }
}

/// A build as a table, and what its tests found.
pub(super) fn print(run: &Run) {
    say!("{:<24}{:>12}{:>12}  {:<11}why", "mart", "rows", "ms", "outcome");
    for built in &run.marts {
        let why = built.error.clone().unwrap_or_else(|| built.reasons.join("; "));
        let (ms, outcome) = (built.took_us / 1000, built.outcome.words());
        say!("{:<24}{:>12}{ms:>12}  {outcome:<11}{why}", built.mart, built.rows);
    }
    let alerts: Vec<_> = run.alerts().collect();
    for (mart, test) in &alerts {
        print_alert(*mart, test);
    }
    say!(
        "{} errors, {} warnings, {} ms",
        run.alert_count(Severity::Error),
        run.alert_count(Severity::Warning),
        run.took_us() / 1000
    );
    match (run.status, run.snapshot, run.sources_as_of) {
        (Status::Partial, Some(id), _) => {
            say!("snapshot {id} lacks marts: readers stay with the former one until all are built");
        }
        (Status::Unchanged, Some(id), Some(instant)) => {
            say!("snapshot {id} of {} was there already", instant.to_rfc3339());
        }
        (_, Some(id), Some(instant)) => say!("snapshot {id} as of {}", instant.to_rfc3339()),
        (_, Some(id), None) => say!("snapshot {id}"),
        (Status::Unchanged, None, _) => say!("nothing changed: the current snapshot stays"),
        (_, None, _) => say!("nothing was published: readers stay with the former snapshot"),
    }
}

fn print_alert(mart: Option<&str>, test: &Tested) {
    let place = match (mart, &test.column) {
        (Some(mart), Some(column)) => format!("{mart}.{column}"),
        (Some(mart), None) => mart.to_owned(),
        (None, _) => "sources".to_owned(),
    };
    say!("{}: {place}: not so: {} ({} rows)", test.severity.name(), test.test, test.rows);
    for row in &test.sample {
        let cells = row.iter().map(|(name, value)| format!("{name} {}", value.as_deref().unwrap_or("null")));
        say!("    {}", cells.collect::<Vec<_>>().join(", "));
    }
    if test.rows > test.sample.len() as u64 {
        say!("    and {} more", test.rows - test.sample.len() as u64);
    }
    match mart {
        Some(_) => say!("  next: `cairn marts lineage {place}` names the files that the values come from"),
        None => say!("  next: deliver the source again"),
    }
}
