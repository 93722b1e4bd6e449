//! What can go wrong while marts are made.

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
    /// A test of the mart found rows.
    #[error(
        "mart `{mart}` failed its test `{test}`: {rows} rows; the former snapshot stays current. Look at them with: {query}"
    )]
    Test {
        /// The mart.
        mart: String,
        /// The test in words.
        test: String,
        /// How many rows failed.
        rows: u64,
        /// The query that shows them.
        query: String,
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
