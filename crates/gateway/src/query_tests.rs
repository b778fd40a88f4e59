//! Tests.

use super::*;

fn wrong(query: &str, known: &[&str]) -> Vec<String> {
    mistakes(query, known).into_iter().map(|error| error.field).collect()
}

#[test]
fn what_is_unknown_or_there_twice_is_named_once_and_the_rest_is_taken() {
    let known = ["status", "cursor"];
    assert!(wrong("", &known).is_empty());
    assert!(wrong("status=&cursor=1", &known).is_empty());
    assert_eq!(wrong("status=a&status=a&status=b", &known), ["status"]);
    assert_eq!(wrong("colour=&colour=1&cursor=1", &known), ["colour"]);
    assert_eq!(wrong("limit=1", &[]), ["limit"]);
    assert_eq!(wrong("st%61tus=1&status=2", &known), ["status"], "names are compared decoded");
}

#[test]
fn the_one_member_that_counts_is_there_once() {
    let of = |query| only(query, "sale_id", "is missing");
    assert_eq!(of(Some("x=1&sale%5Fid=a&x=2")).unwrap(), "a");
    for (query, detail) in [
        (None, "is missing"),
        (Some("sale=a"), "is missing"),
        (Some("sale_id=a&sale_id=a"), REPEATED),
        (Some("sale_id=a&sale%5fid=b"), REPEATED),
    ] {
        let wrong = of(query).unwrap_err();
        assert_eq!((wrong.field.as_str(), wrong.detail.as_str()), ("sale_id", detail), "{query:?}");
    }
}
