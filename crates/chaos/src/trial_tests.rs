//! Tests.

use super::*;

#[test]
fn a_pause_is_measured_to_the_ends_of_the_span() {
    let at = Duration::from_secs;
    let tickets = [at(1), at(2), at(6), at(7)];
    assert_eq!(longest_pause(&tickets, at(2), at(10)), at(4));
    assert_eq!(longest_pause(&tickets, at(6), at(20)), at(13));
    assert_eq!(longest_pause(&[], at(3), at(5)), at(2));
}
