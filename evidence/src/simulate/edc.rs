//! A subject's story as a data-capture and a trial-management system export it on a day.

use std::fmt::Write;

use chrono::NaiveDate;

use super::calendar::after;
use super::dataset::{
    AdverseEventRow, DeviationRow, EnrolmentRow, LabRow, PageRow, PointRow, QueryRow, ScheduleRow, SiteRow,
    StudyEndRow, StudyRow, SubjectRow, TreatmentEndRow, VisitRow,
};
use super::draw::whole;
use super::entry::{point_id, query_id};
use super::error::SimulateError;
use super::extract::Extract;
use super::history::{Cause, Enrolment, History, Page, Query};
use super::lab::TESTS;
use super::visit::visit_id;
use super::world::World;

/// Writes the study, its sites and its schedule.
pub(super) fn write_study(world: &World<'_>, extract: &mut Extract) -> Result<(), SimulateError> {
    const SCREENING_DAYS: i64 = 28;
    let plan = world.plan;
    let known = |day: &NaiveDate| *day <= extract.as_of;
    let first_screening = world.sites.iter().filter_map(|site| site.screenings.first().copied()).min();
    let title = format!("A simulated study of {} sites", plan.sites);
    extract.studies.push(StudyRow {
        protocol_number: plan.study.as_str(),
        nickname: "CAIRN",
        protocol_title: &title,
        status: "Active",
        num_plan_site: i64::from(plan.sites),
        num_plan_subj: whole(f64::from(plan.sites) * plan.subjects_per_site),
        act_fpfv: first_screening.filter(known),
        est_lplv: after(plan.recruitment_end(), SCREENING_DAYS + world.treatment_days() + 5),
        therapeutic_area: "Metabolism",
        protocol_indication: "Raised blood sugar",
        phase: "P3",
        product: "Compound C",
    })?;
    for site in &world.sites {
        let activation = Some(site.activation).filter(|day| *day <= extract.as_of);
        extract.sites.push(SiteRow {
            protocol: plan.study.as_str(),
            pi_number: &site.id,
            pi_first_name: site.investigator.0,
            pi_last_name: site.investigator.1,
            site_status: if activation.is_some() { "Active" } else { "Selected" },
            site_active_dt: activation,
            city: site.place.0,
            state: site.place.1,
            country: site.country.code,
            cro: site.cro.name,
            cra: &site.monitor,
        })?;
    }
    for due in &world.schedule {
        extract.schedule.push(ScheduleRow {
            studyid: plan.study.as_str(),
            visit_num: due.number,
            foldername: &due.name,
            planned_day: due.day,
            window_lower: due.window_lower,
            window_upper: due.window_upper,
        })?;
    }
    Ok(())
}

/// Writes everything that the extract knows of a subject.
pub(super) fn write(history: &History<'_>, extract: &mut Extract) -> Result<(), SimulateError> {
    let view = View { history, study: history.subject.world.plan.study.as_str(), as_of: extract.as_of };
    if history.subject.screened > view.as_of {
        return Ok(());
    }
    view.write_enrolment(extract)?;
    view.write_visits(extract)?;
    for page in history.pages.iter().filter(|page| page.entered.date() <= view.as_of) {
        view.write_page(page, extract)?;
    }
    view.write_labs(extract)?;
    view.write_events(extract)?;
    view.write_deviations(extract)?;
    view.write_ends(extract)
}

/// What is known of a subject on a day.
struct View<'a> {
    history: &'a History<'a>,
    study: &'a str,
    as_of: NaiveDate,
}

