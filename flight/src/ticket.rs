//! What a ticket says: which table of which snapshot. It grants nothing: every `DoGet` proves the caller and
//! the scope again.

use kernel::{SnapshotId, StudyId};
use serde::{Deserialize, Serialize};

/// A table of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ticket {
    /// Version of this form.
    pub v: u32,
    /// The study.
    pub study: StudyId,
    /// The snapshot that was current when the ticket was made.
    pub snapshot: SnapshotId,
    /// The table.
    pub table: String,
}

impl Ticket {
    /// Its bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads a ticket; `None` for anything else.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        if bytes.len() > 1024 {
            return None;
        }
        serde_json::from_slice(bytes).ok().filter(|ticket: &Self| ticket.v == 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_reads_back_and_nothing_else_does() {
        let ticket = Ticket {
            v: 1,
            study: "S1".parse().expect("valid"),
            snapshot: SnapshotId::of_manifest(b"x"),
            table: "mart_kri".into(),
        };
        assert_eq!(Ticket::from_bytes(&ticket.to_bytes()), Some(ticket));
        assert_eq!(Ticket::from_bytes(b"SELECT 1"), None);
        assert_eq!(Ticket::from_bytes(&[b' '; 2000]), None);
    }
}
