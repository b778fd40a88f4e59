//! Tests.

use http::{HeaderMap, StatusCode};

use super::*;

fn answer(status: u16, headers: &[(&'static str, &str)], body: &str) -> Answer {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.insert(*name, value.parse().unwrap());
    }
    Answer { status: StatusCode::from_u16(status).unwrap(), headers: map, body: body.to_owned().into() }
}

const PROBLEM: (&str, &str) = ("content-type", "application/problem+json");

#[test]
fn a_202_must_have_its_members() {
    let body = r#"{"queue_ticket_id":"t","status":"queued","status_url":"/x/t","hold_expires_at":null,"poll_after_ms":5}"#;
    let (outcome, _) =
        read(&answer(202, &[("location", "/x/t"), ("idempotent-replayed", "true")], body)).unwrap();
    assert_eq!(outcome, Outcome::Accepted { ticket: "t".into(), replayed: true });
    assert!(read(&answer(202, &[], body)).is_err(), "no Location");
    assert!(read(&answer(202, &[("location", "/x/t")], "{}")).is_err(), "no ticket");
}

#[test]
fn rows_of_the_table_are_accepted_and_nothing_else() {
    let held = r#"{"code":"all-units-held"}"#;
    assert_eq!(read(&answer(409, &[PROBLEM, ("retry-after", "1")], held)).unwrap().0, Outcome::Held);
    assert!(read(&answer(409, &[PROBLEM], held)).is_err(), "no Retry-After");
    assert!(read(&answer(409, &[("retry-after", "1")], held)).is_err(), "not problem+json");
    assert!(read(&answer(500, &[PROBLEM], r#"{"code":"oops"}"#)).is_err());
    assert!(read(&answer(410, &[PROBLEM], r#"{"code":"all-units-held"}"#)).is_err(), "another status");
    assert_eq!(read(&answer(410, &[PROBLEM], r#"{"code":"sold-out"}"#)).unwrap().0, Outcome::SoldOut);
    let asked = r#"{"code":"challenge-required","challenge_url":"/v1/challenge?sale_id=s"}"#;
    let url = "/v1/challenge?sale_id=s".to_owned();
    assert_eq!(read(&answer(403, &[PROBLEM], asked)).unwrap().0, Outcome::Challenged { url });
    let nowhere = r#"{"code":"challenge-required"}"#;
    assert!(read(&answer(403, &[PROBLEM], nowhere)).is_err(), "no challenge_url");
    let limit = r#"{"code":"limit-reached","queue_ticket_id":"t"}"#;
    assert_eq!(read(&answer(409, &[PROBLEM], limit)).unwrap().0, Outcome::Limit);
    assert!(read(&answer(409, &[PROBLEM, ("retry-after", "1")], limit)).is_err());
}
