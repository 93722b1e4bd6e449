//! The files of an extract, open side by side while subjects are made.

use std::fs;
use std::path::Path;

use serde::Serialize;

use super::column::Dataset;
use super::dataset::{
    AdverseEventColumns, DeviationColumns, EnrolmentColumns, LabColumns, PageColumns, PointColumns,
    QueryColumns, ScheduleColumns, SiteColumns, StudyColumns, StudyEndColumns, SubjectColumns,
    TreatmentEndColumns, VisitColumns,
};
use super::error::SimulateError;

/// Every dataset of the extract.
pub(super) struct Extract {
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
    pub(super) fn create(folder: &Path) -> Result<Self, SimulateError> {
        fs::create_dir_all(folder)
            .map_err(|source| SimulateError::Write { path: folder.to_owned(), source })?;
        Ok(Self {
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

/// Writes a value beside the datasets.
pub(super) fn write_json<T: Serialize>(
    folder: &Path,
    file: &'static str,
    value: &T,
) -> Result<(), SimulateError> {
    let mut text =
        serde_json::to_string_pretty(value).map_err(|source| SimulateError::Render { file, source })?;
    text.push('\n');
    let path = folder.join(file);
    fs::write(&path, text).map_err(|source| SimulateError::Write { path, source })
}
