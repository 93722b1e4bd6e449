//! Tokens that their holder keeps: a person's for programs of their own, a machine's for one service. Each is shown once
//! and stored as a hash; each ends, can be revoked, and may do at most what its account may do at that moment.
mod row;

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use kernel::{AccountId, Grant, Role, TenantId};

use crate::accounts::{AccountRow, grants_in_words};
use crate::actor::Actor;
use crate::control::Control;
use crate::error::{AuthError, ControlError};
use crate::gate::{Caller, Principal, Proof, Standing, account_of};
use crate::identity::Audience;
use crate::ids::AccessTokenId;
use crate::instant::timestamp;
use crate::ledger::{AuditAction, Event, Resource};
use crate::order::Order;
use crate::peer::{PeerName, PeerNames};
use crate::store::InUse;
use crate::text::require_text;

pub(crate) use row::AccessSecret;
use row::AccessTokenRow;

/// The longest life of a person's token.
pub const PERSONAL_MAX: TimeDelta = TimeDelta::days(90);
/// The longest life of a machine's token.
pub const SERVICE_MAX: TimeDelta = TimeDelta::days(365);

/// Who keeps a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// A person, for both doors.
    Personal,
    /// A machine, for one door.
    Service(Audience),
}

impl TokenKind {
    /// Its name in lists and in the ledger.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Personal => "personal",
            Self::Service(_) => "service",
        }
    }

    /// The one door that it opens; `None` for every door.
    #[must_use]
    pub const fn audience(self) -> Option<Audience> {
        match self {
            Self::Personal => None,
            Self::Service(audience) => Some(audience),
        }
    }

    const fn longest(self) -> TimeDelta {
        match self {
            Self::Personal => PERSONAL_MAX,
            Self::Service(_) => SERVICE_MAX,
        }
    }
}

/// A token that is to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAccessToken {
    /// Who keeps it.
    pub kind: TokenKind,
    /// What it is for, in the words of who makes it.
    pub label: String,
    /// In which roles and studies, each within what the account may do; all of that when there are none.
    pub grants: Vec<Grant>,
    /// How long it lasts.
    pub lifetime: TimeDelta,
    /// The machine that alone may use it, by a name in its certificate; only for a machine's token.
    pub peer: Option<PeerName>,
}

/// A token as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessToken {
    /// Its id, which opens nothing.
    pub id: AccessTokenId,
    /// Whose it is.
    pub account: AccountId,
    /// Who keeps it.
    pub kind: TokenKind,
    /// What it is for.
    pub label: String,
    /// In which roles and studies; all of the account's when there are none.
    pub grants: Vec<Grant>,
    /// The machine that alone may use it.
    pub peer: Option<PeerName>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it ends.
    pub ends_at: DateTime<Utc>,
    /// When it was last used, give or take half a minute.
    pub last_used_at: Option<DateTime<Utc>>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
}

/// A token that was just made. Nobody can ever show its secret again.
#[derive(Clone)]
pub struct IssuedToken {
    /// The token itself, to be kept like a password.
    pub secret: String,
    /// What is known of it.
    pub token: AccessToken,
}

impl fmt::Debug for IssuedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IssuedToken").field("token", &self.token).finish_non_exhaustive()
    }
}

