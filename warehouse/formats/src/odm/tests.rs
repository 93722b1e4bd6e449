//! ODM files written by hand, and what their rows must be, worked out from the text by eye.

use std::io::Write;

use arrow::array::{Array, AsArray};

use crate::{Dataset, datasets, open};

const SNAPSHOT: &str = include_str!("tests/snapshot_1_3.xml");
const TRANSACTIONS: &str = include_str!("tests/transactions_1_3.xml");
const ODM_2: &str = include_str!("tests/snapshot_2_0.xml");

fn file(text: &[u8]) -> tempfile::NamedTempFile {
    let mut file = tempfile::Builder::new().suffix(".xml").tempfile().expect("a temporary file can be made");
    file.write_all(text).expect("it can be written");
    file
}

/// The tables of a file.
struct Read {
    file: tempfile::NamedTempFile,
    datasets: Vec<Dataset>,
}

impl Read {
    fn of(text: &str) -> Self {
        let file = file(text.as_bytes());
        let datasets = datasets(file.path()).expect("the file is whole");
        Self { file, datasets }
    }

    /// Some columns of a table, its rows as lines with `|` between cells and `-` for null.
    fn rows(&self, table: &str, columns: &[&str]) -> Vec<String> {
        let dataset = self.datasets.iter().find(|dataset| dataset.name == table);
        let dataset = dataset.unwrap_or_else(|| panic!("the file has {table}"));
        let mut source = open(self.file.path(), dataset).expect("the table opens");
        let mut lines = Vec::new();
        while let Some(batch) = source.next_batch().expect("the rows are read") {
            for row in 0..batch.num_rows() {
                let cell = |name: &&str| {
                    let column = batch.column_by_name(name).unwrap_or_else(|| panic!("{table} has {name}"));
                    let column = column.as_string::<i32>();
                    if column.is_null(row) { "-".to_owned() } else { column.value(row).to_owned() }
                };
                lines.push(columns.iter().map(cell).collect::<Vec<_>>().join("|"));
            }
        }
        assert_eq!(Some(lines.len() as u64), dataset.rows, "{table} has the rows that the check counted");
        lines
    }

    #[track_caller]
    fn check(&self, table: &str, columns: &[&str], expected: &[&str]) {
        assert_eq!(self.rows(table, columns), expected, "{table}");
    }
}

#[test]
fn the_metadata_of_a_snapshot_become_rows() {
    let read = Read::of(SNAPSHOT);
    read.check(
        "ODM.STUDY",
        &[
            "STUDY",
            "STUDY_NAME",
            "STUDY_DESCRIPTION",
            "PROTOCOL_NAME",
            "METADATA_VERSION",
            "FILE_TYPE",
            "SOURCE_SYSTEM",
        ],
        &["S.ALPHA|Alpha & Omega|A study of <two> arms|ALPHA-001|V.1|Snapshot|Hand"],
    );
    read.check(
        "ODM.EVENTDEF",
        &["EVENT_OID", "EVENT_NAME", "EVENT_TYPE", "VISIT_NUM", "MANDATORY", "FORMS"],
        &[
            "SE.SCR|Screening|Scheduled|10|Yes|F.DM F.VS",
            "SE.BAS|Baseline|Scheduled|20|No|F.VS",
            "SE.LOG|Running records|Common|-|-|-",
        ],
    );
    read.check(
        "ODM.FORMDEF",
        &["EVENT_OID", "FORM_OID", "FORM_NAME", "MANDATORY"],
        &[
            "SE.SCR|F.DM|Demography|Yes",
            "SE.SCR|F.VS|Vital signs|No",
            "SE.BAS|F.VS|Vital signs|Yes",
            "-|F.OLD|No longer used|-",
        ],
    );
    read.check(
        "ODM.ITEMDEF",
        &[
            "FORM_OID",
            "ITEM_GROUP_OID",
            "ITEM_OID",
            "QUESTION",
            "DATA_TYPE",
            "LENGTH",
            "CODELIST",
            "MANDATORY",
        ],
        &[
            "F.DM|IG.DM|I.SEX|Sex at birth|text|1|CL.SEX|Yes",
            "F.DM|IG.DM|I.NOTE|-|text|200|-|No",
            "F.VS|IG.VS|I.WEIGHT|-|float|5|-|Yes",
        ],
    );
    read.check(
        "ODM.CODELIST",
        &["CODELIST", "CODED_VALUE", "DECODE", "RANK", "DICTIONARY", "DICTIONARY_VERSION"],
        &["CL.SEX|F|Female|1|-|-", "CL.SEX|M|Male|2|-|-", "CL.AE|-|-|-|MedDRA|28.1"],
    );
}

