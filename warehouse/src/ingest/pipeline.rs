//! Reading ahead of the conformer and writing behind it, each on a thread of its own.

use std::panic::resume_unwind;
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Scope, ScopedJoinHandle};

use arrow::array::RecordBatch;
use formats::Dataset;

use crate::Result;
use crate::table_writer::TableWriter;

/// Batches that wait between two threads. They are what the pipeline adds to the memory of its parts.
const WAITING: usize = 2;

/// The batches of a dataset. Reading ends with the file, with its first error, or when nobody listens any more.
pub(super) fn read_ahead<'scope, 'env>(
    threads: &'scope Scope<'scope, 'env>,
    path: &'env Path,
    dataset: &'env Dataset,
) -> Receiver<Result<RecordBatch>> {
    let (out, batches) = sync_channel(WAITING);
    threads.spawn(move || {
        if let Err(error) = send_all(path, dataset, &out) {
            // Nobody listens: whoever stopped listening knows why.
            let _ = out.send(Err(error));
        }
    });
    batches
}

fn send_all(path: &Path, dataset: &Dataset, out: &SyncSender<Result<RecordBatch>>) -> Result<()> {
    let mut source = formats::open(path, dataset)?;
    while let Some(batch) = source.next_batch()? {
        if out.send(Ok(batch)).is_err() {
            break;
        }
    }
    Ok(())
}

/// A file that is written on another thread.
pub(super) struct Written<'scope> {
    rows: SyncSender<RecordBatch>,
    thread: ScopedJoinHandle<'scope, Result<u64>>,
}

pub(super) fn write_behind<'scope>(
    threads: &'scope Scope<'scope, '_>,
    mut writer: TableWriter,
) -> Written<'scope> {
    let (rows, waiting) = sync_channel::<RecordBatch>(WAITING);
    let thread = threads.spawn(move || {
        waiting.iter().try_for_each(|batch| writer.write(&batch))?;
        writer.close()
    });
    Written { rows, thread }
}

impl Written<'_> {
    /// Hands rows over; `false` where writing has failed, and [`Written::close`] says why.
    #[must_use]
    pub(super) fn write(&self, rows: RecordBatch) -> bool {
        self.rows.send(rows).is_ok()
    }

    /// Waits for what is under way; returns the rows of the file.
    ///
    /// # Errors
    /// The first error of writing.
    pub(super) fn close(self) -> Result<u64> {
        drop(self.rows);
        self.thread.join().unwrap_or_else(|panic| resume_unwind(panic))
    }
}
