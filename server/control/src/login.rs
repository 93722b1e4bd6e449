//! Logging in. An unknown e-mail, a wrong password and a disabled account get the same answer after the same work;
//! only the ledger tells them apart.

use std::fmt;
use std::net::IpAddr;

use chrono::{DateTime, Utc};
use kernel::{AccountId, TenantId};

use crate::accounts::{AccountRow, Email};
use crate::control::Control;
use crate::error::{AuthError, ControlError, GovernedError, corrupt, storage};
use crate::fresh;
use crate::gate::{Caller, Principal, Proof, Standing, account_of};
use crate::identity::{Attempt, Audience, Claims, ISSUER};
use crate::ids::SessionId;
use crate::instant::timestamp;
use crate::keys::SubjectKeys;
use crate::ledger::{AuditAction, Event, LeafActor, Outcome, Resource, hex_sha256};
use crate::second_factor::{Asked, Fitting};
use crate::sessions::{ABSOLUTE, BrowserSession, Method, NewSession, Secret, SessionRow, is_known_peer};
use crate::store::TenantTx;
use crate::tenants::standing::is_disabled;
use crate::trace::TraceId;

/// What somebody says to prove who they are.
#[derive(Clone, Copy)]
pub struct Credentials<'a> {
    /// The account's e-mail address.
    pub email: &'a str,
    /// Its password.
    pub password: &'a str,
    /// The code of its authenticator app, or a recovery code, when it has one.
    pub code: Option<&'a str>,
    /// Where they come from, when it is known.
    pub peer: Option<IpAddr>,
}

impl<'a> Credentials<'a> {
    /// An address and a password, from nowhere in particular.
    #[must_use]
    pub const fn new(email: &'a str, password: &'a str) -> Self {
        Self { email, password, code: None, peer: None }
    }
}

impl fmt::Debug for Credentials<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").finish_non_exhaustive()
    }
}

/// A token that was just issued, and whom it lets in.
#[derive(Clone)]
pub struct Login {
    /// The token, to be kept like a password.
    pub token: String,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
    /// Whom it lets in.
    pub principal: Principal,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Login");
        debug
            .field("expires_at", &self.expires_at)
            .field("principal", &self.principal)
            .finish_non_exhaustive()
    }
}

/// Somebody whose credentials are right.
pub(crate) struct Proved {
    pub(crate) caller: Caller,
    pub(crate) method: Method,
    pub(crate) peer: Option<IpAddr>,
    /// A code that is used up together with the login.
    pub(crate) used: Option<Fitting>,
}

impl Control {
    /// Exchanges credentials for a token, and begins the session of a client with it.
    ///
    /// # Errors
    /// [`ControlError::LoginRefused`] when they do not belong to an enabled account,
    /// [`GovernedError::TenantDisabled`] when they do and its tenant is disabled, and
    /// [`ControlError::LoginThrottled`] when too many attempts were refused before.
    pub async fn login(
        &self,
        given: &Credentials<'_>,
        audience: Audience,
        trace: &TraceId,
    ) -> Result<Login, ControlError> {
        let proved = self.prove(given, audience.name(), trace).await?;
        let mut tx = self.store().tenant(proved.caller.tenant()).await?.begin().await?;
        let session = proved.begin(&mut tx, None).await?;
        let ends_at = tx.now() + ABSOLUTE;
        let login = self.mint(&mut tx, proved.caller, audience, (session, ends_at)).await?;
        let event = issued(AuditAction::LoginSucceeded, &login, audience, proved.method);
        tx.record(event.traced(trace)).await?.commit().await?;
        Ok(login)
    }

    /// Exchanges credentials for a browser's session.
    ///
    /// # Errors
    /// As [`Control::login`].
    pub async fn sign_in(
        &self,
        given: &Credentials<'_>,
        trace: &TraceId,
    ) -> Result<BrowserSession, ControlError> {
        let proved = self.prove(given, "browser", trace).await?;
        self.begin_session(proved, trace).await
    }

    /// Begins the session of a browser whose reader was proved.
    pub(crate) async fn begin_session(
        &self,
        proved: Proved,
        trace: &TraceId,
    ) -> Result<BrowserSession, ControlError> {
        let caller = proved.caller;
        let mut tx = self.store().tenant(caller.tenant()).await?.begin().await?;
        let secret = Secret::new(caller.tenant())?;
        let session = proved.begin(&mut tx, Some(&secret)).await?;
        let ends_at = tx.now() + ABSOLUTE;
        let standing = enabled(self.subject_keys(), &mut tx, caller).await?;
        let principal = self.admit(standing, caller, Proof::Session { session, ends_at });
        let event = Event::success(
            AuditAction::LoginSucceeded,
            &principal.actor(),
            Resource::account(principal.account()),
        );
        let event = event
            .with("audience", "browser")
            .with("expires_at", timestamp(ends_at))
            .with("method", proved.method.name())
            .with("session", session.to_string());
        tx.record(event.traced(trace)).await?.commit().await?;
        Ok(BrowserSession { secret: secret.to_string(), principal })
    }

