use chrono::TimeDelta;
use control::{Audience, Denial, DeniedWho};
use kernel::Role;

use super::world::{World, everywhere, trace};
use crate::site::Whose;

fn denial(who: DeniedWho) -> Denial {
    Denial {
        who,
        door: "flight".to_owned(),
        resource: "DoGet".to_owned(),
        reason: "token_expired".to_owned(),
        trace: trace(),
    }
}

#[tokio::test]
async fn a_proved_account_is_denied_in_its_tenants_log() {
    let Some(world) = World::new().await else { return };
    let tenant = world.tenant("acme").await.id;
    let account = world.account(tenant, "ada@example.org", &[everywhere(Role::Researcher)]).await;
    let login = world.login("ada@example.org", Audience::Http).await;
    world.clock.advance(TimeDelta::hours(9));
    let error = world.control.authenticate(&login.token, Audience::Http).await.expect_err("it has expired");
    world.control.record_denial(denial(DeniedWho::from(&error))).await.expect("the ledger works");

    let event = world.events(tenant).await.remove(0);
    assert_eq!((event.action.as_str(), event.outcome.as_str()), ("access.denied", "denied"));
    assert_eq!((event.actor_type.as_str(), event.actor_id), ("account", account.to_string()));
    assert_eq!((event.resource_type.as_str(), event.resource_id.as_str()), ("door", "DoGet"));
    assert_eq!(event.data, serde_json::json!({"door": "flight", "reason": "token_expired"}));
    assert_eq!(event.trace_id.as_deref(), Some(trace().as_str()));
}

#[tokio::test]
async fn a_stranger_is_denied_in_the_systems_log() {
    let Some(world) = World::new().await else { return };
    let tenant = world.tenant("acme").await.id;
    let before = world.events(tenant).await.len();
    let error = world.control.authenticate("not a token", Audience::Http).await.expect_err("it is no token");
    world.control.record_denial(denial(DeniedWho::from(&error))).await.expect("the ledger works");
    assert_eq!(world.events(tenant).await.len(), before);
    let system = world.site.contents(Whose::Systems).await;
    assert!(system["audit_events"].iter().any(|line| line.contains("access.denied")));
}

#[tokio::test]
async fn what_a_stranger_sends_always_fits_into_the_ledger() {
    let Some(world) = World::new().await else { return };
    let mut large = denial(DeniedWho::Unknown);
    large.resource = "\u{1}".repeat(100_000);
    large.reason = "é".repeat(100_000);
    large.door = "\"".repeat(100_000);
    world.control.record_denial(large).await.expect("it is shortened");
    assert!(world.control.verify_system().await.expect("the log can be read").is_intact());
}
