//! Rules that are refused, and folders of rules.

use std::fs;

use proptest::prelude::*;
use rules::{Rule, RuleError, RulePack};

use crate::small::rule;

const CHECK: &str = "name: AETERM, operator: empty";

#[track_caller]
fn check_malformed(text: &str, part: &str) {
    let error = Rule::parse(text).expect_err("a malformed rule");
    assert!(matches!(&error, RuleError::Malformed { reason, .. } if reason.contains(part)), "{error}");
}

#[track_caller]
fn check_unsupported(text: &str, expected: &str) {
    let error = Rule::parse(text).expect_err("an unsupported rule");
    assert!(matches!(&error, RuleError::Unsupported { reason, .. } if reason == expected), "{error}");
    assert!(error.to_string().starts_with("rule `TEST-1` cannot be executed: "), "{error}");
}

#[test]
fn a_malformed_rule_is_refused_with_the_place() {
    let good = rule(CHECK, "");
    assert!(Rule::parse(&good).is_ok());
    check_malformed("", "not a mapping");
    check_malformed("- a\n- b", "not a mapping");
    check_malformed("Core: {Id: [", "it is not YAML");
    check_malformed(&good.replace("Id: TEST-1, ", ""), "`Core` has no `Id`");
    check_malformed(&good.replace("Check:", "Czech:"), "`Check` is missing");
    check_malformed(&good.replace("name: AETERM, ", ""), "`name` is missing");
    check_malformed(
        &good.replace("  all:\n    - {name: AETERM, operator: empty}", "  all: []"),
        "`all` is no list",
    );
    check_malformed(
        &rule("all: [{name: A, operator: empty}], any: [{name: A, operator: empty}]", ""),
        "beside other",
    );
    check_malformed(
        &rule("name: A, operator: prefix_equal_to, value: x, prefix: -1", ""),
        "`prefix` is no length",
    );
    check_malformed(&rule(CHECK, "Operations: [{operator: record_count}]"), "`id` is missing");
    let unmade = rule("name: A, operator: is_contained_by, value: $x", "");
    check_malformed(&unmade, "the check names `$x`, which no operation makes");
}

#[test]
fn what_a_rule_lacks_is_named() {
    check_unsupported(&rule("name: A, operator: is_lucky", ""), "operator `is_lucky`");
    check_unsupported(
        &rule("name: A, operator: date_equal_to, value: B, date_component: hour", ""),
        "operator `date_equal_to` with `date_component`",
    );
    check_unsupported(
        &rule(CHECK, "Operations: [{id: $x, operator: required_variables}]"),
        "operation `required_variables`",
    );
    check_unsupported(&rule(CHECK, "").replace("Record Data", "JSONata"), "rule type `JSONata`");
    check_unsupported(&rule(CHECK, "").replace("y: Record", "y: Group"), "sensitivity `Group`");
    let define = rule("name: A, operator: equal_to, value: define_variable_name", "");
    check_unsupported(&define, "metadata `define_variable_name`");
    let size = rule("name: variable_is_empty, operator: equal_to, value: true", "");
    check_unsupported(
        &size.replace("Record Data", "Variable Metadata Check"),
        "metadata `variable_is_empty`",
    );
    let pattern = rule("name: A, operator: matches_regex, value: '(?=a)'", "");
    assert!(
        matches!(Rule::parse(&pattern), Err(RuleError::Unsupported { reason, .. }) if reason.contains("look-around"))
    );
    let huge = rule("name: A, operator: matches_regex, value: '(a{1000}){1000}'", "");
    assert!(matches!(Rule::parse(&huge), Err(RuleError::Unsupported { .. })));
}

#[test]
fn an_alias_bomb_and_a_deep_document_are_refused() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        bomb.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
    }
    check_malformed(&bomb, "it is not YAML");
    check_malformed(&format!("a: {}", "[".repeat(10_000)), "it is not YAML");
    let deep = format!("{}{{name: A, operator: empty}}{}", "{not: ".repeat(40), "}".repeat(40));
    let text = rule(CHECK, "").replace("{name: AETERM, operator: empty}", &deep);
    assert!(matches!(Rule::parse(&text), Err(RuleError::Malformed { .. })));
}

#[test]
fn yes_and_no_stay_texts() {
    let study = crate::small::study(&[("AE", "DOMAIN,AESER\nAE,N\nAE,Y\nAE,no")]);
    for (word, record) in [("N", "AE 1"), ("Y", "AE 2"), ("no", "AE 3")] {
        let text = rule(&format!("name: AESER, operator: equal_to, value: {word}"), "");
        assert_eq!(crate::small::flagged(&text, &study), [record]);
    }
}

#[test]
fn a_pack_holds_the_executable_rules_and_names_the_others() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("deeper")).unwrap();
    let numbered = |text: String, number: u32| text.replace("TEST-1", &format!("TEST-{number}"));
    let json = r#"{"Core": {"Id": "TEST-4"}, "Rule Type": "Record Data", "Outcome": {"Message": "m"},
        "Check": {"all": [{"name": "AETERM", "operator": "empty"}]}}"#;
    for (file, text) in [
        ("b.yml", numbered(rule(CHECK, ""), 2)),
        ("deeper/a.yaml", numbered(rule(CHECK, ""), 1)),
        ("c.yml", numbered(rule("name: A, operator: is_lucky", ""), 3)),
        ("d.json", json.to_owned()),
        ("e.yml", "nothing".to_owned()),
        ("readme.txt", "no rule".to_owned()),
    ] {
        fs::write(folder.path().join(file), text).unwrap();
    }
    let pack = RulePack::import(folder.path()).unwrap();
    let ids: Vec<_> = pack.rules.iter().map(Rule::id).collect();
    assert_eq!(ids, ["TEST-1", "TEST-2", "TEST-4"]);
    let others: Vec<_> =
        pack.others.iter().map(|other| (other.rule.as_str(), other.reason.as_str())).collect();
    assert_eq!(others[1], ("TEST-3", "operator `is_lucky`"));
    assert_eq!(others[0].0, "?");
    assert!(others[0].1.starts_with("malformed: "));
}

#[test]
fn one_id_in_two_files_is_refused_with_both() {
    let folder = tempfile::tempdir().unwrap();
    for file in ["a.yml", "b.yml"] {
        fs::write(folder.path().join(file), rule(CHECK, "")).unwrap();
    }
    let error = RulePack::import(folder.path()).unwrap_err();
    let RuleError::DuplicateId { rule, first, second } = &error else { panic!("{error}") };
    assert_eq!(rule, "TEST-1");
    assert!(first.ends_with("a.yml") && second.ends_with("b.yml"));
}

#[test]
fn a_file_that_is_larger_than_a_rule_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.yml"), " ".repeat(2 << 20)).unwrap();
    assert!(matches!(RulePack::import(folder.path()), Err(RuleError::TooLarge { .. })));
    assert!(matches!(RulePack::import(&folder.path().join("none")), Err(RuleError::Read { .. })));
}

proptest! {
    /// Whatever stands in a file, reading it ends with a rule or with an error.
    #[test]
    fn any_text_is_a_rule_or_an_error(
        pieces in proptest::collection::vec("(Core: |Id: |Check:|all|any|not|name|operator|[\\[\\]{}:,&*!|>\\-\n '\"a-z0-9]){0,6}", 0..40)
    ) {
        let text = pieces.concat();
        let known = match Rule::parse(&text) {
            Ok(_) | Err(RuleError::Malformed { .. } | RuleError::Unsupported { .. }) => true,
            Err(_) => false,
        };
        prop_assert!(known, "{}", text);
    }
}
