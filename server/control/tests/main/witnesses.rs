use std::path::Path;

use control::{Actor, ControlError, VerifierKey, Witness, WitnessRefusal, verify_folder, verify_receipt};
use kernel::{Clock, TenantId};

use super::world::World;
use crate::second_verifier::second_verifier;
use crate::site::Whose;

const NAME: &str = "witness.example/w1";

async fn keys(world: &World) -> Vec<VerifierKey> {
    world.control.verifier_keys().await.expect("the keys can be read")
}

async fn witness_of(world: &World, folder: &Path) -> Witness {
    let witness = Witness::open(folder, Some(NAME)).expect("a witness can be made");
    for key in keys(world).await {
        witness.trust(&key).expect("a key can be kept");
    }
    witness
}

async fn grow(world: &World, tenant: TenantId, name: &str, studies: usize) {
    for index in 0..studies {
        world.study(tenant, &format!("{name}-{index}")).await;
    }
    world.control.checkpoint_now().await.expect("the logs are good");
}

async fn ask(world: &World, witness: &Witness, tenant: TenantId, old: u64) -> Result<String, WitnessRefusal> {
    let request = world.control.witness_request(Some(tenant), old).await.expect("there is a checkpoint");
    witness.add_checkpoint(request.as_bytes(), world.clock.now())
}

#[tokio::test]
async fn a_witness_signs_a_log_that_grows_and_its_signature_goes_with_every_proof() {
    let Some(world) = World::new().await else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let tenant = world.tenant("acme").await.id;
    grow(&world, tenant, "A", 6).await;
    let witness = witness_of(&world, folder.path()).await;
    let key = witness.verifier_key();
    ask(&world, &witness, tenant, 0).await.expect("the log is new to it");
    grow(&world, tenant, "B", 30).await;
    let refused = ask(&world, &witness, tenant, 0).await;
    assert!(matches!(refused, Err(WitnessRefusal::Conflict { size: 7 })), "{refused:?}");
    let answer = ask(&world, &witness, tenant, 7).await.expect("the log has only grown");
    ask(&world, &witness, tenant, 37).await.expect("the same checkpoint may be signed again");

    let operator = Actor::Operator;
    let size = world.control.add_cosignature(&operator, Some(tenant), (&key, &answer)).await;
    assert_eq!(size.expect("the answer fits"), 37);
    let mut trusted = keys(&world).await;
    trusted.push(key.clone());
    let receipt = world.control.receipt(Some(tenant), 3).await.expect("the event is there");
    let proven = verify_receipt(receipt.as_bytes(), &trusted).expect("the receipt is good");
    assert_eq!(proven.signers, [format!("cairn/audit/{tenant}"), NAME.to_owned()]);

    let export = tempfile::tempdir().expect("a folder");
    world.control.export_ledger(export.path()).await.expect("the logs are good");
    let reports = verify_folder(export.path(), &trusted).expect("the export can be read");
    assert_eq!(reports[0].witnesses, [NAME], "{reports:?}");
    let (folder, file) =
        (export.path().display().to_string(), export.path().join("keys").display().to_string());
    let witness_key = key.to_string();
    let (code, answer) = second_verifier(&["--from", &folder, "--keys", &file, "--key", &witness_key]);
    assert_eq!((code, &answer["logs"][0]["witnesses"][0]), (0, &NAME.into()), "{answer}");
}

#[tokio::test]
async fn a_witness_refuses_a_log_that_was_put_back_or_written_anew() {
    let Some(mut world) = World::new().await else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let tenant = world.tenant("acme").await.id;
    let backup = [world.site.keep(Whose::Systems).await, world.site.keep(Whose::Tenants(tenant)).await];
    grow(&world, tenant, "A", 6).await;
    let witness = witness_of(&world, folder.path()).await;
    ask(&world, &witness, tenant, 0).await.expect("the log is new to it");

    // The same key signs another history.
    for rows in &backup {
        world.site.put_back(rows).await;
    }
    world.control = world.reopened().await;
    grow(&world, tenant, "B", 6).await;
    let refused = ask(&world, &witness, tenant, 7).await;
    assert!(matches!(refused, Err(WitnessRefusal::Forked { size: 7 })), "{refused:?}");
    grow(&world, tenant, "C", 6).await;
    let refused = ask(&world, &witness, tenant, 7).await;
    assert!(matches!(refused, Err(WitnessRefusal::Inconsistent)), "{refused:?}");
    assert_eq!(refused.expect_err("it is refused").http_status(), 422);
}

