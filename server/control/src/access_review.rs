//! The review of access: who has what in a tenant, since when, given by whom and when last used, with marks on what
//! should not be left as it is; and its sign-off, which is an event with the hash of the very list that was looked
//! through.

use chrono::{DateTime, TimeDelta, Utc};
use kernel::{AccountId, Grant, TenantId};

use crate::access_tokens::AccessToken;
use crate::accounts::grants_in_words;
use crate::accounts::roster::{AccountSummary, HeldGrant};
use crate::actor::Actor;
use crate::control::Control;
use crate::error::{ControlError, corrupt, storage};
use crate::ids::AccessTokenId;
use crate::instant::{parse_timestamp, timestamp};
use crate::ledger::{AuditAction, Log, Resource, hex_sha256, rows};
use crate::order::Order;
use crate::store::Connection;

/// How long a review holds.
pub const REVIEW_PERIOD: TimeDelta = TimeDelta::days(90);
/// What nobody has used for so long is marked.
pub const UNUSED_AFTER: TimeDelta = TimeDelta::days(90);

/// Why an entry should not be left as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReviewMark {
    /// It was never used.
    NeverUsed,
    /// It was not used for [`UNUSED_AFTER`].
    Unused,
    /// The account is disabled and still has the role.
    Disabled,
    /// The token has ended and was never revoked.
    Expired,
}

impl ReviewMark {
    /// Its name in answers and files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NeverUsed => "never_used",
            Self::Unused => "unused_90_days",
            Self::Disabled => "account_disabled",
            Self::Expired => "expired",
        }
    }
}

/// One role of one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessEntry {
    /// Whose.
    pub account: AccountId,
    /// Its e-mail address.
    pub email: String,
    /// Its name.
    pub display_name: String,
    /// Whether it may sign in.
    pub is_enabled: bool,
    /// When the account was last used.
    pub last_used_at: Option<DateTime<Utc>>,
    /// What it has.
    pub held: HeldGrant,
    /// What speaks against leaving it.
    pub marks: Vec<ReviewMark>,
}

/// One token that was not revoked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenEntry {
    /// The token.
    pub token: AccessToken,
    /// The e-mail address of its account.
    pub email: String,
    /// What speaks against leaving it.
    pub marks: Vec<ReviewMark>,
}

/// A review that was signed off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedReview {
    /// When.
    pub at: DateTime<Utc>,
    /// Its place in the tenant's log.
    pub seq: u64,
    /// By whom: `account` or `operator`, and which one.
    pub by: (String, String),
}

/// Who has what at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessReview {
    /// The moment.
    pub at: DateTime<Utc>,
    /// Roles, by e-mail address, role and study.
    pub entries: Vec<AccessEntry>,
    /// Tokens that were not revoked, by e-mail address and id.
    pub tokens: Vec<TokenEntry>,
    /// The last review that was signed off.
    pub last: Option<SignedReview>,
    /// When the next one has to be signed off.
    pub due_at: DateTime<Utc>,
    /// The hash of entries, tokens and marks; not of the moment, nor of when something was last used.
    pub sha256: String,
}

impl AccessReview {
    /// Whether the last review is older than [`REVIEW_PERIOD`].
    #[must_use]
    pub fn is_overdue(&self) -> bool {
        self.at >= self.due_at
    }

    /// How many entries and tokens are marked.
    #[must_use]
    pub fn marked(&self) -> usize {
        let entries = self.entries.iter().filter(|entry| !entry.marks.is_empty()).count();
        entries + self.tokens.iter().filter(|entry| !entry.marks.is_empty()).count()
    }
}

impl Control {
    /// Who has what in a tenant. For who administers it.
    ///
    /// # Errors
    /// [`ControlError::Denied`] for everybody else.
    pub async fn access_review(&self, actor: &Actor, tenant: TenantId) -> Result<AccessReview, ControlError> {
        let accounts = self.accounts(actor, tenant).await?;
        let tokens = self.access_tokens(actor, tenant, None).await?;
        let mut view = self.store().tenant(tenant).await?.view().await?;
        let (last, due_at) = standing(&mut view, tenant).await?;
        Ok(review(self.clock().now(), (accounts, tokens), (last, due_at)))
    }

    /// Signs a review off. For who administers the tenant.
    ///
    /// # Errors
    /// [`ControlError::ReviewChanged`] when `sha256` is not the hash of the list as it is now.
    pub async fn sign_access_review(
        &self,
        order: impl Into<Order<'_>>,
        tenant: TenantId,
        sha256: &str,
    ) -> Result<(), ControlError> {
        let order = order.into();
        order.actor.require_administrator(tenant)?;
        order.require_reason()?;
        // Nobody else writes between the list and its event: the transaction holds the tenant's turn.
        let tx = self.store().tenant(tenant).await?.begin().await?;
        let review = self.access_review(order.actor, tenant).await?;
        if review.sha256 != sha256 {
            return Err(ControlError::ReviewChanged);
        }
        let event = order
            .event(AuditAction::AccessReviewed, Resource::tenant(tenant))
            .with("grants", review.entries.len() as u64)
            .with("tokens", review.tokens.len() as u64)
            .with("marked", review.marked() as u64)
            .with("list_sha256", review.sha256);
        tx.record(event).await?.commit().await
    }

