//! Columns of a table as they are stored. What asks for no computing comes from the files themselves: through the engine
//! each value would be copied four times on its way.

use std::fs::File;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchReader, new_null_array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use parquet::file::metadata::ParquetMetaData;

use super::{Engine, identifier, read_parquet};
use crate::snapshot::content_of;
use crate::storage::hash_file;
use crate::{Error, Result, table};

/// Rows that are handed on at a time: what they hold stays near the processor.
const ROWS_AT_ONCE: usize = 8192;

impl Engine {
    /// Hands on some columns of a table, in that order, as they are stored: for tables of any size. Texts come as
    /// dictionaries.
    ///
    /// # Errors
    /// [`Error::Parquet`] when a file cannot be opened, [`Error::Arrow`] when it cannot be read, and as [`Engine::query`].
    pub fn scan(
        &self,
        step: &str,
        (table, columns): (&str, &[&str]),
        take: &mut dyn FnMut(&RecordBatch),
    ) -> Result<()> {
        let part = TablePart { table, files: self.files_of(table) };
        self.scan_part(step, (&part, columns), take)
    }

    /// The parts of a table, of which each has values of the 64-bit `key` above all those of the part before it, as far as
    /// that is known; a table that is no files has one.
    ///
    /// # Errors
    /// [`Error::Parquet`] when a file cannot be opened.
    pub fn parts<'a>(&self, table: &'a str, key: &str) -> Result<Vec<TablePart<'a>>> {
        let Some(files) = self.files_of(table) else { return Ok(vec![TablePart { table, files: None }]) };
        let parts = table::apart_by(&files, key)?.into_iter();
        Ok(parts.map(|files| TablePart { table, files: Some(files) }).collect())
    }

    /// [`Engine::scan`] of a part.
    ///
    /// # Errors
    /// As [`Engine::scan`].
    pub fn scan_part(
        &self,
        step: &str,
        (part, columns): (&TablePart<'_>, &[&str]),
        take: &mut dyn FnMut(&RecordBatch),
    ) -> Result<()> {
        let opened: Option<Vec<Opened>> = match &part.files {
            Some(files) => files.iter().map(|file| open(file, columns)).collect::<Result<_>>()?,
            None => None,
        };
        let alike = |files: &Vec<Opened>| files.windows(2).all(|pair| pair[0].schema == pair[1].schema);
        let Some(opened) = opened.filter(alike) else {
            return self.ask_for(step, (part, columns), take);
        };
        for Opened { reader, places, path, schema } in opened {
            let failed = || format!("{step}, reading {}", path.display());
            for batch in reader {
                self.go_on()?;
                let batch = batch.and_then(|batch| {
                    let columns = places.iter().map(|place| place.of(&batch)).collect();
                    RecordBatch::try_new(schema.clone(), columns)
                });
                take(&batch.map_err(|source| Error::arrow(&failed())(source))?);
            }
        }
        Ok(())
    }

    /// The same through the engine: of a table that is no files, or of files of which one, of an earlier version, lacks a
    /// column or has it of another type.
    fn ask_for(
        &self,
        step: &str,
        (part, columns): (&TablePart<'_>, &[&str]),
        take: &mut dyn FnMut(&RecordBatch),
    ) -> Result<()> {
        let columns: Vec<String> = columns.iter().map(|column| identifier(column)).collect();
        let from = part.files.as_deref().map_or_else(|| identifier(part.table), read_parquet);
        let query = format!("SELECT {} FROM {from}", columns.join(", "));
        self.each_until(step, &query, &mut |batch| {
            let schema = Arc::new(with_dictionaries(batch.schema_ref()));
            let columns = batch.columns().iter().zip(schema.fields());
            let columns = columns.map(|(column, field)| cast(column, field.data_type()));
            let batch =
                columns.collect::<Result<_, _>>().and_then(|columns| RecordBatch::try_new(schema, columns));
            take(&batch.map_err(Error::arrow(step))?);
            Ok(ControlFlow::Continue(()))
        })
    }
}

/// Some files of a table, or a table that is no files.
#[derive(Debug)]
pub struct TablePart<'a> {
    table: &'a str,
    files: Option<Vec<PathBuf>>,
}

