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
fn an_outage_says_nothing_of_the_rate_afterwards() {
    let mut looks = vec![(1_000, 900, 100); 20];
    looks.extend(vec![(1_000, 900, 0); 75]);
    let backlog = after(None, &looks);
    assert_eq!((backlog.rate_per_s(), backlog.stuck_ms()), (Some(100.0), 75_000));
    // What was behind comes at once: the rate is that of ten seconds at the lowest, and soon the one that there is.
    looks.push((900, 800, 100));
    let first = after(None, &looks).rate_per_s().unwrap();
    assert!((10.0..50.0).contains(&first), "{first}");
    looks.extend(vec![(500, 400, 100); 15]);
    let then = after(None, &looks).rate_per_s().unwrap();
    assert!(then > 80.0, "{then}");
}

#[test]
fn who_keeps_up_for_a_while_has_no_rate_of_before() {
    let mut looks = vec![(40, 39, 1); 20];
    looks.extend(vec![(1, 0, 1); 4]);
    assert_eq!(after(None, &looks).rate_per_s(), Some(1.0));
    looks.extend(vec![(1, 0, 1); 2]);
    assert_eq!(after(None, &looks).rate_per_s(), None, "one in flight waits for nobody");
    assert_eq!(after(Some(25.0), &looks).rate_per_s(), Some(25.0));
}

#[test]
fn a_server_that_serves_one_now_and_then_is_slow_and_not_away() {
    let looks: Vec<_> = (0..60).map(|second| (40, 39, u64::from(second % 4 == 0))).collect();
    let rate = after(None, &looks).rate_per_s().unwrap();
    assert!((0.2..0.3).contains(&rate), "{rate}");
}

#[test]
fn looks_at_one_instant_divide_by_nothing() {
    let mut backlog = Backlog::default();
    for served in [5, 6, 7] {
        backlog.see(Sight { at_ms: 7, waiting: 9, idle: 9, served });
    }
    assert_eq!((backlog.rate_per_s(), backlog.stuck_ms()), (None, 0));
}