#[test]
fn sites_and_users_come_without_names_of_people() {
    let read = Read::of(SNAPSHOT);
    read.check(
        "ODM.SITE",
        &["STUDY", "SITE", "SITE_NAME", "LOCATION_TYPE", "IS_SITE", "EFFECTIVE_DATE"],
        &[
            "S.ALPHA|L.01|North hospital|Site|true|2026-01-05",
            "S.ALPHA|L.HQ|Sponsor|Sponsor|false|2026-01-01",
            // No administrative data list it: a subject names it.
            "S.ALPHA|L.02|-|-|true|-",
        ],
    );
    read.check("ODM.USER", &["USER", "ROLE", "LOCATION"], &["U.1|Investigator|L.01", "U.2|Sponsor|-"]);
}

#[test]
fn a_snapshot_has_one_row_for_each_thing() {
    let read = Read::of(SNAPSHOT);
    read.check(
        "ODM.SUBJECT",
        &["SUBJECT_KEY", "SUBJECT_NAME", "SITE", "INVESTIGATOR", "SEX", "STATE", "FIRST_TIME", "LAST_TIME"],
        &[
            "001|N-001|L.01|U.1|f|CURRENT|2026-02-01T11:00:00Z|2026-02-02T09:00:00Z",
            "002|002|L.02|-|-|CURRENT|-|-",
        ],
    );
    read.check(
        "ODM.EVENT",
        &[
            "EVENT_KEY",
            "EVENT_NAME",
            "VISIT_NUM",
            "EVENT_REPEAT_NUMBER",
            "START_DATE",
            "STATUS",
            "VISIT_STATE",
        ],
        &[
            "S.ALPHA/001/SE.SCR|Screening|10|0|2026-02-01|completed|CURRENT",
            "S.ALPHA/001/SE.BAS[A%2F1]|Baseline|20|0|-|-|CURRENT",
            "S.ALPHA/001/SE.BAS[B]|Baseline|20|1|-|-|CURRENT",
            "S.ALPHA/001/SE.LOG|Running records|-|0|-|-|UNPLANNED",
        ],
    );
    read.check(
        "ODM.FORM",
        &["FORM_KEY", "EVENT_DATE", "STATUS", "CONTENT", "SDV", "LOCKED", "SIGNED_TIME", "FIRST_TIME", "LAST_TIME"],
        &[
            "S.ALPHA/001/SE.SCR/F.DM|2026-02-01|complete|DATA|VERIFIED|Yes|2026-02-03T08:00:00Z|2026-02-01T11:00:00Z|2026-02-01T11:00:00Z",
            "S.ALPHA/001/SE.SCR/F.VS[1]|2026-02-01|-|DATA|-|-|-|2026-02-02T09:00:00Z|2026-02-02T09:00:00Z",
            "S.ALPHA/001/SE.BAS[A%2F1]/F.VS[1]|-|-|EMPTY|-|-|-|-|-",
        ],
    );
    read.check(
        "ODM.ITEM",
        &["ITEM_KEY", "LOG_LINE", "VALUE", "IS_NULL", "DATA_TYPE", "MANDATORY", "UNIT", "CHANGES", "LAST_TIME"],
        &[
            "S.ALPHA/001/SE.SCR/F.DM/IG.DM/I.SEX|-|F|false|string|true|-|0|2026-02-01T11:00:00Z",
            "S.ALPHA/001/SE.SCR/F.DM/IG.DM/I.NOTE|-|-|true|string|false|-|0|-",
            "S.ALPHA/001/SE.SCR/F.VS[1]/IG.VS[1]/I.WEIGHT|1|61.5|false|float|true|MU.KG|0|2026-02-02T09:00:00Z",
            "S.ALPHA/001/SE.SCR/F.VS[1]/IG.VS[2]/I.WEIGHT|2|-|true|float|true|-|0|-",
        ],
    );
}