impl TablePart<'_> {
    /// A hash over what its files hold; none of a table that is no files.
    ///
    /// # Errors
    /// [`Error::Io`] when a file cannot be read.
    pub fn content(&self) -> Result<Option<String>> {
        let Some(files) = &self.files else { return Ok(None) };
        let hashes: Result<Vec<String>> = files.iter().map(|file| Ok(hash_file(file)?.0)).collect();
        Ok(Some(content_of(hashes?)))
    }
}

/// A file being read.
struct Opened {
    path: PathBuf,
    reader: ParquetRecordBatchReader,
    /// What was asked for, in that order.
    schema: SchemaRef,
    /// Where each column is.
    places: Vec<Place>,
}

/// Where a column of a file is.
enum Place {
    /// Among those that are read.
    Read(usize),
    /// Nowhere: it has nulls alone, and these are so many that no batch has more.
    Void(ArrayRef),
}

impl Place {
    fn of(&self, batch: &RecordBatch) -> ArrayRef {
        match self {
            Self::Read(place) => batch.column(*place).clone(),
            Self::Void(nulls) => nulls.slice(0, batch.num_rows()),
        }
    }
}

/// Opens a file for some of its columns; none when it lacks one.
fn open(path: &Path, columns: &[&str]) -> Result<Option<Opened>> {
    let refused = |source| Error::parquet("read", path)(source);
    let file = File::open(path).map_err(|source| Error::io("open", path, source))?;
    let found = ArrowReaderMetadata::load(&file, ArrowReaderOptions::new()).map_err(refused)?;
    let all = Arc::new(with_dictionaries(found.schema()));
    let fields: Option<Vec<Field>> =
        columns.iter().map(|column| all.field_with_name(column).ok().cloned()).collect();
    let Some(fields) = fields else { return Ok(None) };
    let options = ArrowReaderOptions::new().with_schema(all);
    let metadata = ArrowReaderMetadata::try_new(found.metadata().clone(), options).map_err(refused)?;
    let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata);
    let is_void: Vec<bool> = columns.iter().map(|column| is_void(found.metadata(), column)).collect();
    let told = columns.iter().zip(&is_void).filter(|(_, is_void)| !**is_void).map(|(column, _)| *column);
    let mask = ProjectionMask::columns(builder.parquet_schema(), told);
    let reader = builder.with_projection(mask).with_batch_size(ROWS_AT_ONCE).build().map_err(refused)?;
    let read = reader.schema();
    let place = |(field, is_void): (&Field, &bool)| {
        let nulls = is_void.then(|| Place::Void(new_null_array(field.data_type(), ROWS_AT_ONCE)));
        nulls.or_else(|| read.index_of(field.name()).ok().map(Place::Read))
    };
    let places: Option<Vec<Place>> = fields.iter().zip(&is_void).map(place).collect();
    let schema = Arc::new(Schema::new(fields));
    Ok(places.map(|places| Opened { path: path.to_owned(), reader, schema, places }))
}

/// Whether a file says of a column that it has nulls alone.
fn is_void(file: &ParquetMetaData, column: &str) -> bool {
    file.row_groups().iter().all(|group| {
        let chunk = group.columns().iter().find(|chunk| chunk.column_path().string() == column);
        let nulls = chunk.and_then(|chunk| chunk.statistics()?.null_count_opt());
        nulls.is_some() && nulls == u64::try_from(group.num_rows()).ok()
    })
}

