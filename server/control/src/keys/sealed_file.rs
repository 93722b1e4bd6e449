//! Master keys in a file: one line each, the first wraps, the others only open what they wrapped before.
//!
//! ```text
//! cairn-master-key/1 plain
//! 01990000-0000-7000-8000-000000000000 <64 hexadecimal digits>
//! ```
//!
//! With a passphrase, the first line is `cairn-master-key/1 argon2id <salt>` and what follows an id is the key under
//! AES-256-GCM, nonce first.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use argon2::{Algorithm, Argon2, Params, Version};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::envelope::Secret;
use super::error::KeyError;
use super::provider::{KeyProvider, Wrapped};
use super::settings::FileKeySettings;
use crate::fresh;
use crate::identity::ensure_key_file;
use crate::identity::sealed::{self, NONCE_BYTES};
use crate::ledger::hex;

const WHAT: &str = "master key";
const MAGIC: &str = "cairn-master-key/1";
const MAX_BYTES: u64 = 64 * 1024;
/// OWASP's second choice for argon2id: 19 MiB, two passes.
const COST: (u32, u32, u32) = (19_456, 2, 1);

/// Master keys that were read from a file.
#[derive(Debug)]
pub(super) struct SealedFile {
    keys: Vec<MasterKey>,
}

struct MasterKey {
    id: String,
    secret: Secret,
}

impl SealedFile {
    pub(super) fn open(settings: &FileKeySettings) -> Result<Self, KeyError> {
        let path = settings.path.as_path();
        let passphrase = settings.passphrase_file.as_deref().map(read_passphrase).transpose()?;
        if settings.make && !path.exists() {
            let make = || write(passphrase.as_deref().map(Vec::as_slice));
            ensure_key_file(path, make).map_err(|_| KeyError::unusable(WHAT, path, "it cannot be made"))?;
        }
        let text = read_private(WHAT, path)?;
        let text = std::str::from_utf8(&text).map_err(|_| {
            KeyError::unusable(WHAT, path, "it is not text of the form that this program writes")
        })?;
        let keys = parse(text, passphrase.as_deref().map(Vec::as_slice), path)?;
        Ok(Self { keys })
    }
}

impl KeyProvider for SealedFile {
    fn name(&self) -> &'static str {
        "file"
    }

    fn master(&self) -> &str {
        // INVARIANT: a file without keys was refused.
        &self.keys.first().expect("there is a key").id
    }

    fn wrap(&self, key: &Secret, context: &[u8]) -> Result<Wrapped, KeyError> {
        let master = self.keys.first().expect("there is a key");
        let failed = |reason| KeyError::SelfTest { id: master.id.clone(), reason };
        let (nonce, sealed) = sealed::seal(&master.secret, key.as_slice(), context)
            .map_err(|_| failed("the machine gives no randomness"))?;
        Ok(Wrapped { master: master.id.clone(), bytes: [nonce.as_slice(), &sealed].concat() })
    }

    fn unwrap(&self, wrapped: &Wrapped, context: &[u8]) -> Result<Secret, KeyError> {
        let failed =
            || KeyError::SelfTest { id: wrapped.master.clone(), reason: "it does not open what it wrapped" };
        let master = self.keys.iter().find(|key| key.id == wrapped.master).ok_or_else(failed)?;
        open_key(&master.secret, &wrapped.bytes, context).ok_or_else(failed)
    }
}

/// A new file's text.
fn write(passphrase: Option<&[u8]>) -> Result<Zeroizing<String>, crate::error::ControlError> {
    let (id, secret): (Uuid, Secret) = (fresh::random_uuid()?, Zeroizing::new(fresh::bytes()?));
    let Some(passphrase) = passphrase else {
        return Ok(Zeroizing::new(format!("{MAGIC} plain\n{id} {}\n", hex(secret.as_slice()))));
    };
    let salt: [u8; 16] = fresh::bytes()?;
    let under = derive(passphrase, &salt)?;
    let (nonce, sealed) = sealed::seal(&under, secret.as_slice(), id.as_bytes())?;
    let sealed = hex(&[nonce.as_slice(), &sealed].concat());
    Ok(Zeroizing::new(format!("{MAGIC} argon2id {}\n{id} {sealed}\n", hex(&salt))))
}

