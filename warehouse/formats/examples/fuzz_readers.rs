//! Damages files of one format at random and reads them, for some minutes.
//!
//! ```text
//! cargo run -p formats --example fuzz_readers -- FORMAT MINUTES [SEED] [FILE ...]
//! ```
//!
//! `FORMAT` is the end of the samples' names: `xpt`, `json`, `ndjson`, `dsjc`, `csv`, `parquet`, `arrow`, `arrows`,
//! `sas7bdat`. The samples are written by this crate's writers; a `FILE` joins them (there is no writer of native
//! SAS datasets). Damages are piled up, and half of them go below the compression of a compressed file. A panic
//! that leaves a reader, a file that takes more than ten seconds and memory above 2 GiB are findings: the file is
//! kept in the current folder, and the end has code 1. Panics inside a library that the reader stops are counted by
//! their place.

#[path = "../tests/corpus.rs"]
mod corpus;

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use corpus::{Dice, Sample, corpus, damage};
use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use formats::{Error, datasets, open};

/// Panics by place, whoever stopped them.
static PANICS: Mutex<BTreeMap<String, u64>> = Mutex::new(BTreeMap::new());
const SLOW: Duration = Duration::from_secs(10);
const MEMORY: &str = "memory";
const MEMORY_KIB: u64 = 2 << 20;

#[derive(Default)]
struct Tally {
    read: u64,
    refused: u64,
    findings: u64,
    slowest: Duration,
}

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let (Some(format), Some(minutes)) =
        (words.next(), words.next().and_then(|word| word.parse::<f64>().ok()))
    else {
        eprintln!("FORMAT MINUTES [SEED] [FILE ...]");
        return ExitCode::FAILURE;
    };
    let mut rest: Vec<String> = words.collect();
    let seed = rest.first().and_then(|word| word.parse().ok());
    if seed.is_some() {
        rest.remove(0);
    }
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map_or_else(String::new, ToString::to_string);
        if let Ok(mut panics) = PANICS.lock() {
            *panics.entry(place).or_default() += 1;
        }
    }));
    let folder = tempfile::tempdir().expect("a folder for the files");
    let mut samples = corpus(folder.path());
    for file in rest {
        let bytes = fs::read(&file).expect("the file is there");
        let name =
            Path::new(&file).file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        samples.push(Sample { name, bytes });
    }
    samples.retain(|sample| sample.name.ends_with(&format!(".{format}")));
    if samples.is_empty() {
        eprintln!("no sample's name ends with .{format}");
        return ExitCode::FAILURE;
    }
    let tally =
        attack(&samples, folder.path(), Duration::from_secs_f64(minutes * 60.0), Dice(seed.unwrap_or(1)));
    println!(
        "{format}: {} files, {} read, {} refused, {} findings, slowest {:.2} s, memory {} MiB",
        tally.read + tally.refused,
        tally.read,
        tally.refused,
        tally.findings,
        tally.slowest.as_secs_f64(),
        peak_memory() >> 10
    );
    for (place, count) in PANICS.lock().expect("no panic holds it").iter() {
        println!("{format}: {count} panics at {place}");
    }
    if tally.findings == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn attack(samples: &[Sample], folder: &Path, time: Duration, mut dice: Dice) -> Tally {
    let mut tally = Tally::default();
    let end = Instant::now() + time;
    while Instant::now() < end {
        let sample = &samples[dice.below(samples.len())];
        let bytes = damaged(sample, &mut dice);
        let path = folder.join(&sample.name);
        fs::write(&path, &bytes).expect("the file is written");
        let begin = Instant::now();
        let outcome = catch_unwind(AssertUnwindSafe(|| read(&path)));
        let took = begin.elapsed();
        tally.slowest = tally.slowest.max(took);
        let what = match outcome {
            Err(_) => Some("a panic".to_owned()),
            Ok(Err(error)) if !error.is_refusal() => Some(format!("no refusal: {error:?}")),
            Ok(_) if took > SLOW => Some("slow".to_owned()),
            Ok(_) if peak_memory() > MEMORY_KIB => Some(MEMORY.to_owned()),
            Ok(Ok(())) => {
                tally.read += 1;
                None
            }
            Ok(Err(_)) => {
                tally.refused += 1;
                None
            }
        };
        if let Some(what) = what {
            tally.findings += 1;
            let kept = format!("finding-{}-{}", tally.findings, sample.name);
            println!("{what}: kept as {kept}");
            fs::write(kept, &bytes).expect("the file is written");
            if what == MEMORY || tally.findings == 20 {
                break;
            }
        }
    }
    tally
}

fn damaged(sample: &Sample, dice: &mut Dice) -> Vec<u8> {
    let mut plain = Vec::new();
    let is_packed = sample.name.ends_with("dsjc") && dice.below(2) == 0;
    if is_packed && ZlibDecoder::new(sample.bytes.as_slice()).read_to_end(&mut plain).is_ok() {
        let plain = pile_up(&plain, dice);
        let mut packer = ZlibEncoder::new(Vec::new(), Compression::fast());
        return packer.write_all(&plain).and_then(|()| packer.finish()).expect("memory takes it");
    }
    pile_up(&sample.bytes, dice)
}

fn pile_up(bytes: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = damage(bytes, dice);
    for _ in 0..dice.below(4) {
        bytes = damage(&bytes, dice);
    }
    bytes
}

fn read(path: &Path) -> Result<(), Error> {
    for dataset in datasets(path)? {
        let mut source = open(path, &dataset)?;
        while source.next_batch()?.is_some() {}
    }
    Ok(())
}

/// The most memory that this process ever held, in KiB.
fn peak_memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).unwrap_or_default()
}
