//! What is forged differs from what was issued, in the place that it says.

use super::*;

fn token() -> (String, Vec<u8>) {
    let mut bytes = vec![1, 0, 0, 1, 0x9a, 7, 7, 7, 7];
    bytes.extend_from_slice(b"guest-0a");
    bytes.extend_from_slice(&[9; 16]);
    (URL_SAFE_NO_PAD.encode(&bytes), bytes)
}

fn bytes(token: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(token).expect("base64url")
}

#[test]
fn a_wrong_mac_differs_in_its_last_byte_only() {
    let (token, issued) = token();
    let forged = bytes(&wrong_mac(&token));
    assert_eq!(forged[..issued.len() - 1], issued[..issued.len() - 1]);
    assert_ne!(forged.last(), issued.last());
}

#[test]
fn an_altered_subject_is_another_user_under_the_same_mac() {
    let (token, issued) = token();
    let other = other_user("guest-0a");
    assert_eq!((other.as_str(), other_user("guest-10").as_str()), ("guest-00", "guest-11"));
    let forged = bytes(&other_subject(&token, "guest-0a", &other));
    assert_eq!((&forged[9..17], &forged[17..]), (&b"guest-00"[..], &issued[17..]));
}

#[test]
fn an_altered_end_is_long_past() {
    let (token, issued) = token();
    let forged = bytes(&altered_end(&token));
    assert_eq!(forged[..9], [1, 0, 0, 0, 0, 0, 0, 7, 7]);
    assert_eq!(forged[9..], issued[9..]);
}

#[test]
fn a_token_in_another_form_is_changed_too() {
    assert_eq!(wrong_mac("a.b.c"), "a.b.cA");
}

#[test]
fn a_202_to_who_has_no_right_to_it_is_a_violation_and_to_others_it_is_none() {
    let found = |kind, forged, asked| breaches(kind, forged, asked).collect::<Vec<_>>().join("; ");
    let forged = found(Kind::ForgedSession, Some("wrong MAC"), false);
    assert_eq!(forged, "a forged session (wrong MAC) was answered 202");
    assert_eq!(found(Kind::Hammering, None, false), "", "a real session at a sale that asks nobody");
    assert!(found(Kind::UnsolvedChallenge, None, true).contains("without a solved challenge"));
    assert!(found(Kind::Hammering, None, true).contains("without a solved challenge"));
    assert_eq!(found(Kind::OneNetwork, None, true), "", "they solve what they are asked");
}
