//! What was said of a subject before. Rows are never changed: a correction is a later snapshot that says otherwise, so that
//! snapshots are held against each other; and what a source told of its own corrections is in `fact_correction`.

use std::collections::{BTreeMap, BTreeSet};

use axum::response::Response;
use flight::published::Visible;
use frontend::view::{Corrections, RowCorrection, SourceCorrection};
use kernel::{Read, StudyScope};

use super::Visit;
use super::subjects::{recorded, subject_rows};
use crate::error::Result;
use crate::mart_rows::Rows;

/// Snapshots, the one shown among them, that are held against each other.
const LOOKED_AT: usize = 12;
/// The source's own corrections.
const TRAIL: &str = "fact_correction";
/// The digits by which a row is named.
const ROW_DIGITS: usize = 8;

/// Everything that former snapshots said otherwise of the rows `now`, which `visible` shows of a subject, and what the
/// sources told of it. Each table that is read is an event of the ledger.
pub(super) async fn of_subject(
    visit: &Visit<'_>,
    (scope, visible): (&StudyScope<Read>, &Visible),
    (table, key): (&str, i64),
    now: &Rows,
) -> Result<Corrections, Response> {
    let app = &visit.state.app;
    let trail = trail(visit, (scope, visible), key).await?;
    let reasons = trail.as_deref().unwrap_or_default();
    let former = app.control.snapshots(scope).await.map_err(|error| visit.fail(error))?;
    let mut found = Corrections { snapshots: 1, ..Corrections::default() };
    let mut after = (visible.clone(), now.clone());
    for row in former.into_iter().filter(|row| row.seq < visible.row.seq).take(LOOKED_AT - 1) {
        let before = app.published.open(scope, row).map_err(|failure| visit.fail(failure))?;
        found.snapshots += 1;
        let content = |one: &Visible| one.manifest.tables.get(table).map(warehouse::snapshot::Table::content);
        let Some(known) = content(&before) else { continue };
        if Some(known) == content(&after.0) {
            after.0 = before;
            continue;
        }
        let reading = subject_rows(app, (scope, &before), table, key);
        let rows = recorded(visit, (scope, &before), table, reading).await?;
        found.changes.extend(differences(&rows, &after.1, after.0.row.published_at.timestamp(), reasons));
        after = (before, rows);
    }
    found.trail = trail;
    Ok(found)
}

/// What the audit trails say of a subject, newest first; none where the table is not there for this reader.
async fn trail(
    visit: &Visit<'_>,
    (scope, visible): (&StudyScope<Read>, &Visible),
    key: i64,
) -> Result<Option<Vec<SourceCorrection>>, Response> {
    if !visible.manifest.tables.contains_key(TRAIL) {
        // It is masked, or the snapshot is from before there was this table.
        return Ok(None);
    }
    let reading = subject_rows(&visit.state.app, (scope, visible), TRAIL, key);
    let rows = recorded(visit, (scope, visible), TRAIL, reading).await?;
    let [items, before, after, reasons, users] =
        ["item_id", "old_value", "new_value", "reason", "user_ref"].map(|name| rows.optional_texts(name));
    let times = rows.integers("occurred_ts");
    let entry = |row: usize| SourceCorrection {
        item: items[row].clone().unwrap_or_default(),
        before: before[row].clone().unwrap_or_default(),
        after: after[row].clone().unwrap_or_default(),
        reason: reasons[row].clone().filter(|reason| !reason.trim().is_empty()),
        by: users[row].clone().unwrap_or_else(|| "not told".to_owned()),
        at_unix_s: times[row].unwrap_or_default().div_euclid(1_000_000),
    };
    let mut entries: Vec<SourceCorrection> = (0..rows.len()).map(entry).collect();
    entries.sort_by(|a, b| b.at_unix_s.cmp(&a.at_unix_s).then_with(|| a.item.cmp(&b.item)));
    Ok(Some(entries))
}

