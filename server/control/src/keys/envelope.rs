//! A sealed value: AES-256-GCM under a data key, behind a header that says how it was sealed, bound to the one place
//! that it was written for. Copied to another row, column, table or tenant, it does not open.

use kernel::TenantId;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::error::ControlError;
use crate::fresh;
use crate::identity::sealed::{self, NONCE_BYTES, encrypt};

const FORMAT: u8 = 1;
const AES_256_GCM: u8 = 1;
const HEADER_BYTES: usize = 2 + 16 + NONCE_BYTES;
const TAG_BYTES: usize = 16;

/// A key of 256 bits, overwritten when it is let go of.
pub(crate) type Secret = Zeroizing<[u8; 32]>;

/// The one place that a value is sealed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cell<'a> {
    /// Whose row it is.
    pub(crate) tenant: TenantId,
    pub(crate) table: &'static str,
    pub(crate) column: &'static str,
    /// The row's key.
    pub(crate) row: &'a str,
    /// Counts the values that the cell has had, where an older one must not come back; otherwise 0.
    pub(crate) version: u64,
}

impl Cell<'_> {
    /// What the ciphertext is bound to. Each part carries its length, so that no two cells have the same bytes.
    fn context(&self, header: &[u8]) -> Vec<u8> {
        let tenant = self.tenant.to_string();
        let mut bytes = b"cairn/sealed/1".to_vec();
        for part in [tenant.as_bytes(), self.table.as_bytes(), self.column.as_bytes(), self.row.as_bytes()] {
            bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
            bytes.extend_from_slice(part);
        }
        bytes.extend_from_slice(&self.version.to_be_bytes());
        bytes.extend_from_slice(header);
        bytes
    }
}

/// Seals a value under the data key of that id, with a random nonce. A key is good for 2^32 of them (NIST SP
/// 800-38D, 8.3).
pub(crate) fn seal(
    key_id: Uuid,
    key: &Secret,
    cell: &Cell<'_>,
    value: &[u8],
) -> Result<Vec<u8>, ControlError> {
    let nonce: [u8; NONCE_BYTES] = fresh::bytes()?;
    let mut sealed = vec![FORMAT, AES_256_GCM];
    sealed.extend_from_slice(key_id.as_bytes());
    sealed.extend_from_slice(&nonce);
    let aad = cell.context(&sealed);
    sealed.extend_from_slice(&encrypt(key, nonce, value, &aad));
    Ok(sealed)
}

/// Which data key a value is sealed under; `None` when it is no sealed value.
pub(crate) fn key_of(sealed: &[u8]) -> Option<Uuid> {
    let known = sealed.len() >= HEADER_BYTES + TAG_BYTES && sealed[..2] == [FORMAT, AES_256_GCM];
    known.then(|| Uuid::from_slice(&sealed[2..18]).ok()).flatten()
}

/// Opens a value that was sealed for this cell under this key.
pub(crate) fn open(key: &Secret, cell: &Cell<'_>, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, ControlError> {
    let corrupt = || ControlError::Corrupt { what: "sealed value" };
    key_of(sealed).ok_or_else(corrupt)?;
    let (header, ciphertext) = sealed.split_at(HEADER_BYTES);
    let plain = sealed::open(key, (&header[18..], ciphertext), &cell.context(header));
    plain.map(Zeroizing::new).ok_or_else(corrupt)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(row: &str) -> Cell<'_> {
        let tenant = TenantId::from_uuid(Uuid::from_u128(1));
        Cell { tenant, table: "accounts", column: "email", row, version: 0 }
    }

    fn secret(byte: u8) -> Secret {
        Zeroizing::new([byte; 32])
    }

    #[test]
    fn control_39_a_value_opens_in_its_own_cell_alone() {
        let (key, id) = (secret(7), Uuid::from_u128(9));
        let here = cell("a");
        let sealed = seal(id, &key, &here, b"ada@example.org").expect("it is sealed");
        assert_eq!(key_of(&sealed), Some(id));
        assert_eq!(open(&key, &here, &sealed).expect("it opens").as_slice(), b"ada@example.org");
        let elsewhere = [
            cell("b"),
            Cell { column: "display_name", ..here },
            Cell { table: "studies", ..here },
            Cell { tenant: TenantId::from_uuid(Uuid::from_u128(2)), ..here },
            Cell { version: 1, ..here },
        ];
        for cell in elsewhere {
            assert!(open(&key, &cell, &sealed).is_err(), "{cell:?}");
        }
        assert!(open(&secret(8), &here, &sealed).is_err(), "another key");
    }

    #[test]
    fn no_changed_bit_is_overlooked() {
        let (key, here) = (secret(7), cell("a"));
        let sealed = seal(Uuid::from_u128(9), &key, &here, b"value").expect("it is sealed");
        for bit in 0..sealed.len() * 8 {
            let mut changed = sealed.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(open(&key, &here, &changed).is_err(), "bit {bit}");
        }
        for length in 0..sealed.len() {
            assert!(open(&key, &here, &sealed[..length]).is_err(), "{length} bytes");
        }
    }

    #[test]
    fn two_parts_do_not_run_into_each_other() {
        let (one, two) =
            (Cell { table: "ab", column: "c", ..cell("d") }, Cell { table: "a", column: "bc", ..cell("d") });
        assert_ne!(one.context(&[]), two.context(&[]));
    }
}
