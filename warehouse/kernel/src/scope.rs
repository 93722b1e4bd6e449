//! Access is a value. Code that touches study data takes a [`StudyScope`], and only [`Grants::scope`]
//! makes one. "Not yours" and "not there" are the same answer: [`Denied`].

use std::marker::PhantomData;

use serde::{Deserialize, Serialize};

use crate::{StudyId, TenantId};

/// The caller may not do this here, or there is nothing here: the two are not told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is no such study for this account")]
pub struct Denied;

/// What an account is for. Which actions a role allows is the business of the control plane's policies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Keeps accounts and their grants; sees no trial data.
    Administrator,
    /// Loads studies and builds marts; reads everything it builds.
    DataEngineer,
    /// Reads dashboards and the rows behind them, as a clinical team does.
    Clinical,
    /// Reads published tables.
    Researcher,
    /// Reads what a dataset would hold and the ledger, to judge what may leave.
    Steward,
    /// Reads the ledger, and no trial data.
    Auditor,
    /// Adds treatment arms to what another role may read in a blinded study.
    Unblinded,
}

impl Role {
    /// Every role, in the order in which people are offered them.
    pub const ALL: [Self; 7] = [
        Self::Administrator,
        Self::DataEngineer,
        Self::Clinical,
        Self::Researcher,
        Self::Steward,
        Self::Auditor,
        Self::Unblinded,
    ];

    /// The role's name in configuration, tokens and the ledger.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Administrator => "administrator",
            Self::DataEngineer => "data_engineer",
            Self::Clinical => "clinical",
            Self::Researcher => "researcher",
            Self::Steward => "steward",
            Self::Auditor => "auditor",
            Self::Unblinded => "unblinded",
        }
    }

    /// The role of that name, if there is one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

/// The kinds of action that can be permitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ActionKind {
    /// Reading published tables.
    Read,
    /// Landing files, building tables and publishing snapshots.
    Build,
    /// Seeing who gets which treatment, where that is hidden.
    Unblind,
    /// Reading the ledger.
    Audit,
    /// Keeping accounts and grants.
    Administer,
    /// Opening an emergency access to a study, to be reviewed afterwards.
    BreakGlass,
    /// Judging what others did in an emergency.
    Review,
    /// Signing records of a study.
    Sign,
}

impl ActionKind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::Read,
        Self::Build,
        Self::Unblind,
        Self::Audit,
        Self::Administer,
        Self::BreakGlass,
        Self::Review,
        Self::Sign,
    ];

    /// The action's name in policies and in the ledger.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Build => "build",
            Self::Unblind => "unblind",
            Self::Audit => "audit",
            Self::Administer => "administer",
            Self::BreakGlass => "break_glass",
            Self::Review => "review",
            Self::Sign => "sign",
        }
    }
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

/// Reading the ledger.
#[derive(Debug, Clone, Copy)]
pub struct Audit;

/// Keeping accounts and grants.
#[derive(Debug, Clone, Copy)]
pub struct Administer;

/// Judging what others did in an emergency.
#[derive(Debug, Clone, Copy)]
pub struct Review;

/// Signing records of a study.
#[derive(Debug, Clone, Copy)]
pub struct Sign;

impl Action for Review {
    const KIND: ActionKind = ActionKind::Review;
}

impl Action for Sign {
    const KIND: ActionKind = ActionKind::Sign;
}

impl Action for Audit {
    const KIND: ActionKind = ActionKind::Audit;
}

impl Action for Administer {
    const KIND: ActionKind = ActionKind::Administer;
}

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
    impl Sealed for super::Audit {}
    impl Sealed for super::Administer {}
    impl Sealed for super::Review {}
    impl Sealed for super::Sign {}
}

/// One role in one study, or in every study of the tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// What the account may do.
    pub role: Role,
    /// Where; `None` is every study of the tenant.
    pub study: Option<StudyId>,
}

