//! The repository's own rules. Each is one test, whose message names the file, the line and the remedy.
//! [`repository`] finds what the rules are checked against; [`source`] tells code from what is not code.

mod controls;
mod oracles;
mod repository;
mod source;

use std::{collections::BTreeSet, path::Path};

use repository::{Package, TextFile};
use toml::{Table, Value};

/// Who may use whom among our own crates: `DESIGN`'s picture, which `ARCHITECTURE.md` repeats.
const ARROWS: [(&str, &[&str]); 8] = [
    (
        "server",
        &["frontend", "flight", "evidence", "marts", "control", "warehouse", "formats", "rules", "kernel"],
    ),
    ("flight", &["control", "warehouse", "kernel"]),
    ("evidence", &["warehouse", "formats", "measures", "kernel"]),
    ("marts", &["warehouse", "measures", "kernel"]),
    ("frontend", &["measures", "kernel"]),
    ("control", &["kernel"]),
    ("warehouse", &["formats", "rules", "kernel"]),
    ("formats", &[]),
];

/// Who owns a heavy dependency, together with every crate whose name extends it (`polars-core`).
/// The longest name that fits decides.
const OWNERS: [(&str, &[&str]); 19] = [
    ("duckdb", &["warehouse"]),
    ("libduckdb-sys", &["warehouse"]),
    ("arrow-ipc", &["warehouse"]),
    ("parquet", &["formats", "warehouse", "evidence"]), // `evidence` writes extracts as a foreign system would.
    ("object_store", &["warehouse"]),
    ("sqlx", &["control"]),
    ("ed25519-dalek", &["control", "stories"]),
    ("ring", &["control"]),
    ("polars", &["marts"]),
    ("statrs", &["measures"]),
    ("linfa", &["measures"]),
    ("datafusion", &["flight"]),
    ("arrow-flight", &["flight"]),
    ("tonic", &["flight"]),
    ("leptos", &["frontend"]),
    ("leptos_axum", &["server"]),
    ("plotly", &["frontend"]),
    ("axum", &["server"]),
    ("clap", &["server"]),
];

/// The one version of Arrow that belongs to DuckDB, and the marks by which code is known to touch it.
const DUCKDB_ARROW_MAJOR: &str = "60.";
const DUCKDB_ARROW_MARKS: [&str; 4] = ["arrow_ipc_60", "query_arrow", "stream_arrow", "duckdb::arrow"];

const TOP_LEVEL: [&str; 23] = [
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "STYLE.md",
    "clippy.toml",
    "deny.toml",
    "deploy",
    "dev",
    "docs",
    "evidence",
    "flight",
    "frontend",
    "marts",
    "migrations",
    "rustfmt.toml",
    "server",
    "tests",
    "warehouse",
];

const FILE_LINES: usize = 500;
const FUNCTION_LINES: usize = 70;
const BANNED_NAMES: [&str; 9] =
    ["util", "utils", "helper", "helpers", "common", "misc", "manager", "managers", "mod"];

// ---- crates -------------------------------------------------------------------------------------------------

#[test]
fn crates_use_only_the_crates_below_them() {
    assert_clean(&arrow_violations(&repository::packages(), &repository::workspace()));
}

#[test]
fn the_architecture_page_draws_exactly_the_arrows() {
    let drawn = drawn_arrows(&repository::read("ARCHITECTURE.md"));
    let known: BTreeSet<_> =
        ARROWS.iter().flat_map(|(from, to)| to.iter().map(move |to| arrow(from, to))).collect();
    let missing = known.difference(&drawn).map(|arrow| {
        format!("ARCHITECTURE.md:1: the ```text block lacks `{arrow}`; draw it as tests/tests/tidy.rs has it")
    });
    let foreign = drawn.difference(&known).map(|arrow| {
        format!("ARCHITECTURE.md:1: the ```text block draws `{arrow}`, which does not exist; remove it")
    });
    assert_clean(&missing.chain(foreign).collect::<Vec<_>>());
}

#[test]
fn a_heavy_dependency_has_one_owner() {
    assert_clean(&owner_violations(&repository::packages(), &repository::workspace()));
}

#[test]
fn every_crate_takes_the_workspace_lints() {
    let without = repository::packages().into_iter().filter(|package| {
        package.manifest.get("lints").and_then(|lints| lints.get("workspace")).and_then(Value::as_bool)
            != Some(true)
    });
    let message = |package: Package| {
        format!(
            "{}:1: does not take the workspace lints; add `[lints]` with `workspace = true`",
            package.manifest_path
        )
    };
    assert_clean(&without.map(message).collect::<Vec<_>>());
}

