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

#[test]
fn ipv4_inside_ipv6_is_what_it_is() {
    let networks =
        Networks::read(b"deny ::ffff:203.0.113.0/120\ndeny ::ffff:198.51.100.7\nallow ::ffff:0:0/96")
            .unwrap();
    assert_eq!(rule(&networks, "203.0.113.9"), Some(Rule::Deny));
    assert_eq!(rule(&networks, "::ffff:203.0.113.9"), Some(Rule::Deny));
    assert_eq!(rule(&networks, "198.51.100.7"), Some(Rule::Deny));
    assert_eq!(rule(&networks, "192.0.2.1"), Some(Rule::Allow));
    let wrong = |text: &str| Networks::read(text.as_bytes()).unwrap_err();
    assert!(wrong("deny ::ffff:203.0.113.1/120").contains("its network is 203.0.113.0/24"));
    let wide = wrong("deny 10.0.0.0/8\ndeny ::ffff:203.0.113.0/90");
    assert!(
        wide.starts_with("line 2: ") && wide.contains("write the IPv4 network, such as 203.0.113.0/24"),
        "{wide}"
    );
    assert!(wrong("deny 203.0.113.0/24\nallow ::ffff:203.0.113.0/120").contains("both denied and allowed"));
}

#[test]
fn a_denied_part_of_a_network_is_found() {
    let denied = |text: &str, network: &str| {
        let network: IpNet = network.parse().unwrap();
        let networks = Networks::read(text.as_bytes()).unwrap();
        networks.denied_in(network.addr(), network.prefix_len()).map(|denied| denied.to_string())
    };
    assert_eq!(denied("deny 10.1.2.3", "10.1.0.0/16").as_deref(), Some("10.1.2.3/32"));
    assert_eq!(denied("deny 10.0.0.0/8", "10.1.0.0/16").as_deref(), Some("10.0.0.0/8"));
    assert_eq!(denied("deny 10.0.0.0/8\nallow 10.1.0.0/16", "10.1.0.0/16"), None);
    assert_eq!(denied("deny 10.0.0.0/8\nallow 10.1.0.0/16", "10.0.0.0/9").as_deref(), Some("10.0.0.0/8"));
    assert_eq!(denied("deny 10.2.0.0/16", "10.1.0.0/16"), None);
    assert_eq!(denied("deny 2001:db8::1", "2001:db8::/32").as_deref(), Some("2001:db8::1/128"));
    assert_eq!(denied("deny ::/0\ndeny 0.0.0.0/0", "127.0.0.1/32"), None, "loopback is never denied");
    assert_eq!(denied("deny 0.0.0.0/0", "2001:db8::/32"), None);
}

#[test]
fn every_wrong_line_is_named() {
    let wrong =
        Networks::read(b"block 1.2.3.4\ndeny 10.0.0.0/8\ndeny 10.0.0.1/8\nallow 10.0.0.0/8").unwrap_err();
    for part in ["line 1: \"block", "line 3: 10.0.0.1/8 has bits", "line 4: 10.0.0.0/8 is both"] {
        assert!(wrong.contains(part), "{part} in {wrong}");
    }
}

#[test]
fn a_number_with_leading_zeros_is_a_mistake() {
    for wrong in [
        "009.9.9.0/24",
        "9.9.010.0/24",
        "9.9.9.00/32",
        "9.9.9.0/024",
        "09.9.9.9",
        "::ffff:009.9.9.0/120",
        "2001:db8::/032",
    ] {
        let told = Networks::read(format!("deny {wrong}").as_bytes()).unwrap_err();
        assert!(
            told.starts_with(&format!("line 1: \"deny {wrong}\" has numbers with leading zeros")),
            "{told}"
        );
    }
    for right in ["0.0.0.0/0", "10.0.0.0/8", "2001:0db8::/32", "2001:db8::0000/32", "::ffff:9.9.9.0/120"] {
        Networks::read(format!("deny {right}").as_bytes()).unwrap();
    }
}
