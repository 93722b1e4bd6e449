//! What happens to a subject: DM, SE, SV, DS, EX, AE, MH, CM, DV, IE and their supplemental qualifiers.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::super::calendar::after;
use super::super::error::SimulateError;
use super::super::history::{Cause, Course, Enrolment, Event, History, Page, Value};
use super::super::subject::Arm;
use super::super::words::{CONDITIONS, CRITERIA, MEDICINES};
use super::Sdtm;
use super::table::Cell;
use super::trial::{SCREENING, treatment};

/// What is known of a subject at the cut-off.
pub(super) struct View<'a> {
    pub(super) history: &'a History<'a>,
    pub(super) study: &'a str,
    pub(super) usubjid: String,
    pub(super) as_of: NaiveDate,
    pub(super) course: Option<Course>,
}

impl<'a> View<'a> {
    pub(super) fn new(history: &'a History<'a>) -> Self {
        let plan = history.subject.world.plan;
        Self {
            history,
            study: plan.study.as_str(),
            usubjid: format!("{}-{}", plan.study, history.subject.id),
            as_of: plan.cut_off,
            course: history.course(plan.cut_off),
        }
    }

    /// The study day: there is no day 0, and none without a first dose.
    pub(super) fn day(&self, date: NaiveDate) -> Option<i64> {
        let reference = self.course?.baseline;
        let days = (date - reference).num_days();
        Some(if days >= 0 { days + 1 } else { days })
    }

    /// The columns that every row of a subject begins with.
    pub(super) fn keys<'b>(&'b self, domain: &'b str) -> [Cell<'b>; 3] {
        [self.study.into(), domain.into(), self.usubjid.as_str().into()]
    }

    /// The pages of a form that have been entered.
    pub(super) fn pages(&self, form: &'static str) -> impl Iterator<Item = &'a Page<'a>> {
        let as_of = self.as_of;
        self.history.pages.iter().filter(move |page| page.form.code == form && page.entered.date() <= as_of)
    }

    fn known(&self, date: NaiveDate) -> Option<NaiveDate> {
        Some(date).filter(|date| *date <= self.as_of)
    }

    fn epoch(&self, date: NaiveDate) -> &'static str {
        match self.course {
            Some(course) if date >= course.baseline && date <= course.end => "TREATMENT",
            Some(course) if date > course.end => "FOLLOW-UP",
            _ => "SCREENING",
        }
    }

    /// The end of the stay, once it has been entered.
    fn end(&self) -> Option<Course> {
        let entered = self.history.study_end_entered?;
        self.course.filter(|_| entered.date() <= self.as_of)
    }
}

pub(super) fn write(view: &View<'_>, sdtm: &mut Sdtm) -> Result<(), SimulateError> {
    write_demographics(view, sdtm)?;
    write_elements(view, sdtm)?;
    write_visits(view, sdtm)?;
    write_disposition(view, sdtm)?;
    write_exposure(view, sdtm)?;
    write_events(view, sdtm)?;
    write_background(view, sdtm)?;
    write_deviations(view, sdtm)?;
    write_criteria(view, sdtm)
}

