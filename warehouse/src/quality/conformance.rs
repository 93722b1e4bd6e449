//! Conformance rules of a standard, run over the SDTM datasets of a study as they were delivered. The rules are
//! imported by the study's engineers ([`import`]); none is part of this program. Their results stand beside our own
//! checks under their own source.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use arrow::array::AsArray;
use formats::{ColumnKind, Dataset};
use rules::{
    DatasetHeader, Issue, Kind, Limits, Rule, RuleOutcome, RulePack, StudyBuilder, VariableHeader, Verdict,
};

use super::registry::{Category, Severity};
use super::rows::{CheckRow, Finding};
use super::{FINDINGS_AT_MOST, ForeignCheck};
use crate::ingest::{FileReceipt, Receipt};
use crate::storage::TenantFiles;
use crate::{Error, Result};

/// The source of these checks.
pub const SOURCE: &str = "conformance rules";
/// Deliveries of this source system are SDTM.
const SDTM: &str = "sdtm";
const THREADS: usize = 2;

/// What the rules said of a study.
#[derive(Debug)]
pub struct Conformance {
    /// The datasets that were looked at.
    pub datasets: Vec<String>,
    /// Rules that were asked.
    pub rules: usize,
    /// One check for each rule that could be asked of a dataset, or that has nothing to say of any.
    pub checks: Vec<ForeignCheck>,
    /// Rules that could not be judged on some dataset, with the first reason.
    pub not_executable: BTreeMap<String, String>,
}

/// Reads a folder of rule files and takes nothing over.
///
/// # Errors
/// As [`import`].
pub fn read(folder: &Path) -> Result<RulePack> {
    let pack = RulePack::import(folder).map_err(|source| Error::Rules { source })?;
    if pack.rules.is_empty() && pack.others.is_empty() {
        return Err(Error::NothingToIngest { place: crate::error::file_name(folder) });
    }
    Ok(pack)
}

/// Takes a folder of rule files over as the study's rules, in place of those before.
///
/// # Errors
/// [`Error::Rules`] when a file is not usable or the folder holds no rule; the rules before stay then.
pub fn import(files: &TenantFiles, folder: &Path) -> Result<RulePack> {
    let pack = read(folder)?;
    let place = files.rules_folder();
    let (new, old) = (place.with_extension("new"), place.with_extension("old"));
    for left_over in [&new, &old] {
        remove(left_over)?;
    }
    copy(folder, &new)?;
    if place.exists() {
        fs::rename(&place, &old).map_err(|source| Error::io("set aside", &place, source))?;
    }
    fs::rename(&new, &place).map_err(|source| Error::io("put in place", &new, source))?;
    remove(&old)?;
    Ok(pack)
}

/// The study's rules; none when none were imported.
///
/// # Errors
/// [`Error::Rules`] when one cannot be read any more.
pub fn imported(files: &TenantFiles) -> Result<Option<RulePack>> {
    let place = files.rules_folder();
    if !place.exists() {
        return Ok(None);
    }
    RulePack::import(&place).map(Some).map_err(|source| Error::Rules { source })
}

/// Runs rules over the newest delivery of each SDTM dataset.
///
/// # Errors
/// [`Error::NothingToIngest`] when no SDTM dataset was delivered, [`Error::File`] when a raw file cannot be read.
pub fn check(files: &TenantFiles, receipts: &[Receipt], rules: &[Rule]) -> Result<Conformance> {
    let mut builder = StudyBuilder::new();
    let mut datasets = Vec::new();
    for (name, file) in newest(receipts) {
        push(&mut builder, &files.path(&file.raw_key)?, &name, file)?;
        datasets.push(name);
    }
    if datasets.is_empty() {
        return Err(Error::NothingToIngest { place: "the study's SDTM datasets".into() });
    }
    let study = builder.finish().map_err(|source| Error::Rules { source })?;
    let limits =
        Limits { issues: usize::try_from(FINDINGS_AT_MOST).unwrap_or(usize::MAX), ..Limits::default() };
    let outcomes = rules::execute_all(rules, &study, limits, THREADS);
    let mut conformance =
        Conformance { datasets, rules: rules.len(), checks: Vec::new(), not_executable: BTreeMap::new() };
    for (rule, outcome) in rules.iter().zip(&outcomes) {
        let reason = outcome.datasets.iter().find_map(|of| match &of.verdict {
            Verdict::NotExecutable { reason } => Some(reason.clone()),
            _ => None,
        });
        if let Some(reason) = reason {
            conformance.not_executable.insert(rule.id().to_owned(), reason);
        }
        conformance.checks.push(as_check(rule, outcome));
    }
    Ok(conformance)
}

