//! What was sealed comes back under its claim and key, and nothing else does.

use domain::id::{TicketId, UserId};

use super::SealKey;

fn user(text: &str) -> UserId {
    UserId::parse(text).unwrap()
}

#[test]
fn what_was_sealed_comes_back_for_its_claim_and_key_only() {
    let key = SealKey::new([7; 32]);
    let (claim, other) = (TicketId([1; 16]), TicketId([2; 16]));
    for text in ["a", "fifteen-letters", "sixteen-letters.", &"x".repeat(128)] {
        let sealed = key.seal(claim, &user(text));
        assert_eq!(key.unseal(claim, &sealed), Some(user(text)));
        assert_eq!(key.seal(claim, &user(text)), sealed, "the same claim, the same bytes");
        assert_eq!(key.unseal(other, &sealed), None);
        assert_eq!(SealKey::new([8; 32]).unseal(claim, &sealed), None);
        assert_ne!(key.seal(other, &user(text)), sealed);
        assert!(!sealed.windows(text.len()).any(|part| part == text.as_bytes()) || text.len() == 1);
    }
}

#[test]
fn a_changed_or_cut_seal_is_refused() {
    let key = SealKey::new([7; 32]);
    let claim = TicketId([1; 16]);
    let sealed = key.seal(claim, &user("somebody@example.org"));
    for at in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        assert_eq!(key.unseal(claim, &changed), None, "byte {at}");
        assert_eq!(key.unseal(claim, &sealed[..at]), None, "cut at {at}");
    }
}

#[test]
fn the_seal_is_golden() {
    let sealed = SealKey::new([7; 32]).seal(TicketId([1; 16]), &user("ann"));
    let hex: String = sealed.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, "c9ff858dec40d184ba7eecc2b8b3d50b6abea428eefd6a5b");
}
