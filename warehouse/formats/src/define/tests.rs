//! Definitions of real submissions, whose counts were taken with Python's `xml.etree`, and one by hand.

use std::path::{Path, PathBuf};

use super::*;
use crate::{Dataset, datasets};

/// A file of the folder of real studies; none if the folder is not there.
#[expect(
    clippy::disallowed_methods,
    reason = "the studies are no part of the repository, only their place is told"
)]
fn study(path: &str) -> Option<PathBuf> {
    if let Some(folder) = std::env::var_os("CAIRN_ORACLES") {
        return Some(Path::new(&folder).join("studies").join(path));
    }
    assert!(std::env::var_os("CI").is_none(), "set CAIRN_ORACLES: the real definitions are to be read");
    println!("not run: real definitions absent");
    None
}

/// What is counted in a definition.
#[derive(Debug, PartialEq, Eq)]
struct Counts {
    datasets: usize,
    variables: usize,
    value_levels: usize,
    codelists: usize,
    terms: usize,
    decoded: usize,
    nci_terms: usize,
    methods: usize,
    comments: usize,
    lengths: u32,
    with_digits: usize,
    mandatory: usize,
    with_codelist: usize,
    derived: usize,
    noted: usize,
}

impl Counts {
    fn of(define: &Define) -> Self {
        let variables: Vec<&Variable> =
            define.datasets.iter().flat_map(|dataset| &dataset.variables).collect();
        let terms: Vec<&Term> = define.codelists.iter().flat_map(|list| &list.terms).collect();
        let variables_with =
            |has: fn(&Variable) -> bool| variables.iter().filter(|variable| has(variable)).count();
        Self {
            datasets: define.datasets.len(),
            variables: variables.len(),
            value_levels: define.value_levels.len(),
            codelists: define.codelists.len(),
            terms: terms.len(),
            decoded: terms.iter().filter(|term| term.decode.is_some()).count(),
            nci_terms: terms.iter().filter(|term| term.nci_code.is_some()).count(),
            methods: define.methods.len(),
            comments: define.comments.len(),
            lengths: variables.iter().filter_map(|variable| variable.length).sum(),
            with_digits: variables_with(|variable| variable.significant_digits.is_some()),
            mandatory: variables_with(|variable| variable.is_mandatory),
            with_codelist: variables_with(|variable| variable.codelist.is_some()),
            derived: variables_with(|variable| variable.method.is_some()),
            noted: variables_with(|variable| variable.comment.is_some()),
        }
    }
}

#[test]
fn the_definition_of_the_pilot_study_is_read_as_version_1_0() {
    let Some(path) = study("cdiscpilot01/sdtm/define.xml") else { return };
    let define = Define::read(&path).expect("the definition is whole");
    let counts = Counts {
        datasets: 22,
        variables: 313,
        value_levels: 226,
        codelists: 68,
        terms: 388,
        decoded: 388,
        nci_terms: 0,
        methods: 2,
        comments: 0,
        lengths: 13_324,
        with_digits: 9,
        mandatory: 131,
        with_codelist: 102,
        derived: 14,
        noted: 101,
    };
    assert_eq!(Counts::of(&define), counts);
    assert_eq!((define.version.as_str(), define.study.protocol.as_str()), ("1.0.0", "CDISCPILOT01"));
    assert_eq!(
        (define.standards[0].name.as_str(), define.standards[0].version.as_str()),
        ("CDISC SDTM", "3.1.2")
    );
    assert_eq!(define.dictionary_version("MedDRA"), Some("8.0"));
    assert_eq!(define.dictionary_version("WHODrug"), Some("200604"));
    let arms = define.dataset("ta").expect("TA is defined");
    assert_eq!((arms.label.as_str(), arms.keys.join(" ").as_str()), ("Trial Arms", "STUDYID ARMCD TAETORD"));
    assert_eq!(arms.structure.as_deref(), Some("One record per planned Element per Arm"));
    let albumin =
        define.value_levels.iter().find(|level| level.variable.oid == "LB.LBCAT.CHEMISTRY.LBTESTCD.ALB");
    let albumin = albumin.expect("albumin has a definition of its own");
    let condition = |variable: &str, value: &str| Condition {
        variable: variable.to_owned(),
        comparator: "EQ".to_owned(),
        values: vec![value.to_owned()],
    };
    assert_eq!(albumin.clauses, [[condition("LBCAT", "CHEMISTRY"), condition("LBTESTCD", "ALB")]]);
}

