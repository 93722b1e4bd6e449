//! Scope, joins, operations, and what is said where nothing was examined.

use rules::{Limits, Rule, Verdict, execute, execute_all};

use crate::small::{flagged, outcomes, rule, study};

const ALWAYS: &str = "name: DOMAIN, operator: non_empty";

#[test]
fn a_scope_of_classes_and_domains_is_kept() {
    let study = study(&[
        ("AE", "DOMAIN,AETERM\nAE,a"),
        ("CM", "DOMAIN,CMTRT\nCM,a"),
        ("LB", "DOMAIN,LBTESTCD\nLB,a"),
        ("FA", "DOMAIN,FATESTCD,FAOBJ\nFA,a,b"),
        ("XX", "DOMAIN,XXTERM\nXX,a"),
        ("DM", "DOMAIN,USUBJID\nDM,1"),
        ("APMH", "DOMAIN,MHTERM\nAPMH,a"),
    ]);
    for (scope, expected) in [
        ("Scope: {Classes: {Include: [EVENTS]}}", &["AE 1", "XX 1", "APMH 1"][..]),
        ("Scope: {Classes: {Include: [FINDINGS]}}", &["LB 1", "FA 1"]),
        ("Scope: {Classes: {Exclude: [EVENTS, FINDINGS]}}", &["CM 1", "DM 1"]),
        ("Scope: {Classes: {Include: [ALL]}, Domains: {Include: [AE, DM]}}", &["AE 1", "DM 1"]),
        ("Scope: {Classes: {Include: [EVENTS]}, Domains: {Exclude: [AE, AP--]}}", &["XX 1"]),
        ("Scope: {Domains: {Include: [AP--]}}", &["APMH 1"]),
    ] {
        assert_eq!(flagged(&rule(ALWAYS, scope), &study), expected, "{scope}");
    }
}

#[test]
fn the_parts_of_a_split_dataset_are_judged_together_or_each_for_itself() {
    let study = study(&[("QSCG", "DOMAIN,USUBJID,QSSEQ\nQS,1,1"), ("QSPH", "DOMAIN,USUBJID,QSSEQ\nQS,1,1")]);
    let unique = "name: QSSEQ, operator: is_not_unique_set, value: USUBJID";
    assert_eq!(flagged(&rule(unique, ""), &study), ["QSCG 1", "QSPH 1"]);
    let each = "Scope: {Domains: {Include: [ALL], include_split_datasets: true}}";
    assert!(flagged(&rule(unique, each), &study).is_empty());
    let none = each.replace("true", "false");
    assert!(outcomes(&rule(unique, &none), &study).iter().all(is_inapplicable));
}

fn is_inapplicable(outcome: &rules::DatasetOutcome) -> bool {
    matches!(outcome.verdict, Verdict::NotApplicable { .. })
}

#[test]
fn a_dataset_of_associated_persons_does_not_stand_for_that_of_the_subjects() {
    let study =
        study(&[("AE", "DOMAIN,USUBJID\nAE,1"), ("APDM", "DOMAIN,USUBJID,RFSTDTC\nAPDM,1,2012-01-01")]);
    let joined = "Match Datasets: [{Name: DM, Keys: [USUBJID]}]\nScope: {Domains: {Include: [AE]}}";
    assert!(
        outcomes(&rule("name: RFSTDTC, operator: non_empty", joined), &study).iter().all(is_inapplicable)
    );
}

#[test]
fn nothing_examined_is_not_applicable_and_never_passed() {
    let study = study(&[("AE", "DOMAIN,AETERM\nAE,a"), ("CM", "DOMAIN,CMTRT")]);
    let [ae, cm] = &outcomes(&rule("name: AEDECOD, operator: empty", ""), &study)[..] else { panic!() };
    let reason = |reason: &str| Verdict::NotApplicable { reason: reason.to_owned() };
    assert_eq!(ae.verdict, reason("the dataset has no column `AEDECOD`"));
    assert_eq!(cm.verdict, reason("the dataset has no records"));
    let passed = outcomes(&rule("name: AETERM, operator: empty", ""), &study);
    assert_eq!(passed[0].verdict, Verdict::Passed { records: 1 });
}

