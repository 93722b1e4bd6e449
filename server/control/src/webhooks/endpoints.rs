//! What an administrator does with endpoints.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use kernel::{Grants, TenantId};

use super::row::{COLUMNS, Channel, Columns, EndpointRow, EndpointState};
use super::secret::{self, Key};
use super::{InvalidWebhook, address, require_administrator};
use crate::actor::Actor;
use crate::control::Control;
use crate::error::{ControlError, corrupt, storage};
use crate::fresh;
use crate::ids::{DeliveryId, EndpointId};
use crate::instant::timestamp;
use crate::ledger::{AuditAction, Event, Resource};
use crate::outbox::{Announcement, Draft};
use crate::store::{Connection, TenantTx};
use crate::text::shortened;
use crate::trace::TraceId;

/// The most endpoints of a tenant.
const MAX_ENDPOINTS: i64 = 50;
/// How long the secret before a new one signs too.
const OVERLAP: TimeDelta = TimeDelta::hours(24);
const MAX_DESCRIPTION: usize = 200;

/// An endpoint that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEndpoint {
    /// Where messages are to be posted.
    pub url: String,
    /// What it is, in the words of whoever adds it; may be empty.
    pub description: String,
    /// The names of the kinds of messages that it asks for.
    pub kinds: Vec<String>,
}

/// An endpoint with a secret that was just made, which nothing can show again.
#[derive(Clone)]
pub struct IssuedEndpoint {
    /// The endpoint.
    pub endpoint: EndpointRow,
    /// What its owner verifies signatures with.
    pub secret: String,
}

impl std::fmt::Debug for IssuedEndpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IssuedEndpoint").field("endpoint", &self.endpoint.id).finish_non_exhaustive()
    }
}

impl Control {
    /// Adds an endpoint, which is used from now on.
    ///
    /// # Errors
    /// [`ControlError::Denied`] for who does not administer the tenant, [`ControlError::InvalidWebhook`], and
    /// [`ControlError::TooManyWebhooks`].
    pub async fn add_webhook(
        &self,
        actor: &Actor,
        grants: &Grants,
        new: &NewEndpoint,
        trace: &TraceId,
    ) -> Result<IssuedEndpoint, ControlError> {
        require_administrator(actor, grants)?;
        let host = address::checked(self.webhook_reach(), &new.url)?;
        let kinds = kinds_of(&new.kinds)?;
        let mut tx = self.store().tenant(grants.tenant()).await?.begin().await?;
        refuse_too_many(&mut tx).await?;
        let id = EndpointId::from_uuid(fresh::uuid(tx.now())?);
        let (key, secret) = secret::create()?;
        let (data_key, is_new) = self.data_keys().active(grants.tenant(), tx.now())?;
        let sealed = secret::seal(&data_key, (id, 1), &key)?;
        insert(&mut tx, id, new, &kinds, sealed).await?;
        let endpoint = find(tx.connection(), id).await?;
        let event =
            event(AuditAction::WebhookAdded, actor, id, trace).with("host", host).with("kinds", kinds);
        let mut recorded = tx.record(event).await?;
        if is_new {
            let made =
                Event::success(AuditAction::DataKeyCreated, &Actor::System, Resource::data_key(data_key.id));
            recorded = recorded.and(made).await?;
        }
        recorded.commit().await?;
        Ok(IssuedEndpoint { endpoint, secret })
    }

    /// The endpoints of a tenant, oldest first; e-mail is one of them where it is set up.
    ///
    /// # Errors
    /// [`ControlError::Denied`] for who does not administer it.
    pub async fn webhooks(&self, actor: &Actor, grants: &Grants) -> Result<Vec<EndpointRow>, ControlError> {
        require_administrator(actor, grants)?;
        let sql =
            format!("SELECT {COLUMNS} FROM webhook_endpoints WHERE state <> 'REMOVED' ORDER BY endpoint_id");
        let rows: Vec<Columns> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .fetch_all(&mut *self.store().tenant(grants.tenant()).await?.view().await?)
            .await
            .map_err(storage("read the endpoints"))?;
        rows.iter().map(EndpointRow::read).collect()
    }

