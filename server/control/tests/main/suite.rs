//! The promises that hold on every database. `world.rs` reads from this module's name which one it is.

pub(crate) mod world;

mod atomicity;
pub(crate) mod commits;
mod denials;
mod logins;
mod opening;
mod reads;
mod secrets;
mod tampering;
mod tenancy;
mod tokens;
