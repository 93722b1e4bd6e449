use std::net::{IpAddr, Ipv4Addr};

use chrono::TimeDelta;
use control::{
    Actor, Audience, Block, ControlError, GovernedError, Meaning, NewSignature, Principal, Record,
    RecordKind, SignatureError, SignatureFault, SignatureRow, SignatureState, VerifierKey, verify_signature,
};
use hmac::{Hmac, KeyInit, Mac};
use kernel::{AccountId, Read, Role, Sign, StudyScope, TenantId};
use sha1::Sha1;

use super::world::{PASSWORD, World, everywhere, study, trace};
use crate::site::Whose;

const RECORD: &[u8] = b"the bytes of a manifest";
/// Source: `printf 'the bytes of a manifest' | sha256sum`.
const SHA256: &str = "f0d2f87a458889af4e52cd904f9eb55751fdfb49a1703453522955273428173e";

struct Scene {
    world: World,
    tenant: TenantId,
    ada: AccountId,
    secret: String,
}

impl Scene {
    /// Ada may sign, and has an authenticator app.
    async fn new() -> Option<Self> {
        let world = World::new().await?;
        let tenant = world.tenant("acme").await.id;
        world.study(tenant, "A").await;
        let ada = world.account(tenant, "ada@example.org", &[everywhere(Role::Clinical)]).await;
        let enrolled = world.control.enrol_second_factor(&Actor::Operator, tenant, ada).await;
        let secret = enrolled.expect("it is her first").secret;
        let scene = Self { world, tenant, ada, secret };
        let code = scene.code();
        let confirmed = scene.world.control.confirm_second_factor(&Actor::Operator, tenant, ada, &code).await;
        confirmed.expect("the app shows it");
        scene.wait(60);
        Some(scene)
    }

    fn wait(&self, seconds: i64) {
        self.world.clock.advance(TimeDelta::seconds(seconds));
    }

    /// What the app shows. Source: RFC 6238 with HMAC-SHA-1, written out.
    fn code(&self) -> String {
        let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        let (mut secret, mut held, mut bits) = (Vec::new(), 0_u32, 0);
        for letter in self.secret.bytes() {
            let value = letters.iter().position(|known| *known == letter).expect("base32");
            held = (held << 5) | u32::try_from(value).expect("below 32");
            bits += 5;
            if bits >= 8 {
                bits -= 8;
                secret.push(u8::try_from((held >> bits) & 0xff).expect("a byte"));
            }
        }
        let step = kernel::Clock::now(&*self.world.clock).timestamp() / 30;
        let mut mac = Hmac::<Sha1>::new_from_slice(&secret).expect("any key");
        mac.update(&step.to_be_bytes());
        let hash = mac.finalize().into_bytes();
        let at = usize::from(hash[19] & 15);
        let word = u32::from_be_bytes(hash[at..at + 4].try_into().expect("four")) & 0x7fff_ffff;
        format!("{:06}", word % 1_000_000)
    }

    /// Ada, signed in a minute later than whatever was before, so that her code is a new one.
    async fn signed_in(&self) -> Principal {
        self.wait(60);
        let code = self.code();
        let given = control::Credentials {
            code: Some(&code),
            ..control::Credentials::new("ada@example.org", PASSWORD)
        };
        let login = self.world.control.login(&given, Audience::Http, &trace()).await.expect("all is right");
        self.wait(60);
        login.principal
    }

    async fn sign_with(&self, password: &str, code: &str) -> Result<SignatureRow, ControlError> {
        let principal = self.signed_in().await;
        let code = if code.is_empty() { self.code() } else { code.to_owned() };
        self.sign_as(&principal, password, &code).await
    }