impl View<'_> {
    fn write_enrolment(&self, extract: &mut Extract) -> Result<(), SimulateError> {
        let subject = &self.history.subject;
        let course = self.history.course(self.as_of);
        let (answer, decided) = match self.history.enrolment {
            Enrolment::Failed(day) if day <= self.as_of => (Some("N"), Some(day)),
            Enrolment::Enrolled(course) if course.baseline <= self.as_of => {
                (Some("Y"), Some(course.baseline))
            }
            // Still in screening.
            _ => (None, None),
        };
        let days = |first: NaiveDate, last: NaiveDate| (last.min(self.as_of) - first).num_days() + 1;
        let site = self.history.site_on(self.as_of);
        extract.subjects.push(SubjectRow {
            studyid: self.study,
            invid: &site.id,
            country: site.country.code,
            subjid: &subject.id,
            subject_nsv: &subject.edc_name,
            enrollyn: answer,
            enrolldt: course.map(|course| course.baseline),
            timeonstudy: course.map(|course| days(course.baseline, course.end)),
            firstparticipantdate: course.map(|course| course.baseline),
            firstdosedate: course.map(|course| course.baseline),
            timeontreatment: course.map(|course| days(course.baseline, course.treatment_end)),
            agerep: subject.age,
            sex: subject.sex,
            race: subject.race,
            mincreated_dts: subject.created,
        })?;
        let screening_id = format!("XX-{}", subject.id);
        extract.enrolments.push(EnrolmentRow {
            studyid: self.study,
            subjid: &subject.id,
            subjectid: &screening_id,
            invid: &subject.site.id,
            country: subject.site.country.code,
            enrollyn: answer,
            enroll_dt: decided,
        })
    }

    fn write_visits(&self, extract: &mut Extract) -> Result<(), SimulateError> {
        let subject = &self.history.subject;
        for visit in self.history.visits.iter().filter(|visit| visit.entered.date() <= self.as_of) {
            let record = visit_id(&subject.id, visit.number);
            extract.visits.push(VisitRow {
                studyid: self.study,
                recordid: &record,
                subjid: &subject.id,
                invid: &self.history.site_on(visit.date).id,
                foldername: &visit.name,
                visit_dt: visit.date,
                visit_num: visit.number,
                planned_day: visit.planned.map(|due| due.day),
                window_lower: visit.planned.map(|due| due.window_lower),
                window_upper: visit.planned.map(|due| due.window_upper),
                scheduled: visit.planned.is_some(),
            })?;
        }
        Ok(())
    }

    fn write_page(&self, page: &Page<'_>, extract: &mut Extract) -> Result<(), SimulateError> {
        extract.pages.push(PageRow {
            studyid: self.study,
            subjectname: &self.history.subject.edc_name,
            pageid: &page.id,
            visnam: &page.visit,
            visit_num: page.visit_number,
            form: page.form.code,
            visit_date: page.date,
            data_entry_lag: page.lag,
        })?;
        let mut text = String::new();
        for (index, (field, point)) in page.form.fields.iter().zip(&page.points).enumerate() {
            let id = point_id(&page.id, index);
            let value = point.on_record(self.as_of);
            text.clear();
            if let Some(value) = value {
                // Writing to a string does not fail.
                let _ = write!(text, "{value}");
            }
            let changes = point.changes.partition_point(|day| *day <= self.as_of);
            extract.points.push(PointRow {
                studyid: self.study,
                subjectname: &self.history.subject.edc_name,
                pageid: &page.id,
                datapointid: &id,
                visnam: &page.visit,
                visit_num: page.visit_number,
                form: page.form.code,
                field: &field.code,
                fieldlabel: &field.label,
                value: value.map(|_| text.as_str()),
                unit: field.unit,
                visit_date: page.date,
                n_changes: i8::try_from(changes).unwrap_or(i8::MAX),
                changed_dt: changes.checked_sub(1).map(|last| point.changes[last]),
            })?;
            if let Some(query) = point.query.as_ref().filter(|query| query.opened <= self.as_of) {
                self.write_query(page, &id, query, extract)?;
            }
        }
        Ok(())
    }

    fn write_query(
        &self,
        page: &Page<'_>,
        point: &str,
        query: &Query,
        extract: &mut Extract,
    ) -> Result<(), SimulateError> {
        let seen = |day: Option<NaiveDate>| day.filter(|day| *day <= self.as_of);
        let (answered, closed) = (seen(query.answered), seen(query.closed));
        let last = closed.or(answered).unwrap_or(self.as_of);
        extract.queries.push(QueryRow {
            studyid: self.study,
            subjectname: &self.history.subject.edc_name,
            queryid: &query_id(point),
            pageid: &page.id,
            datapointid: point,
            visnam: &page.visit,
            querystatus: match (answered, closed) {
                (_, Some(_)) => "Closed",
                (Some(_), None) => "Answered",
                (None, None) => "Open",
            },
            // The day of opening counts as the first.
            queryage: (last - query.opened).num_days() + 1,
            markinggroup: query.source,
            created: query.opened,
            answered,
            resolved: closed,
        })
    }

    fn write_labs(&self, extract: &mut Extract) -> Result<(), SimulateError> {
        for lab in self.history.labs.iter().filter(|lab| lab.received <= self.as_of) {
            let (test, visit) = (&TESTS[lab.test], &self.history.visits[lab.visit]);
            let result = lab.missing.is_none().then_some(lab.reported);
            let (low, high) = test.range();
            extract.labs.push(LabRow {
                studyid: self.study,
                recordid: &lab.id,
                subjid: &self.history.subject.id,
                visnam: &visit.name,
                visit_num: visit.number,
                lbtestcd: test.code,
                lbtest: test.name,
                lbstresn: result,
                lbstresu: test.unit,
                lbnrlo: low,
                lbnrhi: high,
                toxgrg_nsv: result.and_then(|result| test.grade(result)),
                lb_dt: lab.collected,
            })?;
        }
        Ok(())
    }

    fn write_events(&self, extract: &mut Extract) -> Result<(), SimulateError> {
        let yes_no = |yes: bool| if yes { "Y" } else { "N" };
        for event in self.history.events.iter().filter(|event| event.entered.date() <= self.as_of) {
            let is_over = event.end <= self.as_of;
            extract.adverse_events.push(AdverseEventRow {
                studyid: self.study,
                recordid: &event.id,
                subjid: &self.history.subject.id,
                aeser: yes_no(event.serious),
                mdrpt_nsv: event.term,
                mdrsoc_nsv: event.area,
                aetoxgr: event.grade,
                aeongo: yes_no(!is_over),
                aerel: yes_no(event.related),
                aest_dt: event.onset,
                aeen_dt: is_over.then_some(event.end),
                mincreated_dts: event.entered,
            })?;
        }
        Ok(())
    }

    fn write_deviations(&self, extract: &mut Extract) -> Result<(), SimulateError> {
        for deviation in self.history.deviations.iter().filter(|deviation| deviation.recorded <= self.as_of) {
            extract.deviations.push(DeviationRow {
                studyid: self.study,
                recordid: &deviation.id,
                subjectenrollmentnumber: &self.history.subject.id,
                deemedimportant: deviation.important,
                crocategory: deviation.category,
                description: deviation.description,
                deviationdate: deviation.date,
            })?;
        }
        Ok(())
    }

    /// The ends of treatment and study, once they have been entered.
    fn write_ends(&self, extract: &mut Extract) -> Result<(), SimulateError> {
        let Some(course) = self.history.course(self.as_of) else { return Ok(()) };
        let subject = &self.history.subject;
        let answer = |completed: bool| if completed { "Y" } else { "N" };
        let known = |moment: &chrono::NaiveDateTime| moment.date() <= self.as_of;
        if let Some(entered) = self.history.study_end_entered.filter(known) {
            extract.study_ends.push(StudyEndRow {
                studyid: self.study,
                subjid: &subject.id,
                invid: &self.history.site_on(course.end).id,
                compyn: answer(course.departure.is_none()),
                compreas: course.departure.map(Cause::reason),
                mincreated_dts: entered,
            })?;
        }
        if let Some(entered) = self.history.treatment_end_entered.filter(known) {
            extract.treatment_ends.push(TreatmentEndRow {
                studyid: self.study,
                subjid: &subject.id,
                sdrgyn: answer(course.treatment_completed),
                phase: course.treatment_end,
                mincreated_dts: entered,
            })?;
        }
        Ok(())
    }
}
