//! What the shipped mappings make of small deliveries, worked out by hand.

use warehouse::Error;

use crate::delivered::Study;

const DM: &str = "STUDYID,USUBJID,SUBJID,SITEID,ARMCD,AGE,AGEU\n\
    S1,S1-1,1,001,A,40,YEARS\nS1,S1-2,2,001,A,18,MONTHS\nS1,S1-3,3,002,A,60,\n";

/// The rows that an entity got, of those that were read for it.
fn counts(taken_in: &warehouse::Ingested, entity: &str) -> (u64, u64) {
    let counts = taken_in.receipt.entities.get(entity).cloned().unwrap_or_default();
    (counts.rows_in, counts.new)
}

#[test]
fn a_sample_is_a_finding_that_was_done_or_not() {
    let mut study = Study::new();
    let pk = "studyid,subjid,foldername,pkdat,pktpt,pkperf\nS1,1,VISIT 1,2020-01-02,2 h,Yes\n\
        S1,1,VISIT 1,2020-01-02,4 h,No\nS1,1,VISIT 2,,2 h,\n";
    let taken_in =
        study.deliver("edc", &[("subj.csv", "studyid,subjid,invid,enrollyn\nS1,1,001,Y\n"), ("pk.csv", pk)]);
    assert_eq!(counts(&taken_in.expect("taken in"), "observation"), (2, 2));
    let mut rows =
        study.rows("fact_observation", &["domain", "timepoint", "std_result", "not_done", "visit_num"]);
    rows.sort();
    assert_eq!(rows, ["PC|2 h|Y|false|1.0000", "PC|4 h|-|true|1.0000"]);
}

#[test]
fn any_findings_domain_becomes_observations_by_its_columns() {
    let mut study = Study::new();
    let files = [
        ("dm.csv", DM),
        ("qsph.csv", "STUDYID,DOMAIN,USUBJID,QSSEQ,QSTESTCD,QSSTRESN\nS1,QS,S1-1,1,PHQ01,2\n"),
        ("fa.csv", "STUDYID,DOMAIN,USUBJID,FASEQ,FATESTCD,FAOBJ\nS1,FA,S1-1,1,OCCUR,RASH\n"),
        ("xb.csv", "STUDYID,USUBJID,XBSEQ,XBTESTCD,XBSTAT\nS1,S1-2,1,OWN,NOT DONE\n"),
        ("lbch.csv", "STUDYID,USUBJID,LBSEQ,LBTESTCD,LBSTRESC\nS1,S1-1,1,ALT,<=5\n"),
    ];
    let taken_in = study.deliver("sdtm", &files).expect("taken in");
    assert_eq!((counts(&taken_in, "observation"), counts(&taken_in, "lab_result")), ((3, 3), (1, 1)));
    let mut rows = study.rows("fact_observation", &["domain", "ob_seq", "std_value", "not_done"]);
    rows.sort();
    assert_eq!(rows, ["FA|1|-|false", "QS|1|2.0|false", "XB|1|-|true"]);
    let refused = study.deliver("sdtm", &[("xc.csv", "STUDYID,USUBJID,XCTESTCD\nS1,S1-1,A\n")]);
    assert!(matches!(refused, Err(Error::UnknownDataset { .. })), "a findings domain has a sequence number");
}

#[test]
fn what_was_collected_stands_back_for_what_is_made_from_it() {
    let ec =
        "STUDYID,USUBJID,ECSEQ,ECTRT,ECOCCUR,ECSTDTC\nS1,S1-1,1,X,Y,2020-01-01\nS1,S1-1,2,X,N,2020-01-02\n";
    let ex = "STUDYID,USUBJID,EXSEQ,EXTRT,EXSTDTC\nS1,S1-1,1,X,2020-01-01\n";
    let mut both = Study::new();
    let taken_in = both.deliver("sdtm", &[("ec.csv", ec), ("ex.csv", ex)]).expect("taken in");
    assert_eq!(counts(&taken_in, "exposure"), (1, 1));
    let mut alone = Study::new();
    let taken_in = alone.deliver("sdtm", &[("ec.csv", ec)]).expect("taken in");
    assert_eq!(counts(&taken_in, "exposure"), (1, 1), "a dose that was not given is none");
}

