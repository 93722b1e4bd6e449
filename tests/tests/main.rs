//! The stories: one file for one promise to a person, and [`tidy`] for the repository's own rules.

mod bad_input;
mod browser;
mod edc_oracle;
mod flight_pull;
mod kill;
mod mapped_sources;
mod mapping_check;
mod pilot_counts;
mod support;
mod tenant_wall;
mod tidy;
