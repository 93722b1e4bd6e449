//! SDTM datasets are whole and say the same in both forms. The transport files are taken apart here by hand; they are
//! also read by pyreadstat and pandas when the writers change.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use chrono::NaiveDate;
use evidence::{Format, StudyPlan};
use serde_json::Value;

use super::extract::Study;

const DOMAINS: [&str; 20] = [
    "ts", "ta", "te", "tv", "ti", "dm", "se", "sv", "ds", "ex", "ae", "mh", "cm", "lb", "vs", "qs", "dv",
    "ie", "suppae", "suppdm",
];

fn study() -> Study {
    let formats = vec![Format::SdtmXpt, Format::SdtmDatasetjson];
    let plan = StudyPlan { formats, ..StudyPlan::demo().resized(12, 8.0) };
    Study::make(&plan, 6)
}

/// The names of the columns, and the rows.
struct Table {
    columns: Vec<String>,
    rows: Vec<Vec<Value>>,
}

impl Table {
    fn read(study: &Study, domain: &str) -> Self {
        let path = study.path().join(format!("sdtm/datasetjson/{domain}.json"));
        let json: Value = serde_json::from_slice(&fs::read(path).expect("it reads")).expect("it is JSON");
        assert_eq!(json["datasetJSONVersion"], "1.1.0");
        let names = json["columns"].as_array().expect("there are columns").iter();
        let columns =
            names.map(|column| column["name"].as_str().expect("it has a name").to_owned()).collect();
        let rows = json["rows"].as_array().expect("there are rows").iter();
        let rows: Vec<Vec<Value>> =
            rows.map(|row| row.as_array().expect("a row is a list").clone()).collect();
        assert_eq!(json["records"].as_u64(), Some(rows.len() as u64), "{domain}");
        Self { columns, rows }
    }

