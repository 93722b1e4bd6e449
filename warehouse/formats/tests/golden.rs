//! Real files against the answers of ReadStat and of the formats' own twins.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use formats::{ColumnKind, Format, Wrapping};

use crate::oracle::studies;
use crate::table::{Table, table};

/// Name, rows, columns, count and sum of numbers, count of texts that are not empty.
type Golden = (String, u64, usize, usize, f64, usize);

fn golden_line(line: &str) -> (String, Golden) {
    let words: Vec<&str> = line.split_whitespace().collect();
    let value = |at: usize| words[at].split_once('=').expect("a name and a value").1;
    let whole = |at: usize| value(at).parse().expect("a count");
    let sum = value(5).parse().expect("a sum");
    let rows = whole(2) as u64;
    (words[0].to_owned(), (words[1].to_owned(), rows, whole(3), whole(4), sum, whole(6)))
}

fn measured(table: &Table) -> Golden {
    let cells = |kind| {
        let columns = table.dataset.columns.iter().enumerate().filter(move |(_, column)| column.kind == kind);
        columns.flat_map(|(at, _)| table.rows.iter().filter_map(move |row| row[at].as_deref()))
    };
    let sum = cells(ColumnKind::Number).map(|cell| cell.parse::<f64>().expect("a number")).sum();
    (
        table.dataset.name.clone(),
        table.rows.len() as u64,
        table.dataset.columns.len(),
        cells(ColumnKind::Number).count(),
        sum,
        cells(ColumnKind::Text).count(),
    )
}

/// Unpacks the only file of a zip (PKWARE, "APPNOTE.TXT": the end record points to the central directory, whose
/// first entry points to the file).
fn unzipped(zip: &Path, folder: &Path) -> PathBuf {
    let bytes = fs::read(zip).expect("the zip is there");
    let word = |at: usize, size: usize| {
        bytes[at..at + size].iter().rev().fold(0, |number: usize, byte| number << 8 | usize::from(*byte))
    };
    let end =
        (0..bytes.len() - 21).rev().find(|at| bytes[*at..].starts_with(b"PK\x05\x06")).expect("it ends");
    let entry = word(end + 16, 4);
    let (packed, local) = (word(entry + 20, 4), word(entry + 42, 4));
    let start = local + 30 + word(local + 26, 2) + word(local + 28, 2);
    let mut plain = Vec::new();
    let mut inflated = flate2::read::DeflateDecoder::new(&bytes[start..start + packed]);
    inflated.read_to_end(&mut plain).expect("it is deflated");
    let path = folder.join(zip.with_extension("xpt").file_name().expect("it has a name"));
    fs::write(&path, plain).expect("it is written");
    path
}

#[test]
fn every_transport_file_reads_as_readstat_reads_it() {
    let Some(studies) = studies() else { return };
    let golden = fs::read_to_string(studies.join("XPT_GOLDEN.txt")).expect("the answers are there");
    let scratch = tempfile::tempdir().expect("a folder");
    let mut compared = 0;
    for line in golden.lines() {
        let (place, (name, rows, columns, numbers, sum, texts)) = golden_line(line);
        let path = match place.strip_prefix("big/") {
            None => studies.join(place.trim_start_matches("data/studies/")),
            Some(file) => {
                let zip = Path::new(file).with_extension("zip");
                let folder = if file == "adlbc.xpt" { "adam" } else { "sdtm" };
                unzipped(&studies.join("cdiscpilot01").join(folder).join(zip), scratch.path())
            }
        };
        let table = table(&path).unwrap_or_else(|error| panic!("{place}: {error}"));
        let found = measured(&table);
        assert_eq!(
            (&found.0, found.1, found.2, found.3, found.5),
            (&name, rows, columns, numbers, texts),
            "{place}"
        );
        assert!((found.4 - sum).abs() <= 1e-6 * sum.abs().max(1.0), "{place}: {} against {sum}", found.4);
        compared += 1;
    }
    assert_eq!(compared, 53);
}

/// Whether cells are equal. The writer of the transport files cut the last bits of numbers: 4.99 stands there as
/// 4.989999999999999, as ReadStat reads it too.
fn same_rows(twin: &Table, json: &Table) -> bool {
    let is_transport = matches!(twin.dataset.format, Format::XptV5 { .. });
    let is_number: Vec<bool> =
        twin.dataset.columns.iter().map(|column| column.kind == ColumnKind::Number).collect();
    let same = |(at, (a, b)): (usize, (&Option<String>, &Option<String>))| match (a, b) {
        (Some(a), Some(b)) if is_transport && is_number[at] => {
            let (a, b): (f64, f64) = (a.parse().expect("a number"), b.parse().expect("a number"));
            (a - b).abs() <= 1e-15 * b.abs()
        }
        (a, b) => a == b,
    };
    twin.rows.len() == json.rows.len()
        && twin.rows.iter().zip(&json.rows).all(|(a, b)| a.iter().zip(b).enumerate().all(same))
}

