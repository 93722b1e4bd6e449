//! The only read of published tables, and it needs a scope: batches of one table of one snapshot.

use std::collections::VecDeque;
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{AsArray, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{Int64Type, Schema, SchemaRef};
use kernel::{Read, StudyScope};
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::file::metadata::ParquetMetaData;
use parquet::file::statistics::Statistics;

use crate::snapshot::{DataFile, Manifest};
use crate::storage::Storage;
use crate::{Error, Result, table_writer};

/// A table being read, file by file, batch by batch.
pub struct TableScan {
    schema: SchemaRef,
    rows: u64,
    files: VecDeque<PathBuf>,
    reader: Option<ParquetRecordBatchReader>,
    batch_rows: usize,
    only: Option<Only>,
}

/// Where the rows of a published table are, for an engine that reads Parquet by itself.
#[derive(Debug, Clone)]
pub struct TableFiles {
    /// The columns, as every file has them.
    pub schema: SchemaRef,
    /// The files.
    pub files: Vec<DataFile>,
}

impl TableFiles {
    /// Finds a table of the snapshot that `manifest` describes. What is masked is not there for a blinded scope.
    ///
    /// # Errors
    /// [`Error::NoTable`]; [`Error::Corrupt`] when the manifest is not this scope's or a file is not there.
    pub fn open(
        storage: &Storage,
        scope: &StudyScope<Read>,
        manifest: &Manifest,
        table: &str,
    ) -> Result<Self> {
        if manifest.masked.contains(table) && !scope.is_unblinded() {
            return Err(Error::NoTable { table: table.to_owned() });
        }
        let files = manifest.table(table)?.files.clone();
        let first = files
            .first()
            .ok_or_else(|| Error::Corrupt { key: String::new(), reason: "it has no file".into() })?;
        let schema = plain(open_file(&storage.study(scope).path(&first.key)?)?.schema());
        Ok(Self { schema, files })
    }
}

/// Rows whose key column has one value.
#[derive(Debug, Clone)]
struct Only {
    column: String,
    key: i64,
}

impl std::fmt::Debug for TableScan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TableScan").field("rows", &self.rows).finish_non_exhaustive()
    }
}

impl TableScan {
    /// Opens a table of the snapshot that `manifest` describes. What is masked is not there for a blinded scope.
    ///
    /// # Errors
    /// [`Error::NoTable`]; [`Error::Corrupt`] when the manifest is not this scope's or a file is not there.
    pub fn open(
        storage: &Storage,
        scope: &StudyScope<Read>,
        manifest: &Manifest,
        table: &str,
        batch_rows: usize,
    ) -> Result<Self> {
        let found = TableFiles::open(storage, scope, manifest, table)?;
        let of_study = storage.study(scope);
        let paths = found.files.iter().map(|file| of_study.path(&file.key)).collect::<Result<_>>()?;
        let rows = found.files.iter().map(|file| file.rows).sum();
        Ok(Self { schema: found.schema, rows, files: paths, reader: None, batch_rows, only: None })
    }

    /// Only the rows whose key `column` (64-bit, such as `subject_sk`) is `key`. Parts of a file whose
    /// statistics exclude it are not read.
    #[must_use]
    pub fn only(self, column: &str, key: i64) -> Self {
        Self { only: Some(Only { column: column.to_owned(), key }), ..self }
    }

    /// The columns, as every batch has them.
    #[must_use]
    pub const fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Rows of the whole table.
    #[must_use]
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    /// One Parquet file of all rows, held in memory.
    ///
    /// # Errors
    /// As the iterator, and [`Error::Parquet`].
    pub fn into_parquet(self) -> Result<Vec<u8>> {
        table_writer::bytes(&self.schema.clone(), self)
    }

    /// All rows at once, for tables that are small by their nature.
    ///
    /// # Errors
    /// As the iterator.
    pub fn collect_all(self) -> Result<Vec<RecordBatch>> {
        self.collect()
    }
}

