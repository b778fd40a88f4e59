//! Every rule that is taken away is missed: some check breaks within a stated number of seeds. Rules that nothing misses
//! are listed with the reason.

use simulation::{Mutant, Mutants, STEPS, walk};

/// Where the walks of a mutant begin, and within how many it must be caught. Rare ones begin shortly before a seed
/// that catches them: after a change of the walks, `cargo xtask sim --seeds 1000000 --mutant NAME` finds another.
const CAUGHT: &[(Mutant, u64, u64)] = &[
    (Mutant::NoLease, 0, 500),
    (Mutant::AcceptStale, 0, 500),
    (Mutant::LooseFence, 0, 500),
    (Mutant::RaiseWhileFencing, 0, 500),
    (Mutant::UnknownFenceRefuses, 0, 500),
    (Mutant::EndBeforeFence, 0, 500),
    (Mutant::SnapshotTooEarly, 0, 500),
    (Mutant::FenceOverwritten, 0, 500),
    (Mutant::SnapshotTwice, 0, 500),
    (Mutant::NoLoadKey, 0, 2_000),
    (Mutant::ChunkTwice, 3_500, 100),
    (Mutant::OpenIncomplete, 0, 500),
    (Mutant::OpenRetried, 0, 2_000),
    (Mutant::ReleaseWithoutMatch, 0, 500),
    (Mutant::MatchByClaim, 5_300, 100),
    (Mutant::InventoryExpires, 0, 500),
    (Mutant::EffectOldEpoch, 3_600, 100),
    (Mutant::EffectAnyEpoch, 0, 2_000),
    (Mutant::EffectForgotten, 0, 500),
    (Mutant::EffectOvertakes, 0, 2_000),
    (Mutant::SnapshotWithoutSold, 0, 500),
    (Mutant::SnapshotWithoutEnded, 0, 500),
    (Mutant::SnapshotNewStamps, 0, 500),
    (Mutant::ReplayUnpublished, 0, 500),
    (Mutant::UnknownPublished, 0, 500),
    (Mutant::NoRelay, 0, 500),
    (Mutant::LatePublished, 0, 500),
    (Mutant::LateUnswept, 0, 2_000),
    (Mutant::LateNewestSwept, 11_100, 100),
    (Mutant::LateAnyAttempt, 0, 500),
    (Mutant::LateAnyEpoch, 7_600, 100),
    (Mutant::LateNoLimit, 0, 2_000),
    (Mutant::EndBehind, 0, 500),
    (Mutant::DoorForgotten, 0, 500),
];

/// Rules that another one doubles.
const DOUBLED: &[(Mutant, &str)] = &[
    (Mutant::FenceRewritten, "a fence moves only before the snapshot, which waits for the newest one"),
    (
        Mutant::BeginKeepsData,
        "an epoch's load begins once: whoever took its snapshot begins it, and any fault burns it",
    ),
    (Mutant::EffectsKept, "effects match exactly: what the snapshot has already finds nothing"),
    (Mutant::PositionNotCompared, "the first row of a ticket decides: claims that are read again are known"),
];

/// The first seed from `from` on that breaks a promise, of `count`.
fn caught(mutants: Mutants, from: u64, count: u64) -> Option<u64> {
    (from..from + count).find(|seed| walk(*seed, STEPS, mutants, false).violation.is_some())
}

#[test]
fn every_mutant_is_caught() {
    for (mutant, from, within) in CAUGHT {
        let seed = caught(Mutants::from(*mutant), *from, *within);
        assert!(seed.is_some(), "{mutant} is not caught by {within} seeds from {from}");
    }
}

#[test]
fn every_mutant_is_caught_or_doubled() {
    for mutant in Mutant::ALL {
        let listed = CAUGHT.iter().filter(|(known, ..)| known == mutant).count();
        let doubled = DOUBLED.iter().filter(|(known, _)| known == mutant).count();
        assert_eq!(listed + doubled, 1, "{mutant}: is in exactly one of the two lists");
    }
}

#[test]
fn what_is_doubled_is_not_missed() {
    for (mutant, why) in DOUBLED {
        assert_eq!(
            caught(Mutants::from(*mutant), 0, 500),
            None,
            "{mutant} is caught after all; it said: {why}"
        );
    }
}

#[test]
fn names_are_read_and_written() {
    let both = Mutants::parse("no-lease+no-relay").expect("both are mutants");
    assert!(both.has(Mutant::NoLease) && both.has(Mutant::NoRelay) && !both.has(Mutant::AcceptStale));
    assert_eq!(both.to_string(), "no-lease+no-relay");
    assert_eq!(Mutants::NONE.to_string(), "none");
    assert_eq!(Mutants::parse("no-such"), Err("no-such".to_owned()));
}
