use control::{Actor, ControlError, LimitAct, NewDefinitionChange, NewLimitAct, in_force};
use kernel::{Build, Grants, Role, StudyScope, TenantId};

use super::world::{World, only_in, study, trace};

async fn scene() -> Option<(World, TenantId, Grants, StudyScope<Build>)> {
    let world = World::new().await?;
    let tenant = world.tenant("acme").await.id;
    world.study(tenant, "A").await;
    let scope = world.study(tenant, "B").await;
    let grants = world.control.operator_grants(tenant).await.expect("the tenant exists");
    Some((world, tenant, grants, scope))
}

fn change(text: Option<&str>, reason: &str) -> NewDefinitionChange {
    NewDefinitionChange {
        definition: "kri0001".into(),
        change: text.map(str::to_owned),
        reason: reason.into(),
    }
}

#[tokio::test]
async fn a_changed_definition_is_in_the_ledger_with_what_it_was_before() {
    let Some((world, tenant, grants, scope)) = scene().await else { return };
    let control = &world.control;
    for text in [Some(r#"{"shown":false}"#), Some(r#"{"shown":true}"#), None] {
        let made =
            control.change_definition(&Actor::Operator, &scope, change(text, "why not"), &trace()).await;
        made.expect("it is kept");
    }
    let everywhere = change(Some(r#"{"accrual_least":9.0}"#), "in the plan");
    let made = control.change_definition_everywhere(&Actor::Operator, &grants, everywhere, &trace()).await;
    assert_eq!(made.expect("it is kept").version, 1, "versions count at each place");
    let events = world.events(tenant).await;
    let changed: Vec<_> = events.iter().filter(|event| event.action == "definition.changed").collect();
    assert_eq!(changed.len(), 4);
    let told = format!("{:?}", changed[2]);
    for word in ["shown", "false", "true", "why not", "kri0001"] {
        assert!(told.contains(word), "{word} is not in {told}");
    }
}

#[tokio::test]
async fn the_newest_change_of_each_place_is_in_force_unless_it_was_taken_back() {
    let Some((world, tenant, grants, scope)) = scene().await else { return };
    let control = &world.control;
    let keep = async |text: Option<&str>| {
        let made = control.change_definition(&Actor::Operator, &scope, change(text, "why"), &trace()).await;
        made.expect("it is kept")
    };
    keep(Some("1")).await;
    keep(Some("2")).await;
    let everywhere = change(Some("3"), "why");
    let made = control.change_definition_everywhere(&Actor::Operator, &grants, everywhere, &trace()).await;
    made.expect("it is kept");
    let rows = control.definition_changes(&scope.to_read()).await.expect("the store works");
    let texts = |rows: &[control::DefinitionChangeRow]| -> Vec<String> {
        in_force(rows).iter().filter_map(|row| row.change.clone()).collect()
    };
    assert_eq!(texts(&rows), ["3", "2"]);
    keep(None).await;
    let rows = control.definition_changes(&scope.to_read()).await.expect("the store works");
    assert_eq!((rows.len(), texts(&rows)), (4, vec!["3".to_owned()]));
    // What study B says is nothing to study A.
    let other = grants.scope::<Build>(&study("A")).expect("granted").to_read();
    let rows = control.definition_changes(&other).await.expect("the store works");
    assert_eq!((rows.len(), texts(&rows)), (1, vec!["3".to_owned()]));
    // Nor is it to another tenant.
    let stranger = world.tenant("other").await.id;
    assert_ne!(stranger, tenant);
    world.study(stranger, "B").await;
    let grants = control.operator_grants(stranger).await.expect("the tenant exists");
    let scope = grants.scope::<Build>(&study("B")).expect("granted").to_read();
    assert!(control.definition_changes(&scope).await.expect("the store works").is_empty());
}

#[tokio::test]
async fn a_change_without_a_reason_or_beyond_the_grants_is_refused() {
    let Some((world, tenant, _, scope)) = scene().await else { return };
    let control = &world.control;
    let refused =
        control.change_definition(&Actor::Operator, &scope, change(Some("1"), " \n"), &trace()).await;
    assert!(matches!(refused, Err(ControlError::NoReason { .. })), "{refused:?}");
    let engineer = world.account(tenant, "e@acme.test", &[only_in(Role::DataEngineer, "B")]).await;
    let login = world.login("e@acme.test", control::Audience::Http).await;
    let principal = world.control.authenticate(&login.token, control::Audience::Http).await;
    let grants = principal.expect("the token is good");
    let actor = Actor::Account { id: engineer, tenant };
    let refused = control
        .change_definition_everywhere(&actor, grants.grants(), change(Some("1"), "why"), &trace())
        .await;
    assert!(matches!(refused, Err(ControlError::Denied)), "{refused:?}");
    assert!(control.definition_changes(&scope.to_read()).await.expect("the store works").is_empty());
}

#[tokio::test]
async fn of_two_acts_upon_one_state_of_an_alarm_one_is_kept() {
    let Some((world, tenant, _, scope)) = scene().await else { return };
    let control = &world.control;
    let act = |after| NewLimitAct {
        limit: "qtl_ineligible".into(),
        act: LimitAct::Acknowledge,
        snapshot: "00112233445566778899aabbccddeeff".to_owned().try_into().expect("an id"),
        after,
        reason: "asked the site".into(),
    };
    let first = control.act_on_limit(&Actor::Operator, &scope, act(0), &trace()).await.expect("it is kept");
    assert_eq!((first.number, first.acted_by.as_str()), (1, "operator"));
    let second = control.act_on_limit(&Actor::Operator, &scope, act(0), &trace()).await;
    assert!(matches!(second, Err(ControlError::LimitActedUpon { .. })), "{second:?}");
    let kept = control.limit_acts(&scope.to_read()).await.expect("the store works");
    assert_eq!(kept, [first]);
    let events = world.events(tenant).await;
    assert_eq!(events.iter().filter(|event| event.action == "limit.acknowledged").count(), 1);
}
