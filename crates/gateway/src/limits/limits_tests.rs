//! Tests.

use super::*;

fn at(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

#[test]
fn a_burst_is_taken_and_then_the_rate() {
    let cells = Cells::new(1 << 10, [7; 32]);
    let ask = |ms| cells.check(b"ann", 10.0, 5, at(ms));
    assert!((0..5).all(|_| ask(1_000).is_ok()));
    assert_eq!(ask(1_000), Err(Denied { retry_after_ms: 100 }));
    assert_eq!(ask(1_099), Err(Denied { retry_after_ms: 1 }));
    assert!(ask(1_100).is_ok());
    assert!(ask(1_100).is_err());
    assert!((0..5).all(|_| ask(60_000).is_ok()), "a quiet time gives the whole burst again, and no more");
    assert!(ask(60_000).is_err());
}

#[test]
fn keys_and_rooms_are_counted_apart() {
    let rooms = Rooms::new([7; 32]);
    let ask = |cells: &Cells, key: &[u8]| cells.check(key, 1.0, 1, at(0)).is_ok();
    assert!(ask(&rooms.users, b"ann") && !ask(&rooms.users, b"ann"));
    assert!(ask(&rooms.users, b"bob"));
    assert!([&rooms.challenges, &rooms.networks, &rooms.sales].iter().all(|room| ask(room, b"ann")));
}

#[test]
fn a_spray_of_keys_makes_limits_stricter_never_looser() {
    let cells = Cells::new(64, [7; 32]);
    let ask = |key: u32| cells.check(&key.to_be_bytes(), 1.0, 2, at(0)).is_ok();
    let mut taken = 0;
    for key in 0..100_000 {
        let of_this_key = (0..4).filter(|_| ask(key)).count();
        assert!(of_this_key <= 2, "{key}: {of_this_key}");
        taken += of_this_key;
    }
    // Each that was taken has put a cell of every row further ahead, or found it there.
    assert!((64 * 2..=ROWS * 64 * 2).contains(&taken), "{taken}");
    assert!((0..100_000).all(|key| !ask(key)), "nothing is left for anybody");
}

#[test]
fn one_who_asks_on_many_connections_gets_no_more_than_on_one() {
    let cells = Cells::new(1 << 10, [7; 32]);
    for key in 0..200_u32 {
        let taken: usize = std::thread::scope(|scope| {
            let ask = || (0..50).filter(|_| cells.check(&key.to_be_bytes(), 1.0, 30, at(0)).is_ok()).count();
            let asking: Vec<_> = (0..4).map(|_| scope.spawn(ask)).collect();
            asking.into_iter().map(|each| each.join().unwrap()).sum()
        });
        assert!(taken <= 30, "{key}: {taken}");
    }
}

#[test]
fn whoever_hammers_uses_up_nobody_elses() {
    let cells = Cells::new(1 << 13, [7; 32]);
    let ask = |key: u32| cells.check(&key.to_be_bytes(), 10.0, 20, at(0)).is_ok();
    // As many for each cell as a hundred thousand are in the room for users.
    for key in 0..1_600 {
        assert!((0..25).filter(|_| ask(key)).count() <= 20);
    }
    let honest = 10_000..11_000;
    let refused = honest.filter(|key| !ask(*key)).count();
    assert!(refused <= 10, "{refused} of 1,000 buyers, of whom a single cell each would refuse 48");
}

#[test]
fn headers_name_the_policy_and_the_wait() {
    let (policy, standing) = header_value("user", 10.0, 20, &Denied { retry_after_ms: 1_500 });
    assert_eq!((policy.as_str(), standing.as_str()), ("\"user\";q=20;w=2", "\"user\";r=0;t=2"));
}

#[test]
fn the_quota_is_what_the_rate_gives_in_its_window() {
    let cases = [
        (200.0, 1, "q=200;w=1"),
        (10.0, 5, "q=10;w=1"),
        (1.0, 3, "q=3;w=3"),
        (0.1, 3, "q=3;w=30"),
        (0.3, 1, "q=1;w=4"),
    ];
    for (rate, burst, right) in cases {
        let (policy, _) = header_value("user", rate, burst, &Denied { retry_after_ms: 1 });
        assert_eq!(policy, format!("\"user\";{right}"), "{rate} a second, {burst} at once");
    }
}