    async fn sign_as(
        &self,
        principal: &Principal,
        password: &str,
        code: &str,
    ) -> Result<SignatureRow, ControlError> {
        let scope = principal.grants().scope::<Sign>(&study("A")).expect("she may sign");
        let record = Record::of(RecordKind::Snapshot, "one", RECORD);
        let peer = Some(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7)));
        let new = NewSignature {
            record: &record,
            shown_sha256: SHA256,
            meaning: Meaning::Approval,
            password,
            code,
            peer,
        };
        self.world.control.sign_record(principal, &scope, &new, &trace()).await
    }

    async fn read(&self) -> StudyScope<Read> {
        let grants = self.world.control.operator_grants(self.tenant).await.expect("the tenant exists");
        grants.scope(&study("A")).expect("the operator reads")
    }

    async fn listed(&self) -> Vec<SignatureRow> {
        self.world.control.signatures(&self.read().await).await.expect("they can be listed")
    }

    async fn keys(&self) -> Vec<VerifierKey> {
        let lines = self.world.control.verifier_keys().await.expect("the keys are there");
        lines.iter().map(|line| line.to_string().parse().expect("a key")).collect()
    }
}

#[tokio::test]
async fn control_12_a_signature_binds_name_time_meaning_and_the_records_hash() {
    let Some(scene) = Scene::new().await else { return };
    let signed = scene.sign_with(PASSWORD, "").await.expect("both components are right");
    let block = signed.block.clone().expect("it was just made");
    assert_eq!(
        (block.name.as_str(), block.meaning, block.signer),
        ("Ada Lovelace", Meaning::Approval, scene.ada)
    );
    assert_eq!((signed.record.sha256.as_str(), block.method.as_str()), (SHA256, "password+code"));
    let listed = scene.listed().await;
    assert_eq!(listed, std::slice::from_ref(&signed));
    assert_eq!(listed[0].state(Some(SHA256)), SignatureState::Valid);
    let changed = Record::of(RecordKind::Snapshot, "one", b"other bytes").sha256;
    for present in [Some(changed.as_str()), None] {
        let state = listed[0].state(present);
        assert_eq!(state, SignatureState::RecordChanged);
        assert!(state.to_string().starts_with("signature invalid"), "{state}");
    }
    let events = scene.world.events(scene.tenant).await;
    assert_eq!(
        (events[0].action.as_str(), events[0].data["record_sha256"].as_str()),
        ("record.signed", Some(SHA256))
    );
    assert!(events.iter().all(|event| !event.leaf.contains("Lovelace")), "no leaf holds the name");
}

#[tokio::test]
async fn control_12_a_signature_verifies_offline_and_nothing_else_does_in_its_place() {
    let Some(scene) = Scene::new().await else { return };
    let first = scene.sign_with(PASSWORD, "").await.expect("both components are right");
    let second = scene.sign_with(PASSWORD, "").await.expect("both components are right");
    let (keys, read) = (scene.keys().await, scene.read().await);
    let proof = scene.world.control.signature_proof(&read, first.id).await.expect("it holds");
    let other = scene.world.control.signature_proof(&read, second.id).await.expect("it holds");
    let verify = |block: &str, record: &[u8], receipt: &str, keys: &[VerifierKey]| {
        verify_signature(block.as_bytes(), record, receipt.as_bytes(), keys)
    };
    let held = verify(&proof.block, RECORD, &proof.receipt, &keys).expect("it holds");
    assert_eq!(Some(&held.block), first.block.as_ref());
    let changed = verify(&proof.block, b"other bytes", &proof.receipt, &keys);
    assert!(matches!(changed, Err(SignatureError::RecordChanged { .. })), "{changed:?}");
    let moved = verify(&proof.block, RECORD, &other.receipt, &keys);
    assert_eq!(moved, Err(SignatureError::OtherEvent));
    let renamed = proof.block.replace("Ada Lovelace", "Eve Lovelace");
    assert_eq!(verify(&renamed, RECORD, &proof.receipt, &keys), Err(SignatureError::OtherEvent));
    let spoilt = proof.block.replace("\"v\":1", "\"v\":1 ");
    assert_eq!(verify(&spoilt, RECORD, &proof.receipt, &keys), Err(SignatureError::Malformed));
    assert!(matches!(verify(&proof.block, RECORD, &proof.receipt, &[]), Err(SignatureError::Receipt(_))));
    assert!(Block::parse(proof.block.as_bytes()).is_some());
}

