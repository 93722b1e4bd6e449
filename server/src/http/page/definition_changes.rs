//! What people changed of definitions, as pages show it: who, when, why, and both values.

use frontend::view::DefinitionChange;
use kernel::{Read, StudyScope};

use crate::app::App;
use crate::error::Result;
use crate::work::definitions::{ChangeSaid, said};

/// The changes of the definitions that are `wanted`, newest first.
pub(super) async fn of(
    app: &App,
    scope: &StudyScope<Read>,
    wanted: impl Fn(&str) -> bool,
) -> Result<Vec<DefinitionChange>> {
    let rows = app.control.definition_changes(scope).await?;
    let changes = said(rows)?.into_iter().rev().filter(|change| wanted(&change.row.definition));
    Ok(changes.map(view).collect())
}

fn view(change: ChangeSaid) -> DefinitionChange {
    DefinitionChange {
        title: change.title,
        place: if change.row.study.is_some() { "this study" } else { "every study" }.to_owned(),
        before: change.before,
        after: change.after,
        reason: change.row.reason,
        by: change.row.changed_by,
        at_unix_s: change.row.changed_at.timestamp(),
    }
}
