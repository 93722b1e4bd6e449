use chrono::TimeDelta;
use control::{
    Actor, Audience, AuthError, ControlError, IssuedToken, NewAccessToken, PeerName, PeerNames, Principal,
    TokenKind,
};
use kernel::{AccountId, Build, Grant, Read, Role, TenantId};

use super::world::{World, everywhere, only_in, study, trace};
use crate::site::Whose;

const ADA: &str = "ada@example.org";

struct Scene {
    world: World,
    tenant: TenantId,
    ada: AccountId,
}

impl Scene {
    async fn new(grants: &[Grant]) -> Option<Self> {
        let world = World::new().await?;
        let tenant = world.tenant("acme").await.id;
        let ada = world.account(tenant, ADA, grants).await;
        Some(Self { world, tenant, ada })
    }

    fn herself(&self) -> Actor {
        Actor::Account { id: self.ada, tenant: self.tenant }
    }

    async fn create(&self, actor: &Actor, new: NewAccessToken) -> Result<IssuedToken, ControlError> {
        self.world.control.create_access_token(actor, self.tenant, self.ada, new).await
    }

    async fn open(&self, token: &IssuedToken, audience: Audience) -> Result<Principal, AuthError> {
        self.world.control.authenticate(&token.secret, audience).await
    }
}

fn personal(grants: &[Grant]) -> NewAccessToken {
    NewAccessToken {
        kind: TokenKind::Personal,
        label: "pull".to_owned(),
        grants: grants.to_vec(),
        lifetime: TimeDelta::days(30),
        peer: None,
    }
}

fn service(audience: Audience) -> NewAccessToken {
    NewAccessToken { kind: TokenKind::Service(audience), ..personal(&[]) }
}

#[tokio::test]
async fn a_personal_token_opens_both_doors_for_its_studies_and_a_hash_of_it_is_stored() {
    let Some(scene) = Scene::new(&[everywhere(Role::DataEngineer)]).await else { return };
    let limited = personal(&[only_in(Role::Researcher, "A")]);
    let token = scene.create(&scene.herself(), limited).await.expect("she may");
    for audience in [Audience::Http, Audience::Flight] {
        let principal = scene.open(&token, audience).await.expect("it is good");
        assert_eq!(principal.account(), scene.ada);
        assert!(principal.grants().scope::<Read>(&study("A")).is_ok());
        assert!(principal.grants().scope::<Read>(&study("B")).is_err());
        assert!(principal.grants().scope::<Build>(&study("A")).is_err());
        // It makes no other tokens, and has no session to end.
        let further = scene.world.control.issue_token(&principal, Audience::Flight, &trace()).await;
        assert!(matches!(further, Err(ControlError::Denied)), "{further:?}");
        let left = scene.world.control.logout(&principal, &trace()).await;
        assert!(matches!(left, Err(ControlError::Denied)), "{left:?}");
    }
    let (_, chance) = token.secret.rsplit_once('_').expect("a token has parts");
    assert_eq!(chance.len(), 256 / 4);
    for whose in [Whose::Systems, Whose::Tenants(scene.tenant)] {
        assert!(!format!("{:?}", scene.world.site.contents(whose).await).contains(chance));
    }
    assert!(!format!("{token:?}").contains(chance));
}

#[tokio::test]
async fn a_token_may_do_at_most_what_its_account_may_at_that_moment() {
    let Some(scene) = Scene::new(&[everywhere(Role::DataEngineer)]).await else { return };
    let control = &scene.world.control;
    let whole = scene.create(&scene.herself(), personal(&[])).await.expect("she may");
    let builder = personal(&[everywhere(Role::DataEngineer)]);
    let builder = scene.create(&scene.herself(), builder).await.expect("she may");
    control
        .grant(&Actor::Operator, scene.tenant, scene.ada, only_in(Role::Researcher, "A"))
        .await
        .expect("the operator may");
    control
        .revoke_grant(&Actor::Operator, scene.tenant, scene.ada, everywhere(Role::DataEngineer))
        .await
        .expect("the operator may");
    for token in [&whole, &builder] {
        let principal = scene.open(token, Audience::Http).await.expect("the token goes on");
        assert!(principal.grants().scope::<Read>(&study("A")).is_ok());
        assert!(principal.grants().scope::<Read>(&study("B")).is_err());
        assert!(!principal.grants().allow_anywhere::<Build>());
    }
    for beyond in
        [everywhere(Role::Researcher), only_in(Role::DataEngineer, "A"), only_in(Role::Researcher, "B")]
    {
        let refused = scene.create(&scene.herself(), personal(&[beyond])).await;
        assert!(matches!(refused, Err(ControlError::Denied)), "{refused:?}");
    }
}

