//! The pages of a visit: what is asked, and what subjects' bodies and questionnaires answer.

use super::draw::{Draw, whole};
use super::error::SimulateError;
use super::extract::Extract;
use super::page::{Desk, Field, Form, Page};
use super::subject::{Enrolment, Subject};
use super::visit::Visit;

const DEMOGRAPHY: Form = Form {
    code: "DM",
    fields: &[
        required("AGE", "Age", Some("years")),
        required("SEX", "Sex", None),
        required("RACE", "Race", None),
    ],
};

const ELIGIBILITY: Form = Form {
    code: "IE",
    fields: &[required("ICDAT", "Consent date", None), required("IEMET", "All criteria met", None)],
};

const VITAL_SIGNS: Form = Form {
    code: "VS",
    fields: &[
        item("SYSBP", "Systolic blood pressure", Some("mmHg")),
        item("DIABP", "Diastolic blood pressure", Some("mmHg")),
        item("PULSE", "Pulse", Some("beats/min")),
        item("TEMP", "Temperature", Some("C")),
        item("WEIGHT", "Weight", Some("kg")),
    ],
};

const LABORATORY: Form = Form {
    code: "LB",
    fields: &[
        item("LBPERF", "Sample taken", None),
        item("LBDAT", "Sample date", None),
        item("LBFAST", "Fasting", None),
    ],
};

const QUESTIONNAIRE: Form = Form {
    code: "QS",
    fields: &[
        item("QS01", "Walking", None),
        item("QS02", "Self-care", None),
        item("QS03", "Daily life", None),
        item("QS04", "Pain", None),
        item("QS05", "Sleep", None),
        item("QS06", "Worry", None),
    ],
};

const EXPOSURE: Form = Form {
    code: "EX",
    fields: &[
        item("EXDOSE", "Dose", Some("mg")),
        item("EXTAKEN", "Tablets taken", Some("tablets")),
        item("EXRET", "Tablets returned", Some("tablets")),
    ],
};

const fn item(code: &'static str, label: &'static str, unit: Option<&'static str>) -> Field {
    Field { code, label, unit, may_lack: true }
}

const fn required(code: &'static str, label: &'static str, unit: Option<&'static str>) -> Field {
    Field { code, label, unit, may_lack: false }
}

/// The levels that a subject's values move around.
struct Body {
    systolic: f64,
    diastolic: f64,
    pulse: f64,
    weight: f64,
    complaint: f64,
}

impl Body {
    fn draw(subject: &Subject<'_>, draw: &mut Draw) -> Self {
        let pressure = draw.normal();
        let heavier = if subject.sex == "M" { 12.0 } else { 0.0 };
        Self {
            systolic: 130.0 + 0.3 * (subject.age - 52) as f64 + 12.0 * pressure,
            diastolic: 80.0 + 5.0 * pressure + 5.0 * draw.normal(),
            pulse: 72.0 + 8.0 * draw.normal(),
            weight: 74.0 + heavier + 12.0 * draw.normal(),
            complaint: draw.normal(),
        }
    }

    /// What the subject's items of a form are at a visit.
    fn values(&self, form: &Form, subject: &Subject<'_>, visit: &Visit, draw: &mut Draw) -> Vec<String> {
        match form.code {
            "DM" => vec![subject.age.to_string(), subject.sex.to_owned(), subject.race.to_owned()],
            "IE" => {
                let met = matches!(subject.enrolment, Enrolment::Enrolled(_));
                vec![visit.date.to_string(), if met { "Y" } else { "N" }.to_owned()]
            }
            "VS" => vec![
                whole(self.systolic + 7.0 * draw.normal()).clamp(70, 240).to_string(),
                whole(self.diastolic + 5.0 * draw.normal()).clamp(40, 140).to_string(),
                whole(self.pulse + 6.0 * draw.normal()).clamp(35, 180).to_string(),
                format!("{:.1}", 36.6 + 0.3 * draw.normal()),
                format!("{:.1}", self.weight.max(35.0)),
            ],
            "LB" => {
                let fasting = if draw.chance(0.8) { "Y" } else { "N" };
                vec!["Y".to_owned(), visit.date.to_string(), fasting.to_owned()]
            }
            "QS" => {
                let mut answer =
                    || whole(1.5 + 0.9 * self.complaint + 0.8 * draw.normal()).clamp(0, 4).to_string();
                (0..form.fields.len()).map(|_| answer()).collect()
            }
            _ => {
                let returned = draw.poisson(2.0).min(28);
                vec!["50".to_owned(), (28 - returned).to_string(), returned.to_string()]
            }
        }
    }
}

/// Enters the pages of every visit. Those that the extract does not know yet are drawn as well, so that a
/// later cut-off adds pages and changes none.
pub(super) fn write(
    subject: &Subject<'_>,
    desk: &mut Desk<'_>,
    extract: &mut Extract,
) -> Result<(), SimulateError> {
    let mut draw = subject.stream("measurements");
    let mut body = Body::draw(subject, &mut draw);
    for visit in &subject.visits {
        body.weight += 0.6 * draw.normal();
        for form in forms(subject, visit) {
            let values = body.values(form, subject, visit, &mut draw);
            let page =
                Page { form, visit: &visit.name, visit_number: Some(visit.number), date: visit.date, values };
            desk.enter(&page, extract)?;
        }
    }
    Ok(())
}

/// The forms due at a visit. Treatment is asked for while it lasts.
fn forms(subject: &Subject<'_>, visit: &Visit) -> Vec<&'static Form> {
    const SCREENING: &str = "Screening";
    if visit.name == SCREENING {
        return vec![&DEMOGRAPHY, &ELIGIBILITY, &VITAL_SIGNS, &LABORATORY];
    }
    let mut forms = vec![&VITAL_SIGNS, &LABORATORY];
    if visit.planned.is_some() {
        forms.push(&QUESTIONNAIRE);
        match subject.enrolment {
            Enrolment::Enrolled(course) if visit.date <= course.treatment_end => forms.push(&EXPOSURE),
            _ => {}
        }
    }
    forms
}
