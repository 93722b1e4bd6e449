//! Who acts.

use kernel::{AccountId, TenantId};

use crate::error::ControlError;

/// Who does something. An account acts inside its own tenant alone, and so does one that administers it; the operator
/// and the program act anywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    /// A logged-in account.
    Account {
        /// Whose.
        id: AccountId,
        /// In which tenant.
        tenant: TenantId,
    },
    /// A logged-in account whose grants let it administer its tenant: [`crate::Principal::administrator`].
    Administrator {
        /// Whose.
        id: AccountId,
        /// Which tenant.
        tenant: TenantId,
    },
    /// A logged-in account that reads a study in an emergency. It changes nothing.
    BreakGlass {
        /// Whose.
        id: AccountId,
        /// In which tenant.
        tenant: TenantId,
    },
    /// The person at the machine's command line.
    Operator,
    /// The program itself.
    System,
}

impl Actor {
    /// Whoever runs the machine, and nobody else.
    pub(crate) const fn require_operator(&self) -> Result<(), ControlError> {
        match self {
            Self::Operator | Self::System => Ok(()),
            Self::Account { .. } | Self::Administrator { .. } | Self::BreakGlass { .. } => {
                Err(ControlError::Denied)
            }
        }
    }

    /// Who administers this tenant, or whoever runs the machine.
    pub(crate) fn require_administrator(&self, wanted: TenantId) -> Result<(), ControlError> {
        match self {
            Self::Operator | Self::System => Ok(()),
            Self::Administrator { tenant, .. } if *tenant == wanted => Ok(()),
            Self::Account { .. } | Self::Administrator { .. } | Self::BreakGlass { .. } => {
                Err(ControlError::Denied)
            }
        }
    }

    /// Whether it is this very account.
    pub(crate) fn is_account(&self, account: AccountId) -> bool {
        matches!(self, Self::Account { id, .. } | Self::Administrator { id, .. } if *id == account)
    }

    /// This very account of this tenant, who administers the tenant, or whoever runs the machine.
    pub(crate) fn require_self_or_administrator(
        &self,
        tenant: TenantId,
        account: Option<AccountId>,
    ) -> Result<(), ControlError> {
        self.require_administrator(tenant).or_else(|_| self.require_self_or_operator(tenant, account))
    }

    /// This very account of this tenant, or whoever runs the machine.
    pub(crate) fn require_self_or_operator(
        &self,
        tenant: TenantId,
        account: Option<AccountId>,
    ) -> Result<(), ControlError> {
        match self {
            Self::Account { id, tenant: own } | Self::Administrator { id, tenant: own }
                if *own != tenant || Some(*id) != account =>
            {
                Err(ControlError::Denied)
            }
            Self::BreakGlass { .. } => Err(ControlError::Denied),
            Self::Account { .. } | Self::Administrator { .. } | Self::Operator | Self::System => Ok(()),
        }
    }

    /// An account of this tenant, or whoever runs the machine.
    pub(crate) fn require_tenant(&self, wanted: TenantId) -> Result<(), ControlError> {
        match self {
            Self::Account { tenant, .. } | Self::Administrator { tenant, .. } if *tenant != wanted => {
                Err(ControlError::Denied)
            }
            Self::BreakGlass { .. } => Err(ControlError::Denied),
            Self::Account { .. } | Self::Administrator { .. } | Self::Operator | Self::System => Ok(()),
        }
    }
}
