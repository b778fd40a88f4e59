//! The load of a herd: by hand, and as properties.

use proptest::prelude::*;

use super::{Herd, Load, Pauses, orders_of};

const PAUSES: Pauses = Pauses { min_s: 0.5, max_s: 5.0, calm_per_s: 2_000.0 };

fn herd(buyers: u32) -> Herd {
    Herd { buyers, presses: 3.0, ramp_s: 1.0, units: 1, connections: 1.0, poll_s: Some(2.0), pay_share: 0.9 }
}

#[test]
fn a_second_of_a_herd_by_hand() {
    let load = Load::of(&herd(100_000), 1_000, &PAUSES);
    assert_eq!((load.orders, load.checkouts, load.peak), (1_000, 300_000.0, 300_000.0));
    assert_eq!((load.granted, load.refused, load.polls), (1_000.0, 299_000.0, 500.0));
    let slower = Load::of(&Herd { ramp_s: 10.0, ..herd(100_000) }, 1_000, &PAUSES);
    assert_eq!((slower.peak, slower.granted, slower.comers), (30_000.0, 1_000.0, 10_000.0));
    let few = Load::of(&herd(10), 1_000, &PAUSES);
    assert_eq!((few.orders, few.granted, few.refused), (10, 10.0, 20.0));
}

#[test]
fn an_order_takes_whole_units_of_one_product() {
    assert_eq!(orders_of(&[5, 3, 1], 2), 3);
    assert_eq!(orders_of(&[5], 1), 5);
}

#[test]
fn pauses_grow_with_those_who_look() {
    let alone = PAUSES.settled_s(1.0);
    assert!((0.625..0.63).contains(&alone), "{alone}");
    assert!((PAUSES.settled_s(1e6) - 5.0).abs() < 1e-9, "the longest pause is never passed");
}

proptest! {
    #[test]
    fn a_settled_pause_is_the_one_that_is_told_at_its_own_rate(holders in 0.0_f64..30_000.0) {
        let pauses = Pauses { max_s: 1e9, ..PAUSES };
        let pause = pauses.settled_s(holders);
        let told = 1.25 * 0.5 * (holders / pause / 2_000.0 + 1.0);
        prop_assert!((told - pause).abs() < 1e-6, "{told} {pause}");
    }

    #[test]
    fn nothing_is_answered_twice_and_nothing_is_lost(
        buyers in 1_u32..10_000_000, presses in 1.0_f64..50.0, ramp_s in 0.0_f64..600.0, supply in 0_u64..20_000_000,
    ) {
        let load = Load::of(&Herd { presses, ramp_s, ..herd(buyers) }, supply, &PAUSES);
        prop_assert!(load.orders <= supply && load.orders <= u64::from(buyers));
        prop_assert!(load.granted <= load.orders as f64 && load.refused >= 0.0);
        prop_assert!((load.granted + load.refused - load.peak).abs() < 1e-6 * load.peak);
        prop_assert!(load.peak <= load.checkouts && load.comers <= f64::from(buyers));
    }
}