#[tokio::test]
async fn control_35_a_service_token_opens_its_one_door() {
    let Some(scene) = Scene::new(&[everywhere(Role::Researcher)]).await else { return };
    for (mine, other) in [(Audience::Flight, Audience::Http), (Audience::Http, Audience::Flight)] {
        let token = scene.create(&Actor::Operator, service(mine)).await.expect("the operator may");
        scene.open(&token, mine).await.expect("it is its door");
        let refused = scene.open(&token, other).await;
        assert!(matches!(refused, Err(AuthError::WrongAudience { .. })), "{refused:?}");
    }
    let by_herself = scene.create(&scene.herself(), service(Audience::Flight)).await;
    assert!(matches!(by_herself, Err(ControlError::Denied)), "{by_herself:?}");
}

#[tokio::test]
async fn control_35_a_token_bound_to_a_machine_opens_nothing_without_its_certificate() {
    let Some(scene) = Scene::new(&[everywhere(Role::Researcher)]).await else { return };
    let peer = PeerName::parse("spiffe://cairn/service/etl").expect("it is a name");
    let new = NewAccessToken { peer: Some(peer), ..service(Audience::Flight) };
    let token = scene.create(&Actor::Operator, new.clone()).await.expect("the operator may");
    let open = async |uris: &[&'static str], dns: &[&'static str]| {
        let names = PeerNames::new(uris.iter().copied(), dns.iter().copied());
        scene.world.control.authenticate_peer(&token.secret, Audience::Flight, &names).await
    };
    open(&["spiffe://cairn/service/etl"], &[]).await.expect("it is its machine");
    open(&["spiffe://cairn/other", "spiffe://cairn/service/etl"], &[])
        .await
        .expect("one of the names is enough");
    for (uris, dns) in
        [(&[][..], &[][..]), (&["spiffe://cairn/other"], &[]), (&[], &["spiffe://cairn/service/etl"])]
    {
        let refused = open(uris, dns).await;
        assert!(matches!(refused, Err(AuthError::WrongPeer { .. })), "{refused:?}");
    }
    let refused = scene.open(&token, Audience::Flight).await.expect_err("it came without a certificate");
    assert_eq!((refused.reason(), refused.caller().is_some()), ("token_wrong_peer", true));
    let person = NewAccessToken { kind: TokenKind::Personal, ..new };
    let refused = scene.create(&Actor::Operator, person).await;
    assert!(matches!(refused, Err(ControlError::PeerOfPerson)), "{refused:?}");
}

#[tokio::test]
async fn a_token_ends_and_can_be_revoked_by_its_own_account() {
    let Some(scene) = Scene::new(&[everywhere(Role::Researcher)]).await else { return };
    let control = &scene.world.control;
    let [first, second] = [
        scene.create(&scene.herself(), personal(&[])).await.expect("she may"),
        scene.create(&scene.herself(), personal(&[])).await.expect("she may"),
    ];
    let bob = scene.world.account(scene.tenant, "bob@example.org", &[everywhere(Role::DataEngineer)]).await;
    let bob = Actor::Account { id: bob, tenant: scene.tenant };
    let stolen = control.revoke_access_token(&bob, scene.tenant, first.token.id).await;
    assert!(matches!(stolen, Err(ControlError::Denied)), "{stolen:?}");
    let seen = control.access_tokens(&bob, scene.tenant, Some(scene.ada)).await;
    assert!(matches!(seen, Err(ControlError::Denied)), "{seen:?}");

    let elsewhere = scene.world.reopened().await;
    elsewhere.authenticate(&first.secret, Audience::Http).await.expect("it is good");
    for _ in 0..2 {
        control
            .revoke_access_token(&scene.herself(), scene.tenant, first.token.id)
            .await
            .expect("it is hers");
    }
    let refused = elsewhere.authenticate(&first.secret, Audience::Http).await;
    assert!(matches!(refused, Err(AuthError::Revoked { .. })), "{refused:?}");

    scene.world.clock.advance(TimeDelta::days(30) - TimeDelta::seconds(1));
    scene.open(&second, Audience::Http).await.expect("its time is not over");
    scene.world.clock.advance(TimeDelta::seconds(1));
    let refused = scene.open(&second, Audience::Http).await;
    assert!(matches!(refused, Err(AuthError::Expired { .. })), "{refused:?}");

    let listed = control.access_tokens(&scene.herself(), scene.tenant, Some(scene.ada)).await.expect("hers");
    assert_eq!(listed.len(), 2);
    assert!(listed.iter().all(|token| token.last_used_at.is_some()));
    let actions: Vec<String> =
        scene.world.events(scene.tenant).await.into_iter().map(|event| event.action).collect();
    let count = |name: &str| actions.iter().filter(|action| *action == name).count();
    assert_eq!((count("auth.access_token.created"), count("auth.access_token.revoked")), (2, 1));
}

