//! The SDTM datasets that are written, column by column, with the width of each text.
// Source: CDISC SDTMIG 3.4 for names, labels and order.

use super::table::{Column, Kind, TableSpec};

const fn text(name: &'static str, label: &'static str, width: u16) -> Column {
    Column { name, label, kind: Kind::Char(width) }
}

const fn integer(name: &'static str, label: &'static str) -> Column {
    Column { name, label, kind: Kind::Integer }
}

const fn float(name: &'static str, label: &'static str) -> Column {
    Column { name, label, kind: Kind::Float }
}

const fn date(name: &'static str, label: &'static str) -> Column {
    text(name, label, 10)
}

const fn table(name: &'static str, label: &'static str, columns: &'static [Column]) -> TableSpec {
    TableSpec { name, label, columns }
}

const STUDYID: Column = text("STUDYID", "Study Identifier", 64);
const DOMAIN: Column = text("DOMAIN", "Domain Abbreviation", 2);
const USUBJID: Column = text("USUBJID", "Unique Subject Identifier", 96);
const VISITNUM: Column = float("VISITNUM", "Visit Number");
const VISIT: Column = text("VISIT", "Visit Name", 40);
const EPOCH: Column = text("EPOCH", "Epoch", 20);
const ARMCD: Column = text("ARMCD", "Planned Arm Code", 20);
const ARM: Column = text("ARM", "Description of Planned Arm", 40);
const ETCD: Column = text("ETCD", "Element Code", 8);
const ELEMENT: Column = text("ELEMENT", "Description of Element", 40);
const IETESTCD: Column = text("IETESTCD", "Inclusion/Exclusion Criterion Short Name", 8);
const IETEST: Column = text("IETEST", "Inclusion/Exclusion Criterion", 200);
const IECAT: Column = text("IECAT", "Inclusion/Exclusion Category", 20);

/// Records of subjects, numbered within each; `$name` is also the prefix of the columns.
macro_rules! records_of_subjects {
    ($name:ident, $label:literal, $($column:expr),* $(,)?) => {
        pub(super) static $name: TableSpec = table(
            stringify!($name),
            $label,
            &[
                STUDYID,
                DOMAIN,
                USUBJID,
                integer(concat!(stringify!($name), "SEQ"), "Sequence Number"),
                $($column),*
            ],
        );
    };
}

/// Results of tests, in units, at visits.
macro_rules! measurements {
    ($name:ident, $label:literal, of: $test:literal, range: [$($range:expr),* $(,)?],
     grade: [$($grade:expr),*], at: [$($at:expr),* $(,)?] $(,)?) => {
        records_of_subjects! { $name, $label,
            text(concat!(stringify!($name), "TESTCD"), concat!($test, " Short Name"), 8),
            text(concat!(stringify!($name), "TEST"), concat!($test, " Name"), 40),
            text(concat!(stringify!($name), "ORRES"), "Result or Finding in Original Units", 20),
            text(concat!(stringify!($name), "ORRESU"), "Original Units", 20),
            text(concat!(stringify!($name), "STRESC"), "Character Result/Finding in Std Format", 20),
            float(concat!(stringify!($name), "STRESN"), "Numeric Result/Finding in Standard Units"),
            text(concat!(stringify!($name), "STRESU"), "Standard Units", 20),
            $($range,)*
            text(concat!(stringify!($name), "STAT"), "Completion Status", 8),
            text(concat!(stringify!($name), "LOBXFL"), "Last Observation Before Exposure Flag", 1),
            $($grade,)*
            VISITNUM,
            VISIT,
            $($at),*
        }
    };
}

pub(super) static TS: TableSpec = table(
    "TS",
    "Trial Summary",
    &[
        STUDYID,
        DOMAIN,
        integer("TSSEQ", "Sequence Number"),
        text("TSPARMCD", "Trial Summary Parameter Short Name", 8),
        text("TSPARM", "Trial Summary Parameter", 40),
        text("TSVAL", "Parameter Value", 200),
    ],
);
pub(super) static TA: TableSpec = table(
    "TA",
    "Trial Arms",
    &[
        STUDYID,
        DOMAIN,
        ARMCD,
        ARM,
        integer("TAETORD", "Planned Order of Element within Arm"),
        ETCD,
        ELEMENT,
        text("TABRANCH", "Branch", 60),
        text("TATRANS", "Transition Rule", 60),
        EPOCH,
    ],
);
pub(super) static TE: TableSpec = table(
    "TE",
    "Trial Elements",
    &[
        STUDYID,
        DOMAIN,
        ETCD,
        ELEMENT,
        text("TESTRL", "Rule for Start of Element", 60),
        text("TEENRL", "Rule for End of Element", 60),
        text("TEDUR", "Planned Duration of Element", 10),
    ],
);
pub(super) static TV: TableSpec = table(
    "TV",
    "Trial Visits",
    &[
        STUDYID,
        DOMAIN,
        VISITNUM,
        VISIT,
        integer("VISITDY", "Planned Study Day of Visit"),
        ARMCD,
        text("TVSTRL", "Visit Start Rule", 80),
        text("TVENRL", "Visit End Rule", 80),
    ],
);
pub(super) static TI: TableSpec =
    table("TI", "Trial Inclusion/Exclusion Criteria", &[STUDYID, DOMAIN, IETESTCD, IETEST, IECAT]);
