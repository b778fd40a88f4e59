//! Figures by hand: each is its count times its cost, has a unit and a source, and is unknown where its cost is.

use super::{Goods, Needs, Place, needs};
use crate::plan::address::{Bound, Rates};
use crate::plan::costs::{Cost, Costs};
use crate::plan::herd::{Herd, Load, Pauses};

const HERD: Herd = Herd {
    buyers: 100_000,
    presses: 3.0,
    ramp_s: 1.0,
    units: 1,
    connections: 0.5,
    poll_s: Some(2.0),
    pay_share: 0.9,
};
const GOODS: Goods = Goods { supply: 1_000, hold_s: 300.0, lasts_s: 86_400.0, shards: 1 };
const RATES: Rates = Rates { configured: 500.0, provider: None, calls: 64.0, call_s: None };
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
    rates: RATES,
};

fn costs() -> Costs {
    let mut costs = Costs::default();
    for (cost, value) in [
        (Cost::GrantedCpu, 20.0),
        (Cost::RefusedCpu, 10.0),
        (Cost::PollCpu, 8.0),
        (Cost::CheckoutIn, 400.0),
        (Cost::GrantedOut, 500.0),
        (Cost::RefusedOut, 250.0),
        (Cost::PollIn, 200.0),
        (Cost::PollOut, 600.0),
        (Cost::ConnectionMemory, 2_048.0),
        (Cost::OrderDisk, 1_048.576),
    ] {
        costs.set(cost, value, "S");
    }
    costs
}

fn of(place: &Place, costs: &Costs) -> Needs {
    let load = Load::of(&HERD, GOODS.supply, &Pauses { min_s: 0.5, max_s: 5.0, calm_per_s: 2_000.0 });
    needs(&HERD, &load, &GOODS, place, costs)
}

fn value(needs: &Needs, name: &str) -> Option<f64> {
    needs.rows.iter().find(|row| row.name == name).unwrap_or_else(|| panic!("no {name}")).value
}

#[test]
fn a_herd_of_a_hundred_thousand_by_hand() {
    let needs = of(&PLACE, &costs());
    // 1,000 × 20 µs, 299,000 × 10 µs, 500 × 8 µs.
    let cpu = 0.02 + 2.99 + 0.004;
    assert!((needs.cpu_s.unwrap() - cpu).abs() < 1e-9);
    assert!((needs.cores.unwrap() - 2.0 * cpu).abs() < 1e-9);
    assert_eq!((needs.connections, needs.processes), (50_000, 4));
    assert_eq!(value(&needs, "descriptors"), Some(12_500.0 + 256.0));
    assert_eq!(value(&needs, "memory_connections"), Some(97.65625));
    assert_eq!(value(&needs, "disk"), Some(1.0));
    assert_eq!((needs.rate, needs.last_wait_s, needs.in_time), ((500.0, Bound::Configured), 2.0, 1_000));
    let network_in = (300_000.0 * 400.0 + 500.0 * 200.0) / 125_000.0;
    assert_eq!(value(&needs, "network_in"), Some(network_in));
    let network_out = (1_000.0 * 500.0 + 299_000.0 * 250.0 + 500.0 * 600.0) / 125_000.0;
    assert_eq!(value(&needs, "network_out"), Some(network_out));
}

#[test]
fn what_was_not_measured_is_unknown_and_says_so() {
    let needs = of(&Place { fleet: true, ..PLACE }, &costs());
    for name in ["redis", "postgres", "memory_orders"] {
        let row = needs.rows.iter().find(|row| row.name == name).unwrap();
        assert!(row.value.is_none() && row.source.starts_with("not measured: "), "{row:?}");
    }
    assert_eq!(value(&needs, "partitions"), Some(1.0));
    let nothing = of(&PLACE, &Costs::default());
    assert_eq!((nothing.cpu_s, nothing.cores, value(&nothing, "network_out")), (None, None, None));
}

#[test]
fn signed_sessions_that_were_not_measured_are_said_to_be() {
    let needs = of(&Place { signed: true, ..PLACE }, &costs());
    let row = needs.rows.iter().find(|row| row.name == "cpu_sessions").unwrap();
    assert_eq!((row.value, row.source.as_str()), (None, "not measured: session_cpu"));
    assert_eq!(needs.cpu_s, None, "the sum is not known either");
    assert!(of(&PLACE, &costs()).rows.iter().all(|row| row.name != "cpu_sessions"));
}

#[test]
fn costs_of_stores_and_of_signed_sessions_count_where_they_are_known() {
    let mut known = costs();
    known.set(Cost::RedisCpu, 3.0, "S");
    known.set(Cost::SessionCpu, 40.0, "S");
    let needs = of(&Place { fleet: true, ..PLACE }, &known);
    assert_eq!(value(&needs, "redis"), Some(0.003));
    assert_eq!(value(&needs, "cpu_sessions"), Some(4.0));
    assert!((needs.cpu_s.unwrap() - (0.02 + 2.99 + 0.004 + 4.0)).abs() < 1e-9);
}

#[test]
fn every_figure_has_a_unit_a_source_and_a_name_of_its_own() {
    for fleet in [false, true] {
        let needs = of(&Place { fleet, ..PLACE }, &costs());
        let mut names: Vec<_> = needs.rows.iter().map(|row| row.name).collect();
        assert!(needs.rows.iter().all(|row| !row.unit.is_empty() && !row.source.is_empty()));
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), needs.rows.len());
    }
}