    fn column(&self, name: &str) -> Vec<&Value> {
        let place =
            self.columns.iter().position(|column| column == name).expect("the dataset has the column");
        self.rows.iter().map(|row| &row[place]).collect()
    }
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

fn date(value: &Value) -> Option<NaiveDate> {
    text(value).parse().ok()
}

/// The columns and rows of a transport file: texts without trailing blanks, numbers from IBM's form.
fn read_xpt(bytes: &[u8]) -> (Vec<String>, Vec<Vec<Value>>) {
    assert_eq!(bytes.len() % 80, 0, "whole cards");
    let ascii = |bytes: &[u8]| {
        String::from_utf8(bytes.to_vec()).expect("the simulator writes ASCII").trim_end().to_owned()
    };
    let count: usize = ascii(&bytes[7 * 80 + 54..7 * 80 + 58]).parse().expect("a number of columns");
    let short = |at: usize| usize::from(u16::from_be_bytes([bytes[at], bytes[at + 1]]));
    let described: Vec<(String, bool, usize)> = (0..count)
        .map(|column| 8 * 80 + 140 * column)
        .map(|at| (ascii(&bytes[at + 8..at + 16]), short(at) == 1, short(at + 4)))
        .collect();
    let data = &bytes[8 * 80 + (140 * count).next_multiple_of(80) + 80..];
    let length: usize = described.iter().map(|(_, _, width)| width).sum();
    let row = |row: &[u8]| {
        let mut at = 0;
        let cell = |(_, is_number, width): &(String, bool, usize)| {
            let bytes = &row[at..at + width];
            at += width;
            if *is_number { number(bytes) } else { Value::from(ascii(bytes)) }
        };
        described.iter().map(cell).collect::<Vec<Value>>()
    };
    let rows =
        data.chunks_exact(length).filter(|row| row.iter().any(|byte| *byte != b' ')).map(row).collect();
    (described.into_iter().map(|(name, ..)| name).collect(), rows)
}

fn number(bytes: &[u8]) -> Value {
    let bits = u64::from_be_bytes(bytes.try_into().expect("eight bytes"));
    let fraction = (bits & 0x00ff_ffff_ffff_ffff) as f64;
    if fraction == 0.0 && bits != 0 {
        return Value::Null;
    }
    let sign = if bits >> 63 == 1 { -1.0 } else { 1.0 };
    let exponent = i32::try_from(bits >> 56 & 0x7f).expect("seven bits") - 64;
    Value::from(sign * fraction / 2_f64.powi(56) * 16_f64.powi(exponent))
}

#[test]
fn both_forms_say_the_same() {
    let study = study();
    for domain in DOMAINS {
        let json = Table::read(&study, domain);
        let bytes = fs::read(study.path().join(format!("sdtm/xpt/{domain}.xpt"))).expect("it reads");
        let (columns, rows) = read_xpt(&bytes);
        assert_eq!(columns, json.columns, "{domain}");
        assert_eq!(rows.len(), json.rows.len(), "{domain}");
        for (ours, theirs) in rows.iter().zip(&json.rows) {
            let same = |(a, b): (&Value, &Value)| match (a.as_f64(), b.as_f64()) {
                (Some(a), Some(b)) => a == b,
                _ => a == b,
            };
            assert!(ours.iter().zip(theirs).all(same), "{domain}: {ours:?} {theirs:?}");
        }
    }
}

#[test]
fn sequence_numbers_count_a_subjects_records() {
    let study = study();
    for domain in ["se", "ds", "ex", "ae", "mh", "cm", "lb", "vs", "qs", "dv", "ie"] {
        let table = Table::read(&study, domain);
        let mut last: BTreeMap<&str, i64> = BTreeMap::new();
        let sequence = table.column(&format!("{}SEQ", domain.to_uppercase()));
        for (subject, number) in table.column("USUBJID").into_iter().zip(sequence) {
            let before = last.entry(text(subject)).or_default();
            *before += 1;
            assert_eq!(number.as_i64(), Some(*before), "{domain} {subject}");
        }
    }
}

#[test]
fn study_days_count_from_the_first_dose_without_a_day_0() {
    let study = study();
    let dm = Table::read(&study, "dm");
    let doses: BTreeMap<&str, Option<NaiveDate>> =
        dm.column("USUBJID").into_iter().map(text).zip(dm.column("RFSTDTC").into_iter().map(date)).collect();
    let mut days: BTreeSet<i64> = BTreeSet::new();
    for (domain, at, day) in [
        ("sv", "SVSTDTC", "SVSTDY"),
        ("ae", "AESTDTC", "AESTDY"),
        ("lb", "LBDTC", "LBDY"),
        ("mh", "MHSTDTC", "MHSTDY"),
    ] {
        let table = Table::read(&study, domain);
        let rows = table.column("USUBJID").into_iter().zip(table.column(at)).zip(table.column(day));
        for ((subject, at), day) in rows {
            let expected = doses[text(subject)].zip(date(at)).map(|(dose, date)| {
                let between = (date - dose).num_days();
                if between >= 0 { between + 1 } else { between }
            });
            assert_eq!(day.as_i64(), expected, "{domain} {subject} {at}");
            days.extend(expected);
        }
    }
    assert!(!days.contains(&0) && days.contains(&1) && days.iter().any(|day| *day < 0));
}

#[test]
fn every_record_is_of_a_subject_and_supplements_belong_to_a_record() {
    let study = study();
    let dm = Table::read(&study, "dm");
    let subjects: BTreeSet<&str> = dm.column("USUBJID").into_iter().map(text).collect();
    for domain in DOMAINS.iter().filter(|domain| !domain.starts_with('t')) {
        let table = Table::read(&study, domain);
        assert!(!table.rows.is_empty() || *domain == "ie", "{domain}");
        assert!(
            table.column("USUBJID").into_iter().all(|subject| subjects.contains(text(subject))),
            "{domain}"
        );
    }
    let ae = Table::read(&study, "ae");
    let events: BTreeSet<(String, String)> = ae
        .column("USUBJID")
        .into_iter()
        .zip(ae.column("AESEQ"))
        .map(|(subject, number)| (text(subject).to_owned(), number.to_string()))
        .collect();
    let supplements = Table::read(&study, "suppae");
    let named = supplements.column("USUBJID").into_iter().zip(supplements.column("IDVARVAL"));
    let named: BTreeSet<_> =
        named.map(|(subject, value)| (text(subject).to_owned(), text(value).to_owned())).collect();
    assert_eq!(named, events);
}
