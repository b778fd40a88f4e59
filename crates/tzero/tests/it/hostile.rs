//! What nobody should send: answered by the contract, nothing held, nothing leaked.

use std::time::Duration;

use hmac::{Hmac, Mac};
use reqwest::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::harness::{Buyer, Server, read};

async fn raw(server: &Server, bytes: &[u8]) -> String {
    let address = server.gateway.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    stream.write_all(bytes).await.expect("sent");
    let mut answer = Vec::new();
    let ended = tokio::time::timeout(Duration::from_secs(8), stream.read_to_end(&mut answer)).await;
    drop(ended.expect("the server ends the connection"));
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn bodies_that_are_no_checkout_are_400_and_hold_nothing() {
    let server = Server::start(&["limits.user_per_s=0"]);
    server.sale("s", 5, json!({})).await;
    let buyer = server.buyer().await;
    let bodies = [
        "",
        "{",
        "[]",
        "null",
        "7",
        "\"x\"",
        "{}",
        "{\"user_id\":1}",
        "\u{0}",
        "{\"a\":{\"a\":{\"a\":1}}}",
        "{\"user_id\":\"x\",\"user_id\":\"y\",\"product_id\":\"p\",\"idempotency_key\":\"k\"}",
        "{\"user_id\":\"../../etc\",\"product_id\":\"p\",\"idempotency_key\":\"k\"}",
        "{\"user_id\":\"x\",\"product_id\":\"p\",\"idempotency_key\":\"k\",\"quantity\":1e99}",
        "{\"user_id\":\"x\",\"product_id\":\"p\",\"idempotency_key\":\"k\",\"quantity\":-1}",
        "{\"user_id\":\"x\",\"product_id\":\"p\",\"idempotency_key\":\"k\",\"quantity\":1.5}",
        "{\"user_id\":\"x\",\"product_id\":\"p\",\"idempotency_key\":\"k k\"}",
    ];
    for body in bodies {
        let request = server.request(Method::POST, "/v1/sales/s/checkout").bearer_auth(&buyer.token);
        let answer = read(request.header("content-type", "application/json").body(body)).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (400, "invalid-request"),
            "{body}: {}",
            answer.text
        );
        assert!(!answer.json()["errors"].as_array().expect("errors").is_empty(), "{body}");
    }
    let deep = format!("{}{}", "[".repeat(2_000), "]".repeat(2_000));
    let request = server.request(Method::POST, "/v1/sales/s/checkout").bearer_auth(&buyer.token);
    assert_eq!(read(request.header("content-type", "application/json").body(deep)).await.status, 400);
    assert_eq!(server.clean_audit("s").await["held"], 0);
}

