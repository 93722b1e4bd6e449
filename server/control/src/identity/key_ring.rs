//! The keys that sign tokens, and those that have signed some which still hold. Another key comes into use while the
//! program runs, in every process: each looks again after two seconds at the latest.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};

use chrono::{DateTime, TimeDelta, Utc};

use crate::actor::Actor;
use crate::control::Control;
use crate::error::{ControlError, corrupt, key_file, storage};
use crate::identity::signing_key::{ALGORITHM, PublicKey, SigningKey, file_name};
use crate::identity::token::LEEWAY;
use crate::instant::{parse_timestamp, timestamp};
use crate::ledger::{AuditAction, Event, Resource};
use crate::store::{Connection, Store, SystemTx};

const LOOKED_AT_EVERY: TimeDelta = TimeDelta::seconds(2);

/// The file of the first key of a deployment.
const FIRST: &str = "signing.key";

/// What a key is for at present.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    /// It signs new tokens, and its tokens are accepted.
    Active,
    /// It signs nothing; its tokens are accepted until they end.
    Retiring,
    /// Nothing that it has signed is accepted.
    Retired,
}

impl KeyState {
    /// Its name in lists.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Retiring => "retiring",
            Self::Retired => "retired",
        }
    }
}

/// A key that signs tokens, as everybody may know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenKey {
    /// Its name in tokens.
    pub kid: String,
    /// Its public half, an Ed25519 point.
    pub public_key: [u8; 32],
    /// Since when it is known.
    pub created_at: DateTime<Utc>,
    /// Until when its tokens are accepted; `None` while it signs.
    pub accepted_until: Option<DateTime<Utc>>,
}

impl TokenKey {
    /// What it is for at an instant.
    #[must_use]
    pub fn state(&self, now: DateTime<Utc>) -> KeyState {
        match self.accepted_until {
            None => KeyState::Active,
            Some(until) if now < until => KeyState::Retiring,
            Some(_) => KeyState::Retired,
        }
    }
}

/// The keys of one process.
#[derive(Debug)]
pub(crate) struct KeyRing {
    folder: PathBuf,
    held: RwLock<Keys>,
}

/// The keys as they were at one instant. Cloning them is cheap.
#[derive(Debug, Clone)]
pub(crate) struct Keys {
    signing: Arc<SigningKey>,
    known: Arc<[(TokenKey, PublicKey)]>,
    read_at: DateTime<Utc>,
}

impl Keys {
    pub(crate) fn signing(&self) -> &SigningKey {
        &self.signing
    }

    /// The key of a name, if what it has signed is still accepted.
    pub(crate) fn public(&self, kid: &str, now: DateTime<Utc>) -> Option<PublicKey> {
        let (key, public) = self.known.iter().find(|(key, _)| key.kid == kid)?;
        (key.state(now) != KeyState::Retired).then_some(*public)
    }
}

impl KeyRing {
    /// Opens the keys below `folder`, and makes the first one at first start.
    pub(crate) async fn open(store: &Store, folder: &Path, now: DateTime<Utc>) -> Result<Self, ControlError> {
        let known = known_keys(&mut *store.system().view().await?).await?;
        let signing = match newest(folder, &known)? {
            Some(key) => key,
            None => first_key(store, folder, &known, now).await?,
        };
        let known = known_keys(&mut *store.system().view().await?).await?;
        let held = Keys { signing: Arc::new(signing), known: known.into(), read_at: now };
        Ok(Self { folder: folder.to_owned(), held: RwLock::new(held) })
    }

    /// The keys as they are now, give or take two seconds.
    pub(crate) async fn keys(&self, store: &Store, now: DateTime<Utc>) -> Result<Keys, ControlError> {
        let held = self.held();
        let age = now - held.read_at;
        if age >= TimeDelta::zero() && age < LOOKED_AT_EVERY { Ok(held) } else { self.look(store, now).await }
    }

    async fn look(&self, store: &Store, now: DateTime<Utc>) -> Result<Keys, ControlError> {
        let known = known_keys(&mut *store.system().view().await?).await?;
        let held = self.held();
        let wanted = known.iter().rev().find(|(key, _)| key.accepted_until.is_none());
        let signing = match wanted {
            Some((key, _)) if key.kid != held.signing.kid() => match private_half(&self.folder, &key.kid)? {
                Some(key) => Arc::new(key),
                None => held.signing,
            },
            _ => held.signing,
        };
        let keys = Keys { signing, known: known.into(), read_at: now };
        *self.held.write().expect("nobody panics while holding the keys") = keys.clone();
        Ok(keys)
    }

    fn held(&self) -> Keys {
        self.held.read().expect("nobody panics while holding the keys").clone()
    }
}

impl Control {
    /// The keys that have signed tokens here, oldest first.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn token_keys(&self) -> Result<Vec<TokenKey>, ControlError> {
        let known = known_keys(&mut *self.store().system().view().await?).await?;
        Ok(known.into_iter().map(|(key, _)| key).collect())
    }

    /// Brings another key into use. What earlier ones have signed is accepted until it ends; when one of them is
    /// `compromised`, nothing of it is from now on, so that everybody gets new tokens. Sessions go on. For the
    /// operator.
    ///
    /// # Errors
    /// [`ControlError::Denied`] for an account.
    pub async fn rotate_token_key(&self, actor: &Actor, compromised: bool) -> Result<TokenKey, ControlError> {
        actor.require_operator()?;
        let (ring, now) = (self.key_ring(), self.clock().now());
        let key = SigningKey::create(&ring.folder)?;
        let lifetimes = self.lifetimes();
        let last = now + lifetimes.http.max(lifetimes.flight) + LEEWAY;
        let mut tx = self.store().system().begin().await?;
        let retired = retire_others(&mut tx, if compromised { now } else { last }).await?;
        insert(&mut tx, &key, now).await?;
        let mut recorded = tx.record(registered(actor, &key)).await?;
        for kid in &retired {
            let event = Event::success(
                AuditAction::SigningKeyRetired,
                actor,
                Resource::new("signing_key", kid.as_str()),
            );
            recorded = recorded.and(event.with("compromised", compromised)).await?;
        }
        recorded.commit().await?;
        for kid in &retired {
            remove_private_half(&ring.folder, kid)?;
        }
        ring.look(self.store(), now).await?;
        Ok(TokenKey {
            kid: key.kid().to_owned(),
            public_key: key.public().to_bytes(),
            created_at: now,
            accepted_until: None,
        })
    }
}

