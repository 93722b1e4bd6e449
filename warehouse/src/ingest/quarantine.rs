//! Rows that did not fit, kept with their values beside the raw files they stand in.

use std::sync::Arc;

use arrow::array::{AsArray, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Int64Type, Schema};

use super::corrupt;
use super::files::{SetAside, Staged};
use crate::Result;
use crate::conform::Misfit;
use crate::engine::{Engine, literal};
use crate::snapshot::{DataFile, Zone};
use crate::storage::Staging;
use crate::table_writer::TableWriter;

/// Why a row is set aside whose key came before.
pub(super) const REPEATED: &str = "its key occurs before in the same delivery";

/// The rows beyond the first of their record, in the order of their files.
pub(super) fn repeated(engine: &Engine, entity: &str, staged: &[Staged]) -> Result<Vec<SetAside>> {
    let step = format!("set the repeated rows of `{entity}` aside");
    let part = |staged: &Staged| {
        format!(
            "SELECT {} AS file, source_dataset, source_row, source_record_id, row_id, row_hash FROM read_parquet({})",
            literal(&staged.source_file),
            literal(&staged.file.to_string_lossy())
        )
    };
    let parts: Vec<String> = staged.iter().map(part).collect();
    let sql = format!(
        "SELECT file, source_row, source_record_id FROM ({})
         QUALIFY row_number() OVER (PARTITION BY row_id ORDER BY source_dataset, source_row, row_hash) > 1
         ORDER BY file, source_dataset, source_row",
        parts.join(" UNION ALL ")
    );
    let mut rows = Vec::new();
    for batch in engine.query(&step, &sql)? {
        let (files, records) = (batch.column(0).as_string::<i32>(), batch.column(2).as_string::<i32>());
        let numbers = batch.column(1).as_primitive::<Int64Type>();
        for row in 0..batch.num_rows() {
            let misfit = Misfit {
                row: u64::try_from(numbers.value(row)).unwrap_or(0),
                column: "row_id".to_owned(),
                source_column: String::new(),
                reason: REPEATED.to_owned(),
                value: String::new(),
                row_id: [0; 16],
                record: Some(records.value(row).to_owned()),
            };
            rows.push(SetAside { file: files.value(row).to_owned(), entity: entity.to_owned(), misfit });
        }
    }
    Ok(rows)
}

/// Writes the rows with their reasons; nothing when there are none.
pub(super) fn write(staging: &Staging, misfits: &[SetAside]) -> Result<Option<DataFile>> {
    if misfits.is_empty() {
        return Ok(None);
    }
    let text = |name: &str| Field::new(name, DataType::Utf8, false);
    let schema = Arc::new(Schema::new(vec![
        text("file"),
        text("entity"),
        Field::new("source_row", DataType::Int64, false),
        text("column"),
        text("source_column"),
        text("reason"),
        text("value"),
        Field::new("record", DataType::Utf8, true),
    ]));
    let texts =
        |pick: fn(&SetAside) -> &str| Arc::new(StringArray::from_iter_values(misfits.iter().map(pick)));
    let rows = misfits.iter().map(|aside| i64::try_from(aside.misfit.row).unwrap_or(i64::MAX));
    let batch = RecordBatch::try_new(
        schema.clone(),
        vec![
            texts(|aside| &aside.file),
            texts(|aside| &aside.entity),
            Arc::new(Int64Array::from_iter_values(rows)),
            texts(|aside| &aside.misfit.column),
            texts(|aside| &aside.misfit.source_column),
            texts(|aside| &aside.misfit.reason),
            texts(|aside| &aside.misfit.value),
            Arc::new(StringArray::from_iter(misfits.iter().map(|aside| aside.misfit.record.as_deref()))),
        ],
    )
    .map_err(|error| corrupt("quarantine", &error))?;
    let mut writer = TableWriter::create(&staging.path("misfits.parquet"), &schema)?;
    writer.write(&batch)?;
    let rows = writer.close()?;
    staging.publish("misfits.parquet", Zone::Quarantine, "misfits", rows).map(Some)
}