#[test]
fn twenty_seven_datasets_are_equal_cell_by_cell_in_four_formats() {
    let Some(studies) = studies() else { return };
    let folder = studies.join("sdtm_msg_datasetjson");
    let mut names: Vec<String> = fs::read_dir(&folder)
        .expect("the folder is there")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|suffix| suffix == "dsjc"))
        .filter_map(|path| path.file_stem().map(|stem| stem.to_string_lossy().into_owned()))
        .collect();
    names.sort();
    assert_eq!(names.len(), 28);
    let mut with_transport = 0;
    for name in &names {
        let read = |suffix: &str| {
            let path = folder.join(format!("{name}.{suffix}"));
            table(&path).unwrap_or_else(|error| panic!("{name}.{suffix}: {error}"))
        };
        let json = read("json");
        assert_eq!(json.dataset.format, Format::DatasetJson);
        let lines = read("ndjson");
        assert_eq!(lines.dataset.format, Format::DatasetNdjson);
        let packed = read("dsjc");
        assert_eq!(packed.dataset.format, Format::Dsjc(Wrapping::Gzip));
        let mut twins = vec![lines, packed];
        if folder.join(format!("{name}.xpt")).exists() {
            twins.push(read("xpt"));
            with_transport += 1;
        }
        for twin in twins {
            assert_eq!(twin.names(), json.names(), "{name}: {}", twin.dataset.format);
            assert!(same_rows(&twin, &json), "{name}: {}", twin.dataset.format);
        }
    }
    assert_eq!(with_transport, 27);
}

#[test]
fn a_text_in_windows_1252_is_read_and_recorded() {
    let Some(studies) = studies() else { return };
    let table = table(&studies.join("cdiscpilot01/sdtm/ts.xpt")).expect("it reads");
    assert_eq!(table.dataset.encoding, "windows-1252");
    let values = table.column("TSVAL");
    let with_quote = values.iter().flatten().filter(|value| value.contains('\u{2019}')).count();
    assert!(with_quote > 0, "byte 0x92 is a right single quotation mark");
}

#[test]
fn a_japanese_dataset_keeps_its_texts() {
    let Some(studies) = studies() else { return };
    let table = table(&studies.join("sdtm_msg_datasetjson/i18n/ae.json")).expect("it reads");
    assert_eq!((table.dataset.encoding, table.rows.len()), ("utf-8", 1191));
    let is_japanese = |text: &&str| text.chars().any(|letter| ('\u{3040}'..='\u{9fff}').contains(&letter));
    let cells = table.rows.iter().flatten().flatten().map(String::as_str);
    assert_eq!(cells.filter(is_japanese).count(), 501);
}

#[test]
fn a_native_sas_dataset_reads_as_readstat_reads_it() {
    let Some(studies) = studies() else { return };
    let native = table(&studies.join("cdiscpilot01/sas7bdat/dm.sas7bdat")).expect("it reads");
    assert_eq!((native.rows.len(), native.dataset.columns.len()), (100, 6));
    assert_eq!((native.dataset.name.as_str(), native.dataset.encoding), ("DM", "windows-1252"));
    assert_eq!(native.names(), ["STUDYID", "SITEID", "USUBJID", "SUBJID", "ARMCD", "ARM"]);
    assert_eq!(native.dataset.columns[2].label, "Unique Subject Identifier");
    assert_eq!(native.column("ARM")[..3], [Some("act2\r\nline break"), Some("ACT"), Some("PBO")]);
    assert_eq!(native.column("USUBJID")[99], Some("TDF-001/US-001-00006"));
}

#[test]
fn parquet_twins_hold_what_the_transport_files_hold() {
    let Some(studies) = studies() else { return };
    let scratch = tempfile::tempdir().expect("a folder");
    for name in ["lb", "qs", "supplb"] {
        let folder = studies.join("cdiscpilot01/sdtm");
        let transport =
            table(&unzipped(&folder.join(format!("{name}.zip")), scratch.path())).expect("it reads");
        let twin = table(&folder.join(format!("{name}.parquet"))).expect("it reads");
        assert_eq!(twin.rows.len(), transport.rows.len(), "{name}");
        for column in ["STUDYID", "USUBJID"] {
            assert_eq!(twin.column(column), transport.column(column), "{name}, {column}");
        }
    }
}
