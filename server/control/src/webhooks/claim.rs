//! Having a delivery: claiming it for a lease, with all that is needed to send it. A server that is killed while it
//! sends leaves the delivery to whoever looks after the lease has ended; it is sent at least once.

use chrono::{DateTime, TimeDelta, Utc};
use kernel::TenantId;

use super::pace::{COST, EARNED, FREE_EVERY, MOST_CREDIT};
use super::row::{Channel, WHAT, count, instant_or_none};
use super::secret::{self, Key, signature_header};
use crate::accounts::AccountRow;
use crate::accounts::person::Person;
use crate::control::Control;
use crate::error::{ControlError, corrupt, storage};
use crate::ids::{DeliveryId, EndpointId, MessageId};
use crate::instant::timestamp;
use crate::keys::SubjectKeys;
use crate::store::{Connection, Upkeep, claim_lock};
use crate::tenants::standing::IN_USE;

const STEP: &str = "claim a delivery";
/// Deliveries to one endpoint that are under way at a time, by all servers.
const AT_A_TIME: i64 = 4;

/// A delivery that this server sends, until its lease ends. Only [`Control::claim_message`] makes one.
pub struct MessageClaim {
    pub(super) tenant: TenantId,
    pub(super) delivery: DeliveryId,
    pub(super) endpoint: EndpointId,
    /// What the answer that is written down has to name.
    pub(super) attempt: i64,
    pub(super) failures: u64,
    /// Whether it was sent to see if the endpoint works again.
    pub(super) is_probe: bool,
    pub(super) channel: Channel,
    message: MessageId,
    payload: String,
    target: Target,
}

/// Where it goes.
enum Target {
    Webhook { url: String, secrets: Vec<Key> },
    Mail(Recipient),
}

/// Whom an e-mail goes to: as the account stands now.
#[derive(Clone, PartialEq, Eq)]
pub struct Recipient {
    /// Their address.
    pub address: String,
    /// Their name.
    pub name: String,
}

impl std::fmt::Debug for Recipient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recipient").finish_non_exhaustive()
    }
}

/// What claiming needs to know of the delivery and its endpoint.
struct Due {
    delivery: DeliveryId,
    endpoint: EndpointId,
    is_first: bool,
    credit: i64,
    is_probe: bool,
    channel: Channel,
}

type Chosen = (String, String, i64, i64, Option<String>, String);
type Sealed = (String, Option<Vec<u8>>, i64, Option<Vec<u8>>, Option<String>);

impl MessageClaim {
    /// Whose it is.
    #[must_use]
    pub const fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// The delivery.
    #[must_use]
    pub const fn delivery(&self) -> DeliveryId {
        self.delivery
    }

    /// The endpoint that it goes to.
    #[must_use]
    pub const fn endpoint(&self) -> EndpointId {
        self.endpoint
    }

    /// Where it is posted; nothing for an e-mail.
    #[must_use]
    pub fn url(&self) -> &str {
        match &self.target {
            Target::Webhook { url, .. } => url,
            Target::Mail(_) => "",
        }
    }

    /// Whom it goes to by e-mail; nobody for a webhook.
    #[must_use]
    pub fn recipient(&self) -> Option<&Recipient> {
        match &self.target {
            Target::Webhook { .. } => None,
            Target::Mail(recipient) => Some(recipient),
        }
    }

    /// What is posted.
    #[must_use]
    pub fn payload(&self) -> &str {
        &self.payload
    }

    /// The headers that say what it is, since when, and from whom. The id is the same at every attempt.
    #[must_use]
    pub fn headers(&self, now: DateTime<Utc>) -> [(&'static str, String); 3] {
        let (id, at) = (format!("msg_{}", self.message), now.timestamp());
        let secrets: &[Key] = match &self.target {
            Target::Webhook { secrets, .. } => secrets,
            Target::Mail(_) => &[],
        };
        let signature = signature_header(secrets, (&id, at), &self.payload);
        [("webhook-id", id), ("webhook-timestamp", at.to_string()), ("webhook-signature", signature)]
    }
}

impl std::fmt::Debug for MessageClaim {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MessageClaim").field("delivery", &self.delivery).finish_non_exhaustive()
    }
}

