//! Who passes a circuit breaker, and when.

use std::time::Duration;

use super::{Breaker, End};

const fn at(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// A breaker with a publication that failed at that time.
fn failed(ms: u64) -> Breaker {
    let breaker = Breaker::default();
    breaker.begin();
    breaker.end(End::Failed, at(ms));
    breaker
}

fn passed(breaker: &Breaker, times: impl Iterator<Item = u64>) -> Vec<u64> {
    times.filter(|ms| breaker.admits(at(*ms))).collect()
}

#[test]
fn everybody_passes_while_publications_succeed() {
    let breaker = Breaker::default();
    assert_eq!(passed(&breaker, 0..3), [0, 1, 2]);
    breaker.begin();
    assert_eq!(passed(&breaker, 3..5), [3, 4]);
    breaker.end(End::Published, at(5));
    assert_eq!(passed(&breaker, 5..7), [5, 6]);
}

#[test]
fn what_was_not_handed_over_says_nothing_of_the_log() {
    let breaker = Breaker::default();
    breaker.begin();
    breaker.end(End::Untried, at(10));
    assert!(breaker.admits(at(10)));
}

#[test]
fn after_a_failure_one_in_half_a_second_tries() {
    assert_eq!(passed(&failed(1_000), 1_000..3_000), [1_500, 2_000, 2_500]);
}

#[test]
fn nobody_tries_while_a_publication_is_on_its_way() {
    let breaker = Breaker::default();
    breaker.begin();
    breaker.begin();
    breaker.outlasted(at(1_000));
    assert_eq!(passed(&breaker, 1_000..3_000), [0; 0]);
    breaker.end(End::Failed, at(3_000));
    assert_eq!(passed(&breaker, 3_000..4_000), [0; 0], "there was another");
    breaker.end(End::Failed, at(4_000));
    assert_eq!(passed(&breaker, 4_000..4_400), [4_000]);
}

#[test]
fn one_success_lets_everybody_pass() {
    let breaker = failed(1_000);
    assert!(breaker.admits(at(1_500)));
    breaker.begin();
    assert!(!breaker.admits(at(2_500)));
    breaker.end(End::Published, at(2_600));
    assert_eq!(passed(&breaker, 2_600..2_603), [2_600, 2_601, 2_602]);
    // And the next failure is a new one.
    breaker.begin();
    breaker.end(End::Failed, at(5_000));
    assert_eq!(passed(&breaker, 5_000..5_600), [5_500]);
}
