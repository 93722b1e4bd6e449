//! Ten thousand things that somebody who holds the database can do to a log, each found where it begins.

use std::sync::Arc;

use chrono::DateTime;
use kernel::{Clock, FixedClock};

use sqlx::AssertSqlSafe;

use super::*;
use crate::control::ControlSettings;
use crate::ledger::append::insert;
use crate::ledger::canonical::Canon;
use crate::ledger::hash::NO_HASH;
use crate::ledger::rows;
use crate::ledger::tree::Frontier;

const ANCHORED: usize = 13;
const EVENTS: usize = 16;
const MUTATIONS: usize = 10_000;
const CLASSES: usize = 12;

/// The numbers of a small generator, so that every run does the same.
// Source: Marsaglia, "Xorshift RNGs", 2003.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit as u64).expect("it is below a usize")
    }
}

struct Scene {
    _folders: [tempfile::TempDir; 2],
    control: Control,
    log: Log,
    /// An intruder's connection, with the guards taken down.
    intruder: Connection,
    leaves: Vec<Leaf>,
}

/// A log of 16 events, the first 13 of them anchored.
async fn scene() -> Scene {
    let folders = [0; 2].map(|_| tempfile::tempdir().expect("a temporary folder can be made"));
    let at = DateTime::from_timestamp(1_795_000_000, 0).expect("the time is valid");
    let clock: Arc<dyn Clock> = Arc::new(FixedClock(at));
    let (data, anchor) = (folders[0].path(), Some(folders[1].path().to_owned()));
    let settings = ControlSettings { anchor, ..ControlSettings::default() };
    let opened = Control::open_at(data, &settings, clock).await;
    let control = opened.expect("the folder can be opened");
    let tenant = control.create_tenant(&Actor::Operator, "acme", "Acme").await.expect("it is new").id;
    let grants = control.operator_grants(tenant).await.expect("the tenant exists");
    for index in 1..EVENTS {
        if index == 6 || index == ANCHORED {
            control.checkpoint_now().await.expect("the log is good");
        }
        let study = format!("STUDY-{index}").parse().expect("the code is valid");
        let scope = grants.scope(&study).expect("the operator may build");
        control.register_study(&Actor::Operator, &scope, "A study").await.expect("it is new");
    }
    let log = Log::Tenant(tenant);
    let mut view = control.log_view(log).await.expect("the file can be read");
    let stored = rows::leaves(&mut view, log, 0).await.expect("the log can be read");
    let leaves = stored.iter().map(|leaf| Leaf::parse(leaf).expect("it is a leaf")).collect();
    let file = data.join(format!("control/tenants/{tenant}.sqlite"));
    let address = format!("sqlite://{}?mode=rw", file.display());
    let mut intruder = <Connection as sqlx::Connection>::connect(&address).await.expect("it is there");
    let triggers: Vec<String> = sqlx::query_scalar("SELECT name FROM sqlite_schema WHERE type = 'trigger'")
        .fetch_all(&mut intruder)
        .await
        .expect("the schema can be read");
    for trigger in triggers {
        run(&mut intruder, &format!("DROP TRIGGER {trigger}")).await;
    }
    Scene { _folders: folders, control, log, intruder, leaves }
}

fn seq_of(at: usize) -> i64 {
    i64::try_from(at).expect("it is small")
}

async fn run(connection: &mut Connection, statement: &str) {
    let ran = sqlx::query(AssertSqlSafe(statement.to_owned())).execute(connection).await;
    assert!(ran.is_ok(), "{statement}: {ran:?}");
}

impl Scene {
    async fn fault(&mut self) -> Option<Fault> {
        let told = Commitments::read(&self.control, self.log, Start::First).await;
        let report = verify(&mut self.intruder, told.expect("it can be read")).await;
        report.expect("the log can be read").fault
    }

    /// Writes the log anew from `from` on, with fresh numbers, hashes and head, as only its owner could.
    async fn write_anew(&mut self, from: usize, leaves: Vec<Leaf>) {
        run(&mut self.intruder, &format!("DELETE FROM audit_events WHERE seq >= {from}")).await;
        let (mut tree, mut prev_hash) = (Frontier::new(), NO_HASH.to_owned());
        for (seq, mut leaf) in leaves.into_iter().enumerate() {
            if seq >= from {
                leaf.seq = i64::try_from(seq).expect("it is small");
                leaf.prev_hash = prev_hash;
            }
            let bytes = leaf.to_bytes();
            prev_hash = entry_hash(&bytes);
            tree.push(leaf_hash(&bytes));
            if seq >= from {
                insert(&mut self.intruder, &leaf, bytes, &prev_hash).await.expect("the guards are down");
            }
        }
        sqlx::query("UPDATE audit_head SET size = $1, last_hash = $2, frontier = $3")
            .bind(i64::try_from(tree.size()).expect("it is small"))
            .bind(prev_hash)
            .bind(tree.to_bytes())
            .execute(&mut self.intruder)
            .await
            .expect("the guards are down");
    }

