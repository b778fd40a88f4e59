//! Tests.

use super::*;

#[test]
fn a_state_lasts_until_the_next_look() {
    let at = Duration::from_secs;
    let states = [
        (at(1), State::Open),
        (at(2), State::Closed),
        (at(3), State::Unknown),
        (at(5), State::Closed),
        (at(6), State::Open),
    ];
    assert_eq!(lasted(&states, State::Closed, at(0), at(10)), at(2));
    assert_eq!(lasted(&states, State::Unknown, at(0), at(10)), at(2));
    assert_eq!(lasted(&states, State::Open, at(0), at(10)), at(5));
    assert_eq!(lasted(&states, State::Open, at(7), at(8)), at(1));
    assert_eq!(lasted(&states, State::Closed, at(0), at(2)), at(0));
}
