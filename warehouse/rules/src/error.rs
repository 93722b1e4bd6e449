//! What can go wrong before a rule runs. A rule that cannot run on given data is an answer, not an error: see
//! [`crate::Verdict`].

use std::path::PathBuf;

/// A rule, a pack or a study that was refused.
#[derive(Debug, thiserror::Error)]
pub enum RuleError {
    /// The text is not a rule.
    #[error("rule `{rule}` is malformed: {reason}")]
    Malformed {
        /// The rule's id, or `?` where the text has none.
        rule: String,
        /// What is wrong, and where.
        reason: String,
    },
    /// The rule is well formed, but asks for something that this engine does not have.
    #[error("rule `{rule}` cannot be executed: {reason}")]
    Unsupported {
        /// The rule's id.
        rule: String,
        /// The missing operator, operation, metadata or rule type.
        reason: String,
    },
    /// Two files of a pack hold rules with one id.
    #[error("rule `{rule}` stands in `{first}` and in `{second}`; remove one of them")]
    DuplicateId {
        /// The id.
        rule: String,
        /// The file that was read first.
        first: PathBuf,
        /// The file that repeats it.
        second: PathBuf,
    },
    /// A file or folder of a pack could not be read.
    #[error("failed to read `{path}`")]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A rule file is larger than any rule.
    #[error("`{path}` has {bytes} bytes, more than the {limit} a rule may have")]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// A folder of rules nests too deeply or holds too many files.
    #[error("`{path}` is more than a rule pack: {reason}")]
    TooMany {
        /// The folder or file at which reading stopped.
        path: PathBuf,
        /// The bound that was met.
        reason: String,
    },
    /// The columns of a dataset do not have one length, or a column was named that is not there.
    #[error("dataset `{dataset}` is not rectangular: {reason}")]
    Ragged {
        /// The dataset.
        dataset: String,
        /// The column and the lengths.
        reason: String,
    },
    /// A study has more distinct values than a 32-bit number can count.
    #[error("the study has more than {limit} distinct values")]
    TooManyValues {
        /// The limit.
        limit: u32,
    },
}
