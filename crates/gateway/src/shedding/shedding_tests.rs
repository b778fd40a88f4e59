//! Who finds a place, who is sent away, and when they are told to come back.

use std::sync::Mutex;

use super::*;

/// A clock that is set by hand.
#[derive(Default)]
struct Watch(Mutex<Duration>);

impl Watch {
    fn pass(&self, time: Duration) {
        *self.0.lock().unwrap() += time;
    }
}

impl ports::clock::Clock for Watch {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.elapsed().as_millis() as i64)
    }

    fn elapsed(&self) -> Duration {
        *self.0.lock().unwrap()
    }
}

struct Always(f64);

impl Dice for Always {
    fn fraction(&self) -> f64 {
        self.0
    }
}

const AIM: Duration = Duration::from_millis(50);
const MILLI: Duration = Duration::from_millis(1);

/// Rounds of checkouts that fill every place and are answered, all together, `took` later.
fn rounds(shedding: &Shedding, watch: &Watch, rounds: u32, took: Duration) {
    for _ in 0..rounds {
        let places: Vec<_> = std::iter::from_fn(|| shedding.enter(watch)).collect();
        watch.pass(took);
        drop(places);
    }
}

#[test]
fn whoever_finds_no_place_is_sent_away_and_a_place_given_back_is_free() {
    let (shedding, watch) = (Shedding::new(2, AIM), Watch::default());
    let (first, second) = (shedding.enter(&watch), shedding.enter(&watch));
    assert!(first.is_some() && second.is_some());
    assert!(shedding.enter(&watch).is_none());
    assert_eq!((shedding.under_way(), shedding.sent_away()), (2, 1));
    drop(first);
    assert!(shedding.enter(&watch).is_some());
    assert_eq!(shedding.sent_away(), 1);
}

#[test]
fn places_follow_what_checkouts_are_measured_to_take() {
    let (shedding, watch) = (Shedding::new(16_384, AIM), Watch::default());
    // At ease: a checkout alone takes a millisecond.
    for _ in 0..100 {
        let place = shedding.enter(&watch);
        watch.pass(MILLI);
        drop(place);
    }
    assert_eq!(shedding.places(), 4_096);
    rounds(&shedding, &watch, 50, MILLI * 200);
    assert!(shedding.places() <= 512, "{}", shedding.places());
    rounds(&shedding, &watch, 2_000, MILLI);
    assert!(shedding.places() > 1_024, "{}", shedding.places());
}

#[test]
fn hours_without_buyers_are_not_taken_for_slowness() {
    let (shedding, watch) = (Shedding::new(16_384, AIM), Watch::default());
    for _ in 0..50 {
        watch.pass(Duration::from_secs(3_600));
        // As many as may, and a tenth of a millisecond for each: 500 are answered in time.
        let places: Vec<_> = std::iter::from_fn(|| shedding.enter(&watch)).collect();
        watch.pass(MILLI * places.len() as u32 / 10);
        drop(places);
    }
    assert!((400..=650).contains(&shedding.places()), "{}", shedding.places());
}

#[test]
fn those_who_are_sent_away_come_back_over_a_time_in_which_they_can_be_taken() {
    let (shedding, watch) = (Shedding::new(10, AIM), Watch::default());
    rounds(&shedding, &watch, 10, MILLI * 20);
    // 500 a second are answered; few are sent away, and then twenty times as many.
    let now = Timestamp::from_millis(10_000_000);
    assert_eq!(shedding.wait_ms(now, &Always(0.0)), 1_000);
    assert_eq!(shedding.wait_ms(now, &Always(1.0)), 5_000);
    for _ in 0..10_000 {
        shedding.wait_ms(now, &Always(0.0));
    }
    assert_eq!(shedding.wait_ms(now, &Always(1.0)), 21_006);
    for _ in 0..100_000 {
        shedding.wait_ms(now, &Always(0.0));
    }
    assert_eq!(shedding.wait_ms(now, &Always(1.0)), 31_000);
}

#[tokio::test]
async fn whoever_is_sent_away_waits_only_where_the_processor_is_short() {
    let (shedding, clock) = (Shedding::new(10, AIM), ports::clock::SystemClock::start());
    let ask = async || {
        let since = ports::clock::Clock::elapsed(&clock);
        shedding.step_aside(&clock, &Always(0.0)).await;
        ports::clock::Clock::elapsed(&clock) - since
    };
    assert!(ask().await < MILLI * 400);
    assert_eq!(shedding.held(), 0);
    shedding.processor.is_short_until(ports::clock::Clock::elapsed(&clock) + MILLI * 10_000);
    let several = futures::future::join_all([ask(), ask(), ask()]).await;
    // Nobody is answered yet: the more wait, the longer, up to three seconds.
    assert!(several.iter().all(|took| (MILLI * 500..MILLI * 4_000).contains(took)), "{several:?}");
    assert!(several[0] < MILLI * 900 && several[2] > MILLI * 1_900, "{several:?}");
    assert_eq!(shedding.held(), 3);
    assert_eq!(shedding.holding.load(Ordering::Relaxed), 0);
}
