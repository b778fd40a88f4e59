//! Tests.

use super::*;
use crate::plan::Preset;

#[test]
fn the_work_of_a_herd_is_that_of_all_its_buyers_on_this_machine() {
    let mut plan = Plan::preset(Preset::Quick, "http://127.0.0.1:1");
    (plan.buyers, plan.limit_ms) = (100, 90_000);
    let guess = Duration::from_micros(100);
    let text = said(&plan, guess, Some(5_000.0), 2);
    assert!(text.contains("100 buyers solve theirs on this machine, up to 5000 guesses each"), "{text}");
    assert!(
        text.contains("up to about 50.0 s of processor time, 25.0 s with its 2 processors. Real"),
        "{text}"
    );
    plan.buyers = 1_000;
    assert!(
        said(&plan, guess, Some(5_000.0), 2)
            .contains("250.0 s with its 2 processors: longer than --limit-ms")
    );
    assert!(said(&plan, guess, None, 2).contains("0.10 ms a guess; /metrics does not say"));
}

#[test]
fn the_hardest_challenge_is_read_from_the_metrics() {
    let text = "# HELP tzero_challenge_guesses_max Work.\ntzero_challenge_guesses 1000\ntzero_challenge_guesses_max 5000\n";
    assert_eq!(most(text), Some(5_000.0));
    assert_eq!(most("nothing"), None);
}

#[test]
fn a_guess_is_measured_at_the_price_that_a_challenge_names() {
    let clock = Clock::start();
    let price = |cost| {
        let options = CreateChallengeOptions {
            algorithm: "PBKDF2/SHA-256".to_owned(),
            cost,
            counter: Some(0),
            ..CreateChallengeOptions::default()
        };
        guess(&create_challenge(options).unwrap(), &clock).unwrap()
    };
    assert!(price(1_000) > 4 * price(10), "a hundred times the rounds");
}
