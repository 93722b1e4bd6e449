//! Delivered files become batches of verbatim text, whatever their format; and the way back.
//!
//! Read [`dataset`] first (what is known before the first row), then [`source`] (how a file is checked and
//! read), then [`write()`] (the way back). Each format has its own file; [`limits`] says what a file may ask for. No
//! engine is linked here: a reader is built, tested and attacked alone.
pub mod dataset;
pub mod define;
pub mod error;
pub mod limits;
pub mod source;
pub mod write;

mod arrow_ipc;
mod arrow_text;
mod csv;
mod dataset_json;
mod guard;
mod inflate;
mod json_pieces;
mod odm;
mod parquet;
mod sas7bdat;
mod text;
mod xml;
mod xpt;

pub use dataset::{Column, ColumnKind, Dataset, Format, Wrapping};
pub use define::Define;
pub use error::{Error, Result};
pub use source::{BATCH_ROWS, Source, datasets, looks_like_data, open};
pub use write::{DatasetWriter, Target, write};
