//! The indicators of the catalogue over a study of four subjects, counted by hand; and what a tenant changes of them.

use marts::{Change, Definitions, Override, Reach};
use serde_json::Value;

use crate::study::Study;

// Two sites in two countries. S1-1 and S1-2 are at site 001, S1-3 and S1-4 at site 002.
const DM: &str = "STUDYID,USUBJID,SUBJID,SITEID,COUNTRY,ARMCD,RFICDTC,RFSTDTC,RFENDTC\n\
    S1,S1-1,1,001,DEU,A,2020-01-01,2020-01-10,2020-04-30\n\
    S1,S1-2,2,001,DEU,A,2020-01-03,2020-01-10,2020-04-30\n\
    S1,S1-3,3,002,USA,A,2020-01-01,2020-01-10,2020-04-30\n\
    S1,S1-4,4,002,USA,A,2020-01-01,2020-01-10,2020-04-30\n";
// S1-2 consented on the 3rd and came first on the 2nd: one consent defect.
const SV: &str = "STUDYID,USUBJID,VISITNUM,VISIT,SVSTDTC\n\
    S1,S1-1,1,V1,2020-01-02\nS1,S1-1,2,V2,2020-02-02\n\
    S1,S1-2,1,V1,2020-01-02\nS1,S1-2,2,V2,2020-02-02\n\
    S1,S1-3,1,V1,2020-01-02\nS1,S1-3,2,V2,2020-02-02\n\
    S1,S1-4,1,V1,2020-01-02\n";
// Three events by the second visit, one of them serious; the fourth comes after the last visit.
const AE: &str = "STUDYID,USUBJID,AESEQ,AETERM,AESER,AESTDTC,AEACN\n\
    S1,S1-1,1,COUGH,N,2020-01-02,DOSE NOT CHANGED\nS1,S1-1,2,RASH,Y,2020-01-20,DRUG INTERRUPTED\n\
    S1,S1-3,1,COUGH,N,2020-02-02,DOSE NOT CHANGED\nS1,S1-4,1,COUGH,N,2020-03-01,DOSE NOT CHANGED\n";
const DS: &str = "STUDYID,USUBJID,DSSEQ,DSCAT,DSTERM,DSDECOD,DSSTDTC\n\
    S1,S1-1,1,DISPOSITION EVENT,WITHDRAWAL BY SUBJECT,WITHDRAWAL BY SUBJECT,2020-03-01\n\
    S1,S1-2,1,DISPOSITION EVENT,DEATH,DEATH,2020-02-15\n\
    S1,S1-3,1,DISPOSITION EVENT,ADVERSE EVENT,ADVERSE EVENT,2020-03-01\n\
    S1,S1-4,1,DISPOSITION EVENT,COMPLETED,COMPLETED,2020-04-30\n";
const IE: &str = "STUDYID,USUBJID,IESEQ,IETESTCD,IETEST,IECAT,IEORRES,IESTRESC\n\
    S1,S1-4,1,INCL01,Age,INCLUSION,N,N\n";

fn study() -> Study {
    let mut study = Study::new();
    study.deliver("sdtm", &[("dm.csv", DM), ("sv.csv", SV), ("ae.csv", AE), ("ds.csv", DS), ("ie.csv", IE)]);
    study.build();
    study
}

fn sum(rows: &[Value], indicator: &str) -> Option<(f64, f64)> {
    let of = rows.iter().filter(|row| row["indicator_id"] == indicator);
    let number = |row: &Value, name: &str| row[name].as_f64().expect("a number");
    of.map(|row| (number(row, "numerator"), number(row, "denominator")))
        .reduce(|sum, one| (sum.0 + one.0, sum.1 + one.1))
}

#[test]
fn each_indicator_counts_what_its_definition_says() {
    let study = study();
    let rows = study.rows("mart_indicator_input");
    for (indicator, numerator, denominator) in [
        ("kri0001", 4.0, 4.0 * 112.0),
        ("kri0002", 1.0, 4.0 * 112.0),
        ("kri0014", 1.0, 4.0),
        // 2020-02-15 is 36 days after the reference start.
        ("kri0015", 1.0, 4.0),
        ("s03", 1.0, 4.0),
        ("s09", 1.0, 4.0),
        ("p11", 1.0, 4.0),
        ("e05", 1.0, 4.0),
        ("e06", 1.0, 4.0),
        ("e07", 0.0, 4.0),
        ("e09", 1.0, 4.0),
    ] {
        assert_eq!(sum(&rows, indicator), Some((numerator, denominator)), "{indicator}");
    }
    // No source tells of queries, pages, deviations or when events were entered: nothing is not zero.
    for indicator in
        ["kri0003", "kri0008", "kri0010", "kri0013", "s05", "s10", "d03", "d08", "p08", "p12", "e02"]
    {
        assert_eq!(sum(&rows, indicator), None, "{indicator}");
    }
    let definitions = study.rows("mart_definition");
    let answered = |id: &str| {
        definitions.iter().find(|row| row["definition_id"] == id).expect("it is defined")["is_answered"]
            .clone()
    };
    assert_eq!(
        (answered("kri0001"), answered("kri0008"), answered("s04_ae")),
        (true.into(), false.into(), true.into())
    );
    assert_eq!((answered("s04_pd"), answered("qtl_unblinding")), (false.into(), false.into()));
}

