//! The gate: the only place where a [`Principal`] and its grants are made. A token says who; the tenant's own
//! file says, at every request, whether that account is still enabled and what it may do.

use std::fmt;

use chrono::{DateTime, Utc};
use kernel::{
    AccountId, ActionKind, Administer, Build, Grant, Grants, Permission, Role, StudyId, StudyScope, TenantId,
};

use crate::access_tokens::AccessSecret;
use crate::accounts::AccountRow;
use crate::accounts::person::Person;
use crate::actor::Actor;
use crate::break_glass::emergencies_of;
use crate::control::Control;
use crate::error::{AuthError, ControlError};
use crate::identity::{Audience, Claims};
use crate::ids::{AccessTokenId, SessionId};
use crate::keys::SubjectKeys;
use crate::peer::PeerNames;
use crate::policy::{Asker, Resource};
use crate::retention::removed_studies;
use crate::sessions::SessionRow;
use crate::store::Connection;
use crate::tenants::standing::is_disabled;

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
    granted: Vec<Grant>,
    /// The studies that it may read in an emergency alone.
    emergencies: Vec<StudyId>,
    proof: Proof,
}

/// By what a principal was let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Proof {
    /// A browser's session.
    Session {
        session: SessionId,
        /// When it ends at the latest.
        ends_at: DateTime<Utc>,
    },
    /// A token that its holder keeps.
    AccessToken {
        token: AccessTokenId,
        /// When the token ends.
        ends_at: DateTime<Utc>,
    },
    /// A token that was made from a session.
    Token {
        session: SessionId,
        /// When the token ends.
        ends_at: DateTime<Utc>,
    },
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

    /// The same, one by one.
    #[must_use]
    pub fn granted(&self) -> &[Grant] {
        &self.granted
    }

    /// It, as the one who acts.
    #[must_use]
    pub const fn actor(&self) -> Actor {
        Actor::Account { id: self.caller.account, tenant: self.caller.tenant }
    }

    /// It, as the one who administers its tenant.
    ///
    /// # Errors
    /// [`ControlError::Denied`] when its grants do not let it.
    pub fn administrator(&self) -> Result<Actor, ControlError> {
        let may = self.grants.allow_everywhere::<Administer>();
        let actor = Actor::Administrator { id: self.caller.account, tenant: self.caller.tenant };
        may.then_some(actor).ok_or(ControlError::Denied)
    }

    /// Whether it may read this study in an emergency alone.
    #[must_use]
    pub fn is_emergency(&self, study: &StudyId) -> bool {
        self.emergencies.contains(study)
    }

    /// It, as the one who reads a study.
    #[must_use]
    pub fn reader_of(&self, study: &StudyId) -> Actor {
        if self.is_emergency(study) {
            Actor::BreakGlass { id: self.caller.account, tenant: self.caller.tenant }
        } else {
            self.actor()
        }
    }

    /// When what it was let in by ends.
    #[must_use]
    pub const fn expires_at(&self) -> DateTime<Utc> {
        match self.proof {
            Proof::Session { ends_at, .. }
            | Proof::AccessToken { ends_at, .. }
            | Proof::Token { ends_at, .. } => ends_at,
        }
    }

    /// The session that it has, or that its token was made from; `None` for a token that its holder keeps.
    #[must_use]
    pub const fn session(&self) -> Option<SessionId> {
        match self.proof {
            Proof::Session { session, .. } | Proof::Token { session, .. } => Some(session),
            Proof::AccessToken { .. } => None,
        }
    }

    /// The token that its holder keeps, if it was let in by one.
    #[must_use]
    pub const fn access_token(&self) -> Option<AccessTokenId> {
        match self.proof {
            Proof::AccessToken { token, .. } => Some(token),
            Proof::Session { .. } | Proof::Token { .. } => None,
        }
    }
}

impl fmt::Debug for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Principal").field("caller", &self.caller).finish_non_exhaustive()
    }
}

