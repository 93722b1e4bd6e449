//! Subjects: who they are, whether they are enrolled, and until when they stay.

use chrono::{NaiveDate, NaiveDateTime};
use kernel::Seed;

use super::adverse_event;
use super::dataset::{EnrolmentRow, StudyEndRow, SubjectRow, TreatmentEndRow};
use super::deviation;
use super::draw::{Draw, after, whole, working_day};
use super::error::SimulateError;
use super::extract::Extract;
use super::lab;
use super::measurement;
use super::page::{Desk, Field, Form, Page};
use super::plan::StudyPlan;
use super::site::{Planting, Site};
use super::visit::{self, TREATMENT_DAYS, Visit};

/// One screened subject.
pub(super) struct Subject<'a> {
    pub(super) plan: &'a StudyPlan,
    pub(super) site: &'a Site,
    seed: Seed,
    pub(super) id: String,
    /// What the data-capture system calls the subject.
    pub(super) edc_name: String,
    screened: NaiveDate,
    pub(super) age: i64,
    pub(super) sex: &'static str,
    pub(super) race: &'static str,
    pub(super) enrolment: Enrolment,
    /// The visits made, whether the cut-off knows of them or not.
    pub(super) visits: Vec<Visit>,
}

/// What screening led to.
pub(super) enum Enrolment {
    /// Not enrolled, as decided on a day.
    Failed(NaiveDate),
    /// Enrolled.
    Enrolled(Course),
}

/// The stay of an enrolled subject.
#[derive(Clone, Copy)]
pub(super) struct Course {
    /// The baseline visit, which is the first dose as well.
    pub(super) baseline: NaiveDate,
    /// The last day in the study.
    pub(super) end: NaiveDate,
    /// Why the subject left; none for one who completed the study.
    pub(super) departure: Option<Cause>,
    /// The last day of treatment.
    pub(super) treatment_end: NaiveDate,
    /// Whether treatment went on to the last visit.
    treatment_completed: bool,
}

/// How long a subject would stay, and what may end it.
struct Stay {
    baseline: NaiveDate,
    last_visit: NaiveDate,
    may_be_pregnant: bool,
}

/// Why a subject leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    Withdrawal,
    Lost,
    Physician,
    AdverseEvent,
    Pregnancy,
    Death,
}

impl Cause {
    /// The causes and their shares among those who leave.
    // Source: the 108 discontinued of 1,301 subjects of clindata.
    const SHARES: [(Self, f64); 6] = [
        (Self::Withdrawal, 56.0 / 108.0),
        (Self::Lost, 16.0 / 108.0),
        (Self::Physician, 12.0 / 108.0),
        (Self::AdverseEvent, 10.0 / 108.0),
        (Self::Pregnancy, 10.0 / 108.0),
        (Self::Death, 4.0 / 108.0),
    ];

    fn reason(self) -> &'static str {
        match self {
            Self::Withdrawal => "Withdrew Consent",
            Self::Lost => "Lost to Follow-Up",
            Self::Physician => "Physician Decision",
            Self::AdverseEvent => "Adverse Event",
            Self::Pregnancy => "Pregnancy",
            Self::Death => "Death",
        }
    }
}

/// How many records of a subject were touched by what is planted.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Affected {
    pub(super) events_not_reported: u64,
    pub(super) pages_delayed: u64,
}

const END_OF_STUDY: Form = Form {
    code: "DS",
    fields: &[
        Field { code: "DSCOMP", label: "Study completed", unit: None, may_lack: false },
        Field { code: "DSREAS", label: "Reason for leaving", unit: None, may_lack: false },
    ],
};

impl<'a> Subject<'a> {
    /// The subject of a site by number, from 1 on.
    pub(super) fn draw(plan: &'a StudyPlan, seed: Seed, site: &'a Site, number: usize) -> Self {
        let id = format!("{}-{number:03}", site.id);
        let screened = site.screenings[number - 1];
        let draw = |process: &str| Draw::new(seed, &format!("{}/subject/{id}/{process}", plan.study));

        let mut frame = draw("frame");
        let age = whole(52.0 + 12.0 * frame.normal()).clamp(18, 85);
        let sex = *frame.pick(&["F", "M"]);
        let race = ["White", "Asian", "Black", "Other"][frame.weighted([0.7, 0.15, 0.1, 0.05].into_iter())];
        let decided = working_day(frame.day(after(screened, 7), after(screened, 18)));
        let mut visits = vec![visit::screening(screened)];
        let enrolment = if frame.chance(site.effects.screen_failure) {
            Enrolment::Failed(decided)
        } else {
            let (made, last) = visit::draw(plan, site, decided, &mut draw("visits"));
            let stay = Stay { baseline: decided, last_visit: last, may_be_pregnant: sex == "F" && age < 50 };
            let course = Course::draw(plan, site, &stay, &mut draw("course"));
            visits.extend(made.into_iter().filter(|visit| visit.date <= course.end));
            Enrolment::Enrolled(course)
        };
        let edc_name = format!("{id}-XXXX");
        Self { plan, site, seed, id, edc_name, screened, age, sex, race, enrolment, visits }
    }

    /// The stream of one of the subject's processes.
    pub(super) fn stream(&self, process: &str) -> Draw {
        Draw::new(self.seed, &format!("{}/subject/{}/{process}", self.plan.study, self.id))
    }

    /// The study's id.
    pub(super) fn study(&self) -> &str {
        self.plan.study.as_str()
    }

    /// Whether the extract knows of a day.
    pub(super) fn known(&self, day: NaiveDate) -> bool {
        day <= self.plan.cut_off
    }

