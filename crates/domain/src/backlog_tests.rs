//! The rate over looks a second apart.

use super::{Backlog, Sight};

/// Looks a second apart: (what waits, what nobody works on, what was served since the look before).
fn after(limit: Option<f64>, looks: &[(u64, u64, u64)]) -> Backlog {
    let (mut backlog, mut served) = (Backlog::new(limit), 0);
    for (second, (waiting, idle, more)) in looks.iter().enumerate() {
        served += more;
        backlog.see(Sight { at_ms: second as u64 * 1_000, waiting: *waiting, idle: *idle, served });
    }
    backlog
}

#[test]
fn nothing_is_known_at_first_but_the_limit() {
    assert_eq!(after(None, &[]).rate_per_s(), None);
    assert_eq!(after(Some(25.0), &[]).rate_per_s(), Some(25.0));
    assert_eq!(after(Some(0.0), &[]).rate_per_s(), None, "no limit");
    assert_eq!(
        after(None, &[(0, 0, 0), (9_000, 9_000, 1), (8_999, 8_990, 1)]).rate_per_s(),
        None,
        "too early"
    );
}

#[test]
fn what_is_served_while_more_waits_is_the_rate() {
    let looks = [(1_000, 900, 0), (900, 800, 100), (800, 700, 100), (700, 600, 100)];
    assert_eq!(after(None, &looks).rate_per_s(), Some(100.0));
    assert_eq!(after(Some(60.0), &looks).rate_per_s(), Some(60.0), "never above the limit");
}

#[test]
fn a_quiet_time_says_nothing_of_what_is_possible() {
    // One order every second, each worked on at once: then a herd.
    let mut looks: Vec<_> = (0..30).map(|_| (1, 0, 1)).collect();
    looks.push((10_000, 9_900, 50));
    assert_eq!(after(None, &looks).rate_per_s(), None);
}

#[test]
fn who_ends_unserved_was_not_served() {
    // Ten wait, one a second is served, and everybody else's time runs out again and again.
    let looks: Vec<_> = (0..10).map(|_| (40, 39, 1)).collect();
    assert_eq!(after(None, &looks).rate_per_s(), Some(1.0));
}

#[test]
fn a_rate_that_falls_is_followed_within_seconds() {
    let mut looks = vec![(10_000, 9_000, 1_000); 10];
    looks.extend(vec![(8_000, 7_000, 10); 30]);
    let rate = after(None, &looks).rate_per_s().unwrap();
    assert!((10.0..40.0).contains(&rate), "{rate}");
}

#[test]
fn what_does_not_move_is_stuck_until_it_moves_or_nobody_waits() {
    let stuck = vec![(500, 500, 0); 31];
    assert_eq!(after(None, &stuck).stuck_ms(), 30_000);
    assert_eq!(after(None, &[&stuck[..], &[(400, 400, 1)]].concat()).stuck_ms(), 0);
    assert_eq!(after(None, &[&stuck[..], &[(0, 0, 0)]].concat()).stuck_ms(), 0);
    assert_eq!(after(None, &[(0, 0, 0), (0, 0, 0), (5, 5, 0)]).stuck_ms(), 0, "they have just come");
}

#[test]
fn looks_at_one_instant_divide_by_nothing() {
    let mut backlog = Backlog::default();
    for served in [5, 6, 7] {
        backlog.see(Sight { at_ms: 7, waiting: 9, idle: 9, served });
    }
    assert_eq!((backlog.rate_per_s(), backlog.stuck_ms()), (None, 0));
}
