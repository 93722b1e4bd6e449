//! The keys of accounts, a file each, apart from the databases and their backups. Each is sealed under the data key of
//! the account's tenant.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use kernel::{AccountId, TenantId};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::envelope::{self, Cell, Secret};
use super::{DataKey, DataKeys, failed};
use crate::error::ControlError;
use crate::fresh;
use crate::identity::{ensure_key_file, replace_key_file};
use crate::store::private_folder;

const KEY_BYTES: usize = 32;

/// The keys of accounts.
#[derive(Debug)]
pub(crate) struct SubjectKeys {
    folder: PathBuf,
    data_keys: DataKeys,
}

/// A new account's key.
pub(crate) struct NewKey {
    pub(crate) secret: Secret,
    /// The tenant's data key, when it had to be made for this.
    pub(crate) made: Option<Uuid>,
}

/// What wrapping a tenant's keys again came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct WrappedAgain {
    pub(crate) keys: u64,
    pub(crate) superseded: Vec<Uuid>,
}

impl SubjectKeys {
    pub(crate) const fn at(folder: PathBuf, data_keys: DataKeys) -> Self {
        Self { folder, data_keys }
    }

    /// Makes the key of a new account.
    pub(crate) fn create(
        &self,
        tenant: TenantId,
        account: AccountId,
        now: DateTime<Utc>,
    ) -> Result<NewKey, ControlError> {
        let _turn = self.turn()?;
        let (data_key, is_new) = self.data_keys.active(tenant, now)?;
        let (secret, path): (Secret, _) = (Zeroizing::new(fresh::bytes()?), self.path(account));
        if path.exists() {
            let source = io::Error::from(io::ErrorKind::AlreadyExists);
            return Err(failed("make the account's key", &path)(source));
        }
        let sealed = seal(&data_key, account, &secret)?;
        ensure_key_file(&path, || Ok(sealed))?;
        Ok(NewKey { secret, made: is_new.then_some(data_key.id) })
    }

    /// The key of an account; `None` when it was destroyed, or never made.
    pub(crate) fn open(&self, account: AccountId) -> Result<Option<Secret>, ControlError> {
        let path = self.path(account);
        match fs::read(&path).map(Zeroizing::new) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed("read the account's key", &path)(error)),
            Ok(bytes) => self.unseal(account, &bytes).map(Some),
        }
    }

    /// Destroys the key of an account: overwritten, then removed. Destroying it again changes nothing.
    pub(crate) fn destroy(&self, account: AccountId) -> Result<(), ControlError> {
        let _turn = self.turn()?;
        let path = self.path(account);
        let overwritten = OpenOptions::new().write(true).open(&path).and_then(|mut file| {
            let length = usize::try_from(file.metadata()?.len()).unwrap_or(KEY_BYTES);
            io::Write::write_all(&mut file, &vec![0; length])?;
            file.sync_all()?;
            fs::remove_file(&path)?;
            File::open(&self.folder)?.sync_all()
        });
        match overwritten {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            done => done.map_err(failed("destroy the account's key", &path)),
        }
    }

    /// Seals every key of a tenant's accounts under its present data key, and names the data keys that seal nothing any
    /// more: they are the caller's to destroy, once that is recorded. Cut off anywhere, it leaves every key readable,
    /// and is finished by running it again.
    pub(crate) fn wrap_again(
        &self,
        tenant: TenantId,
        accounts: &[AccountId],
        now: DateTime<Utc>,
    ) -> Result<WrappedAgain, ControlError> {
        // Nobody makes or destroys a key meanwhile: it would come back, or stay under a data key that goes.
        let _turn = self.turn()?;
        let (active, _) = self.data_keys.active(tenant, now)?;
        let mut again = WrappedAgain::default();
        for account in accounts {
            let path = self.path(*account);
            let bytes = match fs::read(&path).map(Zeroizing::new) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                read => read.map_err(failed("read the account's key", &path))?,
            };
            if envelope::key_of(&bytes) == Some(active.id) {
                continue;
            }
            let secret = self.unseal(*account, &bytes)?;
            replace_key_file(&path, &seal(&active, *account, &secret)?)?;
            again.keys += 1;
        }
        for row in self.data_keys.list()? {
            if row.tenant == tenant && !row.is_active {
                again.superseded.push(row.id);
            }
        }
        Ok(again)
    }

    /// A key of 32 plain bytes is from before keys were sealed; it is sealed when keys are wrapped again.
    fn unseal(&self, account: AccountId, bytes: &[u8]) -> Result<Secret, ControlError> {
        if let Ok(plain) = <[u8; KEY_BYTES]>::try_from(bytes) {
            return Ok(Zeroizing::new(plain));
        }
        let damaged = || ControlError::Corrupt { what: "account's key" };
        let data_key = self.data_keys.key(envelope::key_of(bytes).ok_or_else(damaged)?)?;
        let row = account.to_string();
        let opened = envelope::open(&data_key.secret, &cell(data_key.tenant, &row), bytes)?;
        opened.as_slice().try_into().map(Zeroizing::new).map_err(|_| damaged())
    }

    /// One process at a time makes, destroys or wraps keys.
    fn turn(&self) -> Result<File, ControlError> {
        private_folder(&self.folder)?;
        let path = self.folder.join("turn.lock");
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let locked = file.and_then(|file| file.lock().map(|()| file));
        locked.map_err(failed("lock the accounts' keys", &path))
    }

    fn path(&self, account: AccountId) -> PathBuf {
        self.folder.join(format!("{account}.key"))
    }
}

