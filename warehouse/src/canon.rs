//! Canon's versions. A row is never updated; its history is appended, and which version is current follows
//! from two times: that of the source's cut (valid time) and that of its receipt (system time).
//!
//! Of the versions received until an instant, the one of the latest cut is current, and among those of one cut
//! the one received last. So an older cut that arrives late adds to the past and never overwrites what is newer.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use crate::engine::{Engine, Limits, identifier};
use crate::snapshot::{Manifest, Zone};
use crate::storage::{Staging, Writer};
use crate::table_writer::TableWriter;
use crate::{Error, Result, contract, later};

/// Orders the versions of a row: by cut, then by receipt.
pub(crate) const VERSION_ORDER: &str = "CREATE OR REPLACE MACRO version_order(extracted, received) AS
    CAST(epoch_us(extracted) AS HUGEINT) * 18446744073709551616 + epoch_us(received)";

/// Which versions of canon are looked at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Until {
    /// What had been received by then.
    pub(crate) received: DateTime<Utc>,
    /// What the sources said by then; everything when it is none.
    pub(crate) extracted: Option<DateTime<Utc>>,
}

/// Names two views over an entity's files: `<entity>_versions`, all that was received and extracted in time, and
/// `<entity>`, the current version of each record that is not gone.
///
/// # Errors
/// [`crate::Error::Engine`] when a file cannot be read.
pub(crate) fn open_entity(engine: &Engine, entity: &str, files: &[PathBuf], until: Until) -> Result<()> {
    let (all, versions, current) = (
        identifier(&format!("{entity}_files")),
        identifier(&format!("{entity}_versions")),
        identifier(entity),
    );
    later::open(engine, entity, &format!("{entity}_files"), files)?;
    let received = until.received.timestamp_micros();
    let extracted = until.extracted.map_or_else(String::new, |instant| {
        format!(" AND epoch_us(source_extract_ts) <= {}", instant.timestamp_micros())
    });
    let sql = format!(
        "{VERSION_ORDER};
         CREATE OR REPLACE VIEW {versions} AS
         SELECT * FROM {all} WHERE epoch_us(sys_from_ts) <= {received}{extracted};"
    );
    let step = format!("open the versions of `{entity}`");
    engine.run(&step, &sql)?;
    let sql = if files.len() == 1 {
        // The first delivery of an entity holds each record once, and nothing is gone yet.
        format!("CREATE OR REPLACE VIEW {current} AS SELECT * FROM {versions}")
    } else {
        // Few records have several versions: those that are superseded are found once, for every reader.
        let superseded = identifier(&format!("{entity}_superseded"));
        format!(
            "CREATE OR REPLACE TEMP TABLE {superseded} AS
             WITH latest AS (
                 SELECT row_id, max(version_order(source_extract_ts, sys_from_ts)) AS version
                 FROM {versions} GROUP BY row_id HAVING count(*) > 1
             )
             SELECT row_id, source_extract_ts, sys_from_ts FROM {versions} JOIN latest USING (row_id)
             WHERE version_order(source_extract_ts, sys_from_ts) < latest.version;
             CREATE OR REPLACE VIEW {current} AS SELECT * FROM {versions}
             ANTI JOIN {superseded} USING (row_id, source_extract_ts, sys_from_ts)
             WHERE op <> 'D'"
        )
    };
    engine.run(&step, &sql)
}

/// Reads one entity as it was known at `as_of` and writes it to `target` as Parquet, in the order of its records;
/// returns its rows.
///
/// # Errors
/// [`crate::Error::Contract`] when there is no such entity, [`crate::Error::Engine`] when it cannot be read.
pub fn write_as_of(
    writer: &Writer,
    manifest: &Manifest,
    (entity, as_of): (&str, DateTime<Utc>),
    target: &Path,
) -> Result<u64> {
    let entity = contract::entity(entity)?;
    let staging = Staging::new(writer, "read")?;
    let known = manifest.canon.get(&entity.name).map(Vec::as_slice).unwrap_or_default();
    if known.is_empty() {
        return TableWriter::create(target, &entity.schema())?.close();
    }
    let files: Vec<PathBuf> =
        known.iter().map(|file| staging.files().path(&file.key)).collect::<Result<_>>()?;
    let engine = Engine::open(&[staging.files().folder(Zone::Canon)], staging.folder(), &Limits::default())?;
    open_entity(&engine, &entity.name, &files, Until { received: as_of, extracted: None })?;
    let query = format!(
        "SELECT * FROM {} ORDER BY source_system, source_dataset, source_row, row_id",
        identifier(&entity.name)
    );
    let step = format!("read `{}` as of {as_of}", entity.name);
    let file = staging.path("as-of.parquet");
    let rows = engine.copy(&step, &query, &file)?;
    std::fs::copy(&file, target).map_err(|source| Error::io("write", target, source))?;
    Ok(rows)
}
