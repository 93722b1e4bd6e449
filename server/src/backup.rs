//! A copy of everything, made while servers run, and putting it in place. The rows are copied first, each database as it is
//! at one moment; what they name lies in files that were written before and never change. `backup.json` lists every
//! file with its hash and says what the ledger had committed to; it comes last, so that a copy without it is none.

use std::fs::{self, DirBuilder, File};
use std::io::{ErrorKind, Read, Write};
use std::path::{Component, Path, PathBuf};
use std::time::Instant;

use chrono::{DateTime, Utc};
use control::{Actor, BackupStep, LogState};
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::cli::say::say;
use crate::error::{Failure, Result};
use crate::work::blocking;

const LIST: &str = "backup.json";
/// What a database is copied by; what lies beside it belongs to the processes that have it open.
const ROWS: [&str; 2] = ["control/system.sqlite", "control/tenants"];
/// Bytes that are copied at a time.
const CHUNK: usize = 1 << 20;

/// What a copy holds.
#[derive(Debug, Serialize, Deserialize)]
struct Contents {
    /// The form of this list.
    version: u32,
    /// The program that made it.
    program: String,
    /// When it was begun: what was committed until then is in it.
    begun_at: DateTime<Utc>,
    /// What every log held at that time.
    logs: Vec<CopiedLog>,
    /// Every file, by its path in the data folder.
    files: Vec<CopiedFile>,
}

