//! The chances are those of the hypergeometric distribution.

use super::*;

#[test]
fn chances_are_those_of_a_draw_without_replacement() {
    // The lady who tastes tea: all four of four from eight by chance is 1 in 70, three or more 17 in 70.
    let tea = Draw { places: 8, hostile: 4, drawn: 4 };
    assert!((tea.chance(4) - 1.0 / 70.0).abs() < 1e-12);
    assert!((tea.chance(3) - 17.0 / 70.0).abs() < 1e-12);
    assert!((tea.chance(0) - 1.0).abs() < 1e-12);
    assert!(tea.chance(5) < 1e-12, "there are only four");
    assert_eq!(tea.explained(), 4, "so few units prove nothing");
}

#[test]
fn a_tenth_of_the_buyers_may_have_a_tenth_of_the_units_and_a_little() {
    let draw = Draw { places: 10_000, hostile: 1_000, drawn: 500 };
    let explained = draw.explained();
    assert!((60..80).contains(&explained), "{explained} of 500, where 50 are expected");
    assert!(draw.chance(explained) >= DOUBT && draw.chance(explained + 1) < DOUBT);
    assert!(draw.chance(50) > 0.4 && draw.chance(500) < 1e-300);
}

#[test]
fn a_draw_of_nothing_and_a_draw_of_everything_leave_no_doubt() {
    assert_eq!(Draw { places: 100, hostile: 10, drawn: 0 }.explained(), 0);
    assert_eq!(Draw { places: 100, hostile: 10, drawn: 100 }.explained(), 10);
    assert!((Draw { places: 100, hostile: 10, drawn: 100 }.chance(10) - 1.0).abs() < 1e-9);
}
