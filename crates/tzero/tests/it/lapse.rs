//! Holds that lapse: many together, and one unit among many.

use std::time::Duration;

use serde_json::json;
use tokio::task::JoinSet;

use crate::harness::{Server, read};

/// Holds that lapse together; fewer on servers, where making them takes longer.
fn holds() -> usize {
    if crate::stores::servers().is_none() { 50_000 } else { 5_000 }
}
/// Within this they are free again.
const SECONDS: u64 = 20;
/// How long a payment address may take; longer than it takes to make all holds.
const DEADLINE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn holds_that_lapse_together_are_free_again_within_seconds() {
    // No payment address is ever made, so that every hold ends by the same deadline; nothing is running when it comes.
    let settings = [
        "limits.user_per_s=0",
        "limits.network_per_s=0",
        "processor.rate_per_s=1000000",
        "processor.concurrency=1",
        "sandbox.timeout_rate=1.0",
        "processor.payment_address_deadline_ms=60000",
    ];
    let mut server = Server::start(&settings);
    let holds = holds();
    server.sale("s", holds as u32, json!({ "max_per_user": 100 })).await;
    let buyers = server.buyers(holds / 100).await;
    let mut pressing = JoinSet::new();
    let mut granted = 0;
    for buyer in &buyers {
        let requests: Vec<_> = (0..100).map(|at| server.checkout("s", buyer, &format!("k{at}"), 1)).collect();
        pressing.spawn(async move {
            let mut granted = 0;
            for request in requests {
                let answer = read(request).await;
                granted += usize::from(answer.status == 202);
            }
            granted
        });
        if pressing.len() >= 64 {
            granted += pressing.join_next().await.expect("one is running").expect("it ends well");
        }
    }
    while let Some(ended) = pressing.join_next().await {
        granted += ended.expect("it ends well");
    }
    assert_eq!(granted, holds);
    assert_eq!(server.clean_audit("s").await["held"], holds);
    server.kill();
    // From here on the operator's patience with a dead machine counts against the holds.
    tokio::time::sleep(DEADLINE).await;
    server.restart();
    let freed = async {
        while server.audit("s").await["products"][0]["available"] != holds {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(SECONDS), freed)
        .await
        .expect("they are free again within seconds");
    server.clean_audit("s").await;
    server.ticket("s").await;
}
