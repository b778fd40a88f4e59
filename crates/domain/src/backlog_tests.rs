//! The estimate over looks a second apart.

use super::{Backlog, Sight};

/// Looks a second apart: (what waits, what came since the look before).
fn after(looks: &[(u64, u64)]) -> u64 {
    let mut backlog = Backlog::default();
    for (second, (waiting, came)) in looks.iter().enumerate() {
        backlog.see(Sight { at_ms: second as u64 * 1_000, waiting: *waiting, came: *came });
    }
    backlog.estimate_ms()
}

#[test]
fn nothing_waits_nobody_waits() {
    assert_eq!(after(&[]), 0);
    assert_eq!(after(&[(0, 0), (0, 5_000), (0, 5_000)]), 0);
    assert_eq!(after(&[(1_000, 0)]), 0, "nothing is known of the rate yet");
}

#[test]
fn what_waits_is_divided_by_what_leaves() {
    // 100 a second leave, 1,000 came at once.
    assert_eq!(after(&[(1_000, 0), (900, 0), (800, 0), (700, 0)]), 7_000);
    // 50 a second come besides: 150 leave.
    assert_eq!(after(&[(1_000, 0), (900, 50), (800, 50), (700, 50)]), 4_666);
}

#[test]
fn the_first_moments_say_nothing() {
    assert_eq!(after(&[(0, 0), (9_000, 9_000), (8_999, 0)]), 0);
    assert_eq!(after(&[(0, 0), (9_000, 9_000), (8_999, 0), (8_499, 0), (7_999, 0)]), 23_973);
}

#[test]
fn a_rate_that_falls_is_followed_within_seconds() {
    let mut looks = vec![(10_000, 0), (9_000, 0), (8_000, 0)];
    looks.extend((1..=20).map(|second| (8_000 - second * 10, 0)));
    let estimate = after(&looks);
    // At 10 a second 780 s are to come; the mean of the past still has a little of 1,000 a second.
    assert!((100_000..=780_000).contains(&estimate), "{estimate}");
}

#[test]
fn what_does_not_move_waits_at_least_as_long_as_it_has() {
    let stuck: Vec<(u64, u64)> = (0..=30).map(|_| (500, 0)).collect();
    assert_eq!(after(&stuck), 30_000);
    let mut moves = stuck;
    moves.push((400, 0));
    assert!(after(&moves) > 0);
    moves.push((0, 0));
    assert_eq!(after(&moves), 0);
}

#[test]
fn looks_at_one_instant_divide_by_nothing() {
    let mut backlog = Backlog::default();
    for waiting in [5, 4, 3] {
        backlog.see(Sight { at_ms: 7, waiting, came: 0 });
    }
    assert_eq!(backlog.estimate_ms(), 0);
}
