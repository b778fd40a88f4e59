//! Tests.

use super::*;

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
