//! Who an account belongs to. Address and name are stored sealed under the account's key, each bound to its cell, so that
//! destroying the key erases them in every copy. An address is found by its index ([`crate::keys::BlindIndex`]).

use kernel::{AccountId, TenantId};

use crate::error::{ControlError, corrupt};
use crate::keys::SubjectKeys;
use crate::keys::envelope::{self, Cell, Secret};

const WHAT: &str = "account's address and name";
/// An address of this form can be nobody's: RFC 2606 keeps `invalid` from being used.
const NOBODY: &str = "@erased.invalid";

/// An address and a name.
pub(crate) struct Person {
    pub(crate) email: String,
    pub(crate) display_name: String,
}

/// The same, as they are stored.
pub(crate) enum Kept {
    Sealed {
        email: Vec<u8>,
        display_name: Vec<u8>,
    },
    /// They were erased; what is left names the account alone.
    Erased {
        email: String,
    },
}

/// What the row of an erased account has in the place of the address.
pub(crate) fn placeholder(account: AccountId) -> String {
    format!("erased-{account}{NOBODY}")
}

impl Person {
    /// The two as they are stored.
    pub(crate) fn seal(
        &self,
        key: &Secret,
        (tenant, account): (TenantId, AccountId),
    ) -> Result<(Vec<u8>, Vec<u8>), ControlError> {
        let row = account.to_string();
        let seal = |column, value: &str| {
            envelope::seal(account.as_uuid(), key, &cell(tenant, column, &row), value.as_bytes())
        };
        Ok((seal("email", &self.email)?, seal("display_name", &self.display_name)?))
    }
}

impl Kept {
    /// From the columns `email`, `email_sealed` and `display_name_sealed`. An address in the clear is none: it was sealed
    /// before anything is served, so that somebody else has put it there.
    pub(crate) fn read(
        email: String,
        sealed: (Option<Vec<u8>>, Option<Vec<u8>>),
    ) -> Result<Self, ControlError> {
        match sealed {
            (Some(email), Some(display_name)) => Ok(Self::Sealed { email, display_name }),
            (None, None) if email.ends_with(NOBODY) => Ok(Self::Erased { email }),
            _ => Err(ControlError::Corrupt { what: WHAT }),
        }
    }

    pub(crate) fn open(
        &self,
        keys: &SubjectKeys,
        (tenant, account): (TenantId, AccountId),
    ) -> Result<Person, ControlError> {
        let (email, display_name) = match self {
            Self::Erased { email } => {
                return Ok(Person { email: email.clone(), display_name: "erased".to_owned() });
            }
            Self::Sealed { email, display_name } => (email, display_name),
        };
        let key = keys.open(account)?.ok_or(()).map_err(corrupt("account's key"))?;
        let row = account.to_string();
        let open = |column, sealed: &[u8]| -> Result<String, ControlError> {
            let plain = envelope::open(&key, &cell(tenant, column, &row), sealed)?;
            String::from_utf8(plain.to_vec()).map_err(corrupt(WHAT))
        };
        Ok(Person { email: open("email", email)?, display_name: open("display_name", display_name)? })
    }
}

fn cell<'a>(tenant: TenantId, column: &'static str, row: &'a str) -> Cell<'a> {
    Cell { tenant, table: "accounts", column, row, version: 0 }
}