#[test]
fn any_goes_on_without_an_absent_column() {
    let study = study(&[("AE", "DOMAIN,AETERM\nAE,a\nAE,")]);
    let any = "any: [{name: AEDECOD, operator: empty}, {name: AETERM, operator: empty}]";
    assert_eq!(flagged(&rule(any, ""), &study), ["AE 2"]);
    let negated = "not: {name: AETERM, operator: empty}";
    assert_eq!(flagged(&rule(negated, ""), &study), ["AE 1"]);
}

#[test]
fn a_join_gives_each_record_its_partners_and_leaves_out_the_lonely() {
    let study = study(&[
        ("AE", "DOMAIN,USUBJID,AESTDTC\nAE,1,2012-01-01\nAE,2,2012-01-01\nAE,3,2012-01-01"),
        ("DM", "DOMAIN,USUBJID,RFSTDTC\nDM,1,2012-01-02\nDM,2,2011-12-31"),
    ]);
    let joined = "Match Datasets: [{Name: DM, Keys: [USUBJID]}]\nScope: {Domains: {Include: [AE]}}";
    let before = "name: AESTDTC, operator: date_less_than, value: RFSTDTC";
    assert_eq!(flagged(&rule(before, joined), &study), ["AE 1"]);
    let qualified = "name: DOMAIN, operator: not_equal_to, value: DM.DOMAIN";
    assert_eq!(flagged(&rule(qualified, joined), &study), ["AE 1", "AE 2"]);
    let left = joined.replace("Keys: [USUBJID]", "Keys: [USUBJID], Join Type: left");
    assert_eq!(flagged(&rule("name: RFSTDTC, operator: empty", &left), &study), ["AE 3"]);
}

#[test]
fn a_record_that_fails_with_each_of_its_partners_fails_once() {
    let study = study(&[
        ("DM", "DOMAIN,USUBJID,DTHFL\nDM,1,\nDM,2,Y"),
        ("AE", "DOMAIN,USUBJID,AEOUT\nAE,1,FATAL\nAE,1,FATAL\nAE,2,FATAL"),
    ]);
    let joined = "Match Datasets: [{Name: AE, Keys: [USUBJID]}]\nScope: {Domains: {Include: [DM]}}";
    let outcomes = outcomes(&rule("name: DTHFL, operator: empty", joined), &study);
    let Verdict::Failed { records, failed_records, violations, ref issues } = outcomes[0].verdict else {
        panic!()
    };
    assert_eq!((records, failed_records, violations, issues.len()), (2, 1, 2, 2));
}

#[test]
fn supplemental_qualifiers_become_columns() {
    let study = study(&[
        ("AE", "DOMAIN,USUBJID,AESEQ#\nAE,1,1\nAE,1,2\nAE,2,1"),
        ("SUPPAE", "RDOMAIN,USUBJID,IDVAR,IDVARVAL,QNAM,QVAL\nAE,1,AESEQ,2,AESOSP,Y\nAE,2,AESEQ,1,OTHER,Y"),
    ]);
    let joined = "Match Datasets: [{Name: SUPPAE, Keys: [USUBJID]}]\nScope: {Domains: {Include: [AE]}}";
    assert_eq!(flagged(&rule("name: AESOSP, operator: non_empty", joined), &study), ["AE 2"]);
}

#[test]
fn related_records_meet_by_value_or_by_the_same_value() {
    let study = study(&[
        ("CM", "DOMAIN,USUBJID,CMSEQ#,CMGRPID,CMTRT\nCM,1,1,g,aspirin\nCM,1,2,h,other\nCM,2,1,g,none"),
        ("FA", "DOMAIN,USUBJID,FASEQ#,FAGRPID,FATESTCD,FAOBJ\nFA,1,5,x,T,paracetamol\nFA,1,6,h,T,other"),
        (
            "RELREC",
            "RDOMAIN,USUBJID,IDVAR,IDVARVAL,RELID
             CM,1,CMSEQ,1,r
             FA,1,FASEQ,5,r
             CM,,CMGRPID,,s
             FA,,FAGRPID,,s",
        ),
    ]);
    let joined = "Match Datasets: [{Name: RELREC, Wildcard: FA}]\nScope: {Domains: {Include: [CM]}}";
    let other = "name: CMTRT, operator: not_equal_to, value: RELREC.FAOBJ";
    assert_eq!(flagged(&rule(other, joined), &study), ["CM 1"]);
    let same = "name: CMTRT, operator: equal_to, value: RELREC.FAOBJ";
    assert_eq!(flagged(&rule(same, joined), &study), ["CM 2"]);
}

