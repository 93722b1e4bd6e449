//! Findings of another engine over the same snapshot, such as the conformance rules of a standard. They stand in
//! the same two tables under their own `source`, and stay until canon changes or the same source checks again.

use kernel::{CODE_VERSION, SnapshotId};

use super::build::{table, write_checks};
use super::rows::{self, CheckRow, Finding, finding_batch, finding_schema};
use super::{CHECK_GRAIN, CHECK_TABLE, FINDING_GRAIN, FINDING_TABLE, FINDINGS_AT_MOST};
use crate::Result;
use crate::engine::{Engine, Limits, literal};
use crate::snapshot::{DataFile, Manifest, Zone, inputs_hash};
use crate::storage::{Staging, Writer};
use crate::table_writer::TableWriter;

/// One check of another engine, with what it found.
#[derive(Debug, Clone)]
pub struct ForeignCheck {
    /// What it asked and how often that is violated. Its id is the check's name at its engine, such as `CORE-000542`;
    /// [`add`] fills in the source, the number of kept findings and the hash.
    pub row: CheckRow,
    /// The first violations; what is beyond [`FINDINGS_AT_MOST`] is dropped.
    pub findings: Vec<Finding>,
}

/// Adds the results of `source` to the snapshot `id`: the new snapshot replaces it. What the same source said before
/// is replaced; all other tables stay as they are. One check is held in memory at a time.
///
/// # Errors
/// The first error of `results`, and [`crate::Error::Engine`] when the tables cannot be written; nothing is visible then.
pub fn add(
    writer: &Writer,
    (id, current): (SnapshotId, &Manifest),
    source: &str,
    results: impl IntoIterator<Item = Result<ForeignCheck>>,
) -> Result<(SnapshotId, String, Manifest)> {
    let staging = Staging::new(writer, "quality")?;
    let engine = Engine::open(&[staging.files().folder(Zone::Star)], staging.folder(), &Limits::default())?;
    let known = open(&engine, &staging, current, source)?;
    let mut checks = known;
    let mut findings = TableWriter::create(&staging.path("foreign.parquet"), &finding_schema())?;
    for result in results {
        let check = result?;
        let kept = usize::try_from(FINDINGS_AT_MOST).unwrap_or(usize::MAX).min(check.findings.len());
        findings.write(&finding_batch(&check.row.check_id, &check.findings[..kept])?)?;
        checks.push(row(check, source, kept as u64));
    }
    findings.close()?;
    engine.view("foreign_finding", &[staging.path("foreign.parquet")])?;
    checks.sort_by(|a, b| a.check_id.cmp(&b.check_id));
    let inputs = inputs_hash(&checks.iter().map(|check| check.inputs.clone()).collect::<Vec<_>>());
    let name = format!("{FINDING_TABLE}.parquet");
    let query = "SELECT * FROM known_finding UNION ALL SELECT * FROM foreign_finding ORDER BY check_id, nth";
    let rows = engine.copy("write the quality findings", query, &staging.path(&name))?;
    let file = staging.publish(&name, Zone::Star, FINDING_TABLE, rows)?;
    let mut manifest = current.clone();
    manifest.replaces = Some(id);
    CODE_VERSION.clone_into(&mut manifest.code_version);
    let written = write_checks(&staging, &checks)?;
    manifest.tables.insert(CHECK_TABLE.to_owned(), table(CHECK_GRAIN, written, inputs.clone()));
    manifest.tables.insert(FINDING_TABLE.to_owned(), table(FINDING_GRAIN, file, inputs));
    let (id, key) = manifest.store(&staging)?;
    Ok((id, key, manifest))
}

/// What the snapshot says already, without what `source` said; its findings as the view `known_finding`.
fn open(engine: &Engine, staging: &Staging, manifest: &Manifest, source: &str) -> Result<Vec<CheckRow>> {
    let paths = |files: &[DataFile]| {
        files.iter().map(|file| staging.files().path(&file.key)).collect::<Result<Vec<_>>>()
    };
    let (Some(checks), Some(findings)) =
        (manifest.tables.get(CHECK_TABLE), manifest.tables.get(FINDING_TABLE))
    else {
        let empty = staging.path("no-finding.parquet");
        TableWriter::create(&empty, &finding_schema())?.close()?;
        engine.view("known_finding", &[empty])?;
        return Ok(Vec::new());
    };
    engine.view("checks", &paths(&checks.files)?)?;
    engine.view("findings", &paths(&findings.files)?)?;
    let source = literal(source);
    let view = format!(
        "CREATE VIEW known_finding AS SELECT f.* FROM findings f
         SEMI JOIN (SELECT check_id FROM checks WHERE source <> {source}) c USING (check_id)"
    );
    engine.run("read the findings of others", &view)?;
    let sql = format!("SELECT * FROM checks WHERE source <> {source}");
    let batches = engine.query("read the checks of others", &sql)?;
    let rows = batches.iter().map(rows::checks_of).collect::<Result<Vec<_>>>()?;
    Ok(rows.into_iter().flatten().collect())
}

fn row(check: ForeignCheck, source: &str, findings: u64) -> CheckRow {
    let said = &check.row;
    let inputs = inputs_hash(&[
        source.to_owned(),
        said.check_id.clone(),
        said.version.to_string(),
        said.denominator.to_string(),
        said.violations.to_string(),
        format!("{:?}", check.findings),
    ]);
    CheckRow { findings, source: source.to_owned(), inputs, ..check.row }
}
