//! What an account wants by e-mail, and the endpoint that stands for the relay in each tenant.

use kernel::{AccountId, TenantId};

use crate::actor::Actor;
use crate::control::Control;
use crate::error::{ControlError, corrupt, storage};
use crate::fresh;
use crate::ids::EndpointId;
use crate::instant::timestamp;
use crate::store::Connection;

const STEP: &str = "read what comes by e-mail";
/// Why the endpoint is off while no server can send.
const UNCONFIGURED: &str = "the server is not set up for e-mail";

/// Which messages of its inbox an account also gets by e-mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailChoice {
    /// None.
    None,
    /// Alerts: what cannot wait.
    Alerts,
    /// All of them.
    All,
}

impl MailChoice {
    /// Every choice.
    pub const ALL: [Self; 3] = [Self::None, Self::Alerts, Self::All];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::Alerts => "ALERTS",
            Self::All => "ALL",
        }
    }

    /// The choice of that name, if there is one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|choice| choice.name() == name)
    }
}

/// How an inbox and e-mail stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InboxMail {
    /// What the account wants.
    pub choice: MailChoice,
    /// Whether anything is sent: the server is set up for it, and the tenant's administrators have not turned it off.
    pub is_sent: bool,
}

impl Control {
    /// What an account gets by e-mail. An account sees its own.
    ///
    /// # Errors
    /// [`ControlError::Denied`] for another's.
    pub async fn inbox_mail(
        &self,
        actor: &Actor,
        (tenant, account): (TenantId, AccountId),
    ) -> Result<InboxMail, ControlError> {
        actor.require_self_or_operator(tenant, Some(account))?;
        let mut view = self.store().tenant(tenant).await?.view().await?;
        let choice: Option<String> =
            sqlx::query_scalar("SELECT mail_choice FROM accounts WHERE account_id = $1")
                .bind(account.to_string())
                .fetch_optional(&mut *view)
                .await
                .map_err(storage(STEP))?;
        let choice = MailChoice::from_name(&choice.ok_or(ControlError::Denied)?);
        let choice = choice.ok_or(()).map_err(corrupt("choice of e-mail"))?;
        Ok(InboxMail { choice, is_sent: relay(&mut view).await?.is_some() })
    }

    /// Sets what an account gets by e-mail. It is the account's own matter and decides nothing, so that it has no event.
    ///
    /// # Errors
    /// [`ControlError::Denied`] for another's.
    pub async fn choose_mail(
        &self,
        actor: &Actor,
        (tenant, account): (TenantId, AccountId),
        choice: MailChoice,
    ) -> Result<(), ControlError> {
        actor.require_self_or_operator(tenant, Some(account))?;
        let mut tx = self.store().tenant(tenant).await?.begin_upkeep().await?;
        let changed = sqlx::query("UPDATE accounts SET mail_choice = $1 WHERE account_id = $2")
            .bind(choice.name())
            .bind(account.to_string())
            .execute(tx.connection())
            .await
            .map_err(storage("keep what comes by e-mail"))?;
        if changed.rows_affected() == 0 {
            return Err(ControlError::Denied);
        }
        tx.commit().await
    }

    /// Makes the endpoint that stands for the relay in a tenant when this server can send, and turns it off when it
    /// cannot. What the administrators have turned off stays so.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn offer_mail(&self, tenant: TenantId) -> Result<(), ControlError> {
        const STEP: &str = "offer e-mail";
        type Known = Option<(String, Option<String>)>;
        let database = self.store().tenant(tenant).await?;
        let known: Known =
            sqlx::query_as("SELECT state, reason FROM webhook_endpoints WHERE channel = 'MAIL'")
                .fetch_optional(&mut *database.view().await?)
                .await
                .map_err(storage(STEP))?;
        let (state, reason) = match (&known, self.mailer().is_some()) {
            (None, true) => {
                return self.make_relay(tenant).await;
            }
            (Some((state, reason)), true)
                if state == "DISABLED" && reason.as_deref() == Some(UNCONFIGURED) =>
            {
                ("ENABLED", None)
            }
            (Some((state, _)), false) if state == "ENABLED" => ("DISABLED", Some(UNCONFIGURED)),
            _ => return Ok(()),
        };
        let mut tx = database.begin_upkeep().await?;
        let now = timestamp(tx.now());
        sqlx::query(
            "UPDATE webhook_endpoints SET state = $1, reason = $2, changed_at = $3, failures = 0, openings = 0,
                                          open_until = NULL
             WHERE channel = 'MAIL'",
        )
        .bind(state)
        .bind(reason)
        .bind(now)
        .execute(tx.connection())
        .await
        .map_err(storage(STEP))?;
        tx.commit().await
    }

    async fn make_relay(&self, tenant: TenantId) -> Result<(), ControlError> {
        let mut tx = self.store().tenant(tenant).await?.begin_upkeep().await?;
        let now = tx.now();
        // Of two servers that start together, the second finds the first one's row.
        sqlx::query(
            "INSERT INTO webhook_endpoints (endpoint_id, url, description, kinds, state, secret_version, failures,
                                            openings, retry_credit, created_at, changed_at, channel)
             VALUES ($1, 'mailto:', 'Messages of inboxes, by e-mail', '', 'ENABLED', 0, 0, 0, 0, $2, $2, 'MAIL')
             ON CONFLICT DO NOTHING",
        )
        .bind(EndpointId::from_uuid(fresh::uuid(now)?).to_string())
        .bind(timestamp(now))
        .execute(tx.connection())
        .await
        .map_err(storage("offer e-mail"))?;
        tx.commit().await
    }
}

/// The endpoint that stands for the relay, when it is on.
pub(crate) async fn relay(connection: &mut Connection) -> Result<Option<EndpointId>, ControlError> {
    let found: Option<String> = sqlx::query_scalar(
        "SELECT endpoint_id FROM webhook_endpoints WHERE channel = 'MAIL' AND state = 'ENABLED'",
    )
    .fetch_optional(connection)
    .await
    .map_err(storage(STEP))?;
    found.map(|id| id.parse().map_err(corrupt("endpoint"))).transpose()
}
