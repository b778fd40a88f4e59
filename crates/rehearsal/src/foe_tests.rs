//! The share is kept, the kinds take turns, and honest buyers stay honest.

use super::*;

fn foes(buyers: u32, share: f64) -> Vec<(u32, Foe)> {
    (0..buyers).filter_map(|number| Some((number, of(number, share)?))).collect()
}

#[test]
fn as_many_are_hostile_as_the_share_says() {
    for (buyers, share, hostile) in
        [(1_000, 0.1, 100), (1_000, 0.0, 0), (90, 0.9, 81), (300, 1.0 / 3.0, 100), (7, 0.1, 0)]
    {
        assert_eq!(foes(buyers, share).len(), hostile, "{share} of {buyers}");
        assert_eq!(count(buyers, share) as usize, hostile);
    }
}

#[test]
fn hostile_buyers_come_among_the_honest_ones_and_not_before_them() {
    let numbers: Vec<u32> = foes(100, 0.1).into_iter().map(|(number, _)| number).collect();
    assert!(numbers.windows(2).all(|pair| pair[1] - pair[0] == 10), "{numbers:?}");
}

#[test]
fn every_kind_has_its_turn_and_every_way_of_a_kind_too() {
    let foes = foes(1_600, 0.1);
    for kind in Kind::ALL {
        let nth: Vec<u32> = foes.iter().filter(|(_, foe)| foe.kind == kind).map(|(_, foe)| foe.nth).collect();
        assert_eq!(nth, (0..20).collect::<Vec<_>>(), "{}", kind.name());
    }
}

#[test]
fn the_name_of_a_kind_is_what_json_calls_it() {
    for kind in Kind::ALL {
        assert_eq!(serde_json::to_value(kind).expect("JSON"), kind.name());
    }
}
