//! Promises of terms and of the outbox.

use domain::fence::{Position, TermState};

use super::Backend;
use super::world::{World, parsed};

/// R1 to R4.
pub async fn a_renewal_fences_once_and_waits_for_allocation(backend: &Backend) {
    let world = World::open(backend, 5, 5).await;
    let shard = &world.shard;
    world.hold("ann", "k", 1).await;
    let fenced = parsed(backend.terms.fence(shard).await);
    assert_eq!((fenced.epoch, fenced.state, fenced.fence), (world.epoch.next(), TermState::Fencing, None));
    assert_eq!(parsed(backend.terms.fence(shard).await), fenced, "a second one joins and raises nothing");
    assert_eq!(parsed(backend.terms.snapshot(shard, fenced.epoch).await), None, "there is no fence yet");
    let end = parsed(backend.claims.end(shard).await);
    let term = parsed(backend.terms.set_fence(shard, fenced.epoch, end).await);
    assert_eq!(term.fence, Some(end));
    let later = parsed(backend.terms.set_fence(shard, fenced.epoch, Position(end.0 + 5)).await);
    assert_eq!(later.fence, Some(end), "once");
    assert_eq!(
        parsed(backend.terms.snapshot(shard, fenced.epoch).await),
        None,
        "allocation has not passed it"
    );
    world.allocate().await;
    let snapshot = parsed(parsed(backend.terms.snapshot(shard, fenced.epoch).await).ok_or("it has"));
    assert_eq!(
        (snapshot.records.len(), snapshot.products[0].free.len()),
        (1, 4),
        "the claim was before the fence"
    );
    assert_eq!(parsed(backend.terms.snapshot(shard, fenced.epoch).await), None, "one wins");
    assert!(!parsed(backend.terms.opened(shard, world.epoch).await), "another epoch");
    assert!(parsed(backend.terms.opened(shard, fenced.epoch).await));
    assert_eq!(parsed(backend.terms.term(shard).await).state, TermState::Open);
}

/// One at a time.
pub async fn a_turn_is_ones_own_until_it_is_dropped(backend: &Backend) {
    let world = World::open(backend, 5, 5).await;
    let other = World::open(backend, 5, 5).await;
    let turn = parsed(parsed(backend.terms.turn(&world.shard).await).ok_or("nobody has it"));
    assert!(parsed(backend.terms.turn(&world.shard).await).is_none(), "somebody has it");
    assert!(parsed(backend.terms.turn(&other.shard).await).is_some(), "another shard");
    drop(turn);
    let freed = async {
        while parsed(backend.terms.turn(&world.shard).await).is_none() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    parsed(tokio::time::timeout(std::time::Duration::from_secs(10), freed).await);
}

/// Which epoch sells.
pub async fn a_shard_says_at_which_epoch_it_is_open(backend: &Backend) {
    let mut world = World::open(backend, 5, 5).await;
    assert_eq!(parsed(backend.rebuild.running(&world.shard).await), Some(world.epoch));
    parsed(backend.rebuild.close(&world.shard).await);
    assert_eq!(parsed(backend.rebuild.running(&world.shard).await), None);
    world.renew().await;
    assert_eq!(parsed(backend.rebuild.running(&world.shard).await), Some(world.epoch));
}

/// Effects before a snapshot.
pub async fn a_snapshot_drops_what_waits_for_the_inventory(backend: &Backend) {
    let mut world = World::open(backend, 5, 5).await;
    world.order("ann").await;
    let (epoch, pending) = parsed(backend.effects.pending(&world.shard, 10).await);
    assert_eq!((epoch, pending.len()), (world.epoch, 1));
    parsed(
        tokio::time::timeout(std::time::Duration::from_secs(10), backend.effects.wait(&world.shard)).await,
    );
    world.renew().await;
    let (epoch, pending) = parsed(backend.effects.pending(&world.shard, 10).await);
    assert_eq!((epoch, pending.len()), (world.epoch, 0));
    assert_eq!(world.counts().await, [4, 1, 0], "the snapshot has what they would have said");
}
