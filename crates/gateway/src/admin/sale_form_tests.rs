//! Tests.

use serde_json::json;

use super::*;

fn least() -> Value {
    json!({ "sale_id": "s", "name": "S", "starts_at": "2026-01-01T00:00:00Z",
        "products": [{ "product_id": "p", "name": "P", "price": { "amount": "1.00", "currency": "EUR" }, "stock": 3 }] })
}

#[test]
fn what_is_not_said_has_the_contracts_defaults() {
    let sale = sale(&least()).unwrap();
    assert_eq!(sale.ends_at.millis_since(sale.starts_at), DEFAULT_SALE_MS);
    assert_eq!((sale.hold_ms, sale.extension_ms, sale.shards, sale.mode), (300_000, 0, 1, Mode::Rush));
    assert_eq!(sale.challenge, ChallengeRule::Never);
    let product = &sale.products[0];
    assert_eq!((product.max_per_user, product.image_url.clone(), product.compare_at), (1, None, None));
}

#[test]
fn each_wrong_member_is_refused_by_its_name() {
    let cases = [
        ("/name", json!("a\u{0}b"), "name"),
        ("/products/0/name", json!("a\u{1b}[31m"), "products[0].name"),
        ("/name", json!("a\nb"), "name"),
        ("/name", json!("a\u{202e}b"), "name"),
        ("/products/0/name", json!("a\tb"), "products[0].name"),
        ("/products/0/name", json!("a\u{2066}b"), "products[0].name"),
        ("/hold_ms", json!(999), "hold_ms"),
        ("/hold_ms", json!(86_400_001), "hold_ms"),
        ("/ends_at", json!("2025-01-01T00:00:00Z"), "ends_at"),
        ("/shards", json!(2), "shards"),
        ("/mode", json!("draw"), "mode"),
        ("/challenge", json!("sometimes"), "challenge"),
        ("/challenge", json!(true), "challenge"),
        ("/challenge", json!(null), "challenge"),
        ("/products", json!([]), "products"),
        ("/products/0/stock", json!(16_777_216), "products[0].stock"),
        ("/products/0/max_per_user", json!(101), "products[0].max_per_user"),
        ("/products/0/price", json!({ "amount": "1.00", "currency": "EURO" }), "products[0].price.currency"),
        ("/products/0/price", json!({ "amount": "1,00", "currency": "EURO" }), "products[0].price.amount"),
        (
            "/products/0/price",
            json!({ "amount": 10, "currency": "eur", "z": 1 }),
            "products[0].price.currency",
        ),
        ("/products/0/price", json!({ "amount": 10, "currency": "eur", "z": 1 }), "products[0].price.amount"),
        ("/products/0/price", json!({ "amount": 10, "currency": "eur", "z": 1 }), "products[0].price.z"),
        ("/products/0/price", json!({ "currency": "EUR" }), "products[0].price.amount"),
        ("/products/0/price", json!(1), "products[0].price"),
        ("/products/0/image_url", json!("javascript:alert(1)"), "products[0].image_url"),
        ("/products/0/image_url", json!("//evil.example/x.png"), "products[0].image_url"),
        ("/products/0/image_url", json!("/\\evil.example/x.png"), "products[0].image_url"),
        ("/products/0/colour", json!("red"), "products[0].colour"),
        ("/products/0/compare_at", json!({ "amount": "5", "currency": "JPY" }), "products[0].compare_at"),
        ("/starts_at", json!("20300101T000000Z"), "starts_at"),
        ("/starts_at", json!("2030-01-01T00Z"), "starts_at"),
        ("/starts_at", json!("9999-12-31T23:00:00Z"), "starts_at"),
        ("/starts_at", json!("2030-01-01T00:00:00Z[UTC]"), "starts_at"),
    ];
    for (pointer, value, field) in cases {
        let mut body = least();
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        body.pointer_mut(parent).unwrap()[name] = value;
        let said = format!("{:?}", sale(&body).unwrap_err());
        assert!(said.contains(&format!("String(\"{field}\")")), "{field}: {said}");
    }
    let mut twice = least();
    twice["products"] = json!([least()["products"][0], least()["products"][0]]);
    assert!(format!("{:?}", sale(&twice).unwrap_err()).contains("products[1].product_id"));
}

#[test]
fn a_change_has_only_what_may_change() {
    let known = sale(&least()).unwrap();
    let patch = |value: Value| patch(&value, &known);
    let changed = patch(json!({ "name": "N", "ends_at": "2030-01-01T00:00:00Z" })).unwrap();
    assert_eq!(changed.redefines(), Vec::<&str>::new());
    assert_eq!(patch(json!({ "hold_ms": 5_000 })).unwrap().redefines(), vec!["hold_ms"]);
    let asks = patch(json!({ "challenge": "suspects" })).unwrap();
    assert_eq!((asks.challenge, asks.redefines()), (Some(ChallengeRule::Suspects), vec!["challenge"]));
    assert_eq!(patch(json!({ "sale_id": "s", "shards": 1 })).unwrap(), SalePatch::default());
    for (wrong, field) in [
        (json!({ "sale_id": "other" }), "sale_id"),
        (json!({ "shards": 2 }), "shards"),
        (json!({ "message": 7 }), "message"),
        (json!({ "ends_at": "2025-01-01T00:00:00Z" }), "ends_at"),
        (json!({ "starts_at": "2040-01-01T00:00:00Z" }), "starts_at"),
        (json!({ "name": 5, "ends_at": "2025-01-01T00:00:00Z" }), "ends_at"),
        (json!({ "name": 5, "ends_at": "2025-01-01T00:00:00Z" }), "name"),
    ] {
        let said = format!("{:?}", patch(wrong).unwrap_err());
        assert!(said.contains(&format!("String(\"{field}\")")), "{field}: {said}");
    }
    // A sale that was ended before its start has its instants the wrong way round, and can be renamed.
    let ended = Sale { ends_at: known.starts_at, ..known.clone() };
    assert!(super::patch(&json!({ "name": "N" }), &ended).is_ok());
}
