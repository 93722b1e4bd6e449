use std::fs;

use control::{ControlError, verify_receipt};

use super::world::{World, replace_in_leaves};
use crate::second_verifier::second_verifier;
use crate::site::Whose;

#[tokio::test]
async fn control_09_every_event_has_a_receipt_that_two_verifiers_accept() {
    let Some(world) = World::new().await else { return };
    let tenant = world.tenant("acme").await.id;
    for index in 0..10 {
        world.study(tenant, &format!("STUDY-{index}")).await;
    }
    let keys = world.control.verifier_keys().await.expect("the keys can be read");
    let file = world.folder().join("event.tlog-proof");
    for (log, events) in [(Some(tenant), 11), (None, 4)] {
        for seq in 0..events {
            let receipt = world.control.receipt(log, seq).await.expect("the event is there");
            let proven = verify_receipt(receipt.as_bytes(), &keys).expect("the receipt is good");
            assert_eq!(proven.seq, seq);
            fs::write(&file, &receipt).expect("the file can be written");
            let lines: Vec<String> = keys.iter().map(|key| format!("--key={key}")).collect();
            let path = format!("--receipt={}", file.display());
            let arguments: Vec<&str> = lines.iter().chain([&path]).map(String::as_str).collect();
            let (code, answer) = second_verifier(&arguments);
            assert_eq!((code, &answer["logs"][0]["seq"]), (0, &seq.into()), "{answer}");

            fs::write(&file, receipt.replace("index ", "index 1")).expect("the file can be written");
            assert_eq!(second_verifier(&arguments).0, 1, "another place");
        }
    }
}

#[tokio::test]
async fn an_event_that_is_not_there_has_no_receipt() {
    let Some(world) = World::new().await else { return };
    let tenant = world.tenant("acme").await.id;
    let outcome = world.control.receipt(Some(tenant), 1).await;
    assert!(matches!(outcome, Err(ControlError::NoSuchEvent { seq: 1, size: 1, .. })), "{outcome:?}");
}

#[tokio::test]
async fn no_receipt_is_given_over_a_log_that_was_changed() {
    let Some(world) = World::new().await else { return };
    let tenant = world.tenant("acme").await.id;
    for index in 0..5 {
        world.study(tenant, &format!("STUDY-{index}")).await;
    }
    world.control.checkpoint_now().await.expect("the logs are good");
    let change = "UPDATE audit_events SET entry_hash = (SELECT prev_hash FROM audit_events WHERE seq = 1) || '' WHERE seq = 0";
    let other = "UPDATE audit_events SET entry_hash = replace(entry_hash, substr(entry_hash, 1, 1), 'f') WHERE seq = 2";
    let leaf = replace_in_leaves("STUDY-3", "STUDY-X");
    world.site.intrude(Whose::Tenants(tenant), &[change, other, &leaf]).await;
    let outcome = world.control.receipt(Some(tenant), 4).await;
    assert!(matches!(outcome, Err(ControlError::LogBroken { index: 4, .. })), "{outcome:?}");
}
