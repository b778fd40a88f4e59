//! Tests.

use super::*;

fn at(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

#[test]
fn a_burst_is_taken_and_then_the_rate() {
    let cells = Cells::new(1 << 10, [7; 32]);
    let ask = |ms| cells.check("user", b"ann", 10.0, 5, at(ms));
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
    let cells = Cells::new(1 << 16, [7; 32]);
    assert!(cells.check("user", b"ann", 1.0, 1, at(0)).is_ok());
    assert!(cells.check("user", b"ann", 1.0, 1, at(0)).is_err());
    assert!(cells.check("user", b"bob", 1.0, 1, at(0)).is_ok());
    assert!(cells.check("network", b"ann", 1.0, 1, at(0)).is_ok());
}

#[test]
fn a_spray_of_keys_makes_limits_stricter_never_looser() {
    let cells = Cells::new(64, [7; 32]);
    let taken = (0..100_000_u32).filter(|key| cells.check("user", &key.to_be_bytes(), 1.0, 2, at(0)).is_ok());
    assert_eq!(taken.count(), 128, "64 cells of a burst of 2");
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