impl Control {
    /// Claims the delivery of a tenant that has been due for longest, of those whose endpoint may be sent something now
    /// and that this server can send; none of a disabled tenant. An e-mail to an account that is not in use any more is
    /// cancelled.
    ///
    /// # Errors
    /// When the store fails, or a secret cannot be opened.
    pub async fn claim_message(
        &self,
        tenant: TenantId,
        lease: TimeDelta,
    ) -> Result<Option<MessageClaim>, ControlError> {
        let database = self.store().tenant(tenant).await?;
        let now = timestamp(self.clock().now());
        let can_mail = i64::from(self.mailer().is_some());
        // Most of the time nothing is due, and a look holds nobody up.
        let look = format!(
            "SELECT 1 FROM webhook_deliveries AS due
             JOIN webhook_endpoints AS place ON place.endpoint_id = due.endpoint_id
             WHERE place.state = 'ENABLED' AND (place.open_until IS NULL OR place.open_until <= $1)
               AND ((due.state = 'QUEUED' AND due.due_at <= $1) OR (due.state = 'SENDING' AND due.lease_until < $1))
               AND (place.channel = 'WEBHOOK' OR $2 = 1) AND {IN_USE}
             LIMIT 1"
        );
        let due: Option<i64> = sqlx::query_scalar(sqlx::AssertSqlSafe(look))
            .bind(now)
            .bind(can_mail)
            .fetch_optional(&mut *database.view().await?)
            .await
            .map_err(storage(STEP))?;
        if due.is_none() {
            return Ok(None);
        }
        let mut tx = database.begin_upkeep().await?;
        let Some(due) = choose(&mut tx, can_mail).await? else {
            // Rows that were locked only to be passed over are let go of at once.
            tx.commit().await?;
            return Ok(None);
        };
        pay(&mut tx, &due, lease).await?;
        let (attempt, failures) = mark(&mut tx, &due, lease).await?;
        let (message, payload) = message_of(tx.connection(), due.delivery).await?;
        let target = match due.channel {
            Channel::Webhook => Some(self.target_of(&mut tx, tenant, due.endpoint).await?),
            Channel::Mail => {
                let keys = self.subject_keys();
                recipient_of(tx.connection(), keys, (tenant, due.delivery)).await?.map(Target::Mail)
            }
        };
        let Some(target) = target else {
            cancel(&mut tx, due.delivery).await?;
            tx.commit().await?;
            return Ok(None);
        };
        tx.commit().await?;
        Ok(Some(MessageClaim {
            tenant,
            delivery: due.delivery,
            endpoint: due.endpoint,
            attempt,
            failures,
            is_probe: due.is_probe,
            channel: due.channel,
            message,
            payload,
            target,
        }))
    }

    /// The address of an endpoint, and the secrets that sign for it now.
    async fn target_of(
        &self,
        tx: &mut Upkeep,
        tenant: TenantId,
        endpoint: EndpointId,
    ) -> Result<Target, ControlError> {
        let now = tx.now();
        let (url, present, version, previous, until): Sealed = sqlx::query_as(
            "SELECT url, secret, secret_version, previous_secret, previous_until FROM webhook_endpoints
             WHERE endpoint_id = $1",
        )
        .bind(endpoint.to_string())
        .fetch_one(tx.connection())
        .await
        .map_err(storage(STEP))?;
        let version = count(version)?;
        let open =
            |sealed: &[u8], version| secret::open(self.data_keys(), tenant, (endpoint, version), sealed);
        let mut secrets = vec![open(&present.ok_or(()).map_err(corrupt(WHAT))?, version)?];
        if let (Some(previous), Some(until)) = (previous, instant_or_none(until.as_deref())?)
            && now < until
        {
            secrets.push(open(&previous, version.saturating_sub(1))?);
        }
        Ok(Target::Webhook { url, secrets })
    }
}

/// The delivery that is due, whose endpoint is on, is not busy, has a breaker that lets something through, and for a
/// repetition has the means.
async fn choose(tx: &mut Upkeep, can_mail: i64) -> Result<Option<Due>, ControlError> {
    let (now, lock) = (tx.now(), claim_lock(tx.connection()));
    let sql = format!(
        "SELECT due.delivery_id, place.endpoint_id, due.attempt, place.retry_credit, place.open_until, place.channel
         FROM webhook_deliveries AS due JOIN webhook_endpoints AS place ON place.endpoint_id = due.endpoint_id
         WHERE place.state = 'ENABLED'
           AND ((due.state = 'QUEUED' AND due.due_at <= $1) OR (due.state = 'SENDING' AND due.lease_until < $1))
           AND (place.open_until IS NULL OR place.open_until <= $1)
           AND (due.attempt = 0 OR place.open_until IS NOT NULL OR place.retry_credit >= $2
                OR place.spared_at IS NULL OR place.spared_at <= $3)
           AND (SELECT count(*) FROM webhook_deliveries AS sent
                WHERE sent.endpoint_id = place.endpoint_id AND sent.state = 'SENDING' AND sent.lease_until >= $1) < $4
           AND (place.channel = 'WEBHOOK' OR $5 = 1) AND {IN_USE}
         ORDER BY due.due_at, due.delivery_id LIMIT 1 {lock}"
    );
    let chosen: Option<Chosen> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(timestamp(now))
        .bind(COST)
        .bind(timestamp(now - FREE_EVERY))
        .bind(AT_A_TIME)
        .bind(can_mail)
        .fetch_optional(tx.connection())
        .await
        .map_err(storage(STEP))?;
    let Some((delivery, endpoint, attempt, credit, open_until, channel)) = chosen else { return Ok(None) };
    Ok(Some(Due {
        delivery: delivery.parse().map_err(corrupt(WHAT))?,
        endpoint: endpoint.parse().map_err(corrupt(WHAT))?,
        is_first: attempt == 0,
        credit,
        is_probe: open_until.is_some(),
        channel: Channel::read(&channel)?,
    }))
}

