//! Under- and over-reporting of events by visit, for every level: is a group's number of events compatible with
//! exchanging each of its subjects for one of the study who was followed as long?

use std::collections::BTreeMap;

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use measures::{InFrame, Pool, Reported, in_frame};
use warehouse::engine::Engine;

use super::IndicatorDefinition;
use crate::{Error, Result};

/// The running numbers of events of every subject, and the groups it is in.
pub(crate) const BY_VISIT: &str =
    "SELECT r.subject_sk, s.site_id, s.country, s.region, s.cro, s.monitor_pseudonym, s.study_id,
         r.n_ae, r.n_sae, r.n_pd
     FROM mart_reporting r JOIN dim_site s ON s.site_sk = r.site_sk
     ORDER BY s.site_id, r.subject_sk, r.visit_no";

/// One subject's events so far at each of its visits.
#[derive(Debug, Default)]
struct Course {
    /// The subject's group at each level, where it has one.
    groups: BTreeMap<&'static str, String>,
    /// By the column of `mart_reporting`.
    events: BTreeMap<&'static str, Vec<u64>>,
}

/// Every subject's course.
#[derive(Debug, Default)]
pub(super) struct Courses(Vec<Course>);

/// What a group reported, and how likely that was.
#[derive(Debug)]
pub(super) struct Judged {
    pub(super) group: String,
    pub(super) found: InFrame,
}

/// In the order of the columns of [`BY_VISIT`].
const LEVELS: [&str; 6] = [super::groups::SITE, "country", "region", "cro", "monitor", super::groups::STUDY];
const EVENTS: [&str; 3] = ["n_ae", "n_sae", "n_pd"];

impl Courses {
    /// Reads them.
    pub(super) fn read(engine: &Engine, mart: &str) -> Result<Self> {
        let failed = |source| Error::Build { mart: mart.to_owned(), source };
        let mut courses: Vec<Course> = Vec::new();
        let mut last = None;
        for batch in engine.query("read the events by visit", BY_VISIT).map_err(failed)? {
            let number = |position: usize, row| batch.column(position).as_primitive::<Int64Type>().value(row);
            for row in 0..batch.num_rows() {
                let subject = number(0, row);
                if last != Some(subject) {
                    last = Some(subject);
                    let mut course = Course::default();
                    for (position, level) in (1..).zip(LEVELS) {
                        let names = batch.column(position).as_string_opt::<i32>();
                        if let Some(name) = names.filter(|_| !batch.column(position).is_null(row)) {
                            course.groups.insert(level, name.value(row).to_owned());
                        }
                    }
                    courses.push(course);
                }
                let Some(course) = courses.last_mut() else { continue };
                for (position, event) in (1 + LEVELS.len()..).zip(EVENTS) {
                    let so_far = u64::try_from(number(position, row)).unwrap_or(0);
                    course.events.entry(event).or_default().push(so_far);
                }
            }
        }
        Ok(Self(courses))
    }

    /// Judges every group of a level; none where the study has no such event at all.
    pub(super) fn judge(
        &self,
        definition: &IndicatorDefinition,
        level: &str,
    ) -> Result<Vec<Judged>, measures::MeasureError> {
        let event = definition.events.as_deref().unwrap_or_default();
        let mut names: Vec<&String> = self.0.iter().filter_map(|course| course.groups.get(level)).collect();
        names.sort_unstable();
        names.dedup();
        let subjects: Vec<Reported<'_>> = self
            .0
            .iter()
            .filter_map(|course| {
                let group = names.binary_search(&course.groups.get(level)?).ok()?;
                Some(Reported { group, cumulative: course.events.get(event)? })
            })
            .collect();
        if subjects.iter().all(|subject| subject.cumulative.last().is_none_or(|events| *events == 0)) {
            return Ok(Vec::new());
        }
        let found = in_frame(&subjects, names.len(), Pool::Study)?;
        Ok(names
            .into_iter()
            .zip(found)
            .map(|(group, found)| Judged { group: group.clone(), found })
            .collect())
    }
}
