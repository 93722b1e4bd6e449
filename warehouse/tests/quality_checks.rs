//! Every check finds the row that violates it, and leaves alone the one that does not.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use warehouse::contract::{self, Allowed, Column, ColumnType};
use warehouse::quality::registry::Test;
use warehouse::quality::{CheckRow, Finding, ForeignCheck, Status, checks, read_checks, read_findings};
use warehouse::{Manifest, Writer, quality};

use crate::delivered::Study;

/// A row as what differs from the row that an entity's columns need at least.
type Row = &'static [(&'static str, &'static str)];

struct Case {
    check: &'static str,
    entity: &'static str,
    good: Row,
    bad: Row,
}

const fn case(check: &'static str, entity: &'static str, good: Row, bad: Row) -> Case {
    Case { check, entity, good, bad }
}

// Subject A: a man born in 1970, first dose on 2020-01-10, dead on 2020-06-01. Subject F: a woman, screen failure.
const SUBJECTS: [Row; 2] = [
    &[
        ("subject_id", "A"),
        ("sex", "M"),
        ("birth_dtc", "1970-01-01"),
        ("ref_start_dtc", "2020-01-10"),
        ("first_dose_dtc", "2020-01-10"),
        ("last_dose_dtc", "2020-03-01"),
        ("death_dtc", "2020-06-01"),
        ("death_flag", "true"),
        ("status", "ENROLLED"),
        ("age", "50"),
    ],
    &[("subject_id", "F"), ("sex", "F"), ("status", "SCREEN_FAILED"), ("age", "30")],
];