/// Writes down what the attempt costs its endpoint. A half-open breaker is open again until the answer is known, so
/// that one message goes through and no more.
async fn pay(tx: &mut Upkeep, due: &Due, lease: TimeDelta) -> Result<(), ControlError> {
    let now = tx.now();
    let is_free = !due.is_first && !due.is_probe && due.credit < COST;
    let credit = match (due.is_first, due.is_probe || is_free) {
        (true, _) => (due.credit + EARNED).min(MOST_CREDIT),
        (false, true) => due.credit,
        (false, false) => due.credit - COST,
    };
    sqlx::query(
        "UPDATE webhook_endpoints SET retry_credit = $1, spared_at = COALESCE($2, spared_at),
                                      open_until = COALESCE($3, open_until), last_sent_at = $4
         WHERE endpoint_id = $5",
    )
    .bind(credit)
    .bind(is_free.then(|| timestamp(now)))
    .bind(due.is_probe.then(|| timestamp(now + lease)))
    .bind(timestamp(now))
    .bind(due.endpoint.to_string())
    .execute(tx.connection())
    .await
    .map(|_| ())
    .map_err(storage(STEP))
}

async fn mark(tx: &mut Upkeep, due: &Due, lease: TimeDelta) -> Result<(i64, u64), ControlError> {
    let now = tx.now();
    let (attempt, failures): (i64, i64) = sqlx::query_as(
        "UPDATE webhook_deliveries SET state = 'SENDING', attempt = attempt + 1, lease_until = $1, sent_at = $2
         WHERE delivery_id = $3 RETURNING attempt, failures",
    )
    .bind(timestamp(now + lease))
    .bind(timestamp(now))
    .bind(due.delivery.to_string())
    .fetch_one(tx.connection())
    .await
    .map_err(storage(STEP))?;
    Ok((attempt, count(failures)?))
}

async fn message_of(
    connection: &mut Connection,
    delivery: DeliveryId,
) -> Result<(MessageId, String), ControlError> {
    let (message, payload): (String, String) = sqlx::query_as(
        "SELECT outbox.message_id, payload FROM outbox
         JOIN webhook_deliveries ON webhook_deliveries.message_id = outbox.message_id WHERE delivery_id = $1",
    )
    .bind(delivery.to_string())
    .fetch_one(connection)
    .await
    .map_err(storage(STEP))?;
    Ok((message.parse().map_err(corrupt(WHAT))?, payload))
}

/// The account that an e-mail goes to, if it is in use.
async fn recipient_of(
    connection: &mut Connection,
    keys: &SubjectKeys,
    (tenant, delivery): (TenantId, DeliveryId),
) -> Result<Option<Recipient>, ControlError> {
    let account: Option<String> =
        sqlx::query_scalar("SELECT account_id FROM webhook_deliveries WHERE delivery_id = $1")
            .bind(delivery.to_string())
            .fetch_one(&mut *connection)
            .await
            .map_err(storage(STEP))?;
    let Some(account) = account else { return Ok(None) };
    let row = AccountRow::find(connection, account.parse().map_err(corrupt(WHAT))?).await?;
    let Some(row) = row.filter(|row| row.enabled && !row.is_erased()) else { return Ok(None) };
    let Person { email, display_name } = row.person(keys, tenant)?;
    Ok(Some(Recipient { address: email, name: display_name }))
}

async fn cancel(tx: &mut Upkeep, delivery: DeliveryId) -> Result<(), ControlError> {
    let now = timestamp(tx.now());
    sqlx::query(
        "UPDATE webhook_deliveries SET state = 'CANCELLED', ended_at = $1, problem = 'the account is not in use'
         WHERE delivery_id = $2",
    )
    .bind(now)
    .bind(delivery.to_string())
    .execute(tx.connection())
    .await
    .map(|_| ())
    .map_err(storage(STEP))
}
