//! Keys in three layers. The master key, which a [`provider`] holds, wraps the data keys, one and its predecessors for
//! each tenant; a data key seals the keys of the tenant's accounts, under which personal data and secrets lie
//! encrypted. A data key that is no tenant's gives the keys of the [`index`] by which a sealed value is found. So each layer is renewed by wrapping the few keys below it again, and what an account's key protects is
//! erased by destroying that one key.
pub(crate) mod envelope;
mod error;
mod index;
mod known_answer;
mod pkcs11;
mod provider;
mod sealed_file;
mod settings;
mod subjects;
mod vault;

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use chrono::{DateTime, Utc};
use kernel::TenantId;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::error::ControlError;
use crate::fresh;
use crate::identity::{ensure_key_file, replace_key_file};
use crate::instant::timestamp;
use envelope::Secret;
use provider::{KeyProvider, Wrapped};

pub use error::KeyError;
pub(crate) use index::BlindIndex;
pub use index::SYSTEM_KEYS;
pub(crate) use sealed_file::read_private;
pub use settings::{FileKeySettings, KeySettings, Pkcs11Settings, VaultSettings};
pub(crate) use subjects::SubjectKeys;

const SUFFIX: &str = "key";

/// The data keys of every tenant: a file each, wrapped by the master key.
#[derive(Clone)]
pub(crate) struct DataKeys {
    inner: Arc<Inner>,
}

struct Inner {
    folder: PathBuf,
    provider: Arc<dyn KeyProvider>,
    /// Who wrapped what has not been moved to the provider yet.
    before: Option<Arc<dyn KeyProvider>>,
    open: Mutex<BTreeMap<Uuid, DataKey>>,
}

/// A data key that was unwrapped.
#[derive(Clone)]
pub(crate) struct DataKey {
    pub(crate) id: Uuid,
    pub(crate) tenant: TenantId,
    pub(crate) secret: Secret,
}

/// A data key as people are told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataKeyRow {
    /// Its id, which stands in the header of whatever it sealed.
    pub id: Uuid,
    /// Whose it is.
    pub tenant: TenantId,
    /// The provider that wraps it.
    pub provider: String,
    /// The provider's key that wraps it.
    pub master: String,
    /// When it was made, in RFC 3339.
    pub created_at: String,
    /// Whether it is the one that seals; the others only open.
    pub is_active: bool,
}

/// A data key's file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    version: u8,
    id: Uuid,
    tenant: TenantId,
    provider: String,
    master: String,
    wrapped: String,
    created_at: String,
}

impl DataKeys {
    /// Opens the configured provider, tests it, and unwraps every data key: a master key that does not open one of
    /// them is refused before anything is served.
    ///
    /// With the settings of another provider, what that one has wrapped opens too, until it is wrapped again.
    pub(crate) fn open(
        folder: PathBuf,
        settings: &KeySettings,
        before: Option<&KeySettings>,
    ) -> Result<Self, ControlError> {
        let provider = provider::open(settings)?;
        let before = before.map(provider::open).transpose()?;
        let keys = Self { inner: Arc::new(Inner { folder, provider, before, open: Mutex::default() }) };
        for stored in keys.stored()? {
            keys.unwrap(&stored)?;
        }
        Ok(keys)
    }

    /// The key that seals for a tenant, and whether it was made just now.
    pub(crate) fn active(
        &self,
        tenant: TenantId,
        now: DateTime<Utc>,
    ) -> Result<(DataKey, bool), ControlError> {
        let newest =
            self.stored()?.into_iter().filter(|stored| stored.tenant == tenant).max_by_key(|key| key.id);
        match newest {
            Some(stored) => Ok((self.unwrap(&stored)?, false)),
            None => Ok((self.make(tenant, now)?, true)),
        }
    }

    /// Makes a further key for a tenant, which seals from now on.
    fn make(&self, tenant: TenantId, now: DateTime<Utc>) -> Result<DataKey, ControlError> {
        let key = self.draw(tenant, now)?;
        self.keep(&key, now)?;
        Ok(key)
    }

    /// A further key for a tenant, which seals nothing before it is kept.
    pub(crate) fn draw(&self, tenant: TenantId, now: DateTime<Utc>) -> Result<DataKey, ControlError> {
        Ok(DataKey { id: fresh::uuid(now)?, tenant, secret: Zeroizing::new(fresh::bytes()?) })
    }

    /// Keeps a key, which seals from now on.
    pub(crate) fn keep(&self, key: &DataKey, now: DateTime<Utc>) -> Result<(), ControlError> {
        let stored = self.wrap(key, timestamp(now))?;
        ensure_key_file(&self.path(key.id), || Ok(stored.to_text()))?;
        self.remember(key);
        Ok(())
    }

    /// The key of that id, also when another process has made it meanwhile.
    pub(crate) fn key(&self, id: Uuid) -> Result<DataKey, ControlError> {
        let open = self.inner.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = open.get(&id) {
            return Ok(key.clone());
        }
        drop(open);
        self.unwrap(&Stored::read(&self.path(id))?)
    }

