//! Under- and over-reporting of events by visit, for every level: is a group's number of events compatible with
//! exchanging each of its subjects for one of the study who was followed as long?

use measures::{InFrame, Pool, Reported, in_frame};
use warehouse::engine::Engine;

use super::IndicatorDefinition;
use super::groups::Sites;
use crate::by_key::keys_of;
use crate::{Error, Result};

/// The running numbers of events of every subject, which stand together in the order of its visits.
const BY_VISIT: [&str; 5] = ["subject_sk", "site_sk", "n_ae", "n_sae", "n_pd"];
/// In the order of its columns.
const EVENTS: [&str; 3] = ["n_ae", "n_sae", "n_pd"];

/// One subject's events so far at each of its visits.
#[derive(Debug)]
struct Course {
    site: i64,
    /// In the order of [`EVENTS`].
    events: [Vec<u64>; 3],
}

/// Every subject's course.
#[derive(Debug)]
pub(super) struct Courses<'a> {
    sites: &'a Sites,
    courses: Vec<Course>,
}

/// What a group reported, and how likely that was.
#[derive(Debug)]
pub(super) struct Judged {
    pub(super) group: String,
    pub(super) found: InFrame,
}

impl<'a> Courses<'a> {
    /// Reads them.
    pub(super) fn read(engine: &Engine, mart: &str, sites: &'a Sites) -> Result<Self> {
        let failed = |source| Error::Build { mart: mart.to_owned(), source };
        let mut courses: Vec<Course> = Vec::new();
        let mut last = None;
        let read = engine.scan("read the events by visit", ("mart_reporting", &BY_VISIT), &mut |batch| {
            let [subjects, sites, events @ ..] = [0, 1, 2, 3, 4].map(|place| keys_of(batch, place));
            for row in 0..batch.num_rows() {
                if last != Some(subjects[row]) {
                    last = Some(subjects[row]);
                    courses.push(Course { site: sites[row], events: Default::default() });
                }
                let Some(course) = courses.last_mut() else { continue };
                for (course, events) in course.events.iter_mut().zip(events) {
                    course.push(u64::try_from(events[row]).unwrap_or(0));
                }
            }
        });
        read.map_err(failed)?;
        Ok(Self { sites, courses })
    }

    /// Judges every group of a level; none where the study has no such event at all.
    pub(super) fn judge(
        &self,
        definition: &IndicatorDefinition,
        level: &str,
    ) -> Result<Vec<Judged>, measures::MeasureError> {
        let Some(event) = EVENTS.iter().position(|event| definition.events.as_deref() == Some(event)) else {
            return Ok(Vec::new());
        };
        let of = |course: &Course| self.sites.group(course.site, level);
        let mut names: Vec<&str> = self.courses.iter().filter_map(of).collect();
        names.sort_unstable();
        names.dedup();
        let subjects: Vec<Reported<'_>> = self
            .courses
            .iter()
            .filter_map(|course| {
                let group = names.binary_search(&of(course)?).ok()?;
                Some(Reported { group, cumulative: &course.events[event] })
            })
            .collect();
        if subjects.iter().all(|subject| subject.cumulative.last().is_none_or(|events| *events == 0)) {
            return Ok(Vec::new());
        }
        let found = in_frame(&subjects, names.len(), Pool::Study)?;
        Ok(names
            .into_iter()
            .zip(found)
            .map(|(group, found)| Judged { group: group.to_owned(), found })
            .collect())
    }
}
