//! The one entrance.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::TimeDelta;
use kernel::Clock;
use tokio::sync::Notify;

use crate::accounts::sealing::seal_what_is_in_the_clear;
use crate::error::ControlError;
use crate::identity::{KeyRing, Passwords, Throttle};
use crate::keys::{BlindIndex, DataKeys, FileKeySettings, KeySettings, SubjectKeys};
use crate::ledger::{Anchor, AnchorPlace, LedgerKey, Log, WaitingEvents, announce_ledger_key};
use crate::mail::{MailSettings, Mailer};
use crate::outbound::Reach;
use crate::policy::{Policies, announce_policies};
use crate::store::{DatabaseSettings, Open, Store};

/// The control plane of one data folder. Cloning it is cheap, and several processes may hold one each.
#[derive(Debug, Clone)]
pub struct Control {
    inner: Arc<Inner>,
}

/// How long a token lasts, by the door it opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenLifetimes {
    /// A client of REST; with it, it gets the next one.
    pub http: TimeDelta,
    /// A Flight client's bearer token.
    pub flight: TimeDelta,
}

impl Default for TokenLifetimes {
    fn default() -> Self {
        Self { http: TimeDelta::minutes(15), flight: TimeDelta::minutes(15) }
    }
}

/// How a control plane is opened.
#[derive(Debug, Clone, Default)]
pub struct ControlSettings {
    /// Which database keeps the rows.
    pub database: DatabaseSettings,
    /// A folder on another disk, to which every checkpoint of the ledger is copied with the events below it.
    pub anchor: Option<PathBuf>,
    /// Further places of that kind; each gets its own copy.
    pub further_anchors: Vec<AnchorPlace>,
    /// How long tokens last.
    pub lifetimes: TokenLifetimes,
    /// Where webhooks may go. Anything but [`Reach::Public`] is for tests.
    pub webhooks: Reach,
    /// The relay that messages of inboxes leave by; none leave by e-mail when nothing is said.
    pub mail: Option<MailSettings>,
    /// Where the master key is; in `keys/master.key`, made at the first start, when nothing is said.
    pub keys: Option<KeySettings>,
    /// Where it was before, while the data keys move from one to the other ([`Control::rotate_master_key`]).
    pub keys_before: Option<KeySettings>,
}

