//! The contract of the crate: what becomes of a delivery, from files to published tables.
mod delivered;

mod blinding;
mod engine_is_locked;
mod engine_probes;
mod history_is_kept;
mod mappings_read_their_sources;
mod quality_checks;
mod rows_are_kept;
mod star_follows_the_rules;
mod star_is_documented;
mod star_keeps_versions;
mod star_measures;
