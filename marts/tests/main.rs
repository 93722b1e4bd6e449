//! The contract of the crate: what the marts say of studies small enough to be worked out by hand, and of one
//! that an independent tool worked out.
mod building_is_incremental;
mod limits_and_retention;
mod missingness_is_schedule_aware;
mod study;
mod versions_count_once;