#[test]
fn milestones_of_disposition_are_consent_and_randomisation() {
    let mut study = Study::new();
    let ds = "STUDYID,USUBJID,DSSEQ,DSDECOD,DSCAT,DSSCAT,DSSTDTC\n\
        S1,S1-1,1,INFORMED CONSENT OBTAINED,PROTOCOL MILESTONE,,2020-01-01\n\
        S1,S1-1,2,INFORMED CONSENT OBTAINED,PROTOCOL MILESTONE,,2020-02-01\n\
        S1,S1-1,3,RANDOMIZED,PROTOCOL MILESTONE,,2020-01-05T10:30\n\
        S1,S1-1,4,COMPLETED,Disposition Event,WASHOUT,2020-06\n";
    let taken_in = study.deliver("sdtm", &[("dm.csv", DM), ("ds.csv", ds)]).expect("taken in");
    let found = ["disposition", "consent", "randomisation"].map(|entity| counts(&taken_in, entity));
    assert_eq!(found, [(4, 4), (2, 2), (1, 1)]);
    let scopes = study.rows("fact_disposition", &["category", "scope"]);
    assert_eq!(scopes[3], "DISPOSITION EVENT|EPOCH");
}

// Of sources without controlled terms, too.
#[test]
fn what_became_of_a_subject_is_in_capital_letters() {
    let mut study = Study::new();
    let ds = "STUDYID,USUBJID,DSSEQ,DSDECOD,DSTERM,DSCAT,DSSTDTC\n\
        S1,S1-1,1,,Completed,DISPOSITION EVENT,2020-06-01\n\
        S1,S1-2,2,,Lost to follow-up,DISPOSITION EVENT,2020-06-02\n\
        S1,S1-3,3,ADVERSE EVENT,Rash on both arms,DISPOSITION EVENT,2020-06-03\n";
    study.deliver("sdtm", &[("dm.csv", DM), ("ds.csv", ds)]).expect("taken in");
    let mut found = study.rows("fact_disposition", &["decoded", "term"]);
    found.sort();
    assert_eq!(
        found,
        ["ADVERSE EVENT|Rash on both arms", "COMPLETED|Completed", "LOST TO FOLLOW-UP|Lost to follow-up"]
    );
}

#[test]
fn an_age_is_in_years_whatever_its_unit() {
    let mut study = Study::new();
    study.deliver("sdtm", &[("dm.csv", DM)]).expect("taken in");
    let ages = study.members("dim_subject", &["subject_id", "age"]);
    assert_eq!(ages, ["S1-1|40.0", "S1-2|1.5", "S1-3|60.0"]);
}

#[test]
fn a_value_that_the_contract_does_not_list_is_set_aside_with_the_list() {
    let mut study = Study::new();
    let mut rows = "STUDYID,USUBJID,DSSEQ,DSDECOD,DSCAT\n".to_owned();
    for seq in 1..=200 {
        let category = if seq == 120 { "SECRET WORD" } else { "OTHER EVENT" };
        rows.push_str(&format!("S1,S1-1,{seq},VISIT,{category}\n"));
    }
    let taken_in = study.deliver("sdtm", &[("dm.csv", DM), ("ds.csv", &rows)]).expect("taken in");
    let note = &taken_in.receipt.quarantine[0];
    assert_eq!(
        (note.column.as_str(), note.source_column.as_str(), note.first_row),
        ("category", "DSCAT", 120)
    );
    assert_eq!(note.reason, "it is not one of `PROTOCOL MILESTONE`, `DISPOSITION EVENT`, `OTHER EVENT`");
    let receipt = serde_json::to_string(&taken_in.receipt).expect("JSON");
    assert!(!receipt.contains("SECRET WORD"), "a receipt holds no trial data");
}

#[test]
fn a_number_outside_its_range_is_set_aside_with_the_range() {
    let mut study = Study::new();
    let old = DM.replace("S1-1,1,001,A,40", "S1-1,1,001,A,140");
    let refused = study.deliver("sdtm", &[("dm.csv", &old)]).expect_err("one row of three is more than 1 %");
    assert!(refused.to_string().contains("it is not from 0 to 120"), "{refused}");
}

#[test]
fn a_dataset_that_the_model_has_no_place_for_is_kept_and_makes_no_rows() {
    let mut study = Study::new();
    let taken_in = study.deliver("sdtm", &[("dm.csv", DM), ("su.csv", "A,B\n1,2\n")]).expect("taken in");
    let kept = taken_in.receipt.files.iter().find(|file| file.dataset == "SU").map(|file| file.rows);
    assert_eq!(kept, Some(1));
}

