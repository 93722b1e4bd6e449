//! DuckDB, embedded and stateless: it computes over the files it is handed and keeps nothing.
//!
//! This is the only file that meets DuckDB's own Arrow (60). Small results cross to the workspace's Arrow
//! (59) as IPC bytes; large ones leave as Parquet.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error as StdError;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::RecordBatch;
use arrow::buffer::Buffer;
use arrow::ipc::reader::StreamDecoder;
use duckdb::arrow::array as array60;
use duckdb::arrow::datatypes::DataType as DataType60;
use duckdb::vscalar::{ArrowFunctionSignature, VArrowScalar};
use duckdb::{Config, Connection};

use crate::{Error, Result};

mod scan;

pub use scan::TablePart;

/// Texts that were found to be one statement that reads, by their hashes: every build asks the same ones, and to judge one
/// costs more than to answer many of them.
static ALLOWED: Mutex<BTreeSet<[u8; 32]>> = Mutex::new(BTreeSet::new());
/// Then they are forgotten.
const ALLOWED_MOST: usize = 4096;

/// What one piece of work may use.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Memory of the engine's buffers, in MiB; work beyond it spills to disk.
    pub memory_mib: u64,
    /// Threads.
    pub threads: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { memory_mib: 2048, threads: 2 }
    }
}

/// One in-memory instance, locked to the folders it was given.
pub struct Engine {
    connection: Connection,
    /// The files of each view over files, by its name in small letters.
    files: Arc<Mutex<BTreeMap<String, Vec<PathBuf>>>>,
    /// Whether it was told to end.
    is_stopped: Arc<AtomicBool>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
    }
}

impl Engine {
    /// An instance that reads `folders` alone and writes and spills into `work`. After this call no
    /// statement can widen that.
    ///
    /// # Errors
    /// [`Error::Engine`] when it cannot be started.
    pub fn open(folders: &[PathBuf], work: &Path, limits: &Limits) -> Result<Self> {
        let failed = |source: duckdb::Error| engine_error("start the engine", source);
        let config = Config::default()
            .with("autoinstall_known_extensions", "false")
            .and_then(|config| config.with("autoload_known_extensions", "false"))
            .map_err(failed)?;
        let connection = Connection::open_in_memory_with_flags(config).map_err(failed)?;
        connection.register_scalar_function::<StarKey>("star_key").map_err(failed)?;
        let allowed: Vec<String> = folders
            .iter()
            .map(PathBuf::as_path)
            .chain([work])
            .map(|folder| literal(&folder.to_string_lossy()))
            .collect();
        let settings = format!(
            "SET threads = {threads};
             SET async_threads = 1;
             SET memory_limit = '{memory}MiB';
             SET temp_directory = {spill};
             SET allow_community_extensions = false;
             SET allow_persistent_secrets = false;
             SET allowed_directories = [{allowed}];
             SET enable_external_access = false;
             SET lock_configuration = true;",
            threads = limits.threads,
            memory = limits.memory_mib,
            spill = literal(&work.join("spill").to_string_lossy()),
            allowed = allowed.join(", "),
        );
        connection.execute_batch(&settings).map_err(failed)?;
        Ok(Self { connection, files: Arc::default(), is_stopped: Arc::default() })
    }

    /// Another place at the same instance, for another thread: it sees the same tables and shares their memory.
    ///
    /// # Errors
    /// [`Error::Engine`] when it cannot be opened.
    pub fn another(&self) -> Result<Self> {
        let connection =
            self.connection.try_clone().map_err(|source| engine_error("open another connection", source))?;
        Ok(Self { connection, files: Arc::clone(&self.files), is_stopped: Arc::clone(&self.is_stopped) })
    }

    /// What ends the work here, from another thread.
    #[must_use]
    pub fn interrupt(&self) -> Interrupt {
        Interrupt { handle: self.connection.interrupt_handle(), is_stopped: Arc::clone(&self.is_stopped) }
    }

    /// Whether to go on: for who computes long between two statements.
    ///
    /// # Errors
    /// [`Error::Cancelled`] once the instance was interrupted.
    pub fn go_on(&self) -> Result<()> {
        if self.is_stopped.load(Ordering::Relaxed) { Err(Error::Cancelled) } else { Ok(()) }
    }

    /// Runs statements that return nothing. `step` says in words what they do.
    ///
    /// # Errors
    /// [`Error::Engine`] with the engine's word, and [`Error::Cancelled`] once the instance was interrupted.
    pub fn run(&self, step: &str, sql: &str) -> Result<()> {
        self.go_on()?;
        self.connection.execute_batch(sql).map_err(|source| engine_error(step, source))
    }