impl Control {
    /// Lets the bearer of a token through one door, be it signed by us or one that its holder keeps.
    ///
    /// # Errors
    /// Why it was not let through. Record it with [`Control::record_denial`], and show nobody the reason.
    pub async fn authenticate(&self, token: &str, audience: Audience) -> Result<Principal, AuthError> {
        self.authenticate_peer(token, audience, &PeerNames::none()).await
    }

    /// The same over a connection whose other side has shown a certificate with these names: a token that is bound to a
    /// machine opens nothing for others.
    ///
    /// # Errors
    /// As [`Control::authenticate`].
    pub async fn authenticate_peer(
        &self,
        token: &str,
        audience: Audience,
        peer: &PeerNames,
    ) -> Result<Principal, AuthError> {
        if AccessSecret::is_meant(token) {
            let secret = AccessSecret::parse(token).ok_or(AuthError::Malformed)?;
            return self.authenticate_access_token(&secret, audience, peer).await;
        }
        let now = self.clock().now();
        let keys = self.key_ring().keys(self.store(), now).await;
        let keys = keys.map_err(|source| AuthError::Unavailable { source })?;
        let claims = Claims::verify(token, |kid| keys.public(kid, now))?;
        claims.check(audience, now)?;
        let caller = claims.caller();
        let unavailable = |source| match source {
            ControlError::Denied => AuthError::NoSuchAccount { caller },
            source => AuthError::Unavailable { source },
        };
        let database = self.store().tenant(caller.tenant).await.map_err(unavailable)?;
        let mut view = database.view().await.map_err(unavailable)?;
        let session = SessionRow::find(&mut view, claims.sid).await.map_err(unavailable)?;
        let live = session.is_some_and(|row| row.outlives(now, caller.account));
        let standing = match account_of(self.subject_keys(), &mut view, caller, now).await {
            // What became of the tenant is told only to whom it would let in.
            Ok(_) | Err(AuthError::TenantDisabled { .. }) if !live => {
                return Err(AuthError::Revoked { caller });
            }
            standing => standing?,
        };
        let proof = Proof::Token { session: claims.sid, ends_at: claims.expires_at() };
        Ok(self.admit(standing, caller, proof))
    }

    /// What the person at the machine's command line may do in a tenant: everything.
    ///
    /// # Errors
    /// [`ControlError::Denied`] when there is no such tenant.
    pub async fn operator_grants(&self, tenant: TenantId) -> Result<Grants, ControlError> {
        let mut view = self.store().tenant(tenant).await?.view().await?;
        let removed = removed_studies(&mut view).await?;
        Ok(Self::everything(tenant).without(removed))
    }

    /// The scope of the person at the command line on a study that was removed and whose files may still be there.
    ///
    /// # Errors
    /// [`ControlError::Denied`] for everybody else, and for any other study.
    pub async fn removal_scope(
        &self,
        actor: &Actor,
        tenant: TenantId,
        study: &StudyId,
    ) -> Result<StudyScope<Build>, ControlError> {
        actor.require_operator()?;
        if !self.is_being_removed(tenant, study).await? {
            return Err(ControlError::Denied);
        }
        Ok(Self::everything(tenant).scope(study)?)
    }

    fn everything(tenant: TenantId) -> Grants {
        let everything = ActionKind::ALL.into_iter().map(|action| Permission { action, study: None });
        Grants::from_gate(tenant, everything.collect())
    }

    /// The principal of an account in use and of a proof that was just made, or just checked.
    pub(crate) fn admit(&self, standing: Standing, caller: Caller, proof: Proof) -> Principal {
        let Standing { person, grants, mut emergencies, removed } = standing;
        let mut roles: Vec<Role> = grants.iter().map(|grant| grant.role).collect();
        roles.sort_unstable();
        roles.dedup();
        let (tenant, account_id) = (caller.tenant, caller.account);
        let asker = Asker { tenant, account: account_id, grants: &grants, emergencies: &emergencies };
        let permitted = Grants::from_gate(tenant, self.policies().permissions(&asker)).without(removed);
        // What a role lets it read is no emergency.
        let by_role = Asker { emergencies: &[], ..asker };
        let reads = |study: &StudyId| {
            self.policies().allow(&by_role, ActionKind::Read, Resource::Study(tenant, study))
        };
        let needless: Vec<StudyId> = emergencies.iter().filter(|study| reads(study)).cloned().collect();
        emergencies.retain(|study| !needless.contains(study));
        Principal {
            caller,
            email: person.email,
            display_name: person.display_name,
            roles,
            grants: permitted,
            granted: grants,
            emergencies,
            proof,
        }
    }
}

