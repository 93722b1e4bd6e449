//! The stories: one file for one promise to a person, and [`tidy`] for the repository's own rules.

mod backup;
mod bad_input;
mod bad_tokens;
mod broken_mart;
mod browser;
mod conformance_rules;
mod definitions_and_limits;
mod deliveries;
mod edc_oracle;
mod edge;
mod flight_pull;
mod history;
mod idempotency;
mod identity;
mod jobs;
mod kill;
mod known_faults;
mod mapped_sources;
mod mapping_check;
mod oidc_login;
mod pilot_counts;
mod quarantine_replay;
mod support;
mod tenant_wall;
mod tidy;