#[test]
fn an_analysis_definition_with_results_is_read_too() {
    let Some(path) = study("cdiscpilot01/adam/define.xml") else { return };
    let define = Define::read(&path).expect("the definition is whole");
    let counts = Counts {
        datasets: 10,
        variables: 415,
        value_levels: 903,
        codelists: 58,
        terms: 536,
        decoded: 536,
        nci_terms: 0,
        // Its 42 methods belong to analysis results, which are not read.
        methods: 0,
        comments: 0,
        lengths: 4_400,
        with_digits: 49,
        mandatory: 0,
        with_codelist: 232,
        derived: 0,
        noted: 369,
    };
    assert_eq!(Counts::of(&define), counts);
    assert_eq!(define.dictionary_version("MedDRA"), Some("8.0"));
}

#[test]
fn a_definition_of_version_2_1_is_read() {
    let Some(path) = study("sdtm_msg_datasetjson/define.xml") else { return };
    let define = Define::read(&path).expect("the definition is whole");
    let counts = Counts {
        datasets: 31,
        variables: 439,
        value_levels: 205,
        codelists: 189,
        terms: 790,
        decoded: 486,
        nci_terms: 498,
        methods: 29,
        comments: 25,
        lengths: 16_311,
        with_digits: 17,
        mandatory: 195,
        with_codelist: 175,
        derived: 90,
        noted: 24,
    };
    assert_eq!(Counts::of(&define), counts);
    assert_eq!(define.dictionary_version("MedDRA"), Some("22.0"));
    let standards: Vec<_> =
        define.standards.iter().map(|standard| (standard.kind.as_str(), standard.version.as_str())).collect();
    assert_eq!(standards[..2], [("IG", "3.3"), ("IG", "1.1")]);
    let absent: Vec<_> = define
        .datasets
        .iter()
        .filter(|dataset| dataset.has_no_data)
        .map(|dataset| dataset.name.as_str())
        .collect();
    assert_eq!(absent, ["NV", "SUPPNV", "SUPPOE"]);
    assert_eq!(define.datasets.iter().map(|dataset| dataset.keys.len()).sum::<usize>(), 136);
    let values = define.value_levels.iter().flat_map(|level| level.clauses.iter().flatten());
    assert_eq!(define.value_levels.iter().map(|level| level.clauses.len()).sum::<usize>(), 205);
    assert!(
        values.clone().all(|condition| condition.variable.starts_with("IT.") && !condition.values.is_empty())
    );
    assert!(define.value_levels.iter().all(|level| level.of.starts_with("IT.")));
    let lists = define.codelists.iter().filter(|list| list.nci_code.is_some());
    assert_eq!(lists.count(), 126);
    let extended = define.codelists.iter().flat_map(|list| &list.terms).filter(|term| term.is_extended);
    assert_eq!(extended.count(), 4);
    let origins =
        define.datasets.iter().flat_map(|dataset| &dataset.variables).flat_map(|variable| &variable.origins);
    assert_eq!(origins.count(), 426);
}

const BY_HAND: &str = include_str!("tests/by_hand_2_0.xml");

fn read(text: &str) -> crate::Result<Define> {
    let file = tempfile::NamedTempFile::new().expect("a temporary file can be made");
    std::fs::write(file.path(), text).expect("it can be written");
    Define::read(file.path())
}

#[test]
fn a_definition_of_version_2_0_is_read() {
    let define = read(BY_HAND).expect("the definition is whole");
    let vitals = define.dataset("VS").expect("VS is defined");
    assert_eq!((vitals.label.as_str(), vitals.class.as_deref()), ("Vital Signs", Some("FINDINGS")));
    assert_eq!(
        (vitals.comment.as_deref(), vitals.location.as_deref()),
        (Some("as collected"), Some("vs.xpt"))
    );
    assert_eq!(vitals.keys, ["STUDYID", "VSTESTCD"]);
    let names: Vec<_> = vitals.variables.iter().map(|variable| variable.name.as_str()).collect();
    assert_eq!(names, ["STUDYID", "VSTESTCD", "VSORRES", "VSSTRESN"], "by their order, not as they stand");
    let result = &vitals.variables[2];
    assert_eq!((result.method.as_deref(), result.origins[0].pages.as_deref()), (Some("MT.1"), Some("4 5")));
    let level = &define.value_levels[0];
    assert_eq!((level.list.as_str(), level.of.as_str()), ("VL.R", "IT.VS.VSORRES"));
    assert_eq!(level.clauses[0][0].values, ["TEMP", "TMP2"]);
    assert_eq!((level.variable.data_type.as_str(), level.variable.significant_digits), ("float", Some(1)));
    let tests = define.codelist("CL.T").expect("the list is defined");
    assert_eq!(
        (tests.nci_code.as_deref(), tests.terms[0].nci_code.as_deref()),
        (Some("C66741"), Some("C25206"))
    );
    assert!(tests.terms[1].is_extended);
    assert_eq!(define.dictionary_version("MedDRA"), Some("24.1"));
    assert_eq!((define.methods[0].text.as_str(), define.standards[0].version.as_str()), ("a plus b", "3.2"));
    assert!(define.created_at.is_some());
}

