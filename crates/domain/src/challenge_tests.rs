//! Tests.

use super::*;

#[test]
fn who_is_asked() {
    use ChallengeRule::{Always, Never, Suspects};
    // (rule, vouched, suspected, asked)
    let table = [
        (Never, false, false, false),
        (Never, false, true, false),
        (Never, true, true, false),
        (Suspects, false, false, false),
        (Suspects, false, true, true),
        (Suspects, true, true, false),
        (Always, false, false, true),
        (Always, false, true, true),
        (Always, true, false, false),
        (Always, true, true, false),
    ];
    for (rule, vouched, suspected, asked) in table {
        assert_eq!(rule.asks(vouched, suspected), asked, "{rule:?} vouched {vouched} suspected {suspected}");
    }
}

#[test]
fn every_rule_comes_back_by_its_word() {
    for rule in ChallengeRule::ALL {
        assert_eq!(ChallengeRule::parse(rule.as_str()), Some(rule));
    }
    assert_eq!(ChallengeRule::parse("sometimes"), None);
    assert_eq!(ChallengeRule::default(), ChallengeRule::Never);
}

#[test]
fn each_signal_makes_a_suspect_only_when_there_is_enough_of_it() {
    for signal in Signal::ALL {
        let mut marks = Marks::default();
        for _ in 1..signal.enough() {
            marks.add(signal);
            assert!(!marks.suspected(), "{signal:?}");
        }
        marks.add(signal);
        assert!(marks.suspected(), "{signal:?}");
    }
    let mut little_of_each = Marks::default();
    for signal in [Signal::RateLimited, Signal::Malformed, Signal::Mismatched] {
        little_of_each.add(signal);
    }
    assert!(!little_of_each.suspected());
    let mut half = Marks::default();
    (0..5).for_each(|_| half.add(Signal::RateLimited));
    assert!(!half.suspected() && half.plus(half).suspected());
    let mut many = Marks::default();
    (0..1_000).for_each(|_| many.add(Signal::Malformed));
    assert!(many.suspected(), "counts stay at their largest");
}

#[test]
fn bits_tell_about_how_many_there_were() {
    assert_eq!(different(0), 0);
    assert_eq!(different(1), 1);
    assert_eq!(different(u64::MAX), u32::MAX);
    let counts: Vec<u32> = (0..64).map(|set| different((1 << set) - 1)).collect();
    assert!(counts.is_sorted());
    // 20 bits of 64 are what about 24 buyers set.
    assert!(different((1 << 20) - 1) <= CROWD && different((1 << 21) - 1) > CROWD);
}

#[test]
fn difficulty_rises_with_pressure_from_floor_to_ceiling() {
    let difficulty = Difficulty { floor: 100, ceiling: 1_100, full_per_s: 50 };
    for (issued_per_s, guesses) in
        [(0, 100), (1, 120), (25, 600), (49, 1_080), (50, 1_100), (51, 1_100), (u64::MAX, 1_100)]
    {
        assert_eq!(difficulty.at(issued_per_s), guesses, "{issued_per_s}");
    }
    let flat = Difficulty { floor: 7, ceiling: 7, full_per_s: 1 };
    assert_eq!((flat.at(0), flat.at(1_000_000)), (7, 7));
    let widest = Difficulty { floor: 1, ceiling: u32::MAX, full_per_s: u32::MAX };
    assert_eq!(widest.at(u64::MAX), u32::MAX);
}
