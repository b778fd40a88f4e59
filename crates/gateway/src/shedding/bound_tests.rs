//! The bound follows what is measured, and is lowered only where that helps.

use super::*;

const AIM: Duration = Duration::from_millis(50);
const SPAN: Duration = Duration::from_millis(20);
const MILLI: Duration = Duration::from_millis(1);

/// A system before which more wait than there are places.
struct System {
    bound: Bound,
    at: Duration,
}

impl System {
    fn new(most: u64) -> Self {
        Self { bound: Bound::new(most, AIM), at: Duration::ZERO }
    }

    /// A span in which one checkout was answered, after `took`.
    fn at_ease(&self, took: Duration) -> Seen {
        Seen { at: self.at, lasted: took, answered: 1, took, peak: 1, full: false }
    }

    /// `spans` in which it answers `per_s` a second, none sooner than after `alone`; gives how long a checkout takes at the end.
    fn crowd(&mut self, spans: u32, per_s: f64, alone: Duration) -> Duration {
        let mut mean = Duration::ZERO;
        for _ in 0..spans {
            self.at += SPAN;
            let places = self.bound.places();
            mean = Duration::from_secs_f64(places as f64 / per_s).max(alone);
            let answered = (places as f64 / mean.as_secs_f64() * SPAN.as_secs_f64()) as u64;
            self.bound.learn(&Seen {
                at: self.at,
                lasted: SPAN,
                answered,
                took: mean * answered as u32,
                peak: places,
                full: true,
            });
        }
        mean
    }
}

#[test]
fn whoever_is_taken_is_answered_in_time_however_quick_the_system_is() {
    for per_s in [15_000.0, 60_000.0, 250_000.0] {
        let mut system = System::new(16_384);
        let mean = system.crowd(200, per_s, MILLI);
        assert!(mean <= AIM * 5 / 4, "{per_s} a second: {mean:?}");
        let fitting = per_s * AIM.as_secs_f64();
        let places = system.bound.places() as f64;
        assert!((fitting * 0.8..fitting * 1.25).contains(&places), "{per_s} a second: {places} places");
    }
}

#[test]
fn a_system_that_becomes_slower_or_quicker_is_followed_within_a_second() {
    let mut system = System::new(16_384);
    system.crowd(200, 60_000.0, MILLI);
    assert!(system.crowd(10, 12_000.0, MILLI) <= AIM * 5 / 4);
    system.crowd(50, 60_000.0, MILLI);
    assert!(system.bound.places() > 2_400, "{}", system.bound.places());
}

#[test]
fn a_store_that_takes_long_for_one_is_given_many_together() {
    let mut system = System::new(16_384);
    // Each batch takes 80 ms, whatever is in it.
    system.crowd(300, 1_000_000.0, MILLI * 80);
    assert_eq!(system.bound.places(), 16_384);
}

#[test]
fn a_stall_is_waited_out_and_a_long_one_takes_half_of_the_places_at_most() {
    let mut system = System::new(16_384);
    system.crowd(200, 20_000.0, MILLI);
    let before = system.bound.places();
    let seen = system.at_ease(MILLI);
    system.bound.learn(&seen);
    let stall = |places: u64| Seen {
        at: SPAN,
        lasted: MILLI * 1_000,
        answered: places,
        took: MILLI * 1_000 * places as u32,
        peak: places,
        full: true,
    };
    // It is waited out; what lasts is not.
    system.bound.learn(&stall(before));
    system.bound.learn(&stall(before));
    let waited = system.bound.places();
    assert!(waited >= before, "{before} and {waited}");
    system.bound.learn(&stall(waited));
    assert_eq!(system.bound.places(), waited / 2);
    // At last a batch of few takes as long, and that is known for what it is.
    let mut places = before;
    while system.bound.places() < places {
        places = system.bound.places();
        system.bound.learn(&stall(places));
    }
    assert_eq!(places, LEAST);
    let mut one = Bound::new(1, AIM);
    one.learn(&stall(1));
    assert_eq!(one.places(), 1);
}

#[test]
fn a_queue_that_drains_sends_nobody_away() {
    let mut system = System::new(16_384);
    let seen = system.at_ease(MILLI);
    system.bound.learn(&seen);
    let before = system.bound.places();
    let late = |peak: u64| Seen {
        at: SPAN,
        lasted: SPAN,
        answered: 400,
        took: MILLI * 150 * 400,
        peak,
        full: false,
    };
    // Half as many come as are answered: a stall's queue is gone after a while.
    for peak in [3_000, 2_700, 2_400, 2_100, 1_800, 1_500, 1_200, 900, 600, 300] {
        system.bound.learn(&late(peak));
    }
    assert_eq!(system.bound.places(), before);
    // What stands is shortened from what waits, not from what may.
    (0..4).for_each(|_| system.bound.learn(&late(1_000)));
    assert!(system.bound.places() <= 1_000, "{}", system.bound.places());
}

#[test]
fn nothing_changes_while_nobody_is_sent_away_or_answered() {
    let mut bound = Bound::new(16_384, AIM);
    bound.learn(&Seen { at: SPAN, lasted: SPAN, answered: 5, took: SPAN, peak: 5, full: false });
    bound.learn(&Seen { at: SPAN * 2, lasted: SPAN, answered: 0, took: Duration::ZERO, peak: 5, full: true });
    assert_eq!(bound.places(), FIRST);
}

#[test]
fn ease_of_long_ago_is_forgotten() {
    let mut system = System::new(16_384);
    let seen = system.at_ease(MILLI);
    system.bound.learn(&seen);
    // The store becomes slow for good, for one as for many.
    system.crowd(100, 1_000_000.0, MILLI * 200);
    assert_eq!(system.bound.places(), LEAST);
    system.crowd(1_500, 1_000_000.0, MILLI * 200);
    assert_eq!(system.bound.places(), 16_384);
}

#[test]
fn a_crowd_is_not_taken_for_ease() {
    let mut system = System::new(16_384);
    system.crowd(200, 15_000.0, MILLI);
    // For a minute hardly more come than are answered in time; now and then one is sent away.
    for span in 1..3_000 {
        let peak = system.bound.places();
        let took = Duration::from_secs_f64(peak as f64 / 15_000.0) * 300;
        let seen = Seen { at: SPAN * span, lasted: SPAN, answered: 300, took, peak, full: span % 2 == 0 };
        system.bound.learn(&seen);
    }
    assert!(system.bound.places() < 1_000, "{}", system.bound.places());
}
