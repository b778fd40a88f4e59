//! Tests.

use super::*;

#[test]
fn every_fault_is_counted_and_each_kind_is_said_once_in_a_while() {
    let (faults, at) = (Faults::default(), Duration::from_secs);
    assert_eq!(faults.met("the inventory", "answered-503", at(1)), Some(1));
    for _ in 0..233 {
        assert_eq!(faults.met("the inventory", "answered-503", at(2)), None);
    }
    // Another kind is said at once, and is no reason to say the first one again.
    assert_eq!(faults.met("the ledger", "answered-503", at(2)), Some(1));
    assert_eq!(faults.met("the inventory", "put-off", at(2)), Some(1));
    assert_eq!(faults.met("the inventory", "answered-503", at(5)), None);
    assert_eq!(faults.met("the inventory", "answered-503", at(6)), Some(235));
    let counts = faults.counts();
    assert_eq!(counts.len(), 3);
    assert!(counts.contains(&("the inventory", "answered-503", 236)), "{counts:?}");
    assert!(counts.contains(&("the ledger", "answered-503", 1)), "{counts:?}");
}