impl Control {
    /// Makes a token for an account. A person makes personal ones for themselves, from a session; machines' tokens are
    /// made by the operator.
    ///
    /// # Errors
    /// [`ControlError::Denied`] for anybody else, and when the token is to do what its account may not;
    /// [`ControlError::InvalidTokenLifetime`] when it is to last longer than such a token may, and
    /// [`ControlError::PeerOfPerson`] when a person's is to be bound to a machine.
    pub async fn create_access_token(
        &self,
        actor: &Actor,
        tenant: TenantId,
        account: AccountId,
        new: NewAccessToken,
    ) -> Result<IssuedToken, ControlError> {
        actor.require_self_or_operator(tenant, Some(account))?;
        if matches!(new.kind, TokenKind::Service(_)) {
            actor.require_operator()?;
        }
        if new.peer.is_some() && new.kind == TokenKind::Personal {
            return Err(ControlError::PeerOfPerson);
        }
        require_text("token's label", &new.label, 100)?;
        if new.lifetime <= TimeDelta::zero() || new.lifetime > new.kind.longest() {
            return Err(ControlError::InvalidTokenLifetime { days: new.kind.longest().num_days() });
        }
        let mut tx = self.store().tenant(tenant).await?.begin().await?;
        let found = AccountRow::find(tx.connection(), account).await?;
        let found = found.filter(|found| found.enabled).ok_or(ControlError::Denied)?;
        let own = found.grants(tx.connection()).await?;
        let within = |wanted: &Grant| narrowed(&own, std::slice::from_ref(wanted)).contains(wanted);
        if !new.grants.iter().all(within) {
            return Err(ControlError::Denied);
        }
        let secret = AccessSecret::new(tenant, new.kind)?;
        let token = row::insert(&mut tx, account, new, &secret).await?;
        let event = Event::success(AuditAction::AccessTokenCreated, actor, Resource::account(account))
            .with("token", token.id.to_string())
            .with("kind", token.kind.name())
            .with("audience", token.kind.audience().map_or("*", Audience::name))
            .with("ends_at", timestamp(token.ends_at))
            .with("peer", token.peer.as_ref().map_or("*", PeerName::as_str))
            .with(
                "grants",
                if token.grants.is_empty() { "*".to_owned() } else { grants_in_words(&token.grants) },
            );
        tx.record(event).await?.commit().await?;
        Ok(IssuedToken { secret: secret.to_string(), token })
    }

    /// The tokens of a tenant, or of one of its accounts, newest first. An account sees its own; who administers the
    /// tenant, all.
    ///
    /// # Errors
    /// [`ControlError::Denied`] for another tenant's or another account's.
    pub async fn access_tokens(
        &self,
        actor: &Actor,
        tenant: TenantId,
        account: Option<AccountId>,
    ) -> Result<Vec<AccessToken>, ControlError> {
        actor.require_self_or_administrator(tenant, account)?;
        let mut view = self.store().tenant(tenant).await?.view().await?;
        let rows = AccessTokenRow::list(&mut view, account).await?;
        Ok(rows.into_iter().map(|row| row.0).collect())
    }

    /// Revokes a token; it opens nothing from now on, in any process. An account revokes its own; who administers the
    /// tenant, any, with a reason. Revoking it again changes nothing.
    ///
    /// # Errors
    /// [`ControlError::Denied`] when there is none, or it is another account's.
    pub async fn revoke_access_token(
        &self,
        order: impl Into<Order<'_>>,
        tenant: TenantId,
        token: AccessTokenId,
    ) -> Result<(), ControlError> {
        let order = order.into();
        order.actor.require_tenant(tenant)?;
        order.require_reason()?;
        let mut tx = self.store().tenant(tenant).await?.begin().await?;
        let found = AccessTokenRow::find(tx.connection(), token).await?.ok_or(ControlError::Denied)?;
        order.actor.require_self_or_administrator(tenant, Some(found.0.account))?;
        if !row::revoke(&mut tx, token).await? {
            return Ok(());
        }
        let resource = Resource::account(found.0.account);
        let event = order.event(AuditAction::AccessTokenRevoked, resource);
        tx.record(event.with("token", token.to_string())).await?.commit().await
    }

