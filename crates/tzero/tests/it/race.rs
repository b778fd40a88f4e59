//! A payment, the end of the hold and a cancellation at the same instant: one outcome, and the money agrees.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use tokio::task::JoinSet;

use crate::harness::{Server, read};

/// Races; fewer on servers, where each takes longer.
fn races() -> usize {
    if crate::stores::servers().is_none() { 10_000 } else { 1_000 }
}
/// Races that run together; fewer where Varnish and four processes share a machine with all of their buyers, who ask for their
/// statuses as fast as they are answered.
fn together() -> usize {
    if crate::system::behind_varnish() { 100 } else { 500 }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn races_have_one_outcome_each_and_the_money_agrees() {
    let settings = [
        "limits.user_per_s=0",
        "processor.rate_per_s=100000",
        "processor.concurrency=256",
        "status.poll_min_ms=100",
    ];
    let server = std::sync::Arc::new(Server::start(&settings));
    let count = races();
    server.sale("s", count as u32, json!({ "max_per_user": 100, "hold_ms": 1_500 })).await;
    let buyers = server.buyers(count / 100).await;
    let mut outcomes = std::collections::BTreeMap::<String, usize>::new();
    let mut races = JoinSet::new();
    for race in 0..count {
        let (server, buyer) = (std::sync::Arc::clone(&server), buyers[race % buyers.len()].clone());
        races.spawn(async move { run(&server, &buyer, race).await });
        if races.len() >= together() {
            let ended = races.join_next().await.expect("one is running").expect("it ends well");
            *outcomes.entry(ended).or_default() += 1;
        }
    }
    while let Some(ended) = races.join_next().await {
        *outcomes.entry(ended.expect("it ends well")).or_default() += 1;
    }
    assert_eq!(outcomes.values().sum::<usize>(), count);
    for seen in ["confirmed", "cancelled", "expired"] {
        assert!(outcomes.contains_key(seen), "every side wins sometimes: {outcomes:?}");
    }
    let product = server.clean_audit("s").await;
    assert_eq!(product["sold"].as_u64(), outcomes.get("confirmed").map(|count| *count as u64));
    assert_eq!(product["held"], 0);
}

/// One race; gives the status that it ended with.
async fn run(server: &Server, buyer: &crate::harness::Buyer, race: usize) -> String {
    let key = format!("race-{race}");
    let mut ticket = server.buy("s", buyer, &key).await;
    // A node that is busy is asked again, as buyers do.
    while ticket.status == 503 {
        ticket = server.buy("s", buyer, &key).await;
    }
    assert_eq!(ticket.status, 202, "{}", ticket.text);
    let ticket = ticket.ticket();
    let status = server.until(&ticket, "awaiting_payment").await;
    let url = status["checkout_url"].as_str().expect("an address").to_owned();
    let ends: jiff::Timestamp =
        status["hold_expires_at"].as_str().expect("an end").parse().expect("an instant");
    // Around the end of the hold, a little earlier or later in each race.
    // Servers take longer to close a door: there the race is spread wider, to later ends, and a payment lets the cancellation begin.
    let alone = crate::stores::servers().is_none();
    let (before, spread, lag) = if alone { (120, 160, 0) } else { (400, 4_000, race as u64 * 7 % 1_500) };
    let aim = ends.as_millisecond() - before + (race as i64 * 7) % spread;
    let wait = aim - jiff::Timestamp::now().as_millisecond();
    tokio::time::sleep(Duration::from_millis(wait.max(0) as u64)).await;
    let path = format!("/v1/orders/{ticket}");
    let cancels = race.is_multiple_of(3);
    let cancelling = async {
        if cancels {
            let mut answer = read(server.request(Method::DELETE, &path)).await;
            while answer.status == 503 {
                answer = read(server.request(Method::DELETE, &path)).await;
            }
            assert!([200, 202, 409].contains(&answer.status), "{}", answer.text);
        }
    };
    let paying = async {
        tokio::time::sleep(Duration::from_millis(lag)).await;
        server.pay(&url, "pay").await
    };
    let (paid, ()) = tokio::join!(paying, cancelling);
    assert!([303, 410].contains(&paid.status), "{}", paid.text);
    let ended = loop {
        let now = server.status(&ticket).await;
        let phase = now["phase"].as_str().expect("a phase").to_owned();
        if (phase == "confirmed" || phase == "failed") && now["reason"] != "refunding" {
            break now;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    let word = ended["status"].as_str().expect("a status").to_owned();
    match word.as_str() {
        "confirmed" | "refunded" => assert_eq!(paid.status, 303, "{word} without a payment"),
        "cancelled" => assert!(cancels && paid.status == 410, "{word}: {}", paid.status),
        "expired" => assert_eq!(paid.status, 410, "{word} although the provider took the payment"),
        other => panic!("{other}"),
    }
    word
}
