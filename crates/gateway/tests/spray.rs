//! Ten million keys, as a botnet or whoever has an IPv6 network to spare makes them up, and what they cost.
//!
//! The rooms are those of the program in their real size, the limits those of its default configuration.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use gateway::client_address::network_key;
use gateway::limits::{Cells, Rooms};
use ports::clock::{Clock, SystemClock};

/// Distinct keys of one spray.
const KEYS: u64 = 10_000_000;
/// How many of them come in a second, which is more than a gateway can read.
const PER_S: u64 = 100_000;
/// Parts of a spray that are timed apart.
const PARTS: u64 = 20;
/// `limits.user_per_s` and `limits.user_burst` of the default configuration.
const USER: Limit = Limit { per_s: 10.0, burst: 20 };
/// `limits.network_per_s` and `limits.network_burst`.
const NETWORK: Limit = Limit { per_s: 200.0, burst: 400 };

#[derive(Clone, Copy)]
struct Limit {
    per_s: f64,
    burst: u32,
}

/// A room while it is sprayed.
struct Sprayed<'a> {
    cells: &'a Cells,
    limit: Limit,
}

impl Sprayed<'_> {
    fn ask(&self, key: &[u8], at: Duration) -> bool {
        self.cells.check(key, self.limit.per_s, self.limit.burst, at).is_ok()
    }

    /// Uses up what `key` has.
    fn use_up(&self, key: &[u8], at: Duration) -> u32 {
        (0..).find(|_| !self.ask(key, at)).unwrap()
    }

    /// Sends every key once, while `hammering` asks again and again; gives what each part took.
    fn spray(&self, key: impl Fn(u64, &mut dyn FnMut(&[u8])), hammering: &[u8]) -> Vec<Duration> {
        let each = KEYS / PARTS;
        let mut hammered = u64::from(self.use_up(hammering, Duration::ZERO));
        let mut taken = 0;
        let mut took = Vec::new();
        for part in 0..PARTS {
            let clock = SystemClock::start();
            for number in part * each..(part + 1) * each {
                let at = instant(number);
                key(number, &mut |key| taken += u64::from(self.ask(key, at)));
                if number % 1_000 == 0 {
                    hammered += (0..10).filter(|_| self.ask(hammering, at)).count() as u64;
                }
            }
            took.push(clock.elapsed());
        }
        let earned = self.limit.per_s * instant(KEYS).as_secs_f64();
        let most = earned as u64 + u64::from(self.limit.burst);
        assert!(hammered <= most, "whoever is limited stays limited: {hammered} of {most}");
        assert!(hammered >= most * 9 / 10, "and has what they may have: {hammered} of {most}");
        assert!(taken >= KEYS / 1_000 * 999, "nobody of them asks for too much: {taken}");
        took
    }
}

fn instant(number: u64) -> Duration {
    Duration::from_micros(number * 1_000_000 / PER_S)
}

/// Memory of this process, bytes.
fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    text.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 4_096
}

/// The quickest part of each half: what else runs on the machine makes parts slower, never quicker.
fn is_as_quick_in_the_end(took: &[Duration]) {
    let (first, second) = took.split_at(took.len() / 2);
    let (first, second) = (first.iter().min().unwrap(), second.iter().min().unwrap());
    assert!(
        *second < *first * 2,
        "a key took {first:?} at first and {second:?} in the end, per part: {took:?}"
    );
}

#[test]
fn ten_million_users_cost_no_memory_and_use_up_no_buyers_limit() {
    let rooms = Rooms::new([7; 32]);
    let users = Sprayed { cells: &rooms.users, limit: USER };
    let (bytes, before) = (rooms.users.bytes(), resident());
    let key = |number: u64, ask: &mut dyn FnMut(&[u8])| ask(format!("guest-{number:032x}").as_bytes());
    let took = users.spray(key, b"whoever hammers");
    assert_eq!(rooms.users.bytes(), bytes);
    assert!(bytes < 20 << 20, "{bytes}");
    let more = resident().saturating_sub(before);
    assert!(more < 64 << 20, "with ten million keys kept it would be hundreds of megabytes: {more}");
    is_as_quick_in_the_end(&took);
    let refused = (0..10_000).filter(|buyer| !users.ask(format!("buyer-{buyer}").as_bytes(), instant(KEYS)));
    assert_eq!(refused.count(), 0, "of ten thousand buyers who come at the end of it");
}

