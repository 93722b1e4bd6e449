//! Authenticator apps: a second proof beside the password. The secret lies encrypted under the account's own key, every
//! code lets in once, and ten recovery codes, shown once, stand in for a lost app.
mod row;

use kernel::{AccountId, TenantId};

use crate::accounts::AccountRow;
use crate::actor::Actor;
use crate::control::Control;
use crate::error::ControlError;
use crate::fresh;
use crate::identity::totp;
use crate::keys::SubjectKeys;
use crate::ledger::{AuditAction, Event, Resource, hex_sha256};
use crate::order::Order;
use crate::sessions::{Method, end_sessions_of};
use crate::store::{Connection, TenantTx};
use row::FactorRow;
pub(crate) use row::remove as remove_second_factor;

/// How many recovery codes there are.
const RECOVERY_CODES: usize = 10;
const RECOVERY_BYTES: usize = 10;

/// What an authenticator app is told once.
#[derive(Clone)]
pub struct Enrolment {
    /// The secret, in the letters that people type into an app.
    pub secret: String,
    /// The same as an address, which apps on the same device open.
    pub uri: String,
}

impl std::fmt::Debug for Enrolment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Enrolment").finish_non_exhaustive()
    }
}

/// Where an account stands with its second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecondFactor {
    /// It has none.
    Absent,
    /// An app was told the secret, and has not shown a code yet; nothing is asked for.
    Enrolled,
    /// Every login asks for a code; so many recovery codes are left.
    Confirmed {
        /// Recovery codes that are left.
        recovery_codes: u64,
    },
}

/// A code that fits, to be used up in the transaction that lets its owner in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fitting {
    Step(i64),
    Recovery(String),
}

impl Fitting {
    pub(crate) const fn method(&self) -> Method {
        match self {
            Self::Step(_) => Method::PasswordAndCode,
            Self::Recovery(_) => Method::PasswordAndRecoveryCode,
        }
    }

    /// Uses the code up.
    ///
    /// # Errors
    /// [`ControlError::LoginRefused`] when somebody else was quicker with the same code.
    pub(crate) async fn use_up(&self, tx: &mut TenantTx, account: AccountId) -> Result<(), ControlError> {
        let used = match self {
            Self::Step(step) => row::advance(tx, account, *step).await?,
            Self::Recovery(hash) => row::use_recovery_code(tx, account, hash).await?,
        };
        used.then_some(()).ok_or(ControlError::LoginRefused)
    }
}

/// What came of a code at a login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Asked {
    /// The account has no second factor.
    Nothing,
    /// The code fits.
    Fits(Fitting),
    /// It does not; the word is for the ledger alone.
    Refused(&'static str),
}

impl Control {
    /// Where an account stands. An account sees its own.
    ///
    /// # Errors
    /// [`ControlError::Denied`] for another's.
    pub async fn second_factor(
        &self,
        actor: &Actor,
        tenant: TenantId,
        account: AccountId,
    ) -> Result<SecondFactor, ControlError> {
        actor.require_self_or_administrator(tenant, Some(account))?;
        let mut view = self.store().tenant(tenant).await?.view().await?;
        match FactorRow::find(&mut view, account).await? {
            None => Ok(SecondFactor::Absent),
            Some(row) if !row.is_confirmed => Ok(SecondFactor::Enrolled),
            Some(_) => {
                let recovery_codes = row::recovery_codes_left(&mut view, account).await?;
                Ok(SecondFactor::Confirmed { recovery_codes })
            }
        }
    }

    /// Begins a second factor: the secret for the app. It counts once a code has shown that the app has it; until then,
    /// beginning again gives another secret.
    ///
    /// # Errors
    /// [`ControlError::Denied`] for another's account; [`ControlError::SecondFactorPresent`] when one is in use, which
    /// has to be given up first.
    pub async fn enrol_second_factor(
        &self,
        actor: &Actor,
        tenant: TenantId,
        account: AccountId,
    ) -> Result<Enrolment, ControlError> {
        actor.require_self_or_operator(tenant, Some(account))?;
        let mut tx = self.store().tenant(tenant).await?.begin().await?;
        let found = AccountRow::find(tx.connection(), account).await?;
        let found = found.filter(|found| found.enabled).ok_or(ControlError::Denied)?;
        if FactorRow::find(tx.connection(), account).await?.is_some_and(|row| row.is_confirmed) {
            return Err(ControlError::SecondFactorPresent);
        }
        let keys = self.subject_keys();
        let key = match keys.open(account)? {
            Some(key) => key,
            None => keys.create(tenant, account, tx.now())?.secret,
        };
        let secret = fresh::bytes::<{ totp::SECRET_BYTES }>()?;
        row::enrol(&mut tx, account, &key, &secret).await?;
        let event = Event::success(AuditAction::SecondFactorEnrolled, actor, Resource::account(account));
        tx.record(event).await?.commit().await?;
        let secret = totp::base32(&secret);
        let uri = format!(
            "otpauth://totp/Cairn:{}?secret={secret}&issuer=Cairn&algorithm=SHA1&digits=6&period=30",
            percent_encoded(&found.person(keys, tenant)?.email)
        );
        Ok(Enrolment { secret, uri })
    }

