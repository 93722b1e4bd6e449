//! Delivered files become batches of verbatim text, whatever their format; and the way back.
//!
//! Read [`dataset`] first (what is known before the first row), then [`source`] (how a file is checked and
//! read). Each format has its own file. No engine is linked here: a reader is built, tested and attacked alone.
pub mod dataset;
pub mod define;
pub mod error;
pub mod source;

mod csv;
mod odm;
mod parquet;
mod text;
mod xml;
mod xpt;

pub use dataset::{Column, ColumnKind, Dataset, Format};
pub use define::Define;
pub use error::{Error, Result};
pub use source::{BATCH_ROWS, Source, datasets, looks_like_data, open};
