use chrono::TimeDelta;
use control::{Actor, Control, ControlError, Credentials, SecondFactor};
use hmac::{Hmac, KeyInit, Mac};
use kernel::{AccountId, Clock, Role, TenantId};
use sha1::Sha1;

use super::world::{PASSWORD, World, everywhere, trace};
use crate::site::Whose;

const ADA: &str = "ada@example.org";

struct Scene {
    world: World,
    tenant: TenantId,
    ada: AccountId,
}

/// What an app shows at this moment. Source: RFC 6238, written down once more here.
pub(super) fn shown(world: &World, secret: &str) -> String {
    let step = u64::try_from(world.clock.now().timestamp()).expect("after 1970") / 30;
    let mut mac = Hmac::<Sha1>::new_from_slice(&from_base32(secret)).expect("a key of any length");
    mac.update(&step.to_be_bytes());
    let hash = mac.finalize().into_bytes();
    let at = usize::from(hash[19] & 15);
    let word = u32::from_be_bytes([hash[at], hash[at + 1], hash[at + 2], hash[at + 3]]) & 0x7fff_ffff;
    format!("{:06}", word % 1_000_000)
}

impl Scene {
    async fn new() -> Option<Self> {
        let world = World::new().await?;
        let tenant = world.tenant("acme").await.id;
        let ada = world.account(tenant, ADA, &[everywhere(Role::Researcher)]).await;
        Some(Self { world, tenant, ada })
    }

    const fn herself(&self) -> Actor {
        Actor::Account { id: self.ada, tenant: self.tenant }
    }

    fn shown(&self, secret: &str) -> String {
        shown(&self.world, secret)
    }

    /// An app and recovery codes, in use.
    async fn in_use(&self) -> (String, Vec<String>) {
        let control = &self.world.control;
        let told =
            control.enrol_second_factor(&self.herself(), self.tenant, self.ada).await.expect("she may");
        let code = self.shown(&told.secret);
        let codes = control.confirm_second_factor(&self.herself(), self.tenant, self.ada, &code).await;
        self.world.clock.advance(TimeDelta::seconds(30));
        (told.secret, codes.expect("the code is right"))
    }

    async fn sign_in(&self, control: &Control, code: Option<&str>) -> Result<String, ControlError> {
        let given = Credentials { code, ..Credentials::new(ADA, PASSWORD) };
        let session = control.sign_in(&given, &trace()).await?;
        let own = control.sessions(&self.herself(), self.tenant, Some(self.ada)).await?;
        let found = own.into_iter().find(|one| Some(one.id) == session.principal.session());
        Ok(found.expect("it is listed").method)
    }

    async fn check_refused(&self, code: Option<&str>, reason: &str) {
        let outcome = self.sign_in(&self.world.control, code).await;
        assert!(matches!(outcome, Err(ControlError::LoginRefused)), "{code:?} {outcome:?}");
        let newest = self.world.events(self.tenant).await.remove(0);
        assert_eq!(
            (newest.action.as_str(), newest.data["reason"].as_str()),
            ("auth.login.failed", Some(reason))
        );
    }

    async fn state(&self) -> SecondFactor {
        let state = self.world.control.second_factor(&self.herself(), self.tenant, self.ada).await;
        state.expect("she may see it")
    }
}

fn from_base32(text: &str) -> Vec<u8> {
    let value = |letter: char| "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".find(letter).expect("a letter of base 32");
    let bits: String = text.chars().map(|letter| format!("{:05b}", value(letter))).collect();
    let bytes = bits.as_bytes().chunks_exact(8);
    bytes
        .map(|bits| u8::from_str_radix(std::str::from_utf8(bits).expect("digits"), 2).expect("bits"))
        .collect()
}

#[tokio::test]
async fn a_login_asks_for_a_code_once_the_app_has_shown_one() {
    let Some(scene) = Scene::new().await else { return };
    let control = &scene.world.control;
    assert_eq!(scene.state().await, SecondFactor::Absent);
    let told = control.enrol_second_factor(&scene.herself(), scene.tenant, scene.ada).await.expect("she may");
    assert!(told.uri.contains(&told.secret) && told.uri.starts_with("otpauth://totp/Cairn:ada@example.org?"));
    assert_eq!(scene.state().await, SecondFactor::Enrolled);
    assert_eq!(scene.sign_in(control, None).await.expect("nothing is asked for yet"), "password");
    let wrong = control.confirm_second_factor(&scene.herself(), scene.tenant, scene.ada, "000000").await;
    assert!(matches!(wrong, Err(ControlError::WrongCode)), "{wrong:?}");
    let code = scene.shown(&told.secret);
    let codes = control.confirm_second_factor(&scene.herself(), scene.tenant, scene.ada, &code).await;
    assert_eq!(codes.expect("it is right").len(), 10);
    assert_eq!(scene.state().await, SecondFactor::Confirmed { recovery_codes: 10 });

    scene.check_refused(None, "code_missing").await;
    scene.check_refused(Some("  "), "code_missing").await;
    scene.check_refused(Some("000000"), "wrong_code").await;
    // The code that has shown the app is used up.
    scene.check_refused(Some(&code), "code_used_before").await;
    scene.world.clock.advance(TimeDelta::seconds(30));
    let code = scene.shown(&told.secret);
    assert_eq!(scene.sign_in(control, Some(&code)).await.expect("it is right"), "password+code");
    scene.check_refused(Some(&code), "code_used_before").await;
}

