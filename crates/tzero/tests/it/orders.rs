//! What becomes of an order: paid, declined, given up, extended, expired, refunded.

use std::time::Duration;

use domain::id::{Epoch, TicketId};
use ports::tickets::Tickets as _;
use reqwest::Method;
use serde_json::{Value, json};
use wire::ticket::SealedTickets;

use crate::harness::{Server, read};

#[tokio::test]
async fn a_paid_order_is_confirmed_with_its_unit_and_captured() {
    let server = Server::start(&[]);
    server.sale("s", 2, json!({})).await;
    let ticket = server.ticket("s").await;
    let url = server.payable(&ticket).await;
    assert!(url.starts_with("http://"), "absolute");
    let page = server.get(&url).await;
    assert!(page.status == 200 && page.text.contains("10.00 EUR"));
    let paid = server.pay(&url, "pay").await;
    assert_eq!(paid.status, 303);
    assert!(paid.header("location").expect("a way back").ends_with(&format!("/return?ticket={ticket}")));
    let confirmed = server.until(&ticket, "confirmed").await;
    assert_eq!((confirmed["phase"].as_str(), &confirmed["units"]), (Some("confirmed"), &json!([0])));
    assert_eq!(server.pay(&url, "pay").await.status, 410, "a closed session");
    assert_eq!(server.clean_audit("s").await["sold"], 1);
    assert_eq!(server.audit("s").await["money"][0]["revenue"], "10.00");
    let cancelled = read(server.request(Method::DELETE, &format!("/v1/orders/{ticket}"))).await;
    assert_eq!((cancelled.status, cancelled.code().as_str()), (409, "already-confirmed"));
}

#[tokio::test]
async fn a_decline_leaves_the_hold_and_the_buyer_may_try_again() {
    let server = Server::start(&[]);
    server.sale("s", 1, json!({})).await;
    let ticket = server.ticket("s").await;
    let url = server.payable(&ticket).await;
    let before = server.status(&ticket).await;
    assert_eq!(server.pay(&url, "decline").await.status, 303);
    let declined = async {
        while server.status(&ticket).await["reason"] != "payment-declined" {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), declined).await.expect("the decline is told");
    let after = server.status(&ticket).await;
    assert_eq!(after["hold_expires_at"], before["hold_expires_at"]);
    assert!(after["version"].as_u64() > before["version"].as_u64());
    assert_eq!(server.pay(&url, "pay").await.status, 303);
    server.until(&ticket, "confirmed").await;
    server.clean_audit("s").await;
}

#[tokio::test]
async fn giving_up_frees_the_unit_at_once_and_repeats_are_harmless() {
    let server = Server::start(&[]);
    server.sale("s", 1, json!({})).await;
    let ticket = server.ticket("s").await;
    let url = server.payable(&ticket).await;
    let path = format!("/v1/orders/{ticket}");
    let given_up = read(server.request(Method::DELETE, &path)).await;
    assert_eq!((given_up.status, given_up.json()["status"].as_str()), (200, Some("cancelled")));
    assert_eq!(given_up.json()["reason"], "by-buyer");
    assert_eq!(read(server.request(Method::DELETE, &path)).await.status, 200);
    assert_eq!(server.pay(&url, "pay").await.status, 410, "the provider's door is closed");
    // A released unit is proven by selling it.
    let next = server.ticket("s").await;
    let url = server.payable(&next).await;
    server.pay(&url, "pay").await;
    assert_eq!(server.until(&next, "confirmed").await["units"], json!([0]));
    assert_eq!(server.clean_audit("s").await["sold"], 1);
}

#[tokio::test]
async fn an_unpaid_hold_ends_with_nobody_calling_and_its_unit_is_sold_again() {
    let server = Server::start(&["expiration.grace_ms=1000"]);
    server.sale("s", 1, json!({ "hold_ms": 1_000 })).await;
    let ticket = server.ticket("s").await;
    let url = server.payable(&ticket).await;
    tokio::time::sleep(Duration::from_millis(2_300)).await;
    let next = server.buyer().await;
    let granted = server.buy("s", &next, "k").await;
    assert_eq!(granted.status, 202, "free by hold and grace: {}", granted.text);
    assert_eq!(server.status(&ticket).await["status"], "expired");
    assert_eq!(server.pay(&url, "pay").await.status, 410);
    server.clean_audit("s").await;
}

#[tokio::test]
async fn more_time_once_where_the_sale_allows_it() {
    let server = Server::start(&[]);
    server.sale("s", 2, json!({ "extension_ms": 60_000 })).await;
    server.sale("never", 2, json!({})).await;
    let ticket = server.ticket("s").await;
    server.payable(&ticket).await;
    let before = server.status(&ticket).await["hold_expires_at"].clone();
    let path = format!("/v1/orders/{ticket}/extend");
    let longer = read(server.request(Method::POST, &path).json(&json!({ "extension_ms": 90_000 }))).await;
    assert_eq!(
        (longer.status, longer.code().as_str()),
        (400, "invalid-request"),
        "it is not used up by that"
    );
    let extended = read(server.request(Method::POST, &path)).await;
    assert_eq!(extended.status, 200, "{}", extended.text);
    assert!(extended.json()["hold_expires_at"].as_str() > before.as_str());
    let again = read(server.request(Method::POST, &path)).await;
    assert_eq!((again.status, again.code().as_str()), (409, "no-extension"));
    let other = server.ticket("never").await;
    server.payable(&other).await;
    let refused = read(server.request(Method::POST, &format!("/v1/orders/{other}/extend"))).await;
    assert_eq!(refused.code(), "no-extension");
}

