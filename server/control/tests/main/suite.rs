//! The promises that hold on every database. `world.rs` reads from this module's name which one it is.

pub(crate) mod world;

mod anchors;
mod atomicity;
mod backup;
mod checkpoints;
pub(crate) mod commits;
mod denials;
mod erasure;
mod idempotency;
mod jobs;
mod logins;
mod opening;
mod reads;
mod receipts;
mod schedules;
mod secrets;
mod tampering;
mod tenancy;
mod tokens;
mod witnesses;