#[test]
fn unsafe_code_is_forbidden() {
    let workspace = repository::workspace();
    let level = workspace["workspace"]["lints"]["rust"]["unsafe_code"].as_str();
    assert_eq!(
        level,
        Some("forbid"),
        "Cargo.toml:1: set `unsafe_code = \"forbid\"` in [workspace.lints.rust]"
    );
}

#[test]
fn a_crate_links_one_integration_test_binary() {
    let paths = repository::paths();
    let mut violations = Vec::new();
    for package in repository::packages() {
        let folder = package.manifest_path.trim_end_matches("Cargo.toml");
        let tests = format!("{folder}tests/");
        let found = paths.iter().filter(|path| {
            path.strip_prefix(&tests).is_some_and(|rest| !rest.contains('/') && rest.ends_with(".rs"))
        });
        let declared = package.manifest.get("test").and_then(Value::as_array).map(Vec::len);
        if declared.unwrap_or_else(|| found.count()) > 1 {
            violations.push(format!(
                "{}:1: links more than one test binary; make the files modules of one, as `stories` does",
                package.manifest_path
            ));
        }
    }
    assert_clean(&violations);
}

// ---- the lock -----------------------------------------------------------------------------------------------

#[test]
fn every_locked_crate_comes_from_the_default_registry() {
    let foreign = locked().into_iter().filter(|package| {
        package
            .get("source")
            .and_then(Value::as_str)
            .is_some_and(|source| source != "registry+https://github.com/rust-lang/crates.io-index")
    });
    let message = |package: Table| {
        format!(
            "Cargo.lock:1: `{}` comes from {}; take it from the default registry",
            package["name"], package["source"]
        )
    };
    assert_clean(&foreign.map(message).collect::<Vec<_>>());
}

#[test]
fn only_duckdb_holds_its_version_of_arrow() {
    assert_clean(&arrow_version_violations(&locked()));
}

#[test]
fn a_dependency_states_its_version() {
    let mut violations = Vec::new();
    let workspace = repository::workspace();
    let pinned = workspace["workspace"]["dependencies"].as_table().cloned().unwrap_or_default();
    for (name, value) in &pinned {
        let version = value.as_str().or_else(|| value.get("version").and_then(Value::as_str));
        let local = value.get("path").is_some();
        if !local && version.is_none_or(|version| version.contains('*')) {
            violations.push(format!("Cargo.toml:1: `{name}` has no version; state one"));
        }
    }
    for package in repository::packages() {
        for dependency in package.dependencies(&workspace) {
            if !package.inherits(&dependency.key) {
                violations.push(format!(
                    "{}:{}: `{}` states its own version; pin it in [workspace.dependencies] and inherit it",
                    package.manifest_path,
                    package.line_of(&dependency.key),
                    dependency.key
                ));
            }
        }
    }
    assert_clean(&violations);
}

// ---- files and names ----------------------------------------------------------------------------------------

#[test]
fn the_top_level_holds_what_the_design_lists() {
    let found: BTreeSet<String> = repository::paths().iter().filter_map(|path| top_level(path)).collect();
    let foreign = found.iter().filter(|name| !TOP_LEVEL.contains(&name.as_str()) && !name.starts_with('.'));
    let missing = TOP_LEVEL.iter().filter(|name| !found.contains(**name));
    let foreign =
        foreign.map(|name| format!("{name}:1: does not belong at the top level; move it below a folder"));
    let missing = missing.map(|name| format!("{name}:1: is missing from the top level; restore it"));
    assert_clean(&foreign.chain(missing).collect::<Vec<_>>());
}

#[test]
fn files_and_modules_are_named_after_the_thing_in_them() {
    let mut violations: Vec<String> =
        repository::paths().iter().filter_map(|path| banned_name(path)).collect();
    for file in rust_files() {
        for (name, line) in source::modules(&source::code_only(&file.text)) {
            if BANNED_NAMES.contains(&name.as_str()) {
                violations.push(format!(
                    "{}:{line}: the module `{name}` says nothing; name it after the thing in it",
                    file.path
                ));
            }
        }
    }
    assert_clean(&violations);
}

#[test]
fn files_and_functions_fit_in_the_head() {
    assert_clean(&production_files().iter().flat_map(length_violations).collect::<Vec<_>>());
}

