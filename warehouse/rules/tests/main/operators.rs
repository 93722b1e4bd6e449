//! What each operator says, on a few rows each.

use crate::small::{flagged, rule, study};

/// Runs one condition on a dataset `AE` and compares the numbers of the records for which it holds.
#[track_caller]
fn check_holds(records: &str, condition: &str, expected: &[u32]) {
    let study = study(&[("AE", records)]);
    let expected: Vec<String> = expected.iter().map(|record| format!("AE {record}")).collect();
    assert_eq!(flagged(&rule(condition, ""), &study), expected, "{condition}");
}

#[test]
fn a_null_equals_nothing_and_differs_from_every_value() {
    let records = "DOMAIN,AETERM,AEDECOD
        AE,a,a
        AE,a,b
        AE,,b
        AE,a,
        AE,,";
    check_holds(records, "name: --TERM, operator: equal_to, value: --DECOD", &[1]);
    check_holds(records, "name: --TERM, operator: not_equal_to, value: --DECOD", &[2, 3, 4]);
    check_holds(records, "name: --TERM, operator: empty", &[3, 5]);
    check_holds(records, "name: --TERM, operator: non_empty", &[1, 2, 4]);
}

#[test]
fn a_name_is_a_column_where_there_is_one_and_a_text_where_not_or_where_the_rule_says_so() {
    let records = "DOMAIN,AETERM,AEDECOD
        AE,AEDECOD,a
        AE,a,a
        AE,AESEV,b";
    check_holds(records, "name: AETERM, operator: equal_to, value: AEDECOD", &[2]);
    check_holds(records, "name: AETERM, operator: equal_to, value: AEDECOD, value_is_literal: true", &[1]);
    check_holds(records, "name: AETERM, operator: equal_to, value: AESEV", &[3]);
}

#[test]
fn case_and_type_are_folded_only_where_the_operator_says_so() {
    let records = "DOMAIN,AETERM,AEDECOD,AESEQ#,AESPID
        AE,Pain,PAIN,1,1
        AE,Pain,Pain,2,2.0
        AE,Pain,Ache,3,x";
    check_holds(records, "name: AETERM, operator: equal_to_case_insensitive, value: AEDECOD", &[1, 2]);
    check_holds(records, "name: AETERM, operator: not_equal_to_case_insensitive, value: AEDECOD", &[3]);
    check_holds(records, "name: AESEQ, operator: equal_to, value: AESPID", &[]);
    check_holds(records, "name: AESEQ, operator: equal_to, value: AESPID, type_insensitive: true", &[1, 2]);
    check_holds(records, "name: AESEQ, operator: equal_to, value: 2", &[2]);
}

#[test]
fn a_reference_names_the_column_row_by_row() {
    let records = "DOMAIN,IDVAR,IDVARVAL,AESEQ,AEGRPID
        AE,AESEQ,1,1,9
        AE,AEGRPID,1,1,9
        AE,NONSENSE,1,1,9";
    check_holds(
        records,
        "name: IDVARVAL, operator: not_equal_to, value: IDVAR, value_is_reference: true",
        &[2, 3],
    );
}

#[test]
fn sizes_are_compared_as_numbers_and_a_text_has_none() {
    let records = "DOMAIN,AEDOSE#,AETEXT
        AE,9,10
        AE,10,9
        AE,,x
        AE,-1,x";
    check_holds(records, "name: AEDOSE, operator: less_than, value: 0", &[4]);
    check_holds(records, "name: AEDOSE, operator: greater_than, value: AETEXT", &[2]);
    check_holds(records, "name: AEDOSE, operator: less_than_or_equal_to, value: 9", &[1, 4]);
    check_holds(records, "name: AETEXT, operator: greater_than_or_equal_to, value: 10", &[1]);
}

#[test]
fn membership_is_in_a_list_or_in_what_an_operation_made() {
    let records = "DOMAIN,AESER
        AE,Y
        AE,y
        AE,";
    check_holds(records, "name: AESER, operator: is_contained_by, value: [Y, N]", &[1]);
    check_holds(records, "name: AESER, operator: is_not_contained_by, value: [Y, N]", &[2, 3]);
    check_holds(records, "name: AESER, operator: is_contained_by_case_insensitive, value: [Y, N]", &[1, 2]);
    check_holds(records, "name: AESER, operator: contains, value: Y", &[1]);
    check_holds(records, "name: AESER, operator: does_not_contain_case_insensitive, value: Y", &[3]);
}

