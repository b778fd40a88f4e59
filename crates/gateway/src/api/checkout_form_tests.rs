//! Tests.

use http::{HeaderMap, HeaderValue};

use super::*;
use crate::hot::KEY_HEADER;

fn read_with(header: Option<&str>, body: &str) -> Result<CheckoutForm, Problem> {
    let given = Given { key: header.map(str::as_bytes), ..Given::default() };
    read(&given, body.as_bytes())
}

fn fields(header: Option<&str>, body: &str) -> String {
    format!("{:?}", read_with(header, body).unwrap_err())
}

const BODY: &str = r#"{"user_id":"ann","product_id":"p"}"#;

#[test]
fn a_right_form_is_read_with_its_defaults() {
    let form =
        read_with(None, r#"{"user_id":"ann","product_id":"p","idempotency_key":"k","entry_token":null}"#)
            .unwrap();
    assert_eq!((form.user.as_str(), form.key.as_str(), form.quantity), ("ann", "k", 1));
    let escaped = read_with(
        None,
        "{\"user_id\":\"\\u0061nn\",\"product_id\":\"p\",\"idempotency_key\":\"k\",\"quantity\":100}",
    );
    assert_eq!(escaped.unwrap().quantity, 100);
}

#[test]
fn the_header_is_a_quoted_text_or_the_bare_text() {
    for (header, key) in [("k-1", "k-1"), ("\"k-1\"", "k-1"), ("\"a\\\"b\\\\c\"", "a\"b\\c")] {
        assert_eq!(read_with(Some(header), BODY).unwrap().key.as_str(), key, "{header}");
    }
    for wrong in ["\"open", "\"a\"b\"", "\"bad\\escape\"", "a b", "\"\""] {
        assert!(fields(Some(wrong), BODY).contains("dempotency"), "{wrong}");
    }
    let mut twice = HeaderMap::new();
    twice.append(KEY_HEADER, HeaderValue::from_static("a"));
    twice.append(KEY_HEADER, HeaderValue::from_static("a"));
    assert!(
        format!("{:?}", read(&Given::of(&twice), BODY.as_bytes()).unwrap_err()).contains("must be sent once")
    );
}

#[test]
fn every_mistake_is_named_at_once() {
    let all = fields(None, r#"{"user_id":"a b","product_id":"P","quantity":101,"entry_token":1,"x":1}"#);
    for field in ["user_id", "product_id", "quantity", "entry_token", "\"x\"", "idempotency_key"] {
        assert!(all.contains(field), "{field} in {all}");
    }
    let twice = r#"{"user_id":"ann","user_id":"ann","product_id":"p","idempotency_key":"k"}"#;
    let twice = fields(None, twice);
    assert!(twice.contains("\"user_id\"") && twice.contains("is there more than once"), "{twice}");
    assert!(fields(None, "[1]").contains("must be a JSON object"));
    // It may be left out; where it is there, it is a number.
    let null = BODY.replacen('{', r#"{"quantity":null,"#, 1);
    assert!(fields(Some("k"), &null).contains("\"quantity\""));
}

#[test]
fn a_member_too_much_is_refused_though_all_else_is_right() {
    let more = BODY.replacen('{', r#"{"price":"0.01","#, 1);
    assert!(fields(Some("k"), &more).contains("\"price\""));
    assert!(read_with(Some("k"), BODY).is_ok());
}
