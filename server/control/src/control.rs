//! The one entrance.

use std::path::Path;
use std::sync::Arc;

use chrono::TimeDelta;
use kernel::Clock;
use sqlx::{Sqlite, Transaction};

use crate::error::ControlError;
use crate::identity::{Passwords, SigningKey, announce_key};
use crate::ledger::{Anchor, LedgerKey, Log, SubjectKeys, WaitingEvents, announce_ledger_key};
use crate::store::Store;

/// The control plane of one data folder. Cloning it is cheap, and several processes may hold one each.
#[derive(Debug, Clone)]
pub struct Control {
    inner: Arc<Inner>,
}

/// How long a token lasts, by the door it opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenLifetimes {
    /// A browser's session.
    pub http: TimeDelta,
    /// A Flight client's bearer token.
    pub flight: TimeDelta,
}

impl Default for TokenLifetimes {
    fn default() -> Self {
        Self { http: TimeDelta::hours(8), flight: TimeDelta::hours(1) }
    }
}

#[derive(Debug)]
struct Inner {
    store: Store,
    clock: Arc<dyn Clock>,
    signing_key: SigningKey,
    ledger_key: LedgerKey,
    subject_keys: SubjectKeys,
    waiting: WaitingEvents,
    passwords: Passwords,
    lifetimes: TokenLifetimes,
}

impl Control {
    /// Opens the control plane under `<data_dir>/control`, and makes it there when it does not exist.
    ///
    /// # Errors
    /// When a file cannot be made or read, was migrated by other code, or the signing key is unusable.
    pub async fn open(data_dir: &Path, clock: Arc<dyn Clock>) -> Result<Self, ControlError> {
        Self::open_with(data_dir, clock, TokenLifetimes::default()).await
    }

    /// The same, with other lifetimes of tokens.
    ///
    /// # Errors
    /// As [`Control::open`].
    pub async fn open_with(
        data_dir: &Path,
        clock: Arc<dyn Clock>,
        lifetimes: TokenLifetimes,
    ) -> Result<Self, ControlError> {
        Self::open_anchored(data_dir, None, clock, lifetimes).await
    }

    /// The same, with a folder on another disk to which every checkpoint of the ledger is copied. A log that
    /// is behind its copy, or contradicts it, is refused: the system's now, a tenant's when it is first used.
    ///
    /// # Errors
    /// As [`Control::open`], and [`ControlError::LogBehind`] and [`ControlError::LogForked`].
    pub async fn open_anchored(
        data_dir: &Path,
        anchor: Option<&Path>,
        clock: Arc<dyn Clock>,
        lifetimes: TokenLifetimes,
    ) -> Result<Self, ControlError> {
        let root = data_dir.join("control");
        let store = Store::open(&root, Arc::clone(&clock), anchor.map(Anchor::at)).await?;
        let signing_key = SigningKey::open(&root.join("keys"))?;
        let ledger_key = LedgerKey::open(&root.join("keys"))?;
        store.require_system_standing().await?;
        announce_key(&store, &signing_key, clock.now()).await?;
        announce_ledger_key(&store, &ledger_key).await?;
        let passwords = Passwords::new().await?;
        let subject_keys = SubjectKeys::at(root.join("keys/subjects"));
        let waiting = WaitingEvents::default();
        let inner =
            Inner { store, clock, signing_key, ledger_key, subject_keys, waiting, passwords, lifetimes };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Whether the control plane can answer: its system file is open and its log has a head.
    ///
    /// # Errors
    /// When it cannot.
    pub async fn ready(&self) -> Result<(), ControlError> {
        self.store().system().head_size().await.map(|_| ())
    }

    pub(crate) fn store(&self) -> &Store {
        &self.inner.store
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        self.inner.clock.as_ref()
    }

    pub(crate) fn signing_key(&self) -> &SigningKey {
        &self.inner.signing_key
    }

    pub(crate) fn ledger_key(&self) -> &LedgerKey {
        &self.inner.ledger_key
    }

    pub(crate) fn subject_keys(&self) -> &SubjectKeys {
        &self.inner.subject_keys
    }

    pub(crate) fn waiting(&self) -> &WaitingEvents {
        &self.inner.waiting
    }

    /// One consistent view over the file of a log.
    pub(crate) async fn log_view(&self, log: Log) -> Result<Transaction<'static, Sqlite>, ControlError> {
        match log {
            Log::System => self.store().system().view().await,
            Log::Tenant(tenant) => self.store().tenant(tenant).await?.view().await,
        }
    }

    pub(crate) fn passwords(&self) -> &Passwords {
        &self.inner.passwords
    }

    pub(crate) fn lifetimes(&self) -> TokenLifetimes {
        self.inner.lifetimes
    }
}