impl Iterator for TableScan {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(batch) = self.reader.as_mut().and_then(Iterator::next) {
                let batch = batch.map_err(Error::arrow("read a published table"));
                return Some(batch.and_then(|batch| self.conform(&batch)));
            }
            let path = self.files.pop_front()?;
            let reader = open_file(&path).and_then(|builder| {
                let builder = match &self.only {
                    Some(only) => {
                        let groups = only.row_groups(&builder);
                        builder.with_row_groups(groups)
                    }
                    None => builder,
                };
                builder.with_batch_size(self.batch_rows).build().map_err(Error::parquet("read", &path))
            });
            match reader {
                Ok(reader) => self.reader = Some(reader),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

impl TableScan {
    fn conform(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        let columns = batch.columns().to_vec();
        let batch = RecordBatch::try_new(self.schema.clone(), columns)
            .map_err(Error::arrow("read a published table"))?;
        match &self.only {
            Some(only) => only.filter(&batch),
            None => Ok(batch),
        }
    }
}

impl Only {
    /// The row groups whose statistics do not exclude the key.
    fn row_groups(&self, builder: &ParquetRecordBatchReaderBuilder<File>) -> Vec<usize> {
        let metadata = builder.metadata();
        let schema = metadata.file_metadata().schema_descr();
        let column = schema.columns().iter().position(|column| column.name() == self.column);
        let may_hold = |group: &usize| {
            let statistics = column.and_then(|column| metadata.row_group(*group).column(column).statistics());
            let Some(Statistics::Int64(bounds)) = statistics else { return true };
            bounds.min_opt().is_none_or(|min| *min <= self.key)
                && bounds.max_opt().is_none_or(|max| *max >= self.key)
        };
        (0..metadata.num_row_groups()).filter(may_hold).collect()
    }

    fn filter(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        let Some(keys) =
            batch.column_by_name(&self.column).and_then(|keys| keys.as_primitive_opt::<Int64Type>())
        else {
            return Err(Error::NoTable { table: format!("with a key `{}`", self.column) });
        };
        let is_key: BooleanArray = keys.iter().map(|key| Some(key == Some(self.key))).collect();
        filter_record_batch(batch, &is_key).map_err(Error::arrow("filter a published table"))
    }
}

/// Files in groups, of which each has values of a 64-bit `column` above all those of the group before it, as far as their
/// statistics tell.
pub(crate) fn apart_by(files: &[PathBuf], column: &str) -> Result<Vec<Vec<PathBuf>>> {
    let (mut groups, mut highest): (Vec<Vec<PathBuf>>, Option<i64>) = (Vec::new(), None);
    for file in files {
        let bounds = bounds(open_file(file)?.metadata(), column);
        let is_above = bounds.is_some_and(|(low, _)| highest.is_none_or(|highest| highest < low));
        match groups.last_mut().filter(|_| !is_above) {
            Some(group) => group.push(file.clone()),
            None => groups.push(vec![file.clone()]),
        }
        // What has no bounds is above and below anything.
        let high = bounds.map_or(i64::MAX, |(_, high)| high);
        highest = Some(highest.map_or(high, |highest| highest.max(high)));
    }
    Ok(groups)
}

/// The lowest and the highest value of a 64-bit column; none when the file does not tell.
fn bounds(file: &ParquetMetaData, column: &str) -> Option<(i64, i64)> {
    let schema = file.file_metadata().schema_descr();
    let place = schema.columns().iter().position(|found| found.name() == column)?;
    let mut bounds: Option<(i64, i64)> = None;
    for group in file.row_groups() {
        let Some(Statistics::Int64(found)) = group.column(place).statistics() else { return None };
        let (low, high) = (*found.min_opt()?, *found.max_opt()?);
        bounds = Some(bounds.map_or((low, high), |(lowest, highest)| (lowest.min(low), highest.max(high))));
    }
    bounds
}

/// The names of a file's columns.
pub(crate) fn columns(path: &PathBuf) -> Result<Vec<String>> {
    Ok(open_file(path)?.schema().fields().iter().map(|field| field.name().clone()).collect())
}

fn open_file(path: &PathBuf) -> Result<ParquetRecordBatchReaderBuilder<File>> {
    let file = File::open(path).map_err(|source| Error::io("open", path, source))?;
    ParquetRecordBatchReaderBuilder::try_new(file).map_err(Error::parquet("open", path))
}

/// The schema without the writer's own notes, so that what is announced equals what is sent.
fn plain(schema: &SchemaRef) -> SchemaRef {
    let fields: Vec<_> = schema
        .fields()
        .iter()
        .map(|field| field.as_ref().clone().with_metadata(Default::default()))
        .collect();
    Arc::new(Schema::new(fields))
}
