//! Tests.

use super::*;

fn user(number: u32) -> UserId {
    UserId::parse(&format!("user-{number}")).unwrap()
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn signals() -> Signals {
    Signals::new([5; 32])
}

#[test]
fn a_buyer_is_suspected_for_a_while_and_nobody_else_is() {
    let signals = signals();
    (0..Signal::Mismatched.enough()).for_each(|_| signals.note(&user(1), Signal::Mismatched, at(0)));
    assert!(signals.suspected(&user(1), at(0)));
    assert!(signals.suspected(&user(1), at(599)));
    assert!(signals.suspected(&user(1), at(601)), "in the older generation");
    assert!(!signals.suspected(&user(1), at(1_300)));
    assert!(!signals.suspected(&user(2), at(0)));
}

#[test]
fn what_was_noticed_before_and_after_a_generation_ends_is_added_up() {
    let signals = signals();
    (0..5).for_each(|_| signals.note(&user(1), Signal::RateLimited, at(590)));
    assert!(!signals.suspected(&user(1), at(590)));
    (0..5).for_each(|_| signals.note(&user(1), Signal::RateLimited, at(610)));
    assert!(signals.suspected(&user(1), at(610)));
}

#[test]
fn many_buyers_of_one_network_are_a_crowd_and_one_who_repeats_is_none() {
    let signals = signals();
    let home = address("203.0.113.7");
    for _ in 0..1_000 {
        assert!(!signals.crowded(home, &user(1), at(0)));
    }
    assert!(!(0..10).any(|number| signals.crowded(home, &user(number), at(0))), "a household");
    assert!((0..100).any(|number| signals.crowded(home, &user(number), at(1))));
    assert!(signals.crowded(home, &user(1_000), at(59)));
    assert!(!signals.crowded(address("203.0.113.8"), &user(1_000), at(59)), "their neighbour is not");
    assert!(!signals.crowded(home, &user(1_000), at(200)), "they are gone");
}

#[test]
fn addresses_of_one_ipv6_network_are_one() {
    let signals = signals();
    let one = |number: u32| address(&format!("2001:db8:1:2::{number:x}"));
    let found = (0..100).any(|number| signals.crowded(one(number), &user(number), at(0)));
    assert!(found, "a customer has 2^64 addresses");
    assert!(!signals.crowded(address("2001:db8:1:3::1"), &user(1), at(0)));
}

#[test]
fn memory_has_a_bound_whoever_comes() {
    let signals = signals();
    for number in 0..(3 * MOST as u32) {
        signals.note(&user(number), Signal::Malformed, at(1));
    }
    let marks = lock(&signals.marks);
    assert!(marks.young.len() <= MOST && marks.old.len() <= MOST);
    assert!(marks.young.len() + marks.old.len() >= MOST);
}
