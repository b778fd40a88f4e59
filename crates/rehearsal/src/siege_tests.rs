//! More units than chance explains are a violation, and fewer are none.

use super::*;

fn got(units: u64) -> Siege {
    let draw = Draw { places: 1_000, hostile: 100, drawn: 200 };
    Siege {
        buyers: 100,
        buyers_share: 0.1,
        units,
        units_share: units as f64 / 200.0,
        units_explained: draw.explained(),
        chance: draw.chance(units),
        sent: 0,
        answers: Percentiles::default(),
        accepted: Percentiles::default(),
        refused: Percentiles::default(),
        errors: BTreeMap::new(),
        endings: BTreeMap::new(),
        kinds: BTreeMap::new(),
    }
}

#[test]
fn what_chance_explains_is_no_violation_and_one_more_is() {
    let explained = got(0).units_explained;
    assert!(explained > 20, "a fifth of all units are drawn: 20 are expected");
    assert_eq!((got(0).unfair(), got(20).unfair(), got(explained).unfair()), (None, None, None));
    let wrong = got(explained + 1).unfair().expect("a violation");
    assert!(wrong.contains("10.0 % of the buyers were hostile"), "{wrong}");
    assert!(got(200).unfair().is_some());
}
