//! The server is killed between any two operations, and every operation may be repeated.

use std::sync::Arc;
use std::time::Duration;

use adapter_postgres::Postgres;
use domain::allocation::Allocation;
use domain::fence::Position;
use domain::order::OrderState;
use domain::payment::{Payment, PaymentStage};
use domain::transition::Change;
use ports::Fault;
use ports::ledger::{Allocations, Applied, Books, Effects, Ledger};

use crate::server::{Server, migrated, options};
use crate::shop::Shop;

/// Pauses for which a killed server may be away, on a machine that has much else to do: a minute.
const PATIENCE: u32 = 3_000;

/// Repeats an operation while the world is broken, as every caller does.
async fn repeated<T>(operation: impl AsyncFn() -> Result<T, Fault>) -> T {
    for _ in 0..PATIENCE {
        match operation().await {
            Ok(value) => return value,
            Err(Fault::Unavailable { detail, .. }) => {
                assert!(!detail.contains("not-to-be-seen"), "a password shows: {detail}");
                assert!(detail.contains("PostgreSQL database"), "the database is named: {detail}");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Err(other) => panic!("{other}"),
        }
    }
    panic!("the server does not come back")
}

#[tokio::test]
async fn a_killed_server_loses_nothing_that_was_answered_and_repetition_is_safe() {
    let server = Server::start();
    let store = Arc::new(Postgres::connect(options(migrated(&server).await)).await.expect("connected"));
    let shop = Shop::open(store.clone(), 5, 5).await;
    let batch = shop.batch(Position(0), vec![shop.claim(1, "ann", &[0, 1]), shop.claim(2, "bob", &[2])]);
    server.kill();
    let decided = repeated(async || store.allocate(&shop.shard, batch.clone()).await).await;
    assert_eq!(decided, Some(vec![Allocation::Allocated, Allocation::Allocated]));
    server.kill();
    assert_eq!(repeated(async || store.allocate(&shop.shard, batch.clone()).await).await, None, "taken in");
    let order = shop.find(1).await;
    let payment = Payment { payment: "pi_1".into(), amount: order.amount, stage: PaymentStage::Captured };
    let paid = vec![(order.ticket, Change::Paid(payment))];
    server.kill();
    let first = repeated(async || store.apply(paid.clone()).await).await;
    assert!(matches!(first[..], [Applied::Changed(_)]), "{first:?}");
    server.kill();
    let again = repeated(async || store.apply(paid.clone()).await).await;
    assert!(matches!(again[..], [Applied::Replay(_)]), "{again:?}");
    server.kill();
    let (_, pending) = repeated(async || store.pending(&shop.shard, 10).await).await;
    assert_eq!(pending.len(), 3, "two pins and a confirmation");
    let ids: Vec<u64> = pending.iter().map(|pending| pending.id).collect();
    for _ in 0..2 {
        server.kill();
        repeated(async || store.forget(&shop.shard, ids.clone()).await).await;
    }
    assert_eq!(repeated(async || store.pending(&shop.shard, 10).await).await.1, []);
    assert_eq!(repeated(async || store.self_check(&shop.shard.sale).await).await, []);
    assert_eq!(shop.find(1).await.state, OrderState::Confirmed);
}

/// Work goes on while the server dies again and again: in the end every claim was taken in once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_killed_under_load_takes_every_claim_in_once() {
    let server = Arc::new(Server::start());
    let store = Arc::new(Postgres::connect(options(migrated(&server).await)).await.expect("connected"));
    let shop = Shop::open(store.clone(), 4_000, 5).await;
    let killer = tokio::task::spawn_blocking({
        let server = server.clone();
        move || {
            for _ in 0..4 {
                std::thread::sleep(Duration::from_millis(150));
                server.kill();
            }
        }
    });
    let (mut number, mut faults) = (0, 0);
    while number < 4_000 && (!killer.is_finished() || number < 400) {
        let claims = (number..number + 4).map(|at| shop.claim(at, &format!("u{at}"), &[at])).collect();
        let from = repeated(async || store.position(&shop.shard).await).await;
        let batch = shop.batch(from, claims);
        let decided = store.allocate(&shop.shard, batch.clone()).await;
        faults += u32::from(decided.is_err());
        // Unknown: the same again says whether it happened.
        let known = repeated(async || store.allocate(&shop.shard, batch.clone()).await).await;
        assert!(known.is_none() || decided.is_err(), "taken in twice");
        number += 4;
    }
    killer.await.expect("killed");
    assert!(faults > 0, "no kill met an operation");
    let units = store.units(&shop.shard).await.expect("units").remove(0);
    assert_eq!(units.held, (0..number).collect::<Vec<_>>());
    assert_eq!(store.self_check(&shop.shard.sale).await, Ok(Vec::new()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_processes_that_start_at_once_on_a_new_database_each_finds_its_secret_and_its_fleet_there() {
    let server = Server::start();
    for round in 0..10 {
        let url = migrated(&server).await;
        let mut starting = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let options = options(url.clone());
            starting.spawn(async move {
                Postgres::connect(options).await.expect("connected").claim_for([7; 32], "one").await
            });
        }
        while let Some(claimed) = starting.join_next().await {
            assert_eq!(claimed.expect("it ends"), Ok(()), "round {round}");
        }
        let other = Postgres::connect(options(url)).await.expect("connected");
        for (secret, fleet, refused) in [
            (8, "one", "another data.secret"),
            (
                7,
                "two",
                "belongs to the fleet \"one\", and fleet.name makes this process part of the fleet \"two\"",
            ),
            (7, "", "part of the fleet without a name"),
        ] {
            let claimed = other.claim_for([secret; 32], fleet).await;
            assert!(claimed.clone().is_err_and(|fault| fault.to_string().contains(refused)), "{claimed:?}");
        }
    }
}
