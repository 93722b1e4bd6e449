//! Events that change nothing else commit together: while one commit is on its way to the disk, those that come
//! meanwhile wait, and the next commit takes all of them. Each waits for its own commit, so that nothing leaves
//! the house before its event is safe; alone, an event waits for nobody.

use std::collections::BTreeMap;
use std::mem;
use std::sync::{Mutex, PoisonError};

use kernel::TenantId;
use tokio::sync::oneshot;

use crate::control::Control;
use crate::error::ControlError;
use crate::ledger::event::Event;

const STEP: &str = "record the read";
/// The most events of one commit, so that the first does not wait for ever.
const EVENTS_TOGETHER: usize = 256;

type Answer = oneshot::Sender<Result<(), ControlError>>;

/// The events that wait, by tenant. A tenant is listed while somebody is committing for it.
#[derive(Debug, Default)]
pub(crate) struct WaitingEvents(Mutex<BTreeMap<TenantId, Vec<(Event, Answer)>>>);

impl WaitingEvents {
    /// Lets an event wait. Whether the caller has to see to it that somebody commits.
    fn push(&self, tenant: TenantId, event: Event, answer: Answer) -> bool {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let alone = !waiting.contains_key(&tenant);
        waiting.entry(tenant).or_default().push((event, answer));
        alone
    }

    /// The events to commit next; when there are none, the tenant is no longer listed.
    fn take(&self, tenant: TenantId) -> Vec<(Event, Answer)> {
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
    /// Appends an event to a tenant's log, and returns when it is committed.
    pub(crate) async fn record_together(&self, tenant: TenantId, event: Event) -> Result<(), ControlError> {
        let (answer, answered) = oneshot::channel();
        if self.waiting().push(tenant, event, answer) {
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
            let (events, answers): (Vec<Event>, Vec<Answer>) = together.into_iter().unzip();
            let outcome = self.commit_events(tenant, events).await;
            for answer in answers {
                // A reader who went away does not ask any more; its event stays, as a start without an end.
                let _ = answer.send(outcome.as_ref().copied().map_err(again));
            }
        }
    }

    async fn commit_events(&self, tenant: TenantId, events: Vec<Event>) -> Result<(), ControlError> {
        let mut events = events.into_iter();
        let Some(first) = events.next() else { return Ok(()) };
        let mut recorded = self.store().tenant(tenant).await?.begin().await?.record(first).await?;
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
