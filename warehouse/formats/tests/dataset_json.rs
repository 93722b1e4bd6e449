//! Dataset-JSON: every wrapping and order of its members, and what it promises.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use formats::{ColumnKind, Format, Wrapping, datasets, looks_like_data};

use crate::table::{Table, table};

const COLUMNS: &str = r#""columns":[
    {"itemOID":"IT.XX.A","name":"A","label":"First","dataType":"string","length":8,"keySequence":1},
    {"itemOID":"IT.XX.N","name":"N","label":"Second","dataType":"integer"},
    {"itemOID":"IT.XX.F","name":"F","label":"","dataType":"float"},
    {"itemOID":"IT.XX.D","name":"D","label":"","dataType":"decimal","targetDataType":"decimal"},
    {"itemOID":"IT.XX.B","name":"B","label":"","dataType":"boolean"},
    {"itemOID":"IT.XX.T","name":"T","label":"","dataType":"date"}]"#;
const ROWS: [&str; 2] = [r#"["a\"[]",1,2.50,"0.10",true,"2024-03"]"#, r#"["",null,5.0,null,null,null]"#];

fn members(records: &str) -> Vec<String> {
    let text = r#""datasetJSONCreationDateTime":"2024-11-11T15:09:14+02:00","datasetJSONVersion":"1.1.0","itemGroupOID":"IG.XX","name":"xx","label":"A, {label}""#;
    let mut members: Vec<String> = text
        .split(",\"")
        .enumerate()
        .map(|(at, member)| if at == 0 { member.into() } else { format!("\"{member}") })
        .collect();
    members.push(format!("\"records\":{records}"));
    members.push(COLUMNS.to_owned());
    members.push(r#""sourceSystem":{"name":"x","version":["1"]}"#.to_owned());
    members
}

fn rows() -> String {
    format!("\"rows\":[{}]", ROWS.join(" ,\n"))
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, bytes).expect("it is written");
        path
    }

    fn read(&self, name: &str, bytes: impl AsRef<[u8]>) -> Table {
        table(&self.file(name, bytes)).expect("it reads")
    }

    fn refusal(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        datasets(&self.file(name, bytes)).expect_err("it is refused").to_string()
    }
}

fn check(table: &Table) {
    let rows: Vec<Vec<Option<&str>>> =
        table.rows.iter().map(|row| row.iter().map(Option::as_deref).collect()).collect();
    let first = vec![Some("a\"[]"), Some("1"), Some("2.5"), Some("0.10"), Some("true"), Some("2024-03")];
    assert_eq!(rows, [first, vec![None, None, Some("5"), None, None, None]]);
    assert_eq!((table.dataset.name.as_str(), table.dataset.label.as_str()), ("XX", "A, {label}"));
    let created = table.dataset.created_at.expect("its zone is given");
    assert_eq!(created.to_rfc3339(), "2024-11-11T13:09:14+00:00");
    let kinds: Vec<ColumnKind> = table.dataset.columns.iter().map(|column| column.kind).collect();
    assert_eq!(
        kinds,
        [
            ColumnKind::Text,
            ColumnKind::Number,
            ColumnKind::Number,
            ColumnKind::Number,
            ColumnKind::Bool,
            ColumnKind::Time
        ]
    );
    let first = &table.dataset.columns[0];
    assert_eq!((first.oid.as_deref(), first.key_sequence, first.length), (Some("IT.XX.A"), Some(1), Some(8)));
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("memory takes it")
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("memory takes it")
}

#[test]
fn rows_may_come_before_behind_or_between_what_describes_them() {
    let folder = Folder::new();
    for at in [0, 3, members("2").len()] {
        let mut members = members("2");
        members.insert(at, rows());
        let table = folder.read("xx.json", format!("\u{feff}{{ {} }}\n", members.join(" ,\n ")));
        assert_eq!(table.dataset.format, Format::DatasetJson);
        check(&table);
    }
}

#[test]
fn lines_and_every_wrapping_hold_the_same() {
    let folder = Folder::new();
    let lines = format!("{{{}}}\n{}\n{}\n", members("2").join(",").replace('\n', ""), ROWS[0], ROWS[1]);
    let document = format!("{{{},{}}}", members("2").join(","), rows());
    check(&folder.read("xx.ndjson", &lines));
    check(&folder.read("xx.ndjson", lines.trim_end().replace('\n', "\r\n")));
    for (bytes, wrapping) in [
        (zlib(lines.as_bytes()), Wrapping::Zlib),
        (gzip(lines.as_bytes()), Wrapping::Gzip),
        (zlib(document.as_bytes()), Wrapping::Zlib),
    ] {
        let table = folder.read("xx.dsjc", bytes);
        assert_eq!(table.dataset.format, Format::Dsjc(wrapping));
        check(&table);
    }
    assert_eq!(folder.read("xx.dsjc", &lines).dataset.format, Format::DatasetNdjson);
}

