//! The contract of the crate: what the marts say of studies small enough to be worked out by hand, and of one
//! that an independent tool worked out.
mod a_failed_test_publishes_nothing;
mod a_plan_says_why;
mod building_is_incremental;
mod enrolment_and_safety;
mod indicators_of_the_catalogue;
mod limits_and_retention;
mod lineage_is_told_to_catalogues;
mod missingness_is_schedule_aware;
mod parts_are_taken_over;
mod reference_listings;
mod site_tests;
mod study;
mod the_past_can_be_built;
mod versions_count_once;
