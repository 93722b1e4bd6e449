//! A private Ed25519 key as one file that only its owner can read.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey, EncodePrivateKey, KeypairBytes};

use crate::error::ControlError;
use crate::fresh;
use crate::ledger::hex;
use crate::store::private_folder;

/// Opens `<folder>/<name>`, and makes it at first start.
pub(crate) fn open_or_create(folder: &Path, name: &str) -> Result<SigningKey, ControlError> {
    let path = folder.join(name);
    if !path.exists() {
        private_folder(folder)?;
        create(&path)?;
    }
    let pem = fs::read_to_string(&path).map_err(failed("read the key", &path))?;
    SigningKey::from_pkcs8_pem(&pem).map_err(|_| ControlError::KeyFile { path })
}

/// Makes the key file, whole or not at all: of two processes that start together, the second finds the
/// first one's file and leaves it.
fn create(path: &Path) -> Result<(), ControlError> {
    let step = "make the key";
    let secret = KeypairBytes { secret_key: fresh::bytes()?, public_key: None };
    let pem =
        secret.to_pkcs8_pem(LineEnding::LF).map_err(|_| ControlError::KeyFile { path: path.to_owned() })?;
    let draft = path.with_extension(hex(&fresh::bytes::<8>()?));
    write_private(&draft, pem.as_bytes()).map_err(failed(step, &draft))?;
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft).map_err(failed(step, &draft))?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(failed(step, path)(error)),
        _ => Ok(()),
    }
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

fn failed(step: &'static str, path: &Path) -> impl FnOnce(io::Error) -> ControlError {
    let path = path.to_owned();
    move |source| ControlError::File { step, path, source }
}
