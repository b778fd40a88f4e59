//! Grants holds on a real Redis: as this crate does, in batches of 128, or as a canonical script does, one call a buyer.
//!
//! `cargo run --release -p adapter-redis --example grants -- batches NODE[,NODE…] SALE COUNT`, or `calls` with the address
//! of the primary that has the sale's keys. Prepares, says `ready`, waits for a line, grants COUNT holds and says how many:
//! `cargo xtask bench fleet` reads the server's CPU time in between. Both are given the same identifiers.

#![expect(clippy::print_stdout, reason = "it is what the example is for")]

use std::io::{BufRead, Write};

use adapter_redis::{Address, Options, Redis, SealKey, probe};
use domain::hold::{HoldOutcome, HoldRequest, Intent, Terms};
use domain::id::{Epoch, ProductNo, SaleId, ShardId, TicketId, UserHash, UserId};
use domain::snapshot::{ProductSnapshot, ShardSnapshot};
use domain::unit_set::UnitSet;
use ports::inventory::{Inventory, Rebuild};

/// Requests of one batch.
const BATCH: u32 = 128;
/// Connections that call the script, each waiting for its answer.
const CALLERS: u32 = 50;

/// What is written for a hold in every shop that sells out of Redis: stock, buyer, hold and deadline in one script.
const SCRIPT: &str = "
if tonumber(redis.call('GET', KEYS[1])) < 1 then return 0 end
if redis.call('HEXISTS', KEYS[2], ARGV[1]) == 1 then return 0 end
redis.call('DECR', KEYS[1])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2] .. ARGV[3])
redis.call('ZADD', KEYS[3], ARGV[4], ARGV[2])
return 1";

/// The ticket, the buyer's hash and the buyer's identifier of a number.
fn identifiers(number: u32) -> ([u8; 16], [u8; 16], String) {
    let hash = |what: &str| {
        let mut short = [0; 16];
        short.copy_from_slice(&blake3::hash(format!("{what} {number}").as_bytes()).as_bytes()[..16]);
        short
    };
    (hash("ticket"), hash("user"), format!("user-{number:016x}"))
}

fn request(number: u32) -> HoldRequest {
    let (ticket, user, user_id) = identifiers(number);
    HoldRequest {
        claim: TicketId(ticket),
        ticket: TicketId(ticket),
        user: UserHash(user),
        user_id: UserId::parse(&user_id).expect("a name"),
        terms: Terms { product: ProductNo(0), quantity: 1 },
        limit: 1,
        intent: Intent::Take,
    }
}

/// Says that everything is prepared, and waits until the measurement has begun.
fn ready() {
    println!("ready");
    std::io::stdout().flush().expect("somebody reads");
    std::io::stdin().lock().read_line(&mut String::new()).expect("somebody says when");
}

async fn batches(nodes: &str, sale: &str, count: u32) -> u32 {
    let address = Address::of(nodes.split(',').map(|node| format!("redis://{node}")).collect());
    probe::install(&address).await.expect("the library is loaded");
    let options = Options { address, seal: SealKey::new([3; 32]), name: "bench".to_owned() };
    let store = Redis::connect(options).await.expect("a Redis that fits");
    let shard = ShardId { sale: SaleId::parse(sale).expect("a name"), number: 0 };
    let product = ProductSnapshot { stock: count, free: UnitSet::whole(count) };
    let snapshot = ShardSnapshot { epoch: Epoch(1), products: vec![product], records: Vec::new() };
    let key = store.begin(&shard, snapshot.epoch).await.expect("begun");
    store.load(&shard, key, 0, snapshot).await.expect("loaded");
    store.open(&shard, key, 1).await.expect("opened");
    ready();
    let mut granted = 0;
    for first in (0..count).step_by(BATCH as usize) {
        let requests = (first..count.min(first + BATCH)).map(request).collect();
        let outcomes = store.hold(&shard, requests).await.expect("an answer");
        granted += outcomes.iter().filter(|outcome| matches!(outcome, HoldOutcome::Held { .. })).count();
    }
    granted as u32
}

/// One caller's share of the holds: how many were granted.
fn call(client: &redis::Client, sale: &str, numbers: impl Iterator<Item = u32>) -> u32 {
    let mut connection = client.get_connection().expect("a connection");
    let script = redis::Script::new(SCRIPT);
    let key = |what: &str| format!("canonical:{{{sale}.0}}:{what}");
    let (stock, holds, deadlines) = (key("stock"), key("holds"), key("deadlines"));
    let granted = numbers.map(|number| {
        let (ticket, user, user_id) = identifiers(number);
        let mut call = script.key(&stock);
        call.key(&holds).key(&deadlines).arg(&user).arg(&ticket).arg(user_id);
        call.arg(1_700_000_000_000_u64 + u64::from(number)).invoke::<u32>(&mut connection).expect("an answer")
    });
    granted.sum()
}

fn calls(node: &str, sale: &str, count: u32) -> u32 {
    let client = redis::Client::open(format!("redis://{node}")).expect("an address");
    let mut connection = client.get_connection().expect("a connection");
    let key = format!("canonical:{{{sale}.0}}:stock");
    redis::cmd("SET").arg(key).arg(count).query::<String>(&mut connection).expect("set");
    ready();
    std::thread::scope(|threads| {
        let share = |caller: u32| (caller..count).step_by(CALLERS as usize);
        let callers: Vec<_> = (0..CALLERS)
            .map(|caller| {
                let client = &client;
                threads.spawn(move || call(client, sale, share(caller)))
            })
            .collect();
        callers.into_iter().map(|caller| caller.join().expect("no caller failed")).sum()
    })
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [way, nodes, sale, count] = arguments.as_slice() else { panic!("WAY NODES SALE COUNT") };
    let count = count.parse().expect("a number");
    let granted = match way.as_str() {
        "batches" => batches(nodes, sale, count).await,
        "calls" => calls(nodes, sale, count),
        _ => panic!("the way is `batches` or `calls`"),
    };
    println!("{granted}");
}