    /// Gives a logged-in account a token for a further door, or the next one for the same. It ends with the session
    /// that it was asked with.
    ///
    /// # Errors
    /// [`ControlError::Denied`] when the account was disabled or its session ended in the meantime.
    pub async fn issue_token(
        &self,
        principal: &Principal,
        audience: Audience,
        trace: &TraceId,
    ) -> Result<Login, ControlError> {
        let session = principal.session().ok_or(ControlError::Denied)?;
        let mut tx = self.store().tenant(principal.tenant()).await?.begin().await?;
        let row = SessionRow::find(tx.connection(), session).await?.ok_or(ControlError::Denied)?;
        // A browser that has fallen silent gets no further tokens, whoever holds the last one.
        if !row.session.is_live(tx.now()) || row.session.account != principal.account() {
            return Err(ControlError::Denied);
        }
        let from = (session, row.session.ends_at);
        let login = self.mint(&mut tx, principal.caller(), audience, from).await?;
        let event = Event::success(
            AuditAction::TokenIssued,
            &principal.actor(),
            Resource::account(principal.account()),
        );
        tx.record(facts(event, &login, audience).traced(trace)).await?.commit().await?;
        Ok(login)
    }

    /// Checks credentials. A refusal is in the ledger before it is known.
    pub(crate) async fn prove(
        &self,
        given: &Credentials<'_>,
        door: &'static str,
        trace: &TraceId,
    ) -> Result<Proved, ControlError> {
        let known = self.find_by_email(given.email).await?;
        let attempt = self.begin_attempt(given, known.as_ref(), trace).await?;
        let stored = known.as_ref().map(|(_, account)| account.password_hash.as_str());
        let right = self.passwords().matches(given.password, stored).await?;
        let Some((tenant, account)) = known else {
            let nobody = Resource::new("account", "unknown");
            let failure = login_failure(nobody, door, "unknown_email").traced(trace);
            self.store().system().begin().await?.record(failure).await?.commit().await?;
            return Err(ControlError::LoginRefused);
        };
        let database = self.store().tenant(tenant).await?;
        let refused = match (right, account.enabled) {
            (false, _) => "wrong_password",
            (true, false) => "account_disabled",
            (true, true) => {
                let asked = self.ask_for_code(&mut *database.view().await?, account.id, given.code).await?;
                let used = match asked {
                    Asked::Nothing => Ok(None),
                    Asked::Fits(fitting) => Ok(Some(fitting)),
                    Asked::Refused(reason) => Err(reason),
                };
                match used {
                    Ok(used) => {
                        if let Some(attempt) = attempt {
                            self.throttle().succeeded(attempt);
                        }
                        let caller = Caller::new(tenant, account.id);
                        // Told only to who has proved that they belong to it.
                        if is_disabled(&mut *database.view().await?).await? {
                            let refused =
                                login_failure(Resource::account(account.id), door, "tenant_disabled");
                            let event = refused.traced(trace);
                            database.begin().await?.record(event).await?.commit().await?;
                            return Err(GovernedError::TenantDisabled.into());
                        }
                        let method = used.as_ref().map_or(Method::Password, Fitting::method);
                        return Ok(Proved { caller, method, peer: given.peer, used });
                    }
                    Err(reason) => reason,
                }
            }
        };
        let failure = login_failure(Resource::account(account.id), door, refused).traced(trace);
        database.begin().await?.record(failure).await?.commit().await?;
        Err(ControlError::LoginRefused)
    }

    /// Counts an attempt, which costs nothing but memory, before the password costs time. Who comes from nowhere is
    /// the operator.
    async fn begin_attempt(
        &self,
        given: &Credentials<'_>,
        known: Option<&(TenantId, AccountRow)>,
        trace: &TraceId,
    ) -> Result<Option<Attempt>, ControlError> {
        let Some(peer) = given.peer else { return Ok(None) };
        let is_known_peer = match known {
            Some((tenant, account)) => {
                let database = self.store().tenant(*tenant).await?;
                is_known_peer(&mut *database.view().await?, account.id, given.peer).await?
            }
            None => false,
        };
        let begun = self.throttle().begin(given.email, peer, is_known_peer, self.clock().now());
        let too_soon = match begun {
            Ok(attempt) => return Ok(Some(attempt)),
            Err(too_soon) => too_soon,
        };
        if too_soon.is_first {
            let resource = known.map_or_else(
                || Resource::new("account", "unknown"),
                |(_, account)| Resource::account(account.id),
            );
            let event = Event::success(AuditAction::LoginThrottled, LeafActor::anonymous(), resource)
                .ended(Outcome::Denied)
                .with("limit", too_soon.limit);
            self.store().system().begin().await?.record(event.traced(trace)).await?.commit().await?;
        }
        // Rounded up, so that whoever waits so long is let through.
        Err(ControlError::LoginThrottled { seconds: too_soon.wait.num_seconds() + 1 })
    }

