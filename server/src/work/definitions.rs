//! The definitions of indicators and tolerance limits: which are in force in a study, and changing them.

use control::{DefinitionChangeRow, NewDefinitionChange, in_force};
use kernel::{Grants, Read, StudyScope};
use marts::{Change, Definitions, Override, Reach};

use super::Engineer;
use crate::app::App;
use crate::error::{Failure, Result};

/// What somebody wants a definition to be.
#[derive(Debug)]
pub(crate) enum Wanted {
    /// Changed in these points; what was changed before stays.
    Changed(Change),
    /// As if nothing had been changed at that place.
    Reset,
}

/// The definitions by which a study's marts are made.
///
/// # Errors
/// When the changes cannot be read, or no longer fit the shipped definitions.
pub(crate) async fn of_study(app: &App, scope: &StudyScope<Read>) -> Result<Definitions> {
    let rows = app.control.definition_changes(scope).await?;
    Ok(Definitions::with(&overrides(&rows)?)?)
}

/// Changes a definition in a study, or, with grants that reach every study, in all of them. Marts that work by it are due.
///
/// # Errors
/// A refusal when the definition is not known, or could not be used; nothing is kept then.
pub(crate) async fn set(
    app: &App,
    engineer: &Engineer,
    everywhere: Option<&Grants>,
    (definition, wanted, reason): (&str, Wanted, &str),
) -> Result<DefinitionChangeRow> {
    let rows = app.control.definition_changes(&engineer.scope.to_read()).await?;
    let reach = if everywhere.is_some() { Reach::Tenant } else { Reach::Study };
    let mut known = overrides(&rows)?;
    let before = known.iter().position(|over| over.id == definition && over.reach == reach);
    let before = before.map(|place| known.swap_remove(place).change);
    if !Definitions::shipped()?.has(definition) {
        return Err(Failure::NotThere(format!(
            "the definition `{definition}`; `cairn marts definitions list` names them"
        )));
    }
    let change = match (wanted, before) {
        (Wanted::Reset, None) => {
            return Err(Failure::Usage(format!(
                "nothing was changed of `{definition}` there, so that there is nothing to reset"
            )));
        }
        (Wanted::Reset, Some(_)) => None,
        (Wanted::Changed(change), _) if change.is_empty() => {
            return Err(Failure::Usage(
                "say what is to change: thresholds, weights, accrual, shares or whether it is shown".into(),
            ));
        }
        (Wanted::Changed(change), before) => Some(before.unwrap_or_default().with(change)),
    };
    if let Some(change) = &change {
        known.push(Override { id: definition.to_owned(), reach, version: 0, change: change.clone() });
    }
    Definitions::with(&known)?;
    let change = change.map(|change| change.to_text());
    let new = NewDefinitionChange { definition: definition.to_owned(), change, reason: reason.to_owned() };
    let (control, actor) = (&app.control, &engineer.actor);
    Ok(match everywhere {
        None => control.change_definition(actor, &engineer.scope, new, &engineer.trace).await?,
        Some(grants) => control.change_definition_everywhere(actor, grants, new, &engineer.trace).await?,
    })
}

fn overrides(rows: &[DefinitionChangeRow]) -> Result<Vec<Override>> {
    let over = |row: &DefinitionChangeRow| {
        Ok(Override {
            id: row.definition.clone(),
            reach: if row.study.is_some() { Reach::Study } else { Reach::Tenant },
            version: row.version,
            change: Change::parse(&row.definition, row.change.as_deref().unwrap_or("{}"))?,
        })
    };
    in_force(rows).into_iter().map(over).collect()
}
