//! Columns that came after files had been written without them. Where no file of a table has such a column, it reads as
//! null: a store of an earlier version is read as it is, and nothing is rewritten.

use std::path::PathBuf;

use crate::Result;
use crate::engine::{Engine, identifier};

/// Tables of canon and of the star with their later columns, all of them texts that may be null.
const LATER: &[(&str, &[&str])] =
    &[("site", &["cro", "monitor_id"]), ("dim_site", &["cro", "monitor_pseudonym"])];

/// Names `view` over the files of `table`, with every later column.
///
/// # Errors
/// [`crate::Error::Engine`] when a file cannot be read.
pub(crate) fn open(engine: &Engine, table: &str, view: &str, files: &[PathBuf]) -> Result<()> {
    let Some((_, columns)) = LATER.iter().find(|(name, _)| *name == table) else {
        return engine.view(view, files);
    };
    let stored = format!("{view}_stored");
    engine.view(&stored, files)?;
    let nulls: Vec<String> =
        columns.iter().map(|column| format!("CAST(NULL AS VARCHAR) AS {}", identifier(column))).collect();
    let query = format!(
        "SELECT * FROM {} UNION ALL BY NAME SELECT {} WHERE false",
        identifier(&stored),
        nulls.join(", ")
    );
    engine.define(&format!("open the columns of `{view}`"), (view, &query))
}

#[cfg(test)]
mod tests {
    use arrow::array::AsArray;

    use super::*;
    use crate::contract;
    use crate::engine::Limits;
    use crate::star::TABLES;

    fn check_read(stored: &str, cro: Option<&str>) {
        let folder = tempfile::tempdir().expect("a folder");
        let engine = Engine::open(&[], folder.path(), &Limits::default()).expect("the engine starts");
        let file = folder.path().join("dim_site.parquet");
        engine.copy("write", stored, &file).expect("written");
        open(&engine, "dim_site", "sites", &[file]).expect("opened");
        let query = "SELECT site_id, cro, monitor_pseudonym FROM sites ORDER BY site_id";
        let rows = engine.query("read", query).expect("read");
        let text = |column: usize| rows[0].column(column).as_string::<i32>().iter().next().flatten();
        assert_eq!((text(0), text(1), text(2)), (Some("001"), cro, None));
    }

    #[test]
    fn a_file_of_an_earlier_version_reads_as_null_and_a_later_one_as_it_is() {
        check_read("SELECT '001' AS site_id", None);
        check_read(
            "SELECT '001' AS site_id, 'Oakfield' AS cro, CAST(NULL AS VARCHAR) AS monitor_pseudonym",
            Some("Oakfield"),
        );
    }

    #[test]
    fn every_later_column_of_canon_is_a_text_that_may_be_null() {
        for (table, columns) in
            LATER.iter().filter(|(table, _)| TABLES.iter().all(|star| star.name != *table))
        {
            let entity = contract::entity(table).expect("it is an entity of canon");
            for name in *columns {
                let column = entity.column(name).expect("it is a column");
                assert!(column.nullable && column.kind == contract::ColumnType::Text, "{table}.{name}");
            }
        }
    }
}