    /// The account of an address, wherever it lives.
    async fn find_by_email(&self, email: &str) -> Result<Option<(TenantId, AccountRow)>, ControlError> {
        let Ok(email) = Email::parse(email) else { return Ok(None) };
        let listed: Option<(String, String)> =
            sqlx::query_as("SELECT tenant_id, account_id FROM account_directory WHERE email = $1")
                .bind(self.index().email(email.as_str()))
                .fetch_optional(&mut *self.store().system().view().await?)
                .await
                .map_err(storage("look the e-mail address up"))?;
        let Some((tenant, account)) = listed else { return Ok(None) };
        let tenant: TenantId = tenant.parse().map_err(corrupt("tenant id"))?;
        let account: AccountId = account.parse().map_err(corrupt("account id"))?;
        let mut view = self.store().tenant(tenant).await?.view().await?;
        let found = AccountRow::find(&mut view, account).await?;
        Ok(found.map(|account| (tenant, account)))
    }

    /// Makes a token of a session for an account that is enabled at this very moment. The caller records it.
    async fn mint(
        &self,
        tx: &mut TenantTx,
        caller: Caller,
        audience: Audience,
        (session, ends_at): (SessionId, DateTime<Utc>),
    ) -> Result<Login, ControlError> {
        let standing = enabled(self.subject_keys(), tx, caller).await?;
        let lifetime = match audience {
            Audience::Http => self.lifetimes().http,
            Audience::Flight => self.lifetimes().flight,
        };
        let now = tx.now();
        let claims = Claims {
            iss: ISSUER.to_owned(),
            sub: caller.account(),
            aud: audience.name().to_owned(),
            tenant_id: caller.tenant(),
            sid: session,
            jti: fresh::uuid(now)?.to_string(),
            iat: now.timestamp(),
            nbf: now.timestamp(),
            exp: ends_at.min(now + lifetime).timestamp(),
        };
        let token = claims.sign(self.key_ring().keys(self.store(), now).await?.signing());
        let expires_at = claims.expires_at();
        let proof = Proof::Token { session, ends_at: expires_at };
        Ok(Login { token, expires_at, principal: self.admit(standing, caller, proof) })
    }
}

impl Proved {
    async fn begin(&self, tx: &mut TenantTx, secret: Option<&Secret>) -> Result<SessionId, ControlError> {
        let account = self.caller.account();
        if let Some(used) = &self.used {
            used.use_up(tx, account).await?;
        }
        NewSession { account, method: self.method, peer: self.peer, secret }.insert(tx).await
    }
}

/// An account that is in use as the transaction sees it, and what it may do.
async fn enabled(keys: &SubjectKeys, tx: &mut TenantTx, caller: Caller) -> Result<Standing, ControlError> {
    let now = tx.now();
    account_of(keys, tx.connection(), caller, now).await.map_err(|refused| match refused {
        AuthError::Unavailable { source } => source,
        AuthError::TenantDisabled { .. } => GovernedError::TenantDisabled.into(),
        _ => ControlError::Denied,
    })
}

fn issued(action: AuditAction, login: &Login, audience: Audience, method: Method) -> Event {
    let principal = &login.principal;
    let event = Event::success(action, &principal.actor(), Resource::account(principal.account()));
    facts(event, login, audience).with("method", method.name())
}

fn facts(event: Event, login: &Login, audience: Audience) -> Event {
    let session = login.principal.session().map_or_else(String::new, |session| session.to_string());
    event
        .with("audience", audience.name())
        .with("expires_at", timestamp(login.expires_at))
        .with("session", session)
        .with("token_sha256", hex_sha256(login.token.as_bytes()))
}

/// Nobody has proved anything yet, so the actor is anonymous; the account that was tried is the resource.
fn login_failure(resource: Resource, door: &'static str, reason: &'static str) -> Event {
    Event::success(AuditAction::LoginFailed, LeafActor::anonymous(), resource)
        .ended(Outcome::Denied)
        .with("audience", door)
        .with("reason", reason)
}
