//! The contract of the crate: what becomes of a delivery, from files to published tables.
mod delivered;

mod engine_is_locked;
mod mappings_read_their_sources;
mod rows_are_kept;
mod star_follows_the_rules;