#[test]
fn every_level_has_the_indicators_and_the_study_is_compared_with_nothing() {
    let rows = study().rows("mart_indicator");
    let of = |level: &str, group: &str, method: &str, indicator: &str| -> Option<Value> {
        let wanted = [("level", level), ("group_id", group), ("method", method), ("indicator_id", indicator)];
        rows.iter().find(|row| wanted.iter().all(|(name, value)| row[*name] == *value)).cloned()
    };
    let whole = of("study", "S1", "metric", "kri0001").expect("the study has its number");
    assert_eq!((&whole["numerator"], &whole["score"]), (&4.0.into(), &Value::Null));
    for (level, group, events) in [("site", "001", 2.0), ("site", "002", 2.0), ("country", "USA", 2.0)] {
        for method in ["normal_approximation", "leave_one_out", "exact"] {
            let row = of(level, group, method, "kri0001").expect("the group is judged");
            assert_eq!(row["numerator"], events, "{level} {group} {method}");
        }
    }
    // One death of two enrolled subjects: the number itself is at the threshold of 1, and is judged from one subject on.
    let deaths = of("site", "001", "identity", "kri0015").expect("judged by itself");
    assert_eq!((&deaths["score"], &deaths["flag"]), (&1.0.into(), &1.into()));
    // One broken criterion of two subjects, and three are needed.
    assert_eq!(of("site", "002", "identity", "kri0014").expect("judged by itself")["score"], Value::Null);
    assert!(of("study", "S1", "exact", "kri0001").is_none());
    // No source names a CRO or a monitor.
    assert!(rows.iter().all(|row| row["level"] != "cro" && row["level"] != "monitor"));
}

// Two sites of one monitor, one of another and one of which nobody says who monitors it; an event in each.
#[test]
fn cros_and_monitors_are_compared_where_a_source_names_them() {
    let sites = "protocol,pi_number,country,site_status,cro,cra\n\
        S1,001,DEU,Active,Oakfield,ana.alder\nS1,002,DEU,Active,Oakfield,ana.alder\n\
        S1,003,USA,Active,Elmwood,bo.birch\nS1,004,USA,Active,,\n";
    let subjects = "studyid,subjid,invid,country,enrollyn,timeonstudy,firstparticipantdate\n\
        S1,1,001,DEU,Y,10,2020-01-01\nS1,2,002,DEU,Y,20,2020-01-01\n\
        S1,3,003,USA,Y,40,2020-01-01\nS1,4,004,USA,Y,80,2020-01-01\n";
    let visits = "studyid,subjid,foldername,visit_num,visit_dt\n\
        S1,1,V1,1,2020-01-05\nS1,2,V1,1,2020-01-05\nS1,3,V1,1,2020-01-05\nS1,4,V1,1,2020-01-05\n";
    let events = "studyid,subjid,recordid,aeterm,aeser,aest_dt\n\
        S1,1,a,COUGH,N,2020-01-02\nS1,2,b,COUGH,N,2020-01-02\n\
        S1,3,c,COUGH,N,2020-01-02\nS1,4,d,COUGH,N,2020-01-02\n";
    let files = [("site.csv", sites), ("subj.csv", subjects), ("visit.csv", visits), ("ae.csv", events)];
    let mut study = Study::new();
    study.deliver("edc", &files);
    study.build();
    let rows = study.rows("mart_indicator");
    for (indicator, method) in [
        ("kri0001", "normal_approximation"),
        ("kri0001", "leave_one_out"),
        ("kri0001", "exact"),
        ("s04_ae", "in_frame"),
    ] {
        for (level, expected) in [("cro", vec![("Elmwood", 1.0), ("Oakfield", 2.0)]), ("monitor", Vec::new())]
        {
            let wanted = [("indicator_id", indicator), ("method", method), ("level", level)];
            let of_level = rows.iter().filter(|row| wanted.iter().all(|(name, value)| row[*name] == *value));
            let mut found: Vec<(&str, f64)> = of_level
                .map(|row| {
                    let number = row["numerator"].as_f64().expect("a number");
                    (row["group_id"].as_str().expect("a name"), number)
                })
                .collect();
            if level == "cro" {
                assert_eq!(found, expected, "{indicator} by {method}");
            } else {
                // Who they are stays in canon.
                assert!(found.iter().all(|(name, _)| name.starts_with("CRA-")), "{found:?}");
                found.sort_by(|a, b| a.1.total_cmp(&b.1));
                assert_eq!(found.iter().map(|(_, events)| *events).collect::<Vec<_>>(), [1.0, 2.0]);
            }
        }
    }
    let days = rows.iter().find(|row| {
        row["indicator_id"] == "kri0001" && row["group_id"] == "Oakfield" && row["method"] == "exact"
    });
    assert_eq!(days.expect("judged")["denominator"], 30.0);
}