/// The cells in which two snapshots say different things of one row of canon, and the rows that are gone, with those that
/// came as they went: a source without keys of its own takes a row back and tells another. Keys of the star are no values.
fn differences(
    before: &Rows,
    after: &Rows,
    published_unix_s: i64,
    trail: &[SourceCorrection],
) -> Vec<RowCorrection> {
    let ((names, before), (new_names, after)) = (before.cells(), after.cells());
    let place = |names: &[String], name: &str| names.iter().position(|known| known == name);
    let (Some(old_id), Some(new_id)) = (place(&names, "source_row_id"), place(&new_names, "source_row_id"))
    else {
        return Vec::new();
    };
    let now: BTreeMap<&str, &Vec<String>> = after.iter().map(|row| (row[new_id].as_str(), row)).collect();
    let mut found = Vec::new();
    let whole = |id: &str, before: String, after: String| RowCorrection {
        row: id.chars().take(ROW_DIGITS).collect(),
        column: "the row".to_owned(),
        before,
        after,
        published_unix_s,
        reason: None,
    };
    let mut is_one_gone = false;
    for old in before.iter().filter(|row| !row[old_id].is_empty()) {
        let row: String = old[old_id].chars().take(ROW_DIGITS).collect();
        let Some(new) = now.get(old[old_id].as_str()) else {
            found.push(whole(&old[old_id], in_words(&names, old), "taken back".to_owned()));
            is_one_gone = true;
            continue;
        };
        for (at, name) in names.iter().enumerate().filter(|(_, name)| is_value(name)) {
            let Some(new_at) = place(&new_names, name) else { continue };
            let (old, new) = (&old[at], &new[new_at]);
            if old != new {
                let told = trail.iter().find(|entry| entry.before == *old && entry.after == *new);
                found.push(RowCorrection {
                    row: row.clone(),
                    column: name.clone(),
                    before: old.clone(),
                    after: new.clone(),
                    published_unix_s,
                    reason: told.and_then(|entry| entry.reason.clone()),
                });
            }
        }
    }
    if is_one_gone {
        let known: BTreeSet<&str> = before.iter().map(|row| row[old_id].as_str()).collect();
        let came =
            after.iter().filter(|row| !row[new_id].is_empty() && !known.contains(row[new_id].as_str()));
        found.extend(came.map(|new| whole(&new[new_id], "not there".to_owned(), in_words(&new_names, new))));
    }
    found
}

/// What a row says.
fn in_words(names: &[String], row: &[String]) -> String {
    let cells = names.iter().zip(row).filter(|(name, cell)| is_value(name) && !cell.is_empty());
    cells.map(|(name, cell)| format!("{name}: {cell}")).collect::<Vec<_>>().join("; ")
}

fn is_value(column: &str) -> bool {
    !column.ends_with("_sk") && !column.ends_with("_dk") && column != "source_row_id"
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};

    use super::*;

    fn rows(ids: &[&str], severities: &[&str], keys: &[i64]) -> Rows {
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("subject_sk", Arc::new(Int64Array::from(keys.to_vec()))),
            ("severity", Arc::new(StringArray::from(severities.to_vec()))),
            ("source_row_id", Arc::new(StringArray::from(ids.to_vec()))),
        ];
        Rows::of(RecordBatch::try_from_iter(columns).expect("columns of one length"))
    }

    #[test]
    fn a_changed_value_and_a_row_that_is_gone_are_corrections_and_a_key_or_a_row_that_only_came_is_none() {
        let before =
            rows(&["aaaaaaaa01", "bbbbbbbb02", "cccccccc03"], &["MILD", "MILD", "SEVERE"], &[1, 1, 1]);
        let after =
            rows(&["dddddddd04", "cccccccc03", "aaaaaaaa01"], &["MILD", "SEVERE", "SEVERE"], &[1, 1, 2]);
        let trail = [SourceCorrection {
            before: "MILD".to_owned(),
            after: "SEVERE".to_owned(),
            reason: Some("misread".to_owned()),
            ..SourceCorrection::default()
        }];
        let found = differences(&before, &after, 7, &trail);
        let told: Vec<_> = found
            .iter()
            .map(|one| (&*one.row, &*one.column, &*one.before, &*one.after, one.reason.as_deref()))
            .collect();
        assert_eq!(
            told,
            [
                ("aaaaaaaa", "severity", "MILD", "SEVERE", Some("misread")),
                ("bbbbbbbb", "the row", "severity: MILD", "taken back", None),
                ("dddddddd", "the row", "not there", "severity: MILD", None),
            ]
        );
        let ids = ["dddddddd04", "cccccccc03", "aaaaaaaa01", "eeeeeeee05"];
        let later = rows(&ids, &["MILD", "SEVERE", "SEVERE", "MILD"], &[1; 4]);
        assert!(differences(&after, &later, 7, &[]).is_empty(), "a row that only came");
        assert_eq!(differences(&before, &after, 7, &[])[0].reason, None, "nobody told why");
    }
}
