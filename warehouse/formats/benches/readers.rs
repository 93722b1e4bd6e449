//! How fast files are checked and read.
//!
//! Times are seconds of CPU, which other work on the machine disturbs less. Each file is made here from a seed: laboratory results of 2 GB as CSV with `-- 20000000`, a twentieth of that
//! without an argument, and a tenth of its rows as XPT. Where `CAIRN_PYTHON` names a Python that has `pyreadstat`,
//! the transport file is read with it too, and the ratio is printed.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use formats::{Column, ColumnKind, Dataset, Format, Target, datasets, open, write};

const DEFAULT_ROWS: u64 = 1_000_000;
const BATCH: u64 = 16_384;
const TESTS: [(&str, &str, &str); 4] = [
    ("ALB", "Albumin", "g/L"),
    ("ALT", "Alanine Aminotransferase", "U/L"),
    ("CREAT", "Creatinine", "umol/L"),
    ("K", "Potassium", "mmol/L"),
];
const COLUMNS: [(&str, u32); 13] = [
    ("STUDYID", 12),
    ("DOMAIN", 2),
    ("USUBJID", 11),
    ("LBSEQ", 0),
    ("LBTESTCD", 8),
    ("LBTEST", 40),
    ("LBORRES", 20),
    ("LBORRESU", 20),
    ("LBSTRESN", 0),
    ("LBNRIND", 8),
    ("VISITNUM", 0),
    ("VISIT", 20),
    ("LBDTC", 20),
];
const PYTHON: &str = "import sys, time, pyreadstat
begin = time.process_time()
frame, meta = pyreadstat.read_xport(sys.argv[1])
print(len(frame), time.process_time() - begin)";

fn main() {
    let rows = std::env::args().filter_map(|word| word.parse().ok()).next().unwrap_or(DEFAULT_ROWS);
    let folder = tempfile::tempdir().expect("a folder for the files");
    let csv = folder.path().join("lb.csv");
    make_csv(&csv, rows).expect("the file is written");
    report(&csv);
    let few = folder.path().join("small");
    fs::create_dir(&few).expect("a folder");
    for (name, target) in
        [("lb.xpt", Target::Xpt), ("lb.ndjson", Target::DatasetNdjson), ("lb.parquet", Target::Parquet)]
    {
        let path = few.join(name);
        write(&path, &dataset(), target, batches(rows / 10)).expect("the file is written");
        let (check, read) = report(&path);
        if target == Target::Xpt {
            compare(&path, check + read, read);
        }
    }
}

/// The cells of one row: subjects, tests and visits in turn.
fn cells(row: u64) -> [String; 13] {
    let (code, test, unit) = TESTS[(row % 4) as usize];
    let (subject, visit) = (row / 80, row / 4 % 20);
    let value = format!("{}.{}", 3 + row.wrapping_mul(2_654_435_761) % 90, row % 10);
    [
        "CAIRN-LB-01".into(),
        "LB".into(),
        format!("{:02}-{:07}", subject % 40, subject),
        (row % 80).to_string(),
        code.into(),
        test.into(),
        value.clone(),
        unit.into(),
        value,
        if row.is_multiple_of(9) { "HIGH".into() } else { "NORMAL".into() },
        format!("{visit}.1"),
        format!("WEEK {visit}"),
        format!("2025-{:02}-{:02}T08:{:02}", 1 + visit % 12, 1 + row % 28, row % 60),
    ]
}

fn make_csv(path: &Path, rows: u64) -> std::io::Result<()> {
    let mut out = BufWriter::with_capacity(1 << 20, File::create(path)?);
    writeln!(out, "{}", COLUMNS.map(|(name, _)| name).join(","))?;
    for row in 0..rows {
        writeln!(out, "{}", cells(row).join(","))?;
    }
    out.flush()
}

fn dataset() -> Dataset {
    let column = |(name, length): (&str, u32)| match length {
        0 => Column::new(name, ColumnKind::Number, "double"),
        _ => Column { length: Some(length), ..Column::new(name, ColumnKind::Text, "string") },
    };
    Dataset {
        file: String::new(),
        name: "LB".into(),
        label: "Laboratory Test Results".into(),
        format: Format::Parquet,
        encoding: "utf-8",
        created_at: chrono::DateTime::from_timestamp(1_700_000_000, 0),
        columns: COLUMNS.map(column).to_vec(),
        rows: None,
    }
}

fn batches(rows: u64) -> impl Iterator<Item = RecordBatch> {
    (0..rows).step_by(16_384).map(move |first| {
        let made: Vec<[String; 13]> = (first..(first + BATCH).min(rows)).map(cells).collect();
        let columns = COLUMNS.iter().enumerate().map(|(at, (name, _))| {
            let texts: StringArray = made.iter().map(|row| Some(row[at].as_str())).collect();
            (*name, Arc::new(texts) as ArrayRef, true)
        });
        RecordBatch::try_from_iter_with_nullable(columns).expect("columns of one length")
    })
}

/// What this thread has computed so far.
fn cpu() -> Duration {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    Duration::from_nanos(
        text.split_whitespace().next().and_then(|word| word.parse().ok()).unwrap_or_default(),
    )
}

/// Checks and reads a file, and says how long each took.
fn report(path: &Path) -> (Duration, Duration) {
    let begin = cpu();
    let found = datasets(path).expect("the file is sound");
    let check = cpu().saturating_sub(begin);
    let begin = cpu();
    let mut rows = 0;
    for dataset in &found {
        let mut source = open(path, dataset).expect("the file opens");
        while let Some(batch) = source.next_batch().expect("the file reads") {
            rows += batch.num_rows();
        }
    }
    let read = cpu().saturating_sub(begin);
    let size = path.metadata().map_or(0, |metadata| metadata.len());
    let speed = |took: Duration| size as f64 / 1e6 / took.as_secs_f64();
    println!(
        "{:10} {rows:>9} rows {:>7.1} MB: check {:>7.3} s ({:>6.0} MB/s), read {:>7.3} s ({:>6.0} MB/s)",
        path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned()),
        size as f64 / 1e6,
        check.as_secs_f64(),
        speed(check),
        read.as_secs_f64(),
        speed(read),
    );
    (check, read)
}

#[expect(clippy::disallowed_methods, reason = "`./dev bench` tells where Python is by the environment")]
fn compare(path: &Path, whole: Duration, read: Duration) {
    let Some(python) = std::env::var_os("CAIRN_PYTHON") else {
        println!("not run: CAIRN_PYTHON is not set");
        return;
    };
    let said = Command::new(python).args(["-c", PYTHON]).arg(path).output().expect("Python runs");
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    let Some(seconds) = text.split_whitespace().nth(1).and_then(|word| word.parse::<f64>().ok()) else {
        println!("not run: this Python has no pyreadstat");
        return;
    };
    let (whole, read) = (whole.as_secs_f64(), read.as_secs_f64());
    println!(
        "pyreadstat {seconds:.3} s: {:.1} times as long as reading, {:.1} times as long as checking and reading",
        seconds / read,
        seconds / whole
    );
}
