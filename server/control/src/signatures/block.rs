//! The text of a signature: canonical JSON that says who signed which bytes, when, and what that means.

use chrono::{DateTime, Utc};
use kernel::{AccountId, StudyId, TenantId};

use super::SignatureId;
use crate::instant::{parse_timestamp, timestamp};
use crate::ledger::canonical::{Canon, object};
use crate::ledger::hex_sha256;

const VERSION: i64 = 1;
/// Every time of a signature is in it.
const ZONE: &str = "UTC";

macro_rules! names {
    ($(#[$doc:meta])* $kind:ident { $($(#[$of:meta])* $variant:ident = $name:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $kind { $($(#[$of])* $variant),* }

        impl $kind {
            /// Every one, in the order in which people are offered them.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// Its name in signatures, lists and the ledger.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            /// The one of that name, if there is one.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.name() == name)
            }
        }
    };
}

names! {
    /// What a signature stands for. Source: 21 CFR 11.50(a)(3).
    Meaning {
        /// The signer made the record.
        Authorship = "authorship",
        /// The signer has looked at it.
        Review = "review",
        /// The signer lets it be used.
        Approval = "approval",
        /// The signer answers for it.
        Responsibility = "responsibility",
    }
}

names! {
    /// What can be signed.
    RecordKind {
        /// A published snapshot: the bytes of its manifest, which name every file by its hash.
        Snapshot = "snapshot",
        /// A delivery that was taken in: the bytes of its receipt.
        Delivery = "delivery",
    }
}

/// A record, as it is or as it was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// What it is.
    pub kind: RecordKind,
    /// Which.
    pub id: String,
    /// The SHA-256 of its bytes, in 64 hexadecimal digits.
    pub sha256: String,
}

impl Record {
    /// The record of that kind and id which has these bytes.
    #[must_use]
    pub fn of(kind: RecordKind, id: &str, bytes: &[u8]) -> Self {
        Self { kind, id: id.to_owned(), sha256: hex_sha256(bytes) }
    }
}

/// A signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Its id.
    pub id: SignatureId,
    /// In which tenant.
    pub tenant: TenantId,
    /// In which study.
    pub study: StudyId,
    /// What was signed.
    pub record: Record,
    /// By whom.
    pub signer: AccountId,
    /// The signer's name at that moment.
    pub name: String,
    /// What it stands for.
    pub meaning: Meaning,
    /// When.
    pub signed_at: DateTime<Utc>,
    /// How the signer proved who they are.
    pub method: String,
    /// Chance, so that nobody guesses the name from the block's hash.
    pub salt: String,
}

impl Block {
    /// Its only text.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let record = object([
            ("id", self.record.id.as_str().into()),
            ("sha256", self.record.sha256.as_str().into()),
            ("type", self.record.kind.name().into()),
        ]);
        let signer =
            object([("account", self.signer.to_string().into()), ("name", self.name.as_str().into())]);
        object([
            ("meaning", self.meaning.name().into()),
            ("method", self.method.as_str().into()),
            ("record", record),
            ("salt", self.salt.as_str().into()),
            ("signature", self.id.to_string().into()),
            ("signed_at", timestamp(self.signed_at).into()),
            ("signer", signer),
            ("study", self.study.as_str().into()),
            ("tenant", self.tenant.to_string().into()),
            ("v", Canon::Integer(VERSION)),
            ("zone", ZONE.into()),
        ])
        .to_bytes()
    }

    /// The signature of a text; `None` for any text but the one that [`Block::to_bytes`] writes.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let Canon::Object(fields) = Canon::parse(bytes)? else { return None };
        let inner = |name: &str| match fields.get(name)? {
            Canon::Object(inner) => Some(inner),
            _ => None,
        };
        let text = |fields: &std::collections::BTreeMap<String, Canon>, name: &str| match fields.get(name)? {
            Canon::Text(text) => Some(text.clone()),
            _ => None,
        };
        let (record, signer) = (inner("record")?, inner("signer")?);
        let block = Self {
            id: text(&fields, "signature")?.parse().ok()?,
            tenant: text(&fields, "tenant")?.parse().ok()?,
            study: text(&fields, "study")?.parse().ok()?,
            record: Record {
                kind: RecordKind::from_name(&text(record, "type")?)?,
                id: text(record, "id")?,
                sha256: text(record, "sha256")?,
            },
            signer: text(signer, "account")?.parse().ok()?,
            name: text(signer, "name")?,
            meaning: Meaning::from_name(&text(&fields, "meaning")?)?,
            signed_at: parse_timestamp(&text(&fields, "signed_at")?)?,
            method: text(&fields, "method")?,
            salt: text(&fields, "salt")?,
        };
        // Another version, another zone and a field too many have another text.
        (block.to_bytes() == bytes).then_some(block)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn block() -> Block {
        Block {
            id: SignatureId::from_uuid(Uuid::from_u128(1)),
            tenant: TenantId::from_uuid(Uuid::from_u128(2)),
            study: "TRIAL01".parse().expect("a code"),
            record: Record { kind: RecordKind::Snapshot, id: "ab".into(), sha256: "00".repeat(32) },
            signer: AccountId::from_uuid(Uuid::from_u128(3)),
            name: "Ada Lovelace".into(),
            meaning: Meaning::Approval,
            signed_at: DateTime::from_timestamp(1_795_000_000, 0).expect("an instant"),
            method: "password+code".into(),
            salt: "ff".repeat(16),
        }
    }

    #[test]
    fn control_12_a_block_says_who_when_in_which_zone_and_what_it_means_in_one_text() {
        let text = String::from_utf8(block().to_bytes()).expect("JSON is text");
        let expected = concat!(
            r#"{"meaning":"approval","method":"password+code","record":{"id":"ab","sha256":"#,
            r#""0000000000000000000000000000000000000000000000000000000000000000","type":"snapshot"},"#,
            r#""salt":"ffffffffffffffffffffffffffffffff","signature":"00000000-0000-0000-0000-000000000001","#,
            r#""signed_at":"2026-11-18T11:06:40.000000Z","signer":{"account":"#,
            r#""00000000-0000-0000-0000-000000000003","name":"Ada Lovelace"},"study":"TRIAL01","#,
            r#""tenant":"00000000-0000-0000-0000-000000000002","v":1,"zone":"UTC"}"#,
        );
        assert_eq!(text, expected);
        assert_eq!(Block::parse(text.as_bytes()), Some(block()));
        for changed in [
            text.replace(r#""v":1"#, r#""v":2"#),
            text.replace(r#""zone":"UTC""#, r#""zone":"CET""#),
            text.replace("approval", "admiration"),
            text.replace(r#","v":1"#, r#","u":1,"v":1"#),
            text.replace(".000000Z", "Z"),
            format!("{text}\n"),
        ] {
            assert_ne!(changed, text);
            assert_eq!(Block::parse(changed.as_bytes()), None, "{changed}");
        }
    }
}