// By hand: by their last visits S1-1 had 2 events (of two visits), S1-2 none, S1-3 one; S1-4 none by the one it had. Whoever
// had two visits may be exchanged for S1-1, S1-2 or S1-3 (2, 0, 1 events), S1-4 for anybody at his first visit (1, 0, 0, 0).
#[test]
fn events_by_visit_are_judged_by_the_law_of_their_sum() {
    let rows = study().rows("mart_indicator");
    let of = |group: &str| {
        rows.iter()
            .find(|row| {
                row["method"] == "in_frame" && row["indicator_id"] == "s04_ae" && row["group_id"] == group
            })
            .expect("the site is judged")
    };
    let number = |row: &Value, name: &str| row[name].as_f64().expect("a number");
    let first = of("001");
    assert_eq!((number(first, "numerator"), number(first, "denominator")), (2.0, 4.0));
    // Two draws from 0, 1, 2: a sum of 2 or more in 6 of 9, of 2 or fewer in 6 of 9.
    assert!((number(first, "p_high") - 6.0 / 9.0).abs() < 1e-12);
    assert!((number(first, "p_low") - 6.0 / 9.0).abs() < 1e-12);
    assert!((number(first, "expected") - 2.0).abs() < 1e-12);
    // One draw from 0, 1, 2 and one from 1, 0, 0, 0: 1 was seen. The sum is 0 in 3 of 12, 1 in 4 of 12.
    let second = of("002");
    assert_eq!((number(second, "numerator"), number(second, "denominator")), (1.0, 3.0));
    assert!((number(second, "p_low") - 7.0 / 12.0).abs() < 1e-12);
    assert!((number(second, "p_high") - 9.0 / 12.0).abs() < 1e-12);
}

#[test]
fn a_changed_definition_makes_its_marts_due_and_is_told_with_the_numbers() {
    let mut study = study();
    let change = Change { thresholds: Some(vec![-9.0, -8.0, 8.0, 9.0]), ..Change::default() };
    let over = Override { id: "kri0001".into(), reach: Reach::Study, version: 1, change };
    let hidden = Override {
        id: "kri0002".into(),
        reach: Reach::Tenant,
        version: 3,
        change: Change { shown: Some(false), ..Change::default() },
    };
    study.definitions = Definitions::with(&[over, hidden]).expect("it can be used");
    let planned = study.plan(&[], false);
    let why = |mart: &str| -> Vec<String> {
        let step = planned.iter().find(|step| step.mart.name == mart).expect("there is such a mart");
        step.reasons.iter().map(ToString::to_string).collect()
    };
    assert_eq!(
        why("mart_kri"),
        ["the definition of `kri0001` was changed", "the definition of `kri0002` was changed"]
    );
    assert!(why("mart_indicator_input").is_empty() && why("mart_ae_term").is_empty());
    study.build();
    let definitions = study.rows("mart_definition");
    let row = definitions.iter().find(|row| row["definition_id"] == "kri0001").expect("it is defined");
    assert_eq!((&row["thresholds"], &row["version"]), (&"-9, -8, 8, 9".into(), &"study 1".into()));
    assert!(study.rows("mart_kri").iter().all(|row| row["indicator_id"] != "kri0002"));
    // Taken back, the marts are those of before.
    study.definitions = Definitions::shipped().expect("well formed");
    study.build();
    assert!(study.rows("mart_kri").iter().any(|row| row["indicator_id"] == "kri0002"));
}
