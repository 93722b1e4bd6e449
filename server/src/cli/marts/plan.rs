//! `cairn marts build --dry-run`: what would be built, and why.

use chrono::{DateTime, Utc};
use marts::{Action, Planned};

use super::What;
use crate::app::App;
use crate::cli::engineer::Place;
use crate::cli::say::say;
use crate::error::Result;
use crate::work;

pub(super) async fn show(app: &App, place: &Place, what: &What, as_of: Option<DateTime<Utc>>) -> Result<()> {
    let engineer = place.operator(app).await?;
    let selection = what.selection();
    let planned = work::marts::plan(app, &engineer, (&selection, what.full_refresh), as_of).await?;
    print(&planned);
    Ok(())
}

pub(super) fn print(planned: &[Planned]) {
    say!("{:<24}{:<18}why", "mart", "would");
    for step in planned {
        let reasons: Vec<String> = step.reasons.iter().map(ToString::to_string).collect();
        say!("{:<24}{:<18}{}", step.mart.name, step.action.words(), reasons.join("; "));
    }
    let count = |action| planned.iter().filter(|step| step.action == action).count();
    say!(
        "{} to make, {} to make if what they read changes, {} to share, {} left out; nothing was written",
        count(Action::Make),
        count(Action::MakeIfChanged),
        count(Action::Share),
        count(Action::LeaveOut)
    );
}