fn derive(passphrase: &[u8], salt: &[u8]) -> Result<Secret, crate::error::ControlError> {
    let (memory, passes, lanes) = COST;
    let failed =
        |error: argon2::Error| crate::error::ControlError::Hashing { source: error.to_string().into() };
    let params = Params::new(memory, passes, lanes, Some(32)).map_err(failed)?;
    let mut key: Secret = Zeroizing::new([0; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase, salt, key.as_mut_slice())
        .map_err(failed)?;
    Ok(key)
}

fn open_key(under: &Secret, bytes: &[u8], context: &[u8]) -> Option<Secret> {
    let (nonce, sealed) = bytes.split_at_checked(NONCE_BYTES)?;
    let plain = sealed::open(under, (nonce, sealed), context).map(Zeroizing::new);
    plain?.as_slice().try_into().ok().map(Zeroizing::new)
}

fn parse(text: &str, passphrase: Option<&[u8]>, path: &Path) -> Result<Vec<MasterKey>, KeyError> {
    let unusable = |reason| KeyError::unusable(WHAT, path, reason);
    let mut lines = text.lines();
    let mut header = lines.next().unwrap_or_default().split(' ');
    if header.next() != Some(MAGIC) {
        return Err(unusable("its first line is not one that this program writes"));
    }
    let under = match (header.next(), header.next(), passphrase) {
        (Some("plain"), None, None) => None,
        (Some("plain"), None, Some(_)) => {
            return Err(KeyError::Passphrase {
                path: path.to_owned(),
                state: "is not sealed with a passphrase, and one was given",
                remedy: "start without it, or with the file that it seals",
            });
        }
        (Some("argon2id"), Some(_), None) => {
            return Err(KeyError::Passphrase {
                path: path.to_owned(),
                state: "is sealed with a passphrase",
                remedy: "name a file that holds it in CAIRN_KEY_PASSPHRASE_FILE",
            });
        }
        (Some("argon2id"), Some(salt), Some(passphrase)) => {
            let salt: [u8; 16] = bytes_of(salt).ok_or_else(|| unusable("its salt is damaged"))?;
            Some(derive(passphrase, &salt).map_err(|_| unusable("its passphrase cannot be tried"))?)
        }
        _ => return Err(unusable("its first line is not one that this program writes")),
    };
    let mut ids = BTreeSet::new();
    let mut keys = Vec::new();
    for line in lines.filter(|line| !line.is_empty()) {
        let (id, digits) = line.split_once(' ').ok_or_else(|| unusable("a line lacks the id or the key"))?;
        let parsed = Uuid::parse_str(id).map_err(|_| unusable("the id of a key is none"))?;
        if !ids.insert(id) {
            return Err(unusable("two keys have one id"));
        }
        let secret = match &under {
            None => Zeroizing::new(
                bytes_of(digits).ok_or_else(|| unusable("a key has not 64 hexadecimal digits"))?,
            ),
            Some(under) => {
                let sealed: [u8; NONCE_BYTES + 48] =
                    bytes_of(digits).ok_or_else(|| unusable("a sealed key is cut off"))?;
                open_key(under, &sealed, parsed.as_bytes())
                    .ok_or_else(|| unusable("the passphrase does not open it, or it is damaged"))?
            }
        };
        if is_weak(&secret) {
            return Err(unusable("a key has no randomness in it"));
        }
        keys.push(MasterKey { id: id.to_owned(), secret });
    }
    if keys.is_empty() { Err(unusable("there is no key in it")) } else { Ok(keys) }
}

/// Fewer than 16 different bytes in 32: of random keys, fewer than one in 10^13.
fn is_weak(key: &Secret) -> bool {
    key.iter().collect::<BTreeSet<_>>().len() < 16
}

fn bytes_of<const N: usize>(digits: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    let is_whole = digits.len() == 2 * N && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    if !is_whole {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

fn read_passphrase(path: &Path) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let bytes = read_private("passphrase", path)?;
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.len() < 15 {
        return Err(KeyError::unusable("passphrase", path, "its first line is shorter than 15 characters"));
    }
    Ok(Zeroizing::new(line.to_vec()))
}

/// A file that only its owner may read.
pub(crate) fn read_private(what: &'static str, path: &Path) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let metadata = fs::metadata(path).map_err(KeyError::unreadable(what, path))?;
    if !metadata.is_file() || metadata.len() > MAX_BYTES {
        return Err(KeyError::unusable(what, path, "it is no file of that kind"));
    }
    #[cfg(unix)]
    if std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o077 != 0 {
        return Err(KeyError::Exposed { path: path.to_owned() });
    }
    fs::read(path).map(Zeroizing::new).map_err(KeyError::unreadable(what, path))
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MasterKey").field("id", &self.id).finish_non_exhaustive()
    }
}
