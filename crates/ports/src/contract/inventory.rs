//! Promises of the inventory and of its rebuild.

use domain::hold::{EffectKind, Glance, HoldOutcome, Intent, Settled};
use domain::id::TicketId;
use domain::snapshot::ShardSnapshot;
use domain::time::Timestamp;

use super::Backend;
use super::world::{World, effect, parsed};
use crate::Fault;
use crate::inventory::LoadKey;

/// Units are handed out once.
pub async fn a_hold_takes_units_that_nobody_else_has(backend: &Backend) {
    let world = World::open(backend, 5, 3).await;
    let (_, ann) = world.hold("ann", "k", 3).await;
    let (_, bob) = world.hold("bob", "k", 2).await;
    let mut units: Vec<u32> = ann.units.iter().chain(bob.units.iter()).copied().collect();
    units.sort_unstable();
    assert_eq!(units, [0, 1, 2, 3, 4]);
    assert_eq!(ann.epoch, world.epoch);
}

/// The same claim again.
pub async fn a_repeated_hold_is_a_replay_and_other_terms_are_refused(backend: &Backend) {
    let world = World::open(backend, 5, 3).await;
    let (_, grant) = world.hold("ann", "k", 1).await;
    assert_eq!(world.replayed(world.request("ann", "k", 1)).await, grant);
    assert_eq!(world.ask(world.request("ann", "k", 2)).await, HoldOutcome::KeyReused);
    assert_eq!(world.counts().await, [4, 1, 0]);
}

/// Whether a claim's event is on record, when it is replayed.
pub async fn a_replay_says_whether_its_event_is_on_record(backend: &Backend) {
    let world = World::open(backend, 5, 1).await;
    let asked = async || match world.ask(world.request("ann", "k", 1)).await {
        HoldOutcome::Held { recorded, .. } | HoldOutcome::Replayed { recorded, .. } => recorded,
        other => panic!("the unit is theirs: {other:?}"),
    };
    let first = asked().await;
    assert_eq!(asked().await, first, "nothing was acknowledged in between");
    world.hold("bob", "k", 1).await;
    let (bob, grant) = world.known("bob", "k").await;
    assert_eq!(world.settle(effect(EffectKind::Pin, bob, &grant)).await, Settled::Applied);
    let again = world.ask(world.request("bob", "k", 1)).await;
    assert_eq!(again, HoldOutcome::Replayed { grant, recorded: true }, "the ledger has acknowledged it");
}

/// The limit.
pub async fn a_buyer_at_the_limit_gets_none_and_learns_their_newest_ticket(backend: &Backend) {
    let world = World::open(backend, 5, 2).await;
    world.hold("ann", "one", 1).await;
    let (second, grant) = world.hold("ann", "two", 1).await;
    let refused = world.ask(world.request("ann", "three", 1)).await;
    assert_eq!(refused, HoldOutcome::LimitReached { newest: second, grant });
    assert_eq!(world.counts().await, [3, 2, 0]);
}

/// Never a part.
pub async fn fewer_than_asked_for_is_none(backend: &Backend) {
    let world = World::open(backend, 2, 5).await;
    assert_eq!(world.ask(world.request("ann", "k", 3)).await, HoldOutcome::Short { free: 2 });
    assert_eq!(world.counts().await, [2, 0, 0]);
}

/// A request that only looks.
pub async fn finding_takes_nothing(backend: &Backend) {
    let world = World::open(backend, 2, 5).await;
    let mut find = world.request("ann", "k", 1);
    find.intent = Intent::Find;
    assert_eq!(world.ask(find.clone()).await, HoldOutcome::Absent);
    let (_, grant) = world.hold("ann", "k", 1).await;
    assert_eq!(world.replayed(find).await, grant);
    assert_eq!(world.counts().await, [1, 1, 0]);
}