#[test]
fn a_child_sees_the_columns_of_its_parent() {
    let study = study(&[
        ("LB", "DOMAIN,USUBJID,LBSEQ#,LBTESTCD\nLB,1,1,ALB\nLB,1,2,ALT"),
        ("SUPPLB", "RDOMAIN,USUBJID,IDVAR,IDVARVAL,QNAM\nLB,1,LBSEQ,2,Q\nLB,1,LBSEQ,9,Q\nLB,1,LBNONE,1,Q"),
    ]);
    let joined = "Match Datasets: [{Name: SUPP--, Child: true, Keys: [USUBJID, IDVAR, IDVARVAL]}]\n\
                  Scope: {Domains: {Include: [SUPP--]}}";
    let orphan = "name: IDVARVAL, operator: not_equal_to, value: IDVAR, value_is_reference: true, type_insensitive: true";
    assert_eq!(flagged(&rule(orphan, joined), &study), ["SUPPLB 2", "SUPPLB 3"]);
    assert_eq!(
        flagged(&rule("name: LBTESTCD, operator: equal_to, value: ALT", joined), &study),
        ["SUPPLB 1"]
    );
}

#[test]
fn operations_add_columns() {
    let study = study(&[
        (
            "AE",
            "DOMAIN,USUBJID,AESTDTC,AESTDY#,AELNKID\nAE,1,2012-01-03,3,x\nAE,1,2012-01-01,1,x\nAE,2,2012-01,1,x",
        ),
        ("DM", "DOMAIN,USUBJID,RFSTDTC,ARM\nDM,1,2012-01-02,A\nDM,2,2012-01-02,B"),
        ("TA", "DOMAIN,ARM\nTA,A"),
    ]);
    let operation = |text: &str| format!("Operations: [{{id: $x, {text}}}]");
    for (condition, derived, expected) in [
        (
            "name: ARM, operator: is_not_contained_by, value: $x",
            "operator: distinct, name: ARM, domain: TA",
            &["DM 2"][..],
        ),
        (
            "name: AESTDY, operator: not_equal_to, value: $x",
            "operator: dy, name: --STDTC",
            &["AE 1", "AE 2", "AE 3"],
        ),
        ("name: $x, operator: equal_to, value: -1", "operator: dy, name: AESTDTC", &["AE 2"]),
        (
            "name: AESTDTC, operator: equal_to, value: $x",
            "operator: min_date, name: AESTDTC, domain: AE, group: [USUBJID]",
            &["AE 2", "AE 3"],
        ),
        (
            "name: AESTDTC, operator: equal_to, value: $x",
            "operator: max_date, name: AESTDTC, domain: AE, group: [USUBJID]",
            &["AE 1", "AE 3"],
        ),
        (
            "name: $x, operator: greater_than, value: 1",
            "operator: record_count, domain: AE, group: [USUBJID], filter: {AELNKID: x}",
            &["AE 1", "AE 2", "DM 1"],
        ),
        ("name: $x, operator: equal_to, value: Records of TA", "operator: domain_label", &["TA 1"]),
        ("name: DOMAIN, operator: is_not_contained_by, value: $x", "operator: study_domains", &[]),
        (
            "name: $x, operator: equal_to, value: TA",
            "operator: extract_metadata, name: dataset_name",
            &["TA 1"],
        ),
        (
            "name: $x, operator: equal_to, value: true",
            "operator: variable_exists, name: RFSTDTC",
            &["DM 1", "DM 2"],
        ),
        (
            "name: $x, operator: equal_to, value: 1",
            "operator: variable_count, name: --LNKID",
            &["AE 1", "AE 2", "AE 3", "DM 1", "DM 2", "TA 1"],
        ),
    ] {
        assert_eq!(flagged(&rule(condition, &operation(derived)), &study), expected, "{derived}");
    }
}

#[test]
fn a_text_without_a_place_among_dates_makes_the_rule_not_executable() {
    for (text, fault) in [
        ("soon", "is not an ISO 8601 date; correct the record"),
        ("2012---02", "has unknown parts, so that its place among the other dates is not known"),
    ] {
        let study = study(&[("AE", &format!("DOMAIN,AESTDTC\nAE,2012-01-01\nAE,{text}"))]);
        let rest = "Operations: [{id: $x, operator: min_date, name: AESTDTC}]";
        let outcomes = outcomes(&rule("name: AESTDTC, operator: equal_to, value: $x", rest), &study);
        let reason = format!("`{text}` in `AESTDTC` {fault}");
        assert_eq!(outcomes[0].verdict, Verdict::NotExecutable { reason });
    }
}

