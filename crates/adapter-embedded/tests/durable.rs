//! Nothing is answered before it is on the disk: a foreign connection keeps the file from being written.

mod common;

use std::time::Duration;

use common::backend;
use domain::hold::{Glance, HoldOutcome};
use ports::contract::World;
use rusqlite::Connection;

/// Long enough for an answer that does not wait, short against the time for which the store waits for the file.
const A_WHILE: Duration = Duration::from_millis(500);

#[tokio::test]
async fn an_answer_waits_for_its_commit() {
    let (backend, dir) = backend().await;
    let world = World::open(&backend, 10, 5).await;
    let request = world.request("ann", "k", 1);
    let foreign = Connection::open(adapter_embedded::store_file(dir.path())).unwrap();
    foreign.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut answer = Box::pin(backend.inventory.hold(&world.shard, vec![request.clone()]));
    let early = tokio::time::timeout(A_WHILE, &mut answer).await;
    assert!(early.is_err(), "answered before the commit: {early:?}");
    // The units are taken in memory, and still nobody may be told of the ticket.
    assert_eq!(backend.inventory.glance(&world.shard, &request), Glance::Unknown);
    foreign.execute_batch("ROLLBACK").unwrap();
    let answer = answer.await.unwrap();
    assert!(matches!(answer[..], [HoldOutcome::Held { .. }]), "{answer:?}");
    let told = backend.inventory.glance(&world.shard, &request);
    assert!(matches!(told, Glance::Decided(HoldOutcome::Replayed { .. })), "{told:?}");
}
