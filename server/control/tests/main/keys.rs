use chrono::TimeDelta;
use control::{Actor, Audience, AuthError, Control, ControlError, KeyState};
use kernel::{Clock, Role};

use super::world::{World, everywhere, trace};

async fn states(control: &Control, world: &World) -> Vec<KeyState> {
    let keys = control.token_keys().await.expect("the keys can be read");
    keys.iter().map(|key| key.state(world.clock.now())).collect()
}

async fn with_ada() -> Option<World> {
    let world = World::new().await?;
    let tenant = world.tenant("acme").await.id;
    world.account(tenant, "ada@example.org", &[everywhere(Role::Researcher)]).await;
    world.clock.advance(TimeDelta::seconds(1));
    Some(world)
}

fn kid(token: &str) -> String {
    use base64::Engine as _;
    let header = token.split('.').next().expect("a token has a header");
    let header = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(header).expect("base64");
    let header: serde_json::Value = serde_json::from_slice(&header).expect("JSON");
    header["kid"].as_str().expect("a name").to_owned()
}

#[tokio::test]
async fn control_30_another_key_comes_into_use_in_a_running_process() {
    let Some(world) = with_ada().await else { return };
    let elsewhere = world.reopened().await;
    let old = world.login("ada@example.org", Audience::Http).await.token;
    let key = world.control.rotate_token_key(&Actor::Operator, false).await.expect("it can be rotated");
    let new = world.login("ada@example.org", Audience::Http).await.token;
    assert_eq!(kid(&new), key.kid);
    assert_ne!(kid(&old), key.kid);
    assert_eq!(states(&world.control, &world).await, [KeyState::Retiring, KeyState::Active]);

    // The other process has not looked since; it does within two seconds, and signs with the new key then.
    world.clock.advance(TimeDelta::seconds(2));
    for token in [&old, &new] {
        elsewhere.authenticate(token, Audience::Http).await.expect("both keys are good");
    }
    let principal = elsewhere.authenticate(&old, Audience::Http).await.expect("the key is good");
    let theirs = elsewhere.issue_token(&principal, Audience::Http, &trace()).await.expect("she is in");
    assert_eq!(kid(&theirs.token), key.kid);

    // What the old key has signed ends within a quarter of an hour, and then the key is of no use.
    world.clock.advance(TimeDelta::minutes(16));
    assert_eq!(states(&elsewhere, &world).await, [KeyState::Retired, KeyState::Active]);
    let refused = elsewhere.authenticate(&old, Audience::Http).await;
    assert!(matches!(refused, Err(AuthError::UnknownKey)), "{refused:?}");
}

#[tokio::test]
async fn nothing_that_a_compromised_key_has_signed_is_accepted() {
    let Some(world) = with_ada().await else { return };
    let elsewhere = world.reopened().await;
    let old = world.login("ada@example.org", Audience::Http).await;
    world.control.rotate_token_key(&Actor::Operator, false).await.expect("it can be rotated");
    world.clock.advance(TimeDelta::seconds(1));
    let newer = world.login("ada@example.org", Audience::Http).await;
    world.control.rotate_token_key(&Actor::Operator, true).await.expect("it can be rotated");
    assert_eq!(
        states(&world.control, &world).await,
        [KeyState::Retired, KeyState::Retired, KeyState::Active]
    );
    world.clock.advance(TimeDelta::seconds(2));
    for process in [&world.control, &elsewhere] {
        for token in [&old.token, &newer.token] {
            let refused = process.authenticate(token, Audience::Http).await;
            assert!(matches!(refused, Err(AuthError::UnknownKey)), "{refused:?}");
        }
    }
}

#[tokio::test]
async fn a_restart_goes_on_with_the_newest_key_and_the_private_half_of_the_others_is_gone() {
    let Some(world) = with_ada().await else { return };
    let key = world.control.rotate_token_key(&Actor::Operator, false).await.expect("it can be rotated");
    let restarted = world.reopened().await;
    assert_eq!(restarted.token_keys().await.expect("the keys can be read").len(), 2);
    let given = control::Credentials::new("ada@example.org", super::world::PASSWORD);
    let login = restarted.login(&given, Audience::Http, &trace()).await.expect("the password is right");
    assert_eq!(kid(&login.token), key.kid);
    let keys = world.folder().join("control/keys");
    assert!(!keys.join("signing.key").exists());
    assert!(keys.join(format!("signing-{}.key", key.kid)).exists());
}

#[tokio::test]
async fn only_the_operator_rotates_keys() {
    let Some(world) = with_ada().await else { return };
    let ada = world.login("ada@example.org", Audience::Http).await.principal.actor();
    let refused = world.control.rotate_token_key(&ada, false).await;
    assert!(matches!(refused, Err(ControlError::Denied)), "{refused:?}");
    assert_eq!(states(&world.control, &world).await, [KeyState::Active]);
}
