//! What is counted of each fact by subject: the numbers that the indicators relate.

use crate::indicators::fact::{Beside, Fact};
use crate::indicators::rule::Count::{Any, Capped, Earliest, Rows, Sum};
use crate::indicators::rule::Holds::{
    self, Above, All, Always, Among, AtLeast, Before, Either, Equals, Like, No, NotAmong, Since, Told,
    Untold, Yes,
};

/// It was sent to the site, whatever became of it.
const ASKED: Holds = Among("state", &["OPEN", "ANSWERED", "CLOSED"]);
const IS_ANSWERED: Holds = All(&[ASKED, AtLeast("days_to_answer", 0)]);
const IS_RECENT: Holds = All(&[AtLeast("entry_lag_days", 0), Since("event_date", 90)]);
const IS_LEAVING: Holds =
    All(&[Among("category", &["DISPOSITION EVENT"]), NotAmong("decoded", &["COMPLETED", "SCREEN FAILURE"])]);
const IS_DEATH: Holds = All(&[IS_LEAVING, Like("decoded", &["%DEATH%"])]);
const IS_DUE: Holds = All(&[Yes("is_required"), Equals("visit_repeat", 0)]);

const fn says(patterns: &'static [&'static str]) -> [Holds; 2] {
    [Like("category", patterns), Like("term", patterns)]
}

const ELIGIBILITY: [Holds; 2] = says(&["%INCLUSION%", "%EXCLUSION%", "%ELIGIB%"]);
const DOSING: [Holds; 2] = says(&["%DOSE%", "%DOSING%", "%STUDY TREATMENT%", "%STUDY DRUG%"]);
const CONSENT: [Holds; 2] = says(&["%CONSENT%"]);
const PROHIBITED: [Holds; 2] = says(&["%PROHIBITED%", "%DISALLOWED%", "%CONCOMITANT%"]);

pub(super) const FACTS: [Fact; 7] = [
    Fact {
        name: "ae",
        table: "fact_ae",
        beside: None,
        counts: &[
            ("n_ae", Rows(Always)),
            ("n_sae", Rows(Yes("serious"))),
            ("n_special", Rows(Yes("of_special_interest"))),
            ("n_special_told", Rows(Told("of_special_interest"))),
            ("n_lags", Rows(Told("reporting_lag_days"))),
            ("n_ae_late", Rows(Above("reporting_lag_days", 10))),
            ("n_sae_lags", Rows(All(&[Yes("serious"), Told("reporting_lag_days")]))),
            ("n_sae_late", Rows(All(&[Yes("serious"), Above("reporting_lag_days", 1)]))),
            ("interrupted", Any(Among("action_taken", &["DRUG INTERRUPTED"]))),
            ("n_actions_told", Rows(Told("action_taken"))),
        ],
    },
    Fact {
        name: "deviation",
        table: "fact_deviation",
        beside: None,
        counts: &[
            ("n_deviations", Rows(Always)),
            ("n_important", Rows(Yes("important"))),
            ("n_not_important", Rows(No("important"))),
            ("ineligible", Any(All(&[Yes("important"), Either(&ELIGIBILITY)]))),
            ("misdosed", Any(Either(&DOSING))),
            ("consent_defect", Any(Either(&CONSENT))),
            ("prohibited", Any(Either(&PROHIBITED))),
        ],
    },
    Fact {
        name: "disposition",
        table: "fact_disposition",
        beside: None,
        counts: &[
            (
                "n_study_told",
                Rows(All(&[Among("scope", &["STUDY"]), Among("category", &["DISPOSITION EVENT"])])),
            ),
            ("n_treatment_told", Rows(Among("scope", &["TREATMENT"]))),
            ("left_study", Any(All(&[IS_LEAVING, Among("scope", &["STUDY"])]))),
            ("left_treatment", Any(All(&[IS_LEAVING, Among("scope", &["TREATMENT"])]))),
            (
                "withdrew",
                Any(All(&[
                    IS_LEAVING,
                    Like("decoded", &["%WITHDR%SUBJECT%", "%WITHDR%CONSENT%", "%CONSENT WITHDR%"]),
                ])),
            ),
            ("lost", Any(All(&[IS_LEAVING, Like("decoded", &["LOST TO FOLLOW%"])]))),
            ("left_for_ae", Any(All(&[IS_LEAVING, Like("decoded", &["ADVERSE EVENT%"])]))),
            ("died", Any(IS_DEATH)),
            ("died_date", Earliest(IS_DEATH, "start_date")),
            ("n_reasons", Rows(All(&[IS_LEAVING, NotAmong("decoded", &["DISCONTINUED", "NOT STATED"])]))),
        ],
    },
    Fact {
        name: "query",
        table: "fact_query",
        beside: None,
        counts: &[
            ("n_queries_told", Rows(Always)),
            ("n_queries", Rows(ASKED)),
            ("n_overdue", Rows(All(&[ASKED, Above("age_days", 30)]))),
            ("n_unclosed", Rows(Among("state", &["ANSWERED"]))),
            ("n_system", Rows(All(&[ASKED, Among("type", &["SYSTEM"])]))),
            ("n_answered", Rows(IS_ANSWERED)),
            ("answer_days", Capped(IS_ANSWERED, "days_to_answer", 90)),
        ],
    },
    Fact {
        name: "page",
        table: "fact_form",
        beside: None,
        counts: &[
            ("n_pages", Rows(No("is_inferred"))),
            ("n_late", Rows(All(&[No("is_inferred"), Above("entry_lag_days", 10)]))),
            ("n_late_5", Rows(All(&[No("is_inferred"), Above("entry_lag_days", 5)]))),
            ("n_recent", Rows(IS_RECENT)),
            ("recent_lag_days", Capped(IS_RECENT, "entry_lag_days", 60)),
            ("n_points", Sum("n_items")),
            ("n_changed", Sum("n_items_changed")),
            ("n_missing", Sum("n_items_missing")),
            ("n_to_verify", Rows(Among("sdv_status", &["REQUIRED", "PARTIAL", "VERIFIED"]))),
            (
                "n_unverified",
                Rows(All(&[Among("sdv_status", &["REQUIRED", "PARTIAL"]), Before("event_date", 60)])),
            ),
            ("n_submitted", Rows(Among("status", &["SUBMITTED"]))),
            ("n_unsigned", Rows(All(&[Among("status", &["SUBMITTED"]), Untold("signed_ts")]))),
            ("n_signed", Rows(Told("signed_ts"))),
        ],
    },
    Fact {
        name: "visit",
        table: "fact_visit",
        beside: Some(Beside { table: "dim_visit", key: "visit_sk", column: "is_required" }),
        counts: &[
            ("n_visits", Rows(Yes("occurred"))),
            ("first_visit_date", Earliest(Yes("occurred"), "start_date")),
            ("n_due", Rows(All(&[IS_DUE, Either(&[Yes("occurred"), Yes("is_missed")])]))),
            ("n_missed", Rows(All(&[IS_DUE, Yes("is_missed")]))),
            ("n_windows", Rows(Among("window_status", &["IN", "EARLY", "LATE"]))),
            ("n_outside", Rows(Among("window_status", &["EARLY", "LATE"]))),
        ],
    },
    Fact {
        name: "result",
        table: "mart_subject_results",
        beside: None,
        counts: &[
            ("n_grade_3_4", Sum("n_grade_3_4")),
            ("n_graded", Sum("n_graded")),
            ("n_assessments", Sum("n_assessments")),
            ("n_empty", Sum("n_empty")),
            ("n_samples_due", Sum("n_samples_due")),
            ("n_samples", Sum("n_samples")),
        ],
    },
];