    /// One endpoint.
    ///
    /// # Errors
    /// [`ControlError::Denied`] when there is none that these grants reach.
    pub async fn webhook(
        &self,
        actor: &Actor,
        grants: &Grants,
        id: EndpointId,
    ) -> Result<EndpointRow, ControlError> {
        require_administrator(actor, grants)?;
        find(&mut *self.store().tenant(grants.tenant()).await?.view().await?, id).await
    }

    /// Gives an endpoint a further secret. The one before signs too for a day, so that no message is lost to the change.
    ///
    /// # Errors
    /// As [`Control::webhook`].
    pub async fn rotate_webhook(
        &self,
        actor: &Actor,
        grants: &Grants,
        id: EndpointId,
        trace: &TraceId,
    ) -> Result<IssuedEndpoint, ControlError> {
        require_administrator(actor, grants)?;
        let mut tx = self.store().tenant(grants.tenant()).await?.begin().await?;
        let known = find(tx.connection(), id).await?;
        refuse_mail(&known)?;
        let version = known.secret_version + 1;
        let (key, secret) = secret::create()?;
        let sealed = self.sealed(grants.tenant(), (id, version), &key)?;
        let now = tx.now();
        sqlx::query(
            "UPDATE webhook_endpoints SET previous_secret = secret, previous_until = $1, secret = $2,
                                          secret_version = secret_version + 1, changed_at = $3
             WHERE endpoint_id = $4",
        )
        .bind(timestamp(now + OVERLAP))
        .bind(sealed)
        .bind(timestamp(now))
        .bind(id.to_string())
        .execute(tx.connection())
        .await
        .map_err(storage("keep the secret"))?;
        let endpoint = find(tx.connection(), id).await?;
        let event = event(AuditAction::WebhookSecretRotated, actor, id, trace).with("version", version);
        tx.record(event).await?.commit().await?;
        Ok(IssuedEndpoint { endpoint, secret })
    }

    /// Turns an endpoint on, with a closed breaker, or off. What is in line for it waits while it is off.
    ///
    /// # Errors
    /// As [`Control::webhook`].
    pub async fn enable_webhook(
        &self,
        actor: &Actor,
        grants: &Grants,
        (id, state): (EndpointId, EndpointState),
        trace: &TraceId,
    ) -> Result<EndpointRow, ControlError> {
        require_administrator(actor, grants)?;
        let mut tx = self.store().tenant(grants.tenant()).await?.begin().await?;
        let known = find(tx.connection(), id).await?;
        if known.state == state {
            return Ok(known);
        }
        set_state(&mut tx, id, state.name(), None).await?;
        let endpoint = find(tx.connection(), id).await?;
        let event = event(AuditAction::WebhookChanged, actor, id, trace).with("state", state.name());
        tx.record(event).await?.commit().await?;
        Ok(endpoint)
    }

    /// Removes an endpoint with its secrets. What is in line for it is not sent any more.
    ///
    /// # Errors
    /// As [`Control::webhook`].
    pub async fn remove_webhook(
        &self,
        actor: &Actor,
        grants: &Grants,
        id: EndpointId,
        trace: &TraceId,
    ) -> Result<(), ControlError> {
        const STEP: &str = "remove the endpoint";
        require_administrator(actor, grants)?;
        let mut tx = self.store().tenant(grants.tenant()).await?.begin().await?;
        refuse_mail(&find(tx.connection(), id).await?)?;
        let now = timestamp(tx.now());
        set_state(&mut tx, id, "REMOVED", None).await?;
        sqlx::query(
            "UPDATE webhook_endpoints SET secret = NULL, previous_secret = NULL WHERE endpoint_id = $1",
        )
        .bind(id.to_string())
        .execute(tx.connection())
        .await
        .map_err(storage(STEP))?;
        sqlx::query(
            "UPDATE webhook_deliveries SET state = 'CANCELLED', ended_at = $1
             WHERE endpoint_id = $2 AND state IN ('QUEUED', 'SENDING')",
        )
        .bind(now)
        .bind(id.to_string())
        .execute(tx.connection())
        .await
        .map_err(storage(STEP))?;
        tx.record(event(AuditAction::WebhookRemoved, actor, id, trace)).await?.commit().await
    }