#[test]
fn patterns_match_from_the_start_and_parts_are_searched() {
    let records = "DOMAIN,AETERM,AEVAL#
        AE,Abc12,7
        AE,xAbc,8.5
        AE,,";
    check_holds(records, "name: AETERM, operator: matches_regex, value: 'Ab'", &[1]);
    check_holds(records, "name: AETERM, operator: not_matches_regex, value: 'Ab'", &[2]);
    check_holds(records, "name: AEVAL, operator: matches_regex, value: '^\\d+$'", &[1]);
    check_holds(records, "name: AETERM, operator: suffix_matches_regex, value: '\\d', suffix: 2", &[1]);
    check_holds(records, "name: AETERM, operator: not_suffix_matches_regex, value: '\\d', suffix: 2", &[2]);
    check_holds(records, "name: AETERM, operator: prefix_matches_regex, value: 'b', prefix: 2", &[1]);
    check_holds(records, "name: AETERM, operator: prefix_equal_to, value: xA, prefix: 2", &[2]);
    check_holds(records, "name: AETERM, operator: suffix_is_contained_by, value: ['12'], suffix: 2", &[1]);
    check_holds(records, "name: AETERM, operator: starts_with, value: Ab", &[1]);
    check_holds(records, "name: AETERM, operator: ends_with, value: bc", &[2]);
}

#[test]
fn a_string_part_is_the_first_group_of_the_pattern() {
    let records = "DOMAIN,RDOMAIN,AEFILE
        AE,LB,supplb
        AE,LB,suppae
        AE,,supplb";
    check_holds(records, "name: RDOMAIN, operator: equals_string_part, value: AEFILE, regex: 'x'", &[]);
    let upper = records.replace("supplb", "SUPPLB").replace("suppae", "SUPPAE");
    check_holds(
        &upper,
        "name: RDOMAIN, operator: does_not_equal_string_part, value: AEFILE, regex: '.{4}(..)'",
        &[2, 3],
    );
}

#[test]
fn lengths_count_characters_and_a_null_has_none() {
    let records = "DOMAIN,AETERM
        AE,äöü
        AE,abcd
        AE,";
    check_holds(records, "name: AETERM, operator: longer_than, value: 3", &[2]);
    check_holds(records, "name: AETERM, operator: longer_than_or_equal_to, value: 3", &[1, 2]);
    check_holds(records, "name: AETERM, operator: shorter_than, value: 4", &[1]);
    check_holds(records, "name: AETERM, operator: has_equal_length, value: 4", &[2]);
    check_holds(records, "name: AETERM, operator: has_not_equal_length, value: 4", &[1]);
}

#[test]
fn dates_are_compared_by_the_beginning_of_what_they_leave_open() {
    let records = "DOMAIN,AESTDTC,AEENDTC
        AE,2012-11,2012-11-01
        AE,2012-11-02,2012-11-01T10:00
        AE,2012---02,2012-11-01
        AE,,2012-11-01";
    check_holds(records, "name: AESTDTC, operator: date_equal_to, value: AEENDTC", &[1]);
    check_holds(records, "name: AESTDTC, operator: date_greater_than, value: AEENDTC", &[2]);
    check_holds(records, "name: AESTDTC, operator: date_less_than_or_equal_to, value: AEENDTC", &[1]);
    check_holds(records, "name: AESTDTC, operator: is_complete_date", &[2]);
    check_holds(records, "name: AESTDTC, operator: is_incomplete_date", &[1, 3, 4]);
    check_holds(records, "name: AESTDTC, operator: invalid_date", &[4]);
    check_holds("DOMAIN,AEDUR\nAE,P1D\nAE,1 day\nAE,-P1D", "name: AEDUR, operator: invalid_duration", &[2]);
    check_holds(
        "DOMAIN,AEDUR\nAE,P1D\nAE,-P1D",
        "name: AEDUR, operator: invalid_duration, negative: false",
        &[2],
    );
}

