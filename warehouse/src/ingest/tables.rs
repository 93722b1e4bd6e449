//! Small tables that the comparison needs beside the rows: the delivery's stamp, what was set aside, and the
//! cuts after it. They cross to the engine as Parquet, typed as canon is.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{ArrayRef, FixedSizeBinaryArray, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Field, Schema};
use chrono::{DateTime, Utc};

use super::corrupt;
use super::files::SetAside;
use crate::Result;
use crate::conform::Stamp;
use crate::contract::Entity;
use crate::storage::Staging;
use crate::table_writer::TableWriter;

pub(super) const STAMP: &str = "stamp.parquet";
pub(super) const MISFITS: &str = "misfit-records.parquet";
pub(super) const LATER_CUTS: &str = "later-cuts.parquet";

pub(super) fn write_stamp(staging: &Staging, stamp: &Stamp) -> Result<()> {
    write(
        staging,
        STAMP,
        vec![
            ("batch_id", texts([stamp.batch.to_string()].iter().map(String::as_str))),
            ("extracted_at", instants([stamp.extracted_at])),
            ("received_at", instants([stamp.received_at])),
        ],
    )
}

pub(super) fn write_later_cuts(staging: &Staging, cuts: &BTreeMap<String, DateTime<Utc>>) -> Result<()> {
    let columns = vec![
        ("dataset", texts(cuts.keys().map(String::as_str))),
        ("extracted_at", instants(cuts.values().copied())),
    ];
    write(staging, LATER_CUTS, columns)
}

/// The records whose rows did not fit.
pub(super) fn write_misfits(staging: &Staging, misfits: &[SetAside]) -> Result<()> {
    let row_ids: Vec<u8> = misfits.iter().flat_map(|aside| aside.misfit.row_id).collect();
    let columns = vec![
        ("entity", texts(misfits.iter().map(|aside| aside.entity.as_str()))),
        ("row_id", Arc::new(FixedSizeBinaryArray::new(16, row_ids.into(), None)) as ArrayRef),
    ];
    write(staging, MISFITS, columns)
}

/// A file of the entity's schema without rows.
pub(super) fn write_empty(staging: &Staging, entity: &Entity) -> Result<PathBuf> {
    let path = staging.path(&format!("empty-{}.parquet", entity.name));
    TableWriter::create(&path, &entity.schema())?.close()?;
    Ok(path)
}

fn texts<'a>(values: impl Iterator<Item = &'a str>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

fn instants(values: impl IntoIterator<Item = DateTime<Utc>>) -> ArrayRef {
    let micros = values.into_iter().map(|at| at.timestamp_micros());
    Arc::new(TimestampMicrosecondArray::from_iter_values(micros).with_timezone("UTC"))
}

fn write(staging: &Staging, name: &str, columns: Vec<(&str, ArrayRef)>) -> Result<()> {
    let fields: Vec<Field> = columns
        .iter()
        .map(|(name, array)| {
            let kind: &DataType = array.data_type();
            Field::new(*name, kind.clone(), false)
        })
        .collect();
    let schema = Arc::new(Schema::new(fields));
    let arrays = columns.into_iter().map(|(_, array)| array).collect();
    let batch = RecordBatch::try_new(schema.clone(), arrays).map_err(|error| corrupt(name, &error))?;
    let mut writer = TableWriter::create(&staging.path(name), &schema)?;
    writer.write(&batch)?;
    writer.close().map(drop)
}