#[tokio::test]
async fn a_token_lasts_no_longer_than_its_kind_may_and_says_what_it_is_for() {
    let Some(scene) = Scene::new(&[everywhere(Role::Researcher)]).await else { return };
    for (mut new, longest) in [(personal(&[]), 90), (service(Audience::Http), 365)] {
        new.lifetime = TimeDelta::days(longest);
        scene.create(&Actor::Operator, new.clone()).await.expect("that long it may last");
        for days in [0, -1, longest + 1] {
            new.lifetime = TimeDelta::days(days);
            let refused = scene.create(&Actor::Operator, new.clone()).await;
            assert!(matches!(refused, Err(ControlError::InvalidTokenLifetime { .. })), "{refused:?}");
        }
    }
    let unnamed = NewAccessToken { label: "  ".to_owned(), ..personal(&[]) };
    let refused = scene.create(&scene.herself(), unnamed).await;
    assert!(matches!(refused, Err(ControlError::InvalidText { .. })), "{refused:?}");
}

#[tokio::test]
async fn a_disabled_account_has_no_tokens() {
    let Some(scene) = Scene::new(&[everywhere(Role::Researcher)]).await else { return };
    let token = scene.create(&scene.herself(), personal(&[])).await.expect("she may");
    let control = &scene.world.control;
    control.disable_account(&Actor::Operator, scene.tenant, scene.ada).await.expect("she exists");
    let refused = scene.open(&token, Audience::Flight).await;
    assert!(matches!(refused, Err(AuthError::AccountDisabled { .. })), "{refused:?}");
    let further = scene.create(&Actor::Operator, personal(&[])).await;
    assert!(matches!(further, Err(ControlError::Denied)), "{further:?}");
}

#[tokio::test]
async fn a_text_that_is_almost_a_token_is_none() {
    let Some(scene) = Scene::new(&[everywhere(Role::Researcher)]).await else { return };
    let token = scene.create(&scene.herself(), personal(&[])).await.expect("she may");
    let other = scene.world.tenant("other").await.id;
    let (rest, chance) = token.secret.rsplit_once('_').expect("parts");
    let (mark, tenant) = rest.rsplit_once('_').expect("parts");
    let cases = [
        ("cairn_".to_owned(), "token_malformed"),
        (format!("cairn_xyz_{tenant}_{chance}"), "token_malformed"),
        (format!("{mark}_{tenant}_"), "token_malformed"),
        (format!("{mark}_{tenant}_{chance}0"), "token_malformed"),
        (format!("{mark}_{tenant}_{}", "z".repeat(64)), "token_malformed"),
        (token.token.id.to_string(), "token_malformed"),
        (format!("cairn_svc_{tenant}_{chance}"), "no_access_token"),
        (format!("{mark}_{tenant}_{}", "0".repeat(64)), "no_access_token"),
        (format!("{mark}_{}_{chance}", other.as_uuid().simple()), "no_access_token"),
        (format!("{mark}_{}_{chance}", "0".repeat(32)), "no_access_token"),
    ];
    for (text, reason) in cases {
        let error = scene.world.control.authenticate(&text, Audience::Http).await.expect_err("it is none");
        assert_eq!((error.reason(), error.caller()), (reason, None), "{text}");
    }
}
