//! A buyer whose answer was lost gets the same ticket at any later time.

use serde_json::json;

use crate::harness::{Answer, Buyer, Server, read};

async fn again(server: &Server, buyer: &Buyer) -> Answer {
    let answer = server.buy("s", buyer, "k").await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    assert_eq!(answer.header("idempotent-replayed"), Some("true"));
    answer
}

#[tokio::test]
async fn tickets_are_the_same_bytes_after_confirm_cancel_expiry_sell_out_and_restart() {
    let mut server = Server::start(&[]);
    server.sale("s", 3, json!({ "hold_ms": 1_000 })).await;
    let (paid, given_up, lapsed) = (server.buyer().await, server.buyer().await, server.buyer().await);
    let mut tickets = Vec::new();
    for buyer in [&paid, &given_up, &lapsed] {
        tickets.push(server.buy("s", buyer, "k").await.ticket());
    }
    let url = server.payable(&tickets[0]).await;
    assert_eq!(server.pay(&url, "pay").await.status, 303);
    server.until(&tickets[0], "confirmed").await;
    read(server.request(reqwest::Method::DELETE, &format!("/v1/orders/{}", tickets[1]))).await;
    server.until(&tickets[2], "expired").await;
    server.available("s", 2).await;
    // Sell out.
    for _ in 0..2 {
        let ticket = server.ticket("s").await;
        let url = server.payable(&ticket).await;
        assert_eq!(server.pay(&url, "pay").await.status, 303);
        server.until(&ticket, "confirmed").await;
    }
    server.clean_audit("s").await;
    let newcomer = server.buyer().await;
    assert_eq!(server.buy("s", &newcomer, "k").await.code(), "sold-out");
    let buyers = [(&paid, "confirmed"), (&given_up, "cancelled"), (&lapsed, "expired")];
    for ((buyer, status), ticket) in buyers.iter().zip(&tickets) {
        let answer = again(&server, buyer).await;
        assert_eq!((&answer.ticket(), answer.json()["status"].as_str()), (ticket, Some(*status)));
    }
    assert_eq!(server.terminate(), Some(0), "a graceful end");
    server.restart();
    for ((buyer, status), ticket) in buyers.iter().zip(&tickets) {
        let answer = again(&server, buyer).await;
        assert_eq!((&answer.ticket(), answer.json()["status"].as_str()), (ticket, Some(*status)));
        assert_eq!(server.status(ticket).await["status"], *status);
    }
    assert_eq!(server.buy("s", &newcomer, "k").await.code(), "sold-out", "the proof survives a restart");
    assert_eq!(server.clean_audit("s").await["sold"], 3);
}

#[tokio::test]
async fn an_order_under_way_goes_on_after_a_kill() {
    let mut server = Server::start(&[]);
    server.sale("s", 2, json!({})).await;
    let (waiting, paying) = (server.ticket("s").await, server.ticket("s").await);
    let url = server.payable(&paying).await;
    assert_eq!(server.pay(&url, "pay").await.status, 303);
    server.kill();
    server.restart();
    // The webhook is sent again by the provider's own durable queue, to the address that it has now.
    server.payable(&waiting).await;
    server.until(&paying, "confirmed").await;
    assert_eq!(server.clean_audit("s").await["sold"], 1);
}
