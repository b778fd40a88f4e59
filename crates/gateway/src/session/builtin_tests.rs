//! Tests.

use super::*;
use crate::lists::Revoked;

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millis(ms)
}

#[test]
fn a_session_is_valid_until_its_end_and_not_a_moment_longer() {
    let issuer = Builtin::new([1; 32], 1_000);
    let user = UserId::parse("ann@example.com").unwrap();
    let token = issuer.issue(&user, at(1_000));
    let session = issuer.verify(&token, at(1_999)).unwrap();
    assert_eq!(session.issued_at, Some(at(1_000)));
    assert_eq!((session.user, session.expires_at), (user, at(2_000)));
    assert_eq!(issuer.verify(&token, at(2_000)), None);
}

#[test]
fn every_single_bit_matters() {
    let issuer = Builtin::new([1; 32], 1_000);
    let token = issuer.issue(&fresh_user([9; 16]), at(0));
    let bytes = URL_SAFE_NO_PAD.decode(&token).unwrap();
    for bit in 0..bytes.len() * 8 {
        let mut forged = bytes.clone();
        forged[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(issuer.verify(&URL_SAFE_NO_PAD.encode(forged), at(1)), None, "bit {bit}");
    }
    assert!(issuer.verify(&token, at(1)).is_some());
}

#[test]
fn other_keys_other_writings_and_nonsense_are_refused() {
    let issuer = Builtin::new([1; 32], 1_000);
    let token = issuer.issue(&fresh_user([9; 16]), at(0));
    assert_eq!(Builtin::new([2; 32], 1_000).verify(&token, at(1)), None);
    for other in [String::new(), "AAAA".into(), format!("{token}="), format!("{token}A"), "é".repeat(40)] {
        assert_eq!(issuer.verify(&other, at(1)), None, "{other}");
    }
}

/// A token as the version before issued it: without a time of issue.
fn without_issue(issuer: &Builtin, user: &UserId, end: Timestamp) -> String {
    let mut bytes = vec![1];
    bytes.extend_from_slice(&end.as_millis().to_be_bytes());
    bytes.extend_from_slice(user.as_str().as_bytes());
    let mac = issuer.mac(&bytes);
    bytes.extend_from_slice(&mac);
    URL_SAFE_NO_PAD.encode(bytes)
}

#[test]
fn a_session_says_when_it_was_issued_however_long_sessions_live_now() {
    let user = fresh_user([9; 16]);
    let token = Builtin::new([1; 32], 10_000).issue(&user, at(5_000));
    for ttl_ms in [1, 1_000, 10_000, 100_000] {
        let session = Builtin::new([1; 32], ttl_ms).verify(&token, at(6_000)).unwrap();
        assert_eq!((session.issued_at, session.expires_at), (Some(at(5_000)), at(15_000)), "{ttl_ms}");
    }
    let list =
        Revoked::read(b"user guest-09090909090909090909090909090909 1970-01-01T00:00:05.001Z").unwrap();
    let shorter = Builtin::new([1; 32], 1_000).verify(&token, at(6_000)).unwrap();
    assert!(list.has(&shorter), "it stays revoked where sessions live shorter now");
    let later = Builtin::new([1; 32], 10_000).issue(&user, at(5_001));
    let longer = Builtin::new([1; 32], 100_000).verify(&later, at(6_000)).unwrap();
    assert!(!list.has(&longer), "it stays valid where sessions live longer now");
}

#[test]
fn a_session_of_the_version_before_is_valid_until_its_end_and_does_not_say_since_when() {
    let (issuer, user) = (Builtin::new([1; 32], 1_000), fresh_user([9; 16]));
    let token = without_issue(&issuer, &user, at(2_000));
    let session = issuer.verify(&token, at(1_999)).unwrap();
    assert_eq!((&session.user, session.expires_at, session.issued_at), (&user, at(2_000), None));
    assert_eq!(issuer.verify(&token, at(2_000)), None);
    let list = Revoked::read(b"user guest-09090909090909090909090909090909 1970-01-01T00:00:00Z").unwrap();
    assert!(list.has(&session), "whatever the instant");
}

#[test]
fn a_version_that_is_not_known_is_refused_under_a_right_mac() {
    let issuer = Builtin::new([1; 32], 1_000);
    for version in [0, 3, 255] {
        let mut bytes = vec![version];
        bytes.extend_from_slice(&[0x7f; 16]);
        bytes.extend_from_slice(b"ann");
        let mac = issuer.mac(&bytes);
        bytes.extend_from_slice(&mac);
        assert_eq!(issuer.verify(&URL_SAFE_NO_PAD.encode(bytes), at(1)), None, "{version}");
    }
}
