//! Makes studies in which nothing is planted, each from its own seed, and looks for what must not be there: an entry in
//! a ledger, an affected record, a true value altered by an anomaly. Every tenth is made twice and compared byte by byte.
//!
//! ```text
//! cargo run -p evidence --example null_studies -- [COUNT]
//! ```

use std::collections::BTreeMap;
use std::error::Error;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use arrow::array::Array;
use evidence::{Format, StudyPlan, simulate};
use kernel::Seed;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

type Outcome<T> = Result<T, Box<dyn Error>>;

const COMPARED: u64 = 10;

fn main() -> Outcome<ExitCode> {
    let count = std::env::args().nth(1).map_or(Ok(200), |count| count.parse())?;
    let formats = vec![Format::Edc, Format::SdtmXpt, Format::SdtmDatasetjson];
    let plan = StudyPlan { formats, ..StudyPlan::default().resized(20, 10.0) };
    let (mut planted, mut compared, mut different) = (0, 0, 0);
    for seed in 1..=count {
        let study = tempfile::tempdir()?;
        let truth = simulate(&plan, Seed(seed), study.path(), &mut |_| {})?;
        let folder = study.path().join("truth");
        planted += truth.anomalies.len()
            + named(&folder.join("affected.parquet"))?
            + named(&folder.join("values.parquet"))?;
        if seed % COMPARED == 0 {
            let again = tempfile::tempdir()?;
            simulate(&plan, Seed(seed), again.path(), &mut |_| {})?;
            compared += 1;
            different += usize::from(files(study.path())? != files(again.path())?);
        }
    }
    println!(
        "{count} null studies: {planted} marks of an anomaly; {compared} made twice, {different} different"
    );
    Ok(if planted == 0 && different == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Rows of a file of truth that name an anomaly.
fn named(path: &Path) -> Outcome<usize> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path)?)?;
    let mask = ProjectionMask::columns(reader.parquet_schema(), ["anomaly"]);
    let mut named = 0;
    for batch in reader.with_projection(mask).build()? {
        let batch = batch?;
        named += batch.num_rows() - batch.column(0).null_count();
    }
    Ok(named)
}

/// Every file of a study with its bytes.
fn files(folder: &Path) -> Outcome<BTreeMap<PathBuf, Vec<u8>>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(inner) = folders.pop() {
        for entry in fs::read_dir(&inner)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder)?.to_owned();
                found.insert(name, fs::read(&path)?);
            }
        }
    }
    Ok(found)
}