/// So that a text that repeats is not copied for each of its rows.
fn with_dictionaries(schema: &Schema) -> Schema {
    let field = |field: &Arc<Field>| match field.data_type() {
        DataType::Utf8 => {
            let kind = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
            field.as_ref().clone().with_data_type(kind)
        }
        _ => field.as_ref().clone(),
    };
    Schema::new_with_metadata(
        schema.fields().iter().map(field).collect::<Vec<_>>(),
        schema.metadata().clone(),
    )
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array, AsArray};
    use arrow::datatypes::Int64Type;

    use super::*;
    use crate::engine::Limits;

    const ROWS: &str =
        "SELECT CASE WHEN i % 3 > 0 THEN 'text ' || i % 5 END AS word, i, i % 7 AS n FROM range(20000) t(i)";

    /// The number and whether there is a text, row by row, of the columns `i` and `word`.
    fn scanned(engine: &Engine) -> Vec<(i64, bool)> {
        let mut rows = Vec::new();
        engine
            .scan("read", ("words", &["i", "word"]), &mut |batch| {
                assert_eq!(batch.num_columns(), 2);
                let (numbers, texts) = (batch.column(0).as_primitive::<Int64Type>(), batch.column(1));
                rows.extend((0..batch.num_rows()).map(|row| (numbers.value(row), texts.is_valid(row))));
            })
            .expect("the table is read");
        rows
    }

    fn expected() -> Vec<(i64, bool)> {
        (0..20_000).map(|i| (i, i % 3 > 0)).collect()
    }

    #[test]
    fn an_engine_that_was_told_to_end_answers_nothing_more() {
        let folder = tempfile::tempdir().expect("a folder");
        let engine = Engine::open(&[], folder.path(), &Limits::default()).expect("the engine starts");
        let file = folder.path().join("words.parquet");
        engine.copy("write", ROWS, &file).expect("the file is written");
        engine.view("words", std::slice::from_ref(&file)).expect("the file is opened");
        let other = engine.another().expect("another connection");
        engine.interrupt().now();
        for engine in [&engine, &other] {
            let scanned = engine.scan("read", ("words", &["i"]), &mut |_| panic!("nothing is read"));
            let answers = [
                scanned,
                engine.go_on(),
                engine.query("ask", "SELECT 1").map(drop),
                engine.count("count", "SELECT 1").map(drop),
                engine.copy("write", ROWS, &file).map(drop),
                engine.run("run", "SELECT 1"),
            ];
            assert!(answers.iter().all(|answer| matches!(answer, Err(Error::Cancelled))), "{answers:?}");
        }
    }

    fn engine() -> (tempfile::TempDir, Engine) {
        let folder = tempfile::tempdir().expect("a folder");
        let engine = Engine::open(&[], folder.path(), &Limits::default()).expect("the engine starts");
        (folder, engine)
    }

    #[test]
    fn columns_come_in_the_order_asked_from_every_file_and_at_every_seat() {
        let (folder, engine) = engine();
        let files = [(0, 15_000), (15_000, 20_000)].map(|(first, end)| {
            let file = folder.path().join(format!("{first}.parquet"));
            let query = format!("SELECT * FROM ({ROWS}) WHERE i >= {first} AND i < {end}");
            engine.copy("write", &query, &file).expect("written");
            file
        });
        engine.view("words", &files).expect("opened");
        assert_eq!(scanned(&engine), expected());
        assert_eq!(scanned(&engine.another().expect("another seat")), expected());
    }

    fn is_void_of(folder: &tempfile::TempDir, file: &str, column: &str) -> bool {
        let file = File::open(folder.path().join(file)).expect("it is there");
        let found = ArrowReaderMetadata::load(&file, ArrowReaderOptions::new()).expect("it has a footer");
        is_void(found.metadata(), column)
    }

    // A file is written in groups of 122,880 rows.
    #[test]
    fn a_column_with_nulls_alone_in_some_groups_of_rows_is_read() {
        let (folder, engine) = engine();
        let query = "SELECT CASE WHEN i >= 125000 THEN 'late' END AS word, i FROM range(130000) t(i)";
        let file = folder.path().join("words.parquet");
        engine.copy("write", query, &file).expect("written");
        engine.view("words", &[file]).expect("opened");
        assert!(!is_void_of(&folder, "words.parquet", "word"));
        let told = scanned(&engine).iter().filter(|(_, has_text)| *has_text).count();
        assert_eq!(told, 5000);
    }

    #[test]
    fn columns_with_nulls_alone_are_nulls_of_their_kind() {
        let (folder, engine) = engine();
        let write = |name: &str, query: &str| {
            let file = folder.path().join(name);
            engine.copy("write", query, &file).expect("written");
            file
        };
        let kinds =
            "CAST(NULL AS VARCHAR) AS word, CAST(NULL AS BIGINT) AS n, CAST(NULL AS BOOLEAN) AS truth";
        let void = write("void.parquet", &format!("SELECT {kinds}, i FROM range(20000) t(i)"));
        let told = write(
            "told.parquet",
            "SELECT 'one' AS word, CAST(1 AS BIGINT) AS n, true AS truth, CAST(7 AS BIGINT) AS i",
        );
        let empty = write("empty.parquet", &format!("SELECT {kinds}, i FROM range(0) t(i)"));
        engine.view("words", &[void, empty, told]).expect("opened");
        let read = |columns: &[&str]| {
            let (mut rows, mut valid, mut kinds) = (0, vec![0; columns.len()], Vec::new());
            engine
                .scan("read", ("words", columns), &mut |batch| {
                    rows += batch.num_rows();
                    kinds = batch.columns().iter().map(|column| column.data_type().clone()).collect();
                    for (valid, column) in valid.iter_mut().zip(batch.columns()) {
                        *valid += batch.num_rows() - column.null_count();
                    }
                })
                .expect("the table is read");
            (rows, valid, kinds)
        };
        let (rows, valid, kinds) = read(&["truth", "i", "word"]);
        assert_eq!((rows, valid), (20_001, vec![1, 20_001, 1]));
        assert!(
            matches!(kinds[..], [DataType::Boolean, DataType::Int64, DataType::Dictionary(..)]),
            "{kinds:?}"
        );
        assert!(is_void_of(&folder, "void.parquet", "word") && !is_void_of(&folder, "void.parquet", "i"));
        assert!(!is_void_of(&folder, "told.parquet", "word"));
        let (rows, valid, _) = read(&["n", "word"]);
        assert_eq!((rows, valid), (20_001, vec![1, 1]), "with nothing to read in the first file");
    }

    #[test]
    fn a_table_that_is_no_files_and_a_file_that_lacks_a_column_are_asked_of_the_engine() {
        let (folder, engine) = engine();
        engine.run("make a table", &format!("CREATE VIEW words AS {ROWS}")).expect("it is new");
        assert_eq!(scanned(&engine), expected());
        let file = folder.path().join("without.parquet");
        engine.copy("write", "SELECT i FROM range(5) t(i)", &file).expect("written");
        let whole = folder.path().join("whole.parquet");
        engine.copy("write", &format!("SELECT * FROM ({ROWS}) LIMIT 2"), &whole).expect("written");
        engine.view("words", &[file, whole]).expect("opened");
        let found = scanned(&engine);
        assert_eq!(found.len(), 7);
        assert!(found[..6].iter().all(|(_, has_text)| !has_text) && found[6] == (1, true), "{found:?}");
    }

    #[test]
    fn files_with_different_types_and_a_name_that_came_to_mean_a_query_are_asked_of_the_engine() {
        let (folder, engine) = engine();
        let files = ["INTEGER", "BIGINT"].map(|kind| {
            let file = folder.path().join(format!("{kind}.parquet"));
            let query = format!("SELECT word, CAST(i AS {kind}) AS i FROM ({ROWS}) LIMIT 3");
            engine.copy("write", &query, &file).expect("written");
            file
        });
        engine.view("words", &files).expect("opened");
        assert_eq!(scanned(&engine), [&expected()[..3], &expected()[..3]].concat());
        engine.define("name a query", ("Words", ROWS)).expect("named");
        assert_eq!(scanned(&engine), expected());
    }

    #[test]
    fn a_file_that_is_not_there_any_more_is_told() {
        let (folder, engine) = engine();
        let file = folder.path().join("words.parquet");
        engine.copy("write", ROWS, &file).expect("written");
        engine.view("words", std::slice::from_ref(&file)).expect("opened");
        std::fs::remove_file(&file).expect("removed");
        let refused = engine.scan("read", ("words", &["i"]), &mut |_| {}).expect_err("it is gone");
        assert!(refused.to_string().contains("words.parquet"), "{refused}");
    }
}
