//! What facts measure, on studies small enough to be worked out by hand.

use crate::delivered::Study;

const DM: &str = "STUDYID,USUBJID,SUBJID,SITEID,ARMCD,RFSTDTC,RFENDTC,RFXSTDTC,RFXENDTC\n\
    S1,S1-1,1,001,A,2020-01-10,2020-03-01,2020-01-10,2020-03-01\nS1,S1-2,2,001,A,2020-01-10,,2020-01,\n";

fn sorted(study: &Study, table: &str, columns: &[&str]) -> Vec<String> {
    let mut rows = study.rows(table, columns);
    rows.sort();
    rows
}

// Rule R-11 by hand. Subject 1 was treated from 2020-01-10 to 2020-03-01; with a lag of 10 days the window ends on
// 2020-03-11. Subject 2 began on some day of January and goes on.
#[test]
fn whether_an_event_is_emergent_is_true_false_or_unknown_by_the_bounds_of_its_dates() {
    let cases: &[(&str, &str, &str, &str)] = &[
        ("S1-1", "2020-01-09", "", "FALSE"),
        ("S1-1", "2020-01-10", "", "TRUE"),
        ("S1-1", "2020-03-11T10:30", "", "TRUE"),
        ("S1-1", "2020-03-12", "", "FALSE"),
        ("S1-1", "2019-12", "", "FALSE"),
        ("S1-1", "2020-01", "", "UNKNOWN"),
        ("S1-1", "2020-02", "", "TRUE"),
        ("S1-1", "2020-03", "", "UNKNOWN"),
        ("S1-1", "2020", "", "UNKNOWN"),
        ("S1-1", "", "", "UNKNOWN"),
        ("S1-1", "", "2020-01-05", "FALSE"),
        ("S1-2", "2020-01-20", "", "UNKNOWN"),
        ("S1-2", "2019-12-31", "", "FALSE"),
        ("S1-2", "2020-02-01", "", "TRUE"),
        ("S1-2", "2025-02-01", "", "TRUE"),
        ("S1-9", "2020-02-01", "", "UNKNOWN"),
    ];
    let mut ae = "STUDYID,USUBJID,AESEQ,AETERM,AESTDTC,AEENDTC\n".to_owned();
    for (number, (subject, start, end, _)) in cases.iter().enumerate() {
        ae.push_str(&format!("S1,{subject},{number},PAIN,{start},{end}\n"));
    }
    let ts = "STUDYID,TSSEQ,TSPARMCD,TSVAL\nS1,1,TEAELAG,10\n";
    let mut study = Study::new();
    study.deliver("sdtm", &[("dm.csv", DM), ("ts.csv", ts), ("ae.csv", &ae)]).expect("taken in");
    let rows = study.rows("fact_ae", &["ae_seq", "emergent"]);
    for (number, case) in cases.iter().enumerate() {
        assert!(rows.contains(&format!("{number}|{}", case.3)), "{case:?} in {rows:?}");
    }
    assert_eq!(rows.len(), cases.len());
}

