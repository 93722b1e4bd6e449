//! Parquet files whose bytes depend on nothing but their rows.

use std::fs::File;
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use crate::{Error, Result};

/// Columns that hold hashes.
const HASHES: [&str; 3] = ["row_id", "row_hash", "source_record_id"];

/// Writes one file, batch by batch; what is held in memory is one row group.
pub struct TableWriter {
    path: PathBuf,
    writer: ArrowWriter<File>,
    rows: u64,
}

impl TableWriter {
    /// Creates the file.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::Parquet`] when it cannot be created.
    pub fn create(path: &Path, schema: &SchemaRef) -> Result<Self> {
        Self::create_with(path, schema, true)
    }

    /// Creates a file without dictionaries, for many rows of numbers that repeat in runs: those compress as well without,
    /// in half the time.
    ///
    /// # Errors
    /// As [`TableWriter::create`].
    pub fn create_plain(path: &Path, schema: &SchemaRef) -> Result<Self> {
        Self::create_with(path, schema, false)
    }

    fn create_with(path: &Path, schema: &SchemaRef, dictionaries: bool) -> Result<Self> {
        let file = File::create(path).map_err(|source| Error::io("create", path, source))?;
        let writer = ArrowWriter::try_new(file, schema.clone(), Some(properties(dictionaries)));
        Ok(Self { path: path.to_owned(), writer: writer.map_err(Error::parquet("create", path))?, rows: 0 })
    }

    /// Appends rows of the schema.
    ///
    /// # Errors
    /// [`Error::Parquet`] when they cannot be written.
    pub fn write(&mut self, rows: &RecordBatch) -> Result<()> {
        self.rows += rows.num_rows() as u64;
        self.writer.write(rows).map_err(Error::parquet("write", &self.path))
    }

    /// Finishes the file; returns its rows.
    ///
    /// # Errors
    /// [`Error::Parquet`] when the footer cannot be written.
    pub fn close(self) -> Result<u64> {
        self.writer.close().map_err(Error::parquet("write", &self.path))?;
        Ok(self.rows)
    }
}

/// The bytes of one file with these rows.
///
/// # Errors
/// [`Error::Parquet`] when they cannot be written, and what reading them refuses.
pub(crate) fn bytes(
    schema: &SchemaRef,
    batches: impl Iterator<Item = Result<RecordBatch>>,
) -> Result<Vec<u8>> {
    let failed = |source| Error::parquet("write", Path::new("memory"))(source);
    let mut writer =
        ArrowWriter::try_new(Vec::new(), schema.clone(), Some(properties(true))).map_err(failed)?;
    for batch in batches {
        writer.write(&batch?).map_err(failed)?;
    }
    writer.into_inner().map_err(failed)
}

fn properties(dictionaries: bool) -> WriterProperties {
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_max_row_group_row_count(Some(262_144))
        .set_dictionary_enabled(dictionaries)
        .set_created_by("cairn".to_owned());
    // Hashes do not repeat and have no order that means anything: a dictionary or bounds would only cost.
    for column in HASHES {
        let column = ColumnPath::from(column);
        properties = properties
            .set_column_dictionary_enabled(column.clone(), false)
            .set_column_statistics_enabled(column, EnabledStatistics::None);
    }
    properties.build()
}
