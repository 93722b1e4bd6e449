//! What the rules are checked against: the repository's files and its packages.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
};

use toml::{Table, Value};

/// One file that belongs to the repository, by its path from the root.
#[derive(Debug)]
pub(super) struct TextFile {
    pub(super) path: String,
    pub(super) text: String,
}

/// One member of the workspace.
#[derive(Debug)]
pub(super) struct Package {
    pub(super) name: String,
    pub(super) manifest_path: String,
    pub(super) text: String,
    pub(super) manifest: Table,
}

/// One line of a `[dependencies]` table, whatever its kind.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Dependency {
    /// The crate's own name, also where the manifest gives it another.
    pub(super) name: String,
    /// The name by which the manifest calls it.
    pub(super) key: String,
    /// Whether only tests, examples and benches see it.
    pub(super) dev: bool,
}

/// The root of the repository.
pub(super) fn root() -> &'static Path {
    // Tests run in their package's folder. Its path when they were compiled may be that of another clone.
    static ROOT: LazyLock<PathBuf> =
        LazyLock::new(|| fs::canonicalize("..").expect("the package has a folder of its own below the root"));
    &ROOT
}

/// The text of a file that has to exist.
pub(super) fn read(path: &str) -> String {
    let text = fs::read_to_string(root().join(path));
    assert!(text.is_ok(), "{path}: cannot be read; restore the file");
    text.unwrap_or_default()
}

/// The paths of all files that are tracked or about to be, sorted.
pub(super) fn paths() -> Vec<String> {
    let mut paths = tracked().unwrap_or_else(|| {
        let mut found = Vec::new();
        walk(root(), &mut found);
        found
    });
    paths.retain(|path| root().join(path).is_file());
    paths.sort();
    paths.dedup();
    paths
}

/// All text files, in the order of their paths.
pub(super) fn text_files() -> Vec<TextFile> {
    let read = |path: String| {
        let text = String::from_utf8(fs::read(root().join(&path)).ok()?).ok()?;
        (!text.contains('\0')).then_some(TextFile { path, text })
    };
    paths().into_iter().filter_map(read).collect()
}

/// The text files whose name ends in `.{extension}`.
pub(super) fn text_files_of(extension: &str) -> Vec<TextFile> {
    let mut files = text_files();
    files.retain(|file| Path::new(&file.path).extension().is_some_and(|found| found == extension));
    files
}

/// The manifest of the workspace.
pub(super) fn workspace() -> Table {
    parse("Cargo.toml", &read("Cargo.toml"))
}

/// The members of the workspace, in the order in which it lists them.
pub(super) fn packages() -> Vec<Package> {
    let workspace = workspace();
    let members = workspace["workspace"]["members"].as_array().expect("a workspace lists its members");
    let member = |member: &Value| {
        let path = format!("{}/Cargo.toml", member.as_str().expect("a member is a path"));
        let text = read(&path);
        package(path, text)
    };
    members.iter().map(member).collect()
}

/// A package from the text of its manifest.
pub(super) fn package(manifest_path: String, text: String) -> Package {
    let manifest = parse(&manifest_path, &text);
    let name = manifest["package"]["name"].as_str().expect("a package has a name").to_owned();
    Package { name, manifest_path, text, manifest }
}

impl Package {
    /// The dependencies of every kind and every target.
    pub(super) fn dependencies(&self, workspace: &Table) -> Vec<Dependency> {
        let mut found = Vec::new();
        let targets = self.manifest.get("target").and_then(Value::as_table);
        let tables = targets.into_iter().flat_map(Table::values).filter_map(Value::as_table);
        for table in std::iter::once(&self.manifest).chain(tables) {
            for kind in ["dependencies", "build-dependencies", "dev-dependencies"] {
                let Some(dependencies) = table.get(kind).and_then(Value::as_table) else { continue };
                found.extend(dependencies.iter().map(|(key, value)| Dependency {
                    name: real_name(key, value, workspace),
                    key: key.clone(),
                    dev: kind == "dev-dependencies",
                }));
            }
        }
        found
    }

    /// Whether every table that names `key` takes it from the workspace.
    pub(super) fn inherits(&self, key: &str) -> bool {
        let tables = ["dependencies", "build-dependencies", "dev-dependencies"];
        let values = tables.iter().filter_map(|table| self.manifest.get(*table)?.get(key));
        values
            .map(|value| value.get("workspace").and_then(Value::as_bool))
            .all(|inherits| inherits == Some(true))
    }

    /// The line of the manifest that names the dependency `key`.
    pub(super) fn line_of(&self, key: &str) -> usize {
        let names = |line: &str| {
            line.strip_prefix(key).is_some_and(|rest| rest.starts_with(['.', ' ', '=']))
                || line.trim_end().ends_with(&format!("dependencies.{key}]"))
        };
        self.text.lines().position(names).map_or(1, |index| index + 1)
    }
}

fn real_name(key: &str, value: &Value, workspace: &Table) -> String {
    let renamed = |value: &Value| value.get("package").and_then(Value::as_str).map(str::to_owned);
    let inherited = || {
        let pinned = workspace.get("workspace")?.get("dependencies")?.get(key)?;
        renamed(pinned)
    };
    renamed(value).or_else(inherited).unwrap_or_else(|| key.to_owned())
}

fn parse(path: &str, text: &str) -> Table {
    let parsed = text.parse::<Table>();
    assert!(parsed.is_ok(), "{path}: is not valid TOML: {:?}", parsed.as_ref().err());
    parsed.unwrap_or_default()
}

fn tracked() -> Option<Vec<String>> {
    let listing = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    let paths: Vec<String> =
        String::from_utf8_lossy(&listing.stdout).split_terminator('\0').map(str::to_owned).collect();
    (!paths.is_empty()).then_some(paths)
}

/// The fallback for a copy without its history: every file, except what `.gitignore` names.
fn walk(folder: &Path, found: &mut Vec<String>) {
    const IGNORED: [&str; 6] = [".git", ".venv", "__pycache__", "data", "demo-data", "target"];
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    for path in entries.map(|entry| entry.path()).collect::<Vec<PathBuf>>() {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            if !IGNORED.contains(&name.as_str()) {
                walk(&path, found);
            }
        } else if let Ok(relative) = path.strip_prefix(root()) {
            found.push(relative.to_string_lossy().replace('\\', "/"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dependency_is_known_by_its_own_name_and_kind() {
        let workspace = "[workspace.dependencies]\nold = { package = \"arrow-ipc\", version = \"60\" }\n";
        let text = "[package]\nname = \"x\"\n[dependencies]\nold.workspace = true\n[dev-dependencies]\nb = \"1\"\n\
                    [target.'cfg(unix)'.dependencies]\nc = { package = \"d\", version = \"1\" }\n";
        let package = package("x/Cargo.toml".to_owned(), text.to_owned());
        let found = package.dependencies(&parse("Cargo.toml", workspace));
        let found: Vec<_> = found.iter().map(|d| (d.name.as_str(), d.key.as_str(), d.dev)).collect();
        assert_eq!(found, [("arrow-ipc", "old", false), ("b", "b", true), ("d", "c", false)]);
        assert_eq!(package.line_of("old"), 4);
    }

    #[test]
    fn a_copy_without_history_lists_the_same_kind_of_paths() {
        let mut found = Vec::new();
        walk(root(), &mut found);
        assert!(found.contains(&"tests/tests/tidy.rs".to_owned()));
        assert!(!found.iter().any(|path| path.starts_with("target/") || path.starts_with(".git/")));
    }
}
