//! How often somebody may try a password. What is counted is who tries what from where, so that an attacker stands in
//! nobody's way but their own: an owner who comes from where they have come from before is never kept waiting by what
//! others try elsewhere.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Mutex;

use chrono::{DateTime, TimeDelta, Utc};

use crate::ledger::hex_sha256;

/// How many attempts are held in mind. Each is a hundred bytes.
const HELD: usize = 100_000;

/// What a limit counts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    /// One account from one address.
    Pair(String, IpAddr),
    /// One address, whatever the account.
    Peer(IpAddr),
    /// One account, from addresses that its owner has never come from.
    Strangers(String),
}

impl Key {
    /// How many attempts there are at once, and how long each takes to come back.
    const fn limit(&self) -> (i32, TimeDelta) {
        match self {
            Self::Pair(..) => (5, TimeDelta::seconds(60)),
            Self::Peer(_) => (30, TimeDelta::seconds(6)),
            Self::Strangers(_) => (20, TimeDelta::seconds(60)),
        }
    }

    const fn name(&self) -> &'static str {
        match self {
            Self::Pair(..) => "account_and_address",
            Self::Peer(_) => "address",
            Self::Strangers(_) => "account",
        }
    }
}

/// When the attempts of a key will all have come back.
#[derive(Debug, Clone, Copy)]
struct Debt {
    until: DateTime<Utc>,
    /// Whether somebody was turned away since the last attempt that was let through.
    told: bool,
}

/// The attempts of one process. Where several serve, each counts by itself.
#[derive(Debug, Default)]
pub(crate) struct Throttle {
    debts: Mutex<BTreeMap<Key, Debt>>,
}

/// An attempt that was let through. Its outcome is owed, unless it fails.
#[derive(Debug)]
pub(crate) struct Attempt(Vec<Key>);

/// An attempt that has to wait.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooSoon {
    pub(crate) wait: TimeDelta,
    /// Which limit was reached.
    pub(crate) limit: &'static str,
    /// Whether it is the first that was turned away, and so worth an event.
    pub(crate) is_first: bool,
}

impl Throttle {
    /// Counts an attempt, before anything is known of its outcome, so that a hundred at a time count as a hundred.
    pub(crate) fn begin(
        &self,
        email: &str,
        peer: IpAddr,
        is_known_peer: bool,
        now: DateTime<Utc>,
    ) -> Result<Attempt, TooSoon> {
        let (account, peer) = (hex_sha256(email.trim().to_lowercase().as_bytes()), network_of(peer));
        let mut keys = vec![Key::Peer(peer), Key::Pair(account.clone(), peer)];
        if !is_known_peer {
            keys.push(Key::Strangers(account));
        }
        let mut debts = self.debts.lock().expect("nobody panics while counting");
        for key in &keys {
            let (burst, interval) = key.limit();
            let Some(debt) = debts.get_mut(key) else { continue };
            let wait = debt.until - now - interval * (burst - 1);
            if wait > TimeDelta::zero() {
                let is_first = !std::mem::replace(&mut debt.told, true);
                return Err(TooSoon { wait, limit: key.name(), is_first });
            }
        }
        for key in &keys {
            let (_, interval) = key.limit();
            let debt = debts.entry(key.clone()).or_insert(Debt { until: now, told: false });
            *debt = Debt { until: debt.until.max(now) + interval, told: false };
        }
        forget(&mut debts, now);
        Ok(Attempt(keys))
    }

    /// Takes back what a right password has cost.
    pub(crate) fn succeeded(&self, attempt: Attempt) {
        let mut debts = self.debts.lock().expect("nobody panics while counting");
        for key in attempt.0 {
            let (_, interval) = key.limit();
            if matches!(key, Key::Pair(..)) {
                debts.remove(&key);
            } else if let Some(debt) = debts.get_mut(&key) {
                debt.until -= interval;
            }
        }
    }
}

/// The network that one customer has, as far as it can be told.
fn network_of(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
        address @ IpAddr::V4(_) => address,
    }
}