// By hand: 10 to 15 January are 5 days from the first dose; 15 to 18 January are 4 days, both counted.
#[test]
fn an_event_has_its_criteria_its_relation_and_its_times() {
    let ae = "STUDYID,USUBJID,AESEQ,AETERM,AESER,AESDTH,AESHOSP,AEREL,AESTDTC,AEENDTC,AELLT,AELLTCD,AEDECOD,AESOC\n\
        S1,S1-1,1,COUGH,N,N,Y,POSSIBLE,2020-01-15,2020-01-18,Dry cough,10011234,Cough,Respiratory\n\
        S1,S1-1,2,PAIN,N,N,N,NONE,2020-02,,,,,\nS1,S1-1,3,ODD,,,,MAYBE,2020,,,,,\n";
    let mut study = Study::new();
    study.deliver("sdtm", &[("dm.csv", DM), ("ae.csv", ae)]).expect("taken in");
    let columns = [
        "serious",
        "sae_hospital",
        "meets_seriousness_criterion",
        "is_related",
        "days_since_first_dose",
        "duration_days",
    ];
    assert_eq!(
        study.rows("fact_ae", &columns),
        ["false|true|true|true|5|4", "false|false|false|false|-|-", "-|-|-|-|-|-"]
    );
    assert_eq!(
        study.rows("fact_ae", &["start_time_sk", "end_time_sk"]),
        ["20200115|20200118", "20200200|-1", "20200000|-1"]
    );
    let mut terms = study.rows("dim_term", &["dictionary", "code", "level", "term", "pt", "soc"]);
    terms.retain(|row| row.starts_with("MedDRA"));
    assert_eq!(terms, ["MedDRA|10011234|LLT|Dry cough|Cough|Respiratory"]);
    let keys = study.rows("fact_ae", &["term_sk"]);
    assert!(!keys[0].starts_with('-') && keys[1..] == ["-1", "-1"], "{keys:?}");
}

// By hand: the baseline is the last number on or before 2020-01-10, which is 20; 60 is 1.5 times the upper limit of 40.
#[test]
fn a_result_has_its_baseline_change_operator_and_limit() {
    let lb = "STUDYID,USUBJID,LBSEQ,LBTESTCD,LBSTRESC,LBSTRESN,LBSTRESU,LBSTNRLO,LBSTNRHI,LBDTC\n\
        S1,S1-1,1,ALT,10,10,U/L,5,40,2020-01-05\nS1,S1-1,2,ALT,20,20,U/L,5,40,2020-01-10\n\
        S1,S1-1,3,ALT,,,U/L,5,40,2020-01-10\nS1,S1-1,4,ALT,60,60,U/L,5,40,2020-01-20\nS1,S1-1,5,ALT,<=5,4,U/L,5,40,2020-01\n";
    let mut study = Study::new();
    study.deliver("sdtm", &[("dm.csv", DM), ("lb.csv", lb)]).expect("taken in");
    let columns = [
        "x_uln",
        "operator",
        "range_indicator",
        "is_baseline",
        "baseline_value",
        "change_from_baseline",
        "date_prec",
    ];
    assert_eq!(
        study.rows("fact_lab", &columns),
        [
            "0.25|-|NORMAL|false|20.0|-10.0|D",
            "0.5|-|NORMAL|true|20.0|0.0|D",
            "-|-|-|false|20.0|-|D",
            "1.5|-|HIGH|false|20.0|40.0|D",
            "0.1|<=|LOW|false|20.0|-16.0|M",
        ]
    );
}

#[test]
fn a_finding_has_a_baseline_for_each_position_and_its_last_digit() {
    let vs = "STUDYID,USUBJID,VSSEQ,VSTESTCD,VSPOS,VSORRES,VSSTRESC,VSSTRESN,VSSTRESU,VSBLFL,VSDTC\n\
        S1,S1-1,1,SYSBP,SITTING,120,120,120,mmHg,,2020-01-10\nS1,S1-1,2,SYSBP,STANDING,131,131,131,mmHg,Y,2020-01-11\n\
        S1,S1-1,3,SYSBP,STANDING,128,128,128,mmHg,,2020-01-09\nS1,S1-1,4,SYSBP,SITTING,98.6,98.6,98.6,mmHg,,2020-02-01\n\
        S1,S1-1,5,SYSBP,SITTING,HIGH,HIGH,,mmHg,,2020-02-01\n";
    let mut study = Study::new();
    study.deliver("sdtm", &[("dm.csv", DM), ("vs.csv", vs)]).expect("taken in");
    assert_eq!(
        study.rows(
            "fact_observation",
            &["last_digit", "is_baseline", "baseline_value", "change_from_baseline"]
        ),
        [
            "0|true|120.0|0.0",
            "1|true|131.0|0.0",
            "8|false|131.0|-3.0",
            "6|false|120.0|-21.400000000000006",
            "-|false|120.0|-"
        ]
    );
}