    /// How many tenants' reviews are overdue.
    ///
    /// # Errors
    /// When a log cannot be read.
    pub async fn overdue_access_reviews(&self) -> Result<u64, ControlError> {
        let (mut overdue, now) = (0, self.clock().now());
        for tenant in self.tenant_ids().await? {
            let mut view = self.store().tenant(tenant).await?.view().await?;
            overdue += u64::from(now >= standing(&mut view, tenant).await?.1);
        }
        Ok(overdue)
    }
}

/// The last review that was signed off, and when the next one is due: a tenant's first, a period after its first event.
async fn standing(
    view: &mut Connection,
    tenant: TenantId,
) -> Result<(Option<SignedReview>, DateTime<Utc>), ControlError> {
    let log = Log::Tenant(tenant);
    let found: Option<(i64, String, String, String)> = sqlx::query_as(
        "SELECT seq, at, actor_type, actor_id FROM audit_events
         WHERE log = $1 AND action = $2 ORDER BY seq DESC LIMIT 1",
    )
    .bind(log.origin())
    .bind(AuditAction::AccessReviewed.name())
    .fetch_optional(&mut *view)
    .await
    .map_err(storage("look for the last review of access"))?;
    let last = match found {
        None => None,
        Some((seq, at, kind, id)) => Some(SignedReview {
            at: parse_timestamp(&at).ok_or(()).map_err(corrupt("event's time"))?,
            seq: u64::try_from(seq).map_err(corrupt("ledger entry"))?,
            by: (kind, id),
        }),
    };
    let since = match &last {
        Some(last) => last.at,
        None => rows::time_of(view, log, 0).await?.unwrap_or_default(),
    };
    Ok((last, since + REVIEW_PERIOD))
}

fn review(
    now: DateTime<Utc>,
    (accounts, tokens): (Vec<AccountSummary>, Vec<AccessToken>),
    (last, due_at): (Option<SignedReview>, DateTime<Utc>),
) -> AccessReview {
    let mut entries = Vec::new();
    for account in &accounts {
        for held in &account.grants {
            let mut marks: Vec<_> = use_mark(account.last_used_at, now).into_iter().collect();
            marks.extend((!account.is_enabled).then_some(ReviewMark::Disabled));
            entries.push(AccessEntry {
                account: account.id,
                email: account.email.clone(),
                display_name: account.display_name.clone(),
                is_enabled: account.is_enabled,
                last_used_at: account.last_used_at,
                held: held.clone(),
                marks,
            });
        }
    }
    let email = |id: AccountId| {
        accounts
            .iter()
            .find(|account| account.id == id)
            .map_or_else(String::new, |account| account.email.clone())
    };
    let mut tokens: Vec<TokenEntry> = tokens
        .into_iter()
        .filter(|token| token.revoked_at.is_none())
        .map(|token| {
            let mut marks: Vec<_> = use_mark(token.last_used_at, now).into_iter().collect();
            marks.extend((token.ends_at <= now).then_some(ReviewMark::Expired));
            TokenEntry { email: email(token.account), token, marks }
        })
        .collect();
    tokens.sort_by(|a, b| a.email.cmp(&b.email).then(a.token.id.cmp(&b.token.id)));
    let sha256 = hash(&entries, &tokens);
    AccessReview { at: now, entries, tokens, last, due_at, sha256 }
}

fn use_mark(last_used_at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Option<ReviewMark> {
    match last_used_at {
        None => Some(ReviewMark::NeverUsed),
        Some(used) if now - used >= UNUSED_AFTER => Some(ReviewMark::Unused),
        Some(_) => None,
    }
}

/// One line for each entry and token, without names: what the hash is of.
fn hash(entries: &[AccessEntry], tokens: &[TokenEntry]) -> String {
    let mut text = String::new();
    for AccessEntry { account, is_enabled, held, marks, .. } in entries {
        let grant = grants_in_words(std::slice::from_ref(&held.grant));
        let (since, by) = (timestamp(held.granted_at), held.granted_by.as_deref().unwrap_or("unknown"));
        text.push_str(&format!("grant {account} {is_enabled} {grant} {since} {by} {}\n", names(marks)));
    }
    for TokenEntry { token, marks, .. } in tokens {
        let (id, account, ends): (AccessTokenId, _, _) = (token.id, token.account, timestamp(token.ends_at));
        let grants: &[Grant] = &token.grants;
        text.push_str(&format!("token {id} {account} {ends} {} {}\n", grants_in_words(grants), names(marks)));
    }
    hex_sha256(text.as_bytes())
}

fn names(marks: &[ReviewMark]) -> String {
    marks.iter().map(|mark| mark.name()).collect::<Vec<_>>().join(",")
}
