//! What is done to somebody else's access, and why: the reason stands in the event for ever.

use crate::actor::Actor;
use crate::error::ControlError;
use crate::ledger::{AuditAction, Event, Resource};
use crate::text::require_text;
use crate::trace::TraceId;

/// The longest reason, in characters.
const REASON_MAX: usize = 200;

/// Who orders something, and why. An [`Actor`] alone is an order without a reason.
#[derive(Debug, Clone, Copy)]
pub struct Order<'a> {
    /// Who.
    pub actor: &'a Actor,
    /// Why, without naming a person: it is recorded for ever. Who administers a tenant has to say it.
    pub reason: Option<&'a str>,
    /// The request that it is part of.
    pub trace: Option<&'a TraceId>,
}

impl<'a> From<&'a Actor> for Order<'a> {
    fn from(actor: &'a Actor) -> Self {
        Self { actor, reason: None, trace: None }
    }
}

impl Order<'_> {
    /// Refuses an order of who administers a tenant that gives no reason, and a reason that is too long.
    pub(crate) fn require_reason(&self) -> Result<(), ControlError> {
        match (self.actor, self.reason) {
            (Actor::Administrator { .. }, reason) => {
                require_text("reason", reason.unwrap_or_default(), REASON_MAX)
            }
            (_, Some(reason)) => require_text("reason", reason, REASON_MAX),
            (_, None) => Ok(()),
        }
    }

    /// Refuses an order without a reason, whoever gives it, and a reason that is too long.
    pub(crate) fn require_reason_of_anybody(&self) -> Result<(), ControlError> {
        require_text("reason", self.reason.unwrap_or_default(), REASON_MAX)
    }

    /// The event of what was done, with who, why and where.
    pub(crate) fn event(&self, action: AuditAction, resource: Resource) -> Event {
        let mut event = Event::success(action, self.actor, resource);
        if let Some(reason) = self.reason {
            event = event.with("reason", reason.trim());
        }
        if let Some(trace) = self.trace {
            event = event.traced(trace);
        }
        event
    }

    /// Who, as a row remembers it: `account:<id>`, `operator:local` or `system:cairn`.
    pub(crate) fn by(&self) -> String {
        let actor = crate::ledger::LeafActor::from(self.actor);
        format!("{}:{}", actor.kind, actor.id)
    }
}
