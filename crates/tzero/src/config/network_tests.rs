//! Which addresses are in which networks.

use super::Network;

fn contains(network: &str, address: &str) -> bool {
    network.parse::<Network>().unwrap().contains(address.parse().unwrap())
}

#[test]
fn leading_bits_decide() {
    assert!(contains("127.0.0.0/8", "127.255.0.1"));
    assert!(!contains("127.0.0.0/8", "128.0.0.1"));
    assert!(contains("10.1.2.0/23", "10.1.3.255") && !contains("10.1.2.0/23", "10.1.4.0"));
    assert!(contains("0.0.0.0/0", "203.0.113.9"));
    assert!(contains("192.0.2.7", "192.0.2.7") && !contains("192.0.2.7", "192.0.2.8"));
    assert!(contains("2001:db8::/32", "2001:db8:1::1") && !contains("2001:db8::/32", "2001:db9::1"));
}

#[test]
fn families_do_not_mix_but_mapped_addresses_count_as_ipv4() {
    assert!(!contains("::1/128", "127.0.0.1"));
    assert!(!contains("0.0.0.0/0", "::1"));
    assert!(contains("127.0.0.0/8", "::ffff:127.0.0.1"));
    assert!(contains("::ffff:10.0.0.0/104", "10.1.1.1") && !contains("::ffff:10.0.0.0/104", "11.1.1.1"));
    assert!("::ffff:10.0.0.0/95".parse::<Network>().unwrap_err().contains("\"10.0.0.0/24\""));
}

#[test]
fn what_is_no_network_is_refused_with_the_form() {
    for text in
        ["", "localhost", "10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0/8", "10.0.0.0/8/8", "10.0.0.0/-1"]
    {
        let refusal = text.parse::<Network>().unwrap_err();
        assert!(refusal.contains("\"10.0.0.0/8\""), "{text}: {refusal}");
    }
}