#[rustfmt::skip]
const CASES: &[Case] = &[
    case("R-12.range", "lab_result", &[("range_low", "1"), ("range_high", "2")], &[("range_low", "2"), ("range_high", "1")]),
    case("R-12.value.lab_result", "lab_result", &[("std_result", "1.50"), ("std_value", "1.5")], &[("std_result", "1.5"), ("std_value", "15")]),
    case("R-12.value.observation", "observation", &[("std_result", "7"), ("std_value", "7")], &[("std_result", "7"), ("std_value", "8")]),
    case("R-12.number.lab_result", "lab_result", &[("std_result", "1"), ("std_value", "1")], &[("std_result", "1")]),
    case("R-12.number.observation", "observation", &[("std_result", "POSITIVE")], &[("std_result", "1")]),
    case("R-12.unit.lab_result", "lab_result", &[("test_code", "GLU"), ("std_unit", "mmol/L")], &[("test_code", "GLU"), ("std_unit", "mg/dL")]),
    case("R-12.unit.observation", "observation", &[("test_code", "SYSBP"), ("std_unit", "mmHg")], &[("test_code", "SYSBP"), ("std_unit", "kPa")]),
    case("R-12.indicator", "lab_result", &[("range_indicator", "HIGH"), ("std_value", "3"), ("range_low", "1"), ("range_high", "2")],
        &[("range_indicator", "NORMAL"), ("std_value", "3"), ("range_low", "1"), ("range_high", "2")]),
    case("R-15.result.lab_result", "lab_result", &[("not_done", "true")], &[("not_done", "true"), ("std_result", "1")]),
    case("R-15.result.observation", "observation", &[("not_done", "true")], &[("not_done", "true"), ("original_result", "1")]),
    case("R-15.reason.lab_result", "lab_result", &[("not_done", "true"), ("reason_not_done", "REFUSED")], &[("not_done", "true")]),
    case("R-15.reason.observation", "observation", &[("not_done", "true"), ("reason_not_done", "REFUSED")], &[("not_done", "true")]),
    case("R-15.missing.lab_result", "lab_result", &[("std_result", "CLEAR")], &[("not_done", "false")]),
    case("R-15.missing.observation", "observation", &[("std_result", "CLEAR")], &[("not_done", "false")]),
    case("R-08.soc", "adverse_event", &[("pt", "Cough"), ("soc", "Resp")], &[("pt", "Cough"), ("soc", "Skin")]),
    case("R-08.pt", "adverse_event", &[("llt", "Dry cough"), ("pt", "Cough")], &[("llt", "Dry cough"), ("pt", "Itch")]),
    case("R-08.hlt", "adverse_event", &[("pt", "Cough"), ("hlt", "Coughing")], &[("pt", "Cough"), ("hlt", "Itching")]),
    case("L1.parent.supplemental", "supplemental", &[("rdomain", "AE"), ("id_var", "AESEQ"), ("id_var_value", "1.0")],
        &[("rdomain", "AE"), ("id_var", "AESEQ"), ("id_var_value", "99999")]),
    // Day 1 is the day of reference, the day before it is -1.
    case("R-02.adverse_event.start_day", "adverse_event", &[("start_dtc", "2020-01-10"), ("start_day", "1")], &[("start_dtc", "2020-01-10"), ("start_day", "366")]),
    case("R-02.adverse_event.end_day", "adverse_event", &[("end_dtc", "2020-01-09"), ("end_day", "-1")], &[("end_dtc", "2020-01-09"), ("end_day", "0")]),
    case("R-02.disposition.start_day", "disposition", &[("start_dtc", "2020-01-11"), ("start_day", "2")], &[("start_dtc", "2020-01-11"), ("start_day", "1")]),
    case("R-02.exposure.start_day", "exposure", &[("start_dtc", "2020-01-11"), ("start_day", "2")], &[("start_dtc", "2020-01-11"), ("start_day", "3")]),
    case("R-02.lab_result.day", "lab_result", &[("collected_dtc", "2020-01-11"), ("day", "2")], &[("collected_dtc", "2020-01-11"), ("day", "3")]),
    case("R-02.observation.day", "observation", &[("collected_dtc", "2020-01-11"), ("day", "2")], &[("collected_dtc", "2020-01-11"), ("day", "3")]),
    case("R-02.visit.start_day", "visit", &[("start_dtc", "2020-01-11"), ("start_day", "2")], &[("start_dtc", "2020-01-11"), ("start_day", "3")]),
    // Planned on day 8 with two days on either side: days 6 to 10, so 2020-01-15 to 2020-01-19.
    case("R-05.window", "visit", &[("visit_num", "800"), ("start_dtc", "2020-01-19"), ("occurred", "true")],
        &[("visit_num", "800"), ("visit_repeat", "1"), ("start_dtc", "2020-01-20"), ("occurred", "true")]),
    case("EDC.query.age", "query", &[("opened_ts", "2020-01-01"), ("closed_ts", "2020-01-03"), ("age_days", "3")],
        &[("opened_ts", "2020-01-01"), ("closed_ts", "2020-01-03"), ("age_days", "9")]),
    case("EDC.query.order", "query", &[("opened_ts", "2020-01-01"), ("answered_ts", "2020-01-01")], &[("opened_ts", "2020-01-02"), ("answered_ts", "2020-01-01")]),
    case("EDC.query.closed", "query", &[("state", "CLOSED"), ("closed_ts", "2020-01-03")], &[("state", "CLOSED")]),
    case("EDC.form.lag", "form_instance", &[("entry_lag_days", "0")], &[("entry_lag_days", "-1")]),
    case("C.subject.sex", "subject", &[("sex", "F")], &[]),
    case("C.subject.race", "subject", &[("race", "WHITE")], &[]),
    case("C.subject.consent_dtc", "subject", &[("consent_dtc", "2020-01-01")], &[]),
    case("C.subject.ref_start_dtc", "subject", &[("status", "SCREENING")], &[("status", "ENROLLED")]),
    case("C.subject.age", "subject", &[("birth_dtc", "1970")], &[]),
    case("C.visit.start_dtc", "visit", &[("occurred", "false")], &[("occurred", "true")]),
    case("C.exposure.end_dtc", "exposure", &[("end_dtc", "2020-02")], &[]),
    case("C.exposure.dose", "exposure", &[("dose_text", "one sachet")], &[]),
    case("C.adverse_event.pt", "adverse_event", &[("pt", "Cough")], &[]),
    case("C.adverse_event.soc", "adverse_event", &[("soc", "Resp")], &[]),
    case("C.adverse_event.serious", "adverse_event", &[("serious", "false")], &[]),
    case("C.adverse_event.causality", "adverse_event", &[("causality", "NONE")], &[]),
    case("C.adverse_event.outcome", "adverse_event", &[("outcome", "RECOVERED")], &[]),
    case("C.adverse_event.start_dtc", "adverse_event", &[("start_dtc", "2020")], &[]),
    case("C.adverse_event.intensity", "adverse_event", &[("ctcae_grade", "2")], &[]),
    case("C.adverse_event.end", "adverse_event", &[("ongoing", "true")], &[("outcome", "RECOVERED/RESOLVED")]),
    case("C.medical_history.pt", "medical_history", &[("pt", "Cough")], &[]),
    case("C.con_med.decoded", "con_med", &[("decoded", "ASPIRIN")], &[]),
    case("C.con_med.start_dtc", "con_med", &[("start_dtc", "2019")], &[]),
    case("C.lab_result.collected_dtc", "lab_result", &[("collected_dtc", "2020-01-11")], &[]),
    case("C.lab_result.visit_num", "lab_result", &[("visit_num", "1")], &[]),
    case("C.lab_result.std_unit", "lab_result", &[("std_result", "CLEAR")], &[("std_value", "1")]),
    case("C.lab_result.range_high", "lab_result", &[("std_value", "1"), ("range_high", "2")], &[("std_value", "1")]),
    case("C.observation.collected_dtc", "observation", &[("collected_dtc", "2020-01-11")], &[]),
    case("C.observation.visit_num", "observation", &[("visit_num", "1")], &[]),
    case("C.disposition.start_dtc", "disposition", &[("category", "DISPOSITION EVENT"), ("start_dtc", "2020")], &[("category", "DISPOSITION EVENT")]),
    case("C.deviation.start_dtc", "deviation", &[("start_dtc", "2020-02-01")], &[]),
    case("C.deviation.category", "deviation", &[("category", "DOSING")], &[]),
    case("C.deviation.important", "deviation", &[("important", "false")], &[]),
    case("C.form_instance.event_date", "form_instance", &[("event_date", "2020-01-11")], &[]),
    case("C.form_instance.entry_lag_days", "form_instance", &[("entry_lag_days", "2")], &[]),
    case("C.item_value.value_text", "item_value", &[("is_null", "false"), ("value_text", "5")], &[("is_null", "false")]),
    case("C.person.visit", "subject", &[("status", "SCREENING")], &[("status", "ENROLLED")]),
    case("C.person.exposure", "subject", &[("status", "SCREENING")], &[("status", "ENROLLED")]),
    case("C.person.lab_result", "subject", &[("status", "SCREENING")], &[("status", "ENROLLED")]),
    case("C.person.observation", "subject", &[("status", "SCREENING")], &[("status", "ENROLLED")]),
    case("U.visit", "visit", &[("visit_num", "900"), ("occurred", "true")], &[("visit_num", "900"), ("visit_repeat", "1"), ("occurred", "true")]),
    case("U.lab_result", "lab_result", &[("test_code", "K"), ("collected_dtc", "2020-02-03")], &[("test_code", "K"), ("collected_dtc", "2020-02-03")]),
    case("U.observation", "observation", &[("test_code", "Q1"), ("collected_dtc", "2020-02-03")], &[("test_code", "Q1"), ("collected_dtc", "2020-02-03")]),
    case("U.adverse_event", "adverse_event", &[("term", "FALL"), ("start_dtc", "2020-02-03")], &[("term", "FALL"), ("start_dtc", "2020-02-03")]),
    case("R-13.one.lab_result", "lab_result", &[("test_code", "NA"), ("is_baseline", "true")], &[("test_code", "NA"), ("is_baseline", "true")]),
    case("R-13.one.observation", "observation", &[("test_code", "Q2"), ("is_baseline", "true")], &[("test_code", "Q2"), ("is_baseline", "true")]),
    case("R-13.time.lab_result", "lab_result", &[("is_baseline", "true"), ("collected_dtc", "2020-01-10")], &[("is_baseline", "true"), ("collected_dtc", "2020-01-11")]),
    case("R-13.time.observation", "observation", &[("is_baseline", "true"), ("collected_dtc", "2020-01-10")], &[("is_baseline", "true"), ("collected_dtc", "2020-01-11")]),
    case("R-10", "adverse_event", &[("serious", "true"), ("sae_hospital", "true")], &[("serious", "false"), ("sae_hospital", "true")]),
    case("R-10.criterion", "adverse_event", &[("serious", "true"), ("sae_other", "true")], &[("serious", "true"), ("sae_other", "false")]),
    case("R-09.fatal", "adverse_event", &[("ctcae_grade", "5"), ("outcome", "FATAL")], &[("ctcae_grade", "5"), ("outcome", "RECOVERED")]),
    case("R-09.death", "adverse_event", &[("outcome", "FATAL")], &[("outcome", "FATAL"), ("subject_id", "F")]),
    case("R-09.date", "subject", &[("death_flag", "true"), ("death_dtc", "2021")], &[("death_flag", "true")]),
    case("P.subject.birth", "subject", &[("age", "49"), ("birth_dtc", "1970-06"), ("ref_start_dtc", "2020-01-10")],
        &[("age", "39"), ("birth_dtc", "1970-06"), ("ref_start_dtc", "2020-01-10")]),
    case("P.sex.adverse_event", "adverse_event", &[("pt", "Prostatitis")], &[("pt", "Menorrhagia")]),
    case("P.sex.medical_history", "medical_history", &[("pt", "Hysterectomy"), ("subject_id", "F")], &[("pt", "Hysterectomy")]),
    case("P.range.lab_result", "lab_result", &[("test_code", "GLU"), ("std_unit", "mmol/L"), ("std_value", "9")], &[("test_code", "GLU"), ("std_unit", "mmol/L"), ("std_value", "97")]),
    case("P.negative.lab_result", "lab_result", &[("test_code", "BE"), ("std_value", "-2")], &[("test_code", "CK"), ("std_value", "-2")]),
    case("P.range.observation", "observation", &[("test_code", "TEMP"), ("std_unit", "C"), ("std_value", "41")], &[("test_code", "TEMP"), ("std_unit", "C"), ("std_value", "98.6")]),
    case("R-14.exposure", "exposure", &[("dose", "1")], &[("dose", "1"), ("subject_id", "F")]),
    case("R-14.eligibility", "eligibility_result", &[("category", "EXCLUSION"), ("met", "false")], &[("category", "EXCLUSION"), ("met", "true")]),
    case("R-03.order.subject_element", "subject_element", &[("start_dtc", "2020-01-10"), ("end_dtc", "2020-01")], &[("start_dtc", "2020-01-10"), ("end_dtc", "2019")]),
    case("R-03.order.visit", "visit", &[("start_dtc", "2020-02-03"), ("end_dtc", "2020-02-03")], &[("start_dtc", "2020-02-03"), ("end_dtc", "2020-02-02")]),
    case("R-03.order.exposure", "exposure", &[("start_dtc", "2020-02-03"), ("end_dtc", "2020-02")], &[("start_dtc", "2020-02-03"), ("end_dtc", "2020-01")]),
    case("R-03.order.adverse_event", "adverse_event", &[("start_dtc", "2020"), ("end_dtc", "2020-01-12")], &[("start_dtc", "2020-02"), ("end_dtc", "2020-01-12")]),
    case("R-03.order.medical_history", "medical_history", &[("start_dtc", "2018"), ("end_dtc", "2019")], &[("start_dtc", "2019"), ("end_dtc", "2018")]),
    case("R-03.order.con_med", "con_med", &[("start_dtc", "2018"), ("end_dtc", "2019")], &[("start_dtc", "2019"), ("end_dtc", "2018")]),
    case("R-03.order.procedure", "procedure", &[("start_dtc", "2018"), ("end_dtc", "2019")], &[("start_dtc", "2019"), ("end_dtc", "2018")]),
    case("R-03.order.subject", "subject", &[("ref_start_dtc", "2020-01-01"), ("ref_end_dtc", "2020-01-01")], &[("ref_start_dtc", "2020-01-02"), ("ref_end_dtc", "2020-01-01")]),
    case("R-03.dose.subject", "subject", &[("first_dose_dtc", "2020-01-01"), ("last_dose_dtc", "2020-01-01")], &[("first_dose_dtc", "2020-01-02"), ("last_dose_dtc", "2020-01-01")]),
    case("R-03.consent.subject", "subject", &[("consent_dtc", "2020-01-01"), ("first_dose_dtc", "2020-01-01")], &[("consent_dtc", "2020-01-02"), ("first_dose_dtc", "2020-01-01")]),
    case("R-03.birth.visit", "visit", &[("start_dtc", "2020")], &[("start_dtc", "1969")]),
    case("R-03.birth.exposure", "exposure", &[("start_dtc", "2020")], &[("start_dtc", "1969")]),
    case("R-03.birth.adverse_event", "adverse_event", &[("start_dtc", "1970")], &[("start_dtc", "1969-12")]),
    case("R-03.birth.medical_history", "medical_history", &[("start_dtc", "1970")], &[("start_dtc", "1969")]),
    case("R-03.birth.con_med", "con_med", &[("start_dtc", "1970")], &[("start_dtc", "1969")]),
    case("R-03.birth.procedure", "procedure", &[("start_dtc", "1970")], &[("start_dtc", "1969")]),
    case("R-03.birth.lab_result", "lab_result", &[("collected_dtc", "1970")], &[("collected_dtc", "1969")]),
    case("R-03.birth.observation", "observation", &[("collected_dtc", "1970")], &[("collected_dtc", "1969")]),
    case("R-03.birth.disposition", "disposition", &[("start_dtc", "1970")], &[("start_dtc", "1969")]),
    case("R-03.birth.deviation", "deviation", &[("start_dtc", "1970")], &[("start_dtc", "1969")]),
    case("R-03.death.visit", "visit", &[("start_dtc", "2020-06")], &[("start_dtc", "2020-06-02")]),
    case("R-03.death.exposure", "exposure", &[("start_dtc", "2020-06")], &[("start_dtc", "2020-06-02")]),
    case("R-03.death.adverse_event", "adverse_event", &[("start_dtc", "2020-06")], &[("start_dtc", "2020-06-02")]),
    case("R-03.death.con_med", "con_med", &[("start_dtc", "2020-06")], &[("start_dtc", "2020-06-02")]),
    case("R-03.death.procedure", "procedure", &[("start_dtc", "2020-06")], &[("start_dtc", "2020-06-02")]),
    case("R-03.death.lab_result", "lab_result", &[("collected_dtc", "2020-06")], &[("collected_dtc", "2020-06-02")]),
    case("R-03.death.observation", "observation", &[("collected_dtc", "2020-06")], &[("collected_dtc", "2020-06-02")]),
    // The delivery of these tests is of November 2023.
    case("R-03.cut.visit", "visit", &[("start_dtc", "2023")], &[("start_dtc", "2032")]),
    case("R-03.cut.exposure", "exposure", &[("start_dtc", "2023")], &[("start_dtc", "2032")]),
    case("R-03.cut.adverse_event", "adverse_event", &[("start_dtc", "2023")], &[("start_dtc", "2032")]),
    case("R-03.cut.medical_history", "medical_history", &[("start_dtc", "2023")], &[("start_dtc", "2032")]),
    case("R-03.cut.con_med", "con_med", &[("start_dtc", "2023")], &[("start_dtc", "2032")]),
    case("R-03.cut.procedure", "procedure", &[("start_dtc", "2023")], &[("start_dtc", "2032")]),
    case("R-03.cut.lab_result", "lab_result", &[("collected_dtc", "2023")], &[("collected_dtc", "2032")]),
    case("R-03.cut.observation", "observation", &[("collected_dtc", "2023")], &[("collected_dtc", "2032")]),
    case("R-03.cut.disposition", "disposition", &[("start_dtc", "2023")], &[("start_dtc", "2032")]),
    case("R-03.cut.deviation", "deviation", &[("start_dtc", "2023")], &[("start_dtc", "2032")]),
    case("R-11", "adverse_event", &[("treatment_emergent", "true"), ("start_dtc", "2020-01")], &[("treatment_emergent", "true"), ("start_dtc", "2020-01-09")]),
];

