//! What the sources said at a past instant is built again from what has been received since.

use chrono::{DateTime, Utc};
use kernel::FixedClock;
use marts::{Base, Order};
use warehouse::star::build_as_of;
use warehouse::{Manifest, Writer};

use crate::study::Study;

const DM: &str = "STUDYID,USUBJID,SUBJID,SITEID,ARMCD,RFSTDTC,RFENDTC\n\
    S1,S1-1,1,001,A,2020-01-01,2020-03-31\nS1,S1-2,2,002,A,2020-01-01,2020-03-31\n";
const FIRST: &str = "STUDYID,USUBJID,AESEQ,AETERM,AESER\nS1,S1-1,1,COUGH,N\nS1,S1-1,2,FEVER,Y\n";
// One event is gone, one is new, one changed.
const SECOND: &str = "STUDYID,USUBJID,AESEQ,AETERM,AESER\nS1,S1-1,1,COUGH,Y\nS1,S1-2,1,RASH,N\n";

fn as_of(study: &Study, instant: DateTime<Utc>) -> warehouse::Result<Manifest> {
    let writer = Writer::wait(&study.storage, &study.scope).expect("nobody else writes");
    let (_, newest) = study.star.as_ref().expect("delivered");
    let (id, _, star) = build_as_of(&writer, newest, instant, &[newest], &mut |_| {})?;
    let definitions = marts::Definitions::shipped().expect("well formed");
    let base = Base { current: (id, &star), formers: Vec::new(), definitions: &definitions };
    let clock = FixedClock(DateTime::UNIX_EPOCH);
    let built = marts::build(&writer, &base, &Order::default(), &clock, &mut |_| {}).expect("built");
    Ok(built.snapshot.expect("published").2)
}

#[test]
fn a_past_instant_has_the_tables_that_it_had() {
    let mut study = Study::new();
    study.deliver("sdtm", &[("dm.csv", DM), ("ae.csv", FIRST)]);
    let then = study.build().snapshot.expect("published").2;
    let instant = then.cuts[0].extracted_at;
    study.deliver("sdtm", &[("dm.csv", DM), ("ae.csv", SECOND)]);
    let now = study.build().snapshot.expect("published").2;
    let again = as_of(&study, instant).expect("built");
    assert_ne!(
        then.table("fact_ae").expect("there").content(),
        now.table("fact_ae").expect("there").content()
    );
    for (name, table) in then.tables.iter().filter(|(name, _)| !name.starts_with("quality_")) {
        assert_eq!(again.table(name).expect("there").content(), table.content(), "{name}");
    }
    // Between two cuts nothing is known to have changed.
    let later = as_of(&study, instant + chrono::TimeDelta::milliseconds(500)).expect("built");
    assert_eq!(later, again);
}

#[test]
fn an_instant_before_the_first_cut_is_refused_with_the_first() {
    let mut study = Study::new();
    study.deliver("sdtm", &[("dm.csv", DM), ("ae.csv", FIRST)]);
    let error = as_of(&study, DateTime::UNIX_EPOCH).expect_err("nothing was known").to_string();
    assert!(error.contains("1970-01-01") && error.contains("the first cut is of 2023-11-14"), "{error}");
}