#[tokio::test]
async fn a_refund_without_the_goods_keeps_the_unit_sold() {
    let server = Server::start(&[]);
    server.sale("s", 1, json!({})).await;
    let ticket = server.ticket("s").await;
    let refund = format!("orders/{ticket}/refund");
    let early = server.admin(Method::POST, &refund, None).await;
    assert_eq!((early.status, early.code().as_str()), (409, "not-refundable"));
    let url = server.payable(&ticket).await;
    server.pay(&url, "pay").await;
    server.until(&ticket, "confirmed").await;
    assert_eq!(server.admin(Method::POST, &refund, None).await.status, 200);
    server.until(&ticket, "refunded").await;
    let product = server.clean_audit("s").await;
    assert_eq!((product["sold"].as_i64(), product["available"].as_i64()), (Some(1), Some(0)));
    let story = server.admin(Method::GET, &format!("orders/{ticket}"), None).await.json();
    let steps: Vec<_> = story["story"].as_array().expect("a story").iter().map(step).collect();
    assert_eq!(steps, EVERY_STEP.map(str::to_owned), "the same steps, whatever the stores are");
}

/// What the ledger records of an order that is bought and refunded.
const EVERY_STEP: [&str; 6] = [
    "1 queued null",
    "2 awaiting_payment null",
    "3 awaiting_payment null",
    "4 confirmed null",
    "5 refunded by-operator",
    "6 refunded by-operator",
];

fn step(step: &serde_json::Value) -> String {
    let text = |name: &str| step[name].as_str().unwrap_or("null").to_owned();
    format!("{} {} {}", step["version"], text("status"), text("reason"))
}

#[tokio::test]
async fn returned_goods_are_sold_again_and_the_money_agrees() {
    let server = Server::start(&[]);
    server.sale("s", 1, json!({})).await;
    let ticket = server.ticket("s").await;
    let url = server.payable(&ticket).await;
    server.pay(&url, "pay").await;
    server.until(&ticket, "confirmed").await;
    let body = json!({ "return_units": true });
    let refunded = server.admin(Method::POST, &format!("orders/{ticket}/refund"), Some(body)).await;
    assert_eq!(refunded.status, 200, "{}", refunded.text);
    server.until(&ticket, "refunded").await;
    server.available("s", 1).await;
    let report = server.audit("s").await;
    assert_eq!(
        (&report["money"][0]["captured"], &report["money"][0]["refunded"]),
        (&json!("10.00"), &json!("10.00"))
    );
    server.clean_audit("s").await;
    let next = server.ticket("s").await;
    let url = server.payable(&next).await;
    server.pay(&url, "pay").await;
    server.until(&next, "confirmed").await;
    assert_eq!(server.clean_audit("s").await["sold"], 1);
}

#[tokio::test]
async fn a_restock_adds_units_once_per_key() {
    let server = Server::start(&[]);
    server.sale("s", 1, json!({})).await;
    server.ticket("s").await;
    let path = "/admin/v1/sales/s/restock";
    let body = json!({ "product_id": "p", "units": 2 });
    let ask = |key: Option<&str>, body: &serde_json::Value| {
        let request = server.request(Method::POST, path).bearer_auth(server.token()).json(body);
        read(match key {
            Some(key) => request.header("Idempotency-Key", key),
            None => request,
        })
    };
    assert_eq!(ask(None, &body).await.status, 400, "the key is required");
    let added = ask(Some("r1"), &body).await;
    let told = &added.json()["products"][0];
    assert_eq!(
        (added.status, &told["stock"], &told["available"], &told["availability"]),
        (200, &json!(3), &json!(2), &json!("in_stock")),
        "the answer has what was added: {told}"
    );
    let again = ask(Some("r1"), &body).await;
    assert_eq!((again.status, again.header("idempotent-replayed")), (200, Some("true")));
    assert_eq!(ask(Some("r1"), &json!({ "product_id": "p", "units": 3 })).await.status, 422);
    server.available("s", 2).await;
    let product = server.clean_audit("s").await;
    assert_eq!((product["stock"].as_i64(), product["held"].as_i64()), (Some(3), Some(1)));
    server.ticket("s").await;
    server.ticket("s").await;
    assert_eq!(server.clean_audit("s").await["held"], 3);
}

