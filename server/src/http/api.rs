//! REST under `/api/v1`. One file for each resource.
pub(super) mod access_tokens;
pub(super) mod audit;
pub(super) mod batches;
pub(super) mod definitions;
pub(super) mod jobs;
pub(super) mod limits;
pub(super) mod login;
pub(super) mod logout;
pub(super) mod quality;
pub(super) mod quarantine;
pub(super) mod schedules;
pub(super) mod snapshots;
pub(super) mod studies;
pub(super) mod tables;
pub(super) mod tokens;