    /// Names a table over Parquet files. No file at all is an error of the caller.
    ///
    /// # Errors
    /// [`Error::Engine`] when a file cannot be read.
    pub fn view(&self, name: &str, files: &[PathBuf]) -> Result<()> {
        let sql =
            format!("CREATE OR REPLACE VIEW {} AS SELECT * FROM {}", identifier(name), read_parquet(files));
        self.run(&format!("open the files of `{name}`"), &sql)?;
        let mut known = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(name.to_lowercase(), files.to_vec());
        Ok(())
    }

    /// Names a table over a query.
    ///
    /// # Errors
    /// [`Error::Engine`] with the engine's word.
    pub(crate) fn define(&self, step: &str, (name, query): (&str, &str)) -> Result<()> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner).remove(&name.to_lowercase());
        self.run(step, &format!("CREATE OR REPLACE VIEW {} AS {query}", identifier(name)))
    }

    /// The files of a table that is nothing else.
    fn files_of(&self, table: &str) -> Option<Vec<PathBuf>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner).get(&table.to_lowercase()).cloned()
    }

    /// Writes the rows of a query to one Parquet file; returns how many.
    ///
    /// # Errors
    /// [`Error::Engine`] with the engine's word, and [`Error::Cancelled`] once the instance was interrupted.
    pub fn copy(&self, step: &str, query: &str, file: &Path) -> Result<u64> {
        let sql = format!(
            "COPY ({query}) TO {} (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, ROW_GROUP_SIZE 122880)",
            literal(&file.to_string_lossy())
        );
        self.go_on()?;
        let rows = self.connection.execute(&sql, []).map_err(|source| engine_error(step, source))?;
        Ok(rows as u64)
    }

    /// The rows of a query whose result is small: of one statement that reads, whatever text it was made of.
    ///
    /// # Errors
    /// [`Error::Engine`] with the engine's word, and before anything is done when the text is another statement or
    /// several; [`Error::Cancelled`] once the instance was interrupted.
    pub fn query(&self, step: &str, sql: &str) -> Result<Vec<RecordBatch>> {
        let mut batches = Vec::new();
        self.each(step, sql, &mut |batch| batches.push(batch.clone()))?;
        Ok(batches)
    }

    /// Hands the rows of a query on as they come, some at a time; for results of any size.
    ///
    /// # Errors
    /// As [`Engine::query`].
    pub fn each(&self, step: &str, sql: &str, take: &mut dyn FnMut(&RecordBatch)) -> Result<()> {
        self.each_until(step, sql, &mut |batch| {
            take(batch);
            Ok(ControlFlow::Continue(()))
        })
    }

    /// The same, until `take` breaks off.
    ///
    /// # Errors
    /// As [`Engine::query`], and what `take` refuses.
    pub fn each_until(
        &self,
        step: &str,
        sql: &str,
        take: &mut dyn FnMut(&RecordBatch) -> Result<ControlFlow<()>>,
    ) -> Result<()> {
        self.go_on()?;
        self.allow(step, sql)?;
        let refused = |source| engine_error(step, source);
        let crossed = |source: duckdb::arrow::error::ArrowError| Error::Engine {
            step: step.to_owned(),
            source: Box::new(source),
        };
        let mut statement = self.connection.prepare(sql).map_err(refused)?;
        let stream = statement.stream_arrow([]).map_err(refused)?;
        let mut crossing =
            arrow_ipc_60::writer::StreamWriter::try_new(Vec::new(), &stream.get_schema()).map_err(crossed)?;
        let mut decoder = StreamDecoder::new();
        for batch in stream {
            crossing.write(&batch.map_err(refused)?).map_err(crossed)?;
            let mut bytes = Buffer::from_vec(std::mem::take(crossing.get_mut()));
            while let Some(batch) = decoder.decode(&mut bytes).map_err(Error::arrow(step))? {
                if take(&batch)?.is_break() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Refuses whatever is not one statement that reads. The folders of an engine keep it out of other tenants' files;
    /// inside of its own it could still write, attach and remove.
    // Source: the security specification, 3.3: COPY TO and ATTACH work inside of an allowed folder.
    fn allow(&self, step: &str, sql: &str) -> Result<()> {
        // DuckDB's own parser judges: it serializes SELECT and nothing else, and says how many there are.
        const JUDGE: &str =
            "SELECT NOT (parsed -> 'error')::BOOLEAN AND json_array_length(parsed, 'statements') = 1
                             FROM (SELECT json_serialize_sql($1::VARCHAR) AS parsed)";
        let hash = *blake3::hash(sql.as_bytes()).as_bytes();
        if ALLOWED.lock().unwrap_or_else(PoisonError::into_inner).contains(&hash) {
            return Ok(());
        }
        let judged = self.connection.query_row(JUDGE, [sql], |row| row.get::<_, Option<bool>>(0));
        match judged.map_err(|source| engine_error(step, source))? {
            Some(true) => {
                let mut allowed = ALLOWED.lock().unwrap_or_else(PoisonError::into_inner);
                if allowed.len() >= ALLOWED_MOST {
                    allowed.clear();
                }
                allowed.insert(hash);
                Ok(())
            }
            _ => Err(Error::Engine {
                step: step.to_owned(),
                source: "it is not one statement that reads".into(),
            }),
        }
    }

    /// A single whole number, of one statement that reads.
    ///
    /// # Errors
    /// As [`Engine::query`], also when there is no row.
    pub fn count(&self, step: &str, sql: &str) -> Result<u64> {
        self.go_on()?;
        self.allow(step, sql)?;
        self.connection
            .query_row(sql, [], |row| row.get::<_, i64>(0))
            .map(|count| u64::try_from(count).unwrap_or(0))
            .map_err(|source| engine_error(step, source))
    }
}

/// Ends the work of an instance: the statement that runs on one connection, and all that is asked of any after it.
#[derive(Clone)]
pub struct Interrupt {
    handle: Arc<duckdb::InterruptHandle>,
    is_stopped: Arc<AtomicBool>,
}

impl std::fmt::Debug for Interrupt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Interrupt").finish_non_exhaustive()
    }
}

