//! A turn to renew a shard, and who has it.

use std::time::Duration;

use adapter_postgres::Postgres;
use ports::ledger::Terms;
use tokio::sync::oneshot;

use crate::server::{Server, migrated, options};
use crate::shop::Shop;

/// Longer than the server keeps the turn of whoever says nothing.
const LONG: Duration = Duration::from_secs(9);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_turn_lasts_as_long_as_its_holder_works_and_no_longer() {
    let server = Server::start();
    let url = migrated(&server).await;
    let connected =
        async || std::sync::Arc::new(Postgres::connect(options(url.clone())).await.expect("connected"));
    let store = connected().await;
    let shop = Shop::open(store.clone(), 5, 5).await;
    // A process that hangs: its runtime stands still, and its connections stay.
    let (taken, is_taken) = oneshot::channel();
    let (wake, woken) = oneshot::channel::<()>();
    let hanging = std::thread::spawn({
        let (options, shard) = (options(url.clone()), shop.shard.clone());
        move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            let turn = runtime.block_on(async {
                Postgres::connect(options).await.expect("connected").turn(&shard).await.expect("no fault")
            });
            taken.send(turn.is_some()).expect("somebody waits");
            woken.blocking_recv().expect("woken");
        }
    });
    assert!(is_taken.await.expect("tried"), "nobody else had it");
    assert!(store.turn(&shop.shard).await.expect("no fault").is_none(), "it was lost at once");
    let lost = async {
        loop {
            if let Some(turn) = store.turn(&shop.shard).await.expect("no fault") {
                break turn;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let turn = tokio::time::timeout(2 * LONG, lost).await.expect("whoever hangs has lost it");
    let other = connected().await;
    tokio::time::sleep(LONG).await;
    assert!(other.turn(&shop.shard).await.expect("no fault").is_none(), "whoever works has lost it");
    drop(turn);
    wake.send(()).expect("it hangs");
    hanging.join().expect("it ended");
}
