//! The checks' counts and findings become two tables of a new snapshot. A check whose definition and entities
//! did not change is taken over from the former snapshot; the others are asked again.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use kernel::CODE_VERSION;

use super::evaluate::{Count, count_repeated, count_rows, keep_findings};
use super::registry::{Check, Registry, Test, registry};
use super::rows::{self, CheckRow, FINDING_COLUMNS};
use super::{CHECK_GRAIN, CHECK_TABLE, FINDING_GRAIN, FINDING_TABLE, OWN_SOURCE, drift};
use crate::Result;
use crate::engine::{Engine, identifier, literal};
use crate::ingest::{Progress, Receipt};
use crate::snapshot::{DataFile, Manifest, Table, Zone, inputs_hash};
use crate::storage::Staging;
use crate::table_writer::TableWriter;

/// What the checks work with. The engine sees the current rows of every entity under its name.
#[derive(Debug)]
pub(crate) struct Work<'a> {
    /// Where tables are written.
    pub(crate) staging: &'a Staging,
    /// Sees canon.
    pub(crate) engine: &'a Engine,
    /// The snapshot that is replaced.
    pub(crate) former: Option<&'a Manifest>,
    /// The newest delivery.
    pub(crate) receipt: &'a Receipt,
}

/// Asks every check and adds the two tables to `manifest`, whose canon is that of the new snapshot.
///
/// # Errors
/// [`crate::Error::Engine`] with the check that could not be asked.
pub(crate) fn build(
    work: &Work<'_>,
    manifest: &mut Manifest,
    progress: &mut dyn FnMut(Progress),
) -> Result<()> {
    let mut run = Run::open(work, manifest)?;
    run.share()?;
    run.ask(progress)?;
    run.collected()?;
    run.set_aside()?;
    run.drift()?;
    for (name, table) in run.finish()? {
        manifest.tables.insert(name.to_owned(), table);
    }
    Ok(())
}

/// One evaluation of all checks.
pub(super) struct Run<'a> {
    pub(super) work: &'a Work<'a>,
    pub(super) manifest: &'a Manifest,
    pub(super) registry: &'static Registry,
    /// The former snapshot's own checks, by id.
    pub(super) former: BTreeMap<String, CheckRow>,
    /// What is known so far, by id.
    pub(super) rows: BTreeMap<String, CheckRow>,
    /// Expected columns that no row has, by entity.
    never: BTreeMap<String, Vec<String>>,
}

impl<'a> Run<'a> {
    fn open(work: &'a Work<'a>, manifest: &'a Manifest) -> Result<Self> {
        let registry = registry()?;
        let column = |(name, kind): &(&str, arrow::datatypes::DataType)| {
            let kind = if *kind == arrow::datatypes::DataType::Int64 { "BIGINT" } else { "VARCHAR" };
            format!("{name} {kind}")
        };
        let columns: Vec<String> = FINDING_COLUMNS.iter().map(column).collect();
        let sql = format!("{}\nCREATE TEMP TABLE finding ({})", registry.macros, columns.join(", "));
        work.engine.run("prepare the quality checks", &sql)?;
        let mut run = Self {
            work,
            manifest,
            registry,
            former: BTreeMap::new(),
            rows: BTreeMap::new(),
            never: BTreeMap::new(),
        };
        run.open_former()?;
        Ok(run)
    }

    fn open_former(&mut self) -> Result<()> {
        let tables = self.work.former.map(|former| &former.tables);
        let Some((checks, findings)) =
            tables.and_then(|tables| tables.get(CHECK_TABLE).zip(tables.get(FINDING_TABLE)))
        else {
            return Ok(());
        };
        self.work.engine.view("former_check", &self.paths(&checks.files)?)?;
        self.work.engine.view("former_finding", &self.paths(&findings.files)?)?;
        let sql = format!("SELECT * FROM former_check WHERE source = {}", literal(OWN_SOURCE));
        for batch in self.work.engine.query("read the former quality checks", &sql)? {
            let rows = rows::checks_of(&batch)?.into_iter();
            self.former.extend(rows.map(|row| (row.check_id.clone(), row)));
        }
        Ok(())
    }