/// Where an account in use stands at this very moment.
pub(crate) struct Standing {
    pub(crate) person: Person,
    /// What it was granted.
    pub(crate) grants: Vec<Grant>,
    /// The studies that it may read in an emergency.
    pub(crate) emergencies: Vec<StudyId>,
    /// The studies that are not there any more.
    pub(crate) removed: Vec<StudyId>,
}

/// The account that a proof names, in use at this very moment as its tenant is, and what it may do.
pub(crate) async fn account_of(
    keys: &SubjectKeys,
    connection: &mut Connection,
    caller: Caller,
    now: DateTime<Utc>,
) -> Result<Standing, AuthError> {
    let unavailable = |source| AuthError::Unavailable { source };
    let account = AccountRow::find(connection, caller.account).await.map_err(unavailable)?;
    let account = account.ok_or(AuthError::NoSuchAccount { caller })?;
    if !account.enabled {
        return Err(AuthError::AccountDisabled { caller });
    }
    if is_disabled(connection).await.map_err(unavailable)? {
        return Err(AuthError::TenantDisabled { caller });
    }
    let grants = account.grants(connection).await.map_err(unavailable)?;
    let person = account.person(keys, caller.tenant).map_err(unavailable)?;
    let emergencies = emergencies_of(connection, caller.account, now).await.map_err(unavailable)?;
    let removed = removed_studies(connection).await.map_err(unavailable)?;
    Ok(Standing { person, grants, emergencies, removed })
}

/// What the compiler refuses of a principal, beside what it takes.
/// ```
/// async fn prove(control: &control::Control, token: &str) -> Option<control::Principal> {
///     control.authenticate(token, control::Audience::Http).await.ok()
/// }
/// ```
/// Nobody but the gate makes one, or a caller:
/// ```compile_fail,E0624
/// fn somebody(tenant: kernel::TenantId, account: kernel::AccountId) -> control::Caller {
///     control::Caller::new(tenant, account)
/// }
/// ```
/// ```compile_fail,E0451
/// fn somebody(tenant: kernel::TenantId, account: kernel::AccountId) -> control::Caller {
///     control::Caller { tenant, account }
/// }
/// ```
/// or gives one the grants of another:
/// ```compile_fail,E0616
/// fn take(mine: &mut control::Principal, theirs: &control::Principal) {
///     mine.grants = theirs.grants().clone();
/// }
/// ```
/// Data of a study are asked for with a scope,
/// ```
/// async fn list(control: &control::Control, scope: &kernel::StudyScope<kernel::Read>) {
///     let _ = control.snapshots(scope).await;
/// }
/// ```
/// not with a name:
/// ```compile_fail,E0308
/// async fn list(control: &control::Control, study: &kernel::StudyId) {
///     let _ = control.snapshots(study).await;
/// }
/// ```
/// nor published by who reads:
/// ```compile_fail,E0308
/// async fn publish(control: &control::Control, scope: &kernel::StudyScope<kernel::Read>, new: control::NewSnapshot) {
///     let trace: control::TraceId = "4bf92f3577b34da6a3ce929d0e0e4736".parse().expect("a trace");
///     let _ = control.publish(&control::Actor::Operator, scope, new, &trace).await;
/// }
/// ```
/// The rows themselves are out of reach:
/// ```compile_fail,E0624
/// fn rows(control: &control::Control) {
///     let _ = control.store();
/// }
/// ```
#[cfg(doctest)]
pub mod control_24_rows_are_reached_through_the_gate_alone {}
