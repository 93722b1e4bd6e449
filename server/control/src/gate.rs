//! The gate: the only place where a [`Principal`] and its grants are made. A token says who; the tenant's own
//! file says, at every request, whether that account is still enabled and what it may do.

use std::fmt;

use chrono::{DateTime, Utc};
use kernel::{AccountId, ActionKind, Grant, Grants, Permission, Role, TenantId};

use crate::accounts::AccountRow;
use crate::actor::Actor;
use crate::control::Control;
use crate::error::{AuthError, ControlError, storage};
use crate::identity::{Audience, Claims};
use crate::policy::Asker;
use crate::store::Connection;

/// Whom a valid signature named. Only the gate makes one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller {
    tenant: TenantId,
    account: AccountId,
}

impl Caller {
    pub(crate) const fn new(tenant: TenantId, account: AccountId) -> Self {
        Self { tenant, account }
    }

    /// The tenant that was named.
    #[must_use]
    pub const fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// The account that was named.
    #[must_use]
    pub const fn account(&self) -> AccountId {
        self.account
    }
}

/// A person or machine that has proved who it is, with all it may do. Only the gate makes one.
#[derive(Clone)]
pub struct Principal {
    caller: Caller,
    email: String,
    display_name: String,
    roles: Vec<Role>,
    grants: Grants,
    token_id: String,
    token_expires_at: DateTime<Utc>,
}

impl Principal {
    /// The account.
    #[must_use]
    pub const fn account(&self) -> AccountId {
        self.caller.account
    }

    /// The tenant it belongs to.
    #[must_use]
    pub const fn tenant(&self) -> TenantId {
        self.caller.tenant
    }

    /// Who it is, in few words.
    #[must_use]
    pub const fn caller(&self) -> Caller {
        self.caller
    }

    /// Its e-mail address, to show to itself. It belongs in no log.
    #[must_use]
    pub fn email(&self) -> &str {
        &self.email
    }

    /// Its name, to show.
    #[must_use]
    pub fn display_name(&self) -> &str {
        &self.display_name
    }

    /// The roles it has somewhere, each once, in their order.
    #[must_use]
    pub fn roles(&self) -> &[Role] {
        &self.roles
    }

    /// What it may do.
    #[must_use]
    pub const fn grants(&self) -> &Grants {
        &self.grants
    }

    /// It, as the one who acts.
    #[must_use]
    pub const fn actor(&self) -> Actor {
        Actor::Account { id: self.caller.account, tenant: self.caller.tenant }
    }

    /// When its token ends.
    #[must_use]
    pub const fn token_expires_at(&self) -> DateTime<Utc> {
        self.token_expires_at
    }

    pub(crate) fn token_id(&self) -> &str {
        &self.token_id
    }
}

impl fmt::Debug for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Principal").field("caller", &self.caller).finish_non_exhaustive()
    }
}

impl Control {
    /// Lets the bearer of a token through one door.
    ///
    /// # Errors
    /// Why it was not let through. Record it with [`Control::record_denial`], and show nobody the reason.
    pub async fn authenticate(&self, token: &str, audience: Audience) -> Result<Principal, AuthError> {
        let claims = Claims::verify(token, self.signing_key())?;
        claims.check(audience, self.clock().now())?;
        let caller = claims.caller();
        let unavailable = |source| match source {
            ControlError::Denied => AuthError::NoSuchAccount { caller },
            source => AuthError::Unavailable { source },
        };
        let database = self.store().tenant(caller.tenant).await.map_err(unavailable)?;
        let mut view = database.view().await.map_err(unavailable)?;
        let account = AccountRow::find(&mut view, caller.account).await.map_err(unavailable)?;
        let account = account.ok_or(AuthError::NoSuchAccount { caller })?;
        if !account.enabled {
            return Err(AuthError::AccountDisabled { caller });
        }
        if is_revoked(&mut view, &claims.jti).await.map_err(unavailable)? {
            return Err(AuthError::Revoked { caller });
        }
        let grants = account.grants(&mut view).await.map_err(unavailable)?;
        Ok(self.admit(account, &grants, &claims))
    }

    /// What the person at the machine's command line may do in a tenant: everything.
    ///
    /// # Errors
    /// [`ControlError::Denied`] when there is no such tenant.
    pub async fn operator_grants(&self, tenant: TenantId) -> Result<Grants, ControlError> {
        self.store().tenant(tenant).await?;
        let everything = ActionKind::ALL.into_iter().map(|action| Permission { action, study: None });
        Ok(Grants::from_gate(tenant, everything.collect()))
    }

    /// The principal of an enabled account and a token that was just issued to it, or just checked.
    pub(crate) fn admit(&self, account: AccountRow, grants: &[Grant], claims: &Claims) -> Principal {
        let caller = claims.caller();
        let mut roles: Vec<Role> = grants.iter().map(|grant| grant.role).collect();
        roles.sort_unstable();
        roles.dedup();
        let asker = Asker { tenant: caller.tenant, account: caller.account, grants };
        Principal {
            caller,
            email: account.email,
            display_name: account.display_name,
            roles,
            grants: Grants::from_gate(caller.tenant, self.policies().permissions(&asker)),
            token_id: claims.jti.clone(),
            token_expires_at: claims.expires_at(),
        }
    }
}

/// Whether a token was logged out.
pub(crate) async fn is_revoked(connection: &mut Connection, jti: &str) -> Result<bool, ControlError> {
    let revoked: Option<i64> = sqlx::query_scalar("SELECT 1 FROM revoked_tokens WHERE jti = $1")
        .bind(jti)
        .fetch_optional(connection)
        .await
        .map_err(storage("look the token up"))?;
    Ok(revoked.is_some())
}
