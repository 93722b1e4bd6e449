//! What proves who somebody is: a password once, a signed token after that.
mod guessable;
mod key_file;
mod key_ring;
mod password;
pub(crate) mod sealed;
mod signing_key;
mod throttle;
mod token;
pub(crate) mod totp;

pub(crate) use key_file::{ensure_key_file, open_key, replace_key_file};
pub(crate) use key_ring::KeyRing;
pub use key_ring::{KeyState, TokenKey};
pub(crate) use password::{Password, Passwords};
pub(crate) use throttle::{Attempt, Throttle};
pub use token::Audience;
pub(crate) use token::{Claims, ISSUER};
