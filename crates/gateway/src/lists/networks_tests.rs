//! Tests.

use super::*;

fn rule(networks: &Networks, address: &str) -> Option<Rule> {
    networks.rule(address.parse().unwrap())
}

#[test]
fn the_narrowest_network_decides() {
    let text = b"# attackers\ndeny 203.0.113.0/24\nallow 203.0.113.7   # a partner\n\ndeny 2001:db8::/32\nallow 2001:db8:1::/48\n";
    let networks = Networks::read(text).unwrap();
    assert_eq!(networks.len(), 4);
    assert_eq!(rule(&networks, "203.0.113.6"), Some(Rule::Deny));
    assert_eq!(rule(&networks, "203.0.113.7"), Some(Rule::Allow));
    assert_eq!(rule(&networks, "::ffff:203.0.113.6"), Some(Rule::Deny), "IPv4 inside IPv6 is what it is");
    assert_eq!(rule(&networks, "203.0.114.6"), None);
    assert_eq!(rule(&networks, "2001:db8:2::1"), Some(Rule::Deny));
    assert_eq!(rule(&networks, "2001:db8:1::1"), Some(Rule::Allow));
    assert_eq!(rule(&networks, "2001:db9::1"), None);
}

#[test]
fn whole_families_can_be_denied_and_loopback_never() {
    let networks = Networks::read(b"deny 0.0.0.0/0\ndeny ::/0\n").unwrap();
    assert_eq!(rule(&networks, "198.51.100.1"), Some(Rule::Deny));
    assert_eq!(rule(&networks, "2001:db8::1"), Some(Rule::Deny));
    assert_eq!(rule(&networks, "127.0.0.9"), None);
    assert_eq!(rule(&networks, "::1"), None);
    let only_six = Networks::read(b"deny ::/0\n").unwrap();
    assert_eq!(rule(&only_six, "198.51.100.1"), None);
    assert!(Networks::read(b"# nothing\n").unwrap().is_empty());
}

#[test]
fn a_mistake_names_its_line_and_what_would_be_right() {
    let wrong = |text: &str| Networks::read(text.as_bytes()).unwrap_err();
    assert!(wrong("deny 10.0.0.0/8\nblock 1.2.3.4").starts_with("line 2: \"block 1.2.3.4\" must be such as"));
    assert!(wrong("deny").starts_with("line 1: "));
    assert!(wrong("deny 10.0.0.0/33").starts_with("line 1: "));
    assert!(wrong("deny 10.0.0.1/8").contains("its network is 10.0.0.0/8"));
    assert!(wrong("deny 10.0.0.0/8\n\nallow 10.0.0.0/8").starts_with("line 3: 10.0.0.0/8 is both"));
    assert!(Networks::read(&[0xff]).unwrap_err().contains("UTF-8"));
    assert!(Networks::read(b"deny 10.0.0.0/8\ndeny 10.0.0.0/8").is_ok(), "the same again is no mistake");
}

#[test]
fn a_list_has_a_bound() {
    let text: String = (0..=super::super::MOST)
        .map(|n| format!("deny {}\n", std::net::Ipv4Addr::from_bits(n as u32)))
        .collect();
    assert!(Networks::read(text.as_bytes()).unwrap_err().contains("may have 1000000"));
}