fn row<'a, const N: usize>(keys: [Cell<'a>; 3], rest: [Cell<'a>; N]) -> Vec<Cell<'a>> {
    keys.into_iter().chain(rest).collect()
}

fn write_demographics(view: &View<'_>, sdtm: &mut Sdtm) -> Result<(), SimulateError> {
    let (subject, course) = (&view.history.subject, view.course);
    let end = view.end();
    let death = end.filter(|course| course.departure == Some(Cause::Death)).map(|course| course.end);
    let (arm_code, arm) = course.map_or(("", ""), |_| (subject.arm.code(), subject.arm.name()));
    let no_arm = match view.history.enrolment {
        Enrolment::Failed(day) if day <= view.as_of => "SCREEN FAILURE",
        _ if course.is_none() => "NOT ASSIGNED",
        _ => "",
    };
    let site = view.history.site_on(view.as_of);
    let participation = end.map(|course| course.end).or(match view.history.enrolment {
        Enrolment::Failed(day) => view.known(day),
        Enrolment::Enrolled(_) => None,
    });
    let first_dose = course.map(|course| course.baseline);
    let last_dose = course.and_then(|course| view.known(course.treatment_end));
    let investigator = format!("{} {}", site.investigator.0, site.investigator.1);
    let race = match subject.race {
        "White" => "WHITE",
        "Asian" => "ASIAN",
        "Black" => "BLACK OR AFRICAN AMERICAN",
        _ => "OTHER",
    };
    sdtm.dm.push(&row(
        view.keys("DM"),
        [
            subject.id.as_str().into(),
            first_dose.into(),
            last_dose.into(),
            first_dose.into(),
            last_dose.into(),
            view.history.consent.into(),
            participation.into(),
            death.into(),
            death.map(|_| "Y").into(),
            site.id.as_str().into(),
            site.id.as_str().into(),
            investigator.into(),
            subject.age.into(),
            "YEARS".into(),
            subject.sex.into(),
            race.into(),
            arm_code.into(),
            arm.into(),
            arm_code.into(),
            arm.into(),
            no_arm.into(),
            site.country.code.into(),
            subject.screened.into(),
            view.day(subject.screened).into(),
        ],
    ))?;
    let Some(course) = end else { return Ok(()) };
    let completed = if course.departure.is_none() { "Y" } else { "N" };
    let cells = ["", "", "COMPLT", "Completed the Study", completed, "CRF", ""].map(Cell::from);
    sdtm.suppdm.push(&row(view.keys("DM"), cells))
}

fn write_elements(view: &View<'_>, sdtm: &mut Sdtm) -> Result<(), SimulateError> {
    let subject = &view.history.subject;
    let screening_end = match view.history.enrolment {
        Enrolment::Failed(day) => view.known(day),
        Enrolment::Enrolled(course) => view.known(course.baseline),
    };
    let mut elements = vec![(SCREENING, subject.screened, screening_end)];
    elements.extend(
        view.course
            .map(|course| (treatment(subject.arm), course.baseline, view.end().map(|course| course.end))),
    );
    for (order, (element, start, end)) in (1_i64..).zip(elements) {
        sdtm.se.push(&row(
            view.keys("SE"),
            [
                order.into(),
                element.code.into(),
                element.name.into(),
                start.into(),
                end.into(),
                order.into(),
                element.epoch.into(),
            ],
        ))?;
    }
    Ok(())
}

fn write_visits(view: &View<'_>, sdtm: &mut Sdtm) -> Result<(), SimulateError> {
    for visit in view.history.visits.iter().filter(|visit| visit.entered.date() <= view.as_of) {
        let day = view.day(visit.date);
        let unplanned = visit.planned.is_none().then_some("CALLED BACK BY THE SITE");
        sdtm.sv.push(&row(
            view.keys("SV"),
            [
                visit.number.into(),
                visit.name.to_uppercase().into(),
                visit.planned.map(|due| due.day).into(),
                visit.date.into(),
                visit.date.into(),
                day.into(),
                day.into(),
                unplanned.into(),
            ],
        ))?;
    }
    Ok(())
}

fn write_disposition(view: &View<'_>, sdtm: &mut Sdtm) -> Result<(), SimulateError> {
    const MILESTONE: &str = "PROTOCOL MILESTONE";
    const EVENT: &str = "DISPOSITION EVENT";
    let mut events = vec![(view.history.consent, "INFORMED CONSENT OBTAINED", MILESTONE, "")];
    if let Enrolment::Failed(day) = view.history.enrolment {
        events.push((day, "SCREEN FAILURE", EVENT, "STUDY PARTICIPATION"));
    }
    events.extend(view.course.map(|course| (course.baseline, "RANDOMIZED", MILESTONE, "")));
    let treatment_ended =
        view.history.treatment_end_entered.is_some_and(|entered| entered.date() <= view.as_of);
    if let Some(course) = view.course.filter(|_| treatment_ended) {
        let stopped = course.departure.map_or("PHYSICIAN DECISION", Cause::term);
        let term = if course.treatment_completed { "COMPLETED" } else { stopped };
        events.push((course.treatment_end, term, EVENT, "STUDY TREATMENT"));
    }
    if let Some(course) = view.end() {
        let term = course.departure.map_or("COMPLETED", Cause::term);
        events.push((course.end, term, EVENT, "STUDY PARTICIPATION"));
    }
    let known = events.into_iter().filter(|(date, ..)| *date <= view.as_of);
    for (number, (date, term, category, subcategory)) in (1_i64..).zip(known) {
        sdtm.ds.push(&row(
            view.keys("DS"),
            [
                number.into(),
                term.into(),
                term.into(),
                category.into(),
                subcategory.into(),
                view.epoch(date).into(),
                date.into(),
                view.day(date).into(),
            ],
        ))?;
    }
    Ok(())
}

/// One interval of exposure for each bottle: from a visit to the day before the next, or to the last dose.
fn write_exposure(view: &View<'_>, sdtm: &mut Sdtm) -> Result<(), SimulateError> {
    let Some(course) = view.course else { return Ok(()) };
    let planned = view.history.visits.iter().filter(|visit| visit.planned.is_some());
    let dispensed: Vec<NaiveDate> = planned
        .map(|visit| visit.date)
        .filter(|date| *date >= course.baseline && *date < course.treatment_end.min(view.as_of))
        .collect();
    let dose = if view.history.subject.arm == Arm::Active { 50.0 } else { 0.0 };
    for (number, (place, start)) in (1_i64..).zip(dispensed.iter().enumerate()) {
        let end = dispensed.get(place + 1).map_or(course.treatment_end, |next| after(*next, -1));
        let end = view.known(end);
        sdtm.ex.push(&row(
            view.keys("EX"),
            [
                number.into(),
                view.history.subject.arm.name().into(),
                dose.into(),
                "mg".into(),
                "TABLET".into(),
                "QD".into(),
                "ORAL".into(),
                "TREATMENT".into(),
                (*start).into(),
                end.into(),
                view.day(*start).into(),
                end.and_then(|end| view.day(end)).into(),
            ],
        ))?;
    }
    Ok(())
}

fn write_events(view: &View<'_>, sdtm: &mut Sdtm) -> Result<(), SimulateError> {
    let yes_no = |yes: bool| if yes { "Y" } else { "N" };
    let entered = view.history.events.iter().filter(|event| event.entered.date() <= view.as_of);
    for (number, event) in (1_i64..).zip(entered) {
        let end = view.known(event.end);
        let term = event.term.to_uppercase();
        sdtm.ae.push(&row(
            view.keys("AE"),
            [
                number.into(),
                event.id.as_str().into(),
                term.clone().into(),
                term.into(),
                event.area.to_uppercase().into(),
                yes_no(event.serious).into(),
                if event.related { "RELATED" } else { "NOT RELATED" }.into(),
                outcome(event, end).into(),
                yes_no(event.fatal).into(),
                event.grade.to_string().into(),
                view.epoch(event.onset).into(),
                event.onset.into(),
                end.into(),
                view.day(event.onset).into(),
                end.and_then(|end| view.day(end)).into(),
            ],
        ))?;
        // Events begin at the first dose at the earliest, so that each is treatment emergent.
        let number = number.to_string();
        let cells = ["AESEQ", &number, "AETRTEM", "Treatment Emergent Flag", "Y", "DERIVED", "SPONSOR"];
        sdtm.suppae.push(&row(view.keys("AE"), cells.map(Cell::from)))?;
    }
    Ok(())
}

fn outcome(event: &Event, end: Option<NaiveDate>) -> &'static str {
    match end {
        _ if event.fatal => "FATAL",
        Some(_) => "RECOVERED/RESOLVED",
        None => "NOT RECOVERED/NOT RESOLVED",
    }
}

