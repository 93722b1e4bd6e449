//! The case-report form: which questions are on which page.

use std::borrow::Cow;

use super::plan::Protocol;

/// A form of the case-report form.
pub(super) struct Form {
    /// Its name, which is also the SDTM domain that it feeds.
    pub(super) code: &'static str,
    pub(super) fields: Vec<Field>,
}

/// A question of a form.
pub(super) struct Field {
    pub(super) code: Cow<'static, str>,
    pub(super) label: Cow<'static, str>,
    pub(super) unit: Option<&'static str>,
    /// Whether it is left empty now and then.
    pub(super) may_lack: bool,
}

/// All forms.
pub(super) struct Forms {
    pub(super) demography: Form,
    pub(super) eligibility: Form,
    pub(super) medical_history: Form,
    pub(super) medication: Form,
    pub(super) vital_signs: Form,
    pub(super) laboratory: Form,
    pub(super) questionnaire: Form,
    pub(super) exposure: Form,
    pub(super) adverse_event: Form,
    pub(super) end_of_study: Form,
}

impl Forms {
    /// The forms of a protocol.
    pub(super) fn new(protocol: &Protocol) -> Self {
        Self {
            demography: form(
                "DM",
                &[("AGE", "Age", Some("years")), ("SEX", "Sex", None), ("RACE", "Race", None)],
            ),
            eligibility: form("IE", &[("ICDAT", "Consent date", None), ("IEMET", "All criteria met", None)]),
            medical_history: form("MH", &[("MHTERM", "Condition", None), ("MHSTDAT", "Since", None)]),
            medication: form("CM", &[("CMTRT", "Medicine", None), ("CMDOSE", "Dose", Some("mg"))]),
            vital_signs: form(
                "VS",
                &[
                    ("SYSBP", "Systolic blood pressure", Some("mmHg")),
                    ("DIABP", "Diastolic blood pressure", Some("mmHg")),
                    ("PULSE", "Pulse", Some("beats/min")),
                    ("TEMP", "Temperature", Some("C")),
                    ("WEIGHT", "Weight", Some("kg")),
                ],
            )
            .optional(),
            laboratory: form(
                "LB",
                &[
                    ("LBPERF", "Sample taken", None),
                    ("LBDAT", "Sample date", None),
                    ("LBFAST", "Fasting", None),
                ],
            )
            .optional(),
            questionnaire: Form { code: "QS", fields: questions(protocol.questionnaire_items) },
            exposure: form(
                "EX",
                &[
                    ("EXDOSE", "Dose", Some("mg")),
                    ("EXTAKEN", "Tablets taken", Some("tablets")),
                    ("EXRET", "Tablets returned", Some("tablets")),
                ],
            )
            .optional(),
            adverse_event: form(
                "AE",
                &[
                    ("AETERM", "What happened", None),
                    ("AETOXGR", "Grade", None),
                    ("AESER", "Serious", None),
                    ("AESTDAT", "First day", None),
                    ("AEREL", "Related to treatment", None),
                ],
            ),
            end_of_study: form(
                "DS",
                &[("DSCOMP", "Study completed", None), ("DSREAS", "Reason for leaving", None)],
            ),
        }
    }
}

impl Form {
    /// The same form, whose questions are left empty now and then.
    fn optional(mut self) -> Self {
        for field in &mut self.fields {
            field.may_lack = true;
        }
        self
    }
}

type Question = (&'static str, &'static str, Option<&'static str>);

fn form(code: &'static str, fields: &[Question]) -> Form {
    let field = |&(code, label, unit): &Question| Field {
        code: Cow::Borrowed(code),
        label: Cow::Borrowed(label),
        unit,
        may_lack: false,
    };
    Form { code, fields: fields.iter().map(field).collect() }
}

fn questions(count: u32) -> Vec<Field> {
    const LABELS: [&str; 6] = ["Walking", "Self-care", "Daily life", "Pain", "Sleep", "Worry"];
    let label = |number: u32| match LABELS.get(number as usize - 1) {
        Some(label) => Cow::Borrowed(*label),
        None => Cow::Owned(format!("Question {number}")),
    };
    let field = |number: u32| Field {
        code: Cow::Owned(format!("QS{number:02}")),
        label: label(number),
        unit: None,
        may_lack: true,
    };
    (1..=count).map(field).collect()
}