pub(super) static DM: TableSpec = table(
    "DM",
    "Demographics",
    &[
        STUDYID,
        DOMAIN,
        USUBJID,
        text("SUBJID", "Subject Identifier for the Study", 20),
        date("RFSTDTC", "Subject Reference Start Date/Time"),
        date("RFENDTC", "Subject Reference End Date/Time"),
        date("RFXSTDTC", "Date/Time of First Study Treatment"),
        date("RFXENDTC", "Date/Time of Last Study Treatment"),
        date("RFICDTC", "Date/Time of Informed Consent"),
        date("RFPENDTC", "Date/Time of End of Participation"),
        date("DTHDTC", "Date/Time of Death"),
        text("DTHFL", "Subject Death Flag", 1),
        text("SITEID", "Study Site Identifier", 8),
        text("INVID", "Investigator Identifier", 8),
        text("INVNAM", "Investigator Name", 40),
        integer("AGE", "Age"),
        text("AGEU", "Age Units", 5),
        text("SEX", "Sex", 1),
        text("RACE", "Race", 40),
        ARMCD,
        ARM,
        text("ACTARMCD", "Actual Arm Code", 20),
        text("ACTARM", "Description of Actual Arm", 40),
        text("ARMNRS", "Reason Arm and/or Actual Arm is Null", 20),
        text("COUNTRY", "Country", 3),
        date("DMDTC", "Date/Time of Collection"),
        integer("DMDY", "Study Day of Collection"),
    ],
);
records_of_subjects! { SE, "Subject Elements",
    ETCD,
    ELEMENT,
    date("SESTDTC", "Start Date/Time of Element"),
    date("SEENDTC", "End Date/Time of Element"),
    integer("TAETORD", "Planned Order of Element within Arm"),
    EPOCH,
}
pub(super) static SV: TableSpec = table(
    "SV",
    "Subject Visits",
    &[
        STUDYID,
        DOMAIN,
        USUBJID,
        VISITNUM,
        VISIT,
        integer("VISITDY", "Planned Study Day of Visit"),
        date("SVSTDTC", "Start Date/Time of Visit"),
        date("SVENDTC", "End Date/Time of Visit"),
        integer("SVSTDY", "Study Day of Start of Visit"),
        integer("SVENDY", "Study Day of End of Visit"),
        text("SVUPDES", "Description of Unplanned Visit", 40),
    ],
);
records_of_subjects! { DS, "Disposition",
    text("DSTERM", "Reported Term for the Disposition Event", 60),
    text("DSDECOD", "Standardized Disposition Term", 60),
    text("DSCAT", "Category for Disposition Event", 30),
    text("DSSCAT", "Subcategory for Disposition Event", 30),
    EPOCH,
    date("DSSTDTC", "Start Date/Time of Disposition Event"),
    integer("DSSTDY", "Study Day of Start of Disposition Event"),
}
records_of_subjects! { EX, "Exposure",
    text("EXTRT", "Name of Treatment", 40),
    float("EXDOSE", "Dose"),
    text("EXDOSU", "Dose Units", 10),
    text("EXDOSFRM", "Dose Form", 20),
    text("EXDOSFRQ", "Dosing Frequency per Interval", 10),
    text("EXROUTE", "Route of Administration", 10),
    EPOCH,
    date("EXSTDTC", "Start Date/Time of Treatment"),
    date("EXENDTC", "End Date/Time of Treatment"),
    integer("EXSTDY", "Study Day of Start of Treatment"),
    integer("EXENDY", "Study Day of End of Treatment"),
}
records_of_subjects! { AE, "Adverse Events",
    text("AESPID", "Sponsor-Defined Identifier", 40),
    text("AETERM", "Reported Term for the Adverse Event", 60),
    text("AEDECOD", "Dictionary-Derived Term", 60),
    text("AEBODSYS", "Body System or Organ Class", 40),
    text("AESER", "Serious Event", 1),
    text("AEREL", "Causality", 20),
    text("AEOUT", "Outcome of Adverse Event", 40),
    text("AESDTH", "Results in Death", 1),
    text("AETOXGR", "Standard Toxicity Grade", 1),
    EPOCH,
    date("AESTDTC", "Start Date/Time of Adverse Event"),
    date("AEENDTC", "End Date/Time of Adverse Event"),
    integer("AESTDY", "Study Day of Start of Adverse Event"),
    integer("AEENDY", "Study Day of End of Adverse Event"),
}
records_of_subjects! { MH, "Medical History",
    text("MHTERM", "Reported Term for the Medical History", 60),
    text("MHDECOD", "Dictionary-Derived Term", 60),
    text("MHBODSYS", "Body System or Organ Class", 40),
    date("MHDTC", "Date/Time of History Collection"),
    date("MHSTDTC", "Start Date/Time of Medical History Event"),
    integer("MHSTDY", "Study Day of Start of Observation"),
}
records_of_subjects! { CM, "Concomitant Medications",
    text("CMTRT", "Reported Name of Drug, Med, or Therapy", 60),
    text("CMDECOD", "Standardized Medication Name", 60),
    text("CMINDC", "Indication", 60),
    float("CMDOSE", "Dose per Administration"),
    text("CMDOSU", "Dose Units", 10),
    text("CMSTRF", "Start Relative to Reference Period", 20),
    text("CMENRF", "End Relative to Reference Period", 20),
}
measurements! { LB, "Laboratory Test Results",
    of: "Lab Test or Examination",
    range: [
        float("LBSTNRLO", "Reference Range Lower Limit-Std Units"),
        float("LBSTNRHI", "Reference Range Upper Limit-Std Units"),
        text("LBNRIND", "Reference Range Indicator", 10),
    ],
    grade: [text("LBTOXGR", "Standard Toxicity Grade", 1)],
    at: [
        date("LBDTC", "Date/Time of Specimen Collection"),
        integer("LBDY", "Study Day of Specimen Collection"),
    ],
}
measurements! { VS, "Vital Signs",
    of: "Vital Signs Test",
    range: [],
    grade: [],
    at: [date("VSDTC", "Date/Time of Measurements"), integer("VSDY", "Study Day of Vital Signs")],
}
records_of_subjects! { QS, "Questionnaires",
    text("QSTESTCD", "Question Short Name", 8),
    text("QSTEST", "Question Name", 40),
    text("QSCAT", "Category of Question", 40),
    text("QSORRES", "Finding in Original Units", 20),
    text("QSSTRESC", "Character Result/Finding in Std Format", 20),
    float("QSSTRESN", "Numeric Finding in Standard Units"),
    text("QSSTAT", "Completion Status", 8),
    VISITNUM,
    VISIT,
    date("QSDTC", "Date/Time of Finding"),
    integer("QSDY", "Study Day of Finding"),
}
records_of_subjects! { DV, "Protocol Deviations",
    text("DVSPID", "Sponsor-Defined Identifier", 40),
    text("DVTERM", "Protocol Deviation Term", 100),
    text("DVDECOD", "Protocol Deviation Coded Term", 40),
    text("DVCAT", "Category for Protocol Deviation", 20),
    EPOCH,
    date("DVSTDTC", "Start Date/Time of Deviation"),
    integer("DVSTDY", "Study Day of Start of Observation"),
}
records_of_subjects! { IE, "Inclusion/Exclusion Criteria Not Met",
    IETESTCD,
    IETEST,
    IECAT,
    text("IEORRES", "I/E Criterion Original Result", 1),
    text("IESTRESC", "I/E Criterion Result in Std Format", 1),
    VISITNUM,
    VISIT,
    date("IEDTC", "Date/Time of Collection"),
    integer("IEDY", "Study Day of Collection"),
}