/// One action in one study, or in every study of the tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permission {
    /// What may be done.
    pub action: ActionKind,
    /// Where; `None` is the tenant with all its studies.
    pub study: Option<StudyId>,
}

/// Everything one account may do in its tenant.
#[derive(Debug, Clone)]
pub struct Grants {
    tenant: TenantId,
    permissions: Vec<Permission>,
    /// Studies that are not there any more, whoever may do what in all of them.
    removed: Vec<StudyId>,
}

impl Grants {
    /// What the control plane's policies permit an account.
    ///
    /// INVARIANT: called by the gate in `server/control` alone; `tests/tests/tidy.rs` holds it.
    #[must_use]
    pub const fn from_gate(tenant: TenantId, permissions: Vec<Permission>) -> Self {
        Self { tenant, permissions, removed: Vec::new() }
    }

    /// The same, without studies that are not there any more.
    #[must_use]
    pub fn without(self, removed: Vec<StudyId>) -> Self {
        Self { removed, ..self }
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
        if !self.permit(A::KIND, study) {
            return Err(Denied);
        }
        let is_unblinded = self.permit(ActionKind::Unblind, study);
        Ok(StudyScope { tenant: self.tenant, study: study.clone(), is_unblinded, action: PhantomData })
    }

    fn permit(&self, action: ActionKind, study: &StudyId) -> bool {
        let reaches = |granted: &Permission| granted.study.as_ref().is_none_or(|granted| granted == study);
        let is_there = !self.removed.contains(study);
        is_there && self.permissions.iter().any(|granted| granted.action == action && reaches(granted))
    }

    /// Whether a grant allows `A` in the tenant and every study of it.
    #[must_use]
    pub fn allow_everywhere<A: Action>(&self) -> bool {
        self.permissions.iter().any(|granted| granted.study.is_none() && granted.action == A::KIND)
    }

    /// Whether any grant allows `A` in some study.
    #[must_use]
    pub fn allow_anywhere<A: Action>(&self) -> bool {
        self.permissions.iter().any(|granted| granted.action == A::KIND)
    }
}

/// Proof that the caller may do `A` in one study. Only [`Grants::scope`] makes one.
#[derive(Debug, Clone)]
pub struct StudyScope<A> {
    tenant: TenantId,
    study: StudyId,
    is_unblinded: bool,
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

    /// Whether the caller may see who gets which treatment, where that is hidden.
    #[must_use]
    pub const fn is_unblinded(&self) -> bool {
        self.is_unblinded
    }
}

impl StudyScope<Build> {
    /// Who builds may read what was built.
    #[must_use]
    pub fn to_read(&self) -> StudyScope<Read> {
        let Self { tenant, is_unblinded, .. } = *self;
        StudyScope { tenant, study: self.study.clone(), is_unblinded, action: PhantomData }
    }
}

