//! Each finding by its own example, and a sale at which nothing is wrong.

use proptest::prelude::*;

use super::{Case, Finding, Weight, judge};
use crate::plan::address::Rates;
use crate::plan::costs::{Cost, Costs};
use crate::plan::herd::{Herd, Load, Pauses};
use crate::plan::needs::{Goods, Place, needs};

const HERD: Herd = Herd {
    buyers: 12_000,
    presses: 3.0,
    ramp_s: 1.0,
    units: 1,
    connections: 1.0,
    poll_s: Some(2.0),
    pay_share: 0.9,
};
const GOODS: Goods = Goods { supply: 10_000, hold_s: 300.0, lasts_s: 86_400.0, shards: 1 };
const PLACE: Place = Place {
    fleet: false,
    signed: false,
    cores: 4,
    descriptors: Some(65_536),
    room: 15_000,
    busy: 0.5,
    sale_per_s: None,
    user_burst: Some(20),
    answer_s: 1.0,
    deadline_s: 900.0,
    rates: Rates { configured: 500.0, provider: None, calls: 64.0, call_s: None },
};

fn found(herd: Herd, goods: Goods, place: Place) -> Vec<Finding> {
    let mut costs = Costs::default();
    for cost in [Cost::GrantedCpu, Cost::RefusedCpu, Cost::PollCpu] {
        costs.set(cost, 10.0, "S");
    }
    let load = Load::of(&herd, goods.supply, &Pauses { min_s: 0.5, max_s: 5.0, calm_per_s: 2_000.0 });
    let needs = needs(&herd, &load, &goods, &place, &costs);
    judge(&Case { herd: &herd, load: &load, goods: &goods, place: &place, needs: &needs })
}

fn names(found: &[Finding]) -> Vec<(&'static str, Weight)> {
    found.iter().map(|finding| (finding.name, finding.weight)).collect()
}

fn at_rate(configured: f64, deadline_s: f64) -> Place {
    Place { rates: Rates { configured, ..PLACE.rates }, deadline_s, ..PLACE }
}

#[test]
fn a_sale_that_can_be_sold_has_no_finding() {
    assert_eq!(found(HERD, GOODS, PLACE), []);
}

#[test]
fn ten_thousand_winners_at_twenty_five_a_second() {
    let late = found(HERD, GOODS, at_rate(25.0, 900.0));
    assert_eq!(names(&late), [("address-after-hold", Weight::Warning)], "{late:?}");
    assert!(late[0].says.contains("waits 400 s") && late[0].says.contains("300 s to pay"), "{late:?}");
    let wrong = found(HERD, GOODS, at_rate(25.0, 300.0));
    assert_eq!(names(&wrong), [("address-deadline", Weight::Impossible)]);
    for part in
        ["10000 winners at 25 ", "wait 400 s", "Only 7500", "33.4 addresses a second", "of 400000 or more"]
    {
        assert!(wrong[0].says.contains(part), "{part} in {}", wrong[0].says);
    }
}

#[test]
fn each_finding_by_its_own_example() {
    let rates = Rates { provider: Some(100.0), ..PLACE.rates };
    for (name, weight, herd, goods, place) in [
        ("connections", Weight::Impossible, Herd { connections: 2.0, ..HERD }, GOODS, PLACE),
        ("sale-too-short", Weight::Impossible, HERD, Goods { lasts_s: 600.0, ..GOODS }, PLACE),
        ("provider-refuses", Weight::Warning, HERD, GOODS, Place { rates, ..PLACE }),
        (
            "cores",
            Weight::Warning,
            Herd { presses: 40.0, ..HERD },
            GOODS,
            Place { user_burst: None, ..PLACE },
        ),
        ("not-sold-out", Weight::Warning, Herd { buyers: 11_000, ..HERD }, GOODS, PLACE),
        ("sale-limit", Weight::Warning, HERD, GOODS, Place { sale_per_s: Some(30_000.0), ..PLACE }),
        ("user-burst", Weight::Warning, Herd { presses: 21.0, ..HERD }, GOODS, PLACE),
    ] {
        assert_eq!(names(&found(herd, goods, place)), [(name, weight)]);
    }
}

#[test]
fn a_sale_that_ends_with_its_last_hold_is_long_enough() {
    let all_pay = Herd { pay_share: 1.0, ..HERD };
    // All is claimed at once; the last hold may be paid after the end.
    for lasts_s in [300.0, 320.0, 0.5] {
        assert_eq!(found(all_pay, Goods { lasts_s, ..GOODS }, PLACE), [], "{lasts_s}");
    }
    let few = Goods { supply: 10, lasts_s: 300.018, ..GOODS };
    assert_eq!(found(HERD, few, PLACE), [], "two milliseconds are none");
    let short = found(HERD, Goods { lasts_s: 0.25, ..GOODS }, PLACE);
    assert!(short[0].says.contains("the sale lasts 250 ms"), "{short:?}");
}

#[test]
fn a_fleet_has_gateways_for_every_connection() {
    let herd = Herd { connections: 2.0, ..HERD };
    assert_eq!(found(herd, GOODS, Place { fleet: true, ..PLACE }), []);
}

proptest! {
    #[test]
    fn the_remedies_that_are_named_are_enough(orders in 1_u64..12_000, per_s in 0.1_f64..100.0, deadline_s in 1.0_f64..1_000.0) {
        let goods = Goods { supply: orders, lasts_s: 1e12, ..GOODS };
        let wrong = |place| found(HERD, goods, place).iter().any(|finding| finding.name == "address-deadline");
        let refused = wrong(at_rate(per_s, deadline_s));
        prop_assert_eq!(refused, orders as f64 / per_s > deadline_s + 1e-6 / per_s);
        let enough = (orders as f64 / deadline_s * 10.0).ceil() / 10.0;
        prop_assert!(!wrong(at_rate(enough.max(per_s), deadline_s)));
        prop_assert!(!wrong(at_rate(per_s, (orders as f64 / per_s * 1_000.0).ceil() / 1_000.0)));
    }
}
