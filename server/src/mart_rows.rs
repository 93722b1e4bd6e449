//! The small tables behind the pages, kept in memory by tenant, snapshot and name. A snapshot never
//! changes, so nothing is ever stale.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::{cast, concat_batches};
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use flight::Published;
use flight::published::Visible;
use kernel::{Read, SnapshotId, StudyScope, TenantId};

use crate::error::{Failure, Result};

const TABLES_KEPT: usize = 512;
/// Larger tables are read as streams, never into a page.
const ROWS_AT_MOST: u64 = 2_000_000;

type Key = (TenantId, SnapshotId, String);

/// The cache.
#[derive(Debug, Clone)]
pub struct MartRows {
    published: Published,
    tables: Arc<Mutex<BTreeMap<Key, Rows>>>,
}

/// A table in memory, read by column name.
#[derive(Debug, Clone)]
pub struct Rows {
    batch: Arc<RecordBatch>,
}

impl MartRows {
    /// Over what is published.
    #[must_use]
    pub fn new(published: Published) -> Self {
        Self { published, tables: Arc::default() }
    }

    /// A whole table of a visible snapshot; no rows when the snapshot does not have it.
    ///
    /// # Errors
    /// [`Failure::Published`] when it cannot be read.
    pub async fn table(&self, scope: &StudyScope<Read>, visible: &Visible, table: &str) -> Result<Rows> {
        let key = (scope.tenant(), visible.row.id, table.to_owned());
        if let Some(rows) = self.tables.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(rows.clone());
        }
        let Some(known) = visible.manifest.tables.get(table) else { return Ok(Rows::none()) };
        if known.rows() > ROWS_AT_MOST {
            return Err(Failure::Usage(format!(
                "`{table}` has too many rows for a page; pull it over Flight"
            )));
        }
        let scan = self.published.scan(scope, visible, table, 65_536)?;
        let rows = tokio::task::spawn_blocking(move || -> Result<Rows> {
            let schema = scan.schema().clone();
            let batches = scan.collect_all()?;
            let batch = concat_batches(&schema, &batches);
            Ok(Rows {
                batch: Arc::new(batch.map_err(|source| Failure::Arrow { step: "join a table", source })?),
            })
        })
        .await
        .map_err(|error| Failure::Lost(error.to_string()))??;
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        if tables.len() >= TABLES_KEPT {
            tables.clear();
        }
        tables.insert(key, rows.clone());
        Ok(rows)
    }
}

impl Rows {
    fn none() -> Self {
        Self { batch: Arc::new(RecordBatch::new_empty(Arc::new(arrow::datatypes::Schema::empty()))) }
    }

    /// Rows of a batch.
    #[must_use]
    pub fn of(batch: RecordBatch) -> Self {
        Self { batch: Arc::new(batch) }
    }

    /// The rows themselves.
    #[must_use]
    pub fn batch(&self) -> &RecordBatch {
        &self.batch
    }

    /// How many rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.batch.num_rows()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn column(&self, name: &str, kind: &DataType) -> Option<ArrayRef> {
        cast(self.batch.column_by_name(name)?, kind).ok()
    }

    /// A column as texts; nulls, and a column that is not there, are empty.
    #[must_use]
    pub fn texts(&self, name: &str) -> Vec<String> {
        self.optional_texts(name).into_iter().map(Option::unwrap_or_default).collect()
    }

    /// A column as texts.
    #[must_use]
    pub fn optional_texts(&self, name: &str) -> Vec<Option<String>> {
        self.column(name, &DataType::Utf8).map_or_else(
            || vec![None; self.len()],
            |column| column.as_string::<i32>().iter().map(|text| text.map(str::to_owned)).collect(),
        )
    }

    /// A column as numbers.
    #[must_use]
    pub fn numbers(&self, name: &str) -> Vec<Option<f64>> {
        self.column(name, &DataType::Float64).map_or_else(
            || vec![None; self.len()],
            |column| column.as_primitive::<Float64Type>().iter().collect(),
        )
    }

    /// A column as whole numbers.
    #[must_use]
    pub fn integers(&self, name: &str) -> Vec<Option<i64>> {
        self.column(name, &DataType::Int64).map_or_else(
            || vec![None; self.len()],
            |column| column.as_primitive::<Int64Type>().iter().collect(),
        )
    }

    /// A column as yes or no; a null is no.
    #[must_use]
    pub fn truths(&self, name: &str) -> Vec<bool> {
        self.column(name, &DataType::Boolean).map_or_else(
            || vec![false; self.len()],
            |column| column.as_boolean().iter().map(|truth| truth == Some(true)).collect(),
        )
    }

    /// A column of counts; nulls are 0.
    #[must_use]
    pub fn counts(&self, name: &str) -> Vec<u64> {
        self.integers(name)
            .into_iter()
            .map(|count| count.and_then(|count| u64::try_from(count).ok()).unwrap_or(0))
            .collect()
    }

    /// Every cell as text, column by column: what a person sees.
    #[must_use]
    pub fn cells(&self) -> (Vec<String>, Vec<Vec<String>>) {
        let schema = self.batch.schema();
        let names: Vec<String> = schema.fields().iter().map(|field| field.name().clone()).collect();
        let columns: Vec<Vec<String>> = self.batch.columns().iter().map(shown).collect();
        let rows =
            (0..self.len()).map(|row| columns.iter().map(|column| column[row].clone()).collect()).collect();
        (names, rows)
    }
}

fn shown(column: &ArrayRef) -> Vec<String> {
    if let DataType::Binary | DataType::FixedSizeBinary(_) = column.data_type() {
        return (0..column.len()).map(|row| hex(column, row)).collect();
    }
    cast(column, &DataType::Utf8).map_or_else(
        |_| vec![String::new(); column.len()],
        |texts| texts.as_string::<i32>().iter().map(|text| text.unwrap_or_default().to_owned()).collect(),
    )
}

fn hex(column: &ArrayRef, row: usize) -> String {
    use std::fmt::Write;
    if column.is_null(row) {
        return String::new();
    }
    let bytes = match column.data_type() {
        DataType::Binary => column.as_binary::<i32>().value(row),
        _ => column.as_fixed_size_binary().value(row),
    };
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing into a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
