//! Stores that die while a sale runs. These tests disturb every other system on the same servers: run them alone.

mod away;
mod log;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Buyer, PATIENCE, Server};
use crate::stores;

/// The folder of the servers' data, beside the file with their addresses.
fn folder() -> PathBuf {
    stores::fleet();
    let file = std::env::var_os("TZERO_TEST_STORES").expect("the file with the addresses");
    Path::new(&file).with_extension("")
}

/// Stores that were killed, and come back whatever becomes of the test: others need them.
struct Killed;

impl Killed {
    fn now(stores: &[&str]) -> Self {
        let killed = Self;
        for store in stores {
            services(&["kill", store]);
        }
        killed
    }
}

impl Drop for Killed {
    fn drop(&mut self) {
        services(&["up"]);
    }
}

/// `cargo xtask services …` on those servers.
fn services(arguments: &[&str]) {
    let mut command = Command::new(env!("CARGO"));
    command.args(["run", "--quiet", "--package", "xtask", "--", "services", "--folder"]).arg(folder());
    let done = command.args(arguments).output().expect("cargo runs");
    assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
}

/// Names of the Redis processes that are primaries now.
async fn primaries() -> Vec<String> {
    let mut found = Vec::new();
    let nodes = stores::fleet()["redis"]["nodes"].as_array().expect("nodes").clone();
    for (at, node) in nodes.iter().enumerate() {
        let url = format!("redis://{}", node.as_str().expect("an address"));
        let Ok(client) = redis::Client::open(url) else { continue };
        let Ok(mut connection) = client.get_multiplexed_async_connection().await else { continue };
        let role: redis::RedisResult<redis::Value> = redis::cmd("ROLE").query_async(&mut connection).await;
        if let Ok(redis::Value::Array(parts)) = role
            && matches!(parts.first(), Some(redis::Value::BulkString(word)) if word == b"master")
        {
            found.push(format!("redis-{}", at + 1));
        }
    }
    found
}

/// Data and functions of a node are gone.
const FORGET: [&[&str]; 2] = [&["FLUSHALL"], &["FUNCTION", "FLUSH"]];

/// These commands at every primary.
async fn at_every_primary(commands: &[&[&str]]) {
    for primary in primaries().await {
        let at: usize = primary.rsplit('-').next().and_then(|number| number.parse().ok()).expect("a number");
        let nodes = stores::fleet()["redis"]["nodes"].as_array().expect("nodes").clone();
        let client = redis::Client::open(format!("redis://{}", nodes[at - 1].as_str().expect("an address")));
        let mut connection =
            client.expect("an address").get_multiplexed_async_connection().await.expect("it answers");
        for words in commands {
            let done: redis::RedisResult<()> =
                redis::cmd(words[0]).arg(&words[1..]).query_async(&mut connection).await;
            done.expect("it is done");
        }
    }
}

