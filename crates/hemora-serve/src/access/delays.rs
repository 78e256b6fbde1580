//! Waiting times after wrong passwords: of a name, so that nobody guesses a password, and of an address, so
//! that nobody tries one password on all names.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Failures of a name that are free.
const FREE_OF_NAME: u32 = 5;

/// Failures of an address that are free: behind one address may be a department.
const FREE_OF_ADDRESS: u32 = 20;

/// The longest wait.
const LONGEST: Duration = Duration::from_secs(15 * 60);

/// After so long without a failure they are forgotten.
const FORGOTTEN: Duration = Duration::from_secs(3600);

/// Names and addresses that are remembered at once.
const REMEMBERED: usize = 10_000;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Whose {
    Name(String),
    Address(IpAddr),
}

impl Whose {
    fn both(name: &str, address: IpAddr) -> [Self; 2] {
        // Longer names are nobody's.
        let name = name.chars().take(64).collect::<String>().to_lowercase();
        [Self::Name(name), Self::Address(network(address))]
    }

    fn free(&self) -> u32 {
        match self {
            Self::Name(_) => FREE_OF_NAME,
            Self::Address(_) => FREE_OF_ADDRESS,
        }
    }
}

/// The address, or of IPv6 the network of 64 bits, all of which one machine may use.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(it) => IpAddr::V6((it.to_bits() >> 64 << 64).into()),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[derive(Debug)]
struct Tries {
    failures: u32,
    refused: u64,
    last: Instant,
    until: Instant,
}

/// A try that is refused without a look at its password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// How long to wait.
    pub(crate) wait: Duration,
    /// What came of the tries until now.
    pub(crate) tried: Tried,
}

/// What came of the tries of a name or address, whichever has more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tried {
    /// Wrong passwords.
    pub(crate) failures: u32,
    /// Tries that were refused since.
    pub(crate) refused: u64,
    /// How long the next one has to wait.
    pub(crate) wait: Duration,
    /// Whether this is the first one after which the next has to wait.
    begins: bool,
}

impl Tried {
    /// Whether the audit notes it: the first, the first wait, and each doubling, so that a flood does not
    /// fill it.
    pub(crate) fn is_noted(&self) -> bool {
        self.begins || (u64::from(self.failures) + self.refused).is_power_of_two()
    }
}

/// Waiting times. They are lost when the node ends, which nobody can bring about from outside.
#[derive(Debug, Default)]
pub(crate) struct Delays {
    tries: Mutex<HashMap<Whose, Tries>>,
}

impl Delays {
    /// Whether a try has to wait.
    ///
    /// # Errors
    /// [`Refusal`] says how long.
    pub(crate) fn ask(&self, name: &str, address: IpAddr, now: Instant) -> Result<(), Refusal> {
        let mut all = self.tries.lock().unwrap_or_else(PoisonError::into_inner);
        for whose in Whose::both(name, address) {
            if let Some(tries) = all.get_mut(&whose).filter(|tries| tries.until > now) {
                tries.refused += 1;
                let wait = tries.until - now;
                let tried =
                    Tried { failures: tries.failures, refused: tries.refused, wait, begins: false };
                return Err(Refusal { wait, tried });
            }
        }
        Ok(())
    }

    /// A password was wrong.
    pub(crate) fn failed(&self, name: &str, address: IpAddr, now: Instant) -> Tried {
        let mut all = self.tries.lock().unwrap_or_else(PoisonError::into_inner);
        let both = Whose::both(name, address).map(|whose| {
            make_room(&mut all, now);
            let free = whose.free();
            let fresh = || Tries { failures: 0, refused: 0, last: now, until: now };
            let tries = all.entry(whose).or_insert_with(fresh);
            if now.saturating_duration_since(tries.last) > FORGOTTEN {
                *tries = fresh();
            }
            tries.failures = tries.failures.saturating_add(1);
            tries.last = now;
            let wait = wait_after(tries.failures, free);
            tries.until = now + wait;
            let begins = tries.failures == free;
            Tried { failures: tries.failures, refused: tries.refused, wait, begins }
        });
        let [of_name, of_address] = both;
        let wait = of_name.wait.max(of_address.wait);
        let more = if of_address.failures > of_name.failures { of_address } else { of_name };
        Tried { wait, begins: of_name.begins || of_address.begins, ..more }
    }

    /// A password was right: the name is free again. The address is not, whose owner may know one.
    pub(crate) fn succeeded(&self, name: &str, address: IpAddr) {
        let [name, _] = Whose::both(name, address);
        self.tries.lock().unwrap_or_else(PoisonError::into_inner).remove(&name);
    }
}

