//! Tests.

use super::*;

#[test]
fn the_first_time_is_said_at_once_and_the_next_ones_together() {
    let (mut seldom, at) = (Seldom::default(), Duration::from_millis);
    assert_eq!(seldom.happened(at(0)), Some(1));
    for now in [0, 1, 4_999] {
        assert_eq!(seldom.happened(at(now)), None, "{now}");
    }
    assert_eq!(seldom.happened(at(5_000)), Some(4));
    assert_eq!(seldom.happened(at(9_999)), None);
    assert_eq!(seldom.happened(at(60_000)), Some(2), "those that were not said before");
    assert_eq!(seldom.happened(at(65_000)), Some(1));
}