/// Files of canon's own form: one CSV per entity.
#[derive(Default)]
struct Extract {
    rows: BTreeMap<String, Vec<BTreeMap<String, String>>>,
}

impl Extract {
    /// Adds a row: what its columns need at least, with a key of its own, and what is given. Returns its number.
    fn add(&mut self, entity: &str, given: &[(&str, &str)]) -> u64 {
        let rows = self.rows.entry(entity.to_owned()).or_default();
        let number = rows.len() + 1;
        let mut row: BTreeMap<String, String> = least(entity, number);
        row.extend(given.iter().map(|(column, value)| ((*column).to_owned(), (*value).to_owned())));
        rows.push(row);
        number as u64
    }

    fn files(&self) -> Vec<(String, String)> {
        let file = |(entity, rows): (&String, &Vec<BTreeMap<String, String>>)| {
            let columns: BTreeSet<&String> = rows.iter().flat_map(BTreeMap::keys).collect();
            let mut text = columns.iter().map(|column| column.as_str()).collect::<Vec<_>>().join(",") + "\n";
            for row in rows {
                let cells = columns.iter().map(|column| row.get(*column).map_or("", String::as_str));
                let _ = writeln!(text, "{}", cells.collect::<Vec<_>>().join(","));
            }
            (format!("{entity}.csv"), text)
        };
        self.rows.iter().map(file).collect()
    }

