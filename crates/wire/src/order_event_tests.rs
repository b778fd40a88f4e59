//! The bytes of an order's event.

use domain::few::Few;
use domain::id::{ProductId, SaleId, TicketId, UserId};
use domain::money::Money;
use domain::order::Reason;
use domain::status::Status;
use domain::time::Timestamp;

use super::{OrderFact, write};

fn fact() -> OrderFact {
    OrderFact {
        ticket: TicketId([0x5a; 16]),
        sale: SaleId::parse("drop").unwrap(),
        product: ProductId::parse("red-shoe").unwrap(),
        user_id: UserId::parse("ann").unwrap(),
        quantity: 2,
        units: [4, 9].into_iter().collect(),
        amount: Some(Money::parse("99.80", "EUR").unwrap()),
        status: Status::Confirmed,
        reason: None,
        version: 4,
        changed_at: Timestamp::from_millis(1_764_064_800_123),
    }
}

#[test]
fn the_bytes_are_these() {
    let event = write(&fact());
    assert_eq!(event.key, "5a".repeat(16));
    let headers = event.headers.map(|(name, value)| format!("{name}: {value}"));
    assert_eq!(
        headers,
        [
            "ce_specversion: 1.0",
            "ce_type: tzero.order.v1",
            "ce_source: /sales/drop",
            "ce_id: 5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a.4",
            "ce_subject: 5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a",
            "ce_time: 2025-11-25T10:00:00.123Z",
            "content-type: application/json",
        ]
    );
    let golden = concat!(
        r#"{"ticket":"5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a","sale":"drop","product":"red-shoe","user_id":"ann","#,
        r#""quantity":2,"units":[4,9],"amount":"99.80","currency":"EUR","status":"confirmed","reason":null,"#,
        r#""version":4,"changed_at":"2025-11-25T10:00:00.123Z"}"#
    );
    assert_eq!(String::from_utf8(event.value).unwrap(), golden);
}

#[test]
fn without_an_amount_and_with_a_reason_it_is_json_too() {
    let fact = OrderFact {
        units: Few::new(),
        amount: None,
        status: Status::Expired,
        reason: Some(Reason::NotPaid),
        ..fact()
    };
    let json: serde_json::Value = serde_json::from_slice(&write(&fact).value).unwrap();
    assert_eq!(json["reason"], "not-paid");
    assert_eq!(json["units"], serde_json::json!([]));
    assert_eq!((json.get("amount"), json.get("currency")), (None, None));
}
