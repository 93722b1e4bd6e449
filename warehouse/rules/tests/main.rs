//! The contract of the crate: the published rules on the published fixtures, and the refusals of the importer.

#[path = "main/archive.rs"]
mod archive;
#[path = "main/fixture.rs"]
mod fixture;
#[path = "main/published.rs"]
mod published;
#[path = "main/guideline_study.rs"]
mod guideline_study;