/// A glance may always not know; what it decides is what a hold would say.
pub async fn a_glance_says_what_a_hold_would_and_changes_nothing(backend: &Backend) {
    let world = World::open(backend, 1, 1).await;
    let unknown = world.request("bob", "k", 1);
    let first = backend.inventory.glance(&world.shard, &unknown);
    assert!(matches!(first, Glance::Absent | Glance::Unknown), "{first:?}");
    world.hold("ann", "k", 1).await;
    for request in [world.request("ann", "k", 1), world.request("ann", "other", 1), unknown] {
        if let Glance::Decided(outcome) = backend.inventory.glance(&world.shard, &request) {
            assert!(!matches!(outcome, HoldOutcome::Held { .. }));
            assert_eq!(world.ask(request).await, outcome);
        }
    }
    assert_eq!(world.counts().await, [0, 1, 0]);
}

/// Effects match by claim and units.
pub async fn an_effect_applies_to_exactly_its_claim_and_units_once(backend: &Backend) {
    let world = World::open(backend, 5, 1).await;
    let (ann, hers) = world.hold("ann", "k", 1).await;
    let (bob, his) = world.hold("bob", "k", 1).await;
    assert_eq!(world.settle(effect(EffectKind::Release, ann, &his)).await, Settled::NoOp);
    assert_eq!(world.settle(effect(EffectKind::Return, ann, &hers)).await, Settled::NoOp);
    assert_eq!(world.settle(effect(EffectKind::Confirm, ann, &hers)).await, Settled::Applied);
    assert_eq!(world.settle(effect(EffectKind::Release, ann, &hers)).await, Settled::NoOp, "sold");
    assert_eq!(world.settle(effect(EffectKind::Release, bob, &his)).await, Settled::Applied);
    assert_eq!(world.settle(effect(EffectKind::Release, bob, &his)).await, Settled::NoOp, "once");
    assert_eq!(world.counts().await, [4, 0, 1]);
    assert_eq!(world.settle(effect(EffectKind::Return, ann, &hers)).await, Settled::Applied);
    assert_eq!(world.counts().await, [5, 0, 0]);
}

/// An epoch that is not running.
pub async fn effects_of_another_epoch_are_refused(backend: &Backend) {
    let mut world = World::open(backend, 5, 1).await;
    let (ann, grant) = world.hold("ann", "k", 1).await;
    let old = world.epoch;
    world.renew().await;
    let release = effect(EffectKind::Release, ann, &grant);
    let settled = backend.inventory.settle(&world.shard, old, &[release]).await;
    assert_eq!(settled, Err(Fault::Closed(world.shard.clone())));
    assert_eq!(world.counts().await, [4, 1, 0]);
}

/// The index of claims that the ledger does not have.
pub async fn unacknowledged_claims_are_listed_oldest_first_until_they_are_pinned(backend: &Backend) {
    let world = World::open(backend, 5, 5).await;
    let (one, grant) = world.hold("ann", "one", 1).await;
    let (two, _) = world.hold("ann", "two", 1).await;
    let listed = async |limit| {
        let claims = parsed(backend.inventory.unpinned(&world.shard, Timestamp::MAX, limit).await);
        claims.into_iter().map(|unpinned| unpinned.claim.ticket).collect::<Vec<_>>()
    };
    assert_eq!(listed(10).await, [one, two]);
    let whole = parsed(backend.inventory.unpinned(&world.shard, Timestamp::MAX, 1).await).remove(0);
    let claim = world.request("ann", "one", 1).claim_of(&world.shard, &grant);
    assert_eq!((whole.claim, whole.ticket), (claim, one), "as it was published, or can be now");
    assert_eq!(listed(1).await, [one]);
    assert_eq!(world.settle(effect(EffectKind::Pin, one, &grant)).await, Settled::Applied);
    assert_eq!(listed(10).await, [two]);
    assert!(parsed(backend.inventory.unpinned(&world.shard, Timestamp::EPOCH, 10).await).is_empty());
}

/// What was published again counts as made when it was.
pub async fn a_touched_claim_is_the_newest(backend: &Backend) {
    let world = World::open(backend, 5, 5).await;
    let (one, _) = world.hold("ann", "one", 1).await;
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    let (two, grant) = world.hold("ann", "two", 1).await;
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    parsed(backend.inventory.touch(&world.shard, &[one, TicketId([9; 16])]).await);
    let listed = async |before| {
        let claims = parsed(backend.inventory.unpinned(&world.shard, before, 10).await);
        claims.into_iter().map(|unpinned| unpinned.claim.ticket).collect::<Vec<_>>()
    };
    assert_eq!(listed(Timestamp::MAX).await, [two, one]);
    assert_eq!(listed(grant.issued_at.plus_millis(1)).await, [two], "the other counts as made later");
}

