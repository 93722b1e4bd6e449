//! What is written is read again, cell by cell.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray};
use formats::{Column, ColumnKind, Dataset, DatasetWriter, Error, Format, Target, Wrapping, write};

use crate::corpus::{batch, dataset};
use crate::table::{Table, table, tables};

const TARGETS: [(Target, &str); 6] = [
    (Target::Xpt, "ae.xpt"),
    (Target::DatasetJson, "ae.json"),
    (Target::DatasetNdjson, "ae.ndjson"),
    (Target::Dsjc, "ae.dsjc"),
    (Target::Csv, "ae.csv"),
    (Target::Parquet, "ae.parquet"),
];

fn cells(batch: &RecordBatch) -> Vec<Vec<Option<String>>> {
    let columns: Vec<&StringArray> = batch.columns().iter().map(AsArray::as_string).collect();
    let cell = |column: &&StringArray, row| (!column.is_null(row)).then(|| column.value(row).to_owned());
    (0..batch.num_rows()).map(|row| columns.iter().map(|column| cell(column, row)).collect()).collect()
}

fn written(folder: &Path, name: &str, target: Target, dataset: &Dataset, batch: &RecordBatch) -> Table {
    let path = folder.join(name);
    let rows = batch.num_rows() as u64;
    let dataset = Dataset { rows: Some(rows), ..dataset.clone() };
    assert_eq!(write(&path, &dataset, target, [batch.clone()]).expect("it writes"), rows);
    table(&path).expect(name)
}

fn texts(columns: &[(&str, &[Option<&str>])]) -> RecordBatch {
    let columns = columns.iter().map(|(name, cells)| {
        (*name, Arc::new(cells.iter().copied().collect::<StringArray>()) as ArrayRef, true)
    });
    RecordBatch::try_from_iter_with_nullable(columns).expect("columns of one length")
}

#[test]
fn every_writer_is_read_back_cell_by_cell() {
    let folder = tempfile::tempdir().expect("a folder");
    for rows in [0, 1, 40, 20_000] {
        for (target, name) in TARGETS {
            let batch = batch(rows);
            let table = written(folder.path(), name, target, &dataset("AE"), &batch);
            assert!(table.rows == cells(&batch), "{name} with {rows} rows");
            assert_eq!(table.dataset.name, "AE");
            assert_eq!(table.names(), ["USUBJID", "AESEQ", "AETERM", "AEDUR", "AESTDTC"]);
        }
    }
}

#[test]
fn dataset_json_keeps_what_describes_a_column() {
    let folder = tempfile::tempdir().expect("a folder");
    let made = dataset("AE");
    for (target, name, format) in [
        (Target::DatasetJson, "ae.json", Format::DatasetJson),
        (Target::DatasetNdjson, "ae.ndjson", Format::DatasetNdjson),
        (Target::Dsjc, "ae.dsjc", Format::Dsjc(Wrapping::Zlib)),
    ] {
        let read = written(folder.path(), name, target, &made, &batch(3)).dataset;
        assert_eq!((read.format, read.created_at, &read.label), (format, made.created_at, &made.label));
        let first = &read.columns[0];
        assert_eq!((first.oid.as_deref(), first.length), (Some("IT.AE.USUBJID"), Some(12)));
        assert_eq!((first.key_sequence, first.label.as_str()), (Some(1), "Label of USUBJID"));
        let types: Vec<&str> = read.columns.iter().map(|column| column.type_name.as_str()).collect();
        assert_eq!(types, ["string", "integer", "string", "double", "date"]);
    }
}

#[test]
fn whole_numbers_past_2_to_the_53_and_decimals_stay_exact() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut made = dataset("XX");
    made.columns = vec![
        Column::new("WHOLE", ColumnKind::Number, "integer"),
        Column::new("EXACT", ColumnKind::Number, "decimal"),
        Column::new("FLOAT", ColumnKind::Number, "double"),
    ];
    let batch = texts(&[
        (
            "WHOLE",
            &[Some("9007199254740993"), Some("-9223372036854775808"), Some("18446744073709551615"), None],
        ),
        ("EXACT", &[Some("0.10"), Some("123456789012345678901234567890.5"), Some("-1"), None]),
        ("FLOAT", &[Some("0.1"), Some("0.0000001"), Some("5"), Some("7.038531e-26")]),
    ]);
    let table = written(folder.path(), "xx.json", Target::DatasetJson, &made, &batch);
    assert_eq!(
        table.column("WHOLE"),
        [Some("9007199254740993"), Some("-9223372036854775808"), Some("18446744073709551615"), None]
    );
    assert_eq!(
        table.column("EXACT"),
        [Some("0.10"), Some("123456789012345678901234567890.5"), Some("-1"), None]
    );
    let small = Some("0.00000000000000000000000007038531");
    assert_eq!(table.column("FLOAT"), [Some("0.1"), Some("0.0000001"), Some("5"), small]);
}