const SUBJ: &str = "studyid,invid,country,subjid,subject_nsv,enrollyn,firstdosedate,timeonstudy\n\
    S1,001,USA,1,1-X,Y,2020-01-01,90\n";

// By hand: 10 January plus 11 days is 21 January; 3 March to 10 March are 7 days and to 20 March 17.
#[test]
fn pages_and_queries_have_their_delays_and_their_visit() {
    let mut study = Study::new();
    let visits = "studyid,subjid,foldername,visit_dt,visit_num\nS1,1,Week 2,2020-01-15,2\n";
    let pages = "subjectname,visnam,pageid,form,visit_date,data_entry_lag\n1-X,Week 2,p1,VITALS,2020-01-10,11\n\
        1-X,Week 2,p2,LABS,2020-01-10,10\n1-X,Log,p3,AE,2020-01-10,\n";
    let points = "subjectname,datapointid,pageid,field,value,n_changes\n1-X,i1,p1,SYSBP,120,0\n1-X,i2,p1,DIABP,,2\n1-X,i3,p9,X,1,0\n";
    let queries = "subjectname,queryid,pageid,datapointid,querystatus,created,answered,resolved,queryage\n\
        1-X,q1,p1,i2,Closed,2020-03-03,2020-03-10,2020-03-27,25\n1-X,q2,,,Open,2020-03-03,,,31\n1-X,q3,p2,,Open,2020-03-03,,,30\n";
    let files = [
        ("subj.csv", SUBJ),
        ("visit.csv", visits),
        ("dataent.csv", pages),
        ("datachg.csv", points),
        ("query.csv", queries),
    ];
    study.deliver("edc", &files).expect("taken in");
    assert_eq!(
        sorted(
            &study,
            "fact_form",
            &["form_instance_id", "entered_time_sk", "is_entered_late", "visit_num", "n_items"]
        ),
        ["p1|20200121|true|2.0000|2", "p2|20200120|false|2.0000|0", "p3|-1|-|-|0", "p9|-1|-|-|1"]
    );
    let columns = ["query_id", "days_to_answer", "days_to_close", "age_days", "is_older_than_30_days"];
    assert_eq!(
        sorted(&study, "fact_query", &columns),
        ["q1|7|17|25|false", "q2|-|-|31|true", "q3|-|-|30|false"]
    );
    let forms: std::collections::BTreeMap<String, String> = study
        .rows("dim_form", &["form_sk", "form_oid", "item_oid"])
        .iter()
        .filter_map(|row| row.split_once('|').map(|(key, rest)| (key.to_owned(), rest.to_owned())))
        .collect();
    let form_of = |table: &str, id: &str| -> Vec<String> {
        let named = |row: &String| row.split_once('|').map(|(id, key)| format!("{id}|{}", forms[key]));
        sorted(&study, table, &[id, "form_sk"]).iter().filter_map(named).collect()
    };
    assert_eq!(
        form_of("fact_form", "form_instance_id"),
        ["p1|VITALS|-", "p2|LABS|-", "p3|AE|-", "p9|INFERRED|-"]
    );
    assert_eq!(form_of("fact_query", "query_id"), ["q1|VITALS|DIABP", "q2|NOT APPLICABLE|-", "q3|LABS|-"]);
    // The page p3 belongs to an event that is no visit, p9 to none that was delivered.
    let unscheduled = warehouse::engine::star_key("dim_visit|S1|UNSCHEDULED").to_string();
    let week_2 = warehouse::engine::star_key("dim_visit|S1|2.0000").to_string();
    assert_eq!(
        sorted(&study, "fact_form", &["form_instance_id", "visit_sk"]),
        [format!("p1|{week_2}"), format!("p2|{week_2}"), format!("p3|{unscheduled}"), "p9|-3".to_owned()]
    );
    assert_eq!(
        sorted(&study, "fact_query", &["query_id", "visit_sk"]),
        [format!("q1|{week_2}"), "q2|-2".to_owned(), format!("q3|{week_2}")]
    );
    assert_eq!(study.rows("fact_visit", &["n_forms_entered", "entry_lag_days_median"]), ["2|10.5"]);
}

