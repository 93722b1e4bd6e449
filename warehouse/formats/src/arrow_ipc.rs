//! Arrow IPC, with a footer (`.arrow`, Feather 2) or as a stream.
//!
//! The reader library takes memory as messages promise it; so each message is looked at before.

mod messages;

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::ipc::reader::{FileReader, StreamReader};

use crate::arrow_text::{Portions, column_of, text_batch};
use crate::dataset::{Column, Dataset, Format, check_cells, check_columns};
use crate::error::file_name;
use crate::guard::guarded;
use crate::source::{Source, stem};
use crate::text::schema;
use crate::{Error, Result};

const FORMAT: &str = "Arrow IPC";
/// How a file with a footer begins and ends.
pub(crate) const MAGIC: &[u8] = b"ARROW1";

/// Looks at every message, then reads every row.
pub(crate) fn check(path: &Path, format: Format) -> Result<Dataset> {
    let file = file_name(path);
    let rows = messages::check(path, format).map_err(|reason| match reason {
        messages::Refusal::Io(source) => Error::io("read", path, source),
        messages::Refusal::Reason(reason) => Error::damaged(&file, FORMAT, reason),
    })?;
    let reader = Reader::open(path, format)?;
    let columns: Vec<Column> = reader.schema().fields().iter().map(|field| column_of(field)).collect();
    check_columns(&file, FORMAT, &columns)?;
    let length = path.metadata().map_err(|source| Error::io("measure", path, source))?.len();
    check_cells(&file, FORMAT, rows, &columns, length)?;
    let dataset = Dataset {
        name: stem(path),
        label: String::new(),
        format,
        encoding: "utf-8",
        created_at: None,
        columns,
        rows: Some(rows),
        file,
    };
    let mut source = ArrowSource::open(path, &dataset)?;
    while source.next_batch()?.is_some() {}
    if source.row != rows {
        let (file, found) = (&dataset.file, source.row);
        return Err(Error::damaged(
            file,
            FORMAT,
            format!("its messages promise {rows} rows, it holds {found}"),
        ));
    }
    Ok(dataset)
}

enum Reader {
    File(FileReader<BufReader<File>>),
    Stream(StreamReader<BufReader<File>>),
}

impl Reader {
    fn open(path: &Path, format: Format) -> Result<Self> {
        let name = file_name(path);
        let file = BufReader::new(File::open(path).map_err(|source| Error::io("open", path, source))?);
        let failed = |error: ArrowError| Error::damaged(&name, FORMAT, error.to_string());
        guarded(&name, FORMAT, || match format {
            Format::ArrowFile => FileReader::try_new(file, None).map(Self::File).map_err(failed),
            _ => StreamReader::try_new(file, None).map(Self::Stream).map_err(failed),
        })
    }

    fn schema(&self) -> SchemaRef {
        match self {
            Self::File(reader) => reader.schema(),
            Self::Stream(reader) => reader.schema(),
        }
    }

    fn next(&mut self, file: &str, row: u64) -> Result<Option<RecordBatch>> {
        let failed = |error: ArrowError| Error::damaged(file, FORMAT, format!("behind row {row}: {error}"));
        guarded(file, FORMAT, || {
            let batch = match self {
                Self::File(reader) => reader.next(),
                Self::Stream(reader) => reader.next(),
            };
            batch.transpose().map_err(failed)
        })
    }
}

/// The rows of an Arrow file that was checked.
pub(crate) struct ArrowSource {
    dataset: Dataset,
    reader: Reader,
    schema: SchemaRef,
    portions: Portions,
    row: u64,
}

impl ArrowSource {
    pub(crate) fn open(path: &Path, dataset: &Dataset) -> Result<Self> {
        let reader = Reader::open(path, dataset.format)?;
        let (schema, portions) = (schema(&dataset.columns), Portions::default());
        Ok(Self { schema, dataset: dataset.clone(), reader, portions, row: 0 })
    }
}

impl Source for ArrowSource {
    fn dataset(&self) -> &Dataset {
        &self.dataset
    }

    fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        let Self { dataset, reader, schema, portions, row } = self;
        guarded(&dataset.file, FORMAT, || {
            let batch = portions.next(|| reader.next(&dataset.file, *row))?;
            *row += batch.as_ref().map_or(0, |batch| batch.num_rows() as u64);
            batch.map(|batch| text_batch(&batch, dataset, FORMAT, schema)).transpose()
        })
    }
}
