//! Every role apart: a drop is sold while processes of each role are killed.

use std::time::Duration;

use tokio::task::JoinSet;

use super::{Fleet, ROLES};
use crate::harness::{PATIENCE, read};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drop_is_sold_while_a_process_of_each_role_is_killed() {
    let mut fleet = Fleet::start(&["expiration.grace_ms=1000"]);
    let flags = [
        "--preset",
        "quick",
        "--stock",
        "100",
        "--buyers",
        "1500",
        "--ramp-ms",
        "12000",
        "--limit-ms",
        "90000",
    ];
    let (mut herd, report) = fleet.herd(0, &flags);
    tokio::time::sleep(Duration::from_secs(2)).await;
    for number in 0..2 {
        // The herd's own gateway stays: what it is told is what is judged.
        for role in ROLES.into_iter().filter(|role| (*role, number) != ("gateway", 0)) {
            fleet.kill(role, number);
            tokio::time::sleep(Duration::from_millis(300)).await;
            fleet.restart(role, number);
        }
    }
    let done = tokio::task::spawn_blocking(move || {
        let mut text = String::new();
        let mut out = herd.stdout.take().expect("standard output");
        std::io::Read::read_to_string(&mut out, &mut text).expect("text");
        (herd.wait().expect("it ends").success(), text)
    });
    let (right, text) = done.await.expect("it ends well");
    assert!(right, "{text}");
    let report = std::fs::read_to_string(report).expect("a report");
    let report: serde_json::Value = serde_json::from_str(&report).expect("JSON");
    assert_eq!(report["sold"], 100, "{text}");
    let sale = report["sale_id"].as_str().expect("the sale's name").to_owned();
    for gateway in 0..2 {
        let audit = fleet.audit(gateway, &sale).await;
        assert_eq!((&audit["ok"], &audit["products"][0]["sold"]), (&true.into(), &100.into()), "{audit}");
    }
    let books = fleet.provider_ledger().await;
    assert!(!books.is_null(), "the provider has books of its own");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ticket_of_one_gateway_is_known_to_the_other_and_outlives_its_orders_node() {
    let mut fleet = Fleet::start(&[]);
    fleet.sale("s", 5, 300_000).await;
    let session = read(fleet.http.post(format!("{}/v1/sessions", fleet.gateways[0]))).await.json();
    let (user, token) =
        (session["user_id"].clone(), session["session_token"].as_str().expect("a token").to_owned());
    let body = serde_json::json!({ "user_id": user, "product_id": "p", "idempotency_key": "k" });
    let buy = async |fleet: &Fleet, gateway: usize| {
        let url = format!("{}/v1/sales/s/checkout", fleet.gateways[gateway]);
        read(fleet.http.post(url).bearer_auth(&token).json(&body)).await
    };
    let first = buy(&fleet, 0).await;
    assert_eq!(first.status, 202, "{}", first.text);
    for dead in 0..2 {
        fleet.kill("orders", dead);
        let again = async {
            loop {
                let again = buy(&fleet, 1).await;
                // Until the link has noticed, a request may meet the dead node in the middle.
                if again.status != 503 {
                    return again;
                }
            }
        };
        let again = tokio::time::timeout(PATIENCE, again).await.expect("the other node answers");
        assert_eq!(again.status, 202, "{}", again.text);
        assert_eq!(again.ticket(), first.ticket());
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        fleet.restart("orders", dead);
    }
    let status = format!("{}/v1/orders/status/{}", fleet.gateways[1], first.ticket());
    assert_eq!(read(fleet.http.get(status)).await.status, 200);
    let shards = fleet.ask(1, "shards").await;
    assert_eq!((&shards["shards"][0]["open"], &shards["shards"][0]["sale_id"]), (&true.into(), &"s".into()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sale_that_one_gateway_has_just_made_is_known_to_the_other() {
    let fleet = Fleet::start(&["limits.user_per_s=0", "limits.network_per_s=0"]);
    let session = read(fleet.http.post(format!("{}/v1/sessions", fleet.gateways[1]))).await.json();
    let token = session["session_token"].as_str().expect("a token");
    for number in 0..6 {
        let sale = format!("s{number}");
        fleet.sale(&sale, 5, 300_000).await;
        let document = format!("{}/v1/sales/{sale}", fleet.gateways[1]);
        let body =
            serde_json::json!({ "user_id": session["user_id"], "product_id": "p", "idempotency_key": "k" });
        let buy = fleet.http.post(format!("{document}/checkout")).bearer_auth(token).json(&body);
        let (seen, bought) = tokio::join!(read(fleet.http.get(&document)), read(buy));
        assert_eq!((seen.status, bought.status), (200, 202), "{sale}: {} {}", seen.text, bought.text);
    }
    let unknown = read(fleet.http.get(format!("{}/v1/sales/none", fleet.gateways[1]))).await;
    assert_eq!((unknown.status, unknown.code().as_str()), (404, "unknown-sale"), "{}", unknown.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn orders_nodes_that_are_restarted_one_after_another_are_not_missed() {
    let mut fleet = Fleet::start(&["limits.user_per_s=0", "limits.network_per_s=0"]);
    fleet.sale("s", 5, 300_000).await;
    let (http, gateway) = (fleet.http.clone(), fleet.gateways[0].clone());
    let session = read(http.post(format!("{gateway}/v1/sessions"))).await.json();
    let token = session["session_token"].as_str().expect("a token").to_owned();
    let body =
        serde_json::json!({ "user_id": session["user_id"], "product_id": "p", "idempotency_key": "k" });
    let buy = http.post(format!("{gateway}/v1/sales/s/checkout")).bearer_auth(token).json(&body);
    let first = read(buy.try_clone().expect("its body is at hand")).await;
    assert_eq!(first.status, 202, "{}", first.text);
    let status = http.get(format!("{gateway}/v1/orders/status/{}", first.ticket()));
    let restarted = tokio::task::spawn_blocking(move || {
        for number in [0, 1, 0, 1, 0, 1] {
            fleet.end("orders", number);
            fleet.restart("orders", number);
        }
        fleet
    });
    let mut asked = JoinSet::new();
    while !restarted.is_finished() {
        for request in [&buy, &status] {
            asked.spawn(read(request.try_clone().expect("its body is at hand")));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let answers = asked.join_all().await;
    let failed: Vec<_> = answers.iter().filter(|answer| ![200, 202].contains(&answer.status)).collect();
    assert!(
        answers.len() > 100 && failed.is_empty(),
        "{} of {} failed: {failed:?}",
        failed.len(),
        answers.len()
    );
    drop(restarted.await.expect("they were restarted"));
}
