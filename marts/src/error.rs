//! What can go wrong while marts are made.

use warehouse::engine::Engine;

/// The result of building marts.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A failure of a mart; nothing of the build was published.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The warehouse refused.
    #[error("failed to build mart `{mart}`")]
    Build {
        /// The mart.
        mart: String,
        /// The warehouse's word.
        #[source]
        source: warehouse::Error,
    },
    /// A test of the mart found rows. They are kept with the run; the message holds no value of the data.
    #[error(
        "mart `{mart}` failed its test `{test}`: {rows} rows; nothing was published, and readers stay with the former \
         snapshot. `cairn marts history --last` shows the rows, `cairn marts lineage {place}` the files that they come from; \
         mend the file, deliver it again and build again"
    )]
    Test {
        /// The mart.
        mart: String,
        /// The test in words.
        test: String,
        /// How many rows failed.
        rows: u64,
        /// The mart, or the column that the test is about.
        place: String,
    },
    /// The build was told to stop.
    #[error("the build was cancelled: nothing was published, and readers stay with the former snapshot")]
    Cancelled,
    /// A selector means nothing.
    #[error("`{selector}` selects nothing: {reason}")]
    Selector {
        /// The selector.
        selector: String,
        /// Why, and what there is.
        reason: String,
    },
    /// A measure refused its numbers.
    #[error("mart `{mart}`: indicator `{indicator}` cannot be scored")]
    Measure {
        /// The mart.
        mart: String,
        /// The indicator.
        indicator: String,
        /// The measure's word.
        #[source]
        source: measures::MeasureError,
    },
    /// A definition shipped with the product is wrong; a test rules it out.
    #[error("the definition of mart `{mart}` is not usable: {reason}")]
    Definition {
        /// The mart.
        mart: String,
        /// What is wrong.
        reason: String,
    },
    /// What somebody changed of a definition cannot be used.
    #[error("the definition of `{id}` cannot be used: {reason}")]
    Change {
        /// The indicator or limit.
        id: String,
        /// What is wrong.
        reason: String,
    },
    /// A study's own file is not usable.
    #[error("settings file `{file}`: {reason}; it takes `fresh_within_days = 7`")]
    Settings {
        /// The file.
        file: String,
        /// What is wrong.
        reason: String,
    },
    /// The snapshot could not be opened or published.
    #[error("failed to {step}")]
    Snapshot {
        /// What was being done.
        step: &'static str,
        /// The warehouse's word.
        #[source]
        source: warehouse::Error,
    },
}

impl Error {
    /// Whether whoever asked can mend it by asking otherwise.
    #[must_use]
    pub const fn is_refusal(&self) -> bool {
        matches!(self, Self::Selector { .. } | Self::Settings { .. } | Self::Change { .. })
    }
}

/// Whether to go on making a mart: for functions that compute long between two questions, to be asked before each piece of
/// their work.
///
/// # Errors
/// [`Error::Build`] once the build was cancelled.
pub(crate) fn go_on(engine: &Engine, mart: &str) -> Result<()> {
    engine.go_on().map_err(|source| Error::Build { mart: mart.to_owned(), source })
}
