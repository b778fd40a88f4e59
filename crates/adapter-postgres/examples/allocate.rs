//! Takes orders in, batch by batch, and has their effects told: how much of PostgreSQL's CPU time does an order cost?
//!
//! `cargo run --release -p adapter-postgres --example allocate -- 100000 1024` (orders, claims a batch) says it of a server of
//! its own. Linux only: times are read from `/proc`. That server has `fsync` off, so what it says is CPU time and not speed.
//! With an address as a third argument it works in a database that it makes there, and says `ready` before each of its
//! parts and waits for a line: `cargo xtask bench fleet` reads the server's CPU time in between.

#![expect(clippy::print_stdout, reason = "it is what the example is for")]

use std::io::{BufRead, Write};
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

async fn take_in(shop: &shop::Shop, orders: u32, size: usize) {
    let mut at = Position(0);
    for first in (0..orders).step_by(size) {
        let claims = (first..orders.min(first + size as u32))
            .map(|unit| shop.claim(unit, &format!("user-{unit:016x}"), &[unit]));
        let batch = shop.batch(at, claims.collect());
        at = batch.next;
        shop.store.allocate(&shop.shard, batch).await.expect("no fault").expect("nobody else reads");
    }
}

/// Reads the effects that wait and forgets them, as settling does; nobody is told.
async fn tell(shop: &shop::Shop, size: usize) {
    loop {
        let (_, pending) = shop.store.pending(&shop.shard, size).await.expect("effects");
        if pending.is_empty() {
            return;
        }
        let ids = pending.iter().map(|pending| pending.id).collect();
        shop.store.forget(&shop.shard, ids).await.expect("forgotten");
    }
}

async fn alone(orders: u32, size: usize) {
    let (store, url): (Arc<Postgres>, String) = server::store().await;
    let shop = shop::Shop::open(store.clone(), orders, 4).await;
    let client = server::by_hand(&url).await;
    let row =
        client.query_one("SELECT pg_read_file('postmaster.pid')", &[]).await.expect("the server's own file");
    let postmaster =
        row.get::<_, String>(0).lines().next().and_then(|line| line.parse().ok()).expect("a process");
    let before = ticks(postmaster);
    take_in(&shop, orders, size).await;
    let taken = ticks(postmaster);
    tell(&shop, size).await;
    let told = ticks(postmaster);
    let each = |used: u64| used as f64 * 10_000.0 / f64::from(orders);
    let live = store.units(&shop.shard).await.expect("units")[0].held.len();
    println!(
        "{live} orders in batches of {size}: {:.1} us of CPU an order to take it in, {:.1} for its effect",
        each(taken - before),
        each(told - taken)
    );
}

fn ready() {
    println!("ready");
    std::io::stdout().flush().expect("somebody reads");
    std::io::stdin().lock().read_line(&mut String::new()).expect("somebody says when");
}

async fn measured(orders: u32, size: usize, url: &str) {
    let name = format!("allocate_{}", std::process::id());
    let client = server::by_hand(url).await;
    client.batch_execute(&format!("CREATE DATABASE {name}")).await.expect("the right to make a database");
    let (before, _) =
        url.rsplit_once('/').expect("an address as postgres://user:password@host:port/database");
    let options = server::options(format!("{before}/{name}"));
    Postgres::migrate(&options).await.expect("migrated");
    let store = Arc::new(Postgres::connect(options).await.expect("connected"));
    let shop = shop::Shop::open(store.clone(), orders, 4).await;
    ready();
    take_in(&shop, orders, size).await;
    ready();
    tell(&shop, size).await;
    ready();
    println!("{}", store.units(&shop.shard).await.expect("units")[0].held.len());
    drop((shop, store));
    client.batch_execute(&format!("DROP DATABASE {name} (FORCE)")).await.expect("dropped");
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let number = |at: usize, otherwise: u32| {
        std::env::args().nth(at).and_then(|text| text.parse().ok()).unwrap_or(otherwise)
    };
    let (orders, size) = (number(1, 100_000), number(2, 1024) as usize);
    match std::env::args().nth(3) {
        Some(url) => measured(orders, size, &url).await,
        None => alone(orders, size).await,
    }
}
