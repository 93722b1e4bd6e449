use chrono::TimeDelta;
use control::{
    Actor, Audience, AuditFilter, ControlError, NewAccessToken, Order, Principal, ReviewMark, TokenKind,
};
use kernel::{AccountId, Clock as _, Role, TenantId};

use super::world::{World, everywhere, new_account, only_in, trace};

/// A tenant with one administrator, who is signed in.
async fn with_administrator(world: &World) -> (TenantId, Principal) {
    let tenant = world.tenant("acme").await.id;
    world.account(tenant, "root@example.org", &[everywhere(Role::Administrator)]).await;
    (tenant, world.login("root@example.org", Audience::Http).await.principal)
}

fn order<'a>(actor: &'a Actor, trace: &'a control::TraceId) -> Order<'a> {
    Order { actor, reason: Some("a change of duties"), trace: Some(trace) }
}

#[tokio::test]
async fn an_administrator_keeps_the_accounts_of_their_own_tenant_and_says_why() {
    let Some(world) = World::new().await else { return };
    let (tenant, root) = with_administrator(&world).await;
    let (actor, trace) = (root.administrator().expect("the role lets her"), trace());
    let control = &world.control;
    let new = new_account("ada@example.org", &[only_in(Role::Researcher, "S1")]);
    let silent = control.create_account(&actor, tenant, new.clone()).await;
    assert!(matches!(silent, Err(ControlError::InvalidText { what: "reason", .. })), "{silent:?}");
    let ada = control.create_account(order(&actor, &trace), tenant, new).await.expect("it is new");
    control.grant(order(&actor, &trace), tenant, ada, everywhere(Role::Clinical)).await.expect("she may");
    let held = control.account(&actor, tenant, ada).await.expect("it is there");
    let roles: Vec<_> = held.grants.iter().map(|held| held.grant.clone()).collect();
    assert_eq!(roles, [everywhere(Role::Clinical), only_in(Role::Researcher, "S1")]);
    let by = format!("account:{}", root.account());
    assert!(held.grants.iter().all(|held| held.granted_by.as_deref() == Some(&by)), "{held:?}");

    let events = world.events(tenant).await;
    let changed =
        events.iter().find(|event| event.action == "account.grants.changed").expect("it is recorded");
    assert_eq!(changed.actor_id, root.account().to_string());
    assert_eq!(changed.data["before"], "researcher@S1", "control 11: what was");
    assert_eq!(changed.data["after"], "clinical@* researcher@S1", "control 11: what is");
    assert_eq!(changed.data["reason"], "a change of duties");
    assert_eq!(changed.trace_id.as_deref(), Some(trace.as_str()));
}

#[tokio::test]
async fn nobody_else_administers_a_tenant() {
    let Some(world) = World::new().await else { return };
    let (tenant, root) = with_administrator(&world).await;
    let (other, actor, trace) =
        (world.tenant("other").await.id, root.administrator().expect("she may"), trace());
    let bob = world.account(other, "bob@example.org", &[everywhere(Role::Researcher)]).await;
    world.account(tenant, "eve@example.org", &[everywhere(Role::DataEngineer)]).await;
    let eve = world.login("eve@example.org", Audience::Http).await.principal;
    assert!(matches!(eve.administrator(), Err(ControlError::Denied)));
    let control = &world.control;
    let orders = [(actor, other, bob), (actor, tenant, bob), (eve.actor(), tenant, root.account())];
    for (actor, tenant, account) in orders {
        let order = order(&actor, &trace);
        let outcomes = [
            control.disable_account(order, tenant, account).await,
            control.enable_account(order, tenant, account).await,
            control.grant(order, tenant, account, everywhere(Role::Auditor)).await,
            control.revoke_grant(order, tenant, account, everywhere(Role::Researcher)).await,
            control.disable_second_factor(order, tenant, account, None).await,
            control.end_sessions(order, tenant, account).await.map(|_| ()),
            control.account(&actor, tenant, account).await.map(|_| ()),
        ];
        for outcome in outcomes {
            assert!(matches!(outcome, Err(ControlError::Denied)), "{actor:?} {outcome:?}");
        }
    }
    assert!(matches!(control.accounts(&actor, other).await, Err(ControlError::Denied)));
    let token = NewAccessToken {
        kind: TokenKind::Personal,
        label: "hers".into(),
        grants: Vec::new(),
        lifetime: TimeDelta::days(1),
        peer: None,
    };
    let borrowed = control.create_access_token(&actor, tenant, eve.account(), token).await;
    assert!(matches!(borrowed, Err(ControlError::Denied)), "an administrator cannot act as somebody else");
}

