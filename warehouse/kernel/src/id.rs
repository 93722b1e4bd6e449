//! Identifiers. A value that names something has its own type, so that it cannot be passed for another.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A text that is not an identifier of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a {kind}: {rule}")]
pub struct InvalidId {
    /// What was given.
    pub text: String,
    /// The kind of identifier that was wanted.
    pub kind: &'static str,
    /// What such an identifier looks like.
    pub rule: &'static str,
}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// Wraps a UUID that was made for this purpose.
            #[must_use]
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The UUID itself.
            #[must_use]
            pub const fn as_uuid(&self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Uuid::parse_str(text).map(Self).map_err(|_| InvalidId {
                    text: text.to_owned(),
                    kind: $kind,
                    rule: "a UUID such as 01890a5d-ac96-774b-bcce-b302099a8057",
                })
            }
        }
    };
}

uuid_id!(
    /// One organisation. Nothing crosses from one tenant to another.
    TenantId,
    "tenant id"
);
uuid_id!(
    /// One person or machine that can log in.
    AccountId,
    "account id"
);
uuid_id!(
    /// One delivery of files, as its receipt names it.
    BatchId,
    "batch id"
);

uuid_id!(
    /// One build of a study's marts, however it ended.
    RunId,
    "run id"
);

impl BatchId {
    /// A UUID of version 7: the millisecond of `at`, then a hash of `content`, so that the id follows from
    /// its arguments.
    #[must_use]
    pub fn at(at: DateTime<Utc>, content: &str) -> Self {
        Self(uuid_at(at, content))
    }
}

impl RunId {
    /// As [`BatchId::at`].
    #[must_use]
    pub fn at(at: DateTime<Utc>, content: &str) -> Self {
        Self(uuid_at(at, content))
    }
}

fn uuid_at(at: DateTime<Utc>, content: &str) -> Uuid {
    let mut random = [0; 10];
    random.copy_from_slice(&blake3::hash(content.as_bytes()).as_bytes()[..10]);
    let millis = u64::try_from(at.timestamp_millis()).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}

/// One study of a tenant, by the code its protocol uses (`STUDYID`): 1 to 40 of `A-Z a-z 0-9 . _ -`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StudyId(String);

impl StudyId {
    /// The study's code.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for StudyId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let letters = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
        // A name of dots alone would climb out of its folder.
        let climbs = text.bytes().all(|byte| byte == b'.');
        if letters && !climbs && (1..=40).contains(&text.len()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidId {
                text: text.to_owned(),
                kind: "study id",
                rule: "1 to 40 letters, digits, dots, underscores or hyphens",
            })
        }
    }
}

impl TryFrom<String> for StudyId {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, InvalidId> {
        text.parse()
    }
}

impl From<StudyId> for String {
    fn from(study: StudyId) -> Self {
        study.0
    }
}

impl fmt::Display for StudyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One published snapshot: the first 16 bytes of the BLAKE3 hash of its manifest, in hexadecimal.
/// The same content has the same id on any machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SnapshotId([u8; 16]);

impl SnapshotId {
    /// The id of the snapshot whose manifest has these bytes.
    #[must_use]
    pub fn of_manifest(bytes: &[u8]) -> Self {
        let hash = blake3::hash(bytes);
        let mut id = [0; 16];
        id.copy_from_slice(&hash.as_bytes()[..16]);
        Self(id)
    }

    /// The first eight digits, for people.
    #[must_use]
    pub fn short(&self) -> String {
        self.to_string()[..8].to_owned()
    }
}

impl fmt::Display for SnapshotId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for SnapshotId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let invalid = || InvalidId {
            text: text.to_owned(),
            kind: "snapshot id",
            rule: "32 lower-case hexadecimal digits",
        };
        let plain = text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
        if !plain || text.len() != 32 {
            return Err(invalid());
        }
        u128::from_str_radix(text, 16).map(|value| Self(value.to_be_bytes())).map_err(|_| invalid())
    }
}

impl TryFrom<String> for SnapshotId {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, InvalidId> {
        text.parse()
    }
}

impl From<SnapshotId> for String {
    fn from(snapshot: SnapshotId) -> Self {
        snapshot.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_study(text: &str, valid: bool) {
        assert_eq!(text.parse::<StudyId>().is_ok(), valid, "{text:?}");
    }

    #[test]
    fn a_study_id_is_a_short_plain_word() {
        check_study("CDISCPILOT01", true);
        check_study("AA-AA-000-0000", true);
        check_study("", false);
        check_study("..", false);
        check_study("a/b", false);
        check_study("a b", false);
        check_study(&"x".repeat(41), false);
    }

    #[test]
    fn a_snapshot_id_reads_back_what_it_writes() {
        let id = SnapshotId::of_manifest(b"manifest");
        assert_eq!(id.to_string().parse(), Ok(id));
        assert!("00".parse::<SnapshotId>().is_err());
        assert!("G".repeat(32).parse::<SnapshotId>().is_err());
        assert!("+".repeat(32).parse::<SnapshotId>().is_err());
    }
}
