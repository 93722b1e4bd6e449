use cedar_policy::{ValidationMode, Validator};
use uuid::Uuid;

use super::*;
use ActionKind::{Administer, Audit, BreakGlass, Build, Read, Review, Sign, Unblind};

const OURS: u128 = 1;
const THEIRS: u128 = 2;

/// What each role permits, by hand: the table of `docs/access.md`.
const TABLE: [(Role, &[ActionKind]); 7] = [
    (Role::Administrator, &[Audit, Administer, Review]),
    (Role::DataEngineer, &[Read, Build, Audit, Sign]),
    (Role::Clinical, &[Read, Sign]),
    (Role::Researcher, &[Read]),
    (Role::Steward, &[Read, Audit, Review, Sign]),
    (Role::Auditor, &[Audit]),
    (Role::Unblinded, &[Unblind]),
];

fn tenant(id: u128) -> TenantId {
    TenantId::from_uuid(Uuid::from_u128(id))
}

fn study(code: &str) -> StudyId {
    code.parse().expect("the code is valid")
}

fn asker(grants: &[Grant]) -> Asker<'_> {
    Asker {
        tenant: tenant(OURS),
        account: AccountId::from_uuid(Uuid::from_u128(3)),
        grants,
        emergencies: &[],
    }
}

/// What roles decide. Who opens an emergency access is decided by belonging to the tenant.
fn of_roles() -> impl Iterator<Item = ActionKind> {
    ActionKind::ALL.into_iter().filter(|action| *action != BreakGlass)
}

#[test]
fn control_36_an_emergency_opens_reading_of_one_study_and_nothing_else() {
    let policies = Policies::load();
    let (a, b, ours) = (study("A"), study("B"), tenant(OURS));
    let emergencies = [a.clone()];
    let asker = Asker { emergencies: &emergencies, ..asker(&[]) };
    for action in ActionKind::ALL {
        let allow = |resource| policies.allow(&asker, action, resource);
        let opens = (allow(Resource::Study(ours, &a)), allow(Resource::Study(ours, &b)));
        assert_eq!(opens, (matches!(action, Read | BreakGlass), action == BreakGlass), "{action:?}");
        assert!(!allow(Resource::Tenant(ours)), "{action:?} in the tenant");
        assert!(!allow(Resource::Study(tenant(THEIRS), &a)), "{action:?} in another tenant");
    }
}

#[test]
fn the_policies_fit_their_schema() {
    let Inner { policies, schema, .. } = &*Policies::load().inner;
    let result = Validator::new(schema.clone()).validate(policies, ValidationMode::Strict);
    assert!(result.validation_passed_without_warnings(), "{result:?}");
}

#[test]
fn a_role_in_the_tenant_permits_what_the_table_says_in_every_study() {
    let policies = Policies::load();
    let (a, ours) = (study("A"), tenant(OURS));
    for (role, allowed) in TABLE {
        let grants = [Grant { role, study: None }];
        for action in of_roles() {
            let expected = allowed.contains(&action);
            let tenant = policies.allow(&asker(&grants), action, Resource::Tenant(ours));
            assert_eq!(tenant, expected, "{role:?} {action:?}");
            let in_study = policies.allow(&asker(&grants), action, Resource::Study(ours, &a));
            let concerns_studies = !matches!(action, Audit | Administer | Review);
            assert_eq!(in_study, expected && concerns_studies, "{role:?} {action:?} in a study");
        }
    }
}

#[test]
fn a_role_in_one_study_permits_it_there_and_nowhere_else() {
    let policies = Policies::load();
    let (a, b, ours) = (study("A"), study("B"), tenant(OURS));
    for (role, allowed) in TABLE {
        let grants = [Grant { role, study: Some(a.clone()) }];
        for action in of_roles() {
            let allow = |resource| policies.allow(&asker(&grants), action, resource);
            let concerns_studies = !matches!(action, Audit | Administer | Review);
            assert_eq!(allow(Resource::Study(ours, &a)), allowed.contains(&action) && concerns_studies);
            assert!(!allow(Resource::Study(ours, &b)), "{role:?} {action:?} in another study");
            assert!(!allow(Resource::Tenant(ours)), "{role:?} {action:?} in the tenant");
        }
    }
}

/// Every set of roles, in the tenant and in the study of one code, against every resource of another tenant.
#[test]
fn control_27_nothing_that_is_granted_reaches_into_another_tenant() {
    let policies = Policies::load();
    let (a, theirs) = (study("A"), tenant(THEIRS));
    for chosen in 0_u32..1 << Role::ALL.len() {
        let roles = Role::ALL.into_iter().enumerate().filter(|(bit, _)| chosen & (1 << bit) != 0);
        let everywhere = roles.clone().map(|(_, role)| Grant { role, study: None });
        let in_study = roles.map(|(_, role)| Grant { role, study: Some(a.clone()) });
        let grants: Vec<Grant> = everywhere.chain(in_study).collect();
        let emergencies = [a.clone()];
        let asker = Asker { emergencies: &emergencies, ..asker(&grants) };
        for action in ActionKind::ALL {
            for resource in [Resource::Tenant(theirs), Resource::Study(theirs, &a)] {
                assert!(!policies.allow(&asker, action, resource), "{chosen:b} {action:?}");
            }
        }
    }
}

#[test]
fn permissions_are_listed_for_the_tenant_and_for_each_named_study() {
    let a = study("A");
    let grants = [
        Grant { role: Role::Clinical, study: None },
        Grant { role: Role::Unblinded, study: Some(a.clone()) },
    ];
    let expected = [
        Permission { action: Read, study: None },
        Permission { action: Sign, study: None },
        Permission { action: Read, study: Some(a.clone()) },
        Permission { action: Unblind, study: Some(a.clone()) },
        Permission { action: BreakGlass, study: Some(a.clone()) },
        Permission { action: Sign, study: Some(a) },
    ];
    assert_eq!(Policies::load().permissions(&asker(&grants)), expected);
}
