//! Something did not work.

use serde::{Deserialize, Serialize};

use super::Frame;

/// What an error page needs.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ErrorView {
    /// The frame, with or without a person.
    pub frame: Frame,
    /// The HTTP status.
    pub status: u16,
    /// What happened, in a few words.
    pub title: String,
    /// What happened, in a sentence.
    pub detail: String,
    /// What the reader can do.
    pub remedy: String,
    /// What to quote when asking for help; may be empty.
    pub trace_id: String,
}