fn write_background(view: &View<'_>, sdtm: &mut Sdtm) -> Result<(), SimulateError> {
    for (number, page) in (1_i64..).zip(view.pages("MH")) {
        let [Value::Text(term), Value::Day(since)] = [page.points[0].recorded, page.points[1].recorded]
        else {
            continue;
        };
        let area =
            CONDITIONS.iter().find(|(condition, _)| *condition == term).map(|(_, area)| area.to_uppercase());
        let cells = [
            number.into(),
            term.into(),
            term.into(),
            area.into(),
            page.date.into(),
            since.into(),
            view.day(since).into(),
        ];
        sdtm.mh.push(&row(view.keys("MH"), cells))?;
    }
    for (number, page) in (1_i64..).zip(view.pages("CM")) {
        let Value::Text(medicine) = page.points[0].recorded else { continue };
        let found = MEDICINES.iter().find(|(name, ..)| *name == medicine);
        sdtm.cm.push(&row(
            view.keys("CM"),
            [
                number.into(),
                medicine.into(),
                medicine.into(),
                found.map_or("", |(_, _, indication)| indication).into(),
                page.points[1].recorded.number().into(),
                "mg".into(),
                "BEFORE".into(),
                "AFTER".into(),
            ],
        ))?;
    }
    Ok(())
}

fn write_deviations(view: &View<'_>, sdtm: &mut Sdtm) -> Result<(), SimulateError> {
    let recorded = view.history.deviations.iter().filter(|deviation| deviation.recorded <= view.as_of);
    for (number, deviation) in (1_i64..).zip(recorded) {
        let date = deviation.date.date();
        sdtm.dv.push(&row(
            view.keys("DV"),
            [
                number.into(),
                deviation.id.as_str().into(),
                deviation.description.to_uppercase().into(),
                deviation.category.to_uppercase().into(),
                if deviation.important { "MAJOR" } else { "MINOR" }.into(),
                view.epoch(date).into(),
                date.into(),
                view.day(date).into(),
            ],
        ))?;
    }
    Ok(())
}

/// The criterion that an enrolled subject breaks.
fn write_criteria(view: &View<'_>, sdtm: &mut Sdtm) -> Result<(), SimulateError> {
    let Some(broken) = view.history.broken_criterion.filter(|_| view.course.is_some()) else { return Ok(()) };
    let (code, category, text) = CRITERIA[broken];
    // A criterion for taking part is broken by a no, one against it by a yes.
    let answer = if category == "INCLUSION" { "N" } else { "Y" };
    let date = view.history.subject.screened;
    sdtm.ie.push(&row(
        view.keys("IE"),
        [
            1_i64.into(),
            code.into(),
            text.into(),
            category.into(),
            answer.into(),
            answer.into(),
            1.0.into(),
            "SCREENING".into(),
            date.into(),
            view.day(date).into(),
        ],
    ))
}

/// The last record before the first dose of each test, by the test and the place among the records.
pub(super) fn last_before_dose<'a>(
    view: &View<'_>,
    records: impl Iterator<Item = (&'a str, NaiveDate, bool)>,
) -> BTreeMap<&'a str, usize> {
    let mut last = BTreeMap::new();
    let Some(course) = view.course else { return last };
    for (place, (test, date, has_result)) in records.enumerate() {
        if has_result && date <= course.baseline {
            last.insert(test, place);
        }
    }
    last
}
