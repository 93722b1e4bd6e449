//! Who acts.

use kernel::{AccountId, TenantId};

use crate::error::ControlError;

/// Who does something. An account acts inside its own tenant alone; the operator and the program act anywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    /// A logged-in account.
    Account {
        /// Whose.
        id: AccountId,
        /// In which tenant.
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
            Self::Account { .. } | Self::BreakGlass { .. } => Err(ControlError::Denied),
        }
    }

    /// This very account of this tenant, or whoever runs the machine.
    pub(crate) fn require_self_or_operator(
        &self,
        tenant: TenantId,
        account: Option<AccountId>,
    ) -> Result<(), ControlError> {
        match self {
            Self::Account { id, tenant: own } if *own != tenant || Some(*id) != account => {
                Err(ControlError::Denied)
            }
            Self::BreakGlass { .. } => Err(ControlError::Denied),
            Self::Account { .. } | Self::Operator | Self::System => Ok(()),
        }
    }

    /// An account of this tenant, or whoever runs the machine.
    pub(crate) fn require_tenant(&self, wanted: TenantId) -> Result<(), ControlError> {
        match self {
            Self::Account { tenant, .. } if *tenant != wanted => Err(ControlError::Denied),
            Self::BreakGlass { .. } => Err(ControlError::Denied),
            Self::Account { .. } | Self::Operator | Self::System => Ok(()),
        }
    }
}
