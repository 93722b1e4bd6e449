//! A folder of rules.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::{Rule, RuleError};

/// Bounds on a pack. CDISC publishes about 1,000 rules, of at most 30 KB each.
const MAX_FILE_BYTES: u64 = 1 << 20;
const MAX_FILES: usize = 20_000;
const MAX_DEPTH: usize = 8;

/// The rules of a folder: those that can be executed, and those that cannot, each with its reason.
#[derive(Debug, Clone, Default)]
pub struct RulePack {
    /// The executable rules, ordered by id.
    pub rules: Vec<Rule>,
    /// The other rules, ordered by id, then by file.
    pub others: Vec<NotExecutable>,
}

/// A rule of a pack that cannot be executed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotExecutable {
    /// The rule's id, or `?` where the file has none.
    pub rule: String,
    /// Its file.
    pub file: PathBuf,
    /// The missing operator, operation, metadata or rule type, or what makes the file malformed.
    pub reason: String,
}

impl RulePack {
    /// Reads every `.yml`, `.yaml` and `.json` file below a folder.
    ///
    /// # Errors
    /// If a file cannot be read, is too large, or repeats the id of another; both files are named then.
    pub fn import(folder: &Path) -> Result<Self, RuleError> {
        let mut seen: BTreeMap<String, PathBuf> = BTreeMap::new();
        let mut pack = Self::default();
        for file in rule_files(folder)? {
            let (id, read) = match Rule::parse(&text_of(&file)?) {
                Ok(rule) => (rule.id().to_owned(), Ok(rule)),
                Err(RuleError::Malformed { rule, reason }) => (rule, Err(format!("malformed: {reason}"))),
                Err(RuleError::Unsupported { rule, reason }) => (rule, Err(reason)),
                Err(error) => return Err(error),
            };
            if id != "?"
                && let Some(first) = seen.insert(id.clone(), file.clone())
            {
                return Err(RuleError::DuplicateId { rule: id, first, second: file });
            }
            match read {
                Ok(rule) => pack.rules.push(rule),
                Err(reason) => pack.others.push(NotExecutable { rule: id, file, reason }),
            }
        }
        pack.rules.sort_by(|one, other| one.id.cmp(&other.id));
        pack.others.sort_by(|one, other| (&one.rule, &one.file).cmp(&(&other.rule, &other.file)));
        Ok(pack)
    }

    /// The executable rules that belong to a version of a standard, such as `SDTMIG` and `3.4`.
    pub fn of_standard(&self, standard: &str, version: &str) -> impl Iterator<Item = &Rule> {
        self.rules.iter().filter(move |rule| rule.belongs_to(standard, version))
    }
}

fn text_of(file: &Path) -> Result<String, RuleError> {
    let failed = |source| RuleError::Read { path: file.to_owned(), source };
    let bytes = std::fs::metadata(file).map_err(failed)?.len();
    if bytes > MAX_FILE_BYTES {
        return Err(RuleError::TooLarge { path: file.to_owned(), bytes, limit: MAX_FILE_BYTES });
    }
    std::fs::read_to_string(file).map_err(failed)
}

/// The rule files of a folder and those below it, in their order; links are not followed.
///
/// # Errors
/// [`RuleError::Read`] when a folder cannot be listed, [`RuleError::TooMany`] when it holds too much.
pub fn rule_files(folder: &Path) -> Result<Vec<PathBuf>, RuleError> {
    let mut files = Vec::new();
    collect(folder, 0, &mut files)?;
    files.sort();
    Ok(files)
}

fn collect(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), RuleError> {
    let failed = |source| RuleError::Read { path: folder.to_owned(), source };
    let many = |reason| RuleError::TooMany { path: folder.to_owned(), reason };
    if depth > MAX_DEPTH {
        return Err(many(format!("folders nest deeper than {MAX_DEPTH}")));
    }
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let path = entry.path();
        // A link is not followed: it could lead out of the pack, or round in a circle.
        let kind = entry.file_type().map_err(failed)?;
        if kind.is_dir() {
            collect(&path, depth + 1, files)?;
        } else if kind.is_file() && is_rule_file(&path) {
            files.push(path);
            if files.len() > MAX_FILES {
                return Err(many(format!("more than {MAX_FILES} rule files")));
            }
        }
    }
    Ok(())
}

fn is_rule_file(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str()).map(str::to_lowercase);
    matches!(extension.as_deref(), Some("yml" | "yaml" | "json"))
}