#[tokio::test]
async fn of_logins_with_one_code_at_a_time_one_is_let_in() {
    let Some(scene) = Scene::new().await else { return };
    let (secret, recovery) = scene.in_use().await;
    let elsewhere = scene.world.reopened().await;
    for code in [scene.shown(&secret), recovery[0].clone()] {
        let mut callers = tokio::task::JoinSet::new();
        for number in 0..6 {
            let control = if number % 2 == 0 { scene.world.control.clone() } else { elsewhere.clone() };
            let code = code.clone();
            callers.spawn(async move {
                let given = Credentials { code: Some(&code), ..Credentials::new(ADA, PASSWORD) };
                control.sign_in(&given, &trace()).await.is_ok()
            });
        }
        let let_in = callers.join_all().await.into_iter().filter(|let_in| *let_in).count();
        assert_eq!(let_in, 1, "{code}");
    }
}

#[tokio::test]
async fn a_recovery_code_lets_in_once_however_it_is_typed() {
    let Some(scene) = Scene::new().await else { return };
    let (_, recovery) = scene.in_use().await;
    let typed = recovery[3].to_uppercase().replace('-', " ");
    let control = &scene.world.control;
    let method = scene.sign_in(control, Some(&typed)).await.expect("it is one of hers");
    assert_eq!(method, "password+recovery_code");
    scene.check_refused(Some(&recovery[3]), "wrong_code").await;
    assert_eq!(scene.state().await, SecondFactor::Confirmed { recovery_codes: 9 });
}

#[tokio::test]
async fn giving_it_up_takes_a_code_or_the_operator() {
    let Some(scene) = Scene::new().await else { return };
    let control = &scene.world.control;
    let (secret, _) = scene.in_use().await;
    let again = control.enrol_second_factor(&scene.herself(), scene.tenant, scene.ada).await;
    assert!(matches!(again, Err(ControlError::SecondFactorPresent)), "{again:?}");
    let bob = scene.world.account(scene.tenant, "bob@example.org", &[everywhere(Role::DataEngineer)]).await;
    let bob = Actor::Account { id: bob, tenant: scene.tenant };
    let by_bob = control.disable_second_factor(&bob, scene.tenant, scene.ada, None).await;
    assert!(matches!(by_bob, Err(ControlError::Denied)), "{by_bob:?}");
    for code in [None, Some("000000")] {
        let refused = control.disable_second_factor(&scene.herself(), scene.tenant, scene.ada, code).await;
        assert!(matches!(refused, Err(ControlError::WrongCode)), "{refused:?}");
    }
    let code = scene.shown(&secret);
    control
        .disable_second_factor(&scene.herself(), scene.tenant, scene.ada, Some(&code))
        .await
        .expect("hers");
    assert_eq!(scene.sign_in(control, None).await.expect("nothing is asked for"), "password");

    scene.world.clock.advance(TimeDelta::seconds(60));
    scene.in_use().await;
    control
        .disable_second_factor(&Actor::Operator, scene.tenant, scene.ada, None)
        .await
        .expect("she lost it");
    assert_eq!(scene.state().await, SecondFactor::Absent);
}

#[tokio::test]
async fn the_secret_is_stored_encrypted_and_goes_with_its_owner() {
    let Some(scene) = Scene::new().await else { return };
    let (secret, recovery) = scene.in_use().await;
    let dump = format!("{:?}", scene.world.site.contents(Whose::Tenants(scene.tenant)).await);
    let digits: String = from_base32(&secret).iter().map(|byte| format!("{byte:02X}")).collect();
    for hidden in [&secret, &digits, &digits.to_lowercase(), &recovery[0], &recovery[0].replace('-', "")] {
        assert!(!dump.contains(hidden.as_str()), "`{hidden}` is stored");
    }
    let second = scene.world.account(scene.tenant, "eve@example.org", &[]).await;
    let erasure = control::Erasure { account: scene.ada, reason: "asked".to_owned(), approved_by: second };
    scene.world.control.erase_account(&Actor::Operator, scene.tenant, erasure).await.expect("she asked");
    let tables = scene.world.site.contents(Whose::Tenants(scene.tenant)).await;
    assert!(tables["second_factors"].is_empty() && tables["recovery_codes"].is_empty());
}
