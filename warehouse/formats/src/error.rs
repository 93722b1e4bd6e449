//! What can be wrong with a file. Each message names the file and the place in it.

use std::io;
use std::path::Path;

/// The result of reading or writing a file.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A file that cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operating system refused.
    #[error("failed to {step} `{file}`")]
    Io {
        /// What was being done.
        step: &'static str,
        /// The file, without the folder it stands in.
        file: String,
        /// The system's word.
        #[source]
        source: io::Error,
    },
    /// It has no bytes.
    #[error("file `{file}` is empty: it has no bytes; send it again")]
    EmptyFile {
        /// The file.
        file: String,
    },
    /// Its first bytes are of no format that is read.
    #[error("file `{file}` is in no known format: {known} are read")]
    UnknownFormat {
        /// The file.
        file: String,
        /// The formats that are read.
        known: String,
    },
    /// It is damaged.
    #[error("file `{file}` cannot be read as {format}: {reason}")]
    Damaged {
        /// The file.
        file: String,
        /// The format that its first bytes promise.
        format: &'static str,
        /// What is wrong and where.
        reason: String,
    },
    /// What is to be written does not fit its format.
    #[error("file `{file}` cannot be written as {format}: {reason}")]
    Unwritable {
        /// The file.
        file: String,
        /// The format that is written.
        format: &'static str,
        /// What does not fit and where.
        reason: String,
    },
    /// An Arrow kernel refused.
    #[error("failed to {step}")]
    Arrow {
        /// What was being computed.
        step: &'static str,
        /// The library's word.
        #[source]
        source: arrow::error::ArrowError,
    },
}

impl Error {
    /// Whether the file is at fault, which its sender can mend.
    #[must_use]
    pub const fn is_refusal(&self) -> bool {
        matches!(self, Self::EmptyFile { .. } | Self::UnknownFormat { .. } | Self::Damaged { .. })
    }

    pub(crate) fn io(step: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io { step, file: file_name(path), source }
    }

    pub(crate) fn arrow(step: &'static str) -> impl FnOnce(arrow::error::ArrowError) -> Self {
        move |source| Self::Arrow { step, source }
    }

    pub(crate) fn damaged(file: &str, format: &'static str, reason: impl Into<String>) -> Self {
        Self::Damaged { file: file.to_owned(), format, reason: reason.into() }
    }
}

// A message of a writer names the file as a message of a reader does.
impl Error {
    pub(crate) fn unwritable(file: &str, format: &'static str, reason: impl Into<String>) -> Self {
        Self::Unwritable { file: file.to_owned(), format, reason: reason.into() }
    }
}

/// A path's last part: messages never tell a machine's folders.
pub(crate) fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}
