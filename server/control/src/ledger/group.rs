//! Events of reads commit together, with the rows that list them: while one commit is on its way to the disk, those that come
//! meanwhile wait, and the next commit takes all of them. Each waits for its own commit, so that nothing leaves
//! the house before its event is safe; alone, an event waits for nobody.

use std::collections::{BTreeMap, BTreeSet};
use std::mem;
use std::sync::{Mutex, PoisonError};

use kernel::TenantId;
use tokio::sync::oneshot;

use crate::control::Control;
use crate::error::ControlError;
use crate::ledger::event::Event;
use crate::reads::Distribution;

const STEP: &str = "record the read";
/// The most events of one commit, so that the first does not wait for ever.
const EVENTS_TOGETHER: usize = 256;

type Answer = oneshot::Sender<Result<(), ControlError>>;

/// An event that waits, and the row that commits with it when a read has ended.
#[derive(Debug)]
struct Waiting {
    event: Event,
    ended: Option<Distribution>,
    answer: Answer,
}

/// The events that wait, by tenant. A tenant is listed while somebody is committing for it.
#[derive(Debug, Default)]
pub(crate) struct WaitingEvents(Mutex<BTreeMap<TenantId, Vec<Waiting>>>);

impl WaitingEvents {
    /// Lets an event wait. Whether the caller has to see to it that somebody commits.
    fn push(&self, tenant: TenantId, event: Waiting) -> bool {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let alone = !waiting.contains_key(&tenant);
        waiting.entry(tenant).or_default().push(event);
        alone
    }

    /// The events to commit next; when there are none, the tenant is no longer listed.
    fn take(&self, tenant: TenantId) -> Vec<Waiting> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(queue) = waiting.get_mut(&tenant) else { return Vec::new() };
        let later = queue.split_off(queue.len().min(EVENTS_TOGETHER));
        let now = mem::replace(queue, later);
        if now.is_empty() {
            waiting.remove(&tenant);
        }
        now
    }
}

impl Control {
    /// Appends an event to a tenant's log, with the row of a read that has ended, and returns when both are committed.
    ///
    /// # Errors
    /// [`ControlError::PullEnded`] when the read is listed already.
    pub(crate) async fn record_together(
        &self,
        tenant: TenantId,
        event: Event,
        ended: Option<Distribution>,
    ) -> Result<(), ControlError> {
        let (answer, answered) = oneshot::channel();
        if self.waiting().push(tenant, Waiting { event, ended, answer }) {
            // A task of its own: a reader who goes away must not take the others' commit along.
            let control = self.clone();
            tokio::spawn(async move { control.commit_waiting(tenant).await });
        }
        answered.await.unwrap_or(Err(ControlError::Busy { step: STEP }))
    }

    async fn commit_waiting(&self, tenant: TenantId) {
        loop {
            let together = self.waiting().take(tenant);
            if together.is_empty() {
                return;
            }
            let mut listed_before = BTreeSet::new();
            let outcome = self.commit_together(tenant, &together, &mut listed_before).await;
            for (index, waiting) in together.into_iter().enumerate() {
                let own = match &outcome {
                    Ok(()) if listed_before.contains(&index) => Err(ControlError::PullEnded),
                    Ok(()) => Ok(()),
                    Err(error) => Err(again(error)),
                };
                // A reader who went away does not ask any more; its event stays, as a start without an end.
                let _ = waiting.answer.send(own);
            }
        }
    }

    async fn commit_together(
        &self,
        tenant: TenantId,
        together: &[Waiting],
        listed_before: &mut BTreeSet<usize>,
    ) -> Result<(), ControlError> {
        let mut tx = self.store().tenant(tenant).await?.begin().await?;
        for (index, waiting) in together.iter().enumerate() {
            if let Some(ended) = &waiting.ended
                && !ended.insert(&mut tx).await?
            {
                listed_before.insert(index);
            }
        }
        let events = together.iter().enumerate().filter(|(index, _)| !listed_before.contains(index));
        let mut events = events.map(|(_, waiting)| waiting.event.clone());
        let Some(first) = events.next() else { return Ok(()) };
        let mut recorded = tx.record(first).await?;
        for event in events {
            recorded = recorded.and(event).await?;
        }
        recorded.commit().await
    }
}

/// The same failure, for the next who waited.
fn again(error: &ControlError) -> ControlError {
    match error {
        ControlError::Denied => ControlError::Denied,
        ControlError::Busy { step } => ControlError::Busy { step },
        ControlError::ClockBehind { log, seconds } => {
            ControlError::ClockBehind { log: log.clone(), seconds: *seconds }
        }
        ControlError::HeadMissing { log } => ControlError::HeadMissing { log: log.clone() },
        other => ControlError::Storage { step: STEP, source: other.to_string().into() },
    }
}
