//! The vocabulary every other crate speaks: identifiers, access as a value, clock and chance as
//! arguments, and where a value came from. No I/O; it compiles for the browser.
//! Read [`id`] first, then [`scope`] (how access is proved), then [`clock`], [`seed`] and [`lineage`].
pub mod clock;
pub mod id;
pub mod lineage;
pub mod origin;
pub mod scope;
pub mod seed;

pub use clock::{Clock, FixedClock, SystemClock};
pub use id::{AccountId, BatchId, InvalidId, RunId, SnapshotId, StudyId, TenantId};
pub use lineage::{CODE_VERSION, Lineage};
pub use origin::Origin;
pub use scope::{
    Action, ActionKind, Administer, Audit, Build, Denied, Grant, Grants, Permission, Read, Review, Role,
    Sign, StudyScope,
};
pub use seed::Seed;
