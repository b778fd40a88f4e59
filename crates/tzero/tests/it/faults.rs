//! A provider that misbehaves: every fault of the sandbox, and the money agrees all the same.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use crate::harness::{PATIENCE, Server, read};

/// Sells five units through a provider with these faults; each buyer pays.
async fn sells(settings: &[&str]) -> Server {
    let server = Server::start(settings);
    server.sale("s", 5, json!({ "hold_ms": 3_000 })).await;
    let mut tickets = Vec::new();
    for _ in 0..5 {
        let ticket = server.ticket("s").await;
        let url = server.payable(&ticket).await;
        assert_eq!(server.pay(&url, "pay").await.status, 303);
        tickets.push(ticket);
    }
    for ticket in &tickets {
        server.until(ticket, "confirmed").await;
    }
    assert_eq!(server.clean_audit("s").await["sold"], 5);
    server
}

#[tokio::test]
async fn slow_and_failing_calls_are_repeated_under_the_same_key() {
    sells(&[
        "sandbox.latency_min_ms=20",
        "sandbox.latency_max_ms=60",
        "sandbox.error_rate=0.3",
        "sandbox.error_after_effect_rate=0.3",
    ])
    .await;
}

#[tokio::test]
async fn calls_without_an_answer_time_out_and_are_repeated() {
    sells(&["sandbox.timeout_rate=0.2", "payments.timeout_ms=300"]).await;
}

#[tokio::test]
async fn webhooks_twice_late_and_out_of_order_are_harmless() {
    sells(&[
        "sandbox.webhook_duplicate=3",
        "sandbox.webhook_delay_max_ms=400",
        "sandbox.webhook_shuffle=true",
    ])
    .await;
}

#[tokio::test]
async fn webhooks_that_never_come_are_found_when_the_hold_ends() {
    sells(&["sandbox.webhook_drop_rate=1"]).await;
}

#[tokio::test]
async fn forged_webhooks_are_not_believed_and_the_payment_is_found_all_the_same() {
    sells(&["sandbox.webhook_forge_rate=1"]).await;
}

#[tokio::test]
async fn a_wrong_amount_in_a_webhook_is_not_believed_before_the_provider_is_asked() {
    sells(&["sandbox.webhook_wrong_amount_rate=1"]).await;
}

#[tokio::test]
async fn a_provider_that_limits_us_is_asked_more_slowly() {
    sells(&["sandbox.rate_limit_per_s=4"]).await;
}

/// A system whose grace is short, and a ticket of it with its payment address.
async fn with_a_short_grace(stock: u32, hold_ms: u64) -> (Server, String, String) {
    let server =
        Server::start(&["expiration.grace_ms=500", "payments.timeout_ms=200", "processor.retry_min_ms=50"]);
    server.sale("s", stock, json!({ "hold_ms": hold_ms })).await;
    let ticket = server.ticket("s").await;
    let url = server.payable(&ticket).await;
    (server, ticket, url)
}

/// The provider cannot be asked to close its door, the grace ends, and the buyer pays then.
async fn pays_late(server: &Server, ticket: &str, url: &str) {
    server.until(ticket, "expired").await;
    assert_eq!(server.pay(url, "pay").await.status, 303, "the door is still open");
}

#[tokio::test]
async fn a_process_under_another_address_makes_the_session_anew() {
    let mut server = Server::start(&["processor.retry_min_ms=50"]);
    server.sale("s", 1, json!({})).await;
    server.provider_faults(json!({ "error_after_effect_rate": 1.0 })).await;
    let ticket = server.ticket("s").await;
    let made = async {
        while server.provider_ledger().await["sessions"]["open"] != 1 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, made)
        .await
        .expect("the provider makes the session, and says that it failed");
    assert_eq!(server.status(&ticket).await["status"], "queued");
    server.kill();
    // It listens elsewhere now, and that is where this buyer returns to.
    server.restart();
    server.provider_faults(json!({})).await;
    let url = server.payable(&ticket).await;
    let paid = server.pay(&url, "pay").await;
    assert_eq!(paid.status, 303, "{}", paid.text);
    let back = format!("{}/return?ticket={ticket}", server.url);
    assert_eq!(paid.header("location"), Some(back.as_str()));
    server.until(&ticket, "confirmed").await;
    assert_eq!(server.clean_audit("s").await["sold"], 1);
}

