//! The one entrance.

use std::path::Path;
use std::sync::Arc;

use chrono::TimeDelta;
use kernel::Clock;

use crate::error::ControlError;
use crate::identity::{Passwords, SigningKey, announce_key};
use crate::store::{DatabaseSettings, Store};

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
    passwords: Passwords,
    lifetimes: TokenLifetimes,
}

impl Control {
    /// Opens the control plane under `<data_dir>/control`, in SQLite files that it makes there when they do not
    /// exist.
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
        Self::open_at(data_dir, &DatabaseSettings::default(), clock, lifetimes).await
    }

    /// The same, in the database of the settings. The keys stay in `<data_dir>/control/keys`, which all replicas
    /// share.
    ///
    /// # Errors
    /// As [`Control::open`]; [`ControlError::SqliteShared`] when files are to serve several replicas,
    /// [`ControlError::MigrationMissing`] and [`ControlError::ContextKeyUnknown`] when the server is not prepared
    /// for this process, and [`ControlError::DatabaseRole`] when an address names a role that no policy binds.
    pub async fn open_at(
        data_dir: &Path,
        database: &DatabaseSettings,
        clock: Arc<dyn Clock>,
        lifetimes: TokenLifetimes,
    ) -> Result<Self, ControlError> {
        database.check()?;
        let root = data_dir.join("control");
        let store = Store::open(&root, &database.engine, Arc::clone(&clock)).await?;
        let signing_key = SigningKey::open(&root.join("keys"))?;
        announce_key(&store, &signing_key, clock.now()).await?;
        let passwords = Passwords::new().await?;
        Ok(Self { inner: Arc::new(Inner { store, clock, signing_key, passwords, lifetimes }) })
    }

    /// Whether the control plane can answer: its database answers and the system's log has a head.
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

    pub(crate) fn passwords(&self) -> &Passwords {
        &self.inner.passwords
    }

    pub(crate) fn lifetimes(&self) -> TokenLifetimes {
        self.inner.lifetimes
    }
}
