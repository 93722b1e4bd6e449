//! What is measured on a subject: VS, QS and LB.

use chrono::NaiveDate;

use super::super::error::SimulateError;
use super::super::history::{Lab, Page, Value};
use super::super::lab::TESTS;
use super::Sdtm;
use super::subject_rows::{View, last_before_dose};
use super::table::Cell;

pub(super) fn write(view: &View<'_>, sdtm: &mut Sdtm) -> Result<(), SimulateError> {
    write_vital_signs(view, sdtm)?;
    write_questionnaires(view, sdtm)?;
    write_labs(view, sdtm)
}

/// One measured item.
struct Finding<'a> {
    test: &'a str,
    name: &'a str,
    unit: &'static str,
    value: Option<Value>,
    page: &'a Page<'a>,
}

fn findings<'a>(view: &View<'a>, form: &'static str) -> Vec<Finding<'a>> {
    let mut found = Vec::new();
    for page in view.pages(form) {
        for (field, point) in page.form.fields.iter().zip(&page.points) {
            found.push(Finding {
                test: &field.code,
                name: &field.label,
                unit: field.unit.unwrap_or(""),
                value: point.on_record(view.as_of),
                page,
            });
        }
    }
    found
}

const NOT_DONE: &str = "NOT DONE";

fn status(is_missing: bool) -> Cell<'static> {
    if is_missing { NOT_DONE.into() } else { Cell::Missing }
}

fn flag(is_last: bool) -> Cell<'static> {
    if is_last { "Y".into() } else { Cell::Missing }
}

fn write_vital_signs(view: &View<'_>, sdtm: &mut Sdtm) -> Result<(), SimulateError> {
    let found = findings(view, "VS");
    let records = found.iter().map(|finding| (finding.test, finding.page.date, finding.value.is_some()));
    let last = last_before_dose(view, records);
    for (number, (place, Finding { test, name, unit, value, page })) in
        (1_i64..).zip(found.iter().enumerate())
    {
        let text = value.map(|value| value.to_string());
        let unit_of_result = value.map(|_| *unit);
        let rest = [
            number.into(),
            (*test).into(),
            (*name).into(),
            text.clone().into(),
            unit_of_result.into(),
            text.into(),
            value.and_then(Value::number).into(),
            unit_of_result.into(),
            status(value.is_none()),
            flag(last.get(test) == Some(&place)),
        ];
        let visit = visit_cells(view, page);
        sdtm.vs.push(&view.keys("VS").into_iter().chain(rest).chain(visit).collect::<Vec<_>>())?;
    }
    Ok(())
}

fn write_questionnaires(view: &View<'_>, sdtm: &mut Sdtm) -> Result<(), SimulateError> {
    for (number, Finding { test, name, value, page, .. }) in (1_i64..).zip(findings(view, "QS")) {
        let text = value.map(|value| value.to_string());
        let rest = [
            number.into(),
            test.into(),
            name.into(),
            "DAILY LIFE QUESTIONNAIRE".into(),
            text.clone().into(),
            text.into(),
            value.and_then(Value::number).into(),
            status(value.is_none()),
        ];
        let visit = visit_cells(view, page);
        sdtm.qs.push(&view.keys("QS").into_iter().chain(rest).chain(visit).collect::<Vec<_>>())?;
    }
    Ok(())
}

/// Visit number, name, date and study day.
fn visit_cells<'a>(view: &View<'_>, page: &Page<'_>) -> [Cell<'a>; 4] {
    let number = page.visit_number.into();
    [number, page.visit.to_uppercase().into(), page.date.into(), view.day(page.date).into()]
}

fn write_labs(view: &View<'_>, sdtm: &mut Sdtm) -> Result<(), SimulateError> {
    let received: Vec<&Lab> = view.history.labs.iter().filter(|lab| lab.received <= view.as_of).collect();
    let records = received.iter().map(|lab| (TESTS[lab.test].code, lab.collected, lab.missing.is_none()));
    let last = last_before_dose(view, records);
    for (number, (place, lab)) in (1_i64..).zip(received.iter().enumerate()) {
        let (test, visit) = (&TESTS[lab.test], &view.history.visits[lab.visit]);
        let result = lab.missing.is_none().then_some(lab.reported);
        let (low, high) = test.range();
        let text = result.map(|result| result.to_string());
        let unit = result.map(|_| test.unit);
        let date: NaiveDate = lab.collected;
        let rest: [Cell<'_>; 15] = [
            number.into(),
            test.code.into(),
            test.name.into(),
            text.clone().into(),
            unit.into(),
            text.into(),
            result.into(),
            unit.into(),
            low.into(),
            high.into(),
            result.map(|result| indicator(result, low, high)).into(),
            status(result.is_none()),
            flag(last.get(test.code) == Some(&place)),
            result.and_then(|result| test.grade(result)).into(),
            visit.number.into(),
        ];
        let visit = [visit.name.to_uppercase().into(), date.into(), view.day(date).into()];
        sdtm.lb.push(&view.keys("LB").into_iter().chain(rest).chain(visit).collect::<Vec<_>>())?;
    }
    Ok(())
}

fn indicator(result: f64, low: f64, high: f64) -> &'static str {
    if result < low {
        "LOW"
    } else if result > high {
        "HIGH"
    } else {
        "NORMAL"
    }
}
