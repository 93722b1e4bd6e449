//! Files become canon, canon becomes the star schema, the star becomes snapshots.
//!
//! Data moves one way. Read [`contract`] first (what canon is), then [`mapping`] (which column feeds which),
//! [`mod@ingest`] (how a delivery becomes canon), [`star`] (how canon
//! becomes facts and dimensions), [`canon`] (its versions in time), [`quality`] (whether the data is fit for use),
//! [`snapshot`] (what is published) and [`table`] (the only scoped read).
pub mod canon;
pub mod catalogue;
pub mod conform;
pub mod contract;
pub mod date;
pub mod engine;
pub mod error;
pub mod ingest;
mod later;
pub mod mapping;
pub mod occupancy;
pub mod quality;
pub mod quarantine;
pub mod removal;
pub mod row_hash;
pub mod snapshot;
pub mod star;
pub mod storage;
pub mod table;
pub mod table_writer;
pub mod upload;
pub mod workbench;

pub use engine::Engine;
pub use error::{Error, Result};
pub use ingest::{Batch, Delivery, Ingested, Receipt, ingest};
pub use mapping::Mapping;
pub use snapshot::{Cut, CutKind, DataFile, Manifest, Table, Zone};
pub use storage::{Storage, TenantFiles, Writer};
pub use table::{TableFiles, TableScan};
pub use table_writer::TableWriter;
pub use upload::{AnnouncedFile, Upload};
pub use workbench::Workbench;