#[tokio::test]
async fn the_last_administrator_cannot_be_taken_away() {
    let Some(world) = World::new().await else { return };
    let (tenant, root) = with_administrator(&world).await;
    let (actor, trace, control) = (root.administrator().expect("she may"), trace(), &world.control);
    let own = root.account();
    let check = async |why: &str| {
        let disabled = control.disable_account(order(&actor, &trace), tenant, own).await;
        assert!(matches!(disabled, Err(ControlError::LastAdministrator)), "{why}: {disabled:?}");
        let taken =
            control.revoke_grant(order(&actor, &trace), tenant, own, everywhere(Role::Administrator)).await;
        assert!(matches!(taken, Err(ControlError::LastAdministrator)), "{why}: {taken:?}");
    };
    check("she is the only one").await;
    let machine = control::NewAccount {
        password: None,
        ..new_account("m@example.org", &[everywhere(Role::Administrator)])
    };
    let machine = control.create_account(&Actor::Operator, tenant, machine).await.expect("it is new");
    check("a machine cannot sign in").await;
    let second = world.account(tenant, "two@example.org", &[everywhere(Role::Administrator)]).await;
    control.disable_account(order(&actor, &trace), tenant, second).await.expect("one is left");
    check("the second is disabled").await;
    control.enable_account(order(&actor, &trace), tenant, second).await.expect("it is there");
    control.disable_account(order(&actor, &trace), tenant, own).await.expect("the second is left");
    let standing = |id: AccountId| async move {
        control.account(&Actor::Operator, tenant, id).await.expect("it is there").is_enabled
    };
    assert_eq!((standing(own).await, standing(second).await, standing(machine).await), (false, true, true));
}

#[tokio::test]
async fn control_16_a_review_lists_who_has_what_and_marks_what_nobody_uses() {
    let Some(world) = World::new().await else { return };
    let (tenant, root) = with_administrator(&world).await;
    let (actor, trace, control) = (root.administrator().expect("she may"), trace(), &world.control);
    let gone = world.account(tenant, "gone@example.org", &[only_in(Role::Researcher, "S1")]).await;
    control.disable_account(&Actor::Operator, tenant, gone).await.expect("it is there");
    let token = NewAccessToken {
        kind: TokenKind::Personal,
        label: "a notebook".into(),
        grants: Vec::new(),
        lifetime: TimeDelta::days(1),
        peer: None,
    };
    control.create_access_token(&Actor::Operator, tenant, root.account(), token).await.expect("it is made");
    world.clock.advance(TimeDelta::days(2));
    let review = control.access_review(&actor, tenant).await.expect("she may");
    let marks: Vec<_> = review
        .entries
        .iter()
        .map(|entry| (entry.email.as_str(), entry.held.grant.role, entry.marks.clone()))
        .collect();
    assert_eq!(
        marks,
        [
            ("gone@example.org", Role::Researcher, vec![ReviewMark::NeverUsed, ReviewMark::Disabled]),
            ("root@example.org", Role::Administrator, vec![]),
        ]
    );
    assert_eq!(review.tokens[0].marks, [ReviewMark::NeverUsed, ReviewMark::Expired]);
    assert_eq!((review.marked(), review.is_overdue(), review.last.is_none()), (2, false, true));

    world.clock.advance(TimeDelta::days(88));
    let late = control.access_review(&actor, tenant).await.expect("she may");
    assert_eq!(late.entries[1].marks, [ReviewMark::Unused], "nobody signed in for 90 days");
    assert!(late.is_overdue(), "the tenant is 90 days old and was never reviewed");
    assert_eq!(control.overdue_access_reviews().await.expect("the store works"), 1);
    let stale = control.sign_access_review(order(&actor, &trace), tenant, &review.sha256).await;
    assert!(matches!(stale, Err(ControlError::ReviewChanged)), "{stale:?}");
    control.sign_access_review(order(&actor, &trace), tenant, &late.sha256).await.expect("it is the list");
    let event = world.events(tenant).await.into_iter().next().expect("the newest");
    assert_eq!(event.action, "access.reviewed");
    assert_eq!(
        (&event.data["grants"], &event.data["tokens"], &event.data["marked"]),
        (&2.into(), &1.into(), &3.into())
    );
    assert_eq!(event.data["list_sha256"], late.sha256.as_str());
    let after = control.access_review(&actor, tenant).await.expect("she may");
    assert_eq!(after.last.expect("it is signed").by, ("account".to_owned(), root.account().to_string()));
    assert_eq!(control.overdue_access_reviews().await.expect("the store works"), 0);
}