/// Keeps the memory bounded: first goes what has come back, then what will come back soonest.
fn forget(debts: &mut BTreeMap<Key, Debt>, now: DateTime<Utc>) {
    if debts.len() <= HELD {
        return;
    }
    debts.retain(|_, debt| debt.until > now);
    if debts.len() > HELD {
        let mut ends: Vec<DateTime<Utc>> = debts.values().map(|debt| debt.until).collect();
        ends.sort_unstable();
        let soonest = ends[ends.len() / 2];
        debts.retain(|_, debt| debt.until > soonest);
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const ADA: &str = "ada@example.org";

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_795_000_000 + seconds, 0).expect("the time is valid")
    }

    fn peer(last: u8) -> IpAddr {
        IpAddr::V4(Ipv4Addr::new(192, 0, 2, last))
    }

    #[test]
    fn after_five_attempts_one_is_left_a_minute() {
        let throttle = Throttle::default();
        for _ in 0..5 {
            throttle.begin(ADA, peer(1), true, at(0)).expect("five are free");
        }
        let refused = throttle.begin(" ADA@example.org", peer(1), true, at(10)).expect_err("the sixth waits");
        assert_eq!(
            (refused.wait, refused.limit, refused.is_first),
            (TimeDelta::seconds(50), "account_and_address", true)
        );
        let again = throttle.begin(ADA, peer(1), true, at(20)).expect_err("so does the seventh");
        assert_eq!((again.wait, again.is_first), (TimeDelta::seconds(40), false));
        throttle.begin(ADA, peer(1), true, at(60)).expect("a minute later one is free");
        throttle.begin(ADA, peer(1), true, at(60)).expect_err("and no more than one");
        throttle.begin("bob@example.org", peer(1), true, at(60)).expect("another account is not concerned");
        throttle.begin(ADA, peer(2), true, at(60)).expect("nor another address");
    }

    #[test]
    fn a_right_password_takes_back_what_wrong_ones_have_cost() {
        let throttle = Throttle::default();
        for _ in 0..4 {
            throttle.begin(ADA, peer(1), true, at(0)).expect("free");
        }
        let right = throttle.begin(ADA, peer(1), true, at(0)).expect("free");
        throttle.succeeded(right);
        for _ in 0..5 {
            throttle.begin(ADA, peer(1), true, at(0)).expect("free again");
        }
    }

    #[test]
    fn control_34_an_attack_from_everywhere_does_not_lock_the_owner_out() {
        let throttle = Throttle::default();
        let mut let_through = 0;
        for last in 0..=255 {
            let_through += u32::from(throttle.begin(ADA, peer(last), false, at(0)).is_ok());
        }
        assert_eq!(let_through, 20, "strangers have twenty attempts between them");
        let owner = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 7));
        throttle.begin(ADA, owner, true, at(0)).expect("the owner comes from where they came from before");
        let strange = throttle.begin(ADA, owner, false, at(1)).expect_err("others wait");
        assert_eq!(strange.limit, "account");
    }

    #[test]
    fn one_address_tries_thirty_accounts_and_then_ten_a_minute() {
        let throttle = Throttle::default();
        let attempt = |number: i32, seconds| {
            throttle.begin(&format!("{number}@example.org"), peer(1), false, at(seconds))
        };
        assert_eq!((0..100).filter(|number| attempt(*number, 0).is_ok()).count(), 30);
        assert_eq!((100..200).filter(|number| attempt(*number, 60).is_ok()).count(), 10);
    }

    #[test]
    fn addresses_of_one_network_are_one() {
        let [one, two, other] = ["2001:db8::1", "2001:db8::2:3:4:5", "2001:db8:0:1::1"]
            .map(|text| network_of(text.parse().expect("an address")));
        assert_eq!(one, two);
        assert_ne!(one, other);
        assert_eq!(network_of("::ffff:192.0.2.1".parse().expect("an address")), peer(1));
    }

    #[test]
    fn memory_stays_bounded() {
        let throttle = Throttle::default();
        let mut debts = throttle.debts.lock().expect("nobody panics");
        for number in 0..=u32::try_from(HELD).expect("it is small") {
            let key = Key::Peer(IpAddr::V4(Ipv4Addr::from_bits(number)));
            debts.insert(key, Debt { until: at(i64::from(number)), told: false });
        }
        forget(&mut debts, at(-1));
        assert!(debts.len() <= HELD / 2 + 1, "{}", debts.len());
        assert!(debts.values().all(|debt| debt.until > at(40_000)), "the longest waits are kept");
    }
}
