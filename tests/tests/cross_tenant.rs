//! Ten thousand attempts to reach what another tenant has: any door, any place where an id can stand, anybody who has
//! no business there. Each is made twice, with the id of something that is there and with one of nothing: the two
//! answers are the same, and none holds what only the owners know.
// Source: the figures to hold of the security specification, 7.1.

mod attempt;
mod cast;
mod fail_closed;
mod flight;

use std::{
    collections::{BTreeMap, BTreeSet},
    thread,
    time::Instant,
};

use attempt::{Attempt, Position, told};
use cast::{Cast, Treasure, Who};

use crate::support::{Answer, CANARY, Visitor};
use crate::tenant_wall::{Door, doors};

const ATTEMPTS: usize = 10_000;
const THREADS: usize = 8;
const SEED: u64 = 20_261_122;
/// Both answers of one attempt are asked for again when they differ: another thread may have come in between. What an
/// outsider could learn from is there every time.
const TRIES: usize = 4;

/// Doors that are left out of the random attempts, since they end or replace the caller's own identity, or are about
/// nobody's: logins that fail are throttled by design, whoever they are for (control 34).
const OWN_IDENTITY: [&str; 5] =
    ["/logout", "/api/v1/logout", "/login", "/api/v1/login", "/login/oidc/callback"];

/// A small generator of numbers with a seed (SplitMix64).
// Source: Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let bound = u64::try_from(bound).expect("a list is short");
        usize::try_from((mixed ^ (mixed >> 31)) % bound).expect("it is below the bound")
    }

    fn one_of<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }
}

/// What came of some attempts.
#[derive(Debug, Default)]
struct Findings {
    made: usize,
    statuses: BTreeMap<u16, usize>,
    leaks: Vec<String>,
    differences: Vec<String>,
}

impl Findings {
    /// Makes one attempt with both ids, and compares.
    fn attempt(&mut self, cast: &Cast, who: &Who, visitor: &mut Visitor, attempt: &Attempt<'_>) {
        self.made += 1;
        let mut difference = None;
        for _ in 0..TRIES {
            let [theirs, nowhere] = [true, false].map(|theirs| {
                let request = attempt.request(cast, who, theirs);
                let answer = request.send(visitor, cast);
                self.look(cast, who, &request, &answer);
                (answer.status, told(&answer, &attempt.treasure.names()), answer)
            });
            // What somebody is shown of their own changes while others work; that nothing of the canary is in it was
            // looked at above.
            let is_own = theirs.0 < 300 && nowhere.0 == theirs.0;
            if is_own || theirs.1 == nowhere.1 {
                *self.statuses.entry(theirs.0).or_default() += 1;
                return;
            }
            difference = Some(format!("{attempt:?} by {}: {:?} {:?}", who.name, theirs.1, nowhere.1));
        }
        self.differences.extend(difference);
    }

    fn look(&mut self, cast: &Cast, who: &Who, request: &attempt::Sent, answer: &Answer) {
        let text = format!("{}\n{:?}", answer.body, answer.headers);
        let found = cast.known_to_owners_alone(who).filter(|secret| text.contains(*secret));
        for secret in found.filter(|secret| !request.holds(secret)) {
            self.leaks.push(format!("{} finds `{secret}` at {request:?} ({})", who.name, answer.status));
        }
    }

    fn add(&mut self, other: Self) {
        self.made += other.made;
        for (status, count) in other.statuses {
            *self.statuses.entry(status).or_default() += count;
        }
        self.leaks.extend(other.leaks);
        self.differences.extend(other.differences);
    }

    fn check(&self) {
        let (leaks, differences) = (&self.leaks, &self.differences);
        assert!(leaks.is_empty(), "{} leaks, such as {:#?}", leaks.len(), &leaks[..leaks.len().min(3)]);
        let some = &differences[..differences.len().min(3)];
        assert!(differences.is_empty(), "{} differences, such as {some:#?}", differences.len());
    }
}

