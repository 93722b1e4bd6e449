//! What proves who somebody is: a password once, a signed token after that.
mod key_file;
mod password;
mod signing_key;
mod token;

pub(crate) use key_file::{ensure_key_file, open_key, replace_key_file};
pub(crate) use password::{Password, Passwords};
pub(crate) use signing_key::{SigningKey, announce_key};
pub use token::Audience;
pub(crate) use token::{Claims, ISSUER};
