//! What must hold of a star before it is published: no fact is lost, every member is there once, and every key
//! of a fact names a member.

use std::collections::BTreeSet;

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;

use super::StarTable;
use crate::engine::{Engine, identifier};
use crate::{Error, Result};

/// Refuses a dimension that has a member twice: every fact of it would count twice.
pub(super) fn members(engine: &Engine, table: &StarTable) -> Result<()> {
    let Some(dimension) = table.name.strip_prefix("dim_") else { return Ok(()) };
    let count = format!("SELECT count(*) - count(DISTINCT {dimension}_sk) FROM {}", table.name);
    match engine.count(&format!("check the members of `{}`", table.name), &count)? {
        0 => Ok(()),
        rows => Err(Error::RepeatedMember { table: table.name.to_owned(), rows }),
    }
}

/// Refuses a fact that lost or doubled records of the entity whose records are its rows.
pub(super) fn rows(engine: &Engine, table: &StarTable) -> Result<()> {
    let Some(entity) = table.rows_of else { return Ok(()) };
    let step = format!("count the rows of `{}`", table.name);
    let rows = engine.count(&step, &format!("SELECT count(source_row_id) FROM {}", table.name))?;
    let records = engine.count(&step, &format!("SELECT count(*) FROM {}", identifier(entity)))?;
    if rows == records {
        return Ok(());
    }
    Err(Error::LostRows { table: table.name.to_owned(), entity: entity.to_owned(), rows, records })
}

/// Refuses a key that names no member of its dimension. The word before `_sk` is the dimension:
/// `start_time_sk` is a key of `dim_time`. Pairs of which neither table is of `built` were checked before.
pub(super) fn relationships(engine: &Engine, tables: &[StarTable], built: &BTreeSet<&str>) -> Result<()> {
    let columns = columns(engine)?;
    for table in tables {
        let keys = columns.iter().filter(|(of, _)| of == table.name).filter_map(|(_, column)| {
            let dimension = dimension_of(column).filter(|dimension| dimension != table.name)?;
            let is_new = built.contains(table.name) || built.contains(dimension.as_str());
            is_new.then_some((column.as_str(), dimension))
        });
        check_keys(engine, table.name, &keys.collect::<Vec<_>>())?;
    }
    Ok(())
}

/// One pass over the table for all its keys; a null is no member.
fn check_keys(engine: &Engine, table: &str, keys: &[(&str, String)]) -> Result<()> {
    if keys.is_empty() {
        return Ok(());
    }
    let lost = keys.iter().map(|(column, dimension)| {
        let key = dimension.trim_start_matches("dim_");
        format!("count(*) FILTER (({column} IN (SELECT {key}_sk FROM {dimension})) IS NOT TRUE)")
    });
    let query = format!("SELECT {} FROM {table}", lost.collect::<Vec<_>>().join(", "));
    let counts = engine.query(&format!("check the keys of `{table}`"), &query)?;
    for (index, (column, dimension)) in keys.iter().enumerate() {
        let rows: i64 =
            counts.iter().map(|batch| batch.column(index).as_primitive::<Int64Type>().value(0)).sum();
        if rows != 0 {
            return Err(Error::BrokenRelationship {
                table: table.to_owned(),
                column: (*column).to_owned(),
                dimension: dimension.clone(),
                rows: rows.unsigned_abs(),
            });
        }
    }
    Ok(())
}

/// Every column of every table that is open, with its table.
fn columns(engine: &Engine) -> Result<Vec<(String, String)>> {
    let query = "SELECT table_name, column_name FROM duckdb_columns() WHERE NOT internal ORDER BY table_name, column_index";
    let batches = engine.query("list the columns of the star", query)?;
    let mut columns = Vec::new();
    for batch in &batches {
        let [tables, names] = [0, 1].map(|index| batch.column(index).as_string::<i32>());
        let pairs = tables.iter().flatten().zip(names.iter().flatten());
        columns.extend(pairs.map(|(table, name)| (table.to_owned(), name.to_owned())));
    }
    Ok(columns)
}

fn dimension_of(column: &str) -> Option<String> {
    let role = column.strip_suffix("_sk")?;
    Some(format!("dim_{}", role.rsplit('_').next().unwrap_or(role)))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::engine::Limits;

    fn check_relationship(dimension: &str, fact: &str) -> Result<()> {
        let folder = tempfile::tempdir().expect("a folder");
        let engine = Engine::open(&[], folder.path(), &Limits::default()).expect("the engine starts");
        for (name, rows) in [("dim_site", dimension), ("fact_ae", fact)] {
            let file: PathBuf = folder.path().join(format!("{name}.parquet"));
            engine
                .copy("write", &format!("SELECT * FROM (VALUES {rows}) AS t(site_sk)"), &file)
                .expect("written");
            engine.view(name, &[file]).expect("opened");
        }
        let tables = super::super::TABLES.iter().filter(|table| table.name == "fact_ae");
        let tables: Vec<StarTable> = tables.map(|table| StarTable { ..*table }).collect();
        relationships(&engine, &tables, &BTreeSet::from(["fact_ae"]))
    }

    #[test]
    fn a_key_without_a_member_is_refused_with_its_table_column_and_rows() {
        assert!(check_relationship("(1), (-1)", "(1), (1), (-1)").is_ok());
        for (fact, rows) in [("(1), (2), (2)", 2), ("(1), (NULL)", 1)] {
            let refused = check_relationship("(1), (-1)", fact).expect_err("refused");
            let named = matches!(&refused, Error::BrokenRelationship { table, column, dimension, rows: found }
                if table == "fact_ae" && column == "site_sk" && dimension == "dim_site" && *found == rows);
            assert!(named, "{refused}");
        }
    }

    #[test]
    fn the_word_before_the_suffix_names_the_dimension() {
        assert_eq!(dimension_of("start_time_sk").as_deref(), Some("dim_time"));
        assert_eq!(dimension_of("site_sk").as_deref(), Some("dim_site"));
        assert_eq!(dimension_of("site_dk"), None);
    }
}