impl Interrupt {
    /// Ends the statement, which fails; those after it fail with [`Error::Cancelled`].
    pub fn now(&self) {
        self.is_stopped.store(true, Ordering::Relaxed);
        self.handle.interrupt();
    }
}

/// Writes a DuckDB database of views over Parquet files, for clients that are not this program: each with its
/// schema, name and comment. The form of the file is one that clients since DuckDB 1.2 read.
///
/// # Errors
/// [`Error::Engine`] with the engine's word.
pub(crate) fn write_views(target: &Path, views: &[CatalogueView]) -> Result<()> {
    let step = "write the catalogue";
    let failed = |source: duckdb::Error| engine_error(step, source);
    let connection = Connection::open_in_memory().map_err(failed)?;
    let mut sql = format!(
        "SET autoinstall_known_extensions = false;
         SET autoload_known_extensions = false;
         ATTACH {} AS catalogue (STORAGE_VERSION 'v1.2.0');
         USE catalogue;",
        literal(&target.to_string_lossy())
    );
    for view in views {
        let name = format!("{}.{}", identifier(view.schema), identifier(&view.name));
        sql.push_str(&format!(
            "CREATE SCHEMA IF NOT EXISTS {schema};
             CREATE VIEW {name} AS SELECT * FROM {files};
             COMMENT ON VIEW {name} IS {comment};",
            schema = identifier(view.schema),
            files = read_parquet(&view.files),
            comment = literal(&view.comment),
        ));
    }
    sql.push_str("USE memory; DETACH catalogue;");
    connection.execute_batch(&sql).map_err(failed)
}

/// One view of [`write_views`].
pub(crate) struct CatalogueView {
    pub(crate) schema: &'static str,
    pub(crate) name: String,
    pub(crate) comment: String,
    pub(crate) files: Vec<PathBuf>,
}

fn engine_error(step: &str, source: duckdb::Error) -> Error {
    Error::Engine { step: step.to_owned(), source: Box::new(source) }
}

/// Files as one table.
fn read_parquet(files: &[PathBuf]) -> String {
    let files: Vec<String> = files.iter().map(|file| literal(&file.to_string_lossy())).collect();
    format!("read_parquet([{}], union_by_name = true)", files.join(", "))
}

/// A text as an SQL literal.
#[must_use]
pub fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A name as an SQL identifier.
#[must_use]
pub fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// `star_key(text)`: the deterministic key of a dimension's member, the first eight bytes of BLAKE3 with the
/// sign bit cleared. The same natural key has the same number on any machine.
struct StarKey;

impl VArrowScalar for StarKey {
    type State = ();

    fn invoke(
        (): &Self::State,
        input: array60::RecordBatch,
    ) -> std::result::Result<Arc<dyn array60::Array>, Box<dyn StdError>> {
        use array60::AsArray;
        let texts = input.column(0).as_string_opt::<i32>().ok_or("star_key takes a text")?;
        let keys: array60::Int64Array = texts.iter().map(|text| text.map(star_key)).collect();
        Ok(Arc::new(keys))
    }

    fn signatures() -> Vec<ArrowFunctionSignature> {
        vec![ArrowFunctionSignature::exact(vec![DataType60::Utf8], DataType60::Int64)]
    }
}

/// The deterministic key of a member: the first eight bytes of BLAKE3 of its natural key, the sign bit cleared.
#[must_use]
pub fn star_key(text: &str) -> i64 {
    let hash = blake3::hash(text.as_bytes());
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&hash.as_bytes()[..8]);
    i64::from_be_bytes(bytes) & i64::MAX
}