#[test]
fn audit_records_are_read_in_place_and_by_reference() {
    let read = Read::of(SNAPSHOT);
    read.check(
        "ODM.AUDIT",
        &["AUDIT_ID", "SOURCE_ID", "LEVEL", "ACTION", "NEW_VALUE", "REASON", "USER", "USER_ROLE", "TIME", "EDIT_POINT"],
        &[
            "S.ALPHA/001/SE.SCR/F.DM/IG.DM/I.SEX@2026-02-01T11:00:00Z#1|AR.1|ITEM|INSERT|F|-|U.1|Investigator|2026-02-01T11:00:00Z|-",
            "S.ALPHA/001/SE.SCR/F.VS[1]/IG.VS[1]/I.WEIGHT@2026-02-02T09:00:00Z#1|77|ITEM|UPDATE|61.5|misread|U.2|Sponsor|2026-02-02T09:00:00Z|DataManagement",
        ],
    );
    read.check(
        "ODM.SIGNATURE",
        &["SIGNATURE_ID", "LEVEL", "FORM_KEY", "USER_ROLE", "MEANING", "LEGAL_REASON", "TIME"],
        &["SIG.1|FORM|S.ALPHA/001/SE.SCR/F.DM|Investigator|Seen|I confirm|2026-02-03T08:00:00Z"],
    );
}

#[test]
fn the_notes_of_a_discrepancy_are_the_changes_of_a_query() {
    let read = Read::of(SNAPSHOT);
    read.check(
        "ODM.QUERY",
        &[
            "QUERY_ID",
            "ITEM_OID",
            "STATE",
            "STATE_TEXT",
            "OPENED",
            "ANSWERED",
            "CLOSED",
            "REOPENED",
            "AGE_DAYS",
            "TIME_PRECISION",
        ],
        &["DN_9|I.WEIGHT|CLOSED|Closed|2026-02-04|2026-02-06|2026-02-09|0|5|D"],
    );
    read.check(
        "ODM.QUERYEVENT",
        &["QUERY_ID", "EVENT_NO", "FROM_STATE", "TO_STATE", "USER_ROLE", "TIME", "TEXT"],
        &[
            "DN_9|1|-|OPEN|Sponsor|2026-02-04|Is 61.5 right?",
            "DN_9|2|OPEN|ANSWERED|Investigator|2026-02-06|yes",
            "DN_9|3|ANSWERED|CLOSED|Sponsor|2026-02-09|ok",
        ],
    );
}

#[test]
fn the_time_of_a_file_is_told_only_with_a_zone() {
    let created = |text: &str| Read::of(text).datasets[0].created_at.map(|at| at.to_rfc3339());
    assert_eq!(created(SNAPSHOT).as_deref(), Some("2026-03-10T11:00:00+00:00"));
    assert_eq!(created(TRANSACTIONS), None);
}

#[test]
fn a_later_transaction_takes_the_place_of_an_earlier_one() {
    let read = Read::of(TRANSACTIONS);
    read.check(
        "ODM.ITEM",
        &["ITEM_KEY", "ROW", "VALUE", "TRANSACTION", "STATE", "CHANGES", "SITE", "FIRST_TIME", "LAST_TIME"],
        &[
            "S.B/u-1/V1[V1%5B1%5D]/VS[1]/VS/VS.T|6|36.6|Upsert|SUPERSEDED|1|9|2026-04-02T08:00:00Z|2026-04-06T09:00:00Z",
            // A query was sent with it and no value: the value stays.
            "S.B/u-1/V1[V1%5B1%5D]/VS[1]/VS/VS.T|11|-|Upsert|CONTEXT|1|9|2026-04-02T08:00:00Z|2026-04-06T09:00:00Z",
            "S.B/u-1/V1[V1%5B1%5D]/VS[1]/VS/VS.T|16|38.6|Upsert|CURRENT|1|9|2026-04-02T08:00:00Z|2026-04-06T09:00:00Z",
            "S.B/u-1/V1[V1%5B1%5D]/VS[1]/VS/VS.P|17|70|Insert|CURRENT|0|9|2026-04-05T09:00:00Z|2026-04-05T09:00:00Z",
            "S.B/u-1/V1[V1%5B1%5D]/VS[1]/VS/VS.T|22|-|Upsert|CONTEXT|1|9|2026-04-02T08:00:00Z|2026-04-06T09:00:00Z",
            // It inherits the removal of its form.
            "S.B/u-1/V2/VS/VS/VS.T|26|36.0|Remove|REMOVED|0|9|-|-",
            // Its form is removed further down.
            "S.B/u-2/V1/AE/AE/AE.TERM|31|Headache|Insert|REMOVED|0|9|-|-",
        ],
    );
    read.check(
        "ODM.FORM",
        &["FORM_KEY", "ROW", "STATE", "FIRST_TIME", "LAST_TIME"],
        &[
            "S.B/u-1/V1[V1%5B1%5D]/VS[1]|4|SUPERSEDED|2026-04-02T08:00:00Z|2026-04-06T09:00:00Z",
            "S.B/u-1/V1[V1%5B1%5D]/VS[1]|9|SUPERSEDED|2026-04-02T08:00:00Z|2026-04-06T09:00:00Z",
            "S.B/u-1/V1[V1%5B1%5D]/VS[1]|14|SUPERSEDED|2026-04-02T08:00:00Z|2026-04-06T09:00:00Z",
            "S.B/u-1/V1[V1%5B1%5D]/VS[1]|20|CURRENT|2026-04-02T08:00:00Z|2026-04-06T09:00:00Z",
            "S.B/u-1/V2/VS|24|REMOVED|-|-",
            "S.B/u-2/V1/AE|29|SUPERSEDED|-|-",
            "S.B/u-2/V1/AE|34|REMOVED|-|-",
        ],
    );
    read.check("ODM.SITE", &["STUDY", "SITE"], &["S.B|9"]);
    read.check("ODM.STUDY", &["STUDY", "METADATA_VERSION", "FILE_TYPE"], &["S.B|7|Transactional"]);
}