#[derive(Debug)]
struct Inner {
    store: Store,
    clock: Arc<dyn Clock>,
    key_ring: KeyRing,
    keys_folder: PathBuf,
    ledger_key: LedgerKey,
    subject_keys: SubjectKeys,
    index: BlindIndex,
    data_keys: DataKeys,
    waiting: WaitingEvents,
    passwords: Passwords,
    policies: Policies,
    throttle: Throttle,
    lifetimes: TokenLifetimes,
    webhooks: Reach,
    mailer: Option<Mailer>,
    /// Rung when a job is put in line.
    bell: Notify,
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
        let settings = ControlSettings { lifetimes, ..ControlSettings::default() };
        Self::open_at(data_dir, &settings, clock).await
    }

    /// The same, with every setting. The keys stay in `<data_dir>/control/keys`, which all replicas share.
    ///
    /// A log that is behind a checkpoint that was kept or anchored, or contradicts it, is refused: the system's
    /// now, a tenant's when it is first used.
    ///
    /// # Errors
    /// As [`Control::open`]; [`ControlError::SqliteShared`] when files are to serve several replicas,
    /// [`ControlError::MigrationMissing`] and [`ControlError::ContextKeyUnknown`] when the server is not prepared
    /// for this process, and [`ControlError::DatabaseRole`] when an address names a role that no policy binds;
    /// [`ControlError::LogBehind`], [`ControlError::LogForked`] and [`ControlError::AnchorUnusable`] when the
    /// system's log does not stand.
    pub async fn open_at(
        data_dir: &Path,
        settings: &ControlSettings,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ControlError> {
        settings.database.check()?;
        let mailer = settings.mail.as_ref().map(Mailer::open).transpose()?;
        let root = data_dir.join("control");
        let data_keys =
            open_data_keys(&root.join("keys"), settings.keys.clone(), settings.keys_before.clone()).await?;
        let mut anchors: Vec<Anchor> = settings.anchor.as_deref().map(Anchor::at).into_iter().collect();
        for place in &settings.further_anchors {
            anchors.push(Anchor::open(place, &clock)?);
        }
        let store = Store::open(&root, &settings.database.engine, Arc::clone(&clock), anchors).await?;
        let lifetimes = settings.lifetimes;
        let ledger_key = LedgerKey::open(&root.join("keys"))?;
        store.require_system_standing().await?;
        let key_ring = KeyRing::open(&store, &root.join("keys"), clock.now()).await?;
        announce_ledger_key(&store, &ledger_key).await?;
        announce_policies(&store).await?;
        let passwords = Passwords::new().await?;
        let subject_keys = SubjectKeys::at(root.join("keys/subjects"), data_keys.clone());
        let index = BlindIndex::open(&store, &data_keys).await?;
        seal_what_is_in_the_clear(&store, &subject_keys, &index).await?;
        let (waiting, throttle) = (WaitingEvents::default(), Throttle::default());
        let policies = Policies::load();
        let inner = Inner {
            store,
            clock,
            key_ring,
            keys_folder: root.join("keys"),
            ledger_key,
            subject_keys,
            index,
            data_keys,
            waiting,
            passwords,
            policies,
            throttle,
            lifetimes,
            webhooks: settings.webhooks,
            mailer,
            bell: Notify::new(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Whether the control plane can answer: its database answers and the system's log has a head.
    ///
    /// # Errors
    /// When it cannot.
    pub async fn ready(&self) -> Result<(), ControlError> {
        self.store().system().head_size().await.map(|_| ())
    }

    /// Completes when this process has put a job in line. Those of other processes have to be looked for.
    pub async fn job_enqueued(&self) {
        self.inner.bell.notified().await;
    }

    pub(crate) fn ring(&self) {
        self.inner.bell.notify_one();
    }

    pub(crate) fn store(&self) -> &Store {
        &self.inner.store
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        self.inner.clock.as_ref()
    }

    /// Where the keys of the deployment lie.
    pub(crate) fn keys_folder(&self) -> &Path {
        &self.inner.keys_folder
    }

    pub(crate) fn key_ring(&self) -> &KeyRing {
        &self.inner.key_ring
    }

    pub(crate) fn ledger_key(&self) -> &LedgerKey {
        &self.inner.ledger_key
    }

    pub(crate) fn subject_keys(&self) -> &SubjectKeys {
        &self.inner.subject_keys
    }

    pub(crate) fn index(&self) -> &BlindIndex {
        &self.inner.index
    }

    pub(crate) fn data_keys(&self) -> &DataKeys {
        &self.inner.data_keys
    }

    pub(crate) fn waiting(&self) -> &WaitingEvents {
        &self.inner.waiting
    }

    /// One consistent view over the rows of a log.
    pub(crate) async fn log_view(&self, log: Log) -> Result<Open, ControlError> {
        match log {
            Log::System => self.store().system().view().await,
            Log::Tenant(tenant) => self.store().tenant(tenant).await?.view().await,
        }
    }

    /// Ends a view of a log, and returns when everything is on disk that it showed.
    pub(crate) async fn leave_log(&self, log: Log, view: Open) -> Result<(), ControlError> {
        match log {
            Log::System => self.store().system().leave(view).await,
            Log::Tenant(tenant) => self.store().tenant(tenant).await?.leave(view).await,
        }
    }

    pub(crate) fn passwords(&self) -> &Passwords {
        &self.inner.passwords
    }

    pub(crate) fn policies(&self) -> &Policies {
        &self.inner.policies
    }

    pub(crate) fn throttle(&self) -> &Throttle {
        &self.inner.throttle
    }

    /// Where webhooks may go.
    #[must_use]
    pub fn webhook_reach(&self) -> Reach {
        self.inner.webhooks
    }

    /// What hands letters to the relay, when there is one.
    #[must_use]
    pub fn mailer(&self) -> Option<&Mailer> {
        self.inner.mailer.as_ref()
    }

    pub(crate) fn lifetimes(&self) -> TokenLifetimes {
        self.inner.lifetimes
    }
}

/// A provider may be a service or a device, which takes its time.
async fn open_data_keys(
    folder: &Path,
    settings: Option<KeySettings>,
    before: Option<KeySettings>,
) -> Result<DataKeys, ControlError> {
    let own = FileKeySettings { path: folder.join("master.key"), passphrase_file: None, make: true };
    let settings = settings.unwrap_or(KeySettings::File(own));
    let folder = folder.join("data");
    let opened =
        tokio::task::spawn_blocking(move || DataKeys::open(folder, &settings, before.as_ref())).await;
    opened.map_err(|source| ControlError::Storage { step: "open the keys", source: Box::new(source) })?
}
