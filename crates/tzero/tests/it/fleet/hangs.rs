//! Stores that hang and do not die: no connection is refused, and nothing answers. Run alone, like what kills stores.

use std::process::Command;
use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use tokio::task::JoinSet;

use super::Fleet;
use crate::harness::{PATIENCE, Server, read};
use crate::stores;

/// The pids of the Redis processes that are primaries now.
async fn primaries() -> Vec<String> {
    let mut found = Vec::new();
    for node in stores::fleet()["redis"]["nodes"].as_array().expect("nodes") {
        let url = format!("redis://{}", node.as_str().expect("an address"));
        let client = redis::Client::open(url).expect("an address");
        let mut connection = client.get_multiplexed_async_connection().await.expect("it answers");
        let told: String = redis::cmd("INFO").query_async(&mut connection).await.expect("it tells of itself");
        let field = |name: &str| told.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        if field("role:") == Some("master") {
            found.push(field("process_id:").expect("a pid").to_owned());
        }
    }
    found
}

fn signal(name: &str, pids: &[String]) {
    let sent = Command::new("sh").args(["-c", "kill -s \"$0\" \"$@\"", name]).args(pids).status();
    assert!(sent.expect("a shell").success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_status_is_answered_while_every_primary_of_redis_stands_still() {
    let fleet = Fleet::start(&[]);
    fleet.sale("s", 5, 300_000).await;
    let session = read(fleet.http.post(format!("{}/v1/sessions", fleet.gateways[0]))).await.json();
    let token = session["session_token"].as_str().expect("a token");
    let body = json!({ "user_id": session["user_id"], "product_id": "p", "idempotency_key": "k" });
    let buy = fleet.http.post(format!("{}/v1/sales/s/checkout", fleet.gateways[0]));
    let bought = read(buy.bearer_auth(token).json(&body)).await;
    assert_eq!(bought.status, 202, "{}", bought.text);
    let status = format!("{}/v1/orders/status/{}", fleet.gateways[0], bought.ticket());
    let payable = async {
        while read(fleet.http.get(&status)).await.json()["status"] != "awaiting_payment" {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, payable).await.expect("the ledger knows the order");
    let pids = primaries().await;
    // Shorter than the cluster waits before it promotes a replica: nobody notices but who asks.
    signal("STOP", &pids);
    let second = Duration::from_secs(1);
    // One that was changed is judged before anybody is asked.
    let (before, last) = status.split_at(status.len() - 30);
    let forged = format!("{before}{}", last.chars().rev().collect::<String>());
    let unknown = tokio::time::timeout(second / 4, read(fleet.http.get(&forged))).await;
    let answer = tokio::time::timeout(second, read(fleet.http.get(&status))).await;
    let ready = read(fleet.http.get(format!("{}/readyz", fleet.gateways[0]))).await;
    signal("CONT", &pids);
    // The answers that were asked for while nothing answered are not waited for by the next ones.
    signal("STOP", &pids);
    let listed = tokio::time::timeout(6 * second, fleet.ask(0, "shards")).await;
    signal("CONT", &pids);
    let listed = listed.expect("a store that hangs does not hang the list");
    let shard = &listed["shards"][0];
    assert_eq!((&shard["open"], &shard["term"]), (&json!(null), &"open".into()), "{shard}");
    assert_eq!(shard["unanswered"][0]["store"], "inventory", "{shard}");
    let said = ready.json();
    assert_eq!((ready.status, &said["degraded"]), (200, &true.into()), "{said}");
    assert_eq!(said["dependencies"]["inventory"]["ready"], false, "{said}");
    assert_eq!(said["dependencies"]["claims"]["ready"], true, "{said}");
    let unknown = unknown.expect("nobody is waited for");
    assert_eq!((unknown.status, unknown.code().as_str()), (404, "unknown-ticket"), "{}", unknown.text);
    let answer = answer.expect("the ledger answers in a second");
    assert_eq!(
        (answer.status, &answer.json()["status"]),
        (200, &"awaiting_payment".into()),
        "{}",
        answer.text
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sale_goes_on_while_the_primary_hangs_whose_replica_took_over() {
    let server = Server::start(&["limits.user_per_s=0", "limits.network_per_s=0"]);
    server.sale("s", 5, json!({})).await;
    // One of them has the sale.
    for pid in primaries().await {
        let buyer = server.buyer().await;
        let pid = [pid];
        signal("STOP", &pid);
        let buying = async {
            loop {
                let answer = server.buy("s", &buyer, "k").await;
                if answer.status != 503 {
                    return answer;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        let answer = tokio::time::timeout(PATIENCE, buying).await;
        signal("CONT", &pid);
        assert_eq!(answer.expect("selling goes on").status, 202);
        // Until it knows that it is a replica: the next one must not be missing as well.
        tokio::time::sleep(Duration::from_secs(3)).await;
    }
}

/// A connection to the database of a system, by hand; it is served as long as the set is kept.
async fn database_of(server: &Server) -> (tokio_postgres::Client, JoinSet<()>) {
    let file = server.dir.path().join("stores.toml");
    let text = std::fs::read_to_string(file).expect("the servers' addresses");
    let stores: toml::Table = text.parse().expect("TOML");
    let url = stores["postgres"]["url"].as_str().expect("an address");
    let (client, connection) =
        tokio_postgres::connect(url, tokio_postgres::NoTls).await.expect("PostgreSQL answers");
    let mut served = JoinSet::new();
    served.spawn(async { drop(connection.await) });
    (client, served)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_of_an_order_is_answered_in_a_second_while_the_ledger_hangs() {
    let server = Server::start(&[]);
    server.sale("s", 3, json!({ "extension_ms": 60_000 })).await;
    let (given_up, kept) = (server.ticket("s").await, server.ticket("s").await);
    for ticket in [&given_up, &kept] {
        server.payable(ticket).await;
    }
    let (ledger, _served) = database_of(&server).await;
    ledger.batch_execute("BEGIN; LOCK TABLE tzero.orders IN ACCESS EXCLUSIVE MODE").await.expect("locked");
    let asked = [
        server.request(Method::DELETE, &format!("/v1/orders/{given_up}")),
        server.request(Method::POST, &format!("/v1/orders/{kept}/extend")),
    ];
    for request in asked {
        let answer = tokio::time::timeout(Duration::from_secs(1), read(request)).await.expect("in a second");
        assert_eq!((answer.status, answer.code().as_str()), (503, "unavailable"), "{}", answer.text);
        assert!(answer.header("retry-after").is_some(), "{}", answer.text);
    }
    ledger.batch_execute("ROLLBACK").await.expect("unlocked");
    // What was asked for goes on without whoever asked, and may be asked for again.
    let again = async {
        while read(server.request(Method::DELETE, &format!("/v1/orders/{given_up}"))).await.status != 200 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, again).await.expect("it is cancelled");
    server.until(&given_up, "cancelled").await;
    let payable = server.payable(&kept).await;
    server.pay(&payable, "pay").await;
    server.until(&kept, "confirmed").await;
    assert_eq!(server.clean_audit("s").await["sold"], 1);
}
