//! Which provider holds the master key.

use std::path::PathBuf;

/// Where the master key is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySettings {
    /// In a file.
    File(FileKeySettings),
    /// In the transit engine of HashiCorp Vault, or of a server that speaks its protocol.
    Vault(VaultSettings),
    /// In a token that speaks PKCS#11.
    Pkcs11(Pkcs11Settings),
}

/// A master key in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileKeySettings {
    /// The file.
    pub path: PathBuf,
    /// A file with the passphrase under which it is sealed; without one it holds the keys as they are.
    pub passphrase_file: Option<PathBuf>,
    /// Whether a missing file is made, as at the first start of a data folder.
    pub make: bool,
}

/// A master key in Vault's transit engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VaultSettings {
    /// Its address, `https://host:port`.
    pub address: String,
    /// Where the transit engine is mounted.
    pub mount: String,
    /// The name of the key, of type `aes256-gcm96`.
    pub key: String,
    /// A file with a token that may encrypt and decrypt with it.
    pub token_file: PathBuf,
    /// A file with the certificates to trust, in PEM; without one those of the system.
    pub ca_file: Option<PathBuf>,
}

/// A master key in a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pkcs11Settings {
    /// The library of the token's maker.
    pub module: PathBuf,
    /// The token's label.
    pub token: String,
    /// The label of the AES-256 key in it.
    pub key: String,
    /// A file with the user's PIN.
    pub pin_file: PathBuf,
}