fn seal(data_key: &DataKey, account: AccountId, secret: &Secret) -> Result<Vec<u8>, ControlError> {
    let row = account.to_string();
    envelope::seal(data_key.id, &data_key.secret, &cell(data_key.tenant, &row), secret.as_slice())
}

fn cell(tenant: TenantId, row: &str) -> Cell<'_> {
    Cell { tenant, table: "subject_keys", column: "key", row, version: 0 }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use chrono::DateTime;

    use super::super::provider;
    use super::super::settings::{FileKeySettings, KeySettings};
    use super::*;

    struct World {
        folder: tempfile::TempDir,
        keys: SubjectKeys,
    }

    fn tenant() -> TenantId {
        TenantId::from_uuid(Uuid::from_u128(1))
    }

    fn account(number: u128) -> AccountId {
        AccountId::from_uuid(Uuid::from_u128(number))
    }

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000 + second, 0).expect("it is an instant")
    }

    fn world() -> World {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let keys = open(folder.path());
        World { folder, keys }
    }

    fn open(folder: &Path) -> SubjectKeys {
        let path = folder.join("master.key");
        let settings = KeySettings::File(FileKeySettings { path, passphrase_file: None, make: true });
        assert!(provider::open(&settings).is_ok());
        let data_keys = DataKeys::open(folder.join("data"), &settings, None).expect("the keys open");
        SubjectKeys::at(folder.join("subjects"), data_keys)
    }

    #[test]
    fn a_destroyed_key_is_gone() {
        let World { keys, .. } = world();
        assert!(keys.open(account(7)).expect("the folder can be read").is_none());
        let made = keys.create(tenant(), account(7), at(0)).expect("it is new");
        assert!(made.made.is_some(), "the tenant's first");
        assert_eq!(keys.open(account(7)).expect("it is there"), Some(made.secret));
        assert!(keys.create(tenant(), account(7), at(0)).is_err(), "a key is never made twice");
        keys.destroy(account(7)).expect("it can be destroyed");
        assert!(keys.open(account(7)).expect("the folder can be read").is_none());
        keys.destroy(account(7)).expect("it is gone already");
    }

    #[test]
    fn a_key_moved_to_another_account_does_not_open() {
        let World { folder, keys } = world();
        keys.create(tenant(), account(7), at(0)).expect("it is new");
        let path = |number| folder.path().join("subjects").join(format!("{}.key", account(number)));
        fs::copy(path(7), path(8)).expect("it is copied");
        assert!(keys.open(account(8)).is_err());
    }

    #[test]
    fn after_a_rotation_every_key_is_readable_and_the_old_data_key_gone() {
        let World { folder, keys } = world();
        let made: Vec<Secret> = (0..5)
            .map(|number| keys.create(tenant(), account(number), at(0)).expect("it is new").secret)
            .collect();
        // One from before keys were sealed.
        let plain = folder.path().join("subjects").join(format!("{}.key", account(5)));
        fs::write(&plain, [9; 32]).expect("it is written");
        keys.data_keys.make(tenant(), at(1)).expect("there is a further key");
        let accounts: Vec<AccountId> = (0..7).map(account).collect();
        let again = keys.wrap_again(tenant(), &accounts, at(2)).expect("they are wrapped again");
        assert_eq!((again.keys, again.superseded.len()), (6, 1));
        keys.data_keys.destroy(again.superseded[0]).expect("nothing is sealed under it");
        let reopened = open(folder.path());
        for (number, secret) in (0..).zip(made) {
            assert_eq!(reopened.open(account(number)).expect("it opens"), Some(secret));
        }
        assert_eq!(reopened.open(account(5)).expect("it opens"), Some(Zeroizing::new([9; 32])));
        assert_ne!(fs::read(&plain).expect("it is there").len(), 32);
        assert_eq!(
            reopened.wrap_again(tenant(), &accounts, at(3)).expect("nothing is left"),
            WrappedAgain::default()
        );
    }
}
