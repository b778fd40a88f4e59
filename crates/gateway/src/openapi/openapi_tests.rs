//! Tests.

use super::*;

fn answers(path: &str, method: &str) -> Map<String, Value> {
    made()["paths"][path][method]["responses"].as_object().expect("an operation").clone()
}

fn headers(answer: &Value) -> Vec<&str> {
    answer["headers"].as_object().into_iter().flat_map(Map::keys).map(String::as_str).collect()
}

#[test]
fn headers_that_clients_read_are_told() {
    let checkout = answers("/v1/sales/{sale_id}/checkout", "post");
    for (status, expected) in [
        ("202", &["Idempotent-Replayed", "Location"][..]),
        ("401", &["WWW-Authenticate"]),
        ("403", &["Retry-After"]),
        ("409", &["Retry-After"]),
        ("410", &[]),
        ("429", &["RateLimit", "RateLimit-Policy", "Retry-After"]),
        ("503", &["Retry-After"]),
    ] {
        let mut told = headers(&checkout[status]);
        told.sort_unstable();
        assert_eq!(told, expected, "{status}");
    }
    for status in ["200", "304"] {
        assert!(headers(&answers("/v1/sales/{sale_id}", "get")[status]).contains(&"ETag"), "{status}");
    }
    assert_eq!(headers(&answers("/readyz", "get")["503"]), [""; 0], "it is no problem document");
}

#[test]
fn a_change_of_a_sale_has_no_defaults_and_may_name_what_stays() {
    let schemas = &made()["components"]["schemas"];
    assert_eq!(schemas["SaleForm"]["properties"]["hold_ms"]["default"], 300_000);
    for (name, member) in schemas["SalePatch"]["properties"].as_object().expect("members") {
        assert_eq!(member["default"], Value::Null, "{name}");
    }
    for named in ["sale_id", "shards", "message"] {
        assert!(schemas["SalePatch"]["properties"][named].is_object(), "{named}");
    }
}

#[test]
fn answers_have_every_member_also_what_is_null() {
    let schemas = &made()["components"]["schemas"];
    for (schema, member) in
        [("Accepted", "hold_expires_at"), ("Document", "checkout_url"), ("PublicProduct", "compare_at")]
    {
        let required = schemas[schema]["required"].as_array().expect("members");
        assert!(required.contains(&json!(member)), "{schema}.{member}");
    }
    assert_eq!(
        schemas["Problem"]["required"].as_array().map(Vec::len),
        Some(6),
        "the others come where they belong"
    );
}

#[test]
fn the_largest_price_is_one_that_the_document_allows() {
    let money = &made()["components"]["schemas"]["SaleForm"]["properties"]["products"]["items"]["properties"]
        ["price"];
    let patterns: Vec<_> = money["anyOf"].as_array().expect("groups").iter().collect();
    let pattern =
        |at: usize| patterns[at]["properties"]["amount"]["pattern"].as_str().expect("a pattern").to_owned();
    // 1000000000000 JPY, 10000000000.00 EUR, 1000000000.000 KWD.
    assert!(pattern(0).contains("{1,13}") && pattern(1).contains("{1,11}") && pattern(2).contains("{1,10}"));
}
