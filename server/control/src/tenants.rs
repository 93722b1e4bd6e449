//! Tenants: the organisations of the deployment. [`overview`] is what there is of one, and [`standing`] whether it is in use.

pub(crate) mod overview;
pub(crate) mod standing;

use kernel::TenantId;

use crate::actor::Actor;
use crate::control::Control;
use crate::error::{ControlError, corrupt, storage};
use crate::fresh;
use crate::gate::Principal;
use crate::instant::timestamp;
use crate::ledger::{AuditAction, Event, Resource};
use crate::text::require_text;

/// One organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    /// Its id.
    pub id: TenantId,
    /// Its short name, for addresses and commands.
    pub slug: String,
    /// Its name, to show.
    pub name: String,
}

impl Control {
    /// Creates a tenant and its log. For the operator.
    ///
    /// # Errors
    /// [`ControlError::SlugTaken`] when another tenant has the short name, and what is wrong with the names.
    pub async fn create_tenant(&self, actor: &Actor, slug: &str, name: &str) -> Result<Tenant, ControlError> {
        const STEP: &str = "create the tenant";
        actor.require_operator()?;
        if !is_slug(slug) {
            return Err(ControlError::InvalidSlug { slug: slug.to_owned() });
        }
        require_text("tenant's name", name, 200)?;
        let mut tx = self.store().system().begin().await?;
        let id = TenantId::from_uuid(fresh::uuid(tx.now())?);
        let now = timestamp(tx.now());
        let added = sqlx::query(
            "INSERT INTO tenants (tenant_id, slug, name, created_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT (slug) DO NOTHING",
        )
        .bind(id.to_string())
        .bind(slug)
        .bind(name)
        .bind(now)
        .execute(tx.connection())
        .await
        .map_err(storage(STEP))?;
        if added.rows_affected() == 0 {
            return Err(ControlError::SlugTaken { slug: slug.to_owned() });
        }
        // The tenant's log comes before the commit: without its row among the tenants it is never opened,
        // whereas a row without a log would be a tenant that cannot be read.
        let at = tx.now();
        let data_key = self.data_keys().draw(id, at)?;
        let event = Event::success(AuditAction::TenantCreated, actor, Resource::tenant(id))
            .with("data_key", data_key.id.to_string())
            .with("slug", slug);
        let recorded = tx.record(event.clone()).await?;
        self.store().create_tenant_log(id, event).await?;
        self.data_keys().keep(&data_key, at)?;
        recorded.commit().await?;
        Ok(Tenant { id, slug: slug.to_owned(), name: name.to_owned() })
    }

    /// Every tenant, by short name. For the operator.
    ///
    /// # Errors
    /// [`ControlError::Denied`] for an account.
    pub async fn tenants(&self, actor: &Actor) -> Result<Vec<Tenant>, ControlError> {
        actor.require_operator()?;
        let rows: Vec<(String, String, String)> =
            sqlx::query_as("SELECT tenant_id, slug, name FROM tenants ORDER BY slug")
                .fetch_all(&mut *self.store().system().view().await?)
                .await
                .map_err(storage("list the tenants"))?;
        rows.into_iter().map(read_tenant).collect()
    }

    /// The tenant of a short name. An account finds its own alone.
    ///
    /// # Errors
    /// [`ControlError::Denied`] when there is none.
    pub async fn tenant_by_slug(&self, actor: &Actor, slug: &str) -> Result<Tenant, ControlError> {
        let row: Option<(String, String, String)> =
            sqlx::query_as("SELECT tenant_id, slug, name FROM tenants WHERE slug = $1")
                .bind(slug)
                .fetch_optional(&mut *self.store().system().view().await?)
                .await
                .map_err(storage("look the tenant up"))?;
        let tenant = read_tenant(row.ok_or(ControlError::Denied)?)?;
        actor.require_tenant(tenant.id)?;
        Ok(tenant)
    }

    /// The tenant that an account belongs to.
    ///
    /// # Errors
    /// [`ControlError::Denied`] when it is gone.
    pub async fn tenant_of(&self, principal: &Principal) -> Result<Tenant, ControlError> {
        let row: Option<(String, String, String)> =
            sqlx::query_as("SELECT tenant_id, slug, name FROM tenants WHERE tenant_id = $1")
                .bind(principal.tenant().to_string())
                .fetch_optional(&mut *self.store().system().view().await?)
                .await
                .map_err(storage("look the tenant up"))?;
        read_tenant(row.ok_or(ControlError::Denied)?)
    }

    /// The ids of every tenant, in their order.
    pub(crate) async fn tenant_ids(&self) -> Result<Vec<TenantId>, ControlError> {
        let ids: Vec<String> = sqlx::query_scalar("SELECT tenant_id FROM tenants ORDER BY tenant_id")
            .fetch_all(&mut *self.store().system().view().await?)
            .await
            .map_err(storage("list the tenants"))?;
        ids.iter().map(|id| id.parse().map_err(corrupt("tenant id"))).collect()
    }
}

fn read_tenant((id, slug, name): (String, String, String)) -> Result<Tenant, ControlError> {
    Ok(Tenant { id: id.parse().map_err(corrupt("tenant id"))?, slug, name })
}

fn is_slug(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    text.starts_with(|first: char| first.is_ascii_lowercase()) && text.len() <= 40 && text.bytes().all(plain)
}