#[tokio::test]
async fn late_money_buys_a_free_unit_again() {
    let (server, ticket, url) = with_a_short_grace(2, 1_000).await;
    server.provider_faults(json!({ "error_rate": 1.0 })).await;
    pays_late(&server, &ticket, &url).await;
    server.provider_faults(json!({ "latency_min_ms": 100, "latency_max_ms": 100 })).await;
    let confirmed = async {
        loop {
            let now = server.status(&ticket).await;
            if now["status"] == "confirmed" {
                return now;
            }
            assert_eq!(now["status"], "expired", "what ended changes to its new end only: {now}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let confirmed = tokio::time::timeout(PATIENCE, confirmed).await.expect("it is confirmed");
    assert_eq!(confirmed["reason"], "late-payment");
    assert_eq!(server.clean_audit("s").await["sold"], 1);
}

#[tokio::test]
async fn money_paid_in_time_is_found_after_the_grace_although_no_webhook_came() {
    let (server, ticket, url) = with_a_short_grace(1, 2_000).await;
    server.provider_faults(json!({ "webhook_drop_rate": 1.0, "error_rate": 1.0 })).await;
    assert_eq!(server.pay(&url, "pay").await.status, 303);
    server.until(&ticket, "expired").await;
    server.provider_faults(json!({ "webhook_drop_rate": 1.0 })).await;
    assert_eq!(server.until(&ticket, "confirmed").await["reason"], "late-payment");
    assert_eq!(server.clean_audit("s").await["sold"], 1);
    let ledger = server.provider_ledger().await;
    assert_eq!(ledger["currencies"]["EUR"]["captured"], 1_000, "{ledger}");
}

#[tokio::test]
async fn a_door_that_the_grace_left_open_is_closed_once_the_provider_answers() {
    let (server, ticket, url) = with_a_short_grace(1, 1_000).await;
    server.provider_faults(json!({ "error_rate": 1.0 })).await;
    let ended = server.until(&ticket, "expired").await;
    assert_eq!(server.provider_ledger().await["sessions"]["open"], 1);
    server.provider_faults(json!({})).await;
    let closed = async {
        while server.provider_ledger().await["sessions"]["open"] != 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, closed).await.expect("its door is closed");
    assert_eq!(server.pay(&url, "pay").await.status, 410, "nobody pays there any more");
    let still = server.status(&ticket).await;
    assert_eq!((&still["status"], &still["reason"]), (&ended["status"], &ended["reason"]));
    server.clean_audit("s").await;
    server.ticket("s").await;
}

#[tokio::test]
async fn late_money_without_a_free_unit_goes_back_once() {
    let (server, ticket, url) = with_a_short_grace(1, 1_000).await;
    server.provider_faults(json!({ "error_rate": 1.0 })).await;
    server.until(&ticket, "expired").await;
    // Somebody else takes the unit, and only then the money comes.
    let other = server.buyer().await;
    let taken = async {
        while server.buy("s", &other, "k").await.status != 202 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), taken).await.expect("the unit is free again");
    assert_eq!(server.pay(&url, "pay").await.status, 303);
    server.provider_faults(json!({})).await;
    server.until(&ticket, "refunded").await;
    let report = server.audit("s").await;
    assert_eq!(report["ok"], true, "{report}");
    let ledger = server.provider_ledger().await;
    assert_eq!(
        ledger["currencies"]["EUR"]["captured"], 0,
        "never charged: the authorisation was given up: {ledger}"
    );
    assert_eq!(ledger["currencies"]["EUR"]["voided"], 1_000, "{ledger}");
}

#[tokio::test]
async fn while_money_is_collected_the_document_stays_as_it_was() {
    let server = Server::start(&[]);
    server.sale("s", 1, json!({})).await;
    let ticket = server.ticket("s").await;
    let url = server.payable(&ticket).await;
    let before = server.status(&ticket).await;
    server.provider_faults(json!({ "latency_min_ms": 400, "latency_max_ms": 400 })).await;
    server.pay(&url, "pay").await;
    let mut looks = 0;
    let watching = async {
        loop {
            let now = server.status(&ticket).await;
            if now["status"] == "confirmed" {
                return;
            }
            for member in ["status", "reason", "checkout_url", "hold_expires_at"] {
                assert_eq!(now[member], before[member], "{member}: {now}");
            }
            looks += 1;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, watching).await.expect("it is confirmed");
    assert!(looks > 3, "it was looked at while the money was collected");
}

#[tokio::test]
async fn money_that_cannot_be_collected_does_not_blind_the_audit() {
    let server = Server::start(&["processor.retry_min_ms=50", "processor.retry_max_ms=100"]);
    server.sale("s", 2, json!({})).await;
    let ticket = server.ticket("s").await;
    let url = server.payable(&ticket).await;
    server.provider_faults(json!({ "error_rate": 1.0 })).await;
    assert_eq!(server.pay(&url, "pay").await.status, 303);
    let paid = async {
        while server.status(&ticket).await["version"].as_u64() < Some(3) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, paid).await.expect("the payment decides the order");
    for _ in 0..2 {
        let report = server.audit("s").await;
        assert_eq!((&report["ok"], &report["products"][0]["held"]), (&json!(true), &json!(1)), "{report}");
    }
    server.provider_faults(json!({})).await;
    server.until(&ticket, "confirmed").await;
    server.clean_audit("s").await;
}

#[tokio::test]
async fn a_provider_that_does_not_answer_keeps_no_unit_beyond_the_grace() {
    let server = Server::start(&["expiration.grace_ms=1500"]);
    server.sale("s", 1, json!({ "hold_ms": 1_000 })).await;
    let ticket = server.ticket("s").await;
    server.payable(&ticket).await;
    // Calls hang for as long as they are let, which is 10 s.
    server.provider_faults(json!({ "timeout_rate": 1.0 })).await;
    let freed = async {
        server.until(&ticket, "expired").await;
        server.available("s", 1).await;
    };
    tokio::time::timeout(Duration::from_secs(6), freed).await.expect("hold and grace are 2.5 s");
}

#[tokio::test]
async fn giving_up_is_answered_soon_although_the_provider_hangs() {
    let server = Server::start(&[]);
    server.sale("s", 1, json!({})).await;
    let ticket = server.ticket("s").await;
    server.payable(&ticket).await;
    // Calls hang for as long as they are let, which is 10 s.
    server.provider_faults(json!({ "timeout_rate": 1.0 })).await;
    let give_up = || server.request(Method::DELETE, &format!("/v1/orders/{ticket}"));
    let answer = tokio::time::timeout(Duration::from_secs(5), read(give_up())).await;
    let answer = answer.expect("a buyer waits no longer than for a checkout");
    let said = answer.json();
    assert_eq!((answer.status, &said["reason"]), (202, &json!("cancelling")), "{said}");
    assert_eq!(said["checkout_url"], json!(null), "{said}");
    server.provider_faults(json!({})).await;
    assert_eq!(server.until(&ticket, "cancelled").await["reason"], "by-buyer");
    assert_eq!(read(give_up()).await.status, 200);
    server.available("s", 1).await;
}

#[tokio::test]
async fn progress_that_nobody_makes_is_seen() {
    // Without an allocator, claims wait: the process is well, and nothing goes forward.
    let server = Server::with(&[
        "--role",
        "gateway",
        "--set",
        "payments.base_url=http://127.0.0.1:9",
        "--set",
        "payments.webhook_secret=whsec_1",
    ]);
    server.sale("s", 1, json!({})).await;
    server.ticket("s").await;
    let stalled = async || {
        let metrics = server.get("/metrics").await.text;
        let name = "tzero_progress_stalled_seconds{kind=\"allocation\"} ";
        let line = metrics.lines().find_map(|line| line.strip_prefix(name)).expect("the metric").to_owned();
        line.parse::<f64>().expect("a number")
    };
    stalled().await;
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    assert!(stalled().await > 1.0);
    let ready = server.get("/readyz").await;
    assert_eq!((ready.status, &ready.json()["degraded"]), (200, &json!(true)));
    // On stores of a fleet another process may have the role.
    let detail = ready.json()["dependencies"]["roles"]["detail"].as_str().expect("words").to_owned();
    assert_eq!(detail.contains("allocator"), crate::stores::servers().is_none(), "{detail}");
}

/// A provider that knows nobody; gives its address.
fn unwelcoming() -> String {
    use std::io::{Read as _, Write as _};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.expect("a connection");
            let said = r#"{"error":{"message":"Invalid API Key provided"}}"#;
            let head = "HTTP/1.1 401 Unauthorized\r\nconnection: close\r\ncontent-length";
            // Who goes away without an answer is nobody's trouble here.
            let _ = connection.read(&mut [0; 4_096]);
            let _ = write!(connection, "{head}: {}\r\n\r\n{said}", said.len());
        }
    });
    url
}

#[tokio::test]
async fn a_provider_that_refuses_our_key_is_said_before_the_first_buyer_comes() {
    let url = format!("payments.base_url={}", unwelcoming());
    let own = ["--set", &url, "--set", "payments.webhook_secret=whsec_1"];
    let calling = Server::with(&[&["--role", "gateway", "--role", "processor"], &own[..]].concat());
    let refused = async {
        loop {
            let ready = calling.get("/readyz").await;
            let payments = ready.json()["dependencies"]["payments"].clone();
            if payments["ready"] == false {
                assert_eq!(ready.status, 200, "{}", ready.text);
                break payments["detail"].as_str().expect("words").to_owned();
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let detail = tokio::time::timeout(PATIENCE, refused).await.expect("it is said");
    let words = "it refuses our key (401 Unauthorized: Invalid API Key provided); check payments.secret_key";
    assert_eq!(detail, words);
    assert_eq!(calling.log().matches(words).count(), 1, "{}", calling.log());
    let selling = Server::with(&[&["--role", "gateway"], &own[..]].concat());
    let payments = selling.get("/readyz").await.json()["dependencies"]["payments"].clone();
    assert_eq!(payments["ready"], true, "this process makes no such calls: {payments}");
}