#[test]
fn an_audit_record_tells_the_value_before_and_after() {
    Read::of(TRANSACTIONS).check(
        "ODM.AUDIT",
        &["SOURCE_ID", "LEVEL", "ACTION", "OLD_VALUE", "NEW_VALUE", "REASON", "TIME"],
        &[
            "1|SUBJECT|UPSERT|-|-|-|2026-04-01T08:00:00Z",
            "2|ITEM|ENTER|-|36.6|-|2026-04-02T08:00:00Z",
            "3|ITEM|QUERY|-|-|-|2026-04-02T08:00:01Z",
            "4|ITEM|ENTER|36.6|38.6|typing error|2026-04-05T09:00:00Z",
            "-|ITEM|ENTER|-|70|-|2026-04-05T09:00:00Z",
            "6|ITEM|QUERY|-|-|-|2026-04-06T09:00:00Z",
        ],
    );
}

#[test]
fn queries_of_vendors_are_followed_through_the_file() {
    let read = Read::of(TRANSACTIONS);
    let columns = [
        "QUERY_ID", "SOURCE", "TYPE", "STATE", "TEXT", "OPENED", "ANSWERED", "CLOSED", "REOPENED", "AGE_DAYS",
    ];
    read.check(
        "ODM.QUERY",
        &columns,
        &[
            "S.B/u-1/V1[V1%5B1%5D]/VS[1]/VS/VS.T#5|SYSTEM|SYSTEM|CLOSED|Too low?|2026-04-02T08:00:01Z|-|2026-04-06T09:00:00Z|0|4",
            // Open to the cut-off, 3 to 20 April; what was answered is open again.
            "q-77|SITE_MONITOR|MANUAL|OPEN|Which side?|2026-04-03T00:00:00Z|-|-|1|17",
            "q-78|DATA_MANAGEMENT|MANUAL|CANCELLED|-|2026-04-05|-|2026-04-05|0|0",
        ],
    );
    read.check(
        "ODM.QUERYEVENT",
        &["QUERY_ID", "EVENT_NO", "FROM_STATE", "TO_STATE", "STATE_TEXT"],
        &[
            "S.B/u-1/V1[V1%5B1%5D]/VS[1]/VS/VS.T#5|1|-|OPEN|Open",
            "S.B/u-1/V1[V1%5B1%5D]/VS[1]/VS/VS.T#5|2|OPEN|CLOSED|Closed",
            "q-77|1|-|OPEN|Open",
            "q-77|2|OPEN|ANSWERED|Answered",
            "q-77|3|ANSWERED|OPEN|Reissued",
            "q-78|1|-|CANCELLED|Deleted",
        ],
    );
}

