//! dbt beside the marts: a project with the queries of the same marts, one model for each mart and study, over the same
//! Parquet files and into a DuckDB file. It makes what the queries say and neither tests nor publishes, and is told
//! which study has changed. `./dev bench` names the program in `CAIRN_DBT`.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use marts::Mart;

use crate::account::{Used, measure_children};

type Failure = Box<dyn std::error::Error>;

const PROJECT: &str =
    "name: bench\nversion: '1.0'\nprofile: bench\nmodels:\n  bench:\n    +materialized: table\n";
/// Before these words a query names a table.
const BEFORE_TABLES: [&str; 2] = ["FROM ", "JOIN "];

/// A project of dbt in a folder of its own.
pub(crate) struct Project {
    program: PathBuf,
    folder: PathBuf,
}

/// A study's tables, each with its files.
pub(crate) type Tables = Vec<(String, Vec<PathBuf>)>;

impl Project {
    /// An empty project; `None`, with a printed line, where there is no dbt.
    #[expect(clippy::disallowed_methods, reason = "a benchmark is told by its environment where its peer is")]
    pub(crate) fn new(folder: PathBuf, threads: u64) -> Result<Option<Self>, Failure> {
        let Some(program) = std::env::var_os("CAIRN_DBT").map(PathBuf::from) else {
            println!("  dbt: not run: CAIRN_DBT is not set; use ./dev bench");
            return Ok(None);
        };
        fs::create_dir_all(folder.join("models"))?;
        fs::write(folder.join("dbt_project.yml"), PROJECT)?;
        let file = folder.join("bench.duckdb");
        let profile = format!(
            "bench:\n  target: dev\n  outputs:\n    dev:\n      type: duckdb\n      path: '{}'\n      threads: {threads}\n      \
             settings:\n        threads: {threads}\n",
            file.display()
        );
        fs::write(folder.join("profiles.yml"), profile)?;
        Ok(Some(Self { program, folder }))
    }

    /// Writes the models of a study: the queries of these marts, over the tables that they read.
    pub(crate) fn write(&self, study: &str, marts: &[&Mart], tables: &Tables) -> Result<(), Failure> {
        let study = name_of(study);
        let folder = self.folder.join("models").join(&study);
        fs::create_dir_all(&folder)?;
        let mut sources = format!("version: 2\nsources:\n  - name: {study}\n    tables:\n");
        let queries: Vec<_> = marts.iter().filter_map(|mart| Some((mart, mart.query()?))).collect();
        let is_model = |name: &str| queries.iter().any(|(mart, _)| mart.name == name);
        for (name, files) in tables.iter().filter(|(name, _)| !is_model(name)) {
            let files: Vec<String> = files.iter().map(|file| format!("''{}''", file.display())).collect();
            writeln!(
                sources,
                "      - name: {name}\n        config:\n          meta:\n            external_location: 'read_parquet([{}])'",
                files.join(", ")
            )?;
        }
        fs::write(folder.join("sources.yml"), sources)?;
        for (mart, query) in &queries {
            let mut model = format!("{{{{ config(tags=['{study}']) }}}}\n{query}");
            for input in mart.inputs {
                let relation = if is_model(input) {
                    format!("{{{{ ref('{study}_{input}') }}}}")
                } else {
                    format!("{{{{ source('{study}', '{input}') }}}}")
                };
                model = with_relation(&model, input, &relation);
            }
            fs::write(folder.join(format!("{study}_{}.sql", mart.name)), model)?;
        }
        Ok(())
    }

    /// Makes all models, or those of one study.
    pub(crate) fn run(&self, study: Option<&str>) -> Result<Used, Failure> {
        let mut dbt = Command::new(&self.program);
        dbt.args(["--no-use-colors", "--no-send-anonymous-usage-stats", "run", "--project-dir"]);
        dbt.arg(&self.folder).arg("--profiles-dir").arg(&self.folder);
        if let Some(study) = study {
            dbt.args(["--select", &format!("tag:{}", name_of(study))]);
        }
        let said = self.folder.join("said");
        dbt.stdin(Stdio::null()).stdout(fs::File::create(&said)?).current_dir(&self.folder);
        let (ended, used) = measure_children(|| Ok(dbt.status()?))?;
        if ended.success() {
            Ok(used)
        } else {
            Err(format!("dbt failed:\n{}", fs::read_to_string(said)?).into())
        }
    }
}

/// A study as dbt may call it.
fn name_of(study: &str) -> String {
    study.to_lowercase().replace('-', "_")
}

/// The query with a relation in a table's place.
fn with_relation(query: &str, table: &str, relation: &str) -> String {
    let mut made = String::with_capacity(query.len());
    let mut rest = query;
    while let Some(at) = rest.find(table) {
        let (before, after) = (&rest[..at], &rest[at + table.len()..]);
        made.push_str(before);
        let is_named = BEFORE_TABLES.iter().any(|word| made.ends_with(word));
        let ends = !after.starts_with(|next: char| next.is_alphanumeric() || next == '_' || next == '.');
        made.push_str(if is_named && ends { relation } else { table });
        rest = after;
    }
    made.push_str(rest);
    made
}