    fn deliver(&self, study: &mut Study) {
        let path = study.folder.path().join("canon.toml");
        std::fs::write(&path, mapping()).expect("a file");
        let files = self.files();
        let files: Vec<(&str, &str)> =
            files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        study.deliver(&path.to_string_lossy(), &files).expect("taken in");
    }
}

/// The columns that may not be null. Texts are `A`, so that every reference finds its row; numbers of a key are the row's.
fn least(entity: &str, number: usize) -> BTreeMap<String, String> {
    let columns = &contract::entity(entity).expect("an entity").columns;
    let needed = columns.iter().filter(|column| !column.nullable && column.name != "study_id");
    let value = |column: &Column| match column.kind {
        ColumnType::Text if column.name == "subject_id" && entity == "subject" => format!("S{number}"),
        ColumnType::Text if column.name.ends_with("_dtc") => "2020-02-02".to_owned(),
        ColumnType::Text if column.is_key && column.references.is_none() && column.name.ends_with("_id") => {
            format!("K{number}")
        }
        ColumnType::Int32 | ColumnType::Int64 if column.is_key && column.name != "visit_repeat" => {
            number.to_string()
        }
        ColumnType::VisitNumber if column.is_key => number.to_string(),
        ColumnType::Bool => "false".to_owned(),
        ColumnType::Timestamp => "2020-01-01T00:00:00Z".to_owned(),
        ColumnType::Date => "2020-01-01".to_owned(),
        ColumnType::Text | ColumnType::TextList => match &column.allowed {
            Allowed::OneOf(words) => words[0].clone(),
            Allowed::Length { fewest, .. } => "A".repeat(*fewest),
            _ => "A".to_owned(),
        },
        _ if column.name.ends_with("_seq") => "1".to_owned(),
        _ => "0".to_owned(),
    };
    needed.map(|column| (column.name.clone(), value(column))).collect()
}