#[test]
fn what_is_no_definition_is_refused() {
    let refused = |text: &str| read(text).expect_err("it is refused").to_string();
    assert!(
        refused("<html/>").contains("`html` is not expected here")
            || refused("<html/>").contains("DefineVersion")
    );
    assert!(refused(&BY_HAND.replace("DefineVersion=\"2.0.0\"", "DefineVersion=\"3.0\"")).contains("`3.0`"));
    assert!(refused(&BY_HAND[..BY_HAND.len() - 20]).contains("line "));
    assert!(refused(&BY_HAND.replace("<Study OID", "<!DOCTYPE x><Study OID")).contains("document type"));
}

/// A dataset by its columns: name, whether it is a number, length.
fn delivered(name: &str, columns: &[(&str, bool, u32)]) -> Dataset {
    use crate::{Column, ColumnKind, Format};
    let column = |(name, is_number, length): &(&str, bool, u32)| {
        let (kind, type_name) =
            if *is_number { (ColumnKind::Number, "numeric") } else { (ColumnKind::Text, "character") };
        Column { length: Some(*length), ..Column::new(*name, kind, type_name) }
    };
    Dataset {
        file: format!("{name}.xpt"),
        name: name.to_owned(),
        label: String::new(),
        format: Format::XptV5 { at: 0 },
        encoding: "utf-8",
        created_at: None,
        columns: columns.iter().map(column).collect(),
        rows: Some(0),
    }
}

#[test]
fn differences_are_told_one_by_one() {
    let define = read(BY_HAND).expect("the definition is whole");
    let same = [("STUDYID", false, 8), ("VSTESTCD", false, 8), ("VSORRES", false, 20), ("VSSTRESN", true, 8)];
    assert_eq!(define.compare(&[delivered("VS", &same)]), []);
    let other = [("VSTESTCD", false, 8), ("STUDYID", false, 12), ("VSORRES", true, 8), ("VSNEW", false, 1)];
    let told: Vec<String> = define
        .compare(&[delivered("VS", &other), delivered("XX", &[])])
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        told,
        [
            "`VS.STUDYID` has length 12, it is defined with 8",
            "`VS.VSORRES` is numeric, it is defined as text",
            "`VS.VSSTRESN` is defined and not in the dataset",
            "`VS.VSNEW` is in the dataset and not defined",
            "`VS.VSTESTCD` stands where `STUDYID` is defined to stand",
            "dataset `XX` was delivered and is not defined",
        ]
    );
    assert_eq!(define.compare(&[]), [Difference::DatasetAbsent { dataset: "VS".to_owned() }]);
}

/// The datasets that are defined and not in the folder of a study, when nothing else differs.
#[track_caller]
fn check_delivery(folder: &str, absent: &[&str]) {
    let Some(define) = study(&format!("{folder}/define.xml")) else { return };
    let define = Define::read(&define).expect("the definition is whole");
    let files = std::fs::read_dir(study(folder).expect("the folder is there")).expect("it can be listed");
    let mut delivered = Vec::new();
    for file in files.map(|file| file.expect("it can be listed").path()) {
        if file.extension().is_some_and(|suffix| suffix == "xpt") {
            delivered.extend(datasets(&file).expect("the dataset is whole"));
        }
    }
    let absent: Vec<Difference> =
        absent.iter().map(|dataset| Difference::DatasetAbsent { dataset: (*dataset).to_owned() }).collect();
    assert_eq!(define.compare(&delivered), absent);
}

// By a comparison of the files' own headers with the definitions, written in Python for this purpose.
#[test]
fn real_deliveries_are_as_defined_but_for_what_the_folder_lacks() {
    check_delivery("sdtm_msg_datasetjson", &["FT"]);
    check_delivery("cdiscpilot01/sdtm", &["LB", "QS", "VS", "SUPPLB"]);
}
