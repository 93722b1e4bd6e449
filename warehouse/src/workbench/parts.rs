//! A table on its way into files: one, or one for each part of which whoever writes it says what it is made of. A part that
//! a former table has is taken over, file and all.

use std::collections::BTreeMap;
use std::path::PathBuf;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use super::Seat;
use crate::Result;
use crate::snapshot::{DataFile, Zone};
use crate::storage::{Staging, hash_file};
use crate::table_writer::TableWriter;

/// One file of a table that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) path: PathBuf,
    pub(super) rows: u64,
    pub(super) blake3: String,
    /// [`DataFile::made_of`].
    made_of: Option<String>,
    /// Where it is already; none while it is staged.
    published: Option<DataFile>,
}

impl Part {
    pub(super) fn staged(path: PathBuf, rows: u64, made_of: Option<String>) -> Result<Self> {
        let (blake3, _) = hash_file(&path)?;
        Ok(Self { path, rows, blake3, made_of, published: None })
    }

    pub(super) fn publish(self, staging: &Staging, table: &str) -> Result<DataFile> {
        if let Some(file) = self.published {
            return Ok(file);
        }
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        let file = staging.publish(&name, Zone::Marts, table, self.rows)?;
        Ok(DataFile { made_of: self.made_of, ..file })
    }
}

/// A table being written.
pub struct Parts<'a> {
    seat: &'a Seat,
    name: &'a str,
    schema: &'a SchemaRef,
    /// The parts of former tables, by what each is made of.
    known: &'a BTreeMap<String, DataFile>,
    /// Of the rows that come next.
    made_of: Option<String>,
    writer: Option<(PathBuf, TableWriter)>,
    done: Vec<Part>,
}

impl std::fmt::Debug for Parts<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parts").field("name", &self.name).field("done", &self.done).finish_non_exhaustive()
    }
}

impl<'a> Parts<'a> {
    pub(super) fn of(
        (seat, name): (&'a Seat, &'a str),
        schema: &'a SchemaRef,
        known: &'a BTreeMap<String, DataFile>,
    ) -> Self {
        Self { seat, name, schema, known, made_of: None, writer: None, done: Vec::new() }
    }

    /// Takes the rows that come next.
    ///
    /// # Errors
    /// [`crate::Error::Parquet`] when they cannot be written.
    pub fn write(&mut self, rows: &RecordBatch) -> Result<()> {
        let (_, writer) = match &mut self.writer {
            Some(open) => open,
            none => {
                let path = self.seat.path(&match self.done.len() {
                    0 => self.name.to_owned(),
                    others => format!("{}-{others}", self.name),
                });
                let writer = TableWriter::create_plain(&path, self.schema)?;
                none.insert((path, writer))
            }
        };
        writer.write(rows)
    }

    /// Begins a part, made of what `made_of` stands for. Whether a former table has it: then its rows need not come.
    ///
    /// # Errors
    /// [`crate::Error::Parquet`] when the part before it cannot be written, [`crate::Error::Storage`] when there is no such
    /// file.
    pub fn has_part(&mut self, made_of: String) -> Result<bool> {
        self.close()?;
        let Some(file) = self.known.get(&made_of) else {
            self.made_of = Some(made_of);
            return Ok(false);
        };
        self.done.push(Part {
            path: self.seat.files.path(&file.key)?,
            rows: file.rows,
            blake3: file.blake3.clone(),
            made_of: Some(made_of),
            published: Some(file.clone()),
        });
        Ok(true)
    }

    /// The part at hand is not to be taken over, whatever it is made of.
    pub fn forget(&mut self) {
        self.made_of = None;
    }

    /// The files. A table without rows has one.
    pub(super) fn finish(mut self) -> Result<Vec<Part>> {
        if self.done.is_empty() && self.writer.is_none() {
            self.write(&RecordBatch::new_empty(self.schema.clone()))?;
        }
        self.close()?;
        Ok(self.done)
    }

    fn close(&mut self) -> Result<()> {
        let made_of = self.made_of.take();
        if let Some((path, writer)) = self.writer.take() {
            let rows = writer.close()?;
            self.done.push(Part::staged(path, rows, made_of)?);
        }
        Ok(())
    }
}
