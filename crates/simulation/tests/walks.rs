//! Walks of the protocol as it is: no promise is broken, and what is promised is really put to the test.

use simulation::{Figures, Mutants, STEPS, walk};

/// Seeds that every run of the tests walks; many more are walked by `cargo xtask sim`.
const SEEDS: u64 = 20_000;

#[test]
fn no_promise_is_broken() {
    let mut figures = Figures::default();
    for seed in 0..SEEDS {
        let walked = walk(seed, STEPS, Mutants::NONE, false);
        let options = walked.options.map(|options| options.to_string()).unwrap_or_default();
        assert_eq!(walked.violation, None, "seed {seed}, options {options}");
        figures.add(&walked.figures);
    }
    // Walks in which nothing happens would prove nothing.
    let f = &figures;
    let happened = [
        f.failovers,
        f.isolations,
        f.restarts,
        f.truncations,
        f.losses,
        f.joined,
        f.burnt,
        f.kills,
        f.lost,
        f.unanswered,
        f.repeated,
        f.readers_late,
        f.replays,
        f.limit_answers,
        f.keys_reused,
        f.sold_out,
        f.stale,
        f.shadowed,
        f.confirmed,
        f.late,
        f.late_refused,
        f.late_swept,
        f.refunded,
        f.restocked,
    ];
    assert!(happened.iter().all(|count| *count > 0), "something never happened:\n{figures}");
}

#[test]
fn a_seed_makes_the_same_walk() {
    for seed in [7, 1_234] {
        let [first, second] = [(); 2].map(|()| walk(seed, STEPS, Mutants::NONE, true));
        assert!(first.story.len() > 50);
        assert_eq!(first.story, second.story);
        assert_eq!(first.figures, second.figures);
        assert_eq!(walk(seed, STEPS, Mutants::NONE, false).figures, first.figures, "telling changes nothing");
    }
}
