//! Reasons that may speak of a person. The leaf, which stays for ever, holds a commitment to the text; the text lies
//! encrypted beside it under the key of the account that it is about, and goes when that account is erased.

use kernel::AccountId;

use crate::control::Control;
use crate::error::ControlError;
use crate::keys::envelope::Secret;
use crate::ledger::{Event, Personal};
use crate::store::TenantTx;
use crate::text::require_text;

/// The longest reason, in characters.
const LONGEST: usize = 500;

/// Refuses a reason that says nothing, or is too long for whoever reads it.
pub(crate) fn require_reason(text: &str) -> Result<(), ControlError> {
    require_text("reason", text, LONGEST)
}

impl Control {
    /// The key of an account that is in use.
    ///
    /// # Errors
    /// [`ControlError::Denied`] for one that was erased.
    pub(crate) fn key_of(&self, account: AccountId) -> Result<Secret, ControlError> {
        self.subject_keys().open(account)?.ok_or(ControlError::Denied)
    }

    /// The event, committed to a reason that is about `account`.
    pub(crate) async fn with_reason(
        &self,
        tx: &mut TenantTx,
        event: Event,
        account: AccountId,
        reason: &str,
    ) -> Result<Event, ControlError> {
        let personal = Personal { account, key: self.key_of(account)?, fields: &[("reason", reason)] };
        let now = tx.now();
        personal.beside(tx, event, now).await
    }
}
