//! An engineer imports published conformance rules and finds the records that violate them.

use std::fs;

use crate::support::{Installation, Need};

/// A rule of our own in the published form: an event has a term.
const RULE: &str = r#"
Authorities:
  - Organization: CDISC
    Standards:
      - Name: SDTMIG
        Version: "3.4"
        References:
          - Origin: House rules
            Rule Identifier: { Id: HR0001, Version: "1" }
            Version: "1.0"
            Citations:
              - Cited Guidance: An event that is serious says why.
                Document: House guide
Check:
  all:
    - { name: AESER, operator: equal_to, value: "Y" }
    - { name: AESMIE, operator: empty }
Core: { Id: HOUSE-000001, Status: Published, Version: "1" }
Description: A serious event without a reason.
Executability: Fully Executable
Outcome:
  Message: AESMIE is empty though the event is serious.
  Output Variables: [AESER, AESMIE]
Rule Type: Record Data
Scope:
  Classes: { Include: [EVENTS] }
  Domains: { Include: [AE] }
Sensitivity: Record
"#;
const DM: &str = "STUDYID,DOMAIN,USUBJID,SUBJID,SITEID\nR1,DM,R1-1,1,01\n";
const AE: &str = "STUDYID,DOMAIN,USUBJID,AESEQ,AETERM,AESER,AESMIE\n\
    R1,AE,R1-1,1,COUGH,N,\nR1,AE,R1-1,2,RASH,Y,\nR1,AE,R1-1,3,FALL,Y,Y\n";

fn place<'a>(command: &[&'a str], further: &[&'a str]) -> Vec<&'a str> {
    [command, &["--tenant", "house", "--study", "R1"], further].concat()
}

#[test]
fn a_violation_of_an_imported_rule_is_shown_with_its_record() {
    let Some(installation) = Installation::with_tenant("house") else { return };
    let (rules, delivery) = (installation.beside("rules"), installation.beside("delivery"));
    fs::create_dir_all(rules.join("events")).expect("a folder");
    fs::create_dir_all(&delivery).expect("a folder");
    fs::write(rules.join("events/rule.yml"), RULE).expect("a file");
    fs::write(delivery.join("dm.csv"), DM).expect("a file");
    fs::write(delivery.join("ae.csv"), AE).expect("a file");
    installation.must(&place(&["ingest"], &["delivery"]));
    let none = installation.run(&place(&["rules", "check"], &["--ig", "3.4"]));
    assert!(none.code != Some(0) && none.errors.contains("cairn rules import"), "{}", none.errors);

    let imported = installation.must(&place(&["rules", "import"], &["rules"])).out;
    assert!(imported.contains("1 rules can be executed"), "{imported}");
    let said = installation.must(&place(&["rules", "check"], &["--ig", "3.4"])).out;
    let line = said.lines().find(|line| line.starts_with("HOUSE-000001")).expect("the rule is violated");
    let counts: Vec<&str> = line.split_whitespace().skip(1).take(2).collect();
    assert_eq!(counts, ["3", "1"], "{said}");
    let shown = installation.must(&place(&["quality", "show"], &["HOUSE-000001"])).out;
    assert!(shown.contains("R1-1") && shown.contains("AESER=Y"), "{shown}");
    let other = installation.run(&place(&["rules", "check"], &["--ig", "3.2"]));
    assert!(other.errors.contains("no imported rule belongs to SDTMIG 3.2"), "{}", other.errors);
    installation.check_whole("after rules were run");
}

#[test]
fn the_published_rules_are_run_over_the_guidelines_study() {
    let Some(oracles) = Need::Oracles.path() else { return };
    let Some(installation) = Installation::with_tenant("house") else { return };
    let from = oracles.join("studies/sdtm_msg_datasetjson");
    let to = installation.beside("delivery");
    fs::create_dir_all(&to).expect("a folder");
    for entry in fs::read_dir(from).expect("the study is there") {
        let path = entry.expect("the folder can be read").path();
        if path.extension().is_some_and(|suffix| suffix == "ndjson") {
            fs::copy(&path, to.join(path.file_name().expect("a file"))).expect("the file can be copied");
        }
    }
    let rules = installation.beside("rules");
    fs::create_dir_all(&rules).expect("a folder");
    fs::write(rules.join("rule.yml"), RULE.replace("3.4", "3.3")).expect("a file");
    let place = |command: &[&'static str], further: &[&'static str]| {
        [command, &["--tenant", "house", "--study", "CDISCPILOT01"], further].concat()
    };
    let study = installation.run(&place(&["ingest"], &["--no-marts", "delivery"]));
    assert_eq!(study.code, Some(0), "{}", study.errors);
    installation.must(&place(&["rules", "import"], &["rules"]));
    let said = installation.must(&place(&["rules", "check"], &["--ig", "3.3"])).out;
    assert!(said.contains("1 rules over 28 datasets"), "{said}");
}
