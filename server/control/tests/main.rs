//! What the control plane promises, one promise a module, on each database that can keep its rows. [`suite`] is
//! compiled once for each; `world.rs` in it is a deployment in a temporary folder, and an intruder who can edit
//! its rows. [`cluster`] is the PostgreSQL that this program starts for itself.

#[path = "main/cluster.rs"]
mod cluster;
#[path = "main/second_verifier.rs"]
mod second_verifier;
#[path = "main/site.rs"]
mod site;

#[path = "main/suite.rs"]
#[expect(clippy::duplicate_mod, reason = "the same promises are kept on the other database")]
mod postgres;
#[path = "main/suite.rs"]
mod sqlite;

#[path = "main/buckets.rs"]
mod buckets;
#[path = "main/crashed.rs"]
mod crashed;
#[path = "main/cryptography.rs"]
mod cryptography;
#[path = "main/faults.rs"]
mod faults;
#[path = "main/files.rs"]
mod files;
#[path = "main/full_disk.rs"]
mod full_disk;
#[path = "main/isolation.rs"]
mod isolation;
#[path = "main/killed.rs"]
mod killed;
#[path = "main/load.rs"]
mod load;
#[path = "main/master_keys.rs"]
mod master_keys;
#[path = "main/total.rs"]
mod total;
