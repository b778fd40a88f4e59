//! What a system says of itself while a store is away.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::{primaries, services};
use crate::harness::{PATIENCE, Server, program};
use crate::stores;

/// As many that every primary has one.
const SALES: usize = 16;

/// Nodes that were killed, and come back together whatever becomes of the test: one without the other leaves the cluster down.
struct Gone;

impl Gone {
    fn now(nodes: &[String]) -> Self {
        let gone = Self;
        nodes.iter().for_each(|node| services(&["kill", node]));
        gone
    }
}

impl Drop for Gone {
    fn drop(&mut self) {
        services(&["up"]);
    }
}

/// Every shard, also while a store is away.
pub(super) async fn shards(server: &Server) -> Vec<Value> {
    let told = tokio::time::timeout(Duration::from_secs(7), server.admin(Method::GET, "shards", None)).await;
    let told = told.expect("no store keeps the list back");
    assert_eq!(told.status, 200, "{}", told.text);
    told.json()["shards"].as_array().expect("shards").clone()
}

/// The nodes that have the data of a primary: itself and its replicas.
async fn with_replicas(primary: &str) -> Vec<String> {
    let nodes = stores::fleet()["redis"]["nodes"].as_array().expect("nodes").clone();
    let node = |at: usize| nodes[at].as_str().expect("an address").to_owned();
    let at: usize = primary.rsplit('-').next().and_then(|number| number.parse().ok()).expect("a number");
    let client = redis::Client::open(format!("redis://{}", node(at - 1))).expect("an address");
    let mut connection = client.get_multiplexed_async_connection().await.expect("it answers");
    let told: String =
        redis::cmd("INFO").arg("replication").query_async(&mut connection).await.expect("words");
    let replica = |at: &usize| {
        let port = node(*at).rsplit(':').next().map(|port| format!("port={port},")).expect("a port");
        told.lines().any(|line| line.starts_with("slave") && line.contains(&port))
    };
    let replicas = (0..nodes.len()).filter(replica).map(|at| format!("redis-{}", at + 1));
    std::iter::once(primary.to_owned()).chain(replicas).collect()
}

/// Exit code and words of `tzero shards`.
async fn command(server: &Server) -> (Option<i32>, String) {
    let mut shards = program();
    shards.args(["shards", "--url", &server.gateway]).env("TZERO_ADMIN_TOKEN", server.token());
    let done =
        tokio::task::spawn_blocking(move || shards.output()).await.expect("it ends").expect("it starts");
    (done.status.code(), String::from_utf8_lossy(&done.stdout).into_owned())
}

/// Series of `tzero_shard_open` that are 1.
async fn said_to_be_open(server: &Server) -> usize {
    let metrics = server.get("/metrics").await.text;
    let open: Vec<_> = metrics.lines().filter(|line| line.starts_with("tzero_shard_open{")).collect();
    assert_eq!(open.len(), SALES, "{open:?}");
    open.iter().filter(|line| line.ends_with(" 1")).count()
}

async fn inventory(server: &Server) -> (bool, String) {
    let said = server.get("/readyz").await.json()["dependencies"]["inventory"].clone();
    (said["ready"] == true, said["detail"].as_str().expect("words").to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_sold_is_said_and_every_shard_is_listed() {
    let server = Server::start(&["limits.user_per_s=0", "limits.network_per_s=0"]);
    for number in 0..SALES {
        server.sale(&format!("s{number}"), 1, json!({})).await;
    }
    server.sale("over", 1, json!({ "ends_at": "2020-01-02T00:00:00Z" })).await;
    assert_eq!(said_to_be_open(&server).await, SALES, "at the first question");
    assert_eq!(inventory(&server).await, (true, String::new()));
    assert_eq!(command(&server).await.0, Some(0));
    let primary = primaries().await.into_iter().next().expect("a primary");
    let nodes = with_replicas(&primary).await;
    assert!(nodes.len() > 1, "it has a replica");
    let killed = Gone::now(&nodes);
    let shards = shards(&server).await;
    assert_eq!(shards.len(), SALES + 1, "{shards:?}");
    let silent = shards.iter().filter(|shard| shard["open"].is_null());
    for shard in silent.clone() {
        assert_eq!(shard["unanswered"][0]["store"], "inventory", "{shard}");
    }
    assert!(silent.count() > 0, "{shards:?}");
    assert!(said_to_be_open(&server).await < SALES);
    let (ready, detail) = inventory(&server).await;
    assert!(!ready && detail.contains("asked for s"), "{detail}");
    let (code, words) = command(&server).await;
    assert_eq!(code, Some(2), "{words}");
    assert!(
        words.contains("not known") && words.contains("the inventory in Redis is unavailable"),
        "{words}"
    );
    assert_eq!(words.lines().filter(|line| line.contains(" epoch ")).count(), SALES + 1, "{words}");
    drop(killed);
    let whole = async {
        while said_to_be_open(&server).await < SALES {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(2 * PATIENCE, whole).await.expect("selling goes on");
    assert_eq!(
        inventory(&server).await,
        (true, String::new()),
        "the first question is answered as it is now"
    );
}

/// While the ledger is away: a sale that was known is shown, and of any other nobody can tell whether there is one.
pub async fn nobody_knows_of_a_sale(server: &Server) {
    for (path, status) in [("/v1/sales/s", 200), ("/s/s", 200), ("/v1/sales/other", 503), ("/s/other", 503)] {
        let answer = server.get(path).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.text);
    }
}