#[tokio::test]
async fn control_12_a_copied_moved_or_changed_signature_is_invalid() {
    let cases = [
        ("UPDATE signatures SET record_id = 'two'", SignatureFault::Block),
        ("UPDATE signatures SET meaning = 'review'", SignatureFault::Block),
        ("UPDATE signatures SET signed_at = '2026-01-01T00:00:00.000000Z'", SignatureFault::Block),
        (
            "UPDATE signatures SET signature_id = '01890a5d-ac96-774b-bcce-b302099a8057'",
            SignatureFault::Block,
        ),
        ("UPDATE signatures SET block_nonce = substr(block_ciphertext, 1, 12)", SignatureFault::Block),
    ];
    for (statement, fault) in cases {
        let Some(scene) = Scene::new().await else { return };
        scene.sign_with(PASSWORD, "").await.expect("both components are right");
        scene.world.site.intrude(Whose::Tenants(scene.tenant), &[statement]).await;
        let listed = scene.listed().await;
        assert_eq!(listed[0].fault, Some(fault), "{statement}");
        assert!(listed[0].state(Some(SHA256)).to_string().starts_with("signature invalid"), "{statement}");
        let outcome = scene.world.control.signature_proof(&scene.read().await, listed[0].id).await;
        assert!(outcome.is_err(), "{statement}: {outcome:?}");
    }
}

#[tokio::test]
async fn control_12_wrong_components_are_refused_recorded_and_throttled() {
    let Some(scene) = Scene::new().await else { return };
    let principal = scene.signed_in().await;
    let code = scene.code();
    for (password, code) in [("wrong horse battery", code.as_str()), (PASSWORD, "000000"), (PASSWORD, "")] {
        let outcome = scene.sign_as(&principal, password, code).await;
        assert!(matches!(outcome, Err(ControlError::LoginRefused)), "{outcome:?}");
    }
    let events = scene.world.events(scene.tenant).await;
    let refused = events.iter().filter(|event| event.action == "auth.login.failed");
    let reasons: Vec<_> =
        refused.map(|event| (event.data["audience"].clone(), event.data["reason"].clone())).collect();
    let expected =
        [("signature", "code_missing"), ("signature", "wrong_code"), ("signature", "wrong_password")];
    assert_eq!(reasons, expected.map(|(door, why)| (door.into(), why.into())));
    for _ in 0..2 {
        drop(scene.sign_as(&principal, PASSWORD, "000000").await);
    }
    let outcome = scene.sign_as(&principal, PASSWORD, &code).await;
    assert!(
        matches!(outcome, Err(ControlError::LoginThrottled { .. })),
        "the sixth has to wait: {outcome:?}"
    );
    assert_eq!(scene.listed().await, []);
}

#[tokio::test]
async fn control_12_signing_takes_the_shown_record_an_app_a_role_and_a_code_that_is_used_once() {
    let Some(scene) = Scene::new().await else { return };
    let principal = scene.signed_in().await;
    let scope = principal.grants().scope::<Sign>(&study("A")).expect("she may sign");
    let (record, code) = (Record::of(RecordKind::Snapshot, "one", b"other bytes"), scene.code());
    let new = NewSignature {
        record: &record,
        shown_sha256: SHA256,
        meaning: Meaning::Review,
        password: PASSWORD,
        code: &code,
        peer: None,
    };
    let outcome = scene.world.control.sign_record(&principal, &scope, &new, &trace()).await;
    assert!(matches!(outcome, Err(ControlError::Governed(GovernedError::RecordDiffers))), "{outcome:?}");
    scene.sign_as(&principal, PASSWORD, &code).await.expect("the code was not used up");
    let again = scene.sign_as(&principal, PASSWORD, &code).await;
    assert!(matches!(again, Err(ControlError::LoginRefused)), "a code signs once: {again:?}");

    let bob = scene.world.account(scene.tenant, "bob@example.org", &[everywhere(Role::Clinical)]).await;
    let login = scene.world.login("bob@example.org", Audience::Http).await;
    let outcome = scene.sign_as(&login.principal, PASSWORD, "").await;
    assert!(matches!(outcome, Err(ControlError::Governed(GovernedError::CodeNeeded))), "{bob}: {outcome:?}");
    scene.world.account(scene.tenant, "eve@example.org", &[everywhere(Role::Researcher)]).await;
    let login = scene.world.login("eve@example.org", Audience::Http).await;
    assert!(login.principal.grants().scope::<Sign>(&study("A")).is_err(), "a researcher signs nothing");
}