/// Every entity from a file of its name, column by column.
fn mapping() -> String {
    let mut text = "name = \"canon\"\ndescription = \"\"\nsource_system = \"test\"\n".to_owned();
    for entity in contract::entities().expect("the contract").values() {
        let name = &entity.name;
        let _ = write!(
            text,
            "[[dataset]]\nnames = [\"{name}\"]\nentity = \"{name}\"\nrecord_id = \"record\"\n[dataset.columns]\n"
        );
        let columns = entity.columns.iter().filter(|column| column.kind != ColumnType::TextList);
        for column in columns.filter(|column| column.name != "study_id") {
            let _ = writeln!(text, "{0} = \"{0}\"", column.name);
        }
    }
    text
}

fn found(study: &Study) -> BTreeMap<String, CheckRow> {
    let rows = read_checks(&study.storage, &study.scope.to_read(), study.manifest()).expect("read");
    rows.into_iter().map(|row| (row.check_id.clone(), row)).collect()
}

fn findings(study: &Study, check: &str) -> Vec<Finding> {
    let of = (study.manifest(), check);
    read_findings(&study.storage, &study.scope.to_read(), of, (0, 1_000)).expect("read")
}

#[test]
fn every_written_check_finds_the_bad_row_and_leaves_the_good_one() {
    let mut extract = Extract::default();
    for subject in SUBJECTS {
        extract.add("subject", subject);
    }
    extract.add(
        "planned_visit",
        &[
            ("visit_num", "800"),
            ("planned_day", "8"),
            ("window_lower_days", "-2"),
            ("window_upper_days", "2"),
        ],
    );
    for number in 0..60 {
        let value = (40 + number % 20).to_string();
        extract.add(
            "lab_result",
            &[
                ("test_code", "GLU"),
                ("std_unit", "mmol/L"),
                ("std_value", &format!("{}.{}", &value[..1], &value[1..])),
            ],
        );
        extract.add("observation", &[("test_code", "SYSBP"), ("std_unit", "mmHg"), ("std_value", "120")]);
    }
    for (llt, pt, hlt, soc) in [("Dry cough", "Cough", "Coughing", "Resp"); 2] {
        extract.add("adverse_event", &[("llt", llt), ("pt", pt), ("hlt", hlt), ("soc", soc)]);
    }
    let rows: Vec<(u64, u64)> = CASES
        .iter()
        .map(|case| (extract.add(case.entity, case.good), extract.add(case.entity, case.bad)))
        .collect();
    let mut study = Study::new();
    extract.deliver(&mut study);
    let found = found(&study);
    for (case, (good, bad)) in CASES.iter().zip(rows) {
        let rows: Vec<u64> =
            findings(&study, case.check).iter().filter_map(|finding| finding.source_row).collect();
        assert!(rows.contains(&bad), "{} does not find row {bad} of {}: {rows:?}", case.check, case.entity);
        assert!(!rows.contains(&good), "{} finds row {good} of {}, which is good", case.check, case.entity);
        let row = &found[case.check];
        assert_eq!(row.violations, rows.len() as u64, "{}", case.check);
        assert!(row.denominator >= row.violations && row.status() == Status::Evaluated, "{}", case.check);
    }
    let tested: BTreeSet<&str> = CASES.iter().map(|case| case.check).collect();
    let written = checks().expect("the registry").iter().filter(|check| {
        matches!(check.test, Test::Row { .. } | Test::Repeated { .. })
            && !check.id.starts_with("L1.key.")
            && !check.id.starts_with("L1.fk.")
    });
    let untested: Vec<&str> =
        written.map(|check| check.id.as_str()).filter(|id| !tested.contains(id)).collect();
    assert!(untested.is_empty(), "no case tests {untested:?}");
}

