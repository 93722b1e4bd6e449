//! The datasets of an extract, column by column, with the names that data-capture and trial-management systems
//! use for them. One row type per dataset.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{Field, Schema};

use super::column::{Columns, Day, Double, Int, Kind, Maybe, Moment, Row, Text, Tiny, YesNo};

macro_rules! dataset {
    ($(#[$doc:meta])* $row:ident, $columns:ident, $file:literal { $($column:ident: $kind:ty),* $(,)? }) => {
        $(#[$doc])*
        pub(super) struct $row<'a> {
            $(pub(super) $column: <$kind as Kind>::In<'a>,)*
        }

        #[doc = concat!("The columns of dataset `", $file, "`.")]
        pub(super) struct $columns {
            $($column: <$kind as Kind>::Builder,)*
        }

        impl Columns for $columns {
            const DATASET: &'static str = $file;

            fn empty() -> Self {
                Self { $($column: <$kind as Kind>::builder(),)* }
            }
            fn schema() -> Schema {
                // Foreign files promise no column to be complete.
                Schema::new(vec![$(Field::new(stringify!($column), <$kind as Kind>::data_type(), true),)*])
            }
            fn take(&mut self) -> Vec<ArrayRef> {
                vec![$(Arc::new(self.$column.finish()) as ArrayRef,)*]
            }
        }

        impl<'a> Row for $row<'a> {
            type Columns = $columns;

            fn append(self, columns: &mut $columns) {
                $(<$kind as Kind>::append(&mut columns.$column, self.$column);)*
            }
        }
    };
}

dataset! {
    /// The study itself.
    StudyRow, StudyColumns, "study" {
        protocol_number: Text, nickname: Text, protocol_title: Text, status: Text,
        num_plan_site: Int, num_plan_subj: Int, act_fpfv: Maybe<Day>, est_lplv: Day,
        therapeutic_area: Text, protocol_indication: Text, phase: Text, product: Text,
    }
}

dataset! {
    /// One site.
    SiteRow, SiteColumns, "site" {
        protocol: Text, pi_number: Text, pi_first_name: Text, pi_last_name: Text, site_status: Text,
        site_active_dt: Maybe<Day>, city: Text, state: Text, country: Text, cro: Text, cra: Text,
    }
}

dataset! {
    /// One visit that the protocol asks for. Windows are offsets from the planned day.
    ScheduleRow, ScheduleColumns, "schedule" {
        studyid: Text, visit_num: Double, foldername: Text, planned_day: Int,
        window_lower: Int, window_upper: Int,
    }
}

dataset! {
    /// One screened subject.
    SubjectRow, SubjectColumns, "subj" {
        studyid: Text, invid: Text, country: Text, subjid: Text, subject_nsv: Text,
        enrollyn: Maybe<Text>, enrolldt: Maybe<Day>, timeonstudy: Maybe<Int>,
        firstparticipantdate: Maybe<Day>, firstdosedate: Maybe<Day>, timeontreatment: Maybe<Int>,
        agerep: Int, sex: Text, race: Text, mincreated_dts: Moment,
    }
}

dataset! {
    /// One screened subject, as the enrolment system has it.
    EnrolmentRow, EnrolmentColumns, "enroll" {
        studyid: Text, subjid: Text, subjectid: Text, invid: Text, country: Text,
        enrollyn: Maybe<Text>, enroll_dt: Maybe<Day>,
    }
}

dataset! {
    /// One visit that took place. An unscheduled one has no plan.
    VisitRow, VisitColumns, "visit" {
        studyid: Text, recordid: Text, subjid: Text, invid: Text, foldername: Text, visit_dt: Day, visit_num: Double,
        planned_day: Maybe<Int>, window_lower: Maybe<Int>, window_upper: Maybe<Int>, scheduled: YesNo,
    }
}

dataset! {
    /// One adverse event.
    AdverseEventRow, AdverseEventColumns, "ae" {
        studyid: Text, recordid: Text, subjid: Text, aeser: Text, mdrpt_nsv: Text, mdrsoc_nsv: Text, aetoxgr: Int,
        aeongo: Text, aerel: Text, aest_dt: Day, aeen_dt: Maybe<Day>, mincreated_dts: Moment,
    }
}

dataset! {
    /// One laboratory result.
    LabRow, LabColumns, "lb" {
        studyid: Text, recordid: Text, subjid: Text, visnam: Text, visit_num: Double, lbtestcd: Text, lbtest: Text,
        lbstresn: Maybe<Double>, lbstresu: Text, lbnrlo: Double, lbnrhi: Double, toxgrg_nsv: Maybe<Text>,
        lb_dt: Day,
    }
}

dataset! {
    /// One protocol deviation.
    DeviationRow, DeviationColumns, "pd" {
        studyid: Text, recordid: Text, subjectenrollmentnumber: Text, deemedimportant: YesNo, crocategory: Text,
        description: Text, deviationdate: Moment,
    }
}

dataset! {
    /// One page: a form of a visit, or of a log.
    PageRow, PageColumns, "dataent" {
        studyid: Text, subjectname: Text, pageid: Text, visnam: Text, visit_num: Maybe<Double>, form: Text,
        visit_date: Day, data_entry_lag: Int,
    }
}

dataset! {
    /// One data point.
    PointRow, PointColumns, "datachg" {
        studyid: Text, subjectname: Text, pageid: Text, datapointid: Text, visnam: Text,
        visit_num: Maybe<Double>, form: Text, field: Text, fieldlabel: Text, value: Maybe<Text>,
        unit: Maybe<Text>, visit_date: Day, n_changes: Tiny, changed_dt: Maybe<Day>,
    }
}

dataset! {
    /// One query.
    QueryRow, QueryColumns, "query" {
        studyid: Text, subjectname: Text, queryid: Text, pageid: Text, datapointid: Text, visnam: Text,
        querystatus: Text, queryage: Int, markinggroup: Text, created: Day, answered: Maybe<Day>,
        resolved: Maybe<Day>,
    }
}

dataset! {
    /// One subject who has left the study, or has completed it.
    StudyEndRow, StudyEndColumns, "studcomp" {
        studyid: Text, subjid: Text, invid: Text, compyn: Text, compreas: Maybe<Text>, mincreated_dts: Moment,
    }
}

dataset! {
    /// One subject who has stopped treatment, or has completed it; `phase` is the day.
    TreatmentEndRow, TreatmentEndColumns, "sdrgcomp" {
        studyid: Text, subjid: Text, sdrgyn: Text, phase: Day, mincreated_dts: Moment,
    }
}

dataset! {
    /// One point or result that may be missing, as it is: what an extract withholds.
    TrueValueRow, TrueValueColumns, "values" {
        dataset: Text, recordid: Text, true_value: Text, mechanism: Maybe<Text>, anomaly: Maybe<Text>,
    }
}

dataset! {
    /// One record that an anomaly has changed, made (`present`) or kept from being.
    AffectedRow, AffectedColumns, "affected" {
        anomaly: Text, dataset: Text, recordid: Text, present: YesNo, known_dt: Day,
    }
}

dataset! {
    /// One screened subject with what nobody sees.
    TrueSubjectRow, TrueSubjectColumns, "subjects" {
        subjid: Text, invid: Text, arm: Text, severity: Double, ae_frailty: Double, copy_of: Maybe<Text>,
        moved_dt: Maybe<Day>, moved_to: Maybe<Text>, left_dt: Maybe<Day>, left_because: Maybe<Text>,
    }
}

dataset! {
    /// One site with what makes it unlike the others: shares, days, and factors of mean 1.
    TrueSiteRow, TrueSiteColumns, "sites" {
        invid: Text, country: Text, active_dt: Day, screened: Int, screen_failure: Double, visit_days: Double,
        discontinuation: Double, missing: Double, adverse_events: Double, deviations: Double, entry_lag: Double,
        changes: Double, queries: Double,
    }
}
