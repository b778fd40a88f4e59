//! A whole sale becomes the body to post; every mistake says line, member and what would be right.

use serde_json::json;

use super::read;

const SALE: &str = r#"sale_id = "sneaker-drop"
name = "Sneaker drop"
starts_at = 2026-11-27T10:00:00+01:00
ends_at = "2026-11-27T21:00:00.5Z"
mode = "rush"
hold_ms = 120_000

[[products]]
product_id = "air-1"
name = "Air One"
price = { amount = "149.90", currency = "EUR" }
compare_at = { amount = "179", currency = "EUR" }
stock = 500
max_per_user = 2

[[products]]
product_id = "air-2"
name = "Air Two"
stock = 0
[products.price]
amount = "14990"
currency = "JPY"
"#;

/// What is said of the sale after `from` became `to`.
fn said(from: &str, to: &str) -> Vec<String> {
    assert!(SALE.contains(from), "{from} is not in the sale");
    let mistakes = read("sale.toml", &SALE.replacen(from, to, 1)).unwrap_err();
    mistakes.all().iter().map(ToString::to_string).collect()
}

#[test]
fn whom_a_sale_asks_is_one_of_three_words() {
    for word in ["never", "suspects", "always"] {
        let text = SALE.replacen("mode = \"rush\"", &format!("challenge = \"{word}\""), 1);
        assert_eq!(read("sale.toml", &text).unwrap()["challenge"], word);
    }
    let wrong = said("mode = \"rush\"", "challenge = \"sometimes\"");
    assert_eq!(wrong.len(), 1);
    assert!(wrong[0].starts_with("sale.toml:5: challenge: must be \"never\""), "{wrong:?}");
    let near = said("mode = \"rush\"", "chalenge = \"always\"");
    assert!(near[0].contains("the nearest known one is challenge"), "{near:?}");
}

#[test]
fn a_whole_sale_becomes_the_body_to_post() {
    let body = read("sale.toml", SALE).unwrap();
    let expected = json!({
        "sale_id": "sneaker-drop", "name": "Sneaker drop",
        "starts_at": "2026-11-27T09:00:00.000Z", "ends_at": "2026-11-27T21:00:00.500Z",
        "mode": "rush", "hold_ms": 120_000,
        "products": [
            {"product_id": "air-1", "name": "Air One", "price": {"amount": "149.90", "currency": "EUR"},
             "compare_at": {"amount": "179", "currency": "EUR"}, "stock": 500, "max_per_user": 2},
            {"product_id": "air-2", "name": "Air Two", "price": {"amount": "14990", "currency": "JPY"}, "stock": 0}
        ]
    });
    assert_eq!(body, expected);
}

