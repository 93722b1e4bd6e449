//! Where messages of the outbox go: webhooks, posted to addresses that a tenant has named, in the form of Standard
//! Webhooks, and e-mail, through one endpoint for the relay of the deployment (`mail`). Read
//! [`address`] for which addresses those may be, [`secret`] for how a message is signed, [`claim`] for how one is sent
//! by one server at a time, [`pace`] for when, [`ending`] for what comes of an answer, and [`endpoints`] and
//! [`deliveries`] for what people do with them.
// Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
mod address;
mod claim;
mod deliveries;
mod ending;
mod endpoints;
mod pace;
mod row;
mod secret;

use kernel::{Administer, Grants};

use crate::actor::Actor;
use crate::error::ControlError;

pub use address::InvalidWebhook;
pub use claim::{MessageClaim, Recipient};
pub use deliveries::{WebhookDelivery, WebhookDeliveryState};
pub use ending::MessageOutcome;
pub use endpoints::{IssuedEndpoint, NewEndpoint};
pub use pace::Breaker;
pub use row::{Channel, EndpointRow, EndpointState};
pub use secret::signature_header;

/// Webhooks are administered by an administrator of the whole tenant.
fn require_administrator(actor: &Actor, grants: &Grants) -> Result<(), ControlError> {
    actor.require_tenant(grants.tenant())?;
    if grants.allow_everywhere::<Administer>() { Ok(()) } else { Err(ControlError::Denied) }
}