/// 1 s after the last free failure, and twice as long after each more.
fn wait_after(failures: u32, free: u32) -> Duration {
    match failures.checked_sub(free) {
        None => Duration::ZERO,
        Some(more) => Duration::from_secs(1 << more.min(16)).min(LONGEST),
    }
}

/// Forgets what is old, and where that is not enough, what is oldest.
fn make_room(all: &mut HashMap<Whose, Tries>, now: Instant) {
    if all.len() < REMEMBERED {
        return;
    }
    all.retain(|_, tries| now.saturating_duration_since(tries.last) <= FORGOTTEN);
    if all.len() >= REMEMBERED {
        let mut ages: Vec<Instant> = all.values().map(|tries| tries.last).collect();
        let (_, &mut middle, _) = ages.select_nth_unstable(REMEMBERED / 2);
        all.retain(|_, tries| tries.last > middle);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));

    fn address(last: u16) -> IpAddr {
        let [high, low] = last.to_be_bytes();
        IpAddr::from([10, 1, high, low])
    }

    #[test]
    fn a_name_waits_twice_as_long_each_time_and_others_do_not() {
        let (delays, mut now) = (Delays::default(), Instant::now());
        let mut waits = Vec::new();
        for index in 0..17 {
            assert_eq!(delays.ask("Anna", address(index), now), Ok(()));
            waits.push(delays.failed("anna", address(index), now).wait.as_secs());
            if let Err(refusal) = delays.ask("ANNA", address(999), now) {
                assert_eq!(refusal.wait.as_secs(), waits[usize::from(index)]);
                now += refusal.wait;
            }
        }
        assert_eq!(waits, [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]);
        delays.failed("anna", HERE, now);
        assert_eq!(delays.ask("berta", HERE, now), Ok(()));
        assert!(delays.ask("anna", HERE, now).is_err());
        delays.succeeded("anna", HERE);
        assert_eq!(delays.ask("anna", HERE, now), Ok(()));
    }

    #[test]
    fn an_address_that_tries_many_names_waits() {
        let (delays, now) = (Delays::default(), Instant::now());
        for index in 0..20 {
            assert_eq!(delays.ask(&index.to_string(), HERE, now), Ok(()), "{index}");
            delays.failed(&index.to_string(), HERE, now);
        }
        assert!(delays.ask("anna", HERE, now).is_err());
        assert_eq!(delays.ask("anna", address(1), now), Ok(()));
        // A right password of one of its own names does not free it.
        delays.succeeded("own", HERE);
        assert!(delays.ask("anna", HERE, now).is_err());
    }

    #[test]
    fn all_addresses_of_a_network_of_ipv6_are_one() {
        let (delays, now) = (Delays::default(), Instant::now());
        for index in 0..20_u16 {
            let address = IpAddr::from([0x2001, 0xdb8, 0, 1, index, 0, 0, 1]);
            delays.failed(&index.to_string(), address, now);
        }
        let ask =
            |fourth: u16| delays.ask("anna", [0x2001, 0xdb8, 0, fourth, 9, 9, 9, 9].into(), now);
        assert!(ask(1).is_err());
        assert_eq!(ask(2), Ok(()));
    }

    #[test]
    fn a_flood_of_names_is_remembered_only_so_far() {
        let (delays, now) = (Delays::default(), Instant::now());
        for index in 0..15_000_u16 {
            let at = now + Duration::from_millis(index.into());
            delays.failed(&index.to_string(), address(index), at);
        }
        assert!(delays.tries.lock().unwrap().len() <= REMEMBERED);
    }

    #[test]
    fn failures_are_forgotten_after_an_hour() {
        let (delays, now) = (Delays::default(), Instant::now());
        for _ in 0..5 {
            delays.failed("anna", HERE, now);
        }
        let later = now + FORGOTTEN + Duration::from_secs(1);
        assert_eq!(delays.failed("anna", HERE, later).failures, 1);
    }

    #[test]
    fn the_audit_notes_the_first_and_each_doubling() {
        let (delays, now) = (Delays::default(), Instant::now());
        let mut noted = 0;
        for index in 0..10_000_u64 {
            let tried = match delays.ask("anna", address((index % 5000) as u16), now) {
                Ok(()) => delays.failed("anna", address((index % 5000) as u16), now),
                Err(refusal) => refusal.tried,
            };
            noted += usize::from(tried.is_noted());
        }
        assert_eq!(noted, 15, "1, 2, 4 and so on to 8192, and 5");
    }
}
