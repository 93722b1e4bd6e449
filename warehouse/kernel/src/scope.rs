//! Access is a value. Code that touches study data takes a [`StudyScope`], and only [`Grants::scope`]
//! makes one. "Not yours" and "not there" are the same answer: [`Denied`].

use std::marker::PhantomData;

use serde::{Deserialize, Serialize};

use crate::{StudyId, TenantId};

/// The caller may not do this here, or there is nothing here: the two are not told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is no such study for this account")]
pub struct Denied;

/// What an account is for. A role decides which actions its grants allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Loads studies and builds marts; reads everything it builds.
    DataEngineer,
    /// Reads published tables.
    Researcher,
}

impl Role {
    /// Every role, in the order in which people are offered them.
    pub const ALL: [Self; 2] = [Self::DataEngineer, Self::Researcher];

    /// The role's name in configuration, tokens and the ledger.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::DataEngineer => "data_engineer",
            Self::Researcher => "researcher",
        }
    }

    /// The role of that name, if there is one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    const fn allows(self, action: ActionKind) -> bool {
        match action {
            ActionKind::Read => true,
            ActionKind::Build => matches!(self, Self::DataEngineer),
        }
    }
}

/// The kinds of action a scope can prove.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActionKind {
    /// Reading published tables.
    Read,
    /// Landing files, building tables and publishing snapshots.
    Build,
}

/// An action as a type, so that a reader's scope cannot build.
pub trait Action: private::Sealed + Copy + Send + Sync + 'static {
    /// The same action as a value.
    const KIND: ActionKind;
}

/// Reading published tables.
#[derive(Debug, Clone, Copy)]
pub struct Read;

/// Landing files, building tables and publishing snapshots.
#[derive(Debug, Clone, Copy)]
pub struct Build;

impl Action for Read {
    const KIND: ActionKind = ActionKind::Read;
}

impl Action for Build {
    const KIND: ActionKind = ActionKind::Build;
}

mod private {
    pub trait Sealed {}
    impl Sealed for super::Read {}
    impl Sealed for super::Build {}
}

/// One role in one study, or in every study of the tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// What the account may do.
    pub role: Role,
    /// Where; `None` is every study of the tenant.
    pub study: Option<StudyId>,
}

/// Everything one account may do in its tenant.
#[derive(Debug, Clone)]
pub struct Grants {
    tenant: TenantId,
    grants: Vec<Grant>,
}

impl Grants {
    /// The grants that the control plane found for an account.
    ///
    /// INVARIANT: called by the gate in `server/control` alone; `tests/tests/tidy.rs` holds it.
    #[must_use]
    pub const fn from_gate(tenant: TenantId, grants: Vec<Grant>) -> Self {
        Self { tenant, grants }
    }

    /// The tenant these grants belong to.
    #[must_use]
    pub const fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// Proof that the caller may do `A` in `study`.
    ///
    /// # Errors
    /// [`Denied`] when no grant allows it.
    pub fn scope<A: Action>(&self, study: &StudyId) -> Result<StudyScope<A>, Denied> {
        let allows = |grant: &Grant| {
            grant.role.allows(A::KIND) && grant.study.as_ref().is_none_or(|granted| granted == study)
        };
        if self.grants.iter().any(allows) {
            Ok(StudyScope { tenant: self.tenant, study: study.clone(), action: PhantomData })
        } else {
            Err(Denied)
        }
    }

    /// Whether a grant allows `A` in every study of the tenant.
    #[must_use]
    pub fn allow_everywhere<A: Action>(&self) -> bool {
        self.grants.iter().any(|grant| grant.study.is_none() && grant.role.allows(A::KIND))
    }

    /// Whether any grant allows `A` in some study.
    #[must_use]
    pub fn allow_anywhere<A: Action>(&self) -> bool {
        self.grants.iter().any(|grant| grant.role.allows(A::KIND))
    }
}

/// Proof that the caller may do `A` in one study. Only [`Grants::scope`] makes one.
#[derive(Debug, Clone)]
pub struct StudyScope<A> {
    tenant: TenantId,
    study: StudyId,
    action: PhantomData<A>,
}

impl<A: Action> StudyScope<A> {
    /// The tenant whose data this scope opens.
    #[must_use]
    pub const fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// The study whose data this scope opens.
    #[must_use]
    pub const fn study(&self) -> &StudyId {
        &self.study
    }
}

impl StudyScope<Build> {
    /// Who builds may read what was built.
    #[must_use]
    pub fn to_read(&self) -> StudyScope<Read> {
        StudyScope { tenant: self.tenant, study: self.study.clone(), action: PhantomData }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn study(code: &str) -> StudyId {
        code.parse().expect("the code is valid")
    }

    fn grants(role: Role, granted: Option<&str>) -> Grants {
        let grant = Grant { role, study: granted.map(study) };
        Grants::from_gate(TenantId::from_uuid(Uuid::nil()), vec![grant])
    }

    #[test]
    fn a_researcher_reads_and_does_not_build() {
        let grants = grants(Role::Researcher, None);
        assert!(grants.scope::<Read>(&study("A")).is_ok());
        assert!(matches!(grants.scope::<Build>(&study("A")), Err(Denied)));
    }

    #[test]
    fn a_grant_for_one_study_opens_no_other() {
        let grants = grants(Role::DataEngineer, Some("A"));
        assert!(grants.scope::<Build>(&study("A")).is_ok());
        assert!(matches!(grants.scope::<Read>(&study("B")), Err(Denied)));
    }

    #[test]
    fn every_role_is_found_by_its_name() {
        for role in Role::ALL {
            assert_eq!(Role::from_name(role.name()), Some(role));
        }
        assert_eq!(Role::from_name("root"), None);
    }
}