#[tokio::test]
async fn huge_heads_and_bodies_are_refused_by_their_size() {
    let server = Server::start(&[]);
    let huge = format!("GET /v1/time HTTP/1.1\r\nhost: x\r\nx-a: {}\r\n\r\n", "a".repeat(40_000));
    let answer = raw(&server, huge.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 431"));
    assert!(answer.contains("\"instance\":\"/v1/time\""), "{answer}");
    let twice = raw(&server, b"GET /v1/time?x=1 HTTP/1.1\r\nhost: x\r\nhost: y\r\n\r\n").await;
    assert!(twice.starts_with("HTTP/1.1 400") && twice.contains("\"instance\":\"/v1/time\""), "{twice}");
    let many: String = (0..200).map(|n| format!("x-{n}: 1\r\n")).collect();
    let many = format!("GET /v1/time HTTP/1.1\r\nhost: x\r\n{many}\r\n");
    assert!(raw(&server, many.as_bytes()).await.starts_with("HTTP/1.1 431"));
    let said = "POST /v1/sales/s/checkout HTTP/1.1\r\nhost: x\r\ncontent-length: 999999999\r\nconnection: close\r\n\r\n";
    assert!(raw(&server, said.as_bytes()).await.starts_with("HTTP/1.1 413"));
    assert!(raw(&server, b"\x16\x03\x01 nonsense\r\n\r\n").await.starts_with("HTTP/1.1 400"));
    assert_eq!(server.get("/healthz").await.status, 200);
}

#[tokio::test]
async fn slow_clients_are_cut_in_time() {
    let settings =
        ["server.header_timeout_ms=500", "server.body_timeout_ms=500", "server.idle_timeout_ms=700"];
    let server = Server::start(&settings);
    // A head that never ends: the connection is closed without an answer.
    assert_eq!(raw(&server, b"GET /v1/time HTTP/1.1\r\nhost: x\r\n").await, "");
    let slow =
        "POST /v1/sales/s/checkout HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\nconnection: close\r\n\r\n{";
    let answer = raw(&server, slow.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("request-timeout"), "{answer}");
    assert!(answer.contains("\"instance\":\"/v1/sales/s/checkout\""), "{answer}");
    let idle = raw(&server, b"GET /v1/time HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(idle.starts_with("HTTP/1.1 200"), "answered, and closed once idle: {idle}");
}

#[tokio::test]
async fn tickets_that_are_not_ours_are_404_and_say_no_more() {
    let server = Server::start(&[]);
    server.sale("s", 5, json!({})).await;
    let ticket = server.ticket("s").await;
    let mut forged: Vec<char> = ticket.chars().collect();
    let middle = forged.len() / 2;
    forged[middle] = if forged[middle] == 'A' { 'B' } else { 'A' };
    let forged: String = forged.into_iter().collect();
    let long = "A".repeat(5_000);
    let foreign = Server::start(&[]);
    foreign.sale("s", 5, json!({})).await;
    let foreign = foreign.ticket("s").await;
    for wrong in [forged.as_str(), "x", "%00", &long, &foreign, &ticket[..ticket.len() - 1]] {
        for (method, path) in [
            (Method::GET, format!("/v1/orders/status/{wrong}")),
            (Method::GET, format!("/v1/orders/status/{wrong}/events")),
            (Method::DELETE, format!("/v1/orders/{wrong}")),
            (Method::POST, format!("/v1/orders/{wrong}/extend")),
        ] {
            let answer = read(server.request(method, &path)).await;
            assert_eq!((answer.status, answer.code().as_str()), (404, "unknown-ticket"), "{path}");
        }
    }
    assert_eq!(server.get(&format!("/return?ticket={forged}")).await.status, 404);
}

#[tokio::test]
async fn webhooks_that_are_not_the_providers_change_nothing() {
    let server = Server::start(&["payments.webhook_secret=whsec_known"]);
    server.sale("s", 1, json!({})).await;
    let ticket = server.ticket("s").await;
    server.payable(&ticket).await;
    let body = json!({ "id": "evt_1", "type": "checkout.session.completed", "data": { "object": {
        "client_reference_id": "00", "payment_intent": "pi_1", "amount_total": 1000, "currency": "eur" } } })
    .to_string();
    let now = jiff::Timestamp::now().as_second();
    let sign = |secret: &str, at: i64| {
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).expect("any length");
        mac.update(format!("{at}.{body}").as_bytes());
        let hex: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        format!("t={at},v1={hex}")
    };
    let send = |signature: Option<String>| {
        let request = server.request(Method::POST, "/v1/payments/webhooks/sandbox").body(body.clone());
        read(match signature {
            Some(signature) => request.header("stripe-signature", signature),
            None => request,
        })
    };
    for signature in [
        None,
        Some(String::new()),
        Some("t=1,v1=zz".into()),
        Some(sign("whsec_other", now)),
        Some(sign("whsec_known", now - 3_600)),
    ] {
        let answer = send(signature).await;
        assert_eq!((answer.status, answer.code().as_str()), (400, "invalid-webhook"), "{}", answer.text);
    }
    assert_eq!(send(Some(sign("whsec_known", now))).await.status, 200, "signed, and about nothing of ours");
    let other = read(server.request(Method::POST, "/v1/payments/webhooks/nobody").body(body.clone())).await;
    assert_eq!(other.status, 404);
    let large =
        read(server.request(Method::POST, "/v1/payments/webhooks/sandbox").body("x".repeat(65_537))).await;
    assert_eq!((large.status, large.code().as_str()), (413, "body-too-large"));
    assert_eq!(server.status(&ticket).await["status"], "awaiting_payment");
}

/// Every operation of the operator's, as the document tells them, for sale `s` and a ticket.
async fn operations(server: &Server, ticket: &str) -> Vec<(Method, String)> {
    let document = server.get("/openapi.json").await.json();
    let mut found = Vec::new();
    for (path, methods) in document["paths"].as_object().expect("paths") {
        if path.starts_with("/admin/") {
            let path = path.replace("{sale_id}", "s").replace("{queue_ticket_id}", ticket);
            for method in methods.as_object().expect("methods").keys().filter(|name| *name != "parameters") {
                let method = Method::from_bytes(method.to_uppercase().as_bytes()).expect("a method");
                found.push((method, path.clone()));
            }
        }
    }
    assert!(found.len() >= 16 && !found.iter().any(|(_, path)| path.contains('{')), "{found:?}");
    found
}

#[tokio::test]
async fn the_operators_addresses_want_the_token() {
    let server = Server::start(&[]);
    server.sale("s", 2, json!({})).await;
    let (buyer, ticket) = (server.buyer().await, server.ticket("s").await);
    let url = server.payable(&ticket).await;
    server.pay(&url, "pay").await;
    server.until(&ticket, "confirmed").await;
    let token = server.token();
    let half = &token[..token.len() / 2];
    for (method, path) in operations(&server, &ticket).await {
        let ask = |path: &str| {
            let request = server.request(method.clone(), path).header("idempotency-key", "k");
            request
                .json(&json!({ "product_id": "p", "units": 7, "name": "Taken over", "text": "Taken over" }))
        };
        let in_two_ways = ask(&path).bearer_auth("wrong").bearer_auth(&token);
        for (how, request) in [
            ("without one", ask(&path)),
            ("with a wrong one", ask(&path).bearer_auth("wrong")),
            ("with half of it", ask(&path).bearer_auth(half)),
            ("with more than it", ask(&path).bearer_auth(format!("{token}x"))),
            ("with a buyer's session", ask(&path).bearer_auth(&buyer.token)),
            ("with two", in_two_ways),
            ("with another scheme", ask(&path).header("authorization", format!("Basic {token}"))),
            ("with it in the address", ask(&format!("{path}?token={token}&access_token={token}"))),
            ("with it in a cookie", ask(&path).header("cookie", format!("token={token}"))),
        ] {
            let answer = read(request).await;
            assert_eq!(
                (answer.status, answer.code().as_str()),
                (401, "not-authorised"),
                "{method} {path} {how}"
            );
            assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
        }
    }
    assert_eq!(server.get("/v1/sales/s").await.json()["state"], "live");
    assert_eq!(server.get("/v1/sales/s").await.json()["name"], "Test");
    let product = server.clean_audit("s").await;
    assert_eq!((&product["stock"], &product["sold"]), (&json!(2), &json!(1)));
    let actions = server.admin(Method::GET, "actions", None).await.json();
    assert_eq!(actions["actions"].as_array().map(Vec::len), Some(1), "the sale was made: {actions}");
}

#[tokio::test]
async fn whatever_an_operator_changes_is_kept_with_who_and_when() {
    let server = Server::start(&[]);
    server.sale("s", 2, json!({})).await;
    let ticket = server.ticket("s").await;
    let url = server.payable(&ticket).await;
    server.pay(&url, "pay").await;
    server.until(&ticket, "confirmed").await;
    let restock = server.request(Method::POST, "/admin/v1/sales/s/restock").bearer_auth(server.token());
    let restock = restock.header("idempotency-key", "k").json(&json!({ "product_id": "p", "units": 3 }));
    assert_eq!(read(restock).await.status, 200);
    for (method, path, body) in [
        (Method::PATCH, "sales/s".to_owned(), Some(json!({ "name": "New" }))),
        (Method::POST, "sales/s/message".to_owned(), Some(json!({ "message": "Soon" }))),
        (Method::POST, "sales/s/pause".to_owned(), None),
        (Method::POST, "sales/s/resume".to_owned(), None),
        (Method::POST, format!("orders/{ticket}/refund"), None),
        (Method::POST, "sales/s/end".to_owned(), None),
    ] {
        let answer = server.admin(method, &path, body).await;
        assert!(answer.status < 300, "{path}: {} {}", answer.status, answer.text);
    }
    let kept = server.admin(Method::GET, "actions", None).await.json();
    let kept = kept["actions"].as_array().expect("actions");
    for action in ["create", "restock", "patch", "message", "pause", "resume", "refund", "end"] {
        let found = kept.iter().filter(|each| each["action"] == action);
        assert_eq!(found.count(), 1, "{action} in {kept:?}");
    }
    assert!(kept.iter().all(|each| each["actor"] == "operator" && each["at"].is_string()), "{kept:?}");
}

#[tokio::test]
async fn one_buyer_has_one_hold_however_often_and_under_whatever_keys_they_ask() {
    let server = Server::start(&["limits.user_per_s=0"]);
    server.sale("s", 50, json!({})).await;
    let (ann, bob) = (server.buyer().await, server.buyer().await);
    let same = futures::future::join_all((0..30).map(|_| server.buy("s", &ann, "k"))).await;
    let mut tickets: Vec<String> = same.iter().map(crate::harness::Answer::ticket).collect();
    assert!(same.iter().all(|answer| answer.status == 202), "a replay is answered as the first was");
    tickets.dedup();
    assert_eq!(tickets.len(), 1, "{tickets:?}");
    let keys: Vec<String> = (0..30).map(|number| format!("k{number}")).collect();
    let others = futures::future::join_all(keys.iter().map(|key| server.buy("s", &bob, key))).await;
    let taken: Vec<_> = others.iter().filter(|answer| answer.status == 202).collect();
    assert_eq!(taken.len(), 1);
    assert!(others.iter().all(|answer| answer.status == 202 || answer.code() == "limit-reached"));
    // A key is its user's alone: under somebody else's there is no way to their ticket.
    assert_eq!(server.buy("s", &bob, "k").await.ticket(), taken[0].ticket());
    assert_ne!(taken[0].ticket(), tickets[0]);
    let stolen = Buyer { user: ann.user.clone(), token: bob.token.clone() };
    assert_eq!(server.buy("s", &stolen, "k").await.code(), "user-mismatch");
    assert_eq!(server.clean_audit("s").await["held"], 2);
}

#[tokio::test]
async fn unknown_addresses_and_methods_are_said() {
    let server = Server::start(&[]);
    let nowhere = server.get("/v1/nothing").await;
    assert_eq!((nowhere.status, nowhere.code().as_str()), (404, "not-found"));
    let wrong = read(server.request(Method::PUT, "/v1/time")).await;
    assert_eq!((wrong.status, wrong.code().as_str()), (405, "method-not-allowed"));
    assert!(wrong.header("allow").expect("Allow").contains("GET"));
    let wrong = read(server.request(Method::GET, "/v1/sales/s/checkout")).await;
    assert_eq!(wrong.status, 405);
}

#[tokio::test]
async fn operators_queries_and_bodies_have_each_member_once_and_none_that_is_unknown() {
    let server = Server::start(&[]);
    server.sale("s", 1, json!({})).await;
    let wrong = [
        ("actions?limit=1", "limit"),
        ("sales?x=", "x"),
        ("sales/s/audit?deep=1", "deep"),
        ("sales/s/orders?status=queued&status=queued", "status"),
        ("sales/s/orders?colour=", "colour"),
    ];
    for (path, field) in wrong {
        let answer = server.admin(Method::GET, path, None).await;
        assert_eq!((answer.status, answer.code().as_str()), (400, "invalid-request"), "{path}");
        assert_eq!(answer.json()["errors"][0]["field"], field, "{path}");
        assert_eq!(server.get(&format!("/admin/v1/{path}")).await.status, 401, "{path}: no token");
    }
    assert_eq!(server.admin(Method::GET, "sales/s/orders?status=queued&cursor=", None).await.status, 200);
    let body = "{\"product_id\":\"p\",\"units\":1,\"units\":2}";
    let request = server.request(Method::POST, "/admin/v1/sales/s/restock").bearer_auth(server.token());
    let request = request.header("content-type", "application/json").header("idempotency-key", "k");
    let answer = read(request.body(body)).await;
    assert_eq!((answer.status, answer.json()["errors"][0]["field"].as_str()), (400, Some("units")));
}

#[tokio::test]
async fn sales_with_mistakes_name_every_member() {
    let server = Server::start(&[]);
    let wrong = json!({
        "sale_id": "Not A Slug", "name": "", "starts_at": "yesterday", "mode": "draw", "hold_ms": 5, "shards": 2, "colour": 1,
        "products": [{ "product_id": "p", "name": "P", "price": { "amount": "1.999", "currency": "EUR" }, "stock": -1 }],
    });
    let answer = server.admin(Method::POST, "sales", Some(wrong)).await;
    assert_eq!(answer.status, 400);
    let errors = answer.json()["errors"].to_string();
    for field in [
        "sale_id",
        "name",
        "starts_at",
        "mode",
        "hold_ms",
        "shards",
        "colour",
        "products[0].price.amount",
        "products[0].stock",
    ] {
        assert!(errors.contains(&format!("\"{field}\"")), "{field} in {errors}");
    }
    server.sale("s", 1, json!({})).await;
    let again = json!({ "sale_id": "s", "name": "S", "starts_at": "2030-01-01T00:00:00Z",
        "products": [{ "product_id": "p", "name": "P", "price": { "amount": "1", "currency": "EUR" }, "stock": 1 }] });
    assert_eq!(server.admin(Method::POST, "sales", Some(again)).await.code(), "sale-exists");
    let live = server.admin(Method::PATCH, "sales/s", Some(json!({ "hold_ms": 5_000 }))).await;
    assert_eq!((live.status, live.code().as_str()), (409, "already-live"));
    assert_eq!(
        server.admin(Method::PATCH, "sales/s", Some(json!({ "name": "New" }))).await.json()["name"],
        "New"
    );
}

#[tokio::test]
async fn paths_that_are_no_text_and_browsers_get_the_contracts_problems() {
    let server = Server::start(&[]);
    for (method, path, status, code) in [
        (Method::GET, "/v1/sales/%ff", 404, "unknown-sale"),
        (Method::GET, "/v1/orders/status/%ff", 404, "unknown-ticket"),
        (Method::GET, "/v1/orders/status/%ff/events", 404, "unknown-ticket"),
        (Method::DELETE, "/v1/orders/%ff", 404, "unknown-ticket"),
        (Method::POST, "/v1/orders/%ff/extend", 404, "unknown-ticket"),
        (Method::POST, "/v1/payments/webhooks/%ff", 404, "not-found"),
        (Method::GET, "/admin/v1/sales/%ff", 401, "not-authorised"),
        (Method::GET, "/v1/nowhere", 404, "not-found"),
    ] {
        let asked = server.request(method, path).header("accept", "text/html,*/*");
        let answer = read(asked).await;
        assert_eq!((answer.status, answer.code()), (status, code.to_owned()), "{path}: {}", answer.text);
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{path}");
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
    }
    server.sale("s", 1, json!({})).await;
    let ticket = server.ticket("s").await;
    let head = read(server.request(Method::HEAD, &format!("/v1/orders/status/{ticket}"))).await;
    assert_eq!((head.status, head.text.as_str()), (200, ""));
    // What a client has encoded without need means the same, by whichever way its request is answered.
    let encoded: String = ticket.bytes().map(|byte| format!("%{byte:02X}")).collect();
    for method in [Method::GET, Method::HEAD] {
        let asked = read(server.request(method, &format!("/v1/orders/status/{encoded}"))).await;
        assert_eq!(asked.status, 200, "{}", asked.text);
    }
    server.sale("t", 1, json!({})).await;
    let buyer = server.buyer().await;
    assert_eq!(server.buy("%74", &buyer, "k").await.status, 202);
}

#[tokio::test]
async fn those_who_are_sent_away_together_are_told_to_come_back_apart() {
    let server = Server::start(&["limits.checkout_queue=1"]);
    server.sale("s", 1_000, json!({})).await;
    let buyers = server.buyers(60).await;
    let mut waits = std::collections::BTreeSet::new();
    for _ in 0..20 {
        let asked = buyers.iter().map(|buyer| server.buy("s", buyer, "k"));
        for answer in futures::future::join_all(asked).await.iter().filter(|answer| answer.status == 503) {
            waits.insert(answer.header("retry-after").expect("a wait").to_owned());
        }
        if waits.len() > 2 {
            return;
        }
    }
    panic!("everybody was told the same: {waits:?}");
}

#[tokio::test]
async fn what_buyers_have_goes_on_while_checkouts_are_sent_away() {
    let server = Server::start(&["limits.checkout_queue=1", "limits.user_per_s=0"]);
    server.sale("s", 100_000, json!({ "max_per_user": 2 })).await;
    let (buyer, crowd) = (server.buyer().await, server.buyers(60).await);
    let ticket = server.buy("s", &buyer, "mine").await.ticket();
    let url = server.payable(&ticket).await;
    let (over, shed) = (std::sync::atomic::AtomicBool::new(false), std::sync::atomic::AtomicU64::new(0));
    let pressing = async {
        while !over.load(std::sync::atomic::Ordering::Relaxed) {
            let asked = crowd.iter().map(|buyer| server.buy("s", buyer, "k"));
            let away = futures::future::join_all(asked).await.iter().filter(|one| one.status == 503).count();
            shed.fetch_add(away as u64, std::sync::atomic::Ordering::Relaxed);
        }
    };
    let going_on = async {
        for _ in 0..50 {
            assert_eq!(server.get(&format!("/v1/orders/status/{ticket}")).await.status, 200);
        }
        let taken = loop {
            let tried = server.buy("s", &buyer, "another").await;
            if tried.status == 202 {
                break tried;
            }
        };
        let path = format!("/v1/orders/{}", taken.ticket());
        assert!([200, 202].contains(&read(server.request(Method::DELETE, &path)).await.status));
        assert!(server.pay(&url, "pay").await.status < 400);
        server.until(&ticket, "confirmed").await;
        over.store(true, std::sync::atomic::Ordering::Relaxed);
    };
    tokio::join!(pressing, going_on);
    assert!(shed.into_inner() > 0, "nobody was sent away");
    let metrics = server.get("/metrics").await.text;
    assert!(metrics.contains("\ntzero_checkout_places 1\n"), "{metrics}");
    server.clean_audit("s").await;
}

#[tokio::test]
async fn a_request_of_two_meanings_or_with_a_long_token_says_what_would_be_right() {
    let server = Server::start(&[]);
    server.sale("s", 5, json!({})).await;
    let buyer = server.buyer().await;
    let ask =
        |types: &[&str], tokens: &[&str]| {
            let mut request = server.request(Method::POST, "/v1/sales/s/checkout");
            for named in types {
                request = request.header("content-type", *named);
            }
            for token in tokens {
                request = request.header("authorization", format!("Bearer {token}"));
            }
            read(request.body(
                json!({ "user_id": buyer.user, "product_id": "p", "idempotency_key": "k" }).to_string(),
            ))
        };
    let json = "application/json";
    assert_eq!(ask(&[json, "text/plain"], &[&buyer.token]).await.status, 415);
    assert_eq!(ask(&["application/json; charset=utf-16"], &[&buyer.token]).await.status, 415);
    assert_eq!(ask(&[json], &[&buyer.token, "another"]).await.code(), "invalid-session");
    let long = ask(&[json], &[&"a".repeat(4_097)]).await;
    assert_eq!((long.status, long.code().as_str()), (401, "invalid-session"));
    let detail = long.json()["detail"].as_str().expect("a detail").to_owned();
    assert!(detail.contains("too long") && detail.contains("4097") && detail.contains("4096"), "{detail}");
    assert_eq!(ask(&["application/json;charset=utf-8"], &[&buyer.token]).await.status, 202);
    let path = format!("/{}", "a".repeat(4_000));
    assert!(server.get(&path).await.text.len() < 1_000, "a long path is not sent back");
}

#[tokio::test]
async fn streams_that_are_begun_and_reset_at_once_end_their_connection_and_are_counted() {
    let server = Server::start(&[]);
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".to_vec();
    for stream in (1..4_000_u32).step_by(2) {
        // GET / over http, and RST_STREAM with CANCEL.
        bytes.extend(b"\0\0\x03\x01\x05".iter().chain(&stream.to_be_bytes()).chain(b"\x82\x86\x84"));
        bytes.extend(b"\0\0\x04\x03\0".iter().chain(&stream.to_be_bytes()).chain(&8_u32.to_be_bytes()));
    }
    let mut stream =
        TcpStream::connect(server.gateway.trim_start_matches("http://")).await.expect("a connection");
    // The other end may go while this is written.
    drop(stream.write_all(&bytes).await);
    drop(tokio::time::timeout(Duration::from_secs(8), stream.read_to_end(&mut Vec::new())).await);
    let metrics = server.get("/metrics").await.text;
    assert!(metrics.contains("tzero_dropped_total{reason=\"http2-abuse\"} 1"), "{metrics}");
}