const PERSON: &str = "person_id,gender_concept_id,year_of_birth,month_of_birth,day_of_birth,race_concept_id,\
    race_source_value,person_source_value\n1,8507,1998,4,9,8527,white,a\n2,8532,1950,,,0,other,b\n";
const CONCEPT: &str = "concept_id,concept_name,concept_code,vocabulary_id,concept_class_id\n\
    10,Glucose,2345-7,LOINC,Lab Test\n11,Body weight,29463-7,LOINC,Clinical Observation\n20,milligram per deciliter,mg/dL,UCUM,Unit\n";
const MEASUREMENT: &str = "measurement_id,person_id,measurement_concept_id,measurement_date,measurement_datetime,\
    value_as_number,unit_concept_id,unit_source_value,measurement_source_value,visit_occurrence_id\n\
    1,1,10,2020-01-02,2020-01-02 08:15:00,95,20,mg/dl,glu,501\n\
    2,1,11,2020-01-02,2020-01-02 00:00:00,70,0,kg,wgt,501\n\
    3,2,0,2020-01-03,,1,,,local,\n";

#[test]
fn omop_measurements_split_by_class_and_unmapped_concepts_are_counted() {
    let mut study = Study::new();
    let visits = "visit_occurrence_id,person_id,visit_concept_id,visit_start_date\n500,1,0,2019-12-01\n501,1,0,2020-01-02\n";
    let files = [
        ("person.csv", PERSON),
        ("concept.csv", CONCEPT),
        ("measurement.csv", MEASUREMENT),
        ("visit_occurrence.csv", visits),
        ("death.csv", "person_id,death_date\n2,2021-05-06\n"),
        ("note.csv", "note_id\n1\n"),
    ];
    let taken_in = study.deliver("omop", &files).expect("taken in");
    assert_eq!((counts(&taken_in, "lab_result"), counts(&taken_in, "observation")), ((1, 1), (2, 2)));
    let lab = study.rows("fact_lab", &["lb_seq", "std_unit", "visit_num", "collected_date"]);
    assert_eq!(lab, ["1|mg/dL|2.0000|2020-01-02"]);
    let counted: Vec<String> = taken_in
        .receipt
        .counted
        .iter()
        .filter(|note| note.file == "measurement.csv")
        .map(|note| {
            format!(
                "{} {}.{} {} {}/{}",
                note.count, note.entity, note.column, note.source_column, note.rows, note.of
            )
        })
        .collect();
    // The weight's unit is 0; the third row's concept is 0, its unit is absent and therefore not unmapped.
    assert_eq!(
        counted,
        [
            "unmapped concept observation.std_unit unit_concept_id 1/1",
            "unmapped concept observation.test_code measurement_concept_id 1/2",
        ]
    );
    let subjects = study.members("dim_subject", &["subject_id", "sex", "race", "has_died"]);
    assert_eq!(subjects, ["1|M|WHITE|false", "2|F|other|true"]);
}

#[test]
fn a_ctms_gives_sites_with_targets_monitoring_visits_and_deviations() {
    let mut study = Study::new();
    let files = [
        (
            "site.csv",
            "protocol,pi_number,account,site_status,country\nS1,0X1,Clinic,Active,Japan\nS1,0X2,Ward,Paused,US\n",
        ),
        ("site_target.csv", "pi_number,target_enrolment\n0X1,12\n"),
        (
            "monitoring_visits.csv",
            "protocol,pi_number,visit_type,visit_start_dt,findings_open\n\
             S1,0X1,Interim Monitoring Visit,2020-01-02,3\nS1,0X1,COV,2020-06-02,0\n",
        ),
        ("protdev.csv", "subjid,dv_dt,dvdecod,importnt,invid\n,2020-02,OTHER,Y,0X1\n,,DOSING,N,0X1\n"),
    ];
    let taken_in = study.deliver("edc", &files).expect("taken in");
    let found = ["site", "monitoring_visit", "deviation"].map(|entity| counts(&taken_in, entity));
    assert_eq!(found, [(2, 2), (2, 2), (2, 2)]);
    let mut sites = study.rows("dim_site", &["site_id", "site_name", "status", "target_enrolment"]);
    sites.sort();
    assert_eq!(sites[..2], ["0X1|Clinic|ACTIVE|12", "0X2|Ward|UNKNOWN|-"]);
}
