//! The inbox of an account: messages of the outbox that concern it. Who is concerned is decided when the message is
//! written, from the accounts and grants of that moment.

use chrono::{DateTime, Utc};
use kernel::{AccountId, TenantId};

use crate::actor::Actor;
use crate::control::Control;
use crate::error::{ControlError, corrupt, storage};
use crate::fresh;
use crate::ids::{MessageId, NoticeId};
use crate::instant::{parse_timestamp, timestamp};
use crate::ledger::{AuditAction, LeafActor, Outcome};
use crate::mail::MailChoice;
use crate::store::Connection;

const WHAT: &str = "notice";
const STEP: &str = "read the inbox";

/// What an account is told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// A job that it asked for failed for good.
    OwnJobFailed,
    /// A message could not be delivered to an endpoint, for whoever administers the tenant.
    WebhookFailed,
    /// A message could not be delivered by e-mail, for whoever administers the tenant.
    MailFailed,
    /// The ledger does not verify, for whoever administers or audits the tenant.
    VerificationFailed,
}

impl Notice {
    /// Every notice.
    pub const ALL: [Self; 4] =
        [Self::OwnJobFailed, Self::WebhookFailed, Self::MailFailed, Self::VerificationFailed];

    /// Its name: that of the message.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::OwnJobFailed => AuditAction::JobFailed.name(),
            Self::WebhookFailed => AuditAction::WebhookDeliveryFailed.name(),
            Self::MailFailed => AuditAction::MailDeliveryFailed.name(),
            Self::VerificationFailed => "audit.verification.failed",
        }
    }

    /// The notice of that name, if there is one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|notice| notice.name() == name)
    }

    /// What it says.
    #[must_use]
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::OwnJobFailed => "A job that you asked for failed",
            Self::WebhookFailed => "A message could not be delivered to a webhook",
            Self::MailFailed => "A message could not be delivered by e-mail",
            Self::VerificationFailed => "The ledger does not verify",
        }
    }

    /// Whether it also goes by e-mail to who chose that. That e-mail does not arrive is told in inboxes alone.
    const fn comes_by_mail(self, choice: MailChoice) -> bool {
        match (choice, self) {
            (MailChoice::None, _) | (_, Self::MailFailed) => false,
            (MailChoice::Alerts, notice) => matches!(notice, Self::VerificationFailed),
            (MailChoice::All, _) => true,
        }
    }

    /// The notice that an event makes, if it makes one.
    pub(crate) fn of(action: AuditAction, outcome: Outcome) -> Option<Self> {
        match (action, outcome) {
            (AuditAction::JobFailed, Outcome::Failed) => Some(Self::OwnJobFailed),
            (AuditAction::WebhookDeliveryFailed, _) => Some(Self::WebhookFailed),
            (AuditAction::MailDeliveryFailed, _) => Some(Self::MailFailed),
            _ => None,
        }
    }

    /// The roles of those whom it concerns; empty when it concerns who acted.
    const fn roles(self) -> &'static [&'static str] {
        match self {
            Self::OwnJobFailed => &[],
            Self::WebhookFailed | Self::MailFailed => &["administrator"],
            Self::VerificationFailed => &["administrator", "auditor"],
        }
    }
}

/// What happened, for finding out whom it concerns.
pub(crate) struct Concern<'a> {
    pub(crate) notice: Notice,
    pub(crate) actor: &'a LeafActor,
    /// The resource's id.
    pub(crate) about: &'a str,
}

/// Whom it concerns.
pub(crate) struct Concerned {
    pub(crate) account: AccountId,
    /// Whether it also goes to them by e-mail.
    pub(crate) by_mail: bool,
}

/// The accounts in use that it concerns, without those that have an unread notice about the same thing.
pub(crate) async fn concerned(
    connection: &mut Connection,
    concern: &Concern<'_>,
) -> Result<Vec<Concerned>, ControlError> {
    const STEP: &str = "look for whom it concerns";
    const UNTOLD: &str = "NOT EXISTS (SELECT 1 FROM inbox WHERE inbox.account_id = accounts.account_id
                                      AND inbox.about = $1 AND inbox.read_at IS NULL)";
    let roles = concern.notice.roles();
    let found: Vec<(String, String)> = if roles.is_empty() {
        if concern.actor.kind != "account" {
            return Ok(Vec::new());
        }
        let sql = format!(
            "SELECT account_id, mail_choice FROM accounts
             WHERE disabled_at IS NULL AND account_id = $2 AND {UNTOLD}"
        );
        sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(concern.about)
            .bind(&concern.actor.id)
            .fetch_all(connection)
            .await
            .map_err(storage(STEP))?
    } else {
        let sql = format!(
            "SELECT account_id, mail_choice FROM accounts
             WHERE disabled_at IS NULL AND {UNTOLD} AND EXISTS (
                 SELECT 1 FROM grants WHERE grants.account_id = accounts.account_id
                 AND grants.study_id IS NULL AND grants.role IN ($2, $3))
             ORDER BY account_id"
        );
        sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(concern.about)
            .bind(roles[0])
            .bind(roles[roles.len() - 1])
            .fetch_all(connection)
            .await
            .map_err(storage(STEP))?
    };
    let read = |(id, choice): &(String, String)| {
        let choice = MailChoice::from_name(choice).ok_or(()).map_err(corrupt("choice of e-mail"))?;
        let account = id.parse().map_err(corrupt("account id"))?;
        Ok(Concerned { account, by_mail: concern.notice.comes_by_mail(choice) })
    };
    found.iter().map(read).collect()
}

