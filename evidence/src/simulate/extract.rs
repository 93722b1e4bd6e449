//! The files of an extract, open side by side while subjects are made.

use std::path::Path;

use chrono::NaiveDate;

use super::column::Dataset;
use super::dataset::{
    AdverseEventColumns, DeviationColumns, EnrolmentColumns, LabColumns, PageColumns, PointColumns,
    QueryColumns, ScheduleColumns, SiteColumns, StudyColumns, StudyEndColumns, SubjectColumns,
    TreatmentEndColumns, VisitColumns,
};
use super::error::SimulateError;
use super::folder::make_folder;

/// Every dataset of the extract of one day.
pub(super) struct Extract {
    /// The last day that it knows of.
    pub(super) as_of: NaiveDate,
    pub(super) studies: Dataset<StudyColumns>,
    pub(super) sites: Dataset<SiteColumns>,
    pub(super) schedule: Dataset<ScheduleColumns>,
    pub(super) subjects: Dataset<SubjectColumns>,
    pub(super) enrolments: Dataset<EnrolmentColumns>,
    pub(super) visits: Dataset<VisitColumns>,
    pub(super) adverse_events: Dataset<AdverseEventColumns>,
    pub(super) labs: Dataset<LabColumns>,
    pub(super) deviations: Dataset<DeviationColumns>,
    pub(super) pages: Dataset<PageColumns>,
    pub(super) points: Dataset<PointColumns>,
    pub(super) queries: Dataset<QueryColumns>,
    pub(super) study_ends: Dataset<StudyEndColumns>,
    pub(super) treatment_ends: Dataset<TreatmentEndColumns>,
}

impl Extract {
    /// Begins every file in a folder, which is made if it is not there.
    pub(super) fn create(folder: &Path, as_of: NaiveDate) -> Result<Self, SimulateError> {
        make_folder(folder)?;
        Ok(Self {
            as_of,
            studies: Dataset::create(folder)?,
            sites: Dataset::create(folder)?,
            schedule: Dataset::create(folder)?,
            subjects: Dataset::create(folder)?,
            enrolments: Dataset::create(folder)?,
            visits: Dataset::create(folder)?,
            adverse_events: Dataset::create(folder)?,
            labs: Dataset::create(folder)?,
            deviations: Dataset::create(folder)?,
            pages: Dataset::create(folder)?,
            points: Dataset::create(folder)?,
            queries: Dataset::create(folder)?,
            study_ends: Dataset::create(folder)?,
            treatment_ends: Dataset::create(folder)?,
        })
    }

    /// Writes what is left and closes every file.
    pub(super) fn finish(self) -> Result<(), SimulateError> {
        self.studies.finish()?;
        self.sites.finish()?;
        self.schedule.finish()?;
        self.subjects.finish()?;
        self.enrolments.finish()?;
        self.visits.finish()?;
        self.adverse_events.finish()?;
        self.labs.finish()?;
        self.deviations.finish()?;
        self.pages.finish()?;
        self.points.finish()?;
        self.queries.finish()?;
        self.study_ends.finish()?;
        self.treatment_ends.finish()
    }
}