const DIMENSIONS: [&str; 5] = ["study", "study_parameter", "site", "subject", "planned_visit"];

#[test]
fn every_natural_key_and_every_reference_of_the_contract_is_checked() {
    let entities = contract::entities().expect("the contract");
    let (mut clean, mut dirty) = (Extract::default(), Extract::default());
    for (entity, known) in entities {
        let whole: Vec<(&str, &str)> = known
            .columns
            .iter()
            .filter(|column| column.references.is_some() || column.is_key)
            .filter(|column| column.name != "study_id")
            .map(|column| {
                (
                    column.name.as_str(),
                    match column.kind {
                        ColumnType::Text => match &column.allowed {
                            Allowed::OneOf(words) => words[0].as_str(),
                            Allowed::Length { fewest: 2, .. } => "AA",
                            _ => "A",
                        },
                        ColumnType::Date => "2020-01-01",
                        _ => "1",
                    },
                )
            })
            .collect();
        clean.add(entity, &whole);
        dirty.add(entity, &whole);
        // Two rows of one dimension's member are refused before any check sees them.
        let is_dimension = DIMENSIONS.contains(&entity.as_str());
        if !is_dimension {
            dirty.add(entity, &[whole.clone(), vec![("record", "again")]].concat());
        }
        for column in
            known.columns.iter().filter(|column| column.references.is_some() && column.name != "study_id")
        {
            let other = if column.kind == ColumnType::Text { "B" } else { "2" };
            let record = format!("lost {}", column.name);
            let own = if is_dimension { vec![("subject_id", record.as_str())] } else { Vec::new() };
            dirty.add(
                entity,
                &[whole.clone(), own, vec![(column.name.as_str(), other), ("record", &record)]].concat(),
            );
        }
    }
    let (mut good, mut bad) = (Study::new(), Study::new());
    clean.deliver(&mut good);
    dirty.deliver(&mut bad);
    let (good, bad) = (found(&good), found(&bad));
    let mut references = 0;
    for check in checks().expect("the registry") {
        let id = check.id.as_str();
        if id.starts_with("L1.key.") || id.starts_with("L1.fk.") {
            assert_eq!((good[id].denominator, good[id].violations), (1, 0), "{id}");
            let refused = DIMENSIONS.iter().any(|entity| id == format!("L1.key.{entity}"));
            assert!(refused || bad[id].violations >= 1, "{id}");
            references += usize::from(id.starts_with("L1.fk."));
        }
    }
    // Source: the 42 marks `FK:` of the contract, less 6 of study ids, which are compared on entry.
    assert_eq!(references, 36);
}

