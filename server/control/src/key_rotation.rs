//! Renewing the keys that protect stored values, and telling of them.

use kernel::{AccountId, TenantId};
use uuid::Uuid;

use crate::actor::Actor;
use crate::control::Control;
use crate::error::{ControlError, corrupt, storage};
use crate::keys::DataKeyRow;
use crate::ledger::{AuditAction, Event, Resource};

/// What a rotation came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotation {
    /// The data key that seals from now on.
    pub active: Uuid,
    /// How many accounts' keys were sealed under it.
    pub keys: u64,
    /// The data keys that seal nothing any more, and are destroyed.
    pub destroyed: Vec<Uuid>,
}

impl Control {
    /// The data keys of every tenant. For the operator.
    ///
    /// # Errors
    /// [`ControlError::Denied`] for everybody else, and when they cannot be read.
    pub fn list_data_keys(&self, actor: &Actor) -> Result<Vec<DataKeyRow>, ControlError> {
        actor.require_operator()?;
        self.data_keys().list()
    }

    /// Makes a new data key for a tenant and seals its accounts' keys and its webhooks' secrets under it. For the operator.
    ///
    /// # Errors
    /// [`ControlError::Denied`] when there is no such tenant.
    pub async fn rotate_data_key(&self, actor: &Actor, tenant: TenantId) -> Result<Rotation, ControlError> {
        actor.require_operator()?;
        let tx = self.store().tenant(tenant).await?.begin().await?;
        let now = tx.now();
        let key = self.data_keys().draw(tenant, now)?;
        let event = Event::success(AuditAction::DataKeyRotated, actor, Resource::data_key(key.id));
        // Files do not take part in the transaction: the record comes first, so that no key is in use without one.
        tx.record(event).await?.commit().await?;
        self.data_keys().keep(&key, now)?;
        self.finish_rotation(actor, tenant).await
    }

    /// Finishes a rotation that was cut off; when there was none, nothing changes. For the operator.
    ///
    /// # Errors
    /// As [`Control::rotate_data_key`].
    pub async fn finish_rotation(&self, actor: &Actor, tenant: TenantId) -> Result<Rotation, ControlError> {
        const STEP: &str = "list the accounts";
        actor.require_operator()?;
        // Before the keys go under which they are sealed.
        self.reseal_webhooks(tenant).await?;
        let mut tx = self.store().tenant(tenant).await?.begin().await?;
        let accounts: Vec<String> = sqlx::query_scalar("SELECT account_id FROM accounts ORDER BY account_id")
            .fetch_all(tx.connection())
            .await
            .map_err(storage(STEP))?;
        let accounts: Result<Vec<AccountId>, _> = accounts.iter().map(|id| id.parse()).collect();
        let accounts = accounts.map_err(corrupt("account id"))?;
        let again = self.subject_keys().wrap_again(tenant, &accounts, tx.now())?;
        let (active, _) = self.data_keys().active(tenant, tx.now())?;
        let mut destroyed = again
            .superseded
            .iter()
            .map(|id| Event::success(AuditAction::DataKeyDestroyed, actor, Resource::data_key(*id)));
        if let Some(first) = destroyed.next() {
            let mut recorded = tx.record(first).await?;
            for event in destroyed {
                recorded = recorded.and(event).await?;
            }
            recorded.commit().await?;
        }
        // A key that outlives its record for a moment is destroyed by finishing once more.
        for id in &again.superseded {
            self.data_keys().destroy(*id)?;
        }
        Ok(Rotation { active: active.id, keys: again.keys, destroyed: again.superseded })
    }

    /// Wraps every data key by the provider's present master key; returns how many. For the operator, after the
    /// master key was replaced, and, opened with [`crate::ControlSettings::keys_before`], to move them to another provider.
    /// Cut off anywhere, it leaves every data key readable by one of the two, and is finished by doing it again.
    ///
    /// # Errors
    /// [`ControlError::Denied`] for everybody else; [`ControlError::Keys`] when the provider refuses.
    pub async fn rotate_master_key(&self, actor: &Actor) -> Result<u64, ControlError> {
        actor.require_operator()?;
        let tx = self.store().system().begin().await?;
        let resource = Resource::new("master_key", self.data_keys().master());
        let event = Event::success(AuditAction::MasterKeyRotated, actor, resource);
        let data_keys = self.data_keys().list()?.len();
        let event = event.with("provider", self.data_keys().provider());
        tx.record(event.with("data_keys", data_keys.to_string())).await?.commit().await?;
        self.data_keys().wrap_again()
    }
}
