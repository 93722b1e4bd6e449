//! Everything that happens to one subject and everything that is recorded about it, with the day on which each
//! record is known. It depends on no cut-off: an extract is a view of it.

use std::borrow::Cow;
use std::fmt;

use chrono::{NaiveDate, NaiveDateTime};

use super::form::Form;
use super::planting::Mark;
use super::site::Site;
use super::subject::Subject;

/// One subject's story.
pub(super) struct History<'w> {
    pub(super) subject: Subject<'w>,
    pub(super) enrolment: Enrolment,
    /// The day of the consent as it is written down.
    pub(super) consent: NaiveDate,
    /// The criterion that an enrolled subject breaks: a place in [`CRITERIA`](super::words::CRITERIA).
    pub(super) broken_criterion: Option<usize>,
    /// The day from which the subject belongs to another site.
    pub(super) transfer: Option<(NaiveDate, &'w Site)>,
    pub(super) visits: Vec<Visit<'w>>,
    pub(super) pages: Vec<Page<'w>>,
    pub(super) labs: Vec<Lab>,
    /// By the moment of entry.
    pub(super) events: Vec<Event>,
    /// By the day on which they are recorded.
    pub(super) deviations: Vec<Deviation>,
    /// Entry of the last page of an enrolled subject who has left or completed the study.
    pub(super) study_end_entered: Option<NaiveDateTime>,
    pub(super) treatment_end_entered: Option<NaiveDateTime>,
    pub(super) marks: Vec<Mark>,
}

/// What screening led to.
#[derive(Clone, Copy)]
pub(super) enum Enrolment {
    /// Not enrolled, as decided on a day.
    Failed(NaiveDate),
    /// Enrolled.
    Enrolled(Course),
}

/// The stay of an enrolled subject.
#[derive(Clone, Copy, PartialEq, Eq)]
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
    pub(super) treatment_completed: bool,
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
    Efficacy,
}

/// A visit of the protocol. Day 1 is the baseline visit, and there is no day 0.
pub(super) struct PlannedVisit {
    pub(super) number: f64,
    pub(super) name: Cow<'static, str>,
    pub(super) day: i64,
    /// Days before the planned day that are still in time, not above 0.
    pub(super) window_lower: i64,
    /// Days after the planned day that are still in time.
    pub(super) window_upper: i64,
}

/// A visit that took place.
pub(super) struct Visit<'w> {
    pub(super) number: f64,
    pub(super) name: Cow<'w, str>,
    pub(super) date: NaiveDate,
    /// None for an unscheduled visit.
    pub(super) planned: Option<&'w PlannedVisit>,
    /// When its first page is entered.
    pub(super) entered: NaiveDateTime,
    /// Whether nobody came.
    pub(super) is_made_up: bool,
}

/// A page and when it is entered.
pub(super) struct Page<'w> {
    pub(super) id: String,
    pub(super) form: &'w Form,
    pub(super) visit: Cow<'w, str>,
    /// The visit's number; none for a log.
    pub(super) visit_number: Option<f64>,
    /// The day that the page is about, or on which the site heard of it.
    pub(super) date: NaiveDate,
    pub(super) entered: NaiveDateTime,
    /// Days from the former to the latter.
    pub(super) lag: i64,
    /// One for each field of the form.
    pub(super) points: Vec<Point>,
}

/// The answer to one question.
pub(super) struct Point {
    /// What is so.
    pub(super) truth: Value,
    /// What is recorded in the end.
    pub(super) recorded: Value,
    /// What is recorded until the last change, where that is something else.
    pub(super) mistaken: Option<Value>,
    pub(super) missing: Option<Mechanism>,
    /// The days of its changes, in order.
    pub(super) changes: Vec<NaiveDate>,
    pub(super) query: Option<Query>,
    /// The planting that altered it.
    pub(super) altered_by: Option<usize>,
}

/// A recorded value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Value {
    Whole(i64),
    /// A decimal of one digit.
    Tenths(i64),
    Day(NaiveDate),
    Text(&'static str),
}

/// Why a value is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mechanism {
    /// Completely at random.
    Mcar,
    /// At random given site, visit and age.
    Mar,
    /// Because of what it is.
    Mnar,
}

/// A query on a point.
pub(super) struct Query {
    pub(super) source: &'static str,
    pub(super) opened: NaiveDate,
    pub(super) answered: Option<NaiveDate>,
    pub(super) closed: Option<NaiveDate>,
}