#[test]
fn every_required_member_is_asked_for() {
    let folder = Folder::new();
    let all = members("2");
    for at in 0..7 {
        let mut members = all.clone();
        let name = members.remove(at).split('"').nth(1).expect("it has a name").to_owned();
        let text = folder.refusal("xx.json", format!("{{{},{}}}", members.join(","), rows()));
        assert!(text.contains(&format!("lacks the member `{name}`")), "{text}");
        let twice = [all.as_slice(), &[all[at].clone()]].concat();
        let text = folder.refusal("xx.json", format!("{{{},{}}}", twice.join(","), rows()));
        assert!(text.contains(&format!("`{name}` occurs twice")), "{text}");
    }
}

#[test]
fn what_is_not_as_promised_is_refused_with_row_and_column() {
    let folder = Folder::new();
    let with = |rows: &str, records: &str| format!("{{{},\"rows\":[{rows}]}}", members(records).join(","));
    let whole = ROWS[0];
    let cases: [(String, &[&str]); 15] = [
        (with(whole, "3"), &["`records` promises 3 rows, it holds 1"]),
        (with("[1]", "1"), &["row 1", "column `A`", "a text is expected"]),
        (with(&format!("{whole},[\"a\",1]"), "2"), &["row 2", "2 values", "6 columns"]),
        (with(&whole.replace("\"2024-03\"", "\"2024-03\",7"), "1"), &["row 1", "more values", "6"]),
        (with(&whole.replace("1,2.50", "1.5,2.50"), "1"), &["row 1", "column `N`", "whole number"]),
        (with(&whole.replace("1,2.50", "18446744073709551616,2.50"), "1"), &["row 1", "column `N`"]),
        (with(&whole.replace("2.50", "\"2.50\""), "1"), &["row 1", "column `F`"]),
        (with(&whole.replace("\"0.10\"", "0.10"), "1"), &["row 1", "column `D`", "number as text"]),
        (with(&whole.replace("true", "\"yes\""), "1"), &["row 1", "column `B`"]),
        (with(&whole.replace("2024-03", "\\u0000"), "1"), &["row 1", "column `T`", "zero byte"]),
        (with("{}", "1"), &["row 1", "not an array"]),
        (with(whole, "1").replace("\"date\"", "\"day\""), &["column `T`", "`day`"]),
        (with(whole, "1").replace("1.1.0", "1.0.0"), &["version `1.0.0`"]),
        (with(whole, "1").replace("\"label\":\"Second\",", ""), &["column 2", "`label`"]),
        (with(whole, "1").replace("\"xx\"", &format!("\"{}\"", "x".repeat(70_000))), &["`name`", "limit"]),
    ];
    for (text, parts) in cases {
        let error = folder.refusal("xx.json", &text);
        assert!(parts.iter().all(|part| error.contains(part)), "{error}");
    }
    let head = format!("{{{}}}", members("2").join(",").replace('\n', ""));
    let error = folder.refusal("xx.ndjson", format!("{head}\n{} {}\n", ROWS[0], ROWS[1]));
    assert!(error.contains("row 2 does not begin on a line of its own"), "{error}");
}

#[test]
fn a_file_cut_at_any_byte_is_refused() {
    let folder = Folder::new();
    let document = format!("{{{},{}}}", members("2").join(","), rows());
    let packed = zlib(document.as_bytes());
    for (name, bytes) in [("xx.json", document.as_bytes()), ("xx.dsjc", &packed)] {
        for length in (1..bytes.len()).step_by(7) {
            assert!(
                folder.refusal(name, &bytes[..length]).contains("cannot be read"),
                "{name} cut to {length}"
            );
        }
    }
    assert!(folder.refusal("xx.dsjc", [packed.as_slice(), b"more"].concat()).contains("ends at byte"));
}

#[test]
fn a_time_without_a_zone_is_no_instant() {
    let folder = Folder::new();
    let text = format!("{{{},{}}}", members("2").join(","), rows()).replace("+02:00", "");
    assert_eq!(folder.read("xx.json", text).dataset.created_at, None);
}

#[test]
fn other_json_in_a_folder_is_no_data() {
    let folder = Folder::new();
    assert!(!looks_like_data(&folder.file("study.json", r#"[{"study": 1}]"#)));
    assert!(looks_like_data(&folder.file("ae.json", format!("{{{}}}", members("0").join(",")))));
    assert!(looks_like_data(&folder.file("ae.dsjc", b"")));
    assert!(!looks_like_data(&folder.file("README.md", b"")));
}