const SUPPLEMENTAL: [Column; 10] = [
    STUDYID,
    text("RDOMAIN", "Related Domain Abbreviation", 2),
    USUBJID,
    text("IDVAR", "Identifying Variable", 8),
    text("IDVARVAL", "Identifying Variable Value", 20),
    text("QNAM", "Qualifier Variable Name", 8),
    text("QLABEL", "Qualifier Variable Label", 40),
    text("QVAL", "Data Value", 40),
    text("QORIG", "Origin", 10),
    text("QEVAL", "Evaluator", 20),
];
pub(super) static SUPPAE: TableSpec = table("SUPPAE", "Supplemental Qualifiers for AE", &SUPPLEMENTAL);
pub(super) static SUPPDM: TableSpec = table("SUPPDM", "Supplemental Qualifiers for DM", &SUPPLEMENTAL);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_labels_fit_a_transport_file() {
        let all = [
            &TS, &TA, &TE, &TV, &TI, &DM, &SE, &SV, &DS, &EX, &AE, &MH, &CM, &LB, &VS, &QS, &DV, &IE,
            &SUPPAE, &SUPPDM,
        ];
        for spec in all {
            assert!(spec.name.len() <= 8 && spec.label.len() <= 40, "{}", spec.name);
            for column in spec.columns {
                assert!(column.name.len() <= 8 && column.label.len() <= 40, "{}.{}", spec.name, column.name);
            }
        }
    }
}
