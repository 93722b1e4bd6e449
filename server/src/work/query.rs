//! A query over what is published, and its rows as text.

use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::json::WriterBuilder;
use arrow::json::writer::JsonArray;
use flight::published::Visible;
use flight::{Bounds, QuerySession};
use futures::StreamExt;
use kernel::{Read, StudyScope};
use sha2::{Digest, Sha256};

use crate::app::App;
use crate::error::{Failure, Result};

/// No query takes longer; a request has a little more.
const TIME: Duration = Duration::from_secs(55);
/// An answer is held in memory until its end is in the ledger.
const BYTES_AT_MOST: usize = 256 << 20;

/// The rows that a query found.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The columns.
    pub(crate) schema: SchemaRef,
    /// The rows.
    pub(crate) batches: Vec<RecordBatch>,
    /// Whether there were more rows than were asked for.
    pub(crate) is_truncated: bool,
}

/// What the ledger calls a query: its hash, since a literal may be of a person.
pub(crate) fn name(sql: &str) -> String {
    use std::fmt::Write;
    let mut name = String::from("query sha256:");
    for byte in Sha256::digest(sql.as_bytes()) {
        // Writing to a text does not fail.
        let _ = write!(name, "{byte:02x}");
    }
    name
}

/// Answers `sql` from the tables of `visible`, with `rows` rows at most.
///
/// # Errors
/// [`Failure::Query`] when it is refused, needs too much, or takes too long.
pub(crate) async fn answer(
    app: &App,
    (scope, visible): (&StudyScope<Read>, &Visible),
    sql: &str,
    rows: usize,
) -> Result<Answer> {
    let session = QuerySession::open(&app.storage, scope, &visible.manifest, Bounds::default())?;
    let found = tokio::time::timeout(TIME, collect(&session, sql, rows)).await;
    found.unwrap_or_else(|_| {
        Err(Failure::Usage(format!(
            "the query was ended after {} seconds; group or filter before you join",
            TIME.as_secs()
        )))
    })
}

async fn collect(session: &QuerySession, sql: &str, rows: usize) -> Result<Answer> {
    let mut stream = session.run(sql).await?;
    let (schema, mut batches, mut left, mut bytes) = (stream.schema(), Vec::new(), rows, 0_usize);
    while let Some(batch) = stream.next().await {
        let batch = batch.map_err(|error| session.failure(error))?;
        if batch.num_rows() > left {
            batches.push(batch.slice(0, left));
            return Ok(Answer { schema, batches, is_truncated: true });
        }
        left -= batch.num_rows();
        bytes = bytes.saturating_add(batch.get_array_memory_size());
        if bytes > BYTES_AT_MOST {
            return Err(Failure::Usage(format!(
                "the answer is larger than {} MiB; pull the table over Flight, or ask for fewer rows",
                BYTES_AT_MOST >> 20
            )));
        }
        batches.push(batch);
    }
    Ok(Answer { schema, batches, is_truncated: false })
}

impl Answer {
    /// Its rows.
    pub(crate) fn rows(&self) -> u64 {
        self.batches.iter().map(|batch| batch.num_rows() as u64).sum()
    }

    /// The rows as a JSON array of objects by column name.
    pub(crate) fn json(&self) -> Result<String> {
        let failed = |source| Failure::Arrow { step: "write rows as JSON", source };
        let mut writer = WriterBuilder::new().with_explicit_nulls(true).build::<_, JsonArray>(Vec::new());
        for batch in &self.batches {
            writer.write(batch).map_err(failed)?;
        }
        writer.finish().map_err(failed)?;
        let text =
            String::from_utf8(writer.into_inner()).map_err(|error| Failure::Lost(error.to_string()))?;
        Ok(if text.is_empty() { "[]".to_owned() } else { text })
    }

    /// The rows as comma-separated text with a header.
    pub(crate) fn csv(&self) -> Result<Vec<u8>> {
        let failed = |source| Failure::Arrow { step: "write rows as CSV", source };
        let mut writer = arrow::csv::WriterBuilder::new().with_header(true).build(Vec::new());
        writer.write(&RecordBatch::new_empty(self.schema.clone())).map_err(failed)?;
        for batch in &self.batches {
            writer.write(batch).map_err(failed)?;
        }
        Ok(writer.into_inner())
    }
}