    /// Takes the second factor into use, once the app has shown a code. The recovery codes are shown this once.
    ///
    /// # Errors
    /// [`ControlError::Denied`] for another's account or one that has not begun; [`ControlError::WrongCode`].
    pub async fn confirm_second_factor(
        &self,
        actor: &Actor,
        tenant: TenantId,
        account: AccountId,
        code: &str,
    ) -> Result<Vec<String>, ControlError> {
        actor.require_self_or_operator(tenant, Some(account))?;
        let mut tx = self.store().tenant(tenant).await?.begin().await?;
        let row = FactorRow::find(tx.connection(), account).await?.ok_or(ControlError::Denied)?;
        if row.is_confirmed {
            return Err(ControlError::SecondFactorPresent);
        }
        let secret = row.secret(self.subject_keys(), account)?;
        let step = totp::matching_step(&secret, code, tx.now()).ok_or(ControlError::WrongCode)?;
        let mut codes = Vec::with_capacity(RECOVERY_CODES);
        for _ in 0..RECOVERY_CODES {
            codes.push(totp::base32(&fresh::bytes::<RECOVERY_BYTES>()?).to_lowercase());
        }
        row::confirm(&mut tx, account, step).await?;
        for code in &codes {
            row::keep_recovery_code(&mut tx, account, &recovery_hash(account, code)).await?;
        }
        let event = Event::success(AuditAction::SecondFactorConfirmed, actor, Resource::account(account));
        tx.record(event).await?.commit().await?;
        Ok(codes.iter().map(|code| in_groups(code)).collect())
    }

    /// Gives the second factor up. Its owner shows a code once more, of the app or a recovery code; who administers the
    /// tenant need not for others, which is for who has lost both, and ends their sessions.
    ///
    /// # Errors
    /// [`ControlError::Denied`] for another's account or one without; [`ControlError::WrongCode`].
    pub async fn disable_second_factor(
        &self,
        order: impl Into<Order<'_>>,
        tenant: TenantId,
        account: AccountId,
        code: Option<&str>,
    ) -> Result<(), ControlError> {
        let order = order.into();
        let actor = order.actor;
        actor.require_self_or_administrator(tenant, Some(account))?;
        order.require_reason()?;
        let mut tx = self.store().tenant(tenant).await?.begin().await?;
        let row = FactorRow::find(tx.connection(), account).await?.ok_or(ControlError::Denied)?;
        let must_prove = row.is_confirmed && actor.is_account(account);
        if must_prove {
            let now = tx.now();
            let asked = row.ask(tx.connection(), self.subject_keys(), (account, code), now).await?;
            if !matches!(asked, Asked::Fits(_)) {
                return Err(ControlError::WrongCode);
            }
        }
        row::remove(&mut tx, account).await?;
        let mut event = order.event(AuditAction::SecondFactorDisabled, Resource::account(account));
        if matches!(actor, Actor::Administrator { .. }) && !actor.is_account(account) {
            event =
                event.with("sessions_ended", end_sessions_of(&mut tx, account, "second_factor_reset").await?);
        }
        tx.record(event).await?.commit().await
    }

    /// Whether a login needs a code, and this one is right.
    pub(crate) async fn ask_for_code(
        &self,
        connection: &mut Connection,
        account: AccountId,
        code: Option<&str>,
    ) -> Result<Asked, ControlError> {
        let row = FactorRow::find(&mut *connection, account).await?;
        let Some(row) = row.filter(|row| row.is_confirmed) else { return Ok(Asked::Nothing) };
        row.ask(connection, self.subject_keys(), (account, code), self.clock().now()).await
    }
}

impl FactorRow {
    async fn ask(
        &self,
        connection: &mut Connection,
        keys: &SubjectKeys,
        (account, code): (AccountId, Option<&str>),
        now: chrono::DateTime<chrono::Utc>,
    ) -> Result<Asked, ControlError> {
        let Some(code) = code.map(str::trim).filter(|code| !code.is_empty()) else {
            return Ok(Asked::Refused("code_missing"));
        };
        let secret = self.secret(keys, account)?;
        match totp::matching_step(&secret, code, now) {
            Some(step) if step > self.last_step => return Ok(Asked::Fits(Fitting::Step(step))),
            Some(_) => return Ok(Asked::Refused("code_used_before")),
            None => {}
        }
        let hash = recovery_hash(account, code);
        if row::is_recovery_code(connection, account, &hash).await? {
            return Ok(Asked::Fits(Fitting::Recovery(hash)));
        }
        Ok(Asked::Refused("wrong_code"))
    }
}

/// What is stored of a recovery code, however it is typed. Nobody guesses 80 bits, so that a plain hash is enough.
fn recovery_hash(account: AccountId, code: &str) -> String {
    let plain: String = code.chars().filter(char::is_ascii_alphanumeric).collect();
    hex_sha256(format!("{account}/{}", plain.to_lowercase()).as_bytes())
}

fn in_groups(code: &str) -> String {
    let letters: Vec<char> = code.chars().collect();
    let groups = letters.chunks(4).map(|group| group.iter().collect::<String>());
    groups.collect::<Vec<_>>().join("-")
}

fn percent_encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~@".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}
