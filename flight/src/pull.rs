//! A table on its way out. The ledger knows of it before the first byte leaves, and when it ended: with how
//! many rows and bytes, and whether the caller got all of them.

use std::pin::Pin;
use std::task::{Context, Poll};

use arrow::array::RecordBatch;
use arrow_flight::FlightData;
use arrow_flight::encode::FlightDataEncoderBuilder;
use arrow_flight::error::FlightError;
use control::{Amount, Control, Outcome, Principal, PullId, TableRead};
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use futures::{FutureExt, Stream, StreamExt};
use tokio::sync::mpsc;
use tonic::Status;
use warehouse::TableScan;

use crate::status;

/// Below the default limit of Rust and Go clients, which is 4 MiB for a message.
const MESSAGE_BYTES: usize = 3_500_000;

/// The stream of one pull.
pub struct Pull {
    messages: BoxStream<'static, Result<FlightData, FlightError>>,
    record: Option<Record>,
    ending: Option<BoxFuture<'static, Result<(), Status>>>,
}

/// What the second ledger event needs.
struct Record {
    control: Control,
    principal: Principal,
    pull: PullId,
    read: TableRead,
    amount: Amount,
    rows: std::sync::Arc<std::sync::atomic::AtomicU64>,
}

impl Record {
    async fn write(self, outcome: Outcome) -> Result<(), Status> {
        let amount = Amount { rows: self.rows.load(std::sync::atomic::Ordering::Relaxed), ..self.amount };
        let written =
            self.control.read_finished(&self.principal, self.pull, self.read, amount, outcome).await;
        written.map_err(|error| status::internal(&error))
    }
}

impl Pull {
    /// Starts reading `scan`. `pull` is the proof that the first event is written.
    #[must_use]
    pub fn new(
        scan: TableScan,
        control: Control,
        principal: Principal,
        (pull, read): (PullId, TableRead),
    ) -> Self {
        let rows = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(0));
        let messages = FlightDataEncoderBuilder::new()
            .with_schema(scan.schema().clone())
            .with_max_flight_data_size(MESSAGE_BYTES)
            .build(batches(scan, rows.clone()))
            .boxed();
        let record = Record { control, principal, pull, read, amount: Amount::default(), rows };
        Self { messages, record: Some(record), ending: None }
    }

    fn end(&mut self, outcome: Outcome) {
        if let Some(record) = self.record.take() {
            self.ending = Some(record.write(outcome).boxed());
        }
    }
}

/// The batches of a scan, read on a thread of their own, a few ahead of the network.
fn batches(
    scan: TableScan,
    rows: std::sync::Arc<std::sync::atomic::AtomicU64>,
) -> impl Stream<Item = Result<RecordBatch, FlightError>> + Send {
    let (sender, receiver) = mpsc::channel(2);
    tokio::task::spawn_blocking(move || {
        for batch in scan {
            let batch = batch.map_err(|error| FlightError::Tonic(Box::new(status::internal(&error))));
            // The receiver is gone when the caller went away.
            if sender.blocking_send(batch).is_err() {
                return;
            }
        }
    });
    tokio_stream::wrappers::ReceiverStream::new(receiver).inspect(move |batch| {
        if let Ok(batch) = batch {
            rows.fetch_add(batch.num_rows() as u64, std::sync::atomic::Ordering::Relaxed);
        }
    })
}

impl Stream for Pull {
    type Item = Result<FlightData, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(ending) = &mut self.ending {
                let ended = std::task::ready!(ending.poll_unpin(context));
                self.ending = None;
                return Poll::Ready(ended.err().map(Err));
            }
            if self.record.is_none() {
                return Poll::Ready(None);
            }
            match std::task::ready!(self.messages.poll_next_unpin(context)) {
                Some(Ok(message)) => {
                    if let Some(record) = &mut self.record {
                        record.amount.bytes += (message.data_header.len() + message.data_body.len()) as u64;
                    }
                    return Poll::Ready(Some(Ok(message)));
                }
                Some(Err(error)) => {
                    self.end(Outcome::Failed);
                    return Poll::Ready(Some(Err(Status::from(error))));
                }
                // The last byte is followed by its event; the caller sees the end only when it is written.
                None => self.end(Outcome::Success),
            }
        }
    }
}

impl Drop for Pull {
    fn drop(&mut self) {
        // The caller went away: the event says how much had left.
        let unfinished = self.record.take().map(|record| record.write(Outcome::Failed).boxed());
        if let Some(ending) = unfinished.or_else(|| self.ending.take())
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(ending);
        }
    }
}