#[test]
fn a_check_without_rows_is_not_applicable_and_a_column_that_nobody_collects_is_said_once() {
    let mut study = Study::new();
    let mut extract = Extract::default();
    extract.add("deviation", &[("start_dtc", "2020")]);
    extract.add("deviation", &[("important", "true")]);
    extract.deliver(&mut study);
    let found = found(&study);
    for check in ["R-10", "U.lab_result", "C.deviation.category", "C.collected.adverse_event", "L5.rows"] {
        assert_eq!((found[check].denominator, found[check].status()), (0, Status::NotApplicable), "{check}");
    }
    assert_eq!(
        (found["C.deviation.start_dtc"].denominator, found["C.deviation.start_dtc"].violations),
        (2, 1)
    );
    let collected = &found["C.collected.deviation"];
    assert_eq!((collected.denominator, collected.violations), (3, 1));
    assert_eq!(findings(&study, "C.collected.deviation")[0].column, "category");
}

const DM: &str = "STUDYID,USUBJID,SUBJID,SITEID,SEX\nS1,S1-1,1,001,M\n";

fn ae(rows: std::ops::Range<u32>, outcome: &str) -> String {
    let mut text = "STUDYID,USUBJID,AESEQ,AETERM,AEOUT,AESTDTC\n".to_owned();
    for row in rows {
        let _ = writeln!(text, "S1,S1-1,{row},PAIN {row},{outcome},2020-03-15");
    }
    text
}

#[test]
fn what_changed_between_two_snapshots_is_found() {
    let mut study = Study::new();
    study.deliver("sdtm", &[("dm.csv", DM), ("ae.csv", &ae(0..100, "RECOVERED"))]).expect("taken in");
    for check in ["L5.rows", "L5.nulls", "L5.codes", "L5.removed"] {
        assert_eq!(found(&study)[check].status(), Status::NotApplicable, "{check}");
    }
    study.deliver_delta(&[("ae.csv", &ae(100..110, "RECOVERED"))]).expect("taken in");
    for check in ["L5.rows", "L5.nulls", "L5.codes", "L5.removed"] {
        let row = &found(&study)[check];
        assert_eq!((row.violations, row.status()), (0, Status::Evaluated), "{check}");
    }
    study.deliver_delta(&[("ae.csv", &ae(110..500, ""))]).expect("taken in");
    let now = found(&study);
    assert_eq!(
        (now["L5.rows"].violations, now["L5.nulls"].violations, now["L5.codes"].violations),
        (1, 1, 0)
    );
    // 110 of 500 rows have an outcome: 78 % are empty, and none was before.
    assert_eq!(findings(&study, "L5.nulls")[0].message, "78.0 % of the cells are empty, before 0.0 %");
    study.deliver_delta(&[("ae.csv", &ae(500..502, "RECOVRED"))]).expect("taken in");
    assert_eq!(findings(&study, "L5.codes")[0].value.as_deref(), Some("RECOVRED"));
}

