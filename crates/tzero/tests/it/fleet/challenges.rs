//! A sale that asks, where gateways are several and orders are served elsewhere.

use altcha::Challenge;
use serde_json::json;

use super::Fleet;
use crate::challenge::sent;
use crate::harness::{Answer, read};

impl Fleet {
    /// A sale of one unit a buyer that asks everybody, known to both gateways.
    async fn asking(&self, id: &str) {
        let body = json!({
            "sale_id": id, "name": "Test", "starts_at": "2020-01-01T00:00:00Z", "ends_at": "2099-01-01T00:00:00Z",
            "challenge": "always",
            "products": [{ "product_id": "p", "name": "P", "price": { "amount": "10.00", "currency": "EUR" }, "stock": 5 }],
        });
        self.sale_of(&body).await;
    }
}

#[tokio::test]
async fn a_challenge_of_one_gateway_is_good_at_another_and_the_limit_holds_at_both() {
    let fleet = Fleet::start(&["challenge.difficulty_min=20", "challenge.difficulty_max=20"]);
    fleet.asking("s").await;
    let session = read(fleet.http.post(format!("{}/v1/sessions", fleet.gateways[0]))).await.json();
    let (user, token) =
        (session["user_id"].as_str().expect("a user"), session["session_token"].as_str().expect("a token"));
    let buy = async |gateway: usize, key: &str, solution: Option<&str>| -> Answer {
        let url = format!("{}/v1/sales/s/checkout", fleet.gateways[gateway]);
        let body = json!({ "user_id": user, "product_id": "p", "idempotency_key": key });
        let mut request = fleet.http.post(url).bearer_auth(token).json(&body);
        if let Some(solution) = solution {
            request = request.header("challenge-solution", solution);
        }
        read(request).await
    };
    for gateway in 0..2 {
        assert_eq!(buy(gateway, "k", None).await.code(), "challenge-required");
    }
    let url = format!("{}/v1/challenge?sale_id=s", fleet.gateways[0]);
    let challenge = read(fleet.http.get(url).bearer_auth(token)).await;
    let challenge: Challenge = serde_json::from_str(&challenge.text).expect("a challenge");
    let solution = sent(&challenge);
    let taken = buy(1, "k", Some(&solution)).await;
    assert_eq!(taken.status, 202, "the orders node is told that it was passed: {}", taken.text);
    for gateway in 0..2 {
        assert_eq!(buy(gateway, "k", None).await.ticket(), taken.ticket(), "a replay asks nobody");
    }
    assert_eq!(buy(1, "k2", Some(&solution)).await.code(), "challenge-required", "it was spent there");
    // The other gateway does not know that. What one buyer may have, the inventory knows.
    assert_eq!(buy(0, "k2", Some(&solution)).await.code(), "limit-reached");
}