/// An adverse event as it is reported.
pub(super) struct Event {
    pub(super) id: String,
    pub(super) onset: NaiveDate,
    pub(super) end: NaiveDate,
    pub(super) area: &'static str,
    pub(super) term: &'static str,
    pub(super) grade: i64,
    pub(super) serious: bool,
    pub(super) related: bool,
    pub(super) fatal: bool,
    /// The day the site hears of it.
    pub(super) heard: NaiveDate,
    pub(super) entered: NaiveDateTime,
}

/// A laboratory result of a visit.
pub(super) struct Lab {
    pub(super) id: String,
    /// The place of the test in [`TESTS`](super::lab::TESTS).
    pub(super) test: usize,
    pub(super) visit: usize,
    /// The result as it is, in the unit of the test.
    pub(super) truth: f64,
    /// The result as it is reported.
    pub(super) reported: f64,
    pub(super) missing: Option<Mechanism>,
    /// The day on the sample.
    pub(super) collected: NaiveDate,
    /// The day the result arrives.
    pub(super) received: NaiveDate,
    pub(super) altered_by: Option<usize>,
}

/// A protocol deviation.
pub(super) struct Deviation {
    pub(super) id: String,
    pub(super) date: NaiveDateTime,
    /// The day it is recorded.
    pub(super) recorded: NaiveDate,
    pub(super) important: bool,
    pub(super) category: &'static str,
    pub(super) description: &'static str,
}

impl History<'_> {
    /// The stay, of a subject who was enrolled by a day.
    pub(super) fn course(&self, as_of: NaiveDate) -> Option<Course> {
        self.stay().filter(|course| course.baseline <= as_of)
    }

    /// The stay of an enrolled subject.
    pub(super) fn stay(&self) -> Option<Course> {
        match self.enrolment {
            Enrolment::Enrolled(course) => Some(course),
            Enrolment::Failed(_) => None,
        }
    }

    /// The site that the subject belongs to on a day.
    pub(super) fn site_on(&self, day: NaiveDate) -> &Site {
        match self.transfer {
            Some((from, site)) if day >= from => site,
            _ => self.subject.site,
        }
    }
}

impl Cause {
    /// The reason as the site ticks it.
    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::Withdrawal => "Withdrew Consent",
            Self::Lost => "Lost to Follow-Up",
            Self::Physician => "Physician Decision",
            Self::AdverseEvent => "Adverse Event",
            Self::Pregnancy => "Pregnancy",
            Self::Death => "Death",
            Self::Efficacy => "Lack of Efficacy",
        }
    }

    /// The reason in the controlled terms of SDTM's completion codelist (C66727).
    pub(super) fn term(self) -> &'static str {
        match self {
            Self::Withdrawal => "WITHDRAWAL BY SUBJECT",
            Self::Lost => "LOST TO FOLLOW-UP",
            Self::Physician => "PHYSICIAN DECISION",
            Self::AdverseEvent => "ADVERSE EVENT",
            Self::Pregnancy => "PREGNANCY",
            Self::Death => "DEATH",
            Self::Efficacy => "LACK OF EFFICACY",
        }
    }
}

impl Mechanism {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Mcar => "mcar",
            Self::Mar => "mar",
            Self::Mnar => "mnar",
        }
    }
}

impl Point {
    /// What is on record on a day, of a point that was entered by then.
    pub(super) fn on_record(&self, as_of: NaiveDate) -> Option<Value> {
        if self.missing.is_some() {
            return None;
        }
        match (self.mistaken, self.changes.last()) {
            (Some(mistaken), Some(corrected)) if *corrected > as_of => Some(mistaken),
            _ => Some(self.recorded),
        }
    }
}

impl Value {
    /// The value as a number, if it is one.
    pub(super) fn number(self) -> Option<f64> {
        match self {
            Self::Whole(value) => Some(value as f64),
            Self::Tenths(value) => Some(value as f64 / 10.0),
            Self::Day(_) | Self::Text(_) => None,
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(value) => write!(f, "{value}"),
            Self::Tenths(value) => {
                let sign = if *value < 0 { "-" } else { "" };
                write!(f, "{sign}{}.{}", value.abs() / 10, value.abs() % 10)
            }
            Self::Day(day) => write!(f, "{day}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}
