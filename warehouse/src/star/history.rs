//! What is known of each member, now and before: the versions of canon, of all source systems together.
//!
//! This is the one place where several sources become one member, and where a member's past is read. For each of
//! [`MERGED`] there are two tables: `<entity>_states`, one row per natural key and instant at which a source said
//! something new about it, and `<entity>_members`, the state of now.

use crate::contract::{self, Column, ColumnType, Entity};
use crate::engine::{Engine, identifier};
use crate::{Error, Result};

/// The entities that name members of dimensions.
pub(super) const MERGED: &[&str] = &["study", "study_parameter", "site", "subject", "planned_visit"];

/// Makes the two tables of every merged entity over the views `<entity>` and `<entity>_versions`.
///
/// # Errors
/// [`Error::RepeatedMember`] when one source system has several records of one member; which of them counts cannot
/// be told.
pub(super) fn open(engine: &Engine) -> Result<()> {
    for name in MERGED {
        let entity = contract::entity(name)?;
        let rows = engine.count(&format!("look for repeated members in `{name}`"), &repeated(entity))?;
        if rows > 0 {
            return Err(Error::RepeatedMember { table: (*name).to_owned(), rows });
        }
        engine.run(&format!("read the history of `{name}`"), &statements(entity))?;
    }
    Ok(())
}

/// The statements behind [`open`] for one entity; none for an entity that is not merged.
pub(super) fn definition(entity: &str) -> Result<String> {
    if MERGED.contains(&entity) { contract::entity(entity).map(statements) } else { Ok(String::new()) }
}

/// Counts records beyond the first of their natural key in their source system.
fn repeated(entity: &Entity) -> String {
    format!(
        "SELECT coalesce(sum(records - 1), 0)::BIGINT FROM (
             SELECT count(*) AS records FROM {} GROUP BY source_system, {})",
        identifier(&entity.name),
        key(entity)
    )
}

fn key(entity: &Entity) -> String {
    entity.key().map(|column| identifier(&column.name)).collect::<Vec<_>>().join(", ")
}

fn statements(entity: &Entity) -> String {
    let (name, key) = (&entity.name, key(entity));
    let merged: Vec<String> = entity.columns.iter().flat_map(merged).collect();
    format!(
        "CREATE OR REPLACE TEMP TABLE {name}_states AS
         WITH told AS (
             -- The last word of each record in each extract.
             SELECT *, source_precedence(source_system) AS precedence FROM {name}_versions
             QUALIFY row_number() OVER (
                 PARTITION BY row_id, source_extract_ts ORDER BY sys_from_ts DESC, row_hash) = 1
         ),
         instants AS (
             SELECT DISTINCT {key}, source_extract_ts AS said_at FROM told
         ),
         known AS (
             -- What each record said at each instant.
             SELECT told.*, said_at FROM instants JOIN told USING ({key})
             WHERE source_extract_ts <= said_at
             QUALIFY row_number() OVER (PARTITION BY {key}, said_at, row_id ORDER BY source_extract_ts DESC) = 1
         ),
         ranked AS (
             SELECT *, row_number() OVER (
                 PARTITION BY {key}, said_at ORDER BY precedence, source_system, row_id) AS rank
             FROM known WHERE op <> 'D'
         )
         SELECT said_at, {merged} FROM ranked GROUP BY {key}, said_at;
         CREATE OR REPLACE TEMP TABLE {name}_members AS
         SELECT * EXCLUDE (said_at) FROM {name}_states SEMI JOIN (
             SELECT {key}, max(source_extract_ts) AS said_at FROM {name}_versions GROUP BY {key}
         ) AS newest USING ({key}, said_at);",
        merged = merged.join(", ")
    )
}

/// The columns that one column of canon gives: its merged value, and what is derived from a partial date, which
/// always comes from the source that gave the date.
fn merged(column: &Column) -> Vec<String> {
    let name = identifier(&column.name);
    if column.is_key {
        return vec![name];
    }
    // `arg_min` passes over nulls, `arg_min_null` does not.
    let stated = format!("arg_min({name}, rank)");
    match column.kind {
        // A source that has no place for the answer says no: a yes of any source stands.
        ColumnType::Bool => vec![format!("bool_or({name}) AS {name}")],
        // The same for a text that must be there.
        ColumnType::Text if !column.nullable => {
            vec![format!("coalesce(arg_min(nullif({name}, 'UNKNOWN'), rank), {stated}) AS {name}")]
        }
        _ if column.is_partial_date() => {
            let stem = column.name.trim_end_matches("_dtc");
            let derived = |part: &str| {
                let derived = identifier(&format!("{stem}_{part}"));
                format!("arg_min_null({derived}, rank) FILTER ({name} IS NOT NULL) AS {derived}")
            };
            let mut columns = vec![format!("{stated} AS {name}")];
            columns.extend(["date", "min", "max", "prec"].map(derived));
            columns
        }
        _ => vec![format!("{stated} AS {name}")],
    }
}
