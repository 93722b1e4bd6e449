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

/// A change of a definition, with what it changed for the study whose rows they are.
#[derive(Debug)]
pub(crate) struct ChangeSaid {
    pub(crate) row: DefinitionChangeRow,
    /// The definition's title.
    pub(crate) title: String,
    /// The values that were changed, as they were before,
    pub(crate) before: String,
    /// and as they are since.
    pub(crate) after: String,
}

/// Every change with its old and its new values, oldest first.
///
/// # Errors
/// When a change no longer fits the shipped definitions.
pub(crate) fn said(mut rows: Vec<DefinitionChangeRow>) -> Result<Vec<ChangeSaid>> {
    rows.sort_by_key(|row| (row.changed_at, row.study.is_some(), row.version));
    let mut known: Vec<DefinitionChangeRow> = Vec::new();
    let mut before = Definitions::shipped()?.clone();
    let mut found = Vec::new();
    for row in rows {
        known.push(row.clone());
        let after = Definitions::with(&overrides(&known)?)?;
        let (old, new) = (values(&before, &row.definition), values(&after, &row.definition));
        let differ = |at: &usize| old[*at].1 != new[*at].1;
        let places: Vec<usize> = (0..old.len().min(new.len())).filter(differ).collect();
        let words = |values: &[(&str, String)]| {
            let texts = places.iter().map(|at| format!("{}: {}", values[*at].0, values[*at].1));
            let joined = texts.collect::<Vec<_>>().join("; ");
            if joined.is_empty() { "the same in this study".to_owned() } else { joined }
        };
        let title = title(&after, &row.definition);
        found.push(ChangeSaid { title, before: words(&old), after: words(&new), row });
        before = after;
    }
    Ok(found)
}

fn title(all: &Definitions, id: &str) -> String {
    let indicators = all.indicators().iter().map(|one| (&one.id, &one.title));
    let mut titles = indicators.chain(all.limits().iter().map(|one| (&one.id, &one.title)));
    titles.find(|(known, _)| *known == id).map_or_else(|| id.to_owned(), |(_, title)| title.clone())
}

/// Everything of a definition that can be changed, in words.
fn values(all: &Definitions, id: &str) -> Vec<(&'static str, String)> {
    fn list<T: ToString>(numbers: &[T]) -> String {
        numbers.iter().map(T::to_string).collect::<Vec<_>>().join(", ")
    }
    let shown = |is_shown: bool| ("shown", if is_shown { "yes" } else { "no" }.to_owned());
    if let Some(one) = all.indicators().iter().find(|one| one.id == id) {
        return vec![
            ("thresholds", list(&one.thresholds)),
            ("flags", list(&one.flags)),
            ("weights", list(&one.weights)),
            ("accrual on", one.accrual.on.name().to_owned()),
            ("least accrual", one.accrual.least.to_string()),
            shown(one.shown),
        ];
    }
    let limit = all.limits().iter().find(|one| one.id == id);
    limit.map_or_else(Vec::new, |one| {
        vec![
            ("expected", one.expected.to_string()),
            ("secondary limit", one.secondary().to_string()),
            ("limit", one.tolerated.to_string()),
            ("least units", one.least_units.to_string()),
            shown(one.shown),
        ]
    })
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    fn row(study: Option<&str>, version: i64, change: Option<&str>, second: i64) -> DefinitionChangeRow {
        DefinitionChangeRow {
            study: study.map(|study| study.parse().expect("a study's code")),
            definition: "kri0006".to_owned(),
            version,
            change: change.map(str::to_owned),
            reason: "the plan".to_owned(),
            changed_by: "operator".to_owned(),
            changed_at: DateTime::from_timestamp(second, 0).expect("an instant"),
        }
    }

    #[test]
    fn a_change_says_the_value_before_and_after_and_one_that_is_overruled_says_so() {
        let told = said(vec![
            row(Some("S1"), 1, Some(r#"{"thresholds":[4.0,5.0]}"#), 1),
            row(None, 1, Some(r#"{"thresholds":[6.0,7.0]}"#), 2),
            row(Some("S1"), 2, None, 3),
        ])
        .expect("they fit");
        let words: Vec<_> = told.iter().map(|one| (one.before.as_str(), one.after.as_str())).collect();
        assert_eq!(
            words,
            [
                // As shipped: `cairn marts definitions show kri0006`.
                ("thresholds: 2, 3", "thresholds: 4, 5"),
                ("the same in this study", "the same in this study"),
                ("thresholds: 4, 5", "thresholds: 6, 7"),
            ]
        );
        assert_ne!(told[0].title, "kri0006");
    }
}