// By hand: subject 1 is on study from 15 January to 10 March 2020, 17 + 29 + 10 days, and on treatment until 1 February,
// 17 + 1 days; subject 2 failed screening. The last day that the data know of is 20 March.
#[test]
fn a_subject_is_seen_at_each_month_end_and_at_the_cut_off() {
    let dm = "STUDYID,USUBJID,SUBJID,SITEID,ARMCD,RFICDTC,RFSTDTC,RFENDTC,RFXSTDTC,RFXENDTC\n\
        S1,S1-1,1,001,A,2019-12-30,2020-01-15,2020-03-10,2020-01-15,2020-02-01\n\
        S1,S1-2,2,001,Scrnfail,2020-02-10,,,,\n";
    let ds = "STUDYID,USUBJID,DSSEQ,DSDECOD,DSTERM,DSCAT,DSSTDTC\n\
        S1,S1-1,1,COMPLETED,COMPLETED,DISPOSITION EVENT,2020-03-10\n";
    let sv = "STUDYID,USUBJID,VISITNUM,VISIT,SVSTDTC\nS1,S1-1,1,Baseline,2020-01-15\nS1,S1-1,2,Follow-up,2020-03-20\n";
    let mut study = Study::new();
    study.deliver("sdtm", &[("dm.csv", dm), ("ds.csv", ds), ("sv.csv", sv)]).expect("taken in");
    let columns = [
        "day",
        "is_cut_off",
        "days_on_study",
        "days_on_treatment",
        "status",
        "is_enrolled",
        "is_screen_failure",
    ];
    assert_eq!(
        sorted(&study, "fact_subject_day", &columns),
        [
            "2019-12-31|false|0|0|SCREENING|false|false",
            "2020-01-31|false|17|17|ON_TREATMENT|true|false",
            "2020-02-29|false|0|0|SCREEN_FAILED|false|true",
            "2020-02-29|false|46|18|ON_TREATMENT|true|false",
            "2020-03-20|true|0|0|SCREEN_FAILED|false|true",
            "2020-03-20|true|56|18|COMPLETED|true|false",
        ]
    );
}

// By hand from a calendar: 3 January 2021 is a Sunday of the last ISO week of 2020, week 53.
#[test]
fn a_day_has_its_week_month_quarter_and_year() {
    let ae = "STUDYID,USUBJID,AESEQ,AETERM,AESTDTC\nS1,S1-1,1,A,2021-01-03\nS1,S1-1,2,B,2021-11\nS1,S1-1,3,C,0021-01-03\nS1,S1-1,4,D,0000\n";
    let mut study = Study::new();
    study
        .deliver(
            "sdtm",
            &[("dm.csv", "STUDYID,USUBJID,SUBJID,SITEID,ARMCD\nS1,S1-1,1,001,A\n"), ("ae.csv", ae)],
        )
        .expect("taken in");
    let columns = [
        "time_sk",
        "precision",
        "day",
        "iso_year",
        "iso_week",
        "iso_weekday",
        "month",
        "quarter",
        "year",
        "label",
    ];
    let days = study.rows("dim_time", &columns);
    for expected in [
        "20210103|D|2021-01-03|2020|53|7|1|1|2021|2021-01-03",
        "20211100|M|-|-|-|-|11|4|2021|2021-11",
        "20210000|Y|-|-|-|-|-|-|2021|2021",
        "-1|NONE|-|-|-|-|-|-|-|UNKNOWN",
    ] {
        assert!(days.contains(&expected.to_owned()), "{expected}");
    }
    // 365 days, 12 months and the year of 2021, the mistyped day alone, and three that stand for none.
    assert_eq!(days.len(), 365 + 12 + 1 + 1 + 3);
}