#[derive(Debug, Serialize, Deserialize)]
struct CopiedLog {
    log: String,
    size: u64,
    last_hash: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct CopiedFile {
    path: String,
    bytes: u64,
    blake3: String,
}

/// Copies everything into a folder that is empty or not there.
///
/// # Errors
/// When the folder is not empty, the ledger does not verify, or a file cannot be copied.
pub(crate) async fn make(app: &App, data: &Path, to: &Path) -> Result<()> {
    let started = Instant::now();
    require_empty(to)?;
    private_folder(&to.join("control"))?;
    let begun_at = app.clock.now();
    let logs = app.control.log_states().await?;
    let rows = app.control.copy_rows(&Actor::Operator, &to.join("control")).await?;
    if rows.is_empty() {
        say!("the rows lie in PostgreSQL: copy them with `pg_dump`, before this (docs/backup.md)");
    }
    let (data, target) = (data.to_owned(), to.to_owned());
    let files = blocking(move || copy_files(&data, &target, &rows)).await?;
    let bytes: u64 = files.iter().map(|file| file.bytes).sum();
    let count = files.len();
    let logs =
        logs.into_iter().map(|log| CopiedLog { log: log.log, size: log.size, last_hash: log.last_hash });
    let program = kernel::CODE_VERSION.to_owned();
    let contents = Contents { version: 1, program, begun_at, logs: logs.collect(), files };
    let text = serde_json::to_string_pretty(&contents).map_err(|error| Failure::Lost(error.to_string()))?;
    write_whole(&to.join(LIST), text.as_bytes())?;
    let hash = blake3::hash(text.as_bytes()).to_hex();
    app.control.record_backup(&Actor::Operator, BackupStep::Made, &hash).await?;
    let seconds = started.elapsed().as_secs_f64();
    say!("copied {count} files, {bytes} bytes, in {seconds:.1} s; what was committed by {begun_at} is in it");
    Ok(())
}

/// Copies a copy's files into a data folder that is empty or not there, each compared with its hash on the way.
///
/// # Errors
/// When the data folder is not empty, the copy is not whole, or a file in it is not what it was.
pub(crate) fn put_in_place(data: &Path, from: &Path) -> Result<()> {
    let started = Instant::now();
    let contents = read(from)?;
    require_empty(data)?;
    private_folder(data)?;
    for file in &contents.files {
        let path = inside(&file.path)?;
        let copied = copy(&from.join(&path), &data.join(&path), &file.path)?;
        if (copied.bytes, &copied.blake3) != (file.bytes, &file.blake3) {
            return Err(Failure::Usage(format!(
                "`{}` in the copy is not what was copied: take another copy, and remove `{}`",
                file.path,
                data.display()
            )));
        }
    }
    let (count, seconds) = (contents.files.len(), started.elapsed().as_secs_f64());
    say!("put {count} files in place in {seconds:.1} s");
    Ok(())
}

/// Compares the ledger of a data folder with what the copy it was made from says, and records that it was put in place.
///
/// # Errors
/// When a log does not verify, or does not hold what it held.
pub(crate) async fn check(app: &App, from: &Path) -> Result<()> {
    let started = Instant::now();
    let contents = read(from)?;
    let states = app.control.log_states().await?;
    for log in &contents.logs {
        let promised = LogState { log: log.log.clone(), size: log.size, last_hash: log.last_hash.clone() };
        if !app.control.still_holds(&promised).await? {
            return Err(Failure::Verdict {
                code: 1,
                text: format!(
                    "the log `{}` does not hold the {} events that it held when it was copied",
                    log.log, log.size
                ),
            });
        }
    }
    let text = fs::read(from.join(LIST)).map_err(Failure::io("read the list of the copy"))?;
    let hash = blake3::hash(&text).to_hex();
    app.control.record_backup(&Actor::Operator, BackupStep::Restored, &hash).await?;
    let events: u64 = states.iter().map(|state| state.size).sum();
    let (logs, seconds) = (states.len(), started.elapsed().as_secs_f64());
    say!(
        "verified {events} events in {logs} logs in {seconds:.1} s: all that was committed by {} is there",
        contents.begun_at
    );
    Ok(())
}

fn read(from: &Path) -> Result<Contents> {
    let text = fs::read(from.join(LIST)).map_err(|source| match source.kind() {
        ErrorKind::NotFound => {
            Failure::Usage(format!("`{}` holds no whole copy: there is no `{LIST}` in it", from.display()))
        }
        _ => Failure::io("read the list of the copy")(source),
    })?;
    let contents: Contents = serde_json::from_slice(&text)
        .map_err(|error| Failure::Usage(format!("`{LIST}` of the copy cannot be read: {error}")))?;
    if contents.version == 1 {
        return Ok(contents);
    }
    Err(Failure::Usage(format!("the copy has the form {}; this program knows form 1", contents.version)))
}

/// Everything below the data folder but the databases, whose copies are given.
fn copy_files(data: &Path, to: &Path, rows: &[PathBuf]) -> Result<Vec<CopiedFile>> {
    let mut files = Vec::new();
    for row in rows {
        let name = name_of(row.strip_prefix(to).unwrap_or(row))?;
        files.push(hashed(row, &name)?);
    }
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        let entries = match fs::read_dir(data.join(&folder)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound && is_passing(&folder) => continue,
            Err(error) => return Err(Failure::io(format!("read `{}`", folder.display()))(error)),
        };
        for entry in entries {
            let entry = entry.map_err(Failure::io(format!("read `{}`", folder.display())))?;
            let path = folder.join(entry.file_name());
            let name = name_of(&path)?;
            if ROWS.iter().any(|rows| name.starts_with(rows)) {
                continue;
            }
            let kind = entry.file_type().map_err(Failure::io(format!("look at `{name}`")))?;
            if kind.is_dir() {
                folders.push(path);
            } else if kind.is_file() {
                match copy(&data.join(&path), &to.join(&path), &name) {
                    Ok(file) => files.push(file),
                    Err(Failure::Io { source, .. })
                        if source.kind() == ErrorKind::NotFound && is_passing(&path) => {}
                    Err(failure) => return Err(failure),
                }
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

/// Whether a path lies in a tenant's folder of work in progress, which may go away at any time.
fn is_passing(path: &Path) -> bool {
    path.starts_with("warehouse")
        && path.components().nth(2).is_some_and(|part| part.as_os_str() == "staging")
}

fn copy(from: &Path, to: &Path, name: &str) -> Result<CopiedFile> {
    let failed = |source| Failure::io(format!("copy `{name}`"))(source);
    let mut source = File::open(from).map_err(failed)?;
    if let Some(folder) = to.parent() {
        private_folder(folder)?;
    }
    let mut target = File::create_new(to).map_err(failed)?;
    let (mut hasher, mut bytes, mut chunk) = (blake3::Hasher::new(), 0_u64, vec![0; CHUNK]);
    loop {
        let read = source.read(&mut chunk).map_err(failed)?;
        if read == 0 {
            break;
        }
        hasher.update(&chunk[..read]);
        target.write_all(&chunk[..read]).map_err(failed)?;
        bytes += read as u64;
    }
    // A key that only its owner may read stays so.
    let permissions = source.metadata().map_err(failed)?.permissions();
    target.set_permissions(permissions).map_err(failed)?;
    target.sync_all().map_err(failed)?;
    Ok(CopiedFile { path: name.to_owned(), bytes, blake3: hasher.finalize().to_hex().to_string() })
}

fn hashed(file: &Path, name: &str) -> Result<CopiedFile> {
    let mut hasher = blake3::Hasher::new();
    let mut source = File::open(file).map_err(Failure::io(format!("read `{name}`")))?;
    let bytes = std::io::copy(&mut source, &mut hasher).map_err(Failure::io(format!("read `{name}`")))?;
    Ok(CopiedFile { path: name.to_owned(), bytes, blake3: hasher.finalize().to_hex().to_string() })
}

fn name_of(path: &Path) -> Result<String> {
    let named = path.to_str().map(str::to_owned);
    named.ok_or_else(|| Failure::Usage(format!("`{}` has a name that is not UTF-8", path.display())))
}

/// A path of the list, which must not lead out of the data folder.
fn inside(path: &str) -> Result<PathBuf> {
    let path = Path::new(path);
    let is_inside = path.components().all(|part| matches!(part, Component::Normal(_)));
    if is_inside && path.components().next().is_some() {
        return Ok(path.to_owned());
    }
    Err(Failure::Usage(format!("the copy lists `{}`, which leads out of the data folder", path.display())))
}

fn require_empty(folder: &Path) -> Result<()> {
    let is_empty = match folder.read_dir() {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) if error.kind() == ErrorKind::NotFound => true,
        Err(error) => return Err(Failure::io(format!("open `{}`", folder.display()))(error)),
    };
    if is_empty {
        return Ok(());
    }
    Err(Failure::Usage(format!(
        "`{}` is not empty: name a folder that is empty or not there",
        folder.display()
    )))
}

/// Makes a folder that only its owner can enter, where there is none.
fn private_folder(folder: &Path) -> Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(Failure::io(format!("make `{}`", folder.display())))
}

fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let failed = || Failure::io("write the list of the copy");
    let mut file = File::create_new(path).map_err(failed())?;
    file.write_all(bytes).map_err(failed())?;
    file.sync_all().map_err(failed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_the_list_stays_inside() {
        assert_eq!(inside("control/keys/a.key").expect("it is inside"), Path::new("control/keys/a.key"));
        for bad in ["", "/etc/passwd", "../a", "a/../../b"] {
            assert!(inside(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_in_progress_may_go_away() {
        for (path, expected) in [
            ("warehouse/t/staging/S/x", true),
            ("warehouse/t/raw/staging/x", false),
            ("warehouse/t", false),
            ("control/t/staging", false),
        ] {
            assert_eq!(is_passing(Path::new(path)), expected, "{path}");
        }
    }
}
