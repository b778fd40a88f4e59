//! Tests.

use serde_json::json;

use super::*;

#[test]
fn a_member_that_is_there_twice_is_named_with_its_place() {
    let said = |body: &[u8]| format!("{:?}", read(body).expect_err("refused"));
    assert!(said(br#"{"stock":1,"stock":2}"#).contains("stock: is there more than once"));
    let deep = said(br#"{"products":[{},{"price":{"amount":"1","amount":"1"}}]}"#);
    assert!(deep.contains("products[1].price.amount: is there more than once"), "{deep}");
}

#[test]
fn anything_else_is_read_as_it_is() {
    let body = json!({ "a": [1, -1, 1.5, null, true, "é\n"], "b": { "a": {} } });
    assert_eq!(read(body.to_string().as_bytes()).unwrap(), body);
    for broken in ["", "{", "{} {}", "{\"a\":}"] {
        assert!(read(broken.as_bytes()).is_err(), "{broken}");
    }
}
