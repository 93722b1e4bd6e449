//! What a build would make is told before it is made, with the reason; a selection narrows it, and content decides.

use marts::{Action, Order, Outcome, Reason, Status};

use crate::study::{Study, selection};

const DM: &str = "STUDYID,USUBJID,SUBJID,SITEID,ARMCD,RFSTDTC,RFENDTC\n\
    S1,S1-1,1,001,A,2020-01-01,2020-03-31\nS1,S1-2,2,002,A,2020-01-01,2020-03-31\n";
const AE: &str = "STUDYID,USUBJID,AESEQ,AETERM,AESER\nS1,S1-1,1,COUGH,N\nS1,S1-2,1,RASH,N\n";

fn study() -> Study {
    let mut study = Study::new();
    study.deliver("sdtm", &[("dm.csv", DM), ("ae.csv", AE)]);
    study
}

/// What a plan does with a mart, and why, in words.
fn step(study: &Study, select: &[&str], full: bool, mart: &str) -> (Action, Vec<String>) {
    let planned = study.plan(select, full);
    let step = planned.iter().find(|step| step.mart.name == mart).expect("there is such a mart");
    (step.action, step.reasons.iter().map(ToString::to_string).collect())
}

fn outcome(built: &marts::Publication, mart: &str) -> Outcome {
    built.run.marts.iter().find(|built| built.mart == mart).expect("it is told").outcome
}

#[test]
fn what_is_new_is_made_and_what_is_unchanged_is_shared() {
    let mut study = study();
    let (action, why) = step(&study, &[], false, "mart_kri");
    assert_eq!(
        (action, why.as_slice()),
        (
            Action::Make,
            &[
                "no former snapshot has it".to_owned(),
                "`mart_indicator_input` is made again and may come out otherwise".to_owned(),
                "`mart_reporting` is made again and may come out otherwise".to_owned()
            ][..]
        )
    );
    study.build();
    assert!(
        study.plan(&[], false).iter().all(|step| step.action == Action::Share && step.reasons.is_empty())
    );
    assert_eq!(study.build().run.status, Status::Unchanged);
}

#[test]
fn a_plan_names_the_table_that_changed_and_what_may_follow() {
    let mut study = study();
    study.build();
    study.deliver("sdtm", &[("dm.csv", DM), ("ae.csv", &AE.replace("RASH,N", "RASH,Y"))]);
    let (action, why) = step(&study, &[], false, "mart_ae_term");
    assert_eq!((action, why.as_slice()), (Action::Make, &["`fact_ae` has other content".to_owned()][..]));
    let (action, why) = step(&study, &[], false, "mart_site_risk");
    let because = "`mart_kri` is made again and may come out otherwise".to_owned();
    assert_eq!((action, why), (Action::MakeIfChanged, vec![because]));
    assert_eq!(step(&study, &[], false, "mart_retention").0, Action::Share);
}

// By hand: an event that becomes related moves `mart_ae_term` and no numerator, so that what reads `mart_indicator_input`
// finds it as it was.
#[test]
fn a_mart_that_comes_out_as_it_was_changes_nothing_after_it() {
    let mut study = Study::new();
    let ae = AE.replace("AESER", "AESER,AEREL").replace(",N\n", ",N,NOT RELATED\n");
    study.deliver("sdtm", &[("dm.csv", DM), ("ae.csv", &ae)]);
    study.build();
    study.deliver(
        "sdtm",
        &[("dm.csv", DM), ("ae.csv", &ae.replace("COUGH,N,NOT RELATED", "COUGH,N,RELATED"))],
    );
    let built = study.build();
    assert_eq!(outcome(&built, "mart_ae_term"), Outcome::Made);
    assert_eq!(outcome(&built, "mart_indicator_input"), Outcome::Made);
    assert_eq!(outcome(&built, "mart_kri"), Outcome::Shared);
    assert_eq!(outcome(&built, "mart_site_risk"), Outcome::Shared);
}

#[test]
fn a_selection_builds_what_it_needs_and_readers_wait_for_the_rest() {
    let mut study = study();
    assert_eq!(step(&study, &["mart_kri"], false, "mart_retention").0, Action::LeaveOut);
    let partial = study.build_order(&Order { selection: selection(&["mart_kri"]), ..Order::default() });
    assert_eq!(partial.run.status, Status::Partial);
    for (mart, expected) in [
        ("mart_indicator_input", Outcome::Made),
        ("mart_kri", Outcome::Made),
        ("mart_site_risk", Outcome::LeftOut),
        ("mart_retention", Outcome::LeftOut),
    ] {
        assert_eq!(outcome(&partial, mart), expected, "{mart}");
    }
    let whole = study.build();
    assert_eq!((whole.run.status, outcome(&whole, "mart_kri")), (Status::Published, Outcome::Shared));
    assert_eq!(outcome(&whole, "mart_retention"), Outcome::Made);
}

#[test]
fn a_full_refresh_makes_what_is_selected_and_equal_bytes_publish_nothing() {
    let mut study = study();
    study.build();
    let planned = study.plan(&["mart_kri"], true);
    let of = |mart: &str| planned.iter().find(|step| step.mart.name == mart).expect("there is such a mart");
    assert_eq!(of("mart_kri").reasons, [Reason::FullRefresh]);
    assert_eq!(of("mart_indicator_input").action, Action::Share);
    assert_eq!(of("mart_site_risk").action, Action::LeaveOut, "it may come out otherwise");
    let order = Order { selection: selection(&["mart_kri"]), full_refresh: true, ..Order::default() };
    let built = study.build_order(&order);
    assert_eq!(outcome(&built, "mart_kri"), Outcome::Made);
    assert_eq!(outcome(&built, "mart_site_risk"), Outcome::Shared, "it came out as it was");
    assert_eq!((built.run.status, built.snapshot.is_none()), (Status::Unchanged, true));
}

#[test]
fn what_changed_can_be_selected() {
    let mut study = study();
    study.build();
    study.deliver("sdtm", &[("dm.csv", DM), ("ae.csv", &AE.replace("RASH,N", "RASH,Y"))]);
    let chosen = |select: &str| -> Vec<&str> {
        let planned = study.plan(&[select], true);
        let chosen = planned.iter().filter(|step| step.reasons.contains(&Reason::FullRefresh));
        chosen.map(|step| step.mart.name).collect()
    };
    assert_eq!(chosen("state:modified"), Vec::<&str>::new());
    let of_events = ["mart_ae_term", "mart_ae_level", "mart_ae_grade", "mart_ae_reporting"];
    assert_eq!(chosen("state:stale,tag:safety"), of_events);
    assert!(chosen("state:stale").contains(&"mart_site_risk"));
}
