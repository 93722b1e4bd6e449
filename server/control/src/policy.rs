//! What an account's roles permit. The decisions are those of Cedar over `policies.cedar`, which is checked against
//! `policies.cedarschema` when the program starts; what no policy permits is denied.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::str::FromStr;
use std::sync::Arc;

use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityId, EntityTypeName, EntityUid, PolicySet, Request,
    RestrictedExpression, Schema,
};
use kernel::{AccountId, ActionKind, Grant, Permission, Role, StudyId, TenantId};

use crate::actor::Actor;
use crate::error::{ControlError, storage};
use crate::ledger::{AuditAction, Event, Log, hex_sha256};
use crate::store::Store;

const POLICIES: &str = include_str!("policies.cedar");
const SCHEMA: &str = include_str!("policies.cedarschema");

/// The policies in force.
#[derive(Debug, Clone)]
pub(crate) struct Policies {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    authorizer: Authorizer,
    policies: PolicySet,
    schema: Schema,
}

/// What a decision is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Resource<'a> {
    /// A tenant with all its studies.
    Tenant(TenantId),
    /// One study of a tenant.
    Study(TenantId, &'a StudyId),
}

/// Who asks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asker<'a> {
    pub(crate) tenant: TenantId,
    pub(crate) account: AccountId,
    pub(crate) grants: &'a [Grant],
    /// The studies that it may read in an emergency, at this moment.
    pub(crate) emergencies: &'a [StudyId],
}

impl Policies {
    /// The policies of this program.
    pub(crate) fn load() -> Self {
        // INVARIANT: both texts are part of the program, and a test checks them.
        let (schema, _) = Schema::from_cedarschema_str(SCHEMA).expect("the schema is valid");
        let policies = PolicySet::from_str(POLICIES).expect("the policies are valid");
        Self { inner: Arc::new(Inner { authorizer: Authorizer::new(), policies, schema }) }
    }

    /// The hash of the policies' text, by which the ledger names them.
    pub(crate) fn sha256() -> String {
        hex_sha256(POLICIES.as_bytes())
    }

    /// Everything that an account may do in its tenant: for the tenant as a whole, and for each study in which it
    /// has a role of its own.
    pub(crate) fn permissions(&self, asker: &Asker<'_>) -> Vec<Permission> {
        let granted = asker.grants.iter().filter_map(|grant| grant.study.as_ref());
        let studies: BTreeSet<&StudyId> = granted.chain(asker.emergencies).collect();
        let mut permissions = Vec::new();
        for study in std::iter::once(None).chain(studies.into_iter().map(Some)) {
            let resource =
                study.map_or(Resource::Tenant(asker.tenant), |study| Resource::Study(asker.tenant, study));
            let allowed = ActionKind::ALL.into_iter().filter(|action| self.allow(asker, *action, resource));
            permissions.extend(allowed.map(|action| Permission { action, study: study.cloned() }));
        }
        permissions
    }

    /// One decision. Whatever cannot be asked, such as administering a study, is denied.
    pub(crate) fn allow(&self, asker: &Asker<'_>, action: ActionKind, resource: Resource<'_>) -> bool {
        let Inner { authorizer, policies, schema } = self.inner.as_ref();
        let ids = (account_id(asker.account), uid("Action", action.name()), resource.id());
        let Ok(request) = Request::new(ids.0, ids.1, ids.2, Context::empty(), Some(schema)) else {
            return false;
        };
        let entities = Entities::from_entities([asker.entity(), resource.entity()], Some(schema))
            // INVARIANT: the two have the attributes that the schema names; a test asks with each of them.
            .expect("the entities fit the schema");
        authorizer.is_authorized(&request, policies, &entities).decision() == Decision::Allow
    }
}

impl Asker<'_> {
    fn entity(&self) -> Entity {
        let roles = self.grants.iter().filter(|grant| grant.study.is_none()).map(|grant| text(grant.role));
        let study_role = |grant: &Grant| {
            let study = grant.study.as_ref()?;
            let study = RestrictedExpression::new_entity_uid(study_id(self.tenant, study));
            let fields = [("study".to_owned(), study), ("role".to_owned(), text(grant.role))];
            // INVARIANT: the two names differ.
            Some(RestrictedExpression::new_record(fields).expect("no field is named twice"))
        };
        let attributes = HashMap::from([
            ("tenant".to_owned(), RestrictedExpression::new_entity_uid(tenant_id(self.tenant))),
            ("roles".to_owned(), RestrictedExpression::new_set(roles)),
            (
                "study_roles".to_owned(),
                RestrictedExpression::new_set(self.grants.iter().filter_map(study_role)),
            ),
        ]);
        let emergencies = self.emergencies.iter();
        let emergencies =
            emergencies.map(|study| RestrictedExpression::new_entity_uid(study_id(self.tenant, study)));
        let mut attributes = attributes;
        attributes.insert("emergencies".to_owned(), RestrictedExpression::new_set(emergencies));
        entity(account_id(self.account), attributes)
    }
}

impl Resource<'_> {
    fn id(self) -> EntityUid {
        match self {
            Self::Tenant(tenant) => tenant_id(tenant),
            Self::Study(tenant, study) => study_id(tenant, study),
        }
    }

    fn entity(self) -> Entity {
        let (Self::Tenant(tenant) | Self::Study(tenant, _)) = self;
        let tenant = RestrictedExpression::new_entity_uid(tenant_id(tenant));
        entity(self.id(), HashMap::from([("tenant".to_owned(), tenant)]))
    }
}

fn entity(id: EntityUid, attributes: HashMap<String, RestrictedExpression>) -> Entity {
    // INVARIANT: only extension functions fail to evaluate, and there are none.
    Entity::new(id, attributes, HashSet::new()).expect("literals evaluate to themselves")
}

fn text(role: Role) -> RestrictedExpression {
    RestrictedExpression::new_string(role.name().to_owned())
}

fn tenant_id(tenant: TenantId) -> EntityUid {
    uid("Tenant", &tenant.to_string())
}

/// Two tenants may have a study of one code.
fn study_id(tenant: TenantId, study: &StudyId) -> EntityUid {
    uid("Study", &format!("{tenant}/{study}"))
}

fn account_id(account: AccountId) -> EntityUid {
    uid("Account", &account.to_string())
}

fn uid(kind: &str, id: &str) -> EntityUid {
    // INVARIANT: the kinds are literals of this file.
    let kind = EntityTypeName::from_str(&format!("Cairn::{kind}")).expect("the kind is a name");
    EntityUid::from_type_name_and_id(kind, EntityId::new(id))
}

/// Records which policies are in force, where the ledger's last word names others.
pub(crate) async fn announce_policies(store: &Store) -> Result<(), ControlError> {
    let sha256 = Policies::sha256();
    let mut tx = store.system().begin().await?;
    let known: Option<String> = sqlx::query_scalar(
        "SELECT resource_id FROM audit_events WHERE log = $1 AND action = $2 ORDER BY seq DESC LIMIT 1",
    )
    .bind(Log::System.origin())
    .bind(AuditAction::PoliciesRegistered.name())
    .fetch_optional(tx.connection())
    .await
    .map_err(storage("look up the policies in force"))?;
    if known.as_deref() == Some(&sha256) {
        return Ok(());
    }
    let resource = crate::ledger::Resource::new("policies", sha256);
    tx.record(Event::success(AuditAction::PoliciesRegistered, &Actor::System, resource)).await?.commit().await
}

#[cfg(test)]
mod tests;