    pub(super) fn paths(&self, files: &[DataFile]) -> Result<Vec<PathBuf>> {
        files.iter().map(|file| self.work.staging.files().path(&file.key)).collect()
    }

    /// The canon files of an entity; empty when it was never delivered.
    pub(super) fn canon(&self, entity: &str) -> &[DataFile] {
        self.manifest.canon.get(entity).map(Vec::as_slice).unwrap_or_default()
    }

    /// A hash over the check's definition and everything it reads.
    fn inputs(&self, check: &Check) -> String {
        let mut parts = vec![CODE_VERSION.to_owned(), self.registry.macros.clone(), format!("{check:?}")];
        parts.extend(check.needs.iter().filter_map(|name| Some(self.registry.bases.get(name)?.sql.clone())));
        for entity in &check.reads {
            parts.push(entity.clone());
            // In one order, whatever that of the files is.
            let files: BTreeSet<&str> = self.canon(entity).iter().map(|file| file.blake3.as_str()).collect();
            parts.extend(files.into_iter().map(str::to_owned));
        }
        inputs_hash(&parts)
    }

    fn row(&self, check: &Check, count: Count) -> CheckRow {
        CheckRow {
            check_id: check.id.clone(),
            version: check.version,
            category: check.category.name().to_owned(),
            subcategory: check.subcategory.clone(),
            severity: check.severity.name().to_owned(),
            entity: check.entity.clone(),
            column: check.column.clone(),
            description: check.description.clone(),
            remedy: check.remedy.clone(),
            denominator: count.denominator,
            violations: count.violations,
            findings: count.findings,
            source: OWN_SOURCE.to_owned(),
            inputs: self.inputs(check),
        }
    }

    pub(super) fn keep(&mut self, check: &Check, count: Count) {
        let row = self.row(check, count);
        self.rows.insert(check.id.clone(), row);
    }

    /// Takes over what need not be asked again, with its findings.
    fn share(&mut self) -> Result<()> {
        let asks = |check: &&Check| !matches!(check.test, Test::Quarantine | Test::Drift(_));
        let known = |check: &&Check| {
            self.former.get(&check.id).is_some_and(|former| former.inputs == self.inputs(check))
        };
        let mut shared: BTreeSet<&str> =
            self.registry.checks.iter().filter(asks).filter(known).map(|check| check.id.as_str()).collect();
        // The list of columns that are not collected comes from the checks of the columns.
        let again: BTreeSet<&str> = self
            .registry
            .checks
            .iter()
            .filter(|check| check.test == Test::Collected && !shared.contains(check.id.as_str()))
            .map(|check| check.entity.as_str())
            .collect();
        for check in &self.registry.checks {
            if is_expected(check) && again.contains(check.entity.as_str()) {
                shared.remove(check.id.as_str());
            }
        }
        let rows: Vec<CheckRow> = shared.iter().filter_map(|id| self.former.get(*id).cloned()).collect();
        let with_findings: Vec<String> =
            rows.iter().filter(|row| row.findings > 0).map(|row| literal(&row.check_id)).collect();
        if !with_findings.is_empty() {
            let sql = format!(
                "INSERT INTO finding SELECT * FROM former_finding WHERE check_id IN ({})",
                with_findings.join(", ")
            );
            self.work.engine.run("take over the former findings", &sql)?;
        }
        self.rows.extend(rows.into_iter().map(|row| (row.check_id.clone(), row)));
        Ok(())
    }

