//! Passwords, hashed with Argon2id. A hash costs 19 MiB and tens of milliseconds by design, so only a few are
//! computed at a time, away from the threads that serve.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use argon2::password_hash::{Error as HashError, PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;

use crate::error::ControlError;
use crate::fresh;
use crate::identity::guessable::is_guessable;
use crate::ledger::hex;

/// Source: OWASP Password Storage Cheat Sheet: Argon2id with 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

const MIN_CHARACTERS: usize = 12;
const MAX_BYTES: usize = 1024;
const HASHES_AT_A_TIME: usize = 2;
/// How long somebody waits for their turn. Whoever waits costs no computing, and a flood ends in refusals.
const WAITING: Duration = Duration::from_secs(10);

/// A password that is long enough to be chosen.
pub(crate) struct Password(String);

impl Password {
    /// Takes a password of 12 characters to 1 KiB that is not among those that are tried first.
    pub(crate) fn new(text: String) -> Result<Self, ControlError> {
        if text.chars().count() < MIN_CHARACTERS || text.len() > MAX_BYTES {
            return Err(ControlError::InvalidPassword { min: MIN_CHARACTERS, max: MAX_BYTES });
        }
        if is_guessable(&text) {
            return Err(ControlError::GuessablePassword);
        }
        Ok(Self(text))
    }
}

/// Hashes and compares passwords.
pub(crate) struct Passwords {
    permits: Arc<Semaphore>,
    /// The hash of a password that nobody knows: an unknown e-mail costs as much as a known one.
    decoy: String,
}

impl Passwords {
    pub(crate) async fn new() -> Result<Self, ControlError> {
        let mut passwords =
            Self { permits: Arc::new(Semaphore::new(HASHES_AT_A_TIME)), decoy: String::new() };
        passwords.decoy = passwords.hash(Password(hex(&fresh::bytes::<32>()?))).await?;
        Ok(passwords)
    }

    /// The text to store.
    pub(crate) async fn hash(&self, password: Password) -> Result<String, ControlError> {
        self.compute(move || {
            let argon2 = argon2()?;
            let salt = fresh::bytes::<16>()?;
            let hash = argon2.hash_password_with_salt(password.0.as_bytes(), &salt).map_err(hashing)?;
            Ok(hash.to_string())
        })
        .await
    }

    /// Whether the password is the one of a stored text. Without one the answer is no, after the same time.
    pub(crate) async fn matches(&self, password: &str, stored: Option<&str>) -> Result<bool, ControlError> {
        // An account without a password, such as an erased one, has an empty text.
        let stored = stored.filter(|stored| !stored.is_empty());
        let known = stored.is_some() && password.len() <= MAX_BYTES;
        let stored = stored.unwrap_or(&self.decoy).to_owned();
        let password = if password.len() <= MAX_BYTES { password.to_owned() } else { String::new() };
        self.compute(move || match argon2()?.verify_password(password.as_bytes(), stored.as_str()) {
            Ok(()) => Ok(known),
            Err(HashError::PasswordInvalid) => Ok(false),
            Err(error) => Err(hashing(error)),
        })
        .await
    }

    async fn compute<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, ControlError> + Send + 'static,
    ) -> Result<T, ControlError> {
        let permit = tokio::time::timeout(WAITING, Arc::clone(&self.permits).acquire_owned()).await;
        let permit = permit.map_err(|_| ControlError::LoginsOverloaded)?.map_err(hashing)?;
        // The permit moves into the work, since a caller that goes away does not stop it.
        let worked = tokio::task::spawn_blocking(move || {
            let outcome = work();
            drop(permit);
            outcome
        });
        worked.await.map_err(hashing)?
    }
}

fn argon2() -> Result<Argon2<'static>, ControlError> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(hashing)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn hashing(source: impl std::error::Error + Send + Sync + 'static) -> ControlError {
    ControlError::Hashing { source: Box::new(source) }
}

impl fmt::Debug for Passwords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Passwords").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn control_34_few_passwords_are_hashed_at_a_time_however_many_come() {
        let passwords =
            Arc::new(Passwords { permits: Arc::new(Semaphore::new(HASHES_AT_A_TIME)), decoy: String::new() });
        let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let mut callers = tokio::task::JoinSet::new();
        for _ in 0..40 {
            let (passwords, running, most) =
                (Arc::clone(&passwords), Arc::clone(&running), Arc::clone(&most));
            callers.spawn(async move {
                let work = move || {
                    most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    std::thread::sleep(Duration::from_millis(5));
                    running.fetch_sub(1, Ordering::SeqCst);
                    Ok(())
                };
                passwords.compute(work).await
            });
        }
        for outcome in callers.join_all().await {
            outcome.expect("everybody gets a turn");
        }
        assert_eq!(most.load(Ordering::SeqCst), HASHES_AT_A_TIME);
    }
}
