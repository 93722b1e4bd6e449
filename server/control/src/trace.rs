//! The id that joins one request's log lines, spans and ledger events.

use std::fmt;
use std::str::FromStr;

use crate::error::ControlError;
use crate::fresh;

/// A W3C trace id: 32 lower-case hexadecimal digits, not all zero.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TraceId(String);

/// A text that is no trace id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a trace id is 32 lower-case hexadecimal digits, not all zero")]
pub struct InvalidTraceId;

impl TraceId {
    /// A new trace, for a request or a command that came without one.
    ///
    /// # Errors
    /// [`ControlError::Entropy`] when the machine gives no randomness.
    pub fn random() -> Result<Self, ControlError> {
        Ok(Self(format!("{:032x}", u128::from_be_bytes(fresh::bytes()?).max(1))))
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TraceId {
    type Err = InvalidTraceId;

    fn from_str(text: &str) -> Result<Self, InvalidTraceId> {
        let plain = text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
        let zero = text.bytes().all(|byte| byte == b'0');
        if plain && !zero && text.len() == 32 { Ok(Self(text.to_owned())) } else { Err(InvalidTraceId) }
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, valid: bool) {
        assert_eq!(text.parse::<TraceId>().is_ok(), valid, "{text:?}");
    }

    #[test]
    fn a_trace_id_is_what_the_header_carries() {
        // Source: the example of W3C Trace Context, section 3.2.
        check("4bf92f3577b34da6a3ce929d0e0e4736", true);
        check("4BF92F3577B34DA6A3CE929D0E0E4736", false);
        check("00000000000000000000000000000000", false);
        check("4bf92f3577b34da6a3ce929d0e0e473", false);
        check("", false);
    }

    #[test]
    fn a_random_trace_id_is_a_trace_id() {
        let trace = TraceId::random().expect("the machine has randomness");
        check(trace.as_str(), true);
    }
}
