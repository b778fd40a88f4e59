//! Tests.

use super::*;

#[test]
fn what_is_late_or_not_answered_is_told_apart() {
    let gauge = Gauge::new(Duration::from_secs(60));
    gauge.note("a:1", "GET /v1", gauge.elapsed(), None);
    gauge.note("a:1", "GET /v1", gauge.elapsed(), Some("connection: refused"));
    assert_eq!((gauge.answers(), gauge.flawed()), (1, (1, 0)));
    let hasty = Gauge::new(Duration::ZERO);
    hasty.note("a:1", "GET /v1", Duration::ZERO, None);
    assert_eq!((hasty.answers(), hasty.flawed()), (1, (0, 1)));
    assert_eq!(hasty.flaws()[0].lack, Lack::Haste);
}

#[test]
fn a_request_is_in_flight_until_it_is_answered() {
    let gauge = Gauge::new(Duration::from_secs(1));
    let guard = gauge.leave();
    assert_eq!(gauge.in_flight(), 1);
    drop(guard);
    assert_eq!(gauge.in_flight(), 0);
    assert!(gauge.since_accepted().is_none());
    gauge.accept();
    assert!(gauge.since_accepted().is_some());
}

#[test]
fn the_first_sold_out_counts() {
    let gauge = Gauge::new(Duration::from_secs(1));
    gauge.saw_sold_out(5);
    gauge.saw_sold_out(9);
    assert_eq!(gauge.sold_out().unwrap().1, 5);
}
