//! Files that hold a secret: made once, whole, and for their owner alone.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey, EncodePrivateKey, KeypairBytes};

use crate::error::{ControlError, key_file};
use crate::fresh;
use crate::ledger::hex;
use crate::store::private_folder;

/// Makes the key file, unless there is one, whole or not at all: of two processes that start together, the
/// second finds the first one's file and leaves it.
pub(crate) fn ensure_key_file<S: AsRef<[u8]>>(
    path: &Path,
    make: impl FnOnce() -> Result<S, ControlError>,
) -> Result<(), ControlError> {
    const STEP: &str = "make the key";
    if path.exists() {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        private_folder(folder)?;
    }
    let draft = path.with_extension(hex(&fresh::bytes::<8>()?));
    write_private(&draft, make()?.as_ref()).map_err(key_file(STEP, &draft))?;
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft).map_err(key_file(STEP, &draft))?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(key_file(STEP, path)(error)),
        _ => Ok(()),
    }
}

/// Puts other content into a key file, whole or not at all.
pub(crate) fn replace_key_file(path: &Path, secret: &[u8]) -> Result<(), ControlError> {
    const STEP: &str = "replace the key";
    let draft = path.with_extension(hex(&fresh::bytes::<8>()?));
    write_private(&draft, secret).map_err(key_file(STEP, &draft))?;
    fs::rename(&draft, path).map_err(key_file(STEP, path))?;
    let folder = path.parent().unwrap_or(path);
    fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(key_file(STEP, folder))
}

/// Opens a private Ed25519 key, and makes it at first start.
pub(crate) fn open_key(path: &Path) -> Result<SigningKey, ControlError> {
    ensure_key_file(path, || private_pem(fresh::bytes()?, path))?;
    let pem = fs::read_to_string(path).map_err(key_file("read the key", path))?;
    SigningKey::from_pkcs8_pem(&pem).map_err(|_| ControlError::KeyFile { path: path.to_owned() })
}

/// The text of a private key's file.
pub(super) fn private_pem(
    secret_key: [u8; 32],
    path: &Path,
) -> Result<impl AsRef<[u8]> + use<>, ControlError> {
    let secret = KeypairBytes { secret_key, public_key: None };
    let pem =
        secret.to_pkcs8_pem(LineEnding::LF).map_err(|_| ControlError::KeyFile { path: path.to_owned() })?;
    Ok(pem.as_bytes().to_vec())
}

fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
