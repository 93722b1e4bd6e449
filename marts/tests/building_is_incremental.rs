//! A mart is made again only when something it is computed from changed.

use marts::Outcome;

use crate::study::Study;

const DM: &str = "STUDYID,USUBJID,SUBJID,SITEID,ARMCD,RFSTDTC,RFENDTC\n\
    S1,S1-1,1,001,A,2020-01-01,2020-03-31\nS1,S1-2,2,002,A,2020-01-01,2020-03-31\nS1,S1-3,3,002,Scrnfail,,\n";
const AE: &str =
    "STUDYID,USUBJID,AESEQ,AETERM,AESER\nS1,S1-1,1,COUGH,N\nS1,S1-1,2,FEVER,Y\nS1,S1-2,1,RASH,N\n";

fn outcomes(study: &mut Study) -> Vec<(String, Outcome)> {
    study.build().run.marts.iter().map(|built| (built.mart.clone(), built.outcome)).collect()
}

#[test]
fn nothing_is_made_twice() {
    let mut study = Study::new();
    study.deliver("sdtm", &[("dm.csv", DM), ("ae.csv", AE)]);
    assert!(outcomes(&mut study).iter().all(|(_, outcome)| *outcome == Outcome::Made));
    assert!(outcomes(&mut study).iter().all(|(_, outcome)| *outcome == Outcome::Shared));
    let more = format!("{AE}S1,S1-2,2,PAIN,N\n");
    study.deliver("sdtm", &[("dm.csv", DM), ("ae.csv", &more)]);
    let after = outcomes(&mut study);
    // Events are no part of completeness by schedule, but they name subjects, and so a dimension it reads.
    assert!(after.contains(&("mart_kri".to_owned(), Outcome::Made)), "{after:?}");
}

// By hand: site 001 has 2 events and 1 serious one in 91 days, site 002 has 1 and 0 in 91 days; 1 of its 2 screened
// subjects failed. The study's sources hold no deviations, queries or pages.
#[test]
fn an_indicator_counts_what_it_says_and_is_absent_where_the_source_is() {
    let mut study = Study::new();
    study.deliver("sdtm", &[("dm.csv", DM), ("ae.csv", AE)]);
    study.build();
    let rows = study.rows("mart_kri");
    let find = |indicator: &str, site: &str| {
        let row = rows.iter().find(|row| row["indicator_id"] == indicator && row["site_id"] == site);
        row.map(|row| (row["numerator"].as_f64(), row["denominator"].as_f64()))
    };
    assert_eq!(find("kri0001", "001"), Some((Some(2.0), Some(91.0))));
    assert_eq!(find("kri0002", "001"), Some((Some(1.0), Some(91.0))));
    assert_eq!(find("kri0001", "002"), Some((Some(1.0), Some(91.0))));
    assert_eq!(find("kri0012", "002"), Some((Some(1.0), Some(2.0))));
    for absent in ["kri0003", "kri0004", "kri0005", "kri0007", "kri0008", "kri0009", "kri0010", "kri0011"] {
        assert_eq!(find(absent, "001"), None, "{absent}");
    }
}

#[test]
fn equal_lineage_gives_equal_bytes() {
    let build = || {
        let mut study = Study::new();
        study.deliver("sdtm", &[("dm.csv", DM), ("ae.csv", AE)]);
        study.build().snapshot.expect("a snapshot").0
    };
    assert_eq!(build(), build());
}