#[tokio::test]
async fn a_search_of_the_ledger_finds_by_account_study_thing_outcome_and_time() {
    let Some(world) = World::new().await else { return };
    let (tenant, root) = with_administrator(&world).await;
    let control = &world.control;
    let before = world.clock.now();
    world.clock.advance(TimeDelta::hours(1));
    let scope = world.study(tenant, "S1").await;
    world.study(tenant, "S10").await;
    let ada = world.account(tenant, "ada@example.org", &[only_in(Role::Researcher, "S1")]).await;
    control.grant(&Actor::Operator, tenant, ada, only_in(Role::Clinical, "S1")).await.expect("it is there");
    let found = async |filter: AuditFilter| {
        let filter = AuditFilter { limit: 500, ..filter };
        let events = control.audit_page(root.grants(), filter).await.expect("she may");
        events.into_iter().map(|event| event.action).collect::<Vec<_>>()
    };
    let none = AuditFilter::default;
    let study = found(AuditFilter { study: Some(scope.study().to_string()), ..none() }).await;
    assert_eq!(study, ["account.grants.changed", "study.registered"], "not those of S10");
    let thing = found(AuditFilter { resource: Some(ada.to_string()), ..none() }).await;
    assert_eq!(thing, ["account.grants.changed", "account.created"]);
    let actor = found(AuditFilter { actor: Some(root.account().to_string()), ..none() }).await;
    assert_eq!(actor, ["auth.login.succeeded"]);
    let refused =
        control.login(&control::Credentials::new("ada@example.org", "wrong"), Audience::Http, &trace()).await;
    assert!(matches!(refused, Err(ControlError::LoginRefused)), "{refused:?}");
    assert_eq!(
        found(AuditFilter { outcome: Some("denied".to_owned()), ..none() }).await,
        ["auth.login.failed"]
    );
    let early = found(AuditFilter { to: Some(before + TimeDelta::seconds(1)), ..none() }).await;
    let late = found(AuditFilter { from: Some(before + TimeDelta::seconds(1)), ..none() }).await;
    assert!(early.contains(&"tenant.created".to_owned()) && !late.contains(&"tenant.created".to_owned()));
    assert_eq!(early.len() + late.len(), world.events(tenant).await.len(), "each event is in one of the two");
}

#[tokio::test]
async fn control_10_a_span_is_signed_off_and_its_events_are_proved_together() {
    let Some(world) = World::new().await else { return };
    let (tenant, root) = with_administrator(&world).await;
    let (control, trace) = (&world.control, trace());
    let events = world.events(tenant).await;
    let seqs: Vec<u64> = events.iter().map(|event| event.seq).collect();
    let proofs = control.audit_proofs(root.grants(), &seqs).await.expect("she may");
    let keys = control.verifier_keys().await.expect("the store works");
    for (event, proof) in events.iter().zip(&proofs) {
        let proven = control::verify_receipt(proof.as_bytes(), &keys).expect("it holds");
        assert_eq!((proven.seq, &proven.leaf), (event.seq, &event.leaf));
    }
    let (first, last) = (0, seqs[0]);
    for span in [(1, 0), (0, last + 100)] {
        let outcome = control.sign_trail_review(&root, span, "looked through", &trace).await;
        assert!(matches!(outcome, Err(ControlError::InvalidSpan)), "{span:?} {outcome:?}");
    }
    control.sign_trail_review(&root, (first, last), "nothing unusual", &trace).await.expect("she may");
    let standing = control.ledger_standing(root.grants()).await.expect("she may");
    let reviewed = standing.reviewed.expect("it is signed off");
    assert_eq!((reviewed.first, reviewed.last, reviewed.remark.as_str()), (first, last, "nothing unusual"));
    assert_eq!((reviewed.by, standing.size), (root.account().to_string(), last + 2));
    assert_eq!(standing.checkpoints.first().map(|(_, size)| *size), Some(last + 1), "the proofs needed one");

    world.account(tenant, "ada@example.org", &[everywhere(Role::Researcher)]).await;
    let ada = world.login("ada@example.org", Audience::Http).await.principal;
    let outcomes = [
        control.sign_trail_review(&ada, (first, last), "x", &trace).await,
        control.audit_proofs(ada.grants(), &seqs).await.map(|_| ()),
        control.ledger_standing(ada.grants()).await.map(|_| ()),
        control.record_ledger_export(&ada, (1, "json", "x"), &trace).await,
    ];
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Err(ControlError::Denied))), "{outcomes:?}");
}
