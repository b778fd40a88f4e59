//! Tests.

use super::*;

#[test]
fn both_directions_are_cut_and_clients_are_not_named() {
    let rules = rules("127.0.1.3", "7003", 17_003);
    for line in
        ["ip saddr 127.0.1.3 drop", "ip daddr 127.0.1.3 drop", "tcp dport 17003 drop", "tcp sport 17003 drop"]
    {
        assert!(rules.contains(line), "{rules}");
    }
    let of_clients = rules.lines().filter(|line| line.contains(" 7003 "));
    assert!(
        of_clients.clone().count() == 2 && of_clients.clone().all(|line| line.contains(NODES)),
        "{rules}"
    );
}
