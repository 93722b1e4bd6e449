//! Local accounts. An e-mail address is unique in the deployment, so the system file lists its index; the account
//! itself, its password's hash and its grants lie in its tenant's file. [`person`] is how address and name are kept,
//! [`roster`] how accounts are listed, and [`standing`] how they are disabled and enabled.

pub(crate) mod person;
pub(crate) mod roster;
pub(crate) mod sealing;
pub(crate) mod standing;

use std::fmt;

use kernel::{AccountId, Grant, Role, StudyId, TenantId};

use crate::actor::Actor;
use crate::control::Control;
use crate::error::{ControlError, corrupt, storage};
use crate::fresh;
use crate::grants::give;
use crate::identity::Password;
use crate::instant::timestamp;
use crate::keys::SubjectKeys;
use crate::keys::envelope::Secret;
use crate::ledger::{AuditAction, Event, Personal, Resource};
use crate::order::Order;
use crate::store::{Connection, SystemTx, TenantTx};
use crate::text::require_text;
use crate::unblinding::refuse_without_reason;
use person::{Kept, Person};

const STEP: &str = "create the account";

/// An account to be created.
#[derive(Clone)]
pub struct NewAccount {
    /// Its e-mail address, unique in the deployment whatever the case of its letters.
    pub email: String,
    /// Its password, of at least 12 characters; none for a machine, and for who signs in through a provider.
    pub password: Option<String>,
    /// Its name, to show.
    pub display_name: String,
    /// What it may do.
    pub grants: Vec<Grant>,
}

impl fmt::Debug for NewAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewAccount").field("grants", &self.grants).finish_non_exhaustive()
    }
}

/// An e-mail address, in the form in which it is compared.
pub(crate) struct Email(String);