/// Buys until it is answered with something else than 503; gives the ticket.
async fn bought(server: &Server, buyer: &Buyer, key: &str) -> String {
    let buying = async {
        loop {
            let answer = server.buy("s", buyer, key).await;
            if answer.status != 503 {
                assert_eq!(answer.status, 202, "{}", answer.text);
                return answer.ticket();
            }
            assert!(answer.header("retry-after").is_some());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(2 * PATIENCE, buying).await.expect("selling goes on")
}

/// What every fault must leave behind: each ticket that was answered is known, the same request gives it again, and the
/// rest of the stock can be sold.
async fn sells_through(server: &Server, tickets: &[(Buyer, String)], stock: usize) {
    for (buyer, ticket) in tickets {
        assert_eq!(&bought(server, buyer, "k").await, ticket, "the same request, the same ticket");
        let payable = server.payable(ticket).await;
        server.pay(&payable, "pay").await;
    }
    for _ in tickets.len()..stock {
        let buyer = server.buyer().await;
        let ticket = bought(server, &buyer, "k").await;
        let payable = server.payable(&ticket).await;
        server.pay(&payable, "pay").await;
        server.until(&ticket, "confirmed").await;
    }
    for (_, ticket) in tickets {
        server.until(ticket, "confirmed").await;
    }
    let product = server.clean_audit("s").await;
    assert_eq!(product["sold"], stock);
}

async fn some_tickets(server: &Server, count: usize) -> Vec<(Buyer, String)> {
    let mut tickets = Vec::new();
    for _ in 0..count {
        let buyer = server.buyer().await;
        let ticket = bought(server, &buyer, "k").await;
        tickets.push((buyer, ticket));
    }
    tickets
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_primary_of_redis_dies_once() {
    let server = Server::start(&["limits.user_per_s=0", "limits.network_per_s=0"]);
    server.sale("s", 12, json!({})).await;
    let mut tickets = Vec::new();
    for primary in primaries().await {
        tickets.extend(some_tickets(&server, 2).await);
        let killed = Killed::now(&[&primary]);
        tickets.extend(some_tickets(&server, 2).await);
        drop(killed);
    }
    sells_through(&server, &tickets, 12).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_node_of_redis_forgets_everything_at_once() {
    let server = Server::start(&["limits.user_per_s=0", "limits.network_per_s=0"]);
    server.sale("s", 6, json!({})).await;
    let tickets = some_tickets(&server, 3).await;
    at_every_primary(&FORGET).await;
    sells_through(&server, &tickets, 6).await;
}

/// Every node that serves the sale's keys, or would: its primary and the replica of that.
async fn nodes_of(server: &Server, sale: &str) -> Vec<String> {
    let key = format!("tz:{}:{{{sale}.0}}", server.name());
    let nodes = stores::fleet()["redis"]["nodes"].as_array().expect("nodes").clone();
    let mut of_port = Vec::new();
    let mut primary = None;
    for (at, node) in nodes.iter().enumerate() {
        let address = node.as_str().expect("an address");
        let port: u16 = address.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
        let client = redis::Client::open(format!("redis://{address}")).expect("an address");
        let mut connection = client.get_multiplexed_async_connection().await.expect("it answers");
        let role: Vec<redis::Value> = redis::cmd("ROLE").query_async(&mut connection).await.expect("a role");
        let is_primary = role.first() == Some(&redis::Value::BulkString(b"master".to_vec()));
        let follows = match role.get(2) {
            Some(redis::Value::Int(port)) if !is_primary => u16::try_from(*port).ok(),
            _ => None,
        };
        // Another node answers with where the key is.
        let here: redis::RedisResult<u8> = redis::cmd("EXISTS").arg(&key).query_async(&mut connection).await;
        if is_primary && here.is_ok() {
            primary = Some(port);
        }
        of_port.push((format!("redis-{}", at + 1), port, follows));
    }
    let primary = primary.expect("somebody has it");
    let serves =
        |(_, port, follows): &&(String, u16, Option<u16>)| *port == primary || *follows == Some(primary);
    of_port.iter().filter(serves).map(|(name, ..)| name.clone()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_primary_that_is_lost_with_its_replica_stops_its_own_sales_alone() {
    let server = Server::start(&["limits.user_per_s=0", "limits.network_per_s=0"]);
    server.sale("s", 4, json!({})).await;
    let away = nodes_of(&server, "s").await;
    assert_eq!(away.len(), 2, "a primary and its replica: {away:?}");
    let mut elsewhere = String::new();
    for number in 0..50 {
        elsewhere = format!("other-{number}");
        server.sale(&elsewhere, 60, json!({})).await;
        if nodes_of(&server, &elsewhere).await != away {
            break;
        }
    }
    let tickets = some_tickets(&server, 2).await;
    let killed = Killed::now(&away.iter().map(String::as_str).collect::<Vec<_>>());
    let mut sold = 0;
    for _ in 0..20 {
        let buyer = server.buyer().await;
        let answer = server.buy(&elsewhere, &buyer, "k").await;
        sold += u32::from(answer.status == 202);
        assert!([202, 503].contains(&answer.status), "{}", answer.text);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let own = server.buy("s", &server.buyer().await, "k").await;
    drop(killed);
    // Until each process has found out who is away, a request may wait for nothing.
    assert!(sold >= 15, "{sold} of 20 buyers were sold something on a primary that is well");
    assert_eq!(own.status, 503, "{}", own.text);
    sells_through(&server, &tickets, 4).await;
}

/// A primary that was not asked at the start, such as a replica that was promoted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_sold_on_a_primary_that_would_throw_it_away() {
    const POLICY: [&str; 3] = ["CONFIG", "SET", "maxmemory-policy"];
    let set = async |policy: &str| at_every_primary(&[&[&POLICY[..], &[policy]].concat()]).await;
    let server = Server::start(&["limits.user_per_s=0", "limits.network_per_s=0"]);
    server.sale("s", 4, json!({})).await;
    let tickets = some_tickets(&server, 2).await;
    set("allkeys-lru").await;
    at_every_primary(&FORGET).await;
    let refused = async {
        while !server.log().contains("maxmemory-policy allkeys-lru") {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let said = tokio::time::timeout(PATIENCE, refused).await;
    let answer = server.buy("s", &server.buyer().await, "k").await;
    set("noeviction").await;
    said.expect("the log says what is wrong");
    assert_eq!(answer.status, 503, "{}", answer.text);
    sells_through(&server, &tickets, 4).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kafka_and_postgresql_die_and_come_back() {
    let server = Server::start(&["limits.user_per_s=0", "limits.network_per_s=0"]);
    server.sale("s", 8, json!({})).await;
    let mut tickets = some_tickets(&server, 2).await;
    assert!(server.get("/metrics").await.text.contains("tzero_shard_open{sale=\"s\"} 1\n"));
    let what = |shard: &Value| {
        let silent: Vec<_> = shard["unanswered"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|each| each["store"].clone())
            .collect();
        (shard["open"].clone(), silent)
    };
    assert_eq!(what(&away::shards(&server).await[0]), (true.into(), vec![]));
    // Without the ledger nobody knows whether the epoch at which the inventory sells is the newest.
    for (store, dependency, open) in [("kafka", "claims", json!(true)), ("postgres", "store", json!(null))] {
        let killed = Killed::now(&[store]);
        // There is work all the same: what is away is named, and no load balancer takes the gateway away.
        let said = without(&server, dependency).await;
        assert_eq!(said["degraded"], true, "{store}: {said}");
        assert_eq!(said["dependencies"]["payments"]["ready"], true, "{store}: {said}");
        assert_eq!(what(&away::shards(&server).await[0]), (open, vec![dependency.into()]), "{store}");
        if store == "postgres" {
            away::nobody_knows_of_a_sale(&server).await;
        }
        let buyer = server.buyer().await;
        let unsure = server.buy("s", &buyer, "k").await;
        assert!([202, 503].contains(&unsure.status), "{}", unsure.text);
        drop(killed);
        let ticket = bought(&server, &buyer, "k").await;
        tickets.push((buyer, ticket));
        tickets.extend(some_tickets(&server, 1).await);
    }
    sells_through(&server, &tickets, 8).await;
}

/// Units that are held, as the inventory counts them; each look follows its question.
async fn held(server: &Server) -> u64 {
    server.orders_metrics().await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let said = server.orders_metrics().await;
    let line = said.lines().find(|line| line.starts_with("tzero_units{") && line.contains("place=\"held\""));
    line.and_then(|line| line.rsplit(' ').next()?.parse().ok()).expect("the count")
}

/// Whoever was answered 503 while the log was known to be away has no unit, and did not wait for that answer.
#[expect(clippy::disallowed_methods, reason = "a test measures how long an answer takes")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_kafka_is_away_refusals_come_at_once_and_take_nothing() {
    let server = Server::start(&["limits.user_per_s=0", "limits.network_per_s=0"]);
    server.sale("s", 41, json!({})).await;
    let mut tickets = some_tickets(&server, 1).await;
    server.payable(&tickets[0].1).await;
    let buyers = server.buyers(40).await;
    let killed = Killed::now(&["kafka"]);
    let mut waited = 0;
    for buyer in &buyers {
        let asked = tokio::time::Instant::now();
        let answer = server.buy("s", buyer, "k").await;
        let took = asked.elapsed();
        assert_eq!((answer.status, answer.code().as_str()), (503, "unavailable"), "{}", answer.text);
        assert!(answer.header("retry-after").is_some());
        assert!(took < Duration::from_secs(1), "within a second: {took:?}");
        waited += u64::from(took > Duration::from_millis(300));
    }
    // The first one learns it, a second one may be on its way by then, and one after each publication that failed tries.
    assert!((1..=4).contains(&waited), "{waited} of 40 waited");
    let held = held(&server).await;
    assert!(held <= 1 + waited, "{held} are held, and {waited} waited");
    // What the shard knows is told all the same, and at once: a ticket as soon as it knows that the ledger has it, for which Kafka
    // is not needed.
    let (first, ticket) = &tickets[0];
    let told = async {
        while server.buy("s", first, "k").await.status != 202 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(PATIENCE, told).await.expect("Kafka is away, and the ticket is told");
    for (key, status, code) in [("k", 202, ""), ("other", 409, "limit-reached")] {
        let asked = tokio::time::Instant::now();
        let answer = server.buy("s", first, key).await;
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{}", answer.text);
        assert!(asked.elapsed() < Duration::from_millis(300), "{key}: {:?}", asked.elapsed());
        assert_eq!(answer.json()["queue_ticket_id"], **ticket);
    }
    drop(killed);
    for buyer in buyers {
        let ticket = bought(&server, &buyer, "k").await;
        tickets.push((buyer, ticket));
    }
    sells_through(&server, &tickets, 41).await;
}

/// What `/readyz` says once it names the dependency as away: a process of PostgreSQL may answer for a moment longer than the one
/// that was killed.
async fn without(server: &Server, dependency: &str) -> Value {
    let named = async {
        loop {
            let ready = server.get("/readyz").await;
            let said = ready.json();
            assert_eq!(ready.status, 200, "{said}");
            if said["dependencies"][dependency]["ready"] == false {
                break said;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, named).await.expect("what is away is named")
}