    /// Puts a test message in line for an endpoint, to be sent at once even while its breaker is open. By e-mail it goes
    /// to who asks for it.
    ///
    /// # Errors
    /// As [`Control::webhook`], and [`ControlError::WebhookState`] when it is turned off.
    pub async fn test_webhook(
        &self,
        actor: &Actor,
        grants: &Grants,
        id: EndpointId,
        trace: &TraceId,
    ) -> Result<DeliveryId, ControlError> {
        require_administrator(actor, grants)?;
        let mut tx = self.store().tenant(grants.tenant()).await?.begin().await?;
        let endpoint = find(tx.connection(), id).await?;
        refuse_disabled(&endpoint)?;
        let account = match (endpoint.channel, actor) {
            (Channel::Webhook, _) => None,
            (Channel::Mail, Actor::Account { id, .. } | Actor::Administrator { id, .. }) => Some(*id),
            (Channel::Mail, _) => {
                let remedy = "send a test with `cairn admin mail test --to ADDRESS`";
                return Err(ControlError::WebhookState { state: "e-mail", remedy });
            }
        };
        let (now, tenant) = (tx.now(), grants.tenant());
        let test = Draft::of_test(tenant, id, trace);
        let delivery = test.send_to(tx.connection(), (id, account), now).await?;
        half_open(&mut tx, id).await?;
        let event =
            event(AuditAction::WebhookTested, actor, id, trace).with("delivery", delivery.to_string());
        tx.record(event).await?.commit().await?;
        Ok(delivery)
    }

    /// Seals every secret of a tenant's endpoints under its present data key, before the ones before it go.
    pub(crate) async fn reseal_webhooks(&self, tenant: TenantId) -> Result<u64, ControlError> {
        const STEP: &str = "seal the secrets of webhooks again";
        type Sealed = (String, i64, Option<Vec<u8>>, Option<Vec<u8>>);
        let mut tx = self.store().tenant(tenant).await?.begin_upkeep().await?;
        let rows: Vec<Sealed> = sqlx::query_as(
            "SELECT endpoint_id, secret_version, secret, previous_secret FROM webhook_endpoints
             WHERE secret IS NOT NULL ORDER BY endpoint_id",
        )
        .fetch_all(tx.connection())
        .await
        .map_err(storage(STEP))?;
        let mut sealed = 0;
        for (row, version, secret, previous) in rows {
            let id: EndpointId = row.parse().map_err(corrupt("endpoint"))?;
            let version = super::row::count(version)?;
            let again = |sealed: Option<Vec<u8>>, version: u64| -> Result<Option<Vec<u8>>, ControlError> {
                let Some(sealed) = sealed else { return Ok(None) };
                let key = secret::open(self.data_keys(), tenant, (id, version), &sealed)?;
                self.sealed(tenant, (id, version), &key).map(Some)
            };
            sqlx::query(
                "UPDATE webhook_endpoints SET secret = $1, previous_secret = $2 WHERE endpoint_id = $3",
            )
            .bind(again(secret, version)?)
            .bind(again(previous, version.saturating_sub(1))?)
            .bind(row)
            .execute(tx.connection())
            .await
            .map_err(storage(STEP))?;
            sealed += 1;
        }
        tx.commit().await?;
        Ok(sealed)
    }

    fn sealed(&self, tenant: TenantId, cell: (EndpointId, u64), key: &Key) -> Result<Vec<u8>, ControlError> {
        let (data_key, _) = self.data_keys().active(tenant, self.clock().now())?;
        secret::seal(&data_key, cell, key)
    }
}

/// The endpoint of that id that is not removed.
pub(super) async fn find(connection: &mut Connection, id: EndpointId) -> Result<EndpointRow, ControlError> {
    let sql =
        format!("SELECT {COLUMNS} FROM webhook_endpoints WHERE endpoint_id = $1 AND state <> 'REMOVED'");
    let found: Option<Columns> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(id.to_string())
        .fetch_optional(connection)
        .await
        .map_err(storage("look the endpoint up"))?;
    found.as_ref().map(EndpointRow::read).transpose()?.ok_or(ControlError::Denied)
}