    #[expect(clippy::too_many_lines, reason = "a list of twelve deeds, each of a few lines")]
    /// Does one thing to event `at`, and says what has to be found there.
    async fn mutate(&mut self, class: usize, at: usize, number: &mut Numbers) -> FaultKind {
        let mut leaves = self.leaves.clone();
        let changed = || Canon::from(format!("forged-{at}"));
        match class {
            0 => {
                let mut leaf = leaves[at].to_bytes();
                let place = number.below(leaf.len());
                leaf[place] ^= 1 << number.below(8);
                let update = sqlx::query("UPDATE audit_events SET leaf = $1 WHERE seq = $2").bind(leaf);
                let updated = update.bind(seq_of(at)).execute(&mut self.intruder).await;
                updated.expect("the guards are down");
                FaultKind::EntryHash
            }
            1 => {
                const COLUMNS: [&str; 10] = [
                    "tenant_id",
                    "event_id",
                    "at",
                    "action",
                    "actor_type",
                    "actor_id",
                    "resource_type",
                    "resource_id",
                    "trace_id",
                    "prev_hash",
                ];
                let column = COLUMNS[number.below(COLUMNS.len())];
                let edit = format!("UPDATE audit_events SET {column} = 'forged' WHERE seq = {at}");
                run(&mut self.intruder, &edit).await;
                FaultKind::Column(column)
            }
            2 => {
                let edit = format!("UPDATE audit_events SET entry_hash = 'forged' WHERE seq = {at}");
                run(&mut self.intruder, &edit).await;
                FaultKind::EntryHash
            }
            3 => {
                leaves[at].data.insert("note".to_owned(), changed());
                let leaf = leaves.swap_remove(at);
                let bytes = leaf.to_bytes();
                run(&mut self.intruder, &format!("DELETE FROM audit_events WHERE seq = {at}")).await;
                let hash = entry_hash(&bytes);
                insert(&mut self.intruder, &leaf, bytes, &hash).await.expect("the guards are down");
                FaultKind::Anchor
            }
            4 => {
                leaves[at].data.insert("note".to_owned(), changed());
                self.write_anew(at, leaves).await;
                FaultKind::Anchor
            }
            5 => {
                run(&mut self.intruder, &format!("DELETE FROM audit_events WHERE seq = {at}")).await;
                FaultKind::Sequence
            }
            6 => {
                leaves.remove(at);
                self.write_anew(at, leaves).await;
                FaultKind::Anchor
            }
            7 => {
                let other = at + 1 + number.below(EVENTS - at - 1);
                for (from, to) in [(at, 99), (other, at), (99, other)] {
                    let swap = format!("UPDATE audit_events SET seq = {to} WHERE seq = {from}");
                    run(&mut self.intruder, &swap).await;
                }
                FaultKind::Column("seq")
            }
            8 => {
                leaves.truncate(at);
                self.write_anew(at, leaves).await;
                FaultKind::Shortened { committed: ANCHORED as u64 }
            }
            9 => {
                let mut forged = leaves[number.below(EVENTS)].clone();
                forged.event_id = format!("forged-{at}");
                leaves.insert(at, forged);
                self.write_anew(at, leaves).await;
                FaultKind::Anchor
            }
            10 => {
                leaves[at].at = "2020-01-01T00:00:00.000000Z".to_owned();
                self.write_anew(at, leaves).await;
                if at == 0 { FaultKind::Anchor } else { FaultKind::ClockBackwards }
            }
            _ => {
                leaves[at].log = "cairn/audit/system".to_owned();
                let leaf = leaves.swap_remove(at);
                let bytes = leaf.to_bytes();
                let hash = entry_hash(&bytes);
                let update = sqlx::query("UPDATE audit_events SET leaf = $1, entry_hash = $2 WHERE seq = $3");
                let updated =
                    update.bind(bytes).bind(hash).bind(seq_of(at)).execute(&mut self.intruder).await;
                updated.expect("the guards are down");
                FaultKind::Binding
            }
        }
    }
}

#[tokio::test]
async fn control_04_ten_thousand_mutations_up_to_the_anchor_are_found_where_they_begin() {
    let mut scene = scene().await;
    assert_eq!(scene.fault().await, None);
    let mut number = Numbers(0x5eed_0004);
    for round in 0..MUTATIONS {
        let (class, at) = (round % CLASSES, number.below(ANCHORED));
        run(&mut scene.intruder, "BEGIN").await;
        let kind = scene.mutate(class, at, &mut number).await;
        let found = scene.fault().await;
        assert_eq!(found, Some(Fault { index: at as u64, kind }), "round {round}, class {class}");
        run(&mut scene.intruder, "ROLLBACK").await;
    }
    assert_eq!(scene.fault().await, None, "every one was taken back");
}

#[tokio::test]
async fn what_is_written_anew_behind_the_last_anchor_is_not_found_before_the_next() {
    let mut scene = scene().await;
    let mut leaves = scene.leaves.clone();
    leaves[ANCHORED + 1].data.insert("note".to_owned(), Canon::from("forged"));
    scene.write_anew(ANCHORED + 1, leaves).await;
    assert_eq!(scene.fault().await, None, "the window is the time between two checkpoints");
}
