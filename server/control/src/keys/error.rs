//! Why a key cannot be used. No message holds a key, a passphrase, a token or a PIN.

use std::io;
use std::path::{Path, PathBuf};

/// Why the master key cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// A file that holds a secret cannot be read.
    #[error("cannot read `{path}`: give the path of {what} that this process may read")]
    Unreadable {
        /// What it should hold.
        what: &'static str,
        /// Where.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// A file that holds a secret can be read by others.
    #[error(
        "`{path}` can be read by others than its owner: `chmod 600` it, and replace the secret if they may have"
    )]
    Exposed {
        /// Where.
        path: PathBuf,
    },
    /// A file does not hold what it should.
    #[error("`{path}` holds no usable {what}, {reason}: restore it from a copy")]
    Unusable {
        /// What it should hold.
        what: &'static str,
        /// Where.
        path: PathBuf,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The file is sealed with a passphrase, and none was given; or the other way round.
    #[error("`{path}` {state}: {remedy}")]
    Passphrase {
        /// Where.
        path: PathBuf,
        /// How the file is.
        state: &'static str,
        /// What to do.
        remedy: &'static str,
    },
    /// Values are found by an index whose key is not there.
    #[error(
        "the key by which addresses are found is missing from `control/keys/data`: put the file back from a copy of the keys"
    )]
    IndexKeyMissing,
    /// A setting that the chosen provider needs is missing or malformed.
    #[error("the key provider `{provider}` needs {what}: set {setting}")]
    Setting {
        /// The provider.
        provider: &'static str,
        /// What is needed.
        what: &'static str,
        /// The variable.
        setting: &'static str,
    },
    /// A service did not answer, or not as it should.
    #[error("{provider} at `{place}` cannot be used: {reason}")]
    Service {
        /// The provider.
        provider: &'static str,
        /// Its address or module.
        place: String,
        /// What went wrong.
        reason: String,
    },
    /// A key did not pass the test at the start.
    #[error("the master key `{id}` failed the test at the start: {reason}")]
    SelfTest {
        /// The master key's id.
        id: String,
        /// What was found.
        reason: &'static str,
    },
    /// A data key was wrapped by a master key that is not at hand.
    #[error(
        "the data key {data_key} was wrapped by the master key `{master}` of the provider `{provider}`, which does not open it: start with that provider and key, or restore them"
    )]
    WrongMaster {
        /// The data key.
        data_key: String,
        /// Its provider.
        provider: String,
        /// Its master key.
        master: String,
    },
}

impl KeyError {
    pub(super) fn unreadable(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Unreadable { what, path, source }
    }

    pub(super) fn unusable(what: &'static str, path: &Path, reason: &'static str) -> Self {
        Self::Unusable { what, path: path.to_owned(), reason }
    }
}