#[test]
fn ten_million_networks_cost_no_memory_and_use_up_no_buyers_limit() {
    let rooms = Rooms::new([7; 32]);
    let networks = Sprayed { cells: &rooms.networks, limit: NETWORK };
    let (bytes, before) = (rooms.networks.bytes(), resident());
    // Half of them IPv4 addresses, half of them the /64s of a /40, each with another address in it.
    let address = |number: u64| match (number % 2, number / 2) {
        (0, half) => IpAddr::from(Ipv4Addr::from(0x0b00_0000 + half as u32)),
        (_, half) => {
            let network = 0x2001_0db8_0000_0000_u128 + u128::from(half);
            IpAddr::from(Ipv6Addr::from(network << 64 | u128::from(number)))
        }
    };
    let key = |number: u64, ask: &mut dyn FnMut(&[u8])| ask(&network_key(address(number)).to_be_bytes());
    let hammering = network_key("198.51.100.7".parse().unwrap()).to_be_bytes();
    let took = networks.spray(key, &hammering);
    assert_eq!(rooms.networks.bytes(), bytes);
    assert!(bytes < 20 << 20, "{bytes}");
    let more = resident().saturating_sub(before);
    assert!(more < 64 << 20, "with ten million keys kept it would be hundreds of megabytes: {more}");
    is_as_quick_in_the_end(&took);
    let of_one = |host: u128| network_key(IpAddr::from(Ipv6Addr::from(0x2001_0db9_u128 << 96 | host)));
    let taken = (0..1_000).filter(|host| networks.ask(&of_one(*host).to_be_bytes(), instant(KEYS))).count();
    assert!((390..=400).contains(&taken), "a thousand addresses of one /64 are one network: {taken}");
    let honest =
        (0..10_000_u32).map(|number| network_key(IpAddr::from(Ipv4Addr::from(0xc000_0000 + number))));
    let refused = honest.filter(|key| !networks.ask(&key.to_be_bytes(), instant(KEYS)));
    assert_eq!(refused.count(), 0, "of ten thousand networks that come at the end of it");
}

#[test]
fn of_a_thousand_buyers_hardly_one_is_refused_because_a_hundred_thousand_users_hammer() {
    let rooms = Rooms::new([7; 32]);
    let users = Sprayed { cells: &rooms.users, limit: USER };
    for bot in 0..100_000_u32 {
        assert!(users.use_up(&bot.to_be_bytes(), Duration::ZERO) <= USER.burst, "{bot}");
    }
    let buyers = (0..10_000).filter(|buyer| !users.ask(format!("buyer-{buyer}").as_bytes(), Duration::ZERO));
    let refused = buyers.count();
    assert!(refused <= 30, "{refused} of 10,000; with a cell each it would be 465 in as much memory");
}

#[test]
fn made_up_sales_use_up_nobody_elses_limit() {
    let rooms = Rooms::new([7; 32]);
    let ask = |key: &[u8], at| rooms.sales.check(key, 1_000.0, 100, at).is_ok();
    for number in 0..1_000_000 {
        ask(format!("{number:x}").as_bytes(), instant(number));
    }
    let end = instant(1_000_000);
    assert_eq!((0..200).filter(|_| ask(b"drop", end)).count(), 100);
    let users =
        (0..10_000).filter(|user| rooms.users.check(&i32::to_be_bytes(*user), 10.0, 20, end).is_err());
    assert_eq!(users.count(), 0);
}