    /// Lets the bearer of such a token through one door.
    pub(crate) async fn authenticate_access_token(
        &self,
        secret: &AccessSecret,
        audience: Audience,
        peer: &PeerNames,
    ) -> Result<Principal, AuthError> {
        let unavailable = |source| match source {
            ControlError::Denied => AuthError::NoAccessToken,
            source => AuthError::Unavailable { source },
        };
        let database = self.store().tenant(secret.tenant()).await.map_err(unavailable)?;
        let mut view = database.view().await.map_err(unavailable)?;
        let found = AccessTokenRow::by_secret(&mut view, secret).await.map_err(unavailable)?;
        let AccessTokenRow(token) = found.ok_or(AuthError::NoAccessToken)?;
        let (caller, now) = (Caller::new(secret.tenant(), token.account), self.clock().now());
        if token.kind.audience().is_some_and(|only| only != audience) {
            return Err(AuthError::WrongAudience { caller });
        }
        if token.peer.as_ref().is_some_and(|only| !peer.have(only)) {
            return Err(AuthError::WrongPeer { caller });
        }
        if token.revoked_at.is_some() {
            return Err(AuthError::Revoked { caller });
        }
        if now >= token.ends_at {
            return Err(AuthError::Expired { caller });
        }
        let Standing { person, grants: own, removed, .. } =
            account_of(self.subject_keys(), &mut view, caller, now).await?;
        drop(view);
        let grants = if token.grants.is_empty() { own } else { narrowed(&own, &token.grants) };
        if token.last_used_at.is_none_or(|used| now - used >= row::USE_EVERY) {
            let tx = database.begin().await.map_err(unavailable)?;
            tx.commit_use(InUse::AccessToken(token.id)).await.map_err(unavailable)?;
        }
        let proof = Proof::AccessToken { token: token.id, ends_at: token.ends_at };
        // An emergency is a person's, and no program's.
        Ok(self.admit(Standing { person, grants, emergencies: Vec::new(), removed }, caller, proof))
    }
}

/// What is allowed by both.
fn narrowed(own: &[Grant], wanted: &[Grant]) -> Vec<Grant> {
    let mut both = Vec::new();
    for own in own {
        for wanted in wanted {
            let study = match (&own.study, &wanted.study) {
                (None, study) | (study, None) => study.clone(),
                (Some(own), Some(wanted)) if own == wanted => Some(own.clone()),
                (Some(_), Some(_)) => continue,
            };
            // An engineer may do everything that a researcher may; the lesser of the two roles is what both allow.
            let engineers = [own.role, wanted.role].iter().all(|role| *role == Role::DataEngineer);
            let role = if engineers { Role::DataEngineer } else { Role::Researcher };
            let grant = Grant { role, study };
            if !both.contains(&grant) {
                both.push(grant);
            }
        }
    }
    both
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(text: &str) -> Grant {
        let (role, study) = text.split_once('@').expect("a role and a study");
        let study = (study != "*").then(|| study.parse().expect("the code is valid"));
        Grant { role: Role::from_name(role).expect("a role"), study }
    }

    #[track_caller]
    fn check_narrowed(own: &[&str], wanted: &[&str], expected: &str) {
        let list = |texts: &[&str]| texts.iter().map(|text| grant(text)).collect::<Vec<_>>();
        let both = narrowed(&list(own), &list(wanted));
        let said = if both.is_empty() { String::new() } else { grants_in_words(&both) };
        assert_eq!(said, expected, "{own:?} and {wanted:?}");
    }

    #[test]
    fn a_token_may_do_what_both_it_and_its_account_may() {
        check_narrowed(&["researcher@*"], &["researcher@A"], "researcher@A");
        check_narrowed(&["researcher@A"], &["researcher@*"], "researcher@A");
        check_narrowed(&["researcher@A"], &["researcher@B"], "");
        check_narrowed(&["data_engineer@*"], &["researcher@A"], "researcher@A");
        check_narrowed(&["researcher@*"], &["data_engineer@A"], "researcher@A");
        check_narrowed(
            &["data_engineer@A", "researcher@*"],
            &["data_engineer@*"],
            "data_engineer@A researcher@*",
        );
        check_narrowed(&[], &["researcher@A"], "");
    }
}
