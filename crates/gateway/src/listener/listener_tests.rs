//! Tests of who gets a seat; what is said on one is tested over real connections in `tests/http1.rs`.

use std::net::Ipv4Addr;

use ports::clock::SystemClock;

use super::*;
use crate::lists::Networks;

fn shared(per_address: usize, list: &str) -> Arc<Shared<Router>> {
    let lists = Arc::new(Lists::default());
    lists.networks.store(Arc::new(Networks::read(list.as_bytes()).unwrap()));
    let second = Duration::from_secs(1);
    let limits = Limits {
        header_timeout: second,
        body_timeout: second,
        idle_timeout: second,
        max_connections: 10,
        max_connections_per_address: per_address,
        trusted: Arc::new(|address| address == IpAddr::from([192, 0, 2, 1])),
        header_bytes: 1_024,
        header_count: 10,
        drain_timeout: second,
        lists,
    };
    let clock = Arc::new(SystemClock::start());
    let per_network = Mutex::default();
    let (gauges, stop) = (Arc::default(), CancellationToken::new());
    Arc::new(Shared { limits, service: Router::new(), gauges, clock, per_network, stop })
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn a_denied_network_gets_no_seat_and_is_counted() {
    let shared = shared(0, "deny 203.0.113.0/24\nallow 203.0.113.7\n");
    assert!(Seat::take(&shared, address("203.0.113.6")).is_none());
    assert!(Seat::take(&shared, address("::ffff:203.0.113.6")).is_none());
    assert!(Seat::take(&shared, address("203.0.113.7")).is_some());
    assert!(Seat::take(&shared, address("198.51.100.1")).is_some());
    assert_eq!(shared.limits.lists.denied_connections.load(Ordering::Relaxed), 2);
    shared.limits.lists.networks.store(Arc::default());
    assert!(Seat::take(&shared, address("203.0.113.6")).is_some(), "taken off the list");
}

#[test]
fn an_address_has_so_many_seats_unless_it_is_allowed() {
    let shared = shared(2, "allow 198.51.100.0/24\n");
    let seats: Vec<_> = (0..3).filter_map(|_| Seat::take(&shared, address("203.0.113.6"))).collect();
    assert_eq!(seats.len(), 2);
    assert_eq!(shared.gauges.refused.load(Ordering::Relaxed), 1);
    drop(seats);
    assert!(Seat::take(&shared, address("203.0.113.6")).is_some(), "given back");
    let allowed: Vec<_> = (0..9).filter_map(|_| Seat::take(&shared, address("198.51.100.1"))).collect();
    assert_eq!(allowed.len(), 9);
    let loopback: Vec<_> = (0..9).filter_map(|_| Seat::take(&shared, Ipv4Addr::LOCALHOST.into())).collect();
    assert_eq!(loopback.len(), 9);
    let mapped = address("::ffff:192.0.2.1");
    let proxy: Vec<_> = (0..9).filter_map(|_| Seat::take(&shared, mapped)).collect();
    assert_eq!(proxy.len(), 9, "a trusted proxy has the connections of all its clients");
    let beside: Vec<_> = (0..9).filter_map(|_| Seat::take(&shared, address("192.0.2.2"))).collect();
    assert_eq!(beside.len(), 2);
}

#[test]
fn whoever_has_a_whole_ipv6_network_has_no_more_seats_than_with_one_address() {
    let shared = shared(2, "");
    let take = |host: u16| Seat::take(&shared, address(&format!("2001:db8::{host:x}")));
    let mut seats: Vec<_> = (0..50).filter_map(take).collect();
    assert_eq!(seats.len(), 2);
    assert!(Seat::take(&shared, address("2001:db8:0:1::1")).is_some(), "the next network");
    seats.pop();
    assert!(take(7).is_some(), "given back by another address of it");
    drop(seats);
    assert!(shared.per_network.lock().unwrap().is_empty(), "nothing is kept of who has left");
}
