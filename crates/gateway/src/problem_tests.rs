//! Tests.

use super::*;

#[test]
fn a_problem_is_json_whatever_stands_in_it() {
    for text in ["plain", "quoted \"text\"", "back\\slash", "line\nbreak", "umlaut ü", "\u{0}\u{7f}", ""] {
        let problem = Problem::new(Code::AllUnitsHeld, text)
            .member("next_release_at", Value::Null)
            .member("other", text)
            .member("number", 7);
        let value: Value = serde_json::from_str(&problem.body(text)).unwrap();
        let expected = serde_json::json!({
            "type": "/problems/all-units-held", "title": "All units are held", "status": 409, "code": "all-units-held",
            "detail": text, "instance": text, "next_release_at": null, "other": text, "number": 7,
        });
        assert_eq!(value, expected);
    }
}

#[test]
fn a_wait_is_at_least_a_second() {
    for (wait_ms, seconds) in [(0, "1"), (1, "1"), (1_000, "1"), (1_001, "2")] {
        let reply = Problem::new(Code::Overloaded, "").retry_after_ms(wait_ms).reply("/");
        assert_eq!(reply.headers()[header::RETRY_AFTER], seconds);
    }
}

#[test]
fn a_long_path_is_not_sent_back_whole() {
    let path = format!("/{}", "ü".repeat(10_000));
    let body: Value = serde_json::from_str(&Problem::new(Code::NotFound, "").body(&path)).unwrap();
    let instance = body["instance"].as_str().unwrap();
    assert!(path.starts_with(instance) && (500..=512).contains(&instance.len()), "{}", instance.len());
}