#[test]
fn checks_whose_entities_did_not_change_are_taken_over() {
    let mut study = Study::new();
    let both = "STUDYID,USUBJID,AESEQ,AETERM,AESER,AESHOSP\nS1,S1-1,1,PAIN,N,Y\n";
    study.deliver("sdtm", &[("dm.csv", DM), ("ae.csv", both)]).expect("taken in");
    let (before, of_before) = (found(&study), findings(&study, "R-10"));
    let cm = "STUDYID,USUBJID,CMSEQ,CMTRT\nS1,S1-1,1,ASPIRIN\n";
    study.deliver("sdtm", &[("cm.csv", cm)]).expect("taken in");
    let after = found(&study);
    assert_eq!(before["R-10"], after["R-10"]);
    assert_eq!((after["R-10"].violations, &findings(&study, "R-10")), (1, &of_before));
    assert_eq!(of_before[0].message, "hospitalisation, but not serious");
    assert_eq!((before["L1.key.con_med"].denominator, after["L1.key.con_med"].denominator), (0, 1));
}

#[test]
fn rows_that_were_set_aside_are_findings_until_their_file_comes_again() {
    let mut study = Study::new();
    let broken = ae(0..200, "RECOVERED")
        .replace("S1-1,150,PAIN 150,RECOVERED,2020-03-15", "S1-1,150,PAIN 150,RECOVERED,15MAR2020");
    study.deliver("sdtm", &[("dm.csv", DM), ("ae.csv", &broken)]).expect("taken in");
    let row = &found(&study)["L1.quarantine"];
    // 199 events, 1 subject and 1 site were taken in.
    assert_eq!((row.violations, row.denominator), (1, 1 + 199 + 1 + 1));
    let aside = findings(&study, "L1.quarantine");
    let places: Vec<_> = aside.iter().map(|finding| (finding.source_row, finding.message.as_str())).collect();
    assert_eq!(places, [(Some(151), "it is not an ISO 8601 date")]);
    study.deliver("sdtm", &[("dm.csv", &DM.replace(",M", ",F"))]).expect("taken in");
    assert_eq!(found(&study)["L1.quarantine"].violations, 1, "the file did not come again");
    study.deliver("sdtm", &[("ae.csv", &ae(0..200, "RECOVERED"))]).expect("taken in");
    assert_eq!(found(&study)["L1.quarantine"].violations, 0);
}

#[test]
fn another_engines_findings_stand_in_the_same_tables() {
    let mut study = Study::new();
    study.deliver("sdtm", &[("dm.csv", DM)]).expect("taken in");
    let foreign = |violations: usize| ForeignCheck {
        row: CheckRow {
            check_id: "CORE-000001".to_owned(),
            version: 3,
            category: "conformance".to_owned(),
            subcategory: "value".to_owned(),
            severity: "error".to_owned(),
            entity: "DM".to_owned(),
            column: "SEX".to_owned(),
            description: "SEX is of its codelist.".to_owned(),
            remedy: "Correct SEX.".to_owned(),
            denominator: 5_000,
            violations: violations as u64,
            ..CheckRow::default()
        },
        findings: vec![
            Finding { entity: "DM".to_owned(), message: "no".to_owned(), ..Finding::default() };
            violations
        ],
    };
    let mut add = |violations| -> Manifest {
        let (id, manifest) = study.current.take().expect("delivered");
        let writer = Writer::wait(&study.storage, &study.scope).expect("the only writer");
        let made = quality::add(&writer, (id, &manifest), "cdisc", [Ok(foreign(violations))]).expect("added");
        assert_eq!(made.2.replaces, Some(id));
        study.current = Some((made.0, made.2.clone()));
        made.2
    };
    add(1_200);
    let manifest = add(3);
    assert!(manifest.tables.contains_key("dim_site"));
    let found = found(&study);
    let row = &found["CORE-000001"];
    assert_eq!((row.source.as_str(), row.violations, row.findings, row.denominator), ("cdisc", 3, 3, 5_000));
    assert_eq!(findings(&study, "CORE-000001").len(), 3);
    assert_eq!(found.len(), checks().expect("the registry").len() + 1);
}

#[test]
fn the_page_of_the_checks_is_the_registry() {
    let page = include_str!("../../docs/quality.md");
    let made = quality::page::markdown().expect("the registry");
    assert!(
        page == made,
        "docs/quality.md is not what the registry says; write it with `cairn quality page`"
    );
}