/// Sets and counters.
pub async fn every_unit_is_in_exactly_one_place(backend: &Backend) {
    let world = World::open(backend, 6, 1).await;
    let (ann, hers) = world.hold("ann", "k", 1).await;
    world.hold("bob", "k", 1).await;
    world.settle(effect(EffectKind::Confirm, ann, &hers)).await;
    let all = parsed(backend.inventory.units(&world.shard).await);
    for units in parsed(all.ok_or("open")) {
        let mut everywhere: Vec<u32> = units.everywhere().flatten().collect();
        everywhere.sort_unstable();
        assert_eq!(everywhere, (0..units.stock).collect::<Vec<_>>());
        assert_eq!(units.counted, units.sizes());
    }
}

/// A shard that is being rebuilt.
pub async fn a_closed_shard_hands_out_nothing(backend: &Backend) {
    let world = World::open(backend, 5, 1).await;
    parsed(backend.rebuild.close(&world.shard).await);
    let request = world.request("ann", "k", 1);
    let held = backend.inventory.hold(&world.shard, vec![request.clone()]).await;
    assert_eq!(held, Err(Fault::Closed(world.shard.clone())));
    assert_eq!(backend.inventory.glance(&world.shard, &request), Glance::Unknown);
    assert_eq!(parsed(backend.inventory.units(&world.shard).await), None);
}

/// Begin, load, open.
pub async fn a_load_needs_the_newest_key_and_every_chunk_once(backend: &Backend) {
    let mut world = World::open(backend, 5, 1).await;
    let shard = world.shard.clone();
    let closed = Err(Fault::Closed(shard.clone()));
    assert_eq!(
        backend.rebuild.begin(&shard, world.epoch).await.err(),
        Some(Fault::Closed(shard.clone())),
        "it is open"
    );
    parsed(backend.rebuild.close(&shard).await);
    let term = parsed(backend.terms.fence(&shard).await);
    let end = parsed(backend.claims.end(&shard).await);
    parsed(backend.terms.set_fence(&shard, term.epoch, end).await);
    let snapshot =
        parsed(parsed(backend.terms.snapshot(&shard, term.epoch).await).ok_or("nothing to wait for"));
    let old = parsed(backend.rebuild.begin(&shard, term.epoch).await);
    let key = parsed(backend.rebuild.begin(&shard, term.epoch).await);
    let rest = || ShardSnapshot { epoch: term.epoch, products: Vec::new(), records: Vec::new() };
    assert_eq!(backend.rebuild.load(&shard, old, 0, snapshot.clone()).await, closed, "an older key");
    assert_eq!(backend.rebuild.load(&shard, key, 1, rest()).await, closed, "a chunk is missing");
    parsed(backend.rebuild.load(&shard, key, 0, snapshot.clone()).await);
    parsed(backend.rebuild.load(&shard, key, 0, snapshot).await);
    assert_eq!(backend.rebuild.open(&shard, key, 2).await, closed, "a chunk is missing");
    assert_eq!(
        backend.rebuild.open(&shard, LoadKey(key.0.wrapping_add(1_000)), 1).await,
        closed,
        "no such key"
    );
    parsed(backend.rebuild.open(&shard, key, 1).await);
    assert!(parsed(backend.terms.opened(&shard, term.epoch).await));
    world.epoch = term.epoch;
    assert_eq!(world.counts().await, [5, 0, 0], "the repeated chunk counted once");
}

/// Replays and limits after a rebuild.
pub async fn a_rebuilt_shard_remembers_every_ticket(backend: &Backend) {
    let mut world = World::open(backend, 5, 1).await;
    let (ann, grant) = world.hold("ann", "k", 1).await;
    world.allocate().await;
    world.deliver().await;
    world.renew().await;
    assert_eq!(world.replayed(world.request("ann", "k", 1)).await, grant);
    let over = world.ask(world.request("ann", "other", 1)).await;
    assert_eq!(over, HoldOutcome::LimitReached { newest: ann, grant });
    assert_eq!(world.counts().await, [4, 1, 0]);
}
