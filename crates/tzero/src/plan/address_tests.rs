//! Waiting for payment addresses: by hand, and as properties.

use proptest::prelude::*;

use super::{Bound, Rates, in_time, last_claim_s, last_wait_s, sold_after_s};

#[test]
fn ten_thousand_winners_at_twenty_five_a_second() {
    assert_eq!(last_wait_s(10_000, 25.0), 400.0);
    assert_eq!(in_time(10_000, 25.0, 300.0), 7_500);
    assert_eq!(in_time(10_000, 25.0, 900.0), 10_000);
}

#[test]
fn the_slowest_bound_counts_and_is_named() {
    let rates = Rates { configured: 500.0, provider: None, calls: 64.0, call_s: None };
    assert_eq!(rates.least(), (500.0, Bound::Configured));
    assert_eq!(Rates { provider: Some(25.0), ..rates }.least(), (25.0, Bound::Provider));
    assert_eq!(Rates { call_s: Some(0.5), provider: Some(200.0), ..rates }.least(), (128.0, Bound::Calls));
}

#[test]
fn what_is_not_paid_for_is_sold_again_a_hold_later() {
    assert_eq!(sold_after_s(100, 10.0, 1.0, 300.0), 310.0);
    // 100, then 10, then 1 order; a tenth of one is none.
    let rounds = sold_after_s(100, 10.0, 0.9, 300.0);
    assert!((rounds - 911.1).abs() < 1e-6, "{rounds}");
    assert!((last_claim_s(100, 10.0, 0.9, 300.0) - 611.0).abs() < 1e-6);
    assert_eq!((last_claim_s(100, 10.0, 1.0, 300.0), last_claim_s(0, 10.0, 0.5, 300.0)), (0.0, 0.0));
    assert_eq!(sold_after_s(0, 10.0, 0.5, 300.0), 0.0);
}

proptest! {
    #[test]
    fn whoever_is_in_time_waits_no_longer_than_the_deadline(
        orders in 0_u64..20_000_000, per_s in 0.1_f64..10_000.0, deadline_s in 0.1_f64..90_000.0,
    ) {
        let served = in_time(orders, per_s, deadline_s);
        prop_assert!(last_wait_s(served, per_s) <= deadline_s + 1e-3);
        prop_assert_eq!(served == orders, last_wait_s(orders, per_s) <= deadline_s + 1e-6 / per_s);
    }

    #[test]
    fn a_faster_provider_never_sells_later(
        orders in 1_u64..1_000_000, per_s in 0.1_f64..1_000.0, more in 1.0_f64..100.0, pay in 0.01_f64..1.0,
    ) {
        let slow = sold_after_s(orders, per_s, pay, 300.0);
        prop_assert!(sold_after_s(orders, per_s * more, pay, 300.0) <= slow);
        prop_assert!(slow >= last_wait_s(orders, per_s));
    }
}
