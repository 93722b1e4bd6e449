//! Feeds bytes to a reader, as a file of a given name, and ends the process where a reader breaks a promise.
//!
//! Readers take paths: the bytes are written into a file of the temporary folder first. Put that folder into memory
//! (`TMPDIR`) where it is not.
#[path = "../../tests/attack.rs"]
mod attack;

use std::cell::RefCell;
use std::fs;
use std::io::Write;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, resume_unwind};
use std::path::PathBuf;
use std::sync::LazyLock;

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use formats::{Define, Error};

static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = std::env::temp_dir().join(format!("formats-fuzz-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder for the files");
    folder
});

thread_local! {
    /// What a library said before its panic was, or was not, stopped.
    static LAST_PANIC: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Lets panics of libraries pass, which a reader has to stop. One of our own code stays a finding, stopped or not.
pub fn let_libraries_panic() {
    let fatal = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic: &PanicHookInfo<'_>| {
        let is_of_a_library = panic.location().is_some_and(|place| {
            place.file().contains("/registry/src/") || place.file().starts_with("/rustc/")
        });
        if is_of_a_library {
            LAST_PANIC.set(panic.to_string());
        } else {
            fatal(panic);
        }
    }));
}

/// Reads a file of this name as a whole.
pub fn read(name: &str, bytes: &[u8]) {
    let _ = outcome(name, bytes);
}

/// Reads Dataset-JSON as it is, and, if it is not compressed, in both compressed forms, which have to say the same.
pub fn read_in_every_wrapping(bytes: &[u8]) {
    let plain = outcome("ae.json", bytes);
    if bytes.is_empty() || matches!(bytes, [0x1f, 0x8b, ..] | [0x78, ..]) {
        return;
    }
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
    let zlib = zlib.write_all(bytes).and_then(|()| zlib.finish()).expect("memory takes it");
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    let gzip = gzip.write_all(bytes).and_then(|()| gzip.finish()).expect("memory takes it");
    for packed in [zlib, gzip] {
        let unpacked = outcome("ae.dsjc", &packed);
        assert_eq!(plain.as_ref().ok(), unpacked.as_ref().ok(), "{plain:?} {unpacked:?}");
    }
}

/// Reads a definition, and compares it with nothing delivered.
pub fn read_definition(bytes: &[u8]) {
    let path = FOLDER.join("define.xml");
    fs::write(&path, bytes).expect("the file is written");
    match telling(|| Define::read(&path)) {
        Ok(define) => {
            for difference in define.compare(&[]) {
                let _ = difference.to_string();
            }
        }
        Err(error) => attack::check_refusal(&path, &error),
    }
}

fn outcome(name: &str, bytes: &[u8]) -> Result<u64, Error> {
    let path = FOLDER.join(name);
    fs::write(&path, bytes).expect("the file is written");
    telling(|| attack::attack(&path))
}

/// Says what a library's panic was if the reader did not stop it.
fn telling<T>(step: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(step)).unwrap_or_else(|panic| {
        eprintln!("a panic left the reader: {}", LAST_PANIC.take());
        resume_unwind(panic)
    })
}
