//! Tests.

use domain::id::UserId;

use super::*;

fn session(user: &str, issued_s: Option<i64>, id: Option<&str>) -> Session {
    Session {
        user: UserId::parse(user).unwrap(),
        expires_at: Timestamp::from_millis(i64::MAX / 2),
        issued_at: issued_s.map(|seconds| Timestamp::from_millis(seconds * 1_000)),
        id: id.map(Into::into),
        vouched: false,
    }
}

#[test]
fn a_user_an_instant_or_a_single_session_is_revoked() {
    let text =
        b"user bob\nuser ann 1970-01-01T00:10:00Z # lost phone\nuser ann 1970-01-01T00:05:00Z\nid 4f2a\n";
    let revoked = Revoked::read(text).unwrap();
    assert_eq!(revoked.len(), 3);
    assert!(revoked.has(&session("bob", Some(1_000_000), None)));
    assert!(revoked.has(&session("ann", Some(599), None)), "the later of both instants counts");
    assert!(!revoked.has(&session("ann", Some(600), None)));
    assert!(revoked.has(&session("ann", None, None)), "who does not say when was before");
    assert!(revoked.has(&session("eve", Some(1), Some("4f2a"))));
    assert!(!revoked.has(&session("eve", Some(1), Some("4f2b"))));
    assert!(!revoked.has(&session("eve", None, None)));
    assert!(Revoked::read(b"").unwrap().is_empty());
}

#[test]
fn all_sessions_of_a_user_stay_revoked_whatever_other_lines_say() {
    for text in ["user ann\nuser ann 1970-01-01T00:10:00Z", "user ann 1970-01-01T00:10:00Z\nuser ann"] {
        assert!(Revoked::read(text.as_bytes()).unwrap().has(&session("ann", Some(900), None)), "{text}");
    }
}

#[test]
fn a_mistake_names_its_line() {
    for (text, line) in [
        ("user", 1),
        ("user ann soon", 1),
        ("\n\nann", 3),
        ("id a b", 1),
        ("user ann 1970-01-01T00:00:00Z x", 1),
    ] {
        let wrong = Revoked::read(text.as_bytes()).unwrap_err();
        assert!(wrong.starts_with(&format!("line {line}: ")) && wrong.contains("must be such as"), "{wrong}");
    }
}

#[test]
fn a_remark_begins_at_the_start_or_after_white_space() {
    let revoked =
        Revoked::read(b"#id gone\nid order#4711 # a remark\nuser ann\t# another\n  # the last\n").unwrap();
    assert_eq!(revoked.len(), 2);
    assert!(revoked.has(&session("eve", None, Some("order#4711"))));
    assert!(!revoked.has(&session("eve", None, Some("order"))));
    assert!(revoked.has(&session("ann", None, None)));
}

#[test]
fn what_no_session_can_have_is_refused() {
    let wrong = |text: &str| Revoked::read(text.as_bytes()).unwrap_err();
    assert!(wrong("user ann#lost").starts_with("line 1: \"ann#lost\" is nobody's user_id: "));
    assert!(wrong(&format!("user {}", "a".repeat(129))).contains("is nobody's user_id"));
    assert!(wrong(&format!("\nid {}", "a".repeat(3_073))).contains("line 2: \"aaa"));
    assert!(Revoked::read(format!("id {}", "a".repeat(3_072)).as_bytes()).is_ok());
}

#[test]
fn a_list_names_its_wrong_lines_and_cuts_long_ones() {
    let text = format!("{}\nuser ann\n", vec!["nonsense"; 30].join("\n"));
    let wrong = Revoked::read(text.as_bytes()).unwrap_err();
    assert!(wrong.contains("line 1: ") && wrong.contains("line 10: "), "{wrong}");
    assert!(!wrong.contains("line 11: ") && wrong.ends_with("and 20 more lines are wrong"), "{wrong}");
    let long = Revoked::read("\u{1b}é".repeat(50_000).as_bytes()).unwrap_err();
    assert!(long.len() < 1_000 && long.contains("\\u{1b}") && long.contains('…'), "{long}");
}
