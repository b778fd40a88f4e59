//! A buyer's identifier, sealed: Redis keeps it only until the ledger has acknowledged the claim, and never readable.
//!
//! The stream is BLAKE3's keyed output, with the claim as the nonce. That nonce is used for one text only: a claim is a
//! keyed hash of (sale, user, idempotency key), or of such a ticket for late money, so the same claim always stands for
//! the same user, and sealing twice gives the same bytes. Two claims give unrelated streams. A tag of eight bytes tells
//! what was changed or sealed under another key; lengths are rounded up to hide all but the coarse length.

use domain::id::{TicketId, UserId};

const TAG: usize = 8;
const ROUND: usize = 16;

/// The secret under which identifiers of buyers are sealed; the same on every node of a system.
#[derive(Clone)]
pub struct SealKey {
    stream: [u8; 32],
    tag: [u8; 32],
}

impl SealKey {
    /// From 32 secret bytes, used for nothing else.
    #[must_use]
    pub fn new(secret: [u8; 32]) -> Self {
        Self {
            stream: blake3::derive_key("tzero adapter-redis 1 user id stream", &secret),
            tag: blake3::derive_key("tzero adapter-redis 1 user id tag", &secret),
        }
    }

    /// What tells one system's secret from another's, and gives away nothing of either.
    pub(crate) fn fingerprint(&self) -> String {
        let hash = blake3::Hasher::new_keyed(&self.tag).update(b"whose is this").finalize();
        hash.to_hex()[..32].to_owned()
    }

    pub(crate) fn seal(&self, claim: TicketId, user: &UserId) -> Vec<u8> {
        let text = user.as_str().as_bytes();
        // At most 128 bytes: see `UserId`.
        let mut sealed = vec![text.len() as u8];
        sealed.extend_from_slice(text);
        sealed.resize(sealed.len().next_multiple_of(ROUND), 0);
        self.apply(claim, &mut sealed);
        let tag = self.tag_of(claim, &sealed);
        sealed.extend_from_slice(&tag);
        sealed
    }

    /// `None` where it was not sealed for this claim under this key.
    pub(crate) fn unseal(&self, claim: TicketId, sealed: &[u8]) -> Option<UserId> {
        let (body, tag) = sealed.split_at_checked(sealed.len().checked_sub(TAG)?)?;
        if tag != self.tag_of(claim, body) {
            return None;
        }
        let mut text = body.to_vec();
        self.apply(claim, &mut text);
        let (length, rest) = text.split_first()?;
        let text = rest.get(..usize::from(*length))?;
        UserId::parse(std::str::from_utf8(text).ok()?).ok()
    }

    fn apply(&self, claim: TicketId, bytes: &mut [u8]) {
        let mut stream = vec![0; bytes.len()];
        blake3::Hasher::new_keyed(&self.stream).update(&claim.0).finalize_xof().fill(&mut stream);
        bytes.iter_mut().zip(stream).for_each(|(byte, mask)| *byte ^= mask);
    }

    fn tag_of(&self, claim: TicketId, body: &[u8]) -> [u8; TAG] {
        let hash = blake3::Hasher::new_keyed(&self.tag).update(&claim.0).update(body).finalize();
        let mut tag = [0; TAG];
        tag.copy_from_slice(&hash.as_bytes()[..TAG]);
        tag
    }
}

/// Redacted: a secret does not belong in a log.
impl std::fmt::Debug for SealKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealKey(…)")
    }
}

#[cfg(test)]
#[path = "seal_tests.rs"]
mod tests;
