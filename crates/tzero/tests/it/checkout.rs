//! The contract's table of answers to a checkout, row by row.

use reqwest::Method;
use serde_json::json;

use crate::harness::{Answer, Server, read};

fn is_problem(answer: &Answer, status: u16, code: &str) {
    assert_eq!((answer.status, answer.code().as_str()), (status, code), "{}", answer.text);
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    let body = answer.json();
    assert_eq!(body["type"], format!("/problems/{code}"));
    assert_eq!(body["status"], status);
    assert!(body["title"].is_string() && body["detail"].is_string() && body["instance"].is_string());
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
}

fn retry_after(answer: &Answer) -> u64 {
    answer.header("retry-after").expect("Retry-After").parse().expect("seconds")
}

#[tokio::test]
async fn a_granted_checkout_has_every_member() {
    let server = Server::start(&[]);
    server.sale("s", 5, json!({})).await;
    let buyer = server.buyer().await;
    let answer = server.buy("s", &buyer, "k").await;
    assert_eq!(answer.status, 202);
    let body = answer.json();
    assert_eq!(answer.header("location"), body["status_url"].as_str());
    assert_eq!(body["status"], "queued");
    assert!(body["hold_expires_at"].is_null());
    assert!(body["poll_after_ms"].as_u64().is_some_and(|ms| ms > 0));
    assert_eq!(body["status_url"], format!("/v1/orders/status/{}", answer.ticket()));
    assert_eq!(answer.header("idempotent-replayed"), None);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn the_same_key_gives_the_same_ticket_and_other_terms_are_refused() {
    let server = Server::start(&[]);
    server.sale("s", 5, json!({ "max_per_user": 3 })).await;
    let buyer = server.buyer().await;
    let first = server.buy("s", &buyer, "k").await;
    let again = server.buy("s", &buyer, "k").await;
    assert_eq!((again.status, again.ticket()), (202, first.ticket()));
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    is_problem(&read(server.checkout("s", &buyer, "k", 2)).await, 422, "idempotency-key-reused");
    assert_eq!(server.clean_audit("s").await["held"], 1);
}

#[tokio::test]
async fn the_header_may_replace_the_member_and_must_agree_with_it() {
    let server = Server::start(&[]);
    server.sale("s", 5, json!({})).await;
    let buyer = server.buyer().await;
    let body = json!({ "user_id": buyer.user, "product_id": "p" });
    let ask = |key: &str, body: &serde_json::Value| {
        let request = server.request(Method::POST, "/v1/sales/s/checkout").bearer_auth(&buyer.token);
        read(request.header("Idempotency-Key", key).json(body))
    };
    let quoted = ask("\"a-key\"", &body).await;
    assert_eq!(quoted.status, 202, "{}", quoted.text);
    assert_eq!(ask("a-key", &body).await.ticket(), quoted.ticket());
    let mut both = body.clone();
    both["idempotency_key"] = "a-key".into();
    assert_eq!(ask("\"a-key\"", &both).await.ticket(), quoted.ticket());
    both["idempotency_key"] = "another".into();
    is_problem(&ask("a-key", &both).await, 400, "invalid-request");
}

#[tokio::test]
async fn refusals_come_in_the_order_of_the_table() {
    let server = Server::start(&[]);
    server.sale("s", 5, json!({ "max_per_user": 2 })).await;
    let buyer = server.buyer().await;
    let other = server.buyer().await;
    let path = "/v1/sales/s/checkout";
    let post = || server.request(Method::POST, path);
    // The body is too large, whatever else is wrong.
    is_problem(&read(post().body("x".repeat(5_000))).await, 413, "body-too-large");
    is_problem(&read(post().body("{")).await, 415, "unsupported-media-type");
    let json = |request: reqwest::RequestBuilder| request.header("content-type", "application/json");
    let unauthorised = read(json(post()).body("{")).await;
    is_problem(&unauthorised, 401, "invalid-session");
    assert_eq!(unauthorised.header("www-authenticate"), Some("Bearer"));
    is_problem(&read(json(post()).bearer_auth("forged").body("{")).await, 401, "invalid-session");
    is_problem(&read(json(post()).bearer_auth(&buyer.token).body("{")).await, 400, "invalid-request");
    let mixed = json!({ "user_id": "!", "product_id": 7, "quantity": 0, "colour": "red" });
    let all = read(post().bearer_auth(&buyer.token).json(&mixed)).await;
    is_problem(&all, 400, "invalid-request");
    let fields: Vec<String> = all.json()["errors"]
        .as_array()
        .expect("errors")
        .iter()
        .map(|error| error["field"].as_str().expect("a field").to_owned())
        .collect();
    for field in ["user_id", "product_id", "quantity", "colour", "idempotency_key"] {
        assert!(fields.iter().any(|found| found == field), "{field} in {fields:?}");
    }
    let stolen = json!({ "user_id": other.user, "product_id": "p", "idempotency_key": "k" });
    is_problem(&read(post().bearer_auth(&buyer.token).json(&stolen)).await, 403, "user-mismatch");
    is_problem(&server.buy("nowhere", &buyer, "k").await, 404, "unknown-sale");
    is_problem(&server.buy("No%20Sale", &buyer, "k").await, 404, "unknown-sale");
    let product = json!({ "user_id": buyer.user, "product_id": "q", "idempotency_key": "k" });
    is_problem(&read(post().bearer_auth(&buyer.token).json(&product)).await, 404, "unknown-product");
    let much = read(server.checkout("s", &buyer, "k", 3)).await;
    is_problem(&much, 400, "invalid-request");
    assert_eq!(much.json()["errors"][0]["field"], "quantity");
    is_problem(&read(server.checkout("s", &buyer, "k", 101)).await, 400, "invalid-request");
    // No refusal has bound the key.
    assert_eq!(server.buy("s", &buyer, "k").await.status, 202);
}

#[tokio::test]
async fn the_limit_names_the_newest_ticket_and_no_wait() {
    let server = Server::start(&[]);
    server.sale("s", 5, json!({ "max_per_user": 2 })).await;
    let buyer = server.buyer().await;
    server.buy("s", &buyer, "one").await;
    let room_for_one = read(server.checkout("s", &buyer, "two", 2)).await;
    is_problem(&room_for_one, 409, "limit-reached");
    assert!(room_for_one.text.contains("would be more than one buyer may have"), "{}", room_for_one.text);
    let second = server.buy("s", &buyer, "two").await;
    let limited = server.buy("s", &buyer, "three").await;
    is_problem(&limited, 409, "limit-reached");
    assert_eq!(limited.ticket(), second.ticket());
    assert_eq!(limited.header("retry-after"), None);
}

#[tokio::test]
async fn too_early_says_when_and_paused_stops_new_checkouts_only() {
    let server = Server::start(&[]);
    let soon = jiff::Timestamp::now() + jiff::SignedDuration::from_millis(2_500);
    server.sale("s", 5, json!({ "starts_at": soon.to_string() })).await;
    let buyer = server.buyer().await;
    let early = server.buy("s", &buyer, "k").await;
    is_problem(&early, 403, "sale-not-started");
    assert!((1..=3).contains(&retry_after(&early)));
    assert!(early.json()["starts_at"].is_string());
    tokio::time::sleep(std::time::Duration::from_millis(2_600)).await;
    let ticket = server.buy("s", &buyer, "k").await;
    assert_eq!(ticket.status, 202, "{}", ticket.text);
    assert_eq!(server.admin(Method::POST, "sales/s/pause", None).await.status, 200);
    let newcomer = server.buyer().await;
    let paused = server.buy("s", &newcomer, "k").await;
    is_problem(&paused, 503, "paused");
    retry_after(&paused);
    assert_eq!(server.buy("s", &buyer, "k").await.ticket(), ticket.ticket(), "replays come before refusals");
    assert_eq!(server.get("/v1/sales/s").await.json()["state"], "paused");
    assert_eq!(server.admin(Method::POST, "sales/s/resume", None).await.status, 200);
    assert_eq!(server.buy("s", &newcomer, "k").await.status, 202);
    assert_eq!(server.admin(Method::POST, "sales/s/end", None).await.status, 200);
    let late = server.buyer().await;
    is_problem(&server.buy("s", &late, "k").await, 410, "sale-ended");
    assert_eq!(server.buy("s", &buyer, "k").await.ticket(), ticket.ticket());
    assert_eq!(server.get("/v1/sales/s").await.json()["state"], "ended");
}

#[tokio::test]
async fn held_is_409_and_only_confirmed_is_410() {
    let server = Server::start(&[]);
    server.sale("s", 1, json!({})).await;
    let winner = server.buyer().await;
    let ticket = server.buy("s", &winner, "k").await.ticket();
    let loser = server.buyer().await;
    let held = server.buy("s", &loser, "k").await;
    is_problem(&held, 409, "all-units-held");
    retry_after(&held);
    assert!(held.json().get("next_release_at").is_some());
    let url = server.payable(&ticket).await;
    assert_eq!(server.buy("s", &loser, "k").await.code(), "all-units-held");
    assert_eq!(server.pay(&url, "pay").await.status, 303);
    server.until(&ticket, "confirmed").await;
    server.clean_audit("s").await;
    let out = server.buy("s", &loser, "k").await;
    is_problem(&out, 410, "sold-out");
    assert_eq!(server.get("/v1/sales/s").await.json()["state"], "sold_out");
    assert_eq!(
        server.buy("s", &winner, "k").await.ticket(),
        ticket,
        "the winner finds their ticket after sell-out"
    );
}

#[tokio::test]
async fn never_a_part_of_what_was_asked_for() {
    let server = Server::start(&[]);
    server.sale("s", 3, json!({ "max_per_user": 5 })).await;
    let buyer = server.buyer().await;
    is_problem(&read(server.checkout("s", &buyer, "k", 4)).await, 409, "not-enough-units");
    assert_eq!(server.clean_audit("s").await["held"], 0);
    assert_eq!(read(server.checkout("s", &buyer, "k", 3)).await.status, 202);
    assert_eq!(server.clean_audit("s").await["held"], 3);
}

#[tokio::test]
async fn too_many_checkouts_of_one_user_are_429_with_headers() {
    let server = Server::start(&["limits.user_per_s=1", "limits.user_burst=3"]);
    server.sale("s", 5, json!({})).await;
    let buyer = server.buyer().await;
    for _ in 0..3 {
        assert_eq!(server.buy("s", &buyer, "k").await.status, 202);
    }
    let limited = server.buy("s", &buyer, "k").await;
    is_problem(&limited, 429, "rate-limited");
    retry_after(&limited);
    assert!(limited.header("ratelimit-policy").expect("a policy").contains("q=3"));
    assert!(limited.header("ratelimit").expect("a standing").contains("r=0"));
    let other = server.buyer().await;
    assert_eq!(server.buy("s", &other, "k").await.status, 202, "somebody else is not limited by that");
}

#[tokio::test]
async fn browsers_of_other_origins_may_ask_first() {
    let server = Server::start(&[]);
    let asked = read(server.request(Method::OPTIONS, "/v1/sales/s/checkout")).await;
    assert_eq!(asked.status, 204);
    assert_eq!(asked.header("access-control-allow-origin"), Some("*"));
    assert_eq!(asked.header("access-control-max-age"), Some("7200"));
    let exposed = asked.header("access-control-expose-headers").expect("exposed headers");
    assert_eq!(exposed, "Retry-After, Location, Idempotent-Replayed, RateLimit, RateLimit-Policy");
}

#[tokio::test]
async fn the_sale_document_stays_the_same_bytes_and_has_an_etag() {
    let server = Server::start(&[]);
    server.sale("s", 5, json!({})).await;
    let first = server.get("/v1/sales/s").await;
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    let again = server.get("/v1/sales/s").await;
    assert_eq!(first.text, again.text);
    assert_eq!(first.header("vary"), Some("Accept-Encoding"));
    let cache = "public, max-age=1, s-maxage=1, stale-while-revalidate=5, stale-if-error=60";
    assert_eq!(first.header("cache-control"), Some(cache));
    let etag = first.header("etag").expect("an ETag");
    assert!(etag.starts_with('"'), "strong");
    let unchanged = read(server.request(Method::GET, "/v1/sales/s").header("if-none-match", etag)).await;
    assert_eq!((unchanged.status, unchanged.text.as_str()), (304, ""));
    for _ in 0..5 {
        server.ticket("s").await;
    }
    server.forgotten("/v1/sales/s").await;
    let changed = read(server.request(Method::GET, "/v1/sales/s").header("if-none-match", etag)).await;
    assert_eq!(changed.status, 200);
    assert_eq!(changed.json()["products"][0]["availability"], "all_held");
}

#[tokio::test]
async fn whoever_could_not_have_a_payment_address_in_time_is_refused_before_a_unit_is_taken() {
    // One address a second and a promise of twenty seconds: about twenty may wait.
    let settings = [
        "processor.rate_per_s=1",
        "processor.payment_address_deadline_ms=20000",
        "limits.user_per_s=0",
        "limits.network_per_s=0",
    ];
    let server = Server::start(&settings);
    server.sale("one", 1, json!({})).await;
    let holder = server.buyer().await;
    assert_eq!(server.buy("one", &holder, "k").await.status, 202);
    server.sale("s", 10_000, json!({ "max_per_user": 100 })).await;
    let (early, mut granted) = (server.buyers(40).await, 0_u64);
    let mut keys = early.iter().flat_map(|buyer| (0..100).map(move |key| (buyer, format!("k{key}"))));
    let answer = loop {
        let (buyer, key) = keys.next().expect("it is refused before all of these are answered");
        let answer = server.buy("s", buyer, &key).await;
        if answer.status != 202 {
            break answer;
        }
        granted += 1;
    };
    is_problem(&answer, 503, "overloaded");
    assert!(retry_after(&answer) >= 1);
    assert!(granted >= 15, "{granted} could have been served");
    // Where others may make addresses too, the rate is measured first.
    assert!(granted <= 45 || crate::stores::servers().is_some(), "{granted} were let in");
    // What can be said without taking a unit is said all the same.
    let again = server.buy("s", &early[0], "k0").await;
    assert_eq!((again.status, again.header("idempotent-replayed")), (202, Some("true")), "{}", again.text);
    is_problem(&server.buy("one", &holder, "another").await, 409, "limit-reached");
    is_problem(&server.buy("one", &early[1], "k").await, 409, "all-units-held");
    let metrics = server.orders_metrics().await;
    let wait = metrics.lines().find_map(|line| line.strip_prefix("tzero_payment_address_wait_seconds "));
    assert!(wait.expect("the metric").parse::<f64>().expect("a number") > 15.0, "{wait:?}");
    let held = server.audit("s").await["products"][0]["held"].as_u64().expect("a number");
    assert!(held <= granted, "nothing was taken for who was refused: {held} of {granted}");
}