    /// Asks what is not known yet, entity by entity.
    fn ask(&mut self, progress: &mut dyn FnMut(Progress)) -> Result<()> {
        let mut by_entity: BTreeMap<&str, Vec<&'static Check>> = BTreeMap::new();
        for check in &self.registry.checks {
            let asked = matches!(check.test, Test::Row { .. } | Test::Repeated { .. });
            if !asked || self.rows.contains_key(&check.id) {
                continue;
            }
            if self.canon(&check.entity).is_empty() {
                self.keep(check, Count::default());
            } else {
                by_entity.entry(&check.entity).or_default().push(check);
            }
        }
        self.open_bases(by_entity.values().flatten().copied())?;
        let total = by_entity.len() as u64;
        for (done, (entity, checks)) in (0..).zip(by_entity) {
            progress(Progress { step: format!("checking {entity}"), done, total });
            self.ask_entity(entity, &checks)?;
        }
        Ok(())
    }

    fn open_bases(&self, checks: impl Iterator<Item = &'static Check>) -> Result<()> {
        let mut names: BTreeSet<&str> = checks.flat_map(|check| &check.needs).map(String::as_str).collect();
        names.insert("subject_fact");
        for basis in names.iter().filter_map(|name| self.registry.bases.get(*name)) {
            let sql = format!("CREATE TEMP TABLE {} AS {}", identifier(&basis.name), basis.sql);
            self.work.engine.run(&format!("derive `{}` for the quality checks", basis.name), &sql)?;
        }
        Ok(())
    }