/// Puts a message into an account's inbox.
pub(crate) async fn put(
    connection: &mut Connection,
    (account, message): (AccountId, MessageId),
    about: &str,
    now: DateTime<Utc>,
) -> Result<(), ControlError> {
    sqlx::query(
        "INSERT INTO inbox (notice_id, account_id, message_id, about, created_at) VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(NoticeId::from_uuid(fresh::uuid(now)?).to_string())
    .bind(account.to_string())
    .bind(message.to_string())
    .bind(about)
    .bind(timestamp(now))
    .execute(connection)
    .await
    .map(|_| ())
    .map_err(storage("put the message into the inbox"))
}

/// A message in an inbox.
#[derive(Debug, Clone, PartialEq)]
pub struct NoticeRow {
    /// Its id.
    pub id: NoticeId,
    /// What it tells.
    pub notice: Notice,
    /// The message: ids alone.
    pub message: serde_json::Value,
    /// When it came.
    pub created_at: DateTime<Utc>,
    /// When it was read.
    pub read_at: Option<DateTime<Utc>>,
}

type Columns = (String, String, String, String, Option<String>);

impl NoticeRow {
    fn read((id, kind, payload, created, read): Columns) -> Result<Self, ControlError> {
        let instant = |text: &str| parse_timestamp(text).ok_or(()).map_err(corrupt(WHAT));
        Ok(Self {
            id: id.parse().map_err(corrupt(WHAT))?,
            notice: Notice::from_name(&kind).ok_or(()).map_err(corrupt(WHAT))?,
            message: serde_json::from_str(&payload).map_err(corrupt(WHAT))?,
            created_at: instant(&created)?,
            read_at: read.as_deref().map(instant).transpose()?,
        })
    }
}

impl Control {
    /// The inbox of an account, newest first: at most `limit` notices older than `before`. An account sees its own.
    ///
    /// # Errors
    /// [`ControlError::Denied`] for another's.
    pub async fn inbox(
        &self,
        actor: &Actor,
        (tenant, account): (TenantId, AccountId),
        (before, limit): (Option<NoticeId>, u32),
    ) -> Result<Vec<NoticeRow>, ControlError> {
        actor.require_self_or_operator(tenant, Some(account))?;
        let rows: Vec<Columns> = sqlx::query_as(
            "SELECT notice_id, outbox.kind, outbox.payload, inbox.created_at, read_at
             FROM inbox JOIN outbox ON outbox.message_id = inbox.message_id
             WHERE account_id = $1 AND ($2 = '' OR notice_id < $2) ORDER BY notice_id DESC LIMIT $3",
        )
        .bind(account.to_string())
        .bind(before.map(|id| id.to_string()).unwrap_or_default())
        .bind(i64::from(limit))
        .fetch_all(&mut *self.store().tenant(tenant).await?.view().await?)
        .await
        .map_err(storage(STEP))?;
        rows.into_iter().map(NoticeRow::read).collect()
    }

    /// How many notices of an account are unread.
    ///
    /// # Errors
    /// As [`Control::inbox`].
    pub async fn unread_notices(
        &self,
        actor: &Actor,
        (tenant, account): (TenantId, AccountId),
    ) -> Result<u64, ControlError> {
        actor.require_self_or_operator(tenant, Some(account))?;
        let unread: i64 =
            sqlx::query_scalar("SELECT count(*) FROM inbox WHERE account_id = $1 AND read_at IS NULL")
                .bind(account.to_string())
                .fetch_one(&mut *self.store().tenant(tenant).await?.view().await?)
                .await
                .map_err(storage(STEP))?;
        Ok(u64::try_from(unread).unwrap_or(0))
    }

    /// Marks a notice as read, or all of them. To mark one again changes nothing. Nobody is told of it and nothing is
    /// decided, so that it has no event.
    ///
    /// # Errors
    /// [`ControlError::Denied`] for another's inbox, and for a notice that is not in it.
    pub async fn mark_read(
        &self,
        actor: &Actor,
        (tenant, account): (TenantId, AccountId),
        notice: Option<NoticeId>,
    ) -> Result<(), ControlError> {
        actor.require_self_or_operator(tenant, Some(account))?;
        let mut tx = self.store().tenant(tenant).await?.begin_upkeep().await?;
        let now = timestamp(tx.now());
        let marked = sqlx::query(
            "UPDATE inbox SET read_at = COALESCE(read_at, $1) WHERE account_id = $2 AND ($3 = '' OR notice_id = $3)",
        )
        .bind(now)
        .bind(account.to_string())
        .bind(notice.map(|id| id.to_string()).unwrap_or_default())
        .execute(tx.connection())
        .await
        .map_err(storage("mark the notice as read"))?;
        if notice.is_some() && marked.rows_affected() == 0 {
            return Err(ControlError::Denied);
        }
        tx.commit().await
    }
}