#[test]
fn a_combination_that_comes_twice_is_not_unique() {
    let records = "DOMAIN,USUBJID,AESEQ#
        AE,1,1
        AE,1,2
        AE,2,1
        AE,1,1";
    check_holds(records, "name: AESEQ, operator: is_not_unique_set, value: [USUBJID, ABSENT]", &[1, 4]);
    check_holds(records, "name: AESEQ, operator: is_unique_set, value: USUBJID", &[2, 3]);
}

#[test]
fn a_relationship_is_broken_in_either_direction_and_by_a_null_beside_a_value() {
    let records = "DOMAIN,AETERM,AEDECOD
        AE,a,1
        AE,a,2
        AE,b,3
        AE,c,3
        AE,d,4
        AE,e,5
        AE,e,";
    check_holds(
        records,
        "name: AETERM, operator: is_not_unique_relationship, value: AEDECOD",
        &[1, 2, 3, 4, 6, 7],
    );
    check_holds(records, "name: AETERM, operator: is_unique_relationship, value: AEDECOD", &[5]);
}

#[test]
fn the_values_of_a_group_have_to_agree() {
    let records = "DOMAIN,AETEST,AEUNIT
        AE,t,g
        AE,t,g
        AE,t,kg
        AE,u,g";
    check_holds(records, "name: AEUNIT, operator: is_inconsistent_across_dataset, value: AETEST", &[3]);
    check_holds(records, "name: AEUNIT, operator: has_different_values", &[1, 2, 3, 4]);
    check_holds(records, "name: DOMAIN, operator: has_same_values", &[1, 2, 3, 4]);
}

#[test]
fn the_next_record_of_a_group_begins_where_this_one_ends() {
    let records = "DOMAIN,USUBJID,AESEQ#,AESTDTC,AEENDTC
        AE,1,2,b,c
        AE,1,1,a,b
        AE,2,1,a,b
        AE,2,2,x,c";
    let condition = "name: AEENDTC, operator: does_not_have_next_corresponding_record, value: AESTDTC, \
                     within: USUBJID, ordering: AESEQ";
    check_holds(records, condition, &[3]);
}

#[test]
fn a_value_may_be_empty_in_the_last_record_of_a_group_only() {
    let records = "DOMAIN,USUBJID,AESTDTC,AEENDTC
        AE,1,2012-02,
        AE,1,2012-01,
        AE,2,2012-01,";
    let condition =
        "name: AEENDTC, operator: empty_within_except_last_row, value: USUBJID, ordering: AESTDTC";
    check_holds(records, condition, &[2]);
}

#[test]
fn a_value_on_several_rows_of_a_group_is_found() {
    let records = "DOMAIN,USUBJID,AETERM
        AE,1,a
        AE,1,a
        AE,2,a";
    check_holds(records, "name: AETERM, operator: present_on_multiple_rows_within, within: USUBJID", &[1, 2]);
    check_holds(
        records,
        "name: AETERM, operator: not_present_on_multiple_rows_within, within: USUBJID",
        &[3],
    );
}

#[test]
fn a_sequence_has_to_ascend_with_the_dates_and_a_vague_date_has_no_place() {
    let records = "DOMAIN,USUBJID,AESEQ#,AESTDTC
        AE,1,1,2012-01-02
        AE,1,2,2012-01-01
        AE,2,1,2012-01
        AE,2,2,2012-01-05
        AE,3,1,2012-01-01
        AE,3,2,2012-01-02";
    let condition = "name: AESEQ, operator: target_is_not_sorted_by, within: USUBJID, \
                     value: [{name: AESTDTC, sort_order: asc}]";
    check_holds(records, condition, &[1, 2, 3]);
    check_holds(records, "name: AESEQ, operator: is_not_ordered_by", &[2, 5]);
}

#[test]
fn a_gap_in_an_enumeration_is_found() {
    let records = "DOMAIN,AEVAL,AEVAL1,AEVAL2
        AE,a,b,c
        AE,a,,c
        AE,,,";
    check_holds(records, "name: AEVAL, operator: inconsistent_enumerated_columns", &[2]);
}

#[test]
fn existence_is_of_columns_not_of_values() {
    let records = "DOMAIN,AETERM
        AE,";
    check_holds(records, "name: --TERM, operator: exists", &[1]);
    check_holds(records, "name: --DECOD, operator: not_exists", &[1]);
    check_holds(records, "name: --DECOD, operator: exists", &[]);
}