#[tokio::test]
async fn a_witness_signs_only_for_logs_that_it_knows_and_that_have_signed() {
    let Some(world) = World::new().await else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let tenant = world.tenant("acme").await.id;
    grow(&world, tenant, "A", 3).await;
    let witness = Witness::open(folder.path(), Some(NAME)).expect("a witness can be made");
    let refused = ask(&world, &witness, tenant, 0).await;
    assert!(matches!(refused, Err(WitnessRefusal::UnknownLog { .. })), "{refused:?}");

    let witness = witness_of(&world, folder.path()).await;
    let request = world.control.witness_request(Some(tenant), 0).await.expect("there is a checkpoint");
    let check = |request: &str, status: u16| {
        let refused = witness.add_checkpoint(request.as_bytes(), world.clock.now());
        assert_eq!(refused.expect_err("it is refused").http_status(), status, "{request}");
    };
    check(&request.replace("old 0", "old 9"), 400);
    check(&request.replace("old 0", "old 00"), 400);
    check(&request.replace("old 0", "older 0"), 400);
    check("", 400);
    check(&request.replace("\n4\n", "\n5\n"), 403);
    let stranger = request.replace("\u{2014} cairn", "\u{2014} other");
    check(&stranger, 403);
    check(&request.replace("cairn/audit", "other/audit"), 404);
    let proof = request.replace("old 0\n", "old 0\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n");
    check(&proof, 422);
    assert!(witness.add_checkpoint(request.as_bytes(), world.clock.now()).is_ok(), "untouched, it is signed");
}

#[tokio::test]
async fn an_answer_that_is_not_the_witnesss_is_not_kept() {
    let Some(world) = World::new().await else { return };
    let (one, two) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let tenant = world.tenant("acme").await.id;
    grow(&world, tenant, "A", 3).await;
    let witness = witness_of(&world, one.path()).await;
    let stranger = Witness::open(two.path(), Some("witness.example/w2")).expect("a witness can be made");
    let answer = ask(&world, &witness, tenant, 0).await.expect("the log is new to it");
    for (key, line) in [
        (stranger.verifier_key(), answer.clone()),
        (witness.verifier_key(), "nonsense".to_owned()),
        (witness.verifier_key(), String::new()),
    ] {
        let outcome = world.control.add_cosignature(&Actor::Operator, Some(tenant), (&key, &line)).await;
        assert!(matches!(outcome, Err(ControlError::Cosignature { .. })), "{line}: {outcome:?}");
    }
    grow(&world, tenant, "B", 1).await;
    let late = (&witness.verifier_key(), answer.as_str());
    let outcome = world.control.add_cosignature(&Actor::Operator, Some(tenant), late).await;
    assert!(matches!(outcome, Err(ControlError::Cosignature { .. })), "of an older checkpoint: {outcome:?}");
}

#[test]
fn a_witness_keeps_its_name_and_its_key() {
    let folder = tempfile::tempdir().expect("a folder");
    assert!(Witness::open(folder.path(), Some("two words")).is_err());
    assert!(Witness::open(folder.path(), None).is_err());
    let key = Witness::open(folder.path(), Some(NAME)).expect("a witness can be made").verifier_key();
    assert_eq!(Witness::open(folder.path(), None).expect("it is there").verifier_key(), key);
    assert!(Witness::open(folder.path(), Some("witness.example/w2")).is_err());
    assert_eq!(key.to_string().parse::<VerifierKey>().expect("its line reads back"), key);
}
