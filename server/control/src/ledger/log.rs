//! Which log an entry belongs to.

use kernel::TenantId;

/// One ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Log {
    /// The deployment's own.
    System,
    /// One tenant's.
    Tenant(TenantId),
}

impl Log {
    /// The log's name, bound into every leaf so that no entry can be moved to another log.
    pub(crate) fn origin(self) -> String {
        match self {
            Self::System => "cairn/audit/system".to_owned(),
            Self::Tenant(tenant) => format!("cairn/audit/{tenant}"),
        }
    }

    /// The log of a name that [`Log::origin`] gave; `None` for any other.
    pub(crate) fn of_origin(origin: &str) -> Option<Self> {
        let name = origin.strip_prefix("cairn/audit/")?;
        let log = if name == "system" { Self::System } else { Self::Tenant(name.parse().ok()?) };
        (log.origin() == origin).then_some(log)
    }

    /// The tenant whose log it is.
    pub(crate) const fn tenant(self) -> Option<TenantId> {
        match self {
            Self::System => None,
            Self::Tenant(tenant) => Some(tenant),
        }
    }
}
