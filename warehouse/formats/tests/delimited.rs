//! Delimited text: how it is written is found out, and what does not fit is refused with its place.

use std::fs;
use std::path::PathBuf;

use formats::{Format, datasets};

use crate::corpus::Dice;
use crate::table::{Table, table};

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn file(&self, bytes: &[u8]) -> PathBuf {
        let path = self.0.path().join("lb.csv");
        fs::write(&path, bytes).expect("it is written");
        path
    }

    fn read(&self, bytes: &[u8]) -> Table {
        table(&self.file(bytes)).expect("it reads")
    }

    fn refusal(&self, bytes: &[u8]) -> String {
        datasets(&self.file(bytes)).expect_err("it is refused").to_string()
    }
}

fn row(cells: &[&str]) -> Vec<Option<String>> {
    cells.iter().map(|cell| (!cell.is_empty()).then(|| (*cell).to_owned())).collect()
}

#[test]
fn the_delimiter_is_the_one_by_which_rows_agree_with_the_header() {
    let folder = Folder::new();
    let cases: [(&str, u8, &[&str]); 7] = [
        ("A,B\n1,2\n", b',', &["1", "2"]),
        // Decimal commas outnumber the semicolons.
        ("A;B;C\n1,5;2,5;3,5\n1,0;2,0;3,0\n", b';', &["1,5", "2,5", "3,5"]),
        ("A\tB\nx, y, z\tw\n", b'\t', &["x, y, z", "w"]),
        // The header has more commas than bars, the rows have none.
        ("a, b, c, d|X\n1|2\n3|4\n", b'|', &["1", "2"]),
        ("A,B\n\"1;2\",\"a|b\"\n", b',', &["1;2", "a|b"]),
        ("A\nonly one\n", b',', &["only one"]),
        ("A,B\n", b',', &[]),
    ];
    for (text, delimiter, first) in cases {
        let table = folder.read(text.as_bytes());
        assert_eq!(table.dataset.format, Format::Csv { delimiter, quote: b'"' }, "{text}");
        assert_eq!(table.rows.first().cloned().unwrap_or_default(), row(first), "{text}");
    }
}

#[test]
fn quotes_of_either_kind_may_hold_delimiters_lines_and_themselves() {
    let folder = Folder::new();
    let table = folder.read(b"A,B\r\n\"a,b\",\"say \"\"no\"\"\"\r\n\"two\r\nlines\",5'\r\n\"\",\" x \"\r\n");
    assert_eq!(table.rows, [row(&["a,b", "say \"no\""]), row(&["two\r\nlines", "5'"]), row(&["", " x "])]);
    let table = folder.read(b"'A','B'\n'x,y','it''s'\n");
    assert_eq!(table.dataset.format, Format::Csv { delimiter: b',', quote: b'\'' });
    assert_eq!(table.rows, [row(&["x,y", "it's"])]);
}

#[test]
fn lines_end_in_any_of_three_ways_and_empty_ones_are_passed_over() {
    let folder = Folder::new();
    for text in ["A,B\n1,2\n3,4", "A,B\r\n1,2\r\n3,4\r\n", "A,B\r1,2\r3,4\r", "\n\nA,B\n\n1,2\n\r\n3,4\n\n"] {
        assert_eq!(folder.read(text.as_bytes()).rows, [row(&["1", "2"]), row(&["3", "4"])], "{text:?}");
    }
}

#[test]
fn the_encoding_is_found_out_and_recorded() {
    let folder = Folder::new();
    let text = "NAME,Größe\nJosé,1\n頭痛,2\n";
    let utf16 = |mark: [u8; 2], bytes: fn(u16) -> [u8; 2]| {
        mark.into_iter().chain(text.encode_utf16().flat_map(bytes)).collect::<Vec<u8>>()
    };
    let marked = [b"\xef\xbb\xbf", text.as_bytes()].concat();
    let little = utf16([0xff, 0xfe], u16::to_le_bytes);
    let big = utf16([0xfe, 0xff], u16::to_be_bytes);
    let cases = [(text.as_bytes(), "utf-8"), (&marked, "utf-8"), (&little, "utf-16le"), (&big, "utf-16be")];
    for (bytes, encoding) in cases {
        let table = folder.read(bytes);
        assert_eq!((table.dataset.encoding, table.names()), (encoding, vec!["NAME", "Größe"]));
        assert_eq!(table.column("NAME"), [Some("José"), Some("頭痛")]);
    }
    let table = folder.read(b"NAME,Gr\xf6\xdfe\nJos\xe9,\x93a\x94\n");
    assert_eq!((table.dataset.encoding, table.names()), ("windows-1252", vec!["NAME", "Größe"]));
    assert_eq!(table.rows, [row(&["José", "\u{201c}a\u{201d}"])]);
}

#[test]
fn headers_are_trimmed_and_have_to_tell_columns_apart() {
    let folder = Folder::new();
    assert_eq!(folder.read(b" A , B \n1,2\n").names(), ["A", "B"]);
    assert!(folder.refusal(b"A,a\n1,2\n").contains("column `a` occurs twice"));
    assert!(folder.refusal(b"A,,C\n1,2,3\n").contains("column 2 has no name"));
}

#[test]
fn what_does_not_fit_is_refused_with_row_and_column() {
    let folder = Folder::new();
    let cases: [(&[u8], &[&str]); 6] = [
        (b"A,B,C\n1,2,3\n\n4,5\n", &["row 2 (line: 4)", "2 cells", "column `C`"]),
        (b"A,B\n1,2\n3,4,5\n", &["row 2 (line: 3)", "3 cells"]),
        (b"A,B\n1,2\n3,x\0y\n", &["row 2 (line: 3)", "column `B`", "zero byte"]),
        (b"A,B\n1,\"open\n3,4\n", &["row 1", "cell 2", "not closed"]),
        (b"A,B\n1,\"x\"y\n", &["row 1", "cell 2", "behind its closing quote"]),
        (b"\n\n", &["no header"]),
    ];
    for (bytes, parts) in cases {
        let text = folder.refusal(bytes);
        assert!(parts.iter().all(|part| text.contains(part)), "{text}");
    }
}

/// The `csv` crate is another implementation of the same standard.
#[test]
fn random_tables_are_cut_as_another_reader_cuts_them() {
    let folder = Folder::new();
    let mut dice = Dice(11);
    let pieces = ["a", "bc", "1.5", " ", ",", "\"\"", "\n", "\r\n", "é", "a longer text of words", ""];
    for _ in 0..300 {
        let columns = 2 + dice.below(4);
        let names: Vec<String> = (0..columns).map(|number| format!("C{number}")).collect();
        let mut text = names.join(",") + "\n";
        for _ in 0..dice.below(30) {
            let cells: Vec<String> = (0..columns)
                .map(|_| {
                    let cell: String = (0..dice.below(4)).map(|_| pieces[dice.below(pieces.len())]).collect();
                    let has_special = cell.contains([',', '"', '\n', '\r']);
                    if has_special || dice.below(3) == 0 { format!("\"{cell}\"") } else { cell }
                })
                .collect();
            text += &(cells.join(",") + ["\n", "\r\n"][dice.below(2)]);
        }
        let mut other = csv::ReaderBuilder::new().from_reader(text.as_bytes());
        let expected: Vec<Vec<Option<String>>> = other
            .records()
            .map(|record| row(&record.expect("it is sound").iter().collect::<Vec<_>>()))
            .collect();
        assert_eq!(folder.read(text.as_bytes()).rows, expected, "{text:?}");
    }
}