/// What the compiler refuses, each beside the nearest thing that it takes, so that nothing is refused for another
/// reason.
///
/// A scope comes from grants:
/// ```
/// fn read(grants: &kernel::Grants, study: &kernel::StudyId) -> Result<kernel::StudyScope<kernel::Read>, kernel::Denied> {
///     grants.scope(study)
/// }
/// ```
/// and from nowhere else:
/// ```compile_fail,E0451
/// fn read(tenant: kernel::TenantId, study: kernel::StudyId) -> kernel::StudyScope<kernel::Read> {
///     kernel::StudyScope { tenant, study, is_unblinded: true, action: std::marker::PhantomData }
/// }
/// ```
/// Nor does one become another tenant's,
/// ```compile_fail,E0616
/// fn turn(scope: &mut kernel::StudyScope<kernel::Read>, other: kernel::TenantId) {
///     scope.tenant = other;
/// }
/// ```
/// another study's, or one of somebody who may see arms:
/// ```compile_fail,E0616
/// fn unblind(scope: &mut kernel::StudyScope<kernel::Read>) {
///     scope.is_unblinded = true;
/// }
/// ```
/// Who builds may read what was built:
/// ```
/// fn read(scope: &kernel::StudyScope<kernel::Build>) -> kernel::StudyScope<kernel::Read> {
///     scope.to_read()
/// }
/// ```
/// and not the other way round:
/// ```compile_fail,E0308
/// fn build(_: &kernel::StudyScope<kernel::Build>) {}
/// fn read(scope: &kernel::StudyScope<kernel::Read>) {
///     build(scope)
/// }
/// ```
/// nor by making a reader's scope a builder's:
/// ```compile_fail,E0599
/// fn build(scope: &kernel::StudyScope<kernel::Read>) -> kernel::StudyScope<kernel::Read> {
///     scope.to_read()
/// }
/// ```
/// What can be done is a closed list:
/// ```compile_fail,E0603
/// #[derive(Debug, Clone, Copy)]
/// struct Everything;
/// impl kernel::scope::private::Sealed for Everything {}
/// ```
/// A scope is not read from a file or a request:
/// ```compile_fail,E0277
/// fn parse<T: serde::de::DeserializeOwned>() {}
/// parse::<kernel::StudyScope<kernel::Read>>();
/// ```
/// as a grant is:
/// ```
/// fn parse<T: serde::de::DeserializeOwned>() {}
/// parse::<kernel::Grant>();
/// ```
#[cfg(doctest)]
pub mod control_24_a_scope_comes_from_grants_alone {}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn study(code: &str) -> StudyId {
        code.parse().expect("the code is valid")
    }

    fn grants(permitted: &[(ActionKind, Option<&str>)]) -> Grants {
        let permission = |(action, granted): &(ActionKind, Option<&str>)| Permission {
            action: *action,
            study: granted.map(study),
        };
        let permissions = permitted.iter().map(permission).collect();
        Grants::from_gate(TenantId::from_uuid(Uuid::nil()), permissions)
    }

    #[test]
    fn who_may_read_may_not_build() {
        let grants = grants(&[(ActionKind::Read, None)]);
        assert!(grants.scope::<Read>(&study("A")).is_ok());
        assert!(matches!(grants.scope::<Build>(&study("A")), Err(Denied)));
    }

    #[test]
    fn a_grant_for_one_study_opens_no_other() {
        let grants = grants(&[(ActionKind::Build, Some("A"))]);
        assert!(grants.scope::<Build>(&study("A")).is_ok());
        assert!(matches!(grants.scope::<Build>(&study("B")), Err(Denied)));
        assert!(grants.allow_anywhere::<Build>() && !grants.allow_everywhere::<Build>());
    }

    #[test]
    fn control_18_a_removed_study_is_not_there_for_whoever_may_do_everything() {
        let grants = grants(&[(ActionKind::Read, None), (ActionKind::Build, Some("A"))]);
        let grants = grants.without(vec![study("A")]);
        assert!(grants.scope::<Read>(&study("A")).is_err() && grants.scope::<Build>(&study("A")).is_err());
        assert!(grants.scope::<Read>(&study("B")).is_ok());
    }

    #[test]
    fn only_a_grant_of_its_own_unblinds_and_it_opens_nothing() {
        let blinded = grants(&[(ActionKind::Read, None), (ActionKind::Unblind, Some("B"))]);
        let is_unblinded = |code| blinded.scope::<Read>(&study(code)).map(|scope| scope.is_unblinded());
        assert_eq!((is_unblinded("A"), is_unblinded("B")), (Ok(false), Ok(true)));
        let alone = grants(&[(ActionKind::Unblind, None)]);
        assert!(matches!(alone.scope::<Read>(&study("A")), Err(Denied)));
    }

    #[test]
    fn every_role_is_found_by_its_name() {
        for role in Role::ALL {
            assert_eq!(Role::from_name(role.name()), Some(role));
        }
        assert_eq!(Role::from_name("root"), None);
    }
}