#[test]
fn odm_2_is_read_with_nested_groups_and_timings() {
    let read = Read::of(ODM_2);
    read.check(
        "ODM.STUDY",
        &["STUDY", "STUDY_NAME", "STUDY_DESCRIPTION", "PROTOCOL_NAME"],
        &["S.C|Gamma|Third study|GAMMA-1"],
    );
    read.check(
        "ODM.EVENTDEF",
        &[
            "EVENT_OID",
            "VISIT_NUM",
            "MANDATORY",
            "FORMS",
            "TIMING_FROM",
            "TIMING_TARGET_DAYS",
            "WINDOW_LOWER_DAYS",
            "WINDOW_UPPER_DAYS",
        ],
        &["E.1|1|Yes|IG.FORM|-|-|-|-", "E.2|2|Yes|IG.FORM|E.1|14|-3|7", "E.3|3|No|-|E.2|-|-|-"],
    );
    read.check(
        "ODM.ITEMDEF",
        &["FORM_OID", "ITEM_GROUP_OID", "ITEM_OID", "MANDATORY"],
        &["IG.FORM|IG.FORM|IT.DONE|Yes", "IG.FORM|IG.BP|IT.SYS|Yes", "IG.FORM|IG.ARM|IT.SIDE|No"],
    );
    read.check("ODM.SITE", &["SITE", "IS_SITE", "CITY", "COUNTRY"], &["L.7|true|Turin|ITA"]);
    read.check(
        "ODM.ITEM",
        &["ITEM_KEY", "ITEM_GROUP_OID", "LOG_LINE", "VALUE", "MANDATORY"],
        &[
            "S.C/7-01/E.1/IG.FORM/IT.DONE|-|-|true|true",
            "S.C/7-01/E.1/IG.FORM/IG.BP[1]/IT.SYS|IG.BP|1|121|true",
            "S.C/7-01/E.1/IG.FORM/IG.BP[1]/IG.ARM/IT.SIDE|IG.ARM|-|left; right|false",
            // After the nested group has closed, the outer one is the place again.
            "S.C/7-01/E.1/IG.FORM/IG.BP[1]/IT.AFTER|IG.BP|1|-|-",
        ],
    );
}

#[test]
fn the_queries_of_odm_2_hang_on_any_level() {
    let read = Read::of(ODM_2);
    read.check(
        "ODM.QUERY",
        &["QUERY_ID", "LEVEL", "SITE", "FORM_OID", "SOURCE", "TYPE", "STATE", "TEXT", "OPENED", "ANSWERED", "CLOSED"],
        &[
            "Q.0|STUDY|L.7|-|SITE_MONITOR|MANUAL|OPEN|Licence?|2026-04-02T00:00:00Z|-|-",
            "Q.1|ITEM|L.7|IG.FORM|SITE_MONITOR|MANUAL|CLOSED|Please confirm 121|2026-04-11T10:00:00Z|2026-04-12T10:00:00Z|2026-04-14T10:00:00Z",
            "Q.2|FORM|L.7|IG.FORM|DATA_MANAGEMENT|MANUAL|OPEN|Sign, please|2026-04-20T00:00:00Z|-|-",
            "Q.3|SUBJECT|L.7|-|SYSTEM|SYSTEM|CANDIDATE|Overdue|2026-04-21|-|-",
        ],
    );
    read.check(
        "ODM.QUERYEVENT",
        &["QUERY_ID", "EVENT_NO", "FROM_STATE", "TO_STATE", "USER_ROLE", "TIME"],
        &[
            "Q.0|1|-|OPEN|-|2026-04-02T00:00:00Z",
            "Q.1|1|-|OPEN|Monitor|2026-04-11T10:00:00Z",
            "Q.1|2|OPEN|ANSWERED|-|2026-04-12T10:00:00Z",
            "Q.1|3|ANSWERED|CLOSED|Monitor|2026-04-14T10:00:00Z",
            "Q.2|1|-|OPEN|-|2026-04-20T00:00:00Z",
            "Q.3|1|-|CANDIDATE|-|2026-04-21",
        ],
    );
    // One of the data point, three of its query.
    assert_eq!(read.rows("ODM.AUDIT", &["ACTION"]), ["INSERT", "QUERY", "QUERY", "QUERY"]);
}