/// Lets the next message of an endpoint through, though its breaker be open.
pub(super) async fn half_open(tx: &mut TenantTx, id: EndpointId) -> Result<(), ControlError> {
    let now = timestamp(tx.now());
    sqlx::query(
        "UPDATE webhook_endpoints SET open_until = $1 WHERE endpoint_id = $2 AND open_until IS NOT NULL AND open_until > $1",
    )
    .bind(now)
    .bind(id.to_string())
    .execute(tx.connection())
    .await
    .map(|_| ())
    .map_err(storage("open the breaker by half"))
}

/// Sets the state of an endpoint, with its reason, and closes its breaker.
pub(super) async fn set_state(
    tx: &mut TenantTx,
    id: EndpointId,
    state: &str,
    reason: Option<&str>,
) -> Result<(), ControlError> {
    let now = timestamp(tx.now());
    sqlx::query(
        "UPDATE webhook_endpoints SET state = $1, reason = $2, changed_at = $3, failures = 0, openings = 0,
                                      open_until = NULL
         WHERE endpoint_id = $4",
    )
    .bind(state)
    .bind(reason)
    .bind(now)
    .bind(id.to_string())
    .execute(tx.connection())
    .await
    .map(|_| ())
    .map_err(storage("change the endpoint"))
}

pub(super) fn refuse_disabled(endpoint: &EndpointRow) -> Result<(), ControlError> {
    match endpoint.state {
        EndpointState::Enabled => Ok(()),
        EndpointState::Disabled => {
            let remedy = "turn the endpoint on first";
            Err(ControlError::WebhookState { state: endpoint.state.name(), remedy })
        }
    }
}

/// E-mail has no secret of the tenant's, and is the operator's to take away.
fn refuse_mail(endpoint: &EndpointRow) -> Result<(), ControlError> {
    match endpoint.channel {
        Channel::Webhook => Ok(()),
        Channel::Mail => {
            let remedy = "it can be turned off; the operator sets it up";
            Err(ControlError::WebhookState { state: "e-mail", remedy })
        }
    }
}

/// The event of an endpoint. Its address may hold a secret of its owner, and stands in no event.
pub(super) fn event(action: AuditAction, actor: &Actor, id: EndpointId, trace: &TraceId) -> Event {
    Event::success(action, actor, Resource::new("webhook_endpoint", id.to_string())).traced(trace)
}

/// The kinds as the row holds them: each once, sorted by name.
fn kinds_of(names: &[String]) -> Result<String, InvalidWebhook> {
    let kind = |name: &String| {
        Announcement::from_name(name)
            .map(Announcement::name)
            .ok_or_else(|| InvalidWebhook::Kind { kind: shortened(name, 100) })
    };
    let kinds = names.iter().map(kind).collect::<Result<BTreeSet<_>, _>>()?;
    if kinds.is_empty() {
        return Err(InvalidWebhook::NoKinds);
    }
    Ok(kinds.into_iter().collect::<Vec<_>>().join(" "))
}

async fn refuse_too_many(tx: &mut TenantTx) -> Result<(), ControlError> {
    let count: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM webhook_endpoints WHERE state <> 'REMOVED' AND channel = 'WEBHOOK'",
    )
    .fetch_one(tx.connection())
    .await
    .map_err(storage("count the endpoints"))?;
    if count >= MAX_ENDPOINTS { Err(ControlError::TooManyWebhooks { max: MAX_ENDPOINTS }) } else { Ok(()) }
}

async fn insert(
    tx: &mut TenantTx,
    id: EndpointId,
    new: &NewEndpoint,
    kinds: &str,
    sealed: Vec<u8>,
) -> Result<(), ControlError> {
    let now = timestamp(tx.now());
    sqlx::query(
        "INSERT INTO webhook_endpoints (endpoint_id, url, description, kinds, state, secret, secret_version,
                                        failures, openings, retry_credit, created_at, changed_at)
         VALUES ($1, $2, $3, $4, 'ENABLED', $5, 1, 0, 0, 0, $6, $6)",
    )
    .bind(id.to_string())
    .bind(&new.url)
    .bind(shortened(new.description.trim(), MAX_DESCRIPTION))
    .bind(kinds)
    .bind(sealed)
    .bind(now)
    .execute(tx.connection())
    .await
    .map(|_| ())
    .map_err(storage("add the endpoint"))
}
