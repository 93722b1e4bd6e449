use std::net::{IpAddr, Ipv4Addr};

use chrono::TimeDelta;
use control::{Actor, Control, ControlError, Credentials};
use kernel::Role;

use super::world::{PASSWORD, World, everywhere, trace};

const ADA: &str = "ada@example.org";

fn peer(last: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(192, 0, 2, last))
}

async fn attempt(control: &Control, password: &str, from: IpAddr) -> Result<(), ControlError> {
    let given = Credentials { peer: Some(from), ..Credentials::new(ADA, password) };
    control.sign_in(&given, &trace()).await.map(drop)
}

async fn with_ada() -> Option<World> {
    let world = World::new().await?;
    let tenant = world.tenant("acme").await.id;
    world.account(tenant, ADA, &[everywhere(Role::Researcher)]).await;
    Some(world)
}

#[tokio::test]
async fn control_34_who_guesses_waits_and_the_owner_elsewhere_does_not() {
    let Some(world) = with_ada().await else { return };
    let control = &world.control;
    let (home, attacker) = (peer(7), peer(66));
    attempt(control, PASSWORD, home).await.expect("the owner has come from here before");
    for _ in 0..5 {
        let refused = attempt(control, "wrong horse battery", attacker).await;
        assert!(matches!(refused, Err(ControlError::LoginRefused)), "{refused:?}");
    }
    for password in ["wrong horse battery", PASSWORD, PASSWORD] {
        let throttled = attempt(control, password, attacker).await;
        assert!(matches!(throttled, Err(ControlError::LoginThrottled { seconds: 1..=61 })), "{throttled:?}");
    }
    attempt(control, PASSWORD, home).await.expect("the owner is not locked out");
    // From everywhere at once: the owner still gets in from where they are known.
    for last in 100..140 {
        attempt(control, "wrong horse battery", peer(last)).await.expect_err("it is wrong");
    }
    attempt(control, PASSWORD, home).await.expect("the owner is not locked out");
    let strange = attempt(control, PASSWORD, peer(200)).await;
    assert!(matches!(strange, Err(ControlError::LoginThrottled { .. })), "{strange:?}");
    world.clock.advance(TimeDelta::minutes(31));
    attempt(control, PASSWORD, peer(200)).await.expect("it has passed");
    attempt(control, PASSWORD, attacker).await.expect("for the attacker's address too");
}

#[tokio::test]
async fn an_unknown_address_is_throttled_as_a_known_one_is() {
    let Some(world) = with_ada().await else { return };
    for email in [ADA, "nobody@example.org"] {
        let given = |password| Credentials { peer: Some(peer(1)), ..Credentials::new(email, password) };
        for _ in 0..5 {
            let refused = world.control.sign_in(&given("wrong"), &trace()).await;
            assert!(matches!(refused, Err(ControlError::LoginRefused)), "{email} {refused:?}");
        }
        let throttled = world.control.sign_in(&given("wrong"), &trace()).await;
        assert!(
            matches!(throttled, Err(ControlError::LoginThrottled { seconds: 61 })),
            "{email} {throttled:?}"
        );
    }
}

#[tokio::test]
async fn the_ledger_holds_the_beginning_of_a_wait_and_not_every_knock() {
    let Some(world) = with_ada().await else { return };
    for _ in 0..30 {
        attempt(&world.control, "wrong horse battery", peer(1)).await.expect_err("it is wrong");
    }
    let report = world.control.verify_system().await.expect("the log can be read");
    // Three keys, the policies, a tenant, an account's address, and one wait.
    assert_eq!(report.size, 7, "{report:?}");
    let tenant = world.control.tenant_by_slug(&Actor::Operator, "acme").await.expect("it exists").id;
    let failed = world.events(tenant).await.into_iter().filter(|event| event.action == "auth.login.failed");
    assert_eq!(failed.count(), 5);
}
