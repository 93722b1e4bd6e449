//! What must hold of a star before it is published: no fact is lost, every member is there once, and every key
//! of a fact names a member.

use std::collections::BTreeSet;
use std::path::Path;

use arrow::array::AsArray;

use super::StarTable;
use crate::engine::{Engine, identifier};
use crate::{Error, Result};

/// Refuses a dimension that has a member twice: every fact of it would count twice.
pub(super) fn members(engine: &Engine, table: &StarTable, file: &Path) -> Result<()> {
    let Some(dimension) = table.name.strip_prefix("dim_") else { return Ok(()) };
    engine.view("members", &[file.to_owned()])?;
    let count = format!("SELECT count(*) - count(DISTINCT {dimension}_sk) FROM members");
    match engine.count(&format!("check the members of `{}`", table.name), &count)? {
        0 => Ok(()),
        rows => Err(Error::RepeatedMember { table: table.name.to_owned(), rows }),
    }
}

/// Refuses a fact that lost or doubled records of the entity whose records are its rows.
pub(super) fn rows(engine: &Engine, table: &StarTable, file: &Path) -> Result<()> {
    let Some(entity) = table.rows_of else { return Ok(()) };
    engine.view("built", &[file.to_owned()])?;
    let step = format!("count the rows of `{}`", table.name);
    let rows = engine.count(&step, "SELECT count(source_row_id) FROM built")?;
    let records = engine.count(&step, &format!("SELECT count(*) FROM {}", identifier(entity)))?;
    if rows == records {
        return Ok(());
    }
    Err(Error::LostRows { table: table.name.to_owned(), entity: entity.to_owned(), rows, records })
}

/// Refuses a key that names no member of its dimension. The word before `_sk` is the dimension:
/// `start_time_sk` is a key of `dim_time`. Pairs of which neither table is of `built` were checked before.
pub(super) fn relationships(engine: &Engine, tables: &[StarTable], built: &BTreeSet<&str>) -> Result<()> {
    for table in tables {
        for column in columns(engine, table.name)? {
            let Some(dimension) = dimension_of(&column).filter(|dimension| dimension != table.name) else {
                continue;
            };
            if !built.contains(table.name) && !built.contains(dimension.as_str()) {
                continue;
            }
            let step = format!("check `{}.{column}`", table.name);
            let key = dimension.trim_start_matches("dim_");
            let lost = format!(
                "SELECT count(*) FROM {} AS fact ANTI JOIN {dimension} AS member ON member.{key}_sk = fact.{column}",
                table.name
            );
            let rows = engine.count(&step, &lost)?;
            if rows > 0 {
                return Err(Error::BrokenRelationship {
                    table: table.name.to_owned(),
                    column,
                    dimension,
                    rows,
                });
            }
        }
    }
    Ok(())
}

fn columns(engine: &Engine, table: &str) -> Result<Vec<String>> {
    let step = format!("list the columns of `{table}`");
    let batches = engine.query(&step, &format!("SELECT column_name FROM (DESCRIBE {table})"))?;
    Ok(batches
        .iter()
        .flat_map(|batch| batch.column(0).as_string::<i32>().iter().flatten().map(str::to_owned))
        .collect())
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