    /// The stay, of a subject whose enrolment the extract knows of.
    pub(super) fn course(&self) -> Option<Course> {
        match self.enrolment {
            Enrolment::Enrolled(course) if self.known(course.baseline) => Some(course),
            _ => None,
        }
    }

    /// Writes everything that the extract knows of the subject.
    pub(super) fn write(
        &self,
        planting: &Planting,
        extract: &mut Extract,
    ) -> Result<Affected, SimulateError> {
        if !self.known(self.screened) {
            return Ok(Affected::default());
        }
        self.write_enrolment(extract)?;
        visit::write(self, extract)?;
        let mut desk = Desk::new(self, planting);
        measurement::write(self, &mut desk, extract)?;
        lab::write(self, extract)?;
        let events_not_reported = adverse_event::write(self, planting, &mut desk, extract)?;
        deviation::write(self, extract)?;
        if let Some(course) = self.course() {
            self.write_ends(course, &mut desk, extract)?;
        }
        Ok(Affected { events_not_reported, pages_delayed: desk.pages_delayed })
    }

    fn write_enrolment(&self, extract: &mut Extract) -> Result<(), SimulateError> {
        let course = self.course();
        let (answer, decided) = match self.enrolment {
            Enrolment::Failed(day) if self.known(day) => (Some("N"), Some(day)),
            Enrolment::Enrolled(course) if self.known(course.baseline) => (Some("Y"), Some(course.baseline)),
            // Still in screening at the cut-off.
            _ => (None, None),
        };
        let days = |first: NaiveDate, last: NaiveDate| (last.min(self.plan.cut_off) - first).num_days() + 1;
        extract.subjects.push(SubjectRow {
            studyid: self.study(),
            invid: &self.site.id,
            country: self.site.country.code,
            subjid: &self.id,
            subject_nsv: &self.edc_name,
            enrollyn: answer,
            enrolldt: course.map(|course| course.baseline),
            timeonstudy: course.map(|course| days(course.baseline, course.end)),
            firstparticipantdate: course.map(|course| course.baseline),
            firstdosedate: course.map(|course| course.baseline),
            timeontreatment: course.map(|course| days(course.baseline, course.treatment_end)),
            agerep: self.age,
            sex: self.sex,
            race: self.race,
            mincreated_dts: self.stream("created").moment(self.screened),
        })?;
        let screening_id = format!("XX-{}", self.id);
        extract.enrolments.push(EnrolmentRow {
            studyid: self.study(),
            subjid: &self.id,
            subjectid: &screening_id,
            invid: &self.site.id,
            country: self.site.country.code,
            enrollyn: answer,
            enroll_dt: decided,
        })
    }

    /// Writes the last pages of treatment and study, once they have been entered.
    fn write_ends(
        &self,
        course: Course,
        desk: &mut Desk<'_>,
        extract: &mut Extract,
    ) -> Result<(), SimulateError> {
        let answer = |completed: bool| if completed { "Y" } else { "N" };
        let reason = course.departure.map(Cause::reason);
        let page = Page {
            form: &END_OF_STUDY,
            visit: "End of study",
            visit_number: None,
            date: course.end,
            values: vec![answer(reason.is_none()).to_owned(), reason.unwrap_or("Completed").to_owned()],
        };
        let entered = desk.enter(&page, extract)?;
        if self.known(entered.date()) {
            extract.study_ends.push(StudyEndRow {
                studyid: self.study(),
                subjid: &self.id,
                invid: &self.site.id,
                compyn: answer(reason.is_none()),
                compreas: reason,
                mincreated_dts: entered,
            })?;
        }
        let treatment_entered: NaiveDateTime = if course.treatment_end == course.end {
            entered
        } else {
            self.stream("treatment end").moment(course.treatment_end)
        };
        if self.known(treatment_entered.date()) {
            extract.treatment_ends.push(TreatmentEndRow {
                studyid: self.study(),
                subjid: &self.id,
                sdrgyn: answer(course.treatment_completed),
                phase: course.treatment_end,
                mincreated_dts: treatment_entered,
            })?;
        }
        Ok(())
    }
}

impl Course {
    /// The stay between the baseline visit and the last one. Each cause has its own Weibull hazard, with more
    /// departures early on; the first to strike before the last visit ends the stay.
    fn draw(plan: &StudyPlan, site: &Site, stay: &Stay, draw: &mut Draw) -> Self {
        const SHAPE: f64 = 0.9;
        let hazard = -(-plan.rates.discontinuation).ln_1p() * site.effects.discontinuation;
        let mut first: Option<(i64, Cause)> = None;
        for (cause, share) in Cause::SHARES {
            let standard = draw.exponential() / (hazard * share).max(f64::MIN_POSITIVE);
            let day = whole((TREATMENT_DAYS as f64 * standard.powf(1.0 / SHAPE)).min(1e6)).max(1);
            let possible = cause != Cause::Pregnancy || stay.may_be_pregnant;
            if possible && first.is_none_or(|(earliest, _)| day < earliest) {
                first = Some((day, cause));
            }
        }
        let &Stay { baseline, last_visit, .. } = stay;
        let day_of = |(day, cause)| (after(baseline, day), cause);
        let leaving = first.map(day_of).filter(|(day, _)| *day < last_visit);
        let end = leaving.map_or(last_visit, |(day, _)| day);

        let stops = draw.chance(plan.rates.treatment_stop);
        let stop = draw.day(after(baseline, 1), after(baseline, TREATMENT_DAYS));
        let treatment_end = if stops { stop.min(end) } else { end };
        Self {
            baseline,
            end,
            departure: leaving.map(|(_, cause)| cause),
            treatment_end,
            treatment_completed: leaving.is_none() && treatment_end == end,
        }
    }
}
