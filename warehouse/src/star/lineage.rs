//! Where a column of the star comes from in canon.

use super::{StarTable, TABLES};
use crate::contract;

/// Columns whose values are derived, or have another name in canon.
const DERIVED: &[(&str, &[&str])] = &[
    ("dim_site.monitor_pseudonym", &["site.monitor_id"]),
    ("dim_site.pi_pseudonym", &["site.investigator_id"]),
    ("dim_site.site_sk", &["site.site_id"]),
    ("dim_site.site_dk", &["site.site_id"]),
    ("dim_test.test_dk", &["observation.test_code", "lab_result.test_code"]),
    ("dim_visit.visit_dk", &["planned_visit.visit_num"]),
    ("fact_visit.subject_dk", &["visit.subject_id"]),
    ("dim_study.cut_off_date", &["study.data_cutoff_ts", "visit.start_dtc"]),
    ("dim_subject.is_screened", &["subject.subject_id"]),
    ("fact_form.n_items_missing", &["item_value.is_null"]),
    ("fact_form.signed_ts", &["form_instance.signed_ts"]),
    ("fact_lab.subject_dk", &["lab_result.subject_id"]),
    ("fact_lab.x_uln", &["lab_result.std_value", "lab_result.range_high"]),
    ("fact_observation.subject_dk", &["observation.subject_id"]),
    ("fact_observation.last_digit", &["observation.original_result", "observation.std_result"]),
    ("fact_query.days_to_answer", &["query.opened_ts", "query.answered_ts"]),
    ("subject_treatment.actual_arm", &["planned_arm.arm", "subject.actual_arm_code"]),
    ("dim_subject.subject_sk", &["subject.subject_id"]),
    ("dim_subject.subject_dk", &["subject.subject_id"]),
    ("dim_subject.site_sk", &["subject.site_id"]),
    (
        "dim_subject.days_on_study",
        &[
            "subject.time_on_study_days",
            "subject.ref_start_dtc",
            "subject.end_participation_dtc",
            "subject.ref_end_dtc",
            "disposition.start_dtc",
        ],
    ),
    ("dim_subject.is_enrolled", &["subject.status"]),
    ("dim_subject.is_screen_failure", &["subject.status"]),
    ("dim_subject.n_criteria_broken", &["eligibility_result.met", "eligibility_result.category"]),
    ("dim_test.domain", &["observation.domain", "lab_result.test_code"]),
    ("dim_visit.is_scheduled", &["planned_visit.visit_num"]),
    ("dim_visit.visit_order", &["planned_visit.visit_num", "visit.visit_num"]),
    ("fact_ae.subject_dk", &["adverse_event.subject_id"]),
    ("fact_ae.is_related", &["adverse_event.causality"]),
    (
        "fact_ae.emergent",
        &[
            "adverse_event.start_dtc",
            "adverse_event.end_dtc",
            "subject.first_dose_dtc",
            "subject.last_dose_dtc",
            "exposure.start_dtc",
            "exposure.end_dtc",
        ],
    ),
    ("fact_ae.reporting_lag_days", &["adverse_event.first_entered_ts", "adverse_event.start_dtc"]),
    ("fact_form.n_items", &["item_value.form_instance_id"]),
    ("fact_form.n_items_changed", &["item_value.n_changes"]),
    ("fact_lab.test_sk", &["lab_result.test_code"]),
    ("fact_observation.test_sk", &["observation.test_code"]),
    ("fact_visit.visit_sk", &["visit.visit_num"]),
    ("fact_visit.is_missed", &["visit.occurred", "planned_visit.visit_num"]),
];

/// The columns of canon, as `entity.column`, that a column of the star comes from; none where that is not known by the
/// column: then it is the table's entities.
#[must_use]
pub fn canon_columns(table: &str, column: &str) -> Vec<String> {
    let name = format!("{table}.{column}");
    if let Some((_, from)) = DERIVED.iter().find(|(derived, _)| *derived == name) {
        return from.iter().map(|from| (*from).to_owned()).collect();
    }
    // The parts of a partial date: `start_date` and its bounds are from `start_dtc`.
    let stem = ["_date", "_min", "_max", "_prec"].iter().find_map(|part| column.strip_suffix(part));
    let names = [Some(column.to_owned()), stem.map(|stem| format!("{stem}_dtc"))];
    let entities = entities_of(table);
    let has = |entity: &str, column: &str| {
        contract::entity(entity).is_ok_and(|entity| entity.column(column).is_some())
    };
    names
        .iter()
        .flatten()
        .flat_map(|column| {
            entities
                .iter()
                .filter(|entity| has(entity, column))
                .map(move |entity| format!("{entity}.{column}"))
        })
        .collect()
}

/// The entities that a table of the star reads: that of its rows alone, where it has one row for each of them.
#[must_use]
pub fn entities_of(table: &str) -> Vec<&'static str> {
    let star: Option<&StarTable> = TABLES.iter().find(|star| star.name == table);
    star.map_or_else(Vec::new, |star| match star.rows_of {
        Some(entity) => vec![entity],
        None => star.entities.to_vec(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_derived_column_comes_from_columns_that_exist() {
        for (derived, from) in DERIVED {
            let (table, _) = derived.split_once('.').expect("it is `table.column`");
            assert!(TABLES.iter().any(|star| star.name == table), "{derived}");
            for from in *from {
                let (entity, column) = from.split_once('.').expect("it is `entity.column`");
                assert!(
                    contract::entity(entity).expect("it exists").column(column).is_some(),
                    "{derived}: {from}"
                );
            }
        }
    }

    #[test]
    fn a_column_keeps_its_name_unless_it_is_derived() {
        assert_eq!(canon_columns("fact_ae", "serious"), ["adverse_event.serious"]);
        assert_eq!(canon_columns("fact_ae", "start_date"), ["adverse_event.start_dtc"]);
        assert_eq!(canon_columns("fact_ae", "is_related"), ["adverse_event.causality"]);
    }
}