/// The newest key that signs and whose private half is here.
fn newest(folder: &Path, known: &[(TokenKey, PublicKey)]) -> Result<Option<SigningKey>, ControlError> {
    for (key, _) in known.iter().rev().filter(|(key, _)| key.accepted_until.is_none()) {
        if let Some(key) = private_half(folder, &key.kid)? {
            return Ok(Some(key));
        }
    }
    Ok(None)
}

/// The key that a deployment begins with, or goes on with after it has lost the others: those sign no more.
async fn first_key(
    store: &Store,
    folder: &Path,
    known: &[(TokenKey, PublicKey)],
    now: DateTime<Utc>,
) -> Result<SigningKey, ControlError> {
    let mut key = SigningKey::open(&folder.join(FIRST))?;
    if known.iter().any(|(known, _)| known.kid == key.kid() && known.accepted_until.is_some()) {
        key = SigningKey::create(folder)?;
    }
    let mut tx = store.system().begin().await?;
    let listed = known_keys(tx.connection()).await?;
    if listed.iter().any(|(listed, _)| listed.kid == key.kid()) {
        // Another process that started together with this one was quicker.
        return Ok(key);
    }
    retire_others(&mut tx, now).await?;
    insert(&mut tx, &key, now).await?;
    tx.record(registered(&Actor::System, &key)).await?.commit().await?;
    Ok(key)
}

fn private_half(folder: &Path, kid: &str) -> Result<Option<SigningKey>, ControlError> {
    for path in [folder.join(file_name(kid)), folder.join(FIRST)] {
        if path.exists() {
            let key = SigningKey::open(&path)?;
            if key.kid() == kid {
                return Ok(Some(key));
            }
        }
    }
    Ok(None)
}

/// What signs no more need not be kept.
fn remove_private_half(folder: &Path, kid: &str) -> Result<(), ControlError> {
    for path in [folder.join(file_name(kid)), folder.join(FIRST)] {
        if path.exists() && SigningKey::open(&path)?.kid() == kid {
            fs::remove_file(&path).map_err(key_file("remove the key", &path))?;
        }
    }
    Ok(())
}

/// Oldest first.
async fn known_keys(connection: &mut Connection) -> Result<Vec<(TokenKey, PublicKey)>, ControlError> {
    let rows: Vec<(String, String, String, Option<String>)> = sqlx::query_as(
        "SELECT kid, public_key, created_at, accepted_until FROM signing_keys ORDER BY created_at, kid",
    )
    .fetch_all(connection)
    .await
    .map_err(storage("read the signing keys"))?;
    let read = |(kid, public, created, until): (String, String, String, Option<String>)| {
        let instant = |text: &str| parse_timestamp(text).ok_or(()).map_err(corrupt("time"));
        let public = PublicKey::from_hex(&public).ok_or(()).map_err(corrupt("public key"))?;
        let key = TokenKey {
            kid,
            public_key: public.to_bytes(),
            created_at: instant(&created)?,
            accepted_until: until.as_deref().map(instant).transpose()?,
        };
        Ok((key, public))
    };
    rows.into_iter().map(read).collect()
}

/// Lets every key that signs sign no more; their names.
async fn retire_others(tx: &mut SystemTx, until: DateTime<Utc>) -> Result<Vec<String>, ControlError> {
    const STEP: &str = "retire the signing keys";
    let signing: Vec<String> =
        sqlx::query_scalar("SELECT kid FROM signing_keys WHERE accepted_until IS NULL ORDER BY kid")
            .fetch_all(tx.connection())
            .await
            .map_err(storage(STEP))?;
    // A compromised key's predecessor may still be on its way out: it goes at once, too.
    sqlx::query(
        "UPDATE signing_keys SET accepted_until = $1 WHERE accepted_until IS NULL OR accepted_until > $1",
    )
    .bind(timestamp(until))
    .execute(tx.connection())
    .await
    .map_err(storage(STEP))?;
    Ok(signing)
}

async fn insert(tx: &mut SystemTx, key: &SigningKey, now: DateTime<Utc>) -> Result<(), ControlError> {
    sqlx::query("INSERT INTO signing_keys (kid, algorithm, public_key, created_at) VALUES ($1, $2, $3, $4)")
        .bind(key.kid())
        .bind(ALGORITHM)
        .bind(key.public().to_hex())
        .bind(timestamp(now))
        .execute(tx.connection())
        .await
        .map(|_| ())
        .map_err(storage("register the signing key"))
}

fn registered(actor: &Actor, key: &SigningKey) -> Event {
    let resource = Resource::new("signing_key", key.kid());
    Event::success(AuditAction::SigningKeyRegistered, actor, resource)
        .with("public_key", key.public().to_hex())
}
