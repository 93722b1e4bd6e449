//! Identifiers of the control plane's own things. None of them is a secret.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            pub(crate) const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }
    };
}

id!(
    /// One login, with everything that was made from it.
    SessionId
);
id!(
    /// One electronic signature.
    SignatureId
);
id!(
    /// One legal hold.
    HoldId
);
id!(
    /// One emergency access.
    BreakGlassId
);
id!(
    /// One token that its holder keeps.
    AccessTokenId
);
id!(
    /// One message of the outbox. Later ones have later ids.
    MessageId
);
id!(
    /// One address that messages are posted to.
    EndpointId
);
id!(
    /// One message on its way to one recipient.
    DeliveryId
);
id!(
    /// One message in one inbox.
    NoticeId
);