#[test]
fn analytic_sql_states_its_grain_and_inputs() {
    let mut files = repository::text_files_of("sql");
    files.retain(|file| file.path.starts_with("warehouse/") || file.path.starts_with("marts/"));
    assert_clean(&files.iter().flat_map(sql_violations).collect::<Vec<_>>());
}

// ---- walls --------------------------------------------------------------------------------------------------

#[test]
fn only_the_gate_makes_grants() {
    let files = production_files();
    let outside = files
        .iter()
        .filter(|f| !f.path.starts_with("server/control/src/") && f.path != "warehouse/kernel/src/scope.rs")
        // A benchmark has no gate: it works over data of its own making.
        .filter(|f| !f.path.contains("/benches/"));
    let message = |file: &TextFile| {
        let code = source::production_only(&source::code_only(&file.text));
        let path = file.path.clone();
        source::lines_with_word(&code, "from_gate").into_iter().map(move |line| {
            format!("{path}:{line}: makes grants; take a `&StudyScope` that the gate in server/control made")
        })
    };
    assert_clean(&outside.flat_map(message).collect::<Vec<_>>());
}

#[test]
fn duckdbs_own_arrow_stays_in_one_file_of_the_warehouse() {
    let touching: Vec<(String, usize)> = rust_files()
        .into_iter()
        .filter(|file| !file.path.starts_with("tests/"))
        .filter_map(|file| Some((duckdb_arrow_line(&file.text)?, file.path)).map(|(line, path)| (path, line)))
        .collect();
    let keeper =
        touching.iter().find(|(path, _)| path.starts_with("warehouse/src/")).map(|(path, _)| path.clone());
    let others = touching.iter().filter(|(path, _)| Some(path) != keeper.as_ref());
    let message = |(path, line): &(String, usize)| {
        let keeper = keeper.as_deref().unwrap_or("one file of warehouse/src");
        format!("{path}:{line}: touches DuckDB's own Arrow; let {keeper} carry the batch across as IPC bytes")
    };
    assert_clean(&others.map(message).collect::<Vec<_>>());
}

#[test]
fn no_file_names_a_machine_or_a_registry_host() {
    assert_clean(&repository::text_files().iter().flat_map(place_violations).collect::<Vec<_>>());
}

// ---- pages --------------------------------------------------------------------------------------------------

#[test]
fn the_change_log_has_an_unreleased_section() {
    let log = repository::read("CHANGELOG.md");
    assert!(
        log.lines().any(|line| line.trim_end() == "## [Unreleased]"),
        "CHANGELOG.md:1: has no `## [Unreleased]` section; add it on top"
    );
}

#[test]
fn the_readme_names_both_commands() {
    let readme = repository::read("README.md");
    for command in ["./dev demo", "./dev test"] {
        assert!(readme.contains(command), "README.md:1: does not name `{command}`; say what it does");
    }
}

// ---- the rules, as functions of what they read --------------------------------------------------------------

fn arrow_violations(packages: &[Package], workspace: &Table) -> Vec<String> {
    let members: BTreeSet<&str> = packages.iter().map(|package| package.name.as_str()).collect();
    let mut violations = Vec::new();
    for package in packages.iter().filter(|package| package.name != "stories") {
        let allowed = ARROWS.iter().find(|(from, _)| *from == package.name).map_or(&[][..], |(_, to)| *to);
        for dependency in package.dependencies(workspace) {
            let name = dependency.name.as_str();
            if members.contains(name) && !allowed.contains(&name) {
                violations.push(format!(
                    "{}:{}: `{name}` is not below `{}`; a new arrow is a decision record, not part of a fix",
                    package.manifest_path,
                    package.line_of(&dependency.key),
                    package.name
                ));
            }
        }
    }
    violations
}

fn owner_violations(packages: &[Package], workspace: &Table) -> Vec<String> {
    let mut violations = Vec::new();
    for package in packages {
        for dependency in package.dependencies(workspace) {
            let Some(owners) = owners_of(&dependency.name) else { continue };
            if !owners.contains(&package.name.as_str()) {
                violations.push(format!(
                    "{}:{}: `{}` belongs to `{}`; call that crate instead of its engine",
                    package.manifest_path,
                    package.line_of(&dependency.key),
                    dependency.name,
                    owners[0]
                ));
            }
        }
    }
    violations
}

