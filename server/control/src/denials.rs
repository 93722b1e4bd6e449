//! What the doors refused. A denial lands in the log of the tenant whose account was proved, otherwise in the
//! system's: a stranger cannot write into a tenant's log by naming it.

use crate::control::Control;
use crate::error::{AuthError, ControlError};
use crate::gate::{Caller, Principal};
use crate::ledger::{AuditAction, Event, LeafActor, Outcome, Resource};
use crate::text::shortened;
use crate::trace::TraceId;

/// Who was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeniedWho {
    /// An account that a valid signature named.
    Known(Caller),
    /// Somebody who proved nothing.
    Unknown,
}

impl From<&Principal> for DeniedWho {
    fn from(principal: &Principal) -> Self {
        Self::Known(principal.caller())
    }
}

impl From<&AuthError> for DeniedWho {
    fn from(error: &AuthError) -> Self {
        error.caller().map_or(Self::Unknown, Self::Known)
    }
}

/// A refusal, as a door reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denial {
    /// Who was refused.
    pub who: DeniedWho,
    /// The door: `flight`, `http`.
    pub door: String,
    /// What was asked for, as the door's own name for it (a route, a command): never a value or a subject.
    pub resource: String,
    /// Why, as a stable word such as [`AuthError::reason`].
    pub reason: String,
    /// The request.
    pub trace: TraceId,
}

impl Control {
    /// Records a refusal.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub async fn record_denial(&self, denial: Denial) -> Result<(), ControlError> {
        let actor = match denial.who {
            DeniedWho::Known(caller) => LeafActor::account(caller.account()),
            DeniedWho::Unknown => LeafActor::anonymous(),
        };
        let resource = Resource::new("door", shortened(&denial.resource, 200));
        let event = Event::success(AuditAction::AccessDenied, actor, resource)
            .ended(Outcome::Denied)
            .with("door", shortened(&denial.door, 40))
            .with("reason", shortened(&denial.reason, 100))
            .traced(&denial.trace);
        let tenant = match denial.who {
            DeniedWho::Known(caller) => match self.store().tenant(caller.tenant()).await {
                // A good signature over a tenant that is not there, or not any more.
                Err(ControlError::Denied) => None,
                found => Some(found?),
            },
            DeniedWho::Unknown => None,
        };
        let recorded = match tenant {
            Some(tenant) => tenant.begin().await?.record(event).await?,
            None => self.store().system().begin().await?.record(event).await?,
        };
        recorded.commit().await
    }
}