impl Email {
    pub(crate) fn parse(text: &str) -> Result<Self, ControlError> {
        let text = text.trim().to_lowercase();
        let parts = text.split_once('@');
        let plain = !text.chars().any(|letter| letter.is_whitespace() || letter.is_control());
        let whole =
            parts.is_some_and(|(name, host)| !name.is_empty() && !host.is_empty() && !host.contains('@'));
        if whole && plain && text.len() <= 254 { Ok(Self(text)) } else { Err(ControlError::InvalidEmail) }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// An account as it is stored.
pub(crate) struct AccountRow {
    pub(crate) id: AccountId,
    kept: Kept,
    pub(crate) password_hash: String,
    pub(crate) enabled: bool,
}

/// An account that is about to be stored.
struct Row {
    id: AccountId,
    person: Person,
    /// The index of its address.
    indexed: String,
    password_hash: String,
}

impl Control {
    /// Creates an account in a tenant. For who administers it.
    ///
    /// # Errors
    /// [`ControlError::EmailTaken`] when the address is in use anywhere in the deployment, and what is wrong
    /// with the address, the password or the name; [`crate::GovernedError::UnblindingReason`] for the role `unblinded`.
    pub async fn create_account(
        &self,
        order: impl Into<Order<'_>>,
        tenant: TenantId,
        account: NewAccount,
    ) -> Result<AccountId, ControlError> {
        let order = order.into();
        order.actor.require_administrator(tenant)?;
        order.require_reason()?;
        let email = Email::parse(&account.email)?;
        require_text("display name", &account.display_name, 200)?;
        refuse_without_reason(&account.grants)?;
        let password_hash = match account.password {
            Some(password) => self.passwords().hash(Password::new(password)?).await?,
            None => String::new(),
        };
        let row = Row {
            id: AccountId::from_uuid(fresh::uuid(self.clock().now())?),
            indexed: self.index().email(email.as_str()),
            person: Person { email: email.0, display_name: account.display_name },
            password_hash,
        };

        // The two files cannot commit together. The address is set aside first, while the tenant's file is
        // already locked: a crash in between leaves an address without an account, which `free_address` sees
        // and takes back. Without the lock, it could not tell that from a creation that is under way.
        let mut system = self.store().system().begin().await?;
        self.free_address(&mut system, &row.indexed).await?;
        reserve_address(&mut system, tenant, &row).await?;
        let mut tx = self.store().tenant(tenant).await?.begin().await?;
        let granted = grants_in_words(&account.grants);
        let now = tx.now();
        let key = self.subject_keys().create(tenant, row.id, now)?;
        insert_account(&mut tx, (tenant, &row), &key.secret, (account.grants, order.by())).await?;
        let resource = Resource::account(row.id);
        let reserved = order.event(AuditAction::AccountEmailReserved, resource.clone());
        let Person { email, display_name } = &row.person;
        let fields = [("display_name", display_name.as_str()), ("email", email.as_str())];
        let personal = Personal { account: row.id, key: key.secret, fields: &fields };
        let created = order.event(AuditAction::AccountCreated, resource).with("grants", granted);
        let created = personal.beside(&mut tx, created, now).await?;
        let mut created = tx.record(created).await?;
        if let Some(made) = key.made {
            let resource = Resource::data_key(made);
            created =
                created.and(Event::success(AuditAction::DataKeyCreated, &Actor::System, resource)).await?;
        }
        system.record(reserved.with("tenant", tenant.to_string())).await?.commit().await?;
        created.commit().await?;
        Ok(row.id)
    }

    /// Refuses an address that an account holds, and takes back one that a crash left without an account.
    async fn free_address(&self, system: &mut SystemTx, indexed: &str) -> Result<(), ControlError> {
        let listed: Option<(String, String)> =
            sqlx::query_as("SELECT tenant_id, account_id FROM account_directory WHERE email = $1")
                .bind(indexed)
                .fetch_optional(system.connection())
                .await
                .map_err(storage(STEP))?;
        let Some((tenant, account)) = listed else { return Ok(()) };
        let tenant: TenantId = tenant.parse().map_err(corrupt("tenant id"))?;
        let account: AccountId = account.parse().map_err(corrupt("account id"))?;
        let mut holder = self.store().tenant(tenant).await?.begin().await?;
        if AccountRow::find(holder.connection(), account).await?.is_some() {
            return Err(ControlError::EmailTaken);
        }
        sqlx::query("DELETE FROM account_directory WHERE email = $1")
            .bind(indexed)
            .execute(system.connection())
            .await
            .map(|_| ())
            .map_err(storage(STEP))
    }
}

impl AccountRow {
    /// Whether what was known of it is destroyed.
    pub(crate) fn is_erased(&self) -> bool {
        matches!(self.kept, Kept::Erased { .. })
    }

    /// Who it belongs to.
    pub(crate) fn person(&self, keys: &SubjectKeys, tenant: TenantId) -> Result<Person, ControlError> {
        self.kept.open(keys, (tenant, self.id))
    }

    /// The account of that id in the tenant whose file is connected.
    pub(crate) async fn find(
        connection: &mut Connection,
        id: AccountId,
    ) -> Result<Option<Self>, ControlError> {
        type Columns = (String, Option<Vec<u8>>, Option<Vec<u8>>, String, i64);
        let found: Option<Columns> = sqlx::query_as(
            "SELECT email, email_sealed, display_name_sealed, password_hash, enabled FROM accounts
             WHERE account_id = $1",
        )
        .bind(id.to_string())
        .fetch_optional(connection)
        .await
        .map_err(storage("read the account"))?;
        let Some((email, email_sealed, name_sealed, password_hash, enabled)) = found else { return Ok(None) };
        let kept = Kept::read(email, (email_sealed, name_sealed))?;
        Ok(Some(Self { id, kept, password_hash, enabled: enabled == 1 }))
    }

    /// What the account was granted.
    pub(crate) async fn grants(&self, connection: &mut Connection) -> Result<Vec<Grant>, ControlError> {
        let rows: Vec<(String, Option<String>)> = sqlx::query_as(
            "SELECT role, study_id FROM grants WHERE account_id = $1 ORDER BY role, study_id NULLS FIRST",
        )
        .bind(self.id.to_string())
        .fetch_all(connection)
        .await
        .map_err(storage("read the account's grants"))?;
        rows.into_iter().map(read_grant).collect()
    }
}

/// Grants as the ledger and lists say them: `role@study`, with `*` for every study.
pub(crate) fn grants_in_words(grants: &[Grant]) -> String {
    let in_words = |grant: &Grant| {
        format!("{}@{}", grant.role.name(), grant.study.as_ref().map_or("*", |study| study.as_str()))
    };
    if grants.is_empty() {
        "none".to_owned()
    } else {
        grants.iter().map(in_words).collect::<Vec<_>>().join(" ")
    }
}

pub(crate) fn read_grant((role, study): (String, Option<String>)) -> Result<Grant, ControlError> {
    let role = Role::from_name(&role).ok_or(()).map_err(corrupt("role"))?;
    let study = study.map(StudyId::try_from).transpose().map_err(corrupt("study id"))?;
    Ok(Grant { role, study })
}

async fn reserve_address(system: &mut SystemTx, tenant: TenantId, row: &Row) -> Result<(), ControlError> {
    let now = timestamp(system.now());
    sqlx::query(
        "INSERT INTO account_directory (email, tenant_id, account_id, reserved_at) VALUES ($1, $2, $3, $4)",
    )
    .bind(&row.indexed)
    .bind(tenant.to_string())
    .bind(row.id.to_string())
    .bind(now)
    .execute(system.connection())
    .await
    .map(|_| ())
    .map_err(storage(STEP))
}

async fn insert_account(
    tx: &mut TenantTx,
    (tenant, row): (TenantId, &Row),
    key: &Secret,
    (grants, granted_by): (Vec<Grant>, String),
) -> Result<(), ControlError> {
    let now = timestamp(tx.now());
    let (email, display_name) = row.person.seal(key, (tenant, row.id))?;
    sqlx::query(
        "INSERT INTO accounts (account_id, email, display_name, email_sealed, display_name_sealed, password_hash,
                               enabled, created_at)
         VALUES ($1, $2, '', $3, $4, $5, 1, $6)",
    )
    .bind(row.id.to_string())
    .bind(&row.indexed)
    .bind(email)
    .bind(display_name)
    .bind(&row.password_hash)
    .bind(&now)
    .execute(tx.connection())
    .await
    .map_err(storage(STEP))?;
    for grant in grants {
        give(tx, row.id, &grant, &granted_by).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_email(text: &str, expected: Option<&str>) {
        assert_eq!(Email::parse(text).ok().map(|email| email.0).as_deref(), expected, "{text:?}");
    }

    #[test]
    fn an_address_has_one_form() {
        check_email(" Ada@Example.ORG ", Some("ada@example.org"));
        check_email("ada", None);
        check_email("@example.org", None);
        check_email("ada@", None);
        check_email("a@b@c", None);
        check_email("a b@example.org", None);
        check_email(&format!("{}@example.org", "x".repeat(250)), None);
    }
}
