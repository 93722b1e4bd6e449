//! Taking in a laboratory file against DuckDB's own copy of it to Parquet, side by side over the same CSV in one
//! process. Ours also types, checks, hashes and versions every row; the bar is a third of the peer's speed. The star
//! and the checks of its quality are told apart, since the peer has no such thing. Prints CPU seconds (user and
//! system, of all threads), seconds on the wall, their ratios, and the peak of the resident set (bar: 1 GiB whatever the size).
//!
//! `./dev bench ingest 20000000` for a file of twenty million rows, about 2 GB; 2 million without a number.

#[path = "support/account.rs"]
mod account;

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::process::ExitCode;

use account::measure;
use kernel::{BatchId, Build, Clock, Grant, Grants, Role, StudyId, StudyScope, SystemClock, TenantId};
use warehouse::engine::{Engine, Limits, literal};
use warehouse::{Batch, Delivery, Mapping, Storage, Writer, ingest};

const BAR: f64 = 3.0;
const PEAK_BAR_MIB: f64 = 1024.0;
const VISITS: u64 = 20;
const TESTS: [(&str, &str, &str); 5] = [
    ("ALB", "Albumin", "g/L"),
    ("ALT", "Alanine Aminotransferase", "U/L"),
    ("BILI", "Bilirubin", "umol/L"),
    ("CREAT", "Creatinine", "umol/L"),
    ("K", "Potassium", "mmol/L"),
];

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let rows = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(2_000_000);
    match compare(rows) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{rows} rows: {error}");
            ExitCode::FAILURE
        }
    }
}

fn compare(rows: u64) -> Result<bool, Failure> {
    let folder = tempfile::tempdir()?;
    let inbox = folder.path().join("in");
    std::fs::create_dir(&inbox)?;
    write_labs(&inbox.join("lb.csv"), rows)?;

    let ((), peer) = measure(|| copy_with_duckdb(&inbox, folder.path()))?;

    let tenant: TenantId = "01890a5d-ac96-774b-bcce-b302099a8057".parse()?;
    let study: StudyId = "BIG-1".parse()?;
    let grants = Grants::from_gate(tenant, vec![Grant { role: Role::DataEngineer, study: None }]);
    let scope: StudyScope<Build> = grants.scope(&study)?;
    let storage = Storage::open(&folder.path().join("data"))?;
    let writer = Writer::wait(&storage, &scope)?;
    let now = SystemClock.now();
    let (ingested, canon) = measure(|| {
        let delivery = Delivery::of(&[inbox], Some(Mapping::load("sdtm")?))?;
        let batch = Batch { id: BatchId::at(now, "bench"), received_at: now };
        Ok(ingest(&writer, (&batch, &delivery), None, &mut |_| {})?)
    })?;
    if ingested.receipt.total().new != rows {
        return Err("not every row was taken in".into());
    }
    let (_, star) = measure(|| {
        let base = warehouse::star::Base { former: None, ingested: &ingested, as_of: now };
        Ok(warehouse::star::build(&writer, &base, &mut |_| {})?)
    })?;

    let ratio = canon.cpu_seconds / peer.cpu_seconds;
    println!("{rows} rows: CPU seconds, seconds on the wall, peak of the resident set");
    for (name, used) in [
        ("DuckDB, read_csv to Parquet", peer),
        ("file to canon", canon),
        ("canon to star, with checks", star),
    ] {
        println!("  {name:30} {:8.2} s {:8.2} s  {:6.0} MiB", used.cpu_seconds, used.seconds, used.peak_mib);
    }
    let by_wall = canon.seconds / peer.seconds;
    println!("  file to canon / DuckDB: {ratio:.2} of CPU, {by_wall:.2} on the wall (bar {BAR})");
    println!("  highest peak: bar {PEAK_BAR_MIB} MiB");
    Ok(ratio <= BAR && canon.peak_mib.max(star.peak_mib) <= PEAK_BAR_MIB)
}

fn copy_with_duckdb(inbox: &Path, work: &Path) -> Result<(), Failure> {
    let engine = Engine::open(&[inbox.to_owned()], work, &Limits { memory_mib: 768, threads: 2 })?;
    let query = format!("SELECT * FROM read_csv({})", literal(&inbox.join("lb.csv").to_string_lossy()));
    engine.copy("copy the file", &query, &work.join("peer.parquet"))?;
    Ok(())
}

/// As many results, of subjects with five tests at twenty visits each.
fn write_labs(path: &Path, rows: u64) -> Result<(), Failure> {
    let mut out = BufWriter::new(File::create(path)?);
    writeln!(
        out,
        "STUDYID,DOMAIN,USUBJID,LBSEQ,LBTESTCD,LBTEST,LBORRES,LBORRESU,LBSTRESC,LBSTRESN,LBSTRESU,LBSPEC,VISITNUM,VISIT,LBDTC"
    )?;
    let tests = TESTS.len() as u64;
    for row in 0..rows {
        let (subject, seq) = (row / (VISITS * tests), row % (VISITS * tests));
        let (visit, (code, test, unit)) = (seq / tests, TESTS[usize::try_from(seq % tests)?]);
        let value = format!("{}.{}", 20 + (row * 7919) % 60, row % 10);
        let day = format!("{}-{:02}-{:02}", 2020 + visit / 12, 1 + visit % 12, 1 + subject % 28);
        writeln!(
            out,
            "BIG-1,LB,BIG-1-{subject:06},{},{code},{test},{value},{unit},{value},{value},{unit},SERUM,{},WEEK {},{day}",
            seq + 1,
            visit + 1,
            4 * visit
        )?;
    }
    Ok(out.flush()?)
}