    /// Every data key, by tenant and age.
    pub(crate) fn list(&self) -> Result<Vec<DataKeyRow>, ControlError> {
        let mut stored = self.stored()?;
        stored.sort_by_key(|key| (key.tenant, key.id));
        let newest: BTreeMap<TenantId, Uuid> = stored.iter().map(|key| (key.tenant, key.id)).collect();
        let row = |key: Stored| DataKeyRow {
            is_active: newest.get(&key.tenant) == Some(&key.id),
            id: key.id,
            tenant: key.tenant,
            provider: key.provider,
            master: key.master,
            created_at: key.created_at,
        };
        Ok(stored.into_iter().map(row).collect())
    }

    /// Wraps every data key by the provider's present master key; returns how many there are.
    pub(crate) fn wrap_again(&self) -> Result<u64, ControlError> {
        let mut wrapped = 0;
        for stored in self.stored()? {
            let again = self.wrap(&self.unwrap(&stored)?, stored.created_at.clone())?;
            replace_key_file(&self.path(stored.id), again.to_text().as_bytes())?;
            wrapped += 1;
        }
        Ok(wrapped)
    }

    /// Destroys a key that seals nothing any more.
    ///
    /// INVARIANT: the caller has seen that nothing is sealed under it.
    pub(crate) fn destroy(&self, id: Uuid) -> Result<(), ControlError> {
        let path = self.path(id);
        self.inner.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
        fs::remove_file(&path).map_err(failed("destroy the data key", &path))
    }

    /// The provider's name.
    pub(crate) fn provider(&self) -> &'static str {
        self.inner.provider.name()
    }

    /// The provider's present master key.
    pub(crate) fn master(&self) -> &str {
        self.inner.provider.master()
    }

    fn wrap(&self, key: &DataKey, created_at: String) -> Result<Stored, ControlError> {
        let provider = &self.inner.provider;
        let Wrapped { master, bytes } = provider.wrap(&key.secret, &context(key.id, key.tenant))?;
        let (id, tenant) = (key.id, key.tenant);
        let wrapped = BASE64.encode(bytes);
        Ok(Stored {
            version: 1,
            id,
            tenant,
            provider: provider.name().to_owned(),
            master,
            wrapped,
            created_at,
        })
    }

    fn unwrap(&self, stored: &Stored) -> Result<DataKey, ControlError> {
        if let Some(key) = self.inner.open.lock().unwrap_or_else(PoisonError::into_inner).get(&stored.id) {
            return Ok(key.clone());
        }
        let wrong = || KeyError::WrongMaster {
            data_key: stored.id.to_string(),
            provider: stored.provider.clone(),
            master: stored.master.clone(),
        };
        let bytes = BASE64.decode(&stored.wrapped).map_err(|_| wrong())?;
        let wrapped = Wrapped { master: stored.master.clone(), bytes };
        let providers = std::iter::once(&self.inner.provider).chain(&self.inner.before);
        let mut secret = None;
        for provider in providers.filter(|provider| provider.name() == stored.provider) {
            match provider.unwrap(&wrapped, &context(stored.id, stored.tenant)) {
                Ok(opened) => secret = Some(opened),
                // Another key of the same kind of provider has wrapped it.
                Err(KeyError::SelfTest { .. }) => continue,
                Err(error) => return Err(error.into()),
            }
            break;
        }
        let secret = secret.ok_or_else(wrong)?;
        let key = DataKey { id: stored.id, tenant: stored.tenant, secret };
        self.remember(&key);
        Ok(key)
    }

    fn remember(&self, key: &DataKey) {
        self.inner.open.lock().unwrap_or_else(PoisonError::into_inner).insert(key.id, key.clone());
    }

    fn stored(&self) -> Result<Vec<Stored>, ControlError> {
        let folder = &self.inner.folder;
        let entries = match fs::read_dir(folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(failed("list the data keys", folder))?,
        };
        let mut stored = Vec::new();
        for entry in entries {
            let path = entry.map_err(failed("list the data keys", folder))?.path();
            if path.extension().is_some_and(|suffix| suffix == SUFFIX) {
                stored.push(Stored::read(&path)?);
            }
        }
        Ok(stored)
    }

    fn path(&self, id: Uuid) -> PathBuf {
        self.inner.folder.join(format!("{id}.{SUFFIX}"))
    }
}

impl Stored {
    fn read(path: &Path) -> Result<Self, ControlError> {
        let unusable = |reason| KeyError::Unusable { what: "data key", path: path.to_owned(), reason };
        let text = fs::read(path).map_err(failed("read the data key", path))?;
        let stored: Self = serde_json::from_slice(&text)
            .map_err(|_| unusable("it is not of the form that this program writes"))?;
        let is_named = path.file_stem().is_some_and(|stem| stem.to_string_lossy() == stored.id.to_string());
        if stored.version != 1 || !is_named {
            return Err(unusable("it belongs to another file name or another version").into());
        }
        Ok(stored)
    }

    fn to_text(&self) -> String {
        // INVARIANT: a struct of texts is always JSON.
        serde_json::to_string_pretty(self).expect("texts are JSON")
    }
}

/// What a wrapped data key is bound to.
fn context(id: Uuid, tenant: TenantId) -> Vec<u8> {
    format!("cairn/data-key/1\n{tenant}\n{id}\n").into_bytes()
}

fn failed(step: &'static str, path: &Path) -> impl FnOnce(io::Error) -> ControlError {
    let path = path.to_owned();
    move |source| ControlError::File { step, path, source }
}

impl fmt::Debug for DataKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DataKeys").field("provider", &self.inner.provider).finish_non_exhaustive()
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DataKey").field("id", &self.id).finish_non_exhaustive()
    }
}