#[test]
fn every_key_is_unique_among_the_current_rows() {
    for text in [SNAPSHOT, TRANSACTIONS, ODM_2] {
        let read = Read::of(text);
        for (table, key) in [("ODM.FORM", "FORM_KEY"), ("ODM.ITEM", "ITEM_KEY"), ("ODM.EVENT", "EVENT_KEY")] {
            let mut keys = read.rows(table, &[key, "STATE"]);
            keys.retain(|row| row.ends_with("|CURRENT"));
            let all = keys.len();
            keys.sort();
            keys.dedup();
            assert_eq!(keys.len(), all, "{table}");
        }
        let mut audits = read.rows("ODM.AUDIT", &["AUDIT_ID"]);
        let all = audits.len();
        audits.sort();
        audits.dedup();
        assert_eq!(audits.len(), all, "audit ids");
    }
}

#[test]
fn the_same_text_in_utf_16_and_latin_1_gives_the_same_rows() {
    let text = SNAPSHOT.replace("North hospital", "Nörd hospital");
    let expected = Read::of(&text).rows("ODM.SITE", &["SITE_NAME"]);
    assert_eq!(expected[0], "Nörd hospital");
    let wide: Vec<u8> = [0xFEFF].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let declared = text.replace("encoding=\"UTF-8\"", "encoding=\"ISO-8859-1\"");
    let narrow: Vec<u8> =
        declared.chars().map(|letter| u8::try_from(u32::from(letter)).expect("Latin 1")).collect();
    for (bytes, encoding) in [(wide, "UTF-16LE"), (narrow, "windows-1252")] {
        let file = file(&bytes);
        let datasets = datasets(file.path()).expect("the file is whole");
        assert_eq!(datasets[0].encoding, encoding);
        let read = Read { file, datasets };
        assert_eq!(read.rows("ODM.SITE", &["SITE_NAME"]), expected);
    }
}

#[track_caller]
fn check_refused(bytes: &[u8], reason: &str) {
    let file = file(bytes);
    let error = datasets(file.path()).expect_err("the file is refused").to_string();
    assert!(error.contains(reason), "{error}");
    assert!(error.len() < 4_000, "the message is short: {}", error.len());
}

fn around(inner: &str) -> String {
    format!(
        "<ODM xmlns='http://www.cdisc.org/ns/odm/v1.3' FileType='Snapshot'>\n<ClinicalData StudyOID='S' MetaDataVersionOID='V'>\n{inner}</ClinicalData></ODM>"
    )
}

#[test]
fn a_hostile_file_is_refused_with_its_place() {
    let laughs = "<?xml version='1.0'?><!DOCTYPE o [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;'>]><ODM>&b;</ODM>";
    check_refused(laughs.as_bytes(), "document type");
    check_refused(around("<SubjectData SubjectKey='&b;'/>").as_bytes(), "SubjectKey");
    let reference = around(
        "<SubjectData SubjectKey='1'><StudyEventData StudyEventOID='E'><FormData FormOID='F'><ItemGroupData ItemGroupOID='G'><ItemDataString ItemOID='I'>&b;</ItemDataString></ItemGroupData></FormData></StudyEventData></SubjectData>",
    );
    check_refused(reference.as_bytes(), "entities are not expanded");
    let deep = format!("{}{}", "<x>".repeat(100_000), "</x>".repeat(100_000));
    check_refused(around(&deep).as_bytes(), "more than 100 deep");
    let many: String = (0..1_000_000).map(|number| format!(" a{number}='1'")).collect();
    check_refused(around(&format!("<SubjectData{many}/>")).as_bytes(), "attributes");
    let long = format!("<SubjectData SubjectKey='{}'/>", "k".repeat(20 << 20));
    check_refused(around(&long).as_bytes(), "larger than 16777216 bytes");
    let wide = format!(
        "<SubjectData SubjectKey='1'><Annotation>{}</Annotation></SubjectData>",
        "<a/>".repeat(600_000)
    );
    check_refused(around(&wide).as_bytes(), "larger than 500000 elements");
    check_refused(around("<SubjectData SubjectKey='1&#0;'/>").as_bytes(), "line 3");
    check_refused(around("<SubjectData SubjectKey='1&#1;'/>").as_bytes(), "control character");
}

