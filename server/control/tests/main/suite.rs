//! The promises that hold on every database. `world.rs` reads from this module's name which one it is.

pub(crate) mod world;

mod access_tokens;
mod administration;
mod anchors;
mod atomicity;
mod backup;
mod break_glass;
mod checkpoints;
pub(crate) mod commits;
mod definitions;
mod denials;
mod erasure;
mod idempotency;
mod identities;
mod jobs;
mod keys;
mod logins;
mod mail;
mod mart_runs;
mod opening;
mod reads;
mod receipts;
mod retention;
mod schedules;
mod sealing;
mod second_factors;
mod secrets;
mod sessions;
mod signatures;
mod tampering;
mod tenancy;
mod tenant_standing;
mod throttling;
mod tokens;
mod webhooks;
mod witnesses;