#[test]
fn long_names_and_texts_make_version_8_with_its_count_of_rows() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut made = dataset("SUPPLEMENTAL_AE");
    let (name, label) =
        ("A_NAME_OF_MORE_THAN_8_LETTERS", "A label of more than forty letters, which only version 8 holds");
    made.columns = vec![Column {
        length: Some(900),
        label: label.into(),
        ..Column::new(name, ColumnKind::Text, "text")
    }];
    let long = "x".repeat(900);
    let batch = texts(&[(name, &[Some(&long), None, Some("short")])]);
    let table = written(folder.path(), "s.xpt", Target::Xpt, &made, &batch);
    assert!(matches!(table.dataset.format, Format::XptV8 { .. }));
    assert_eq!(
        (table.dataset.name.as_str(), table.dataset.columns[0].label.as_str()),
        ("SUPPLEMENTAL_AE", label)
    );
    assert_eq!(table.column(name), [Some(long.as_str()), None, Some("short")]);
    // The count stands behind the header of the rows, in fifteen places.
    let path = folder.path().join("s.xpt");
    let mut bytes = std::fs::read(&path).expect("it is there");
    let header = b"HEADER RECORD*******OBSV8   HEADER RECORD!!!!!!!";
    let at =
        (0..bytes.len()).find(|at| bytes[*at..].starts_with(header)).expect("it has rows") + header.len();
    bytes[at..at + 15].copy_from_slice(b"             99");
    std::fs::write(&path, bytes).expect("it is written");
    let error = formats::datasets(&path).expect_err("it lies");
    assert!(error.to_string().contains("promises 99 rows, it holds 3"), "{error}");
}

#[test]
fn what_a_format_cannot_hold_is_refused_with_row_and_column() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("ae.out");
    let one = |column: Column| Dataset { columns: vec![column], ..dataset("AE") };
    let text = |length| one(Column { length, ..Column::new("AETERM", ColumnKind::Text, "string") });
    let number = |kind: &str| one(Column::new("AESEQ", ColumnKind::Number, kind));
    let cases: Vec<(Target, Dataset, &str, &[&str])> = vec![
        (Target::Xpt, text(Some(3)), "four", &["row 2", "`AETERM`", "4 bytes"]),
        (Target::Xpt, text(None), "x", &["`AETERM`", "length"]),
        (Target::Xpt, text(Some(40_000)), "x", &["version 8"]),
        (Target::Xpt, number("double"), "1e200", &["row 2", "`AESEQ`", "1e200"]),
        (Target::Xpt, number("double"), "many", &["row 2", "`AESEQ`", "many"]),
        (Target::DatasetJson, number("integer"), "1.5", &["row 2", "`AESEQ`", "1.5"]),
        (Target::DatasetNdjson, number("double"), "inf", &["row 2", "`AESEQ`", "inf"]),
        (Target::Dsjc, text(Some(9)), "x", &["`rows`"]),
        (Target::DatasetJson, Dataset { created_at: None, ..text(None) }, "x", &["`created_at`"]),
    ];
    for (target, dataset, cell, parts) in cases {
        let first = if dataset.columns[0].kind == ColumnKind::Number { "1" } else { "a" };
        let batch = texts(&[(&dataset.columns[0].name, &[Some(first), Some(cell)])]);
        let error = write(&path, &dataset, target, [batch]).expect_err(cell);
        assert!(matches!(error, Error::Unwritable { .. }), "{error}");
        let text = error.to_string();
        assert!(parts.iter().all(|part| text.contains(part)), "{target:?}: {text}");
    }
}

#[test]
fn a_promised_count_of_rows_is_held() {
    let folder = tempfile::tempdir().expect("a folder");
    let made = Dataset { rows: Some(3), ..dataset("AE") };
    let mut writer =
        DatasetWriter::create(&folder.path().join("ae.dsjc"), &made, Target::Dsjc).expect("it begins");
    writer.write(&batch(2)).expect("it writes");
    let error = writer.close().expect_err("a row is missing");
    assert!(error.to_string().contains("promised 3 rows, 2 were written"), "{error}");
}

#[test]
fn a_transport_file_may_hold_several_datasets() {
    let folder = tempfile::tempdir().expect("a folder");
    let read = |name: &str, target: &str, rows| {
        let path = folder.path().join(target);
        write(&path, &dataset(name), Target::Xpt, [batch(rows)]).expect("it writes");
        std::fs::read(path).expect("it is there")
    };
    let both = [
        read("AE", "a.xpt", 5),
        read("CM", "b.xpt", 0)[240..].to_vec(),
        read("MH", "c.xpt", 9)[240..].to_vec(),
    ];
    let path = folder.path().join("both.xpt");
    std::fs::write(&path, both.concat()).expect("it is written");
    let tables = tables(&path).expect("it reads");
    let found: Vec<(&str, usize)> =
        tables.iter().map(|table| (table.dataset.name.as_str(), table.rows.len())).collect();
    assert_eq!(found, [("AE", 5), ("CM", 0), ("MH", 9)]);
    assert!(tables[2].rows == cells(&batch(9)));
}

#[test]
fn every_missing_value_of_sas_is_null() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("m.xpt");
    let made = Dataset { columns: vec![Column::new("X", ColumnKind::Number, "double")], ..dataset("M") };
    let ones: Vec<Option<&str>> = vec![Some("1"); 29];
    write(&path, &made, Target::Xpt, [texts(&[("X", &ones)])]).expect("it writes");
    let mut bytes = std::fs::read(&path).expect("it is there");
    let first_row = bytes.len() - (29 * 8_usize).next_multiple_of(80);
    for (row, code) in (b'A'..=b'Z').chain([b'.', b'_']).enumerate() {
        bytes[first_row + 8 * row..][..8].copy_from_slice(&[code, 0, 0, 0, 0, 0, 0, 0]);
    }
    std::fs::write(&path, bytes).expect("it is written");
    let table = table(&path).expect("it reads");
    let values = table.column("X");
    assert_eq!(values.iter().filter(|value| value.is_none()).count(), 28);
    assert_eq!(values[28], Some("1"));
}