#[test]
fn metadata_rules_see_variables_datasets_and_the_study() {
    let study = study(&[("AE", "DOMAIN,AEVERYLONGNAME\nAE,a"), ("DM", "DOMAIN\nDM")]);
    let of_type = |text: &str, word: &str| text.replace("Record Data", word);
    let long = rule("name: variable_name, operator: longer_than, value: 8", "");
    assert_eq!(flagged(&of_type(&long, "Variable Metadata Check"), &study), ["AE 2"]);
    let named = rule("name: dataset_name, operator: prefix_not_equal_to, value: DOMAIN, prefix: 2", "");
    assert!(flagged(&of_type(&named, "Dataset Metadata Check"), &study).is_empty());
    let without = rule("name: TS, operator: not_exists", "");
    assert_eq!(flagged(&of_type(&without, "Domain Presence Check"), &study), ["STUDY"]);
}

#[test]
fn an_issue_names_subject_sequence_and_values_and_the_dataset_once_where_asked() {
    let study = study(&[("AE", "DOMAIN,USUBJID,AESEQ#,AETERM\nAE,1,7,a\nAE,2,8,a")]);
    let text = rule(
        "name: --TERM, operator: equal_to, value: a",
        "Authorities: [{Organization: CDISC, Standards: [{Name: SDTMIG, Version: '3.4', References: [{Citations: \
         [{Cited Guidance: say it otherwise, Document: IG}], Rule Identifier: {Id: CG0001}}]}]}]",
    );
    let text = text.replace("what is wrong}", "what is wrong, Output Variables: [--TERM, --DECOD]}");
    let parsed = Rule::parse(&text).unwrap();
    assert_eq!(
        (parsed.remedy(), parsed.message(), parsed.severity()),
        ("say it otherwise", "what is wrong", "error")
    );
    assert_eq!(parsed.authorities()[0].rule_id, "CG0001");
    assert!(parsed.belongs_to("sdtmig", "3-4") && !parsed.belongs_to("SDTMIG", "3.3"));
    let outcome = execute(&parsed, &study, Limits { issues: 1, ..Limits::default() });
    assert_eq!(outcome.violations(), 2);
    let issues: Vec<_> = outcome.issues().collect();
    assert_eq!(issues.len(), 1);
    assert_eq!((issues[0].usubjid.as_deref(), issues[0].sequence.as_deref()), (Some("1"), Some("7.0")));
    let value = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(issues[0].values, [value("AEDECOD", "Not in dataset"), value("AETERM", "a")]);
    let by_dataset = text.replace("Sensitivity: Record", "Sensitivity: Dataset");
    assert_eq!(flagged(&by_dataset, &study), ["AE"]);
}

#[test]
fn a_join_that_explodes_is_stopped() {
    let many = "AE,1\n".repeat(1_000);
    let records = format!("DOMAIN,USUBJID\n{many}");
    let study = study(&[("AE", &records), ("CM", &records.replace("AE", "CM"))]);
    let text =
        rule(ALWAYS, "Match Datasets: [{Name: CM, Keys: [USUBJID]}]\nScope: {Domains: {Include: [AE]}}");
    let outcome = execute(&Rule::parse(&text).unwrap(), &study, Limits { work: 500_000, issues: 1 });
    let reason = "it needs more work than one rule may do".to_owned();
    assert_eq!(outcome.datasets[0].verdict, Verdict::NotExecutable { reason });
}

#[test]
fn threads_change_nothing_in_the_answers() {
    let study = study(&[("AE", "DOMAIN,AETERM\nAE,a\nAE,"), ("DM", "DOMAIN,USUBJID\nDM,1")]);
    let texts: Vec<String> =
        (0..20).map(|place| rule(ALWAYS, "").replace("TEST-1", &format!("TEST-{place}"))).collect();
    let rules: Vec<Rule> = texts.iter().map(|text| Rule::parse(text).unwrap()).collect();
    let one = execute_all(&rules, &study, Limits::default(), 1);
    assert_eq!(one, execute_all(&rules, &study, Limits::default(), 3));
    assert!(one.iter().zip(&rules).all(|(outcome, rule)| outcome.rule == rule.id()));
}