fn owners_of(dependency: &str) -> Option<&'static [&'static str]> {
    let fits = |owned: &str| {
        dependency.strip_prefix(owned).is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '_']))
    };
    OWNERS
        .iter()
        .filter(|(owned, _)| fits(owned))
        .max_by_key(|(owned, _)| owned.len())
        .map(|(_, owners)| *owners)
}

fn arrow(from: &str, to: &str) -> String {
    format!("{from} -> {to}")
}

/// The arrows in the first block of text that has any: `marts -> warehouse kernel` is two.
fn drawn_arrows(page: &str) -> BTreeSet<String> {
    let blocks = page.split("```text\n").skip(1).filter_map(|rest| rest.split("```").next());
    let mut blocks = blocks.filter(|block| block.contains(" -> "));
    let lines = blocks.next().unwrap_or_default().lines().filter_map(|line| line.split_once("->"));
    lines.flat_map(|(from, to)| to.split_whitespace().map(move |to| arrow(from.trim(), to))).collect()
}

fn locked() -> Vec<Table> {
    let lock = repository::read("Cargo.lock").parse::<Table>().expect("Cargo writes its lock as TOML");
    let packages = lock["package"].as_array().cloned().unwrap_or_default();
    packages.into_iter().filter_map(|package| package.as_table().cloned()).collect()
}

fn arrow_version_violations(locked: &[Table]) -> Vec<String> {
    let ours = |name: &str| name.starts_with("arrow");
    let mut violations = Vec::new();
    for package in locked {
        let name = package["name"].as_str().unwrap_or_default();
        let version = package["version"].as_str().unwrap_or_default();
        let dependencies = package.get("dependencies").and_then(Value::as_array).into_iter().flatten();
        for dependency in dependencies.filter_map(Value::as_str) {
            let (held, held_version) = dependency.split_once(' ').unwrap_or((dependency, ""));
            if !ours(held) || !held_version.starts_with(DUCKDB_ARROW_MAJOR) {
                continue;
            }
            let itself = ours(name) && version.starts_with(DUCKDB_ARROW_MAJOR);
            // The warehouse holds the writer of IPC bytes alone, for the crossing.
            let crossing = name == "warehouse" && held == "arrow-ipc";
            if !(itself || crossing || name == "duckdb") {
                violations.push(format!("Cargo.lock:1: `{name}` holds `{dependency}`; only `duckdb` may"));
            }
        }
    }
    violations
}

fn top_level(path: &str) -> Option<String> {
    path.split('/').next().map(str::to_owned)
}

fn banned_name(path: &str) -> Option<String> {
    let mut parts: Vec<&str> = path.split('/').collect();
    let file = parts.pop()?;
    let stem = file.split('.').next().unwrap_or(file);
    let banned = parts.into_iter().chain([stem]).find(|part| BANNED_NAMES.contains(part))?;
    Some(format!(
        "{path}:1: `{banned}` says nothing; name it after the thing in it (no mod.rs: x.rs beside x/)"
    ))
}

fn length_violations(file: &TextFile) -> Vec<String> {
    let path = &file.path;
    let mut violations = Vec::new();
    let lines = source::production_lines(&file.text);
    if lines > FILE_LINES {
        violations
            .push(format!("{path}:1: {lines} lines without tests, over {FILE_LINES}; split it by subject"));
    }
    let code = source::production_only(&source::code_only(&file.text));
    for function in source::functions(&code).into_iter().filter(|function| function.lines > FUNCTION_LINES) {
        violations.push(format!(
            "{path}:{}: `{}` has {} lines, over {FUNCTION_LINES}; split it by subject",
            function.line, function.name, function.lines
        ));
    }
    violations
}

fn sql_violations(file: &TextFile) -> Vec<String> {
    let head: Vec<&str> = file.text.lines().take_while(|line| line.starts_with("--")).collect();
    let lacks = |mark: &&str| !head.iter().any(|line| line.starts_with(*mark) && line.len() > mark.len() + 1);
    let message = |mark| {
        format!("{}:1: does not open with `{mark} ...`; say what one row is and is made of", file.path)
    };
    ["-- grain:", "-- inputs:"].into_iter().filter(lacks).map(message).collect()
}