    fn ask_entity(&mut self, entity: &str, checks: &[&'static Check]) -> Result<()> {
        let engine = self.work.engine;
        let (row_wise, repeated): (Vec<&Check>, Vec<&Check>) =
            checks.iter().partition(|check| matches!(check.test, Test::Row { .. }));
        let mut counts: Vec<(&Check, Count)> = Vec::new();
        if !row_wise.is_empty() {
            let counted = count_rows(engine, entity, &row_wise)?;
            counts.extend(row_wise.into_iter().zip(counted));
        }
        for check in repeated {
            counts.push((check, count_repeated(engine, check)?));
        }
        for (check, mut count) in counts {
            if is_expected(check) && count.denominator > 0 && count.violations == count.denominator {
                self.never.entry(entity.to_owned()).or_default().push(check.column.clone());
                count = Count::default();
            }
            if count.violations > 0 {
                count.findings = keep_findings(engine, check)?;
            }
            self.keep(check, count);
        }
        Ok(())
    }

    /// Counts the expected columns that no row has.
    fn collected(&mut self) -> Result<()> {
        for check in self.registry.checks.iter().filter(|check| check.test == Test::Collected) {
            if self.rows.contains_key(&check.id) {
                continue;
            }
            let expected = self
                .registry
                .checks
                .iter()
                .filter(|other| is_expected(other) && other.entity == check.entity);
            let never = self.never.remove(&check.entity).unwrap_or_default();
            let denominator = if self.canon(&check.entity).is_empty() { 0 } else { expected.count() as u64 };
            let mut count = Count { denominator, violations: never.len() as u64, findings: 0 };
            for column in never {
                count.findings += 1;
                let place = Place { entity: &check.entity, column: &column, nth: count.findings };
                self.note(check, &place, None, &format!("no row of `{}` has `{column}`", check.entity))?;
            }
            self.keep(check, count);
        }
        Ok(())
    }

    /// Adds a finding that names no row.
    pub(super) fn note(
        &self,
        check: &Check,
        place: &Place<'_>,
        value: Option<&str>,
        message: &str,
    ) -> Result<()> {
        let sql = format!(
            "INSERT INTO finding (check_id, nth, entity, column_name, value, message) VALUES ({}, {}, {}, {}, {}, {})",
            literal(&check.id),
            place.nth,
            literal(place.entity),
            literal(place.column),
            value.map_or_else(|| "NULL".to_owned(), literal),
            literal(message)
        );
        self.work.engine.run(&format!("keep a finding of `{}`", check.id), &sql)
    }

    /// Rows that this delivery set aside, and those of files that were not delivered again since.
    fn set_aside(&mut self) -> Result<()> {
        let Some(check) = self.registry.checks.iter().find(|check| check.test == Test::Quarantine) else {
            return Ok(());
        };
        let engine = self.work.engine;
        let mut parts = Vec::new();
        if self.former.get(&check.id).is_some_and(|former| former.findings > 0) {
            let files: Vec<String> = self.work.receipt.files.iter().map(|file| literal(&file.file)).collect();
            parts.push(format!(
                "SELECT entity, batch_id, source_file, source_row, column_name, value, message FROM former_finding
                 WHERE check_id = {} AND source_file NOT IN ({})",
                literal(&check.id),
                files.join(", ")
            ));
        }
        if let Some(file) = &self.work.receipt.set_aside {
            engine.view("set_aside", &self.paths(std::slice::from_ref(file))?)?;
            parts.push(format!(
                "SELECT entity, {} AS batch_id, file AS source_file, source_row, \"column\" AS column_name, value,
                     reason AS message FROM set_aside",
                literal(&self.work.receipt.batch.to_string())
            ));
        }
        let mut count = Count::default();
        if !parts.is_empty() {
            let sql = format!(
                "INSERT INTO finding (check_id, nth, entity, batch_id, source_file, source_row, column_name, value, message)
                 SELECT {}, row_number() OVER (ORDER BY batch_id, source_file, entity, source_row, column_name), *
                 FROM ({})",
                literal(&check.id),
                parts.join(" UNION ALL ")
            );
            engine.run("keep the rows that were set aside", &sql)?;
            let sql = format!("SELECT count(*) FROM finding WHERE check_id = {}", literal(&check.id));
            count.violations = engine.count("count the rows that were set aside", &sql)?;
            count.findings = count.violations;
        }
        let keys = self.rows.values().filter(|row| row.check_id.starts_with("L1.key."));
        count.denominator = count.violations + keys.map(|row| row.denominator).sum::<u64>();
        self.keep(check, count);
        Ok(())
    }

    fn drift(&mut self) -> Result<()> {
        for check in &self.registry.checks {
            if let Test::Drift(kind) = check.test {
                let count = drift::compare(self, check, kind)?;
                self.keep(check, count);
            }
        }
        Ok(())
    }

    /// Writes both tables.
    fn finish(self) -> Result<[(&'static str, Table); 2]> {
        let staging = self.work.staging;
        let rows: Vec<CheckRow> = self.rows.into_values().collect();
        let mut inputs: Vec<String> = rows.iter().map(|row| row.inputs.clone()).collect();
        inputs.push(self.work.receipt.batch.to_string());
        let inputs = inputs_hash(&inputs);
        let checks = write_checks(staging, &rows)?;
        let query = "SELECT * FROM finding ORDER BY check_id, nth";
        let name = format!("{FINDING_TABLE}.parquet");
        let written = self.work.engine.copy("write the quality findings", query, &staging.path(&name))?;
        let findings = staging.publish(&name, Zone::Star, FINDING_TABLE, written)?;
        Ok([
            (CHECK_TABLE, table(CHECK_GRAIN, checks, inputs.clone())),
            (FINDING_TABLE, table(FINDING_GRAIN, findings, inputs)),
        ])
    }
}

/// Where a finding is that names no row.
pub(super) struct Place<'a> {
    pub(super) entity: &'a str,
    pub(super) column: &'a str,
    pub(super) nth: u64,
}

pub(super) const fn is_expected(check: &Check) -> bool {
    matches!(check.test, Test::Row { once_collected: true, .. })
}

/// Writes the checks, in the order given.
pub(super) fn write_checks(staging: &Staging, rows: &[CheckRow]) -> Result<DataFile> {
    let batch = rows::check_batch(rows)?;
    let name = format!("{CHECK_TABLE}.parquet");
    let mut writer = TableWriter::create(&staging.path(&name), &batch.schema())?;
    writer.write(&batch)?;
    let written = writer.close()?;
    staging.publish(&name, Zone::Star, CHECK_TABLE, written)
}

pub(super) fn table(grain: &str, file: DataFile, inputs: String) -> Table {
    Table { zone: Zone::Star, grain: grain.to_owned(), files: vec![file], inputs, made_of: BTreeMap::new() }
}
