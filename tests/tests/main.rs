//! The stories: one file for one promise to a person, and [`tidy`] for the repository's own rules.

mod bad_input;
mod broken_mart;
mod browser;
mod conformance_rules;
mod deliveries;
mod edc_oracle;
mod edge;
mod flight_pull;
mod history;
mod kill;
mod known_faults;
mod mapped_sources;
mod mapping_check;
mod pilot_counts;
mod quarantine_replay;
mod support;
mod tenant_wall;
mod tidy;