#[test]
fn control_26_every_door_turns_twelve_outsiders_away() {
    let Some(cast) = Cast::assemble() else { return };
    let before = cast.what_the_owners_see();
    let mut findings = Findings::default();
    for who in &cast.outsiders {
        let mut visitor = who.visitor();
        for door in &doors() {
            let is_last = OWN_IDENTITY.contains(&&*door.path) && door.method == "post";
            if is_last && who.is_somebody || who.makes_it_their_own(door) {
                continue;
            }
            for treasure in cast.treasures_for(door) {
                let attempt = Attempt { door, position: Position::Path, treasure, in_own_study: false };
                let answer = attempt.request(&cast, who, true).send(&mut visitor, &cast);
                check_turned_away(who, door, treasure, &answer);
                findings.attempt(&cast, who, &mut visitor, &attempt);
            }
        }
    }
    // The doors that end an identity are used last, each by an identity of its own.
    for who in cast.outsiders.iter().filter(|who| who.is_somebody) {
        for path in ["/api/v1/logout", "/logout"] {
            let door = Door {
                method: "post".into(),
                path: path.into(),
                access: "SignedIn".into(),
                is_recorded: true,
            };
            let treasure = &cast.treasures[0];
            let attempt = Attempt { door: &door, position: Position::Body, treasure, in_own_study: false };
            let request = attempt.request(&cast, who, true);
            let answer = request.send(&mut who.visitor(), &cast);
            findings.look(&cast, who, &request, &answer);
        }
    }
    println!(
        "matrix: {} attempts of {} outsiders, {:?}",
        findings.made,
        cast.outsiders.len(),
        findings.statuses
    );
    findings.check();
    assert_eq!(cast.what_the_owners_see(), before, "somebody changed what is not theirs");
    cast.installation.check_whole("after the matrix");
}

/// Who proves nothing learns nothing; who is somebody elsewhere finds nothing here.
fn check_turned_away(who: &Who, door: &Door, treasure: &Treasure, answer: &Answer) {
    if door.access == "Public" {
        return;
    }
    let is_asked_for = door.path.contains(&format!("{{{}}}", treasure.what));
    let wanted: &[u16] = match (who.is_somebody, door.is_rest()) {
        (false, true) => &[401],
        (false, false) if door.method == "get" => &[303],
        (false, false) => &[303, 401],
        (true, _) if is_asked_for || door.is_of_a_study() => &[404],
        _ => return,
    };
    let (method, path, what) = (&door.method, &door.path, treasure.what);
    assert!(
        wanted.contains(&answer.status),
        "{} at {method} {path} with a {what}: {} {}",
        who.name,
        answer.status,
        answer.body
    );
}

#[test]
fn control_26_ten_thousand_attempts_leak_nothing_and_tell_nothing_apart() {
    let Some(cast) = Cast::assemble() else { return };
    let (before, started) = (cast.what_the_owners_see(), Instant::now());
    let doors: Vec<Door> = doors().into_iter().filter(|door| !OWN_IDENTITY.contains(&&*door.path)).collect();
    let mut findings = Findings::default();
    thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|index| {
                let (cast, doors) = (&cast, &doors);
                let seed = SEED + u64::try_from(index).expect("there are few threads");
                scope.spawn(move || attempts(cast, doors, Dice(seed)))
            })
            .collect();
        for thread in threads {
            findings.add(thread.join().expect("every attempt is answered"));
        }
    });
    println!(
        "{} attempts on {} doors by {} outsiders in {:.0?}: {:?}",
        findings.made,
        doors.len(),
        cast.outsiders.len(),
        started.elapsed(),
        findings.statuses
    );
    findings.check();
    assert_eq!(findings.made, ATTEMPTS);
    let kinds: BTreeSet<u16> = findings.statuses.keys().copied().collect();
    assert!([200, 303, 400, 401, 404].iter().all(|status| kinds.contains(status)), "{kinds:?}");
    assert!(!kinds.iter().any(|status| *status == 429 || *status >= 500), "{kinds:?}");
    assert_eq!(cast.what_the_owners_see(), before, "somebody changed what is not theirs");
    cast.installation.check_whole("after the attempts");
    // No log of the outsiders' house and no event of a refusal holds what was asked for.
    assert!(!cast.server.log().contains(CANARY), "the server's log holds the canary");
}

fn attempts(cast: &Cast, doors: &[Door], mut dice: Dice) -> Findings {
    let mut visitors: Vec<Visitor> = cast.outsiders.iter().map(Who::visitor).collect();
    let mut findings = Findings::default();
    while findings.made < ATTEMPTS / THREADS {
        let (door, at) = (dice.one_of(doors), dice.below(visitors.len()));
        let who = &cast.outsiders[at];
        let position = *dice.one_of(&Position::ALL);
        if who.makes_it_their_own(door) {
            continue;
        }
        let candidates: Vec<&Treasure> = match position {
            Position::Path => cast.treasures_for(door).collect(),
            _ => cast.treasures.iter().collect(),
        };
        let treasure = dice.one_of(&candidates);
        let attempt = Attempt { door, position, treasure, in_own_study: dice.below(2) == 0 };
        findings.attempt(cast, who, &mut visitors[at], &attempt);
    }
    findings
}
