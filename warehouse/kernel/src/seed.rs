//! Chance is an argument: whoever draws takes a [`Seed`].

use std::fmt;

use serde::{Deserialize, Serialize};

/// The start of a reproducible stream of random numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seed(pub u64);

impl Seed {
    /// The seed of one named sub-stream. Streams of different names are independent, so that adding a
    /// site or a process changes no other.
    #[must_use]
    pub fn stream(self, name: &str) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_derive_key("cairn 2026 random stream");
        hasher.update(&self.0.to_be_bytes());
        hasher.update(name.as_bytes());
        *hasher.finalize().as_bytes()
    }
}

impl fmt::Display for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
