//! Everything that can go wrong in the program, with its causes.

use control::ControlError;

/// The result of an operation of the program.
pub type Result<T, E = Failure> = std::result::Result<T, E>;

/// A failure of the program. Each edge translates it once: `http/problem.rs` and `cli.rs`.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The control plane refused or failed.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// The warehouse refused or failed.
    #[error(transparent)]
    Warehouse(#[from] warehouse::Error),
    /// A mart could not be built.
    #[error(transparent)]
    Marts(#[from] marts::Error),
    /// What is published could not be read.
    #[error(transparent)]
    Published(#[from] flight::published::PublishedError),
    /// A query has no answer.
    #[error(transparent)]
    Query(#[from] flight::QueryError),
    /// A study could not be simulated.
    #[error(transparent)]
    Simulate(#[from] evidence::simulate::SimulateError),
    /// Arrow refused a conversion.
    #[error("failed to {step}")]
    Arrow {
        /// What was being done.
        step: &'static str,
        /// The library's word.
        #[source]
        source: arrow::error::ArrowError,
    },
    /// The operating system refused.
    #[error("failed to {step}")]
    Io {
        /// What was being done.
        step: String,
        /// The system's word.
        #[source]
        source: std::io::Error,
    },
    /// The Flight server failed.
    #[error("the Flight server failed")]
    Transport(#[from] flight::TransportError),
    /// A thread of work ended without a result.
    #[error("a piece of work ended without a result: {0}")]
    Lost(String),
    /// What was asked for is not there, or not this account's.
    #[error("there is no such thing for this account: {0}")]
    NotThere(String),
    /// A command has found something; its exit code says what.
    #[error("{text}")]
    Verdict {
        /// The exit code.
        code: u8,
        /// What was found.
        text: String,
    },
    /// What was asked for makes no sense.
    #[error("{0}")]
    Usage(String),
}

impl Failure {
    /// An error of the operating system while doing `step`.
    pub fn io(step: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let step = step.into();
        move |source| Self::Io { step, source }
    }

    /// Whether the sender can mend it.
    #[must_use]
    pub const fn is_refusal(&self) -> bool {
        match self {
            Self::Warehouse(error) => error.is_refusal(),
            Self::Marts(error) => error.is_refusal(),
            Self::Query(error) => error.is_refusal(),
            Self::Usage(_) => true,
            _ => false,
        }
    }

    /// The program's exit code: 2 is what the sender can mend, as for a wrong argument.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Verdict { code, .. } => *code,
            _ if self.is_refusal() => 2,
            _ => 1,
        }
    }

    /// The failure without any value of the data, for records that may hold none.
    #[must_use]
    pub fn without_values(&self) -> String {
        match self {
            Self::Warehouse(error) => error.without_values(),
            _ => self.chain(),
        }
    }

    /// The failure and its causes, outermost first.
    #[must_use]
    pub fn chain(&self) -> String {
        let mut texts = vec![self.to_string()];
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            let text = error.to_string();
            if texts.last() != Some(&text) {
                texts.push(text);
            }
            cause = error.source();
        }
        texts.join(": ")
    }
}
