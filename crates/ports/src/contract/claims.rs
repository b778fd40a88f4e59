//! Promises of the claim log and of allocation.

use domain::allocation::Allocation;
use domain::fence::Position;
use domain::hold::{Claim, EffectKind};

use super::Backend;
use super::world::{World, parsed};

/// The end covers every claim that was answered.
pub async fn the_end_of_the_log_covers_what_was_answered(backend: &Backend) {
    let world = World::open(backend, 5, 5).await;
    let before = parsed(backend.claims.end(&world.shard).await);
    world.hold("ann", "k", 1).await;
    let after = parsed(backend.claims.end(&world.shard).await);
    assert!(after > before);
    let batch = parsed(backend.claims.read(&world.shard, before, 10).await);
    assert_eq!((batch.from, batch.next, batch.claims.len()), (before, after, 1));
    backend.claims.wait(&world.shard, before).await;
}

/// As many claims from `from` on, and the position after them. One reading gives what has come, which may be fewer.
async fn read(world: &World<'_>, mut from: Position, count: usize) -> (Vec<(Position, Claim)>, Position) {
    let mut claims = Vec::new();
    while claims.len() < count {
        let batch = parsed(world.backend.claims.read(&world.shard, from, count - claims.len()).await);
        assert!(batch.from == from && batch.next > from, "there is something to read before the end");
        claims.extend(batch.claims);
        from = batch.next;
    }
    (claims, from)
}

/// Reading.
pub async fn claims_are_read_in_order_and_positions_only_grow(backend: &Backend) {
    let world = World::open(backend, 9, 9).await;
    let from = parsed(backend.claims.end(&world.shard).await);
    let mut tickets = Vec::new();
    for key in ["a", "b", "c"] {
        tickets.push(world.hold("ann", key, 1).await.0);
    }
    let (first, after) = read(&world, from, 2).await;
    let (second, end) = read(&world, after, 1).await;
    let found: Vec<_> = first.iter().chain(&second).map(|(_, claim)| claim.ticket).collect();
    assert_eq!(found, tickets);
    let positions: Vec<Position> = first.iter().chain(&second).map(|(at, _)| *at).collect();
    assert!(positions.is_sorted_by(|one, other| one < other) && positions.iter().all(|at| *at < end));
    assert_eq!(read(&world, from, 2).await, (first, after), "reading takes nothing away");
    let none = parsed(backend.claims.read(&world.shard, end, 2).await);
    assert_eq!((none.claims.len(), none.next), (0, end));
}

/// Two readers.
pub async fn allocation_moves_the_position_once(backend: &Backend) {
    let world = World::open(backend, 5, 5).await;
    let from = parsed(backend.allocations.position(&world.shard).await);
    let (ticket, _) = world.hold("ann", "k", 1).await;
    let batch = parsed(backend.claims.read(&world.shard, from, 10).await);
    let next = batch.next;
    let decided = parsed(backend.allocations.allocate(&world.shard, batch.clone()).await);
    assert_eq!(decided, Some(vec![Allocation::Allocated]));
    assert_eq!(parsed(backend.allocations.allocate(&world.shard, batch).await), None, "another was faster");
    assert_eq!(parsed(backend.allocations.position(&world.shard).await), next);
    assert!(world.find(ticket).await.is_some_and(|order| order.live && order.version == 1));
}

/// A claim that is in the log twice.
pub async fn the_first_row_of_a_ticket_decides(backend: &Backend) {
    let world = World::open(backend, 5, 5).await;
    let from = parsed(backend.allocations.position(&world.shard).await);
    let (ticket, _) = world.hold("ann", "k", 1).await;
    let batch = parsed(backend.claims.read(&world.shard, from, 10).await);
    let twin = batch.claims[0].1.clone();
    parsed(backend.claims.publish(&world.shard, vec![twin]).await);
    world.allocate().await;
    let order = parsed(world.find(ticket).await.ok_or("the order is there"));
    assert_eq!((order.version, order.live), (1, true));
    assert_eq!(world.deliver().await, [EffectKind::Pin, EffectKind::Pin]);
    assert_eq!(world.counts().await, [4, 1, 0]);
}
