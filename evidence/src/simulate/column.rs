//! Typed columns of a dataset: which Rust value goes into which Arrow builder.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayBuilder, ArrayRef, BooleanBuilder, Date32Builder, Float64Builder, Int8Builder, Int64Builder,
    RecordBatch, StringBuilder, TimestampMicrosecondBuilder,
};
use arrow::datatypes::{DataType, Schema, TimeUnit};
use chrono::{Datelike, NaiveDate, NaiveDateTime};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use super::error::SimulateError;

/// A column type: what a row holds, and what collects it.
pub(super) trait Kind {
    /// The value of one row.
    type In<'a>;
    /// What collects the values.
    type Builder: ArrayBuilder;

    /// The Arrow type of the column.
    fn data_type() -> DataType;
    /// An empty column.
    fn builder() -> Self::Builder;
    /// Adds the value of a row.
    fn append(builder: &mut Self::Builder, value: Self::In<'_>);
    /// Adds a row without a value.
    fn append_null(builder: &mut Self::Builder);
}

macro_rules! kind {
    ($(#[$doc:meta])* $name:ident, $value:ty, $builder:ty, $data_type:expr, $new:expr, $convert:expr) => {
        $(#[$doc])*
        pub(super) struct $name;

        impl Kind for $name {
            type In<'a> = $value;
            type Builder = $builder;

            fn data_type() -> DataType {
                $data_type
            }
            fn builder() -> Self::Builder {
                $new
            }
            fn append(builder: &mut Self::Builder, value: Self::In<'_>) {
                builder.append_value($convert(value));
            }
            fn append_null(builder: &mut Self::Builder) {
                builder.append_null();
            }
        }
    };
}

kind!(
    /// Text.
    Text, &'a str, StringBuilder, DataType::Utf8, StringBuilder::new(), std::convert::identity
);
kind!(
    /// A whole number.
    Int, i64, Int64Builder, DataType::Int64, Int64Builder::new(), std::convert::identity
);
kind!(
    /// A small whole number.
    Tiny, i8, Int8Builder, DataType::Int8, Int8Builder::new(), std::convert::identity
);
kind!(
    /// A number.
    Double, f64, Float64Builder, DataType::Float64, Float64Builder::new(), std::convert::identity
);
kind!(
    /// Yes or no.
    YesNo, bool, BooleanBuilder, DataType::Boolean, BooleanBuilder::new(), std::convert::identity
);
kind!(
    /// A day.
    Day, NaiveDate, Date32Builder, DataType::Date32, Date32Builder::new(), days_since_1970
);
kind!(
    /// An instant, in microseconds and UTC.
    Moment, NaiveDateTime, TimestampMicrosecondBuilder, utc_microseconds(),
    TimestampMicrosecondBuilder::new().with_data_type(utc_microseconds()), microseconds_since_1970
);

/// A column that may lack values.
pub(super) struct Maybe<K>(std::marker::PhantomData<K>);

impl<K: Kind> Kind for Maybe<K> {
    type In<'a> = Option<K::In<'a>>;
    type Builder = K::Builder;

    fn data_type() -> DataType {
        K::data_type()
    }
    fn builder() -> Self::Builder {
        K::builder()
    }
    fn append(builder: &mut Self::Builder, value: Self::In<'_>) {
        match value {
            Some(value) => K::append(builder, value),
            None => K::append_null(builder),
        }
    }
    fn append_null(builder: &mut Self::Builder) {
        K::append_null(builder);
    }
}

/// The builders of all columns of a dataset.
pub(super) trait Columns {
    /// The dataset, which is also its file's name.
    const DATASET: &'static str;

    /// No rows.
    fn empty() -> Self;
    /// The names and types.
    fn schema() -> Schema;
    /// The rows collected so far, which are then forgotten.
    fn take(&mut self) -> Vec<ArrayRef>;
}

/// A row that knows its dataset.
pub(super) trait Row {
    /// Where it goes.
    type Columns: Columns;

    /// Adds the row to its columns.
    fn append(self, columns: &mut Self::Columns);
}

/// Rows of a row group, which is what memory holds at most of a dataset.
pub(super) const ROWS_PER_GROUP: usize = 65_536;

/// How every Parquet file is written.
pub(super) fn writer_properties() -> WriterProperties {
    // INVARIANT: nothing in the file depends on anything but the rows, so the writer's name is fixed.
    WriterProperties::builder()
        .set_created_by("cairn simulated extract".to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_max_row_group_row_count(Some(ROWS_PER_GROUP))
        .build()
}

/// One dataset on its way into its file.
pub(super) struct Dataset<C> {
    columns: C,
    rows: usize,
    schema: Arc<Schema>,
    writer: ArrowWriter<File>,
}

impl<C: Columns> Dataset<C> {
    /// Rows that are collected before they are encoded.
    const ROWS_PER_BATCH: usize = 8_192;

    /// Begins the file of a dataset in a folder.
    pub(super) fn create(folder: &Path) -> Result<Self, SimulateError> {
        let path = folder.join(format!("{}.parquet", C::DATASET));
        let file = File::create(&path).map_err(|source| SimulateError::Write { path, source })?;
        let schema = Arc::new(C::schema());
        let writer = ArrowWriter::try_new(file, Arc::clone(&schema), Some(writer_properties()))
            .map_err(Self::encode)?;
        Ok(Self { columns: C::empty(), rows: 0, schema, writer })
    }

    /// Adds a row.
    pub(super) fn push<R: Row<Columns = C>>(&mut self, row: R) -> Result<(), SimulateError> {
        row.append(&mut self.columns);
        self.rows += 1;
        if self.rows < Self::ROWS_PER_BATCH { Ok(()) } else { self.flush() }
    }

    /// Writes what is left and closes the file.
    pub(super) fn finish(mut self) -> Result<(), SimulateError> {
        self.flush()?;
        self.writer.close().map(drop).map_err(Self::encode)
    }

    fn flush(&mut self) -> Result<(), SimulateError> {
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), self.columns.take())
            .map_err(|source| SimulateError::Assemble { dataset: C::DATASET, source })?;
        self.rows = 0;
        self.writer.write(&batch).map_err(Self::encode)
    }

    fn encode(source: parquet::errors::ParquetError) -> SimulateError {
        SimulateError::Encode { dataset: C::DATASET, source }
    }
}

fn utc_microseconds() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

fn days_since_1970(day: NaiveDate) -> i32 {
    const DAYS_BEFORE_1970: i32 = 719_163;
    day.num_days_from_ce() - DAYS_BEFORE_1970
}

fn microseconds_since_1970(moment: NaiveDateTime) -> i64 {
    moment.and_utc().timestamp_micros()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_from_1970() {
        let day = |year, month, day| NaiveDate::from_ymd_opt(year, month, day).expect("the day exists");
        assert_eq!(days_since_1970(day(1970, 1, 1)), 0);
        // By hand: 30 years of 365 days and 7 leap days.
        assert_eq!(days_since_1970(day(2000, 1, 1)), 10_957);
    }
}
