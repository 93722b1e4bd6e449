use control::{Actor, Audience, Credentials};
use kernel::Role;

use super::world::{PASSWORD, World, everywhere, trace};
use crate::site::Whose;

#[tokio::test]
async fn no_person_and_no_secret_is_in_any_ledger() {
    let Some(world) = World::new().await else { return };
    let tenant = world.tenant("acme").await.id;
    let account = world.account(tenant, "canary@example.org", &[everywhere(Role::Researcher)]).await;
    let login = world.login("canary@example.org", Audience::Http).await;
    let flight =
        world.control.issue_token(&login.principal, Audience::Flight, &trace()).await.expect("she is in");
    for email in ["canary@example.org", "canary-unknown@example.org"] {
        world
            .control
            .login(&Credentials::new(email, "canary password"), Audience::Http, &trace())
            .await
            .expect_err("it is wrong");
    }
    world.control.logout(&login.principal, &trace()).await.expect("she leaves");
    world.control.disable_account(&Actor::Operator, tenant, account).await.expect("she exists");

    for whose in [Whose::Systems, Whose::Tenants(tenant)] {
        let tables = world.site.contents(whose).await;
        for line in &tables["audit_events"] {
            // The leaf is a blob, which the dump shows in hexadecimal.
            let (_, leaf) = line.rsplit_once("X'").expect("the leaf is the last column");
            let text = format!("{line} {}", unhex(leaf.trim_end_matches('\'')));
            for secret in ["canary", PASSWORD, "Lovelace", "example.org", &login.token, &flight.token] {
                assert!(!text.contains(secret), "`{secret}` is in {text}");
            }
        }
        let everything = format!("{tables:?}");
        assert!(!everything.contains(&login.token) && !everything.contains(PASSWORD));
    }
}

#[tokio::test]
async fn what_is_printed_for_debugging_holds_no_secret() {
    let Some(world) = World::new().await else { return };
    let tenant = world.tenant("acme").await.id;
    world.account(tenant, "canary@example.org", &[]).await;
    let login = world.login("canary@example.org", Audience::Http).await;
    let account = super::world::new_account("canary@example.org", &[]);
    let printed = format!("{login:?} {account:?} {:?}", world.control);
    for secret in ["canary", PASSWORD, "Lovelace", &login.token, "$argon2"] {
        assert!(!printed.contains(secret), "`{secret}` is in {printed}");
    }
}

fn unhex(digits: &str) -> String {
    let bytes: Vec<u8> = (0..digits.len() / 2)
        .map(|index| u8::from_str_radix(&digits[2 * index..2 * index + 2], 16).expect("hexadecimal"))
        .collect();
    String::from_utf8(bytes).expect("a leaf is text")
}
