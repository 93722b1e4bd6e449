//! What the control plane promises, one promise a module. [`world`] is a deployment in a temporary folder, and
//! an intruder who can edit its files.

#[path = "main/world.rs"]
mod world;

#[path = "main/anchors.rs"]
mod anchors;
#[path = "main/atomicity.rs"]
mod atomicity;
#[path = "main/checkpoints.rs"]
mod checkpoints;
#[path = "main/commits.rs"]
mod commits;
#[path = "main/denials.rs"]
mod denials;
#[path = "main/erasure.rs"]
mod erasure;
#[path = "main/faults.rs"]
mod faults;
#[path = "main/killed.rs"]
mod killed;
#[path = "main/logins.rs"]
mod logins;
#[path = "main/opening.rs"]
mod opening;
#[path = "main/reads.rs"]
mod reads;
#[path = "main/receipts.rs"]
mod receipts;
#[path = "main/secrets.rs"]
mod secrets;
#[path = "main/tampering.rs"]
mod tampering;
#[path = "main/tenancy.rs"]
mod tenancy;
#[path = "main/tokens.rs"]
mod tokens;
#[path = "main/witnesses.rs"]
mod witnesses;
