//! New identifiers and secrets, from the machine's randomness.

use chrono::{DateTime, Utc};
use uuid::{Builder, Uuid};

use crate::error::ControlError;

/// `N` random bytes.
pub(crate) fn bytes<const N: usize>() -> Result<[u8; N], ControlError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|source| ControlError::Entropy { source })?;
    Ok(bytes)
}

/// A UUID of version 4: chance alone.
pub(crate) fn random_uuid() -> Result<Uuid, ControlError> {
    Ok(Builder::from_random_bytes(bytes()?).into_uuid())
}

/// A UUID of version 7: the time, then chance.
pub(crate) fn uuid(at: DateTime<Utc>) -> Result<Uuid, ControlError> {
    let millis = u64::try_from(at.timestamp_millis()).unwrap_or(0);
    Ok(Builder::from_unix_timestamp_millis(millis, &bytes()?).into_uuid())
}
