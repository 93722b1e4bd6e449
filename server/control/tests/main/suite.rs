//! The promises that hold on every database. `world.rs` reads from this module's name which one it is.

pub(crate) mod world;

mod anchors;
mod atomicity;
mod checkpoints;
pub(crate) mod commits;
mod denials;
mod erasure;
mod logins;
mod mart_runs;
mod opening;
mod reads;
mod receipts;
mod secrets;
mod tampering;
mod tenancy;
mod tokens;
mod witnesses;
