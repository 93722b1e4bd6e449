//! Where the master key is, and how it wraps the data keys. It never wraps anything else.

use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::envelope::Secret;
use super::error::KeyError;
use super::known_answer::aes_256_gcm_holds;
use super::pkcs11::Token;
use super::sealed_file::SealedFile;
use super::settings::KeySettings;
use super::vault::VaultTransit;
use crate::fresh;

/// A data key under the master key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wrapped {
    /// Which master key of the provider.
    pub(crate) master: String,
    pub(crate) bytes: Vec<u8>,
}

/// A holder of master keys. Calls may block, on a network or on a device.
pub(crate) trait KeyProvider: fmt::Debug + Send + Sync {
    /// Its name in settings and in the rows of data keys.
    fn name(&self) -> &'static str;

    /// The master key that wraps new data keys.
    fn master(&self) -> &str;

    /// Wraps a data key, bound to `context`.
    fn wrap(&self, key: &Secret, context: &[u8]) -> Result<Wrapped, KeyError>;

    /// Opens what [`KeyProvider::wrap`] made, under whichever master key it names.
    fn unwrap(&self, wrapped: &Wrapped, context: &[u8]) -> Result<Secret, KeyError>;
}

/// Opens the configured provider and tests it: what it wraps it also opens, for the same context and no other.
pub(crate) fn open(settings: &KeySettings) -> Result<Arc<dyn KeyProvider>, KeyError> {
    let provider: Arc<dyn KeyProvider> = match settings {
        KeySettings::File(settings) => Arc::new(SealedFile::open(settings)?),
        KeySettings::Vault(settings) => Arc::new(VaultTransit::open(settings)?),
        KeySettings::Pkcs11(settings) => Arc::new(Token::open(settings)?),
    };
    test(provider.as_ref())?;
    Ok(provider)
}

fn test(provider: &dyn KeyProvider) -> Result<(), KeyError> {
    let failed = |reason| KeyError::SelfTest { id: provider.master().to_owned(), reason };
    if !aes_256_gcm_holds() {
        return Err(failed("this machine computes AES-256-GCM wrongly"));
    }
    let key: Secret = Zeroizing::new(fresh::bytes().map_err(|_| failed("the machine gives no randomness"))?);
    let wrapped = provider.wrap(&key, b"cairn/self-test")?;
    if wrapped.bytes.windows(key.len()).any(|window| window == key.as_slice()) {
        return Err(failed("what it wrapped holds the key in the clear"));
    }
    if *provider.unwrap(&wrapped, b"cairn/self-test")? != *key {
        return Err(failed("what it wrapped opens as something else"));
    }
    if provider.unwrap(&wrapped, b"cairn/another").is_ok() {
        return Err(failed("what it wrapped opens in any context"));
    }
    Ok(())
}
