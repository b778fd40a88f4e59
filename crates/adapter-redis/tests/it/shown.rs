//! What buyers see: counts that may be behind, and documents that never go back.

use std::time::Duration;

use domain::hold::{EffectKind, StockView};
use domain::id::{Epoch, ProductNo, TicketId};
use domain::status::StatusDocument;
use domain::ticket::TicketStamp;
use domain::time::Timestamp;
use ports::inventory::{Inventory, Rebuild};
use ports::status_board::{Shown, StatusBoard};

use crate::server::Server;
use crate::shard::{effect, fresh, held, open, request, shard};

/// Asks until it is so, with a bound.
async fn until(what: impl Fn() -> bool) {
    for _ in 0..200 {
        if what() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("it never was so");
}

#[tokio::test]
async fn counts_come_with_answers_and_to_other_nodes_within_moments() {
    let server = Server::start(&[]);
    let (one, two) = (server.store().await, server.store().await);
    let shard = shard("counts");
    let (sale, product) = (&shard.sale, ProductNo(0));
    assert_eq!(one.view(sale, product), None, "nothing is known");
    open(&one, &shard, fresh(1, &[5, 3])).await;
    let grant = held(&one, &shard, 1).await;
    let counts = |available, held, sold, open| {
        Some(StockView { stock: 5, available, held, sold, next_release_at: None, open })
    };
    assert_eq!(one.view(sale, product), counts(4, 1, 0, true), "it came with the answer");
    until(|| two.view(sale, product) == counts(4, 1, 0, true)).await;
    one.settle(&shard, Epoch(1), &[effect(EffectKind::Confirm, 1, &grant)]).await.unwrap();
    assert_eq!(one.view(sale, product), counts(4, 0, 1, true));
    until(|| two.view(sale, product) == counts(4, 0, 1, true)).await;
    assert_eq!(two.view(sale, ProductNo(1)).map(|view| view.stock), Some(3));
    assert_eq!(two.view(sale, ProductNo(2)), None);
    one.close(&shard).await.unwrap();
    assert_eq!(one.view(sale, product), counts(4, 0, 1, false));
    until(|| two.view(sale, product) == counts(4, 0, 1, false)).await;
}

#[tokio::test]
async fn a_wait_ends_with_the_newer_document_or_by_itself() {
    let server = Server::start(&[]);
    let store = server.store().await;
    let shard = shard("board");
    let stamp = TicketStamp {
        ticket: TicketId([1; 16]),
        shard: shard.clone(),
        epoch: Epoch(1),
        issued_at: Timestamp::EPOCH,
    };
    let at = |version| StatusDocument { version, ..StatusDocument::queued(stamp.clone(), request(1).terms) };
    // Of several in one call the highest version stays, in whatever order.
    store.show(vec![at(2), at(4), at(3)]).await.unwrap();
    let shown = async || store.look(&shard, stamp.ticket).await.unwrap();
    let certain = |document| Some(Shown { document, doubted: false });
    assert_eq!(shown().await, certain(at(4)));
    let other = StatusDocument { terminal: true, ..at(4) };
    store.show(vec![other.clone()]).await.unwrap();
    assert_eq!(shown().await, certain(other), "the same version may be written again");
    let showing = async {
        tokio::time::sleep(Duration::from_millis(150)).await;
        store.show(vec![at(5)]).await.unwrap();
    };
    let waited = tokio::time::timeout(Duration::from_secs(10), store.wait(&shard, stamp.ticket, 4));
    let (waited, ()) = tokio::join!(waited, showing);
    waited.unwrap();
    assert_eq!(shown().await, certain(at(5)));
    tokio::time::timeout(Duration::from_secs(20), store.wait(&shard, stamp.ticket, 9)).await.unwrap();
    // Another memory has not seen what was written before: nobody can say that it is the newest.
    server.ask::<String>(&["FUNCTION", "LOAD", "REPLACE", adapter_redis::library::TEXT]).unwrap();
    assert_eq!(shown().await, Some(Shown { document: at(5), doubted: true }));
    store.show(vec![at(4)]).await.unwrap();
    assert_eq!(shown().await, Some(Shown { document: at(5), doubted: true }), "what is older says nothing");
    store.show(vec![at(5)]).await.unwrap();
    assert_eq!(shown().await, certain(at(5)));
}
