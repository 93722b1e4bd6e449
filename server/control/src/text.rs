//! Texts from outside: how long they may be.

use crate::error::ControlError;

/// Refuses an empty text, and one of more than `max` characters.
pub(crate) fn require_text(what: &'static str, text: &str, max: usize) -> Result<(), ControlError> {
    let fits = !text.trim().is_empty() && text.chars().count() <= max;
    fits.then_some(()).ok_or(ControlError::InvalidText { what, max })
}

/// The first `max` characters. What a stranger sent has to fit into a ledger entry.
pub(crate) fn shortened(text: &str, max: usize) -> String {
    text.chars().take(max).collect()
}
