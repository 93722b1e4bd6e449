//! Writes the files that the fuzzers begin with, into `fuzz/corpus`.
//!
//! ```text
//! cargo run -p formats --example seed_corpora -- [FILE ...]
//! ```
//!
//! They are those of the tests. A `FILE` joins them: there is no writer of native SAS datasets.

#[path = "../tests/corpus.rs"]
#[expect(dead_code, reason = "the tests damage the files, here they are whole")]
mod corpus;

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use corpus::{Sample, corpus};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    let made = tempfile::tempdir()?;
    let mut samples = corpus(made.path());
    let definition = include_bytes!("../src/define/tests/by_hand_2_0.xml");
    samples.push(Sample { name: "define.xml".to_owned(), bytes: definition.into() });
    for file in std::env::args_os().skip(1).map(PathBuf::from) {
        let name = file.file_name().ok_or("a FILE has a name")?.to_string_lossy().into_owned();
        samples.push(Sample { name, bytes: fs::read(&file)? });
    }
    for sample in samples {
        let target = target(&sample).ok_or_else(|| format!("no reader is known for `{}`", sample.name))?;
        let folder = folder.join(target);
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(&sample.name), &sample.bytes)?;
        println!("{target}: {}, {} bytes", sample.name, sample.bytes.len());
    }
    Ok(())
}

/// The fuzz target that reads such a file.
fn target(sample: &Sample) -> Option<&'static str> {
    let (_, suffix) = sample.name.rsplit_once('.')?;
    Some(match suffix {
        "xpt" => "xpt",
        "sas7bdat" => "sas7bdat",
        "csv" => "csv",
        "json" | "ndjson" | "dsjc" => "dataset_json",
        "parquet" => "parquet",
        "arrow" | "arrows" => "arrow_ipc",
        "xml" if String::from_utf8_lossy(&sample.bytes).contains("http://www.cdisc.org/ns/def/v") => "define",
        "xml" => "odm",
        _ => return None,
    })
}