#[test]
fn a_broken_file_is_refused_with_its_line() {
    for cut in [SNAPSHOT.len() / 3, SNAPSHOT.len() / 2, SNAPSHOT.len() - 8] {
        check_refused(&SNAPSHOT.as_bytes()[..cut], "line ");
    }
    check_refused(around("<SubjectData/>").as_bytes(), "line 3, byte");
    check_refused(
        around("<SubjectData/>").as_bytes(),
        "/ODM/ClinicalData/SubjectData: `SubjectData` has no `SubjectKey`",
    );
    check_refused(around("<SubjectData SubjectKey='1' SubjectKey='2'/>").as_bytes(), "occurs twice");
    check_refused(around("<SubjectData SubjectKey='1' TransactionType='Delete'/>").as_bytes(), "`Delete`");
    check_refused(b"<ODM xmlns='http://www.cdisc.org/ns/odm/v1.2' FileType='Snapshot'/>", "its namespace is");
    check_refused(b"<ODM FileType='Snapshot'/>", "its namespace is ``");
    check_refused(b"<html xmlns='http://www.w3.org/1999/xhtml'/>", "its root element is `html`");
    check_refused(b"<ODM xmlns='http://www.cdisc.org/ns/odm/v1.3'/>", "FileType");
    check_refused(b"<ODM xmlns='http://www.cdisc.org/ns/odm/v2.0' FileType='Snapshot'/>", "neither a study");
    check_refused(&[around("").as_bytes(), b"<ODM/>"].concat(), "second root");
    check_refused(around("<v:Query/>").as_bytes(), "prefix `v`");
    let mut bytes = around("<SubjectData SubjectKey='?'/>").into_bytes();
    let at = bytes.iter().position(|byte| *byte == b'?').expect("the mark is there");
    bytes[at] = 0xFF;
    check_refused(&bytes, "a text is not UTF-8");
    check_refused(b"<?xml version='1.0' encoding='EBCDIC-XX'?><ODM/>", "`EBCDIC-XX`");
}

#[test]
fn a_definition_is_no_data() {
    let define = "<ODM xmlns='http://www.cdisc.org/ns/odm/v1.3' xmlns:def='http://www.cdisc.org/ns/def/v2.0' FileType='Snapshot'><Study OID='S'><MetaDataVersion OID='M' def:DefineVersion='2.0.0'/></Study></ODM>";
    check_refused(define.as_bytes(), "Define-XML");
    assert!(!crate::looks_like_data(file(define.as_bytes()).path()));
    assert!(crate::looks_like_data(file(SNAPSHOT.as_bytes()).path()));
}

#[test]
fn many_rows_come_in_batches() {
    let items: String =
        (0..40_000).map(|number| format!("<ItemData ItemOID='I{number}' Value='{number}'/>")).collect();
    let text = around(&format!(
        "<SubjectData SubjectKey='1'><StudyEventData StudyEventOID='E'><FormData FormOID='F'><ItemGroupData ItemGroupOID='G'>{items}</ItemGroupData></FormData></StudyEventData></SubjectData>"
    ));
    let read = Read::of(&text);
    let rows = read.rows("ODM.ITEM", &["ITEM_OID", "VALUE"]);
    assert_eq!((rows.len(), rows[39_999].as_str()), (40_000, "I39999|39999"));
}

#[test]
fn a_file_with_any_byte_changed_is_read_or_refused_but_never_panics() {
    // A linear congruential generator (Knuth's MMIX): the same changes in every run.
    let mut state: u64 = 1;
    let mut next = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).expect("31 bits fit") % below
    };
    let mut refused = 0;
    for text in [SNAPSHOT, TRANSACTIONS, ODM_2] {
        for _ in 0..150 {
            let mut bytes = text.as_bytes().to_vec();
            for _ in 0..=next(3) {
                let at = next(bytes.len());
                match next(3) {
                    0 => bytes[at] = b"<>&\"'/=\0\xFF]"[next(10)],
                    1 => drop(bytes.drain(at..(at + next(40)).min(bytes.len()))),
                    _ => bytes.truncate(at.max(1)),
                }
            }
            let file = file(&bytes);
            match datasets(file.path()) {
                Ok(datasets) => {
                    for dataset in &datasets {
                        let mut source = open(file.path(), dataset).expect("what was checked opens");
                        let mut rows = 0;
                        while let Some(batch) = source.next_batch().expect("what was checked is read") {
                            rows += batch.num_rows() as u64;
                        }
                        assert_eq!(Some(rows), dataset.rows, "{}", dataset.name);
                    }
                }
                Err(error) => {
                    assert!(error.is_refusal(), "{error}");
                    refused += 1;
                }
            }
        }
    }
    assert!((100..450).contains(&refused), "most changes break the file: {refused}");
}