#[tokio::test]
async fn a_stream_tells_at_once_where_the_order_stands_and_what_changes() {
    let server = Server::start(&[]);
    server.sale("s", 1, json!({})).await;
    let ticket = server.ticket("s").await;
    let url = server.payable(&ticket).await;
    let path = format!("/v1/orders/status/{ticket}/events");
    let mut stream = server.request(Method::GET, &path).send().await.expect("a stream");
    let mut told = String::new();
    let mut until = async |word: &str| {
        let coming = async {
            while !told.contains(word) {
                let part = stream.chunk().await.expect("it goes on").expect("it has not ended");
                told.push_str(std::str::from_utf8(&part).expect("text"));
            }
        };
        tokio::time::timeout(Duration::from_secs(5), coming).await.unwrap_or_else(|_| panic!("no {word}"));
    };
    until("checkout_url\":\"http").await;
    server.pay(&url, "decline").await;
    until("payment-declined").await;
    server.pay(&url, "pay").await;
    until("\"confirmed\"").await;
}

#[tokio::test]
async fn a_stream_tells_each_change_and_ends_with_the_order() {
    let server = Server::start(&[]);
    server.sale("s", 1, json!({})).await;
    let ticket = server.ticket("s").await;
    let stream = server.request(Method::GET, &format!("/v1/orders/status/{ticket}/events"));
    let paying = async {
        let url = server.payable(&ticket).await;
        server.pay(&url, "pay").await;
    };
    // The stream ends by itself.
    let (told, ()) = tokio::join!(read(stream), paying);
    assert_eq!(told.header("content-type"), Some("text/event-stream"));
    let last =
        told.text.lines().filter_map(|line| line.strip_prefix("data: ")).next_back().expect("an event");
    assert!(last.contains("\"confirmed\""), "{last}");
    assert!(told.text.matches("data: ").count() >= 2, "{}", told.text);
}

#[tokio::test]
async fn streams_leave_connections_for_those_who_buy_and_pay() {
    let server = Server::start(&["server.max_connections=20"]);
    server.sale("s", 5, json!({})).await;
    let ticket = server.ticket("s").await;
    let path = format!("/v1/orders/status/{ticket}/events");
    let mut open = Vec::new();
    for _ in 0..10 {
        let stream = server.request(Method::GET, &path).send().await.expect("a stream");
        assert_eq!(stream.status(), 200);
        open.push(stream);
    }
    let refused = read(server.request(Method::GET, &path)).await;
    assert_eq!((refused.status, refused.code().as_str()), (503, "overloaded"), "{}", refused.text);
    assert!(refused.header("retry-after").is_some());
    assert_eq!(server.get(&format!("/v1/orders/status/{ticket}")).await.status, 200, "polls go on");
    open.clear();
    let freed = async {
        loop {
            let again = server.request(Method::GET, &path).send().await.expect("an answer");
            if again.status() == 200 {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(crate::harness::PATIENCE, freed)
        .await
        .expect("a closed stream gives its place back");
}

/// A secret, and what tickets are sealed with under it.
fn seal() -> (String, SealedTickets) {
    let root = [0x5e; 32];
    let key = blake3::derive_key("tzero 2026-11 tickets", &root);
    (format!("data.secret={}", "5e".repeat(32)), SealedTickets::new(key))
}

#[tokio::test]
async fn a_ticket_that_every_store_forgot_comes_to_its_end() {
    let (secret, tickets) = seal();
    let server = Server::start(&[&secret]);
    server.sale("s", 1, json!({})).await;
    let given = tickets.open(&server.ticket("s").await).expect("a ticket of ours");
    let unknown = domain::ticket::TicketStamp { ticket: TicketId([9; 16]), ..given.clone() };
    // Of the running epoch: its claim may be on its way.
    let waiting = tickets.seal(&unknown);
    let answer = server.get(&format!("/v1/orders/status/{waiting}")).await;
    assert_eq!((answer.status, answer.code().as_str()), (503, "unavailable"), "{}", answer.text);
    assert_eq!(read(server.request(Method::DELETE, &format!("/v1/orders/{waiting}"))).await.status, 503);
    // Of an epoch that was fenced off: the ledger has read whatever there was of it.
    let lost = tickets.seal(&domain::ticket::TicketStamp { epoch: Epoch(given.epoch.0 - 1), ..unknown });
    let told = server.get(&format!("/v1/orders/status/{lost}")).await;
    assert_eq!(told.status, 200, "{}", told.text);
    let told = told.json();
    assert_eq!((&told["status"], &told["reason"]), (&json!("cancelled"), &json!("store-failover")));
    assert_eq!((&told["product_id"], &told["quantity"]), (&Value::Null, &Value::Null));
    let ended = read(server.request(Method::DELETE, &format!("/v1/orders/{lost}"))).await;
    assert_eq!((ended.status, &ended.json()["status"]), (200, &json!("cancelled")), "{}", ended.text);
    let page = server.get(&format!("/return?ticket={lost}")).await;
    assert!(page.status == 200 && page.text.contains("A machine failed"), "{}", page.text);
    server.clean_audit("s").await;
}