#[test]
fn every_mistake_says_line_member_and_what_would_be_right() {
    for (from, to, expected) in [
        ("mode =", "mod =", "sale.toml:5: mod: unknown member; the nearest known one is mode"),
        (
            "stock = 500",
            "stok = 500",
            "sale.toml:8: products[0].stock: is missing; it must be a whole number from 0 to 16777215\n\
             sale.toml:13: products[0].stok: unknown member; the nearest known one is products[0].stock",
        ),
        (
            "stock = 500",
            "stock = 16777216",
            "sale.toml:13: products[0].stock: must be a whole number from 0 to 16777215, and not the number 16777216",
        ),
        (
            "stock = 0",
            "stock = \"0\"",
            "sale.toml:19: products[1].stock: must be a whole number from 0 to 16777215, and not the text \"0\"",
        ),
        (
            "max_per_user = 2",
            "max_per_user = 0",
            "sale.toml:14: products[0].max_per_user: must be a whole number from 1 to 100, and not the number 0",
        ),
        (
            "hold_ms = 120_000",
            "hold_ms = 10",
            "sale.toml:6: hold_ms: must be a whole number from 1000 to 86400000, and not the number 10",
        ),
        (
            "\"rush\"",
            "\"auction\"",
            "sale.toml:5: mode: must be \"rush\" (first come, first served), the one mode that is served, and not the text \"auction\"",
        ),
        (
            "\"rush\"",
            "\"draw\"",
            "sale.toml:5: mode: must be \"rush\" (first come, first served), the one mode that is served, and not the text \"draw\"",
        ),
        (
            "mode = \"rush\"",
            "shards = 2",
            "sale.toml:5: shards: must be 1: one shard serves a sale, and not the number 2",
        ),
        (
            "stock = 500",
            "stock = 500\nimage_url = \"http://shop.example/air.png\"",
            "sale.toml:14: products[0].image_url: must be an address that begins with https:// or / and has at most 2000 characters, and not the text \"http://shop.example/air.png\"",
        ),
        (
            "stock = 500",
            "stock = 500\nimage_url = \"//shop.example/air.png\"",
            "sale.toml:14: products[0].image_url: must be an address that begins with https:// or / and has at most 2000 characters, and not the text \"//shop.example/air.png\"",
        ),
        (
            "{ amount = \"179\", currency = \"EUR\" }",
            "{ amount = \"179\", currency = \"USD\" }",
            "sale.toml:12: products[0].compare_at: must be in the currency of the price, EUR, and not in USD",
        ),
        (
            "\"sneaker-drop\"",
            "\"Sneaker Drop\"",
            "sale.toml:1: sale_id: must be 1 to 64 of a-z, 0-9 and '-' in quotes, and begin with a letter or digit, and not the text \"Sneaker Drop\"",
        ),
        (
            "2026-11-27T10:00:00+01:00",
            "2026-11-27T10:00:00",
            "sale.toml:3: starts_at: must be an instant from 1970 to 9999 with its offset, such as 2026-11-27T09:00:00Z, and not the date 2026-11-27T10:00:00",
        ),
        (
            "2026-11-27T21:00:00.5Z",
            "2026-11-27T08:00:00Z",
            "sale.toml:4: ends_at: must be later than starts_at (2026-11-27T09:00:00.000Z)",
        ),
        (
            "name = \"Sneaker drop\"",
            "name = \"\"",
            "sale.toml:2: name: must be a text of 1 to 200 characters, without line breaks or marks that turn its direction, and not the text \"\"",
        ),
        (
            "name = \"Sneaker drop\"",
            "name = \"Sneaker\\u202Edrop\"",
            "sale.toml:2: name: must be a text of 1 to 200 characters, without line breaks or marks that turn its direction, and not the text \"Sneaker\\u{202e}drop\"",
        ),
        (
            "amount = \"149.90\"",
            "amount = 149.90",
            "sale.toml:11: products[0].price.amount: must be a decimal number in quotes, such as \"49.90\", and not the number 149.9",
        ),
        (
            "amount = \"14990\"",
            "amount = \"149.90\"",
            "sale.toml:21: products[1].price.amount: has more digits after the point than JPY allows (0)",
        ),
        (
            "currency = \"JPY\"",
            "currency = \"yen\"",
            "sale.toml:22: products[1].price.currency: must be an ISO 4217 code in capitals such as \"EUR\"",
        ),
        (
            "compare_at = { amount = \"179\", currency = \"EUR\" }",
            "compare_at = \"179\"",
            "sale.toml:12: products[0].compare_at: must be a table such as { amount = \"49.90\", currency = \"EUR\" }, and not the text \"179\"",
        ),
        (
            "\"air-2\"",
            "\"air-1\"",
            "sale.toml:17: products[1].product_id: \"air-1\" is another product's identifier already; each needs its own",
        ),
    ] {
        assert_eq!(said(from, to).join("\n"), expected, "{from} -> {to}");
    }
}

#[test]
fn all_mistakes_are_named_at_once() {
    let mistakes = read("sale.toml", "name = 3\nproducts = []\n").unwrap_err();
    let members: Vec<&str> = mistakes.all().iter().map(|mistake| mistake.key.as_str()).collect();
    assert_eq!(members, ["name", "sale_id", "starts_at", "products"], "{mistakes}");
    assert!(
        mistakes.to_string().contains("sale.toml:2: products: must be a list of one or more products"),
        "{mistakes}"
    );
    assert!(mistakes.to_string().contains("and not an empty list"), "{mistakes}");
    let scattered = read("sale.toml", "[[products]]\n").unwrap_err();
    assert_eq!(scattered.all().len(), 3 + 4, "{scattered}");
}

#[test]
fn what_is_not_toml_is_named_with_its_line() {
    let mistakes = read("sale.toml", "sale_id = \"a\"\nname = \n").unwrap_err();
    assert!(mistakes.to_string().starts_with("sale.toml:2: not TOML: "), "{mistakes}");
}

#[test]
fn a_json_file_is_judged_as_a_toml_file_is() {
    let sale = r#"{
  "sale_id": "drop", "name": "Drop",
  "starts_at": "2026-11-27T10:00:00+01:00",
  "products": [{
    "product_id": "p", "name": "P", "image_url": null, "compare_at": null,
    "price": { "amount": "1.00", "currency": "EUR" },
    "stock": 5
  }]
}"#;
    let body = read("sale.json", sale).unwrap();
    assert_eq!(
        (&body["starts_at"], &body["products"][0]["stock"]),
        (&json!("2026-11-27T09:00:00.000Z"), &json!(5))
    );
    let said = |from: &str, to: &str| read("sale.json", &sale.replacen(from, to, 1)).unwrap_err().to_string();
    assert_eq!(
        said("\"stock\": 5", "\"stock\": -5"),
        "sale.json:7: products[0].stock: must be a whole number from 0 to 16777215, and not the number -5"
    );
    assert_eq!(
        said("\"name\": \"Drop\"", "\"name\": null"),
        "sale.json:2: name: must be a text of 1 to 200 characters, without line breaks or marks that turn its direction, and not null"
    );
    assert_eq!(said("\"P\",", "\"P\""), "sale.json:5: not JSON: expected `,` or `}`");
}