/// Of each SDTM dataset the file of the latest cut.
fn newest(receipts: &[Receipt]) -> BTreeMap<String, &FileReceipt> {
    let mut receipts: Vec<&Receipt> =
        receipts.iter().filter(|receipt| receipt.source_system == SDTM).collect();
    receipts.sort_by_key(|receipt| (receipt.extracted_at, receipt.received_at));
    let files = receipts.iter().flat_map(|receipt| &receipt.files);
    files.map(|file| (file.dataset.clone(), file)).collect()
}

fn push(builder: &mut StudyBuilder, path: &Path, name: &str, file: &FileReceipt) -> Result<()> {
    let found = formats::datasets(path)?;
    // A file of one dataset may have no name for it but its own, which it has lost in the raw zone.
    let is_it = |dataset: &&Dataset| found.len() == 1 || dataset.name == name;
    let Some(dataset) = found.iter().find(is_it) else {
        let reason = format!("it holds no dataset `{name}`");
        return Err(Error::Corrupt { key: file.raw_key.clone(), reason });
    };
    let refused = |source| Error::Rules { source };
    let place = builder.push_dataset(header(dataset, name, file));
    let mut source = formats::open(path, dataset)?;
    while let Some(batch) = source.next_batch()? {
        for (position, column) in batch.columns().iter().enumerate() {
            builder.push_column(place, position, column.as_string::<i32>().iter()).map_err(refused)?;
        }
    }
    Ok(())
}

fn header(dataset: &Dataset, name: &str, file: &FileReceipt) -> DatasetHeader {
    let variables = dataset.columns.iter().map(|column| VariableHeader {
        name: column.name.clone(),
        label: column.label.clone(),
        kind: if column.kind == ColumnKind::Number { Kind::Num } else { Kind::Char },
        length: column.length,
    });
    DatasetHeader {
        name: name.to_owned(),
        file_name: file.file.clone(),
        label: dataset.label.clone(),
        size_bytes: Some(file.bytes),
        variables: variables.collect(),
    }
}

fn as_check(rule: &Rule, outcome: &RuleOutcome) -> ForeignCheck {
    let (mut denominator, mut violations, mut asked) = (0, 0, Vec::new());
    for of in &outcome.datasets {
        match &of.verdict {
            Verdict::Passed { records } => denominator += records,
            Verdict::Failed { records, failed_records, .. } => {
                denominator += records;
                violations += failed_records;
            }
            Verdict::NotApplicable { .. } | Verdict::NotExecutable { .. } => continue,
        }
        asked.push(of.dataset.as_str());
    }
    let standards: Vec<&str> =
        rule.authorities().iter().map(|authority| authority.rule_id.as_str()).collect();
    let severity = if rule.severity() == "warning" { Severity::Warn } else { Severity::Error };
    let row = CheckRow {
        check_id: rule.id().to_owned(),
        version: rule.version().parse().unwrap_or(1),
        category: Category::Conformance.name().to_owned(),
        subcategory: standards.first().copied().unwrap_or("published rule").to_owned(),
        severity: severity.name().to_owned(),
        entity: if let [dataset] = asked[..] { dataset.to_owned() } else { "*".to_owned() },
        column: "*".to_owned(),
        description: rule.description().to_owned(),
        remedy: rule.remedy().to_owned(),
        denominator,
        violations,
        ..CheckRow::default()
    };
    ForeignCheck { row, findings: outcome.issues().map(|issue| finding(rule, issue)).collect() }
}

fn finding(rule: &Rule, issue: &Issue) -> Finding {
    let columns: Vec<&str> = issue.values.iter().map(|(column, _)| column.as_str()).collect();
    let values: Vec<String> =
        issue.values.iter().map(|(column, value)| format!("{column}={value}")).collect();
    Finding {
        entity: issue.dataset.clone(),
        subject_id: issue.usubjid.clone(),
        source_row: issue.record,
        column: columns.join(", "),
        value: (!values.is_empty()).then(|| values.join(", ")),
        message: rule.message().to_owned(),
        ..Finding::default()
    }
}

fn remove(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(|source| Error::io("remove", folder, source))?;
    }
    Ok(())
}

/// Copies what the import has read.
fn copy(from: &Path, to: &Path) -> Result<()> {
    for file in rules::rule_files(from).map_err(|source| Error::Rules { source })? {
        let target = to.join(file.strip_prefix(from).unwrap_or(&file));
        let folder = target.parent().unwrap_or(to);
        fs::create_dir_all(folder).map_err(|source| Error::io("make", folder, source))?;
        fs::copy(&file, &target).map_err(|source| Error::io("copy", &file, source))?;
    }
    Ok(())
}