/// The first line that touches DuckDB's own Arrow.
fn duckdb_arrow_line(text: &str) -> Option<usize> {
    let code = source::code_only(text);
    let by_word = DUCKDB_ARROW_MARKS.iter().filter(|mark| !mark.contains("::"));
    let by_word = by_word.flat_map(|mark| source::lines_with_word(&code, mark));
    // `duckdb::arrow::...`, and `arrow` in the braces of a `use duckdb::{...}`.
    let by_path = source::lines_with_word(&code, "duckdb").into_iter().filter(|line| {
        let rest: String = code.lines().skip(line - 1).collect::<Vec<_>>().join("\n");
        rest.split("duckdb::").nth(1).is_some_and(|path| {
            let path = path.trim_start();
            let group = path.strip_prefix('{').map(|group| group.split('}').next().unwrap_or(group));
            let first = path.split(|c: char| !c.is_alphanumeric() && c != '_').next();
            first == Some("arrow")
                || group.is_some_and(|group| !source::lines_with_word(group, "arrow").is_empty())
        })
    });
    by_word.chain(by_path).min()
}

/// Paths of one machine, and hosts that packages were fetched from. They are put together here, so that
/// this file does not hold what it forbids.
fn place_violations(file: &TextFile) -> Vec<String> {
    let folders = ["home", "root", "Users", "work"].map(|name| format!("/{name}/"));
    let hosts = [
        ["static.", "crates.io"],
        ["index.", "crates.io"],
        ["pypi", ".org"],
        ["files.python", "hosted.org"],
        ["registry.", "npmjs.org"],
        ["deb.", "debian.org"],
    ]
    .map(|parts| parts.concat());
    let vendored = file.path.ends_with(".min.js");
    let mut violations = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        let at = format!("{}:{}", file.path, index + 1);
        for folder in folders.iter().filter(|folder| starts_a_path(line, folder)) {
            violations.push(format!(
                "{at}: names a folder of one machine (`{folder}`); make it relative or a setting"
            ));
        }
        for host in hosts.iter().filter(|host| !vendored && line.contains(*host)) {
            violations.push(format!(
                "{at}: names the host `{host}`; leave it to the package client's own settings"
            ));
        }
    }
    violations
}

/// Whether `folder` stands in the line as the beginning of a path, not in the middle of one.
fn starts_a_path(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '}' | '~' | '*' | '/'))
    })
}

fn rust_files() -> Vec<TextFile> {
    repository::text_files_of("rs")
}

/// The Rust files that are not tests as a whole.
fn production_files() -> Vec<TextFile> {
    let mut files = rust_files();
    files.retain(|file| !is_test(&file.path));
    files
}

fn is_test(path: &str) -> bool {
    let path = Path::new(path);
    path.file_name().is_some_and(|name| name == "tests.rs") || path.iter().any(|part| part == "tests")
}

fn assert_clean(violations: &[String]) {
    assert!(violations.is_empty(), "\n{}\n", violations.join("\n"));
}

