//! `cairn marts limits`.

use clap::Subcommand;
use marts::tolerance::{Alarm, characteristics};

use crate::app::App;
use crate::cli::engineer::Place;
use crate::cli::say::say;
use crate::error::{Failure, Result};
use crate::work::definitions::of_study;
use crate::work::limit_alarms;

/// What to do with the tolerance limits of a study.
#[derive(Debug, Subcommand)]
pub(crate) enum LimitsCommand {
    /// List the limits that the study's sources answer, with the state of each alarm.
    List {
        #[command(flatten)]
        place: Place,
    },
    /// Say what each method of a limit is worth: how often, and how soon, it raises an alarm in simulated studies.
    Characteristics {
        #[command(flatten)]
        place: Place,
        /// The limit: `qtl_ineligible`.
        limit: String,
        /// How many units, mostly subjects, the study comes to.
        #[arg(long, value_parser = clap::value_parser!(u32).range(12..=100_000))]
        units: u32,
    },
}

pub(super) async fn run(app: &App, command: LimitsCommand) -> Result<()> {
    match command {
        LimitsCommand::List { place } => list(app, &place).await,
        LimitsCommand::Characteristics { place, limit, units } => worth(app, &place, (&limit, units)).await,
    }
}

async fn list(app: &App, place: &Place) -> Result<()> {
    let scope = place.operator(app).await?.scope.to_read();
    let nothing = || Failure::NotThere(format!("marts of `{}`; run `cairn marts build`", place.study));
    let visible = app.published.current(&scope).await?.ok_or_else(nothing)?;
    say!("{:<32}{:>14}{:>9}{:>11}{:>11}  alarm", "limit", "counted", "share", "secondary", "tolerated");
    for limit in limit_alarms::read(app, &scope, &visible).await? {
        let now = limit.course.last();
        let (events, units) = now.map_or((0, 0), |said| (said.events, said.units));
        #[expect(clippy::cast_precision_loss, reason = "a share of counts needs no more than 53 bits")]
        let share = events as f64 / units.max(1) as f64;
        let alarm = match limit.alarm {
            Alarm::Ok => "ok",
            Alarm::Warn => "warn",
            Alarm::Breach => "breach",
            Alarm::Acknowledged(_) => "acknowledged",
            Alarm::Resolved(_) => "resolved",
        };
        let counted = format!("{events} of {units}");
        say!(
            "{:<32}{counted:>14}{share:>9.4}{:>11.4}{:>11.4}  {alarm}",
            limit.id,
            limit.secondary,
            limit.tolerated
        );
    }
    Ok(())
}

async fn worth(app: &App, place: &Place, (id, units): (&str, u32)) -> Result<()> {
    let all = of_study(app, &place.operator(app).await?.scope.to_read()).await?;
    let limit = all.limits().iter().find(|limit| limit.id == id).cloned();
    let limit = limit.ok_or_else(|| {
        Failure::Usage(format!("there is no limit `{id}`; `cairn marts definitions list` names them"))
    })?;
    let found = crate::work::blocking(move || Ok(characteristics(&limit, units)?)).await?;
    say!("{:<26}{:>12}{:>9}{:>11}{:>20}", "method", "true share", "breach", "secondary", "looks to breach");
    for fares in found {
        let looks = fares.found.snapshots_to_breach.map_or("-".to_owned(), |looks| format!("{looks:.1}"));
        say!(
            "{:<26}{:>12.4}{:>9.3}{:>11.3}{looks:>20}",
            fares.method,
            fares.truth,
            fares.found.breach,
            fares.found.secondary
        );
    }
    Ok(())
}
