//! How much of PostgreSQL's CPU time taking in an order costs, batch by batch, on a server of its own.
//!
//! `cargo run -p adapter-postgres --example allocate -- 100000 500`: orders, claims a batch. Linux only: times are read from
//! `/proc`. The server has `fsync` off, so what it says is CPU time and not speed.

#![expect(clippy::print_stdout, reason = "it is what the example is for")]

use std::sync::Arc;

use adapter_postgres::Postgres;
use domain::fence::Position;
use ports::ledger::{Allocations, Books, Effects};

#[expect(dead_code, reason = "the tests use all of it")]
#[path = "../tests/it/server.rs"]
mod server;
#[expect(dead_code, reason = "the tests use all of it")]
#[path = "../tests/it/shop.rs"]
mod shop;

/// Hundredths of a second that the server and all of its processes have used.
fn ticks(postmaster: u32) -> u64 {
    let stat = |pid: u32| -> Option<Vec<u64>> {
        let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let fields = text.rsplit_once(") ")?.1.split(' ').skip(1);
        Some(fields.map(|field| field.parse().unwrap_or_default()).collect())
    };
    // After the state: the parent first; user and system time, own and of children that ended, from the 11th on.
    let own = stat(postmaster).map_or(0, |fields| fields[10..14].iter().sum());
    let pids = std::fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let children = pids.filter_map(stat).filter(|fields| fields.first() == Some(&u64::from(postmaster)));
    own + children.map(|fields| fields[10] + fields[11]).sum::<u64>()
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let number = |at: usize, otherwise: u32| {
        std::env::args().nth(at).and_then(|text| text.parse().ok()).unwrap_or(otherwise)
    };
    let (orders, size) = (number(1, 100_000), number(2, 500));
    let (store, url): (Arc<Postgres>, String) = server::store().await;
    let shop = shop::Shop::open(store.clone(), orders, 4).await;
    let client = server::by_hand(&url).await;
    let row =
        client.query_one("SELECT pg_read_file('postmaster.pid')", &[]).await.expect("the server's own file");
    let postmaster =
        row.get::<_, String>(0).lines().next().and_then(|line| line.parse().ok()).expect("a process");
    let (mut at, before) = (Position(0), ticks(postmaster));
    for first in (0..orders).step_by(size as usize) {
        let claims =
            (first..orders.min(first + size)).map(|unit| shop.claim(unit, &format!("user-{unit}"), &[unit]));
        let batch = shop.batch(at, claims.collect());
        at = batch.next;
        store.allocate(&shop.shard, batch).await.expect("no fault").expect("nobody else reads");
        let (_, pending) = store.pending(&shop.shard, size as usize).await.expect("effects");
        store
            .forget(&shop.shard, pending.iter().map(|pending| pending.id).collect())
            .await
            .expect("forgotten");
    }
    let used = ticks(postmaster) - before;
    let live = store.units(&shop.shard).await.expect("units")[0].held.len();
    let each = used as f64 * 10_000.0 / f64::from(orders);
    println!(
        "{live} orders in batches of {size}: {used} hundredths of a second of CPU, {each:.1} us an order, effects included"
    );
}