// ---- the rules bite -----------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> TextFile {
        TextFile { path: path.to_owned(), text: text.to_owned() }
    }

    fn check_one(violations: &[String], expected: &str) {
        assert_eq!(violations.len(), 1, "{violations:?}");
        assert!(violations[0].starts_with(expected), "{} does not start with {expected}", violations[0]);
    }

    fn package_of(name: &str, dependencies: &str) -> Package {
        repository::package(
            format!("{name}/Cargo.toml"),
            format!("[package]\nname = \"{name}\"\n{dependencies}"),
        )
    }

    #[test]
    fn an_arrow_upwards_or_sideways_is_found() {
        let packages = [
            package_of("kernel", ""),
            package_of("control", "[dependencies]\nkernel = \"1\"\n"),
            package_of("warehouse", "[dependencies]\nkernel = \"1\"\n[dev-dependencies]\ncontrol = \"1\"\n"),
        ];
        check_one(
            &arrow_violations(&packages, &Table::new()),
            "warehouse/Cargo.toml:6: `control` is not below",
        );
    }

    #[test]
    fn a_heavy_dependency_in_the_wrong_crate_is_found() {
        let packages = [package_of("server", "[dependencies]\nleptos_axum = \"1\"\npolars-core = \"1\"\n")];
        check_one(
            &owner_violations(&packages, &Table::new()),
            "server/Cargo.toml:5: `polars-core` belongs to `marts`",
        );
    }

    #[test]
    fn arrows_are_read_from_the_page() {
        let page = "```text\na picture\n```\n```text\nmarts     -> warehouse kernel\nflight -> kernel\n```\n";
        let arrows: Vec<_> = drawn_arrows(page).into_iter().collect();
        assert_eq!(arrows, ["flight -> kernel", "marts -> kernel", "marts -> warehouse"]);
    }

    #[test]
    fn a_second_holder_of_duckdbs_arrow_is_found() {
        let lock = "[[package]]\nname = \"duckdb\"\nversion = \"1.2.0\"\ndependencies = [\"arrow 60.1.0\"]\n\
                    [[package]]\nname = \"warehouse\"\nversion = \"0.1.0\"\n\
                    dependencies = [\"arrow 59.3.2\", \"arrow-ipc 60.1.0\"]\n\
                    [[package]]\nname = \"marts\"\nversion = \"0.1.0\"\ndependencies = [\"arrow-array 60.1.0\"]\n";
        let lock: Table = lock.parse().expect("the sample is TOML");
        let packages = lock["package"].as_array().expect("the sample has packages");
        let packages: Vec<Table> =
            packages.iter().filter_map(|package| package.as_table().cloned()).collect();
        check_one(&arrow_version_violations(&packages), "Cargo.lock:1: `marts` holds `arrow-array 60.1.0`");
    }

    #[test]
    fn a_function_of_seventy_one_lines_is_found() {
        let function =
            |lines: usize| format!("//! Doc.\nfn long() {{\n{}}}\n", "    work(\"}\");\n".repeat(lines - 2));
        assert!(length_violations(&file("a.rs", &function(70))).is_empty());
        check_one(&length_violations(&file("a.rs", &function(71))), "a.rs:2: `long` has 71 lines");
    }

    #[test]
    fn a_file_of_five_hundred_and_one_lines_is_found() {
        let tests = "#[cfg(test)]\nmod tests {\n}\n";
        assert!(length_violations(&file("a.rs", &format!("{}{tests}", "use a;\n".repeat(500)))).is_empty());
        check_one(
            &length_violations(&file("a.rs", &format!("{tests}{}", "use a;\n".repeat(501)))),
            "a.rs:1: 501 lines",
        );
    }

    #[test]
    fn a_name_that_says_nothing_is_found() {
        assert!(banned_name("marts/src/missingness.rs").is_none());
        for path in ["marts/src/utils.rs", "marts/src/common/site.rs", "marts/src/x/mod.rs", "docs/misc.md"] {
            assert!(banned_name(path).is_some(), "{path}");
        }
    }

    #[test]
    fn sql_without_its_grain_is_found() {
        let whole = "-- grain:  one row per site\n-- inputs: dim_site\nSELECT 1\n";
        assert!(sql_violations(&file("marts/a.sql", whole)).is_empty());
        let late = "-- inputs: dim_site\nSELECT 1\n-- grain: one row per site\n";
        check_one(
            &sql_violations(&file("marts/a.sql", late)),
            "marts/a.sql:1: does not open with `-- grain:",
        );
    }

    #[test]
    fn duckdbs_arrow_is_known_by_its_marks() {
        assert_eq!(duckdb_arrow_line("use duckdb::Connection;\nuse arrow::array::Array;\n"), None);
        assert_eq!(duckdb_arrow_line("// duckdb::arrow\nlet a = \"duckdb::arrow\";\n"), None);
        assert_eq!(duckdb_arrow_line("\nuse duckdb::arrow::array::Array;\n"), Some(2));
        assert_eq!(
            duckdb_arrow_line("use duckdb::{\n    Connection,\n    arrow::array::Array,\n};\n"),
            Some(1)
        );
        assert_eq!(duckdb_arrow_line("use duckdb::Connection;\nx.query_arrow([])\n"), Some(2));
        assert_eq!(duckdb_arrow_line("use duckdb::Connection;\nfn f(x: duckdb::arrow::A) {}\n"), Some(2));
    }

    #[test]
    fn a_folder_of_one_machine_and_a_host_are_found() {
        let home = ["/ho", "me/someone/data"].concat();
        let host = ["https://pypi", ".org/simple"].concat();
        check_one(&place_violations(&file("a.md", &format!("see\n`{home}`\n"))), "a.md:2: names a folder");
        check_one(&place_violations(&file("a.md", &host)), "a.md:1: names the host");
        assert!(place_violations(&file("a.min.js", &host)).is_empty());
        assert!(
            place_violations(&file("a.md", &format!("https://example.org{home} and docs{home}"))).is_empty()
        );
    }

    #[test]
    fn test_files_are_told_from_production() {
        for path in ["tests/tests/tidy.rs", "marts/tests/marts.rs", "marts/src/graph/tests.rs"] {
            assert!(is_test(path), "{path}");
        }
        assert!(!is_test("marts/src/graph.rs"));
    }
}
