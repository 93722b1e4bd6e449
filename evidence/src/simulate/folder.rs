//! The folder of a simulation: what may be in it, and what is written beside the datasets.

use std::fs;
use std::path::Path;

use serde::Serialize;

use super::error::SimulateError;

/// What to do with an earlier simulation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Earlier {
    /// Leave it and refuse.
    Keep,
    /// Remove it.
    Replace,
}

/// The file by which a simulation is known.
const LEDGER: &str = "truth.json";
const FILES: [&str; 2] = [LEDGER, "plan.json"];
const FOLDERS: [&str; 4] = ["cuts", "platform", "sdtm", "truth"];
/// The datasets of an extract.
pub(super) const DATASETS: [&str; 14] = [
    "study", "site", "schedule", "subj", "enroll", "visit", "ae", "lb", "pd", "dataent", "datachg", "query",
    "studcomp", "sdrgcomp",
];

/// Makes sure that a simulation may write into a folder: one that is not there, is empty, or holds an earlier
/// simulation and nothing else, which is removed if `earlier` says so.
///
/// # Errors
/// [`SimulateError::Occupied`] and [`SimulateError::Present`], and where the folder cannot be read or emptied.
pub fn claim(folder: &Path, earlier: Earlier) -> Result<(), SimulateError> {
    if !folder.exists() {
        return Ok(());
    }
    let read = |source| SimulateError::Read { path: folder.to_owned(), source };
    let mut names: Vec<String> = Vec::new();
    for entry in folder.read_dir().map_err(read)? {
        names.push(entry.map_err(read)?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    if names.is_empty() {
        return Ok(());
    }
    let foreign = names.iter().find(|name| !is_ours(name));
    if let Some(found) = foreign.or(names.first().filter(|_| !folder.join(LEDGER).is_file())) {
        return Err(SimulateError::Occupied { path: folder.to_owned(), found: found.clone() });
    }
    if earlier == Earlier::Keep {
        return Err(SimulateError::Present { path: folder.to_owned() });
    }
    // The ledger goes last, so that an interrupted removal can be taken up again.
    names.sort_by_key(|name| name == LEDGER);
    names.iter().try_for_each(|name| remove(&folder.join(name)))
}

fn is_ours(name: &str) -> bool {
    let dataset = name.strip_suffix(".parquet");
    FILES.contains(&name) || FOLDERS.contains(&name) || dataset.is_some_and(|name| DATASETS.contains(&name))
}

fn remove(path: &Path) -> Result<(), SimulateError> {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    removed.map_err(|source| SimulateError::Write { path: path.to_owned(), source })
}

/// Makes a folder if it is not there.
pub(super) fn make_folder(folder: &Path) -> Result<(), SimulateError> {
    fs::create_dir_all(folder).map_err(|source| SimulateError::Write { path: folder.to_owned(), source })
}

/// Writes a value beside the datasets.
pub(super) fn write_json<T: Serialize>(
    folder: &Path,
    file: &'static str,
    value: &T,
) -> Result<(), SimulateError> {
    let mut text =
        serde_json::to_string_pretty(value).map_err(|source| SimulateError::Render { file, source })?;
    text.push('\n');
    let path = folder.join(file);
    fs::write(&path, text).map_err(|source| SimulateError::Write { path, source })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder_of(names: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        for name in names {
            fs::write(folder.path().join(name), "").expect("the file is written");
        }
        folder
    }

    #[test]
    fn a_folder_that_is_not_there_or_empty_may_be_written_to() {
        let folder = folder_of(&[]);
        assert!(claim(&folder.path().join("new"), Earlier::Keep).is_ok());
        assert!(claim(folder.path(), Earlier::Keep).is_ok());
    }

    #[test]
    fn an_earlier_simulation_is_replaced_only_on_demand() {
        let folder = folder_of(&["truth.json", "ae.parquet"]);
        assert!(matches!(claim(folder.path(), Earlier::Keep), Err(SimulateError::Present { .. })));
        assert!(claim(folder.path(), Earlier::Replace).is_ok());
        assert_eq!(folder.path().read_dir().expect("the folder is there").count(), 0);
    }

    #[test]
    fn what_no_simulation_made_is_never_removed() {
        for names in [&["truth.json", "thesis.docx"][..], &["ae.parquet"][..]] {
            let folder = folder_of(names);
            let refused = claim(folder.path(), Earlier::Replace);
            assert!(matches!(refused, Err(SimulateError::Occupied { .. })), "{names:?}");
            assert_eq!(folder.path().read_dir().expect("the folder is there").count(), names.len());
        }
    }
}
