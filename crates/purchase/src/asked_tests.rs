//! How often the stores are asked.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use ports::clock::{Clock as _, SystemClock};

use super::{APART, Asked};

#[tokio::test]
async fn however_many_ask_at_once_the_stores_are_asked_once_more_at_most() {
    let (asked, rounds, clock) = (Asked::default(), AtomicU32::new(0), SystemClock::start());
    let ask = async || {
        tokio::time::sleep(Duration::from_millis(20)).await;
        rounds.fetch_add(1, Ordering::Relaxed)
    };
    futures::future::join_all((0..500).map(|_| asked.get(&clock, ask()))).await;
    assert!(rounds.load(Ordering::Relaxed) <= 2, "{rounds:?}");
}

#[tokio::test]
async fn an_answer_is_never_of_before_the_question_and_rounds_keep_apart() {
    let (asked, rounds, clock) = (Asked::default(), AtomicU32::new(0), SystemClock::start());
    let begun = clock.elapsed();
    for round in 0..4 {
        assert_eq!(asked.get(&clock, async { rounds.fetch_add(1, Ordering::Relaxed) }).await, round);
    }
    assert!(clock.elapsed() - begun >= 3 * APART);
}

#[tokio::test]
async fn whoever_goes_away_while_asking_leaves_the_question_to_the_next() {
    let (asked, clock) = (Asked::default(), SystemClock::start());
    let gone = asked.get(&clock, std::future::pending::<u8>());
    assert!(tokio::time::timeout(Duration::from_millis(10), gone).await.is_err());
    assert_eq!(asked.get(&clock, async { 7 }).await, 7);
}
