//! Tests.

use serde_json::json;

use super::*;

fn news(kind: &str, object: &Value) -> Result<WebhookNews, WebhookRefusal> {
    let event = json!({ "id": "evt_1", "type": kind, "data": { "object": object } });
    read(event.to_string().as_bytes()).map(|event| event.news)
}

#[test]
fn a_payment_is_read_with_its_amount() {
    let session = json!({ "payment_intent": "pi_1", "amount_total": 1_000, "currency": "eur" });
    let Ok(WebhookNews::Paid(paid)) = news("checkout.session.completed", &session) else { panic!() };
    assert_eq!(
        (paid.payment.as_str(), paid.amount.minor, paid.amount.currency.code()),
        ("pi_1", 1_000, "EUR")
    );
    assert!(matches!(news("payment_intent.payment_failed", &json!({})), Ok(WebhookNews::Declined)));
}

#[test]
fn sessions_of_others_on_the_same_account_are_taken_and_change_nothing() {
    for foreign in [
        json!({ "mode": "subscription", "payment_intent": null, "amount_total": 900, "currency": "eur" }),
        json!({ "mode": "setup", "payment_intent": null, "amount_total": null, "currency": null }),
        json!({ "payment_intent": "pi_1", "amount_total": 5, "currency": "points" }),
    ] {
        let found = news("checkout.session.completed", &foreign);
        assert!(matches!(found, Ok(WebhookNews::Other(_))), "{foreign}: {found:?}");
    }
}

#[test]
fn what_is_no_event_is_refused() {
    for wrong in ["", "[]", "{}", r#"{"id":"evt_1"}"#, r#"{"id":5,"type":"x"}"#] {
        assert_eq!(read(wrong.as_bytes()).err(), Some(WebhookRefusal::Body), "{wrong}");
    }
}
