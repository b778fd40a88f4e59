//! The built-in issuer: a MAC and not a signature, so that verifying costs about a microsecond.
//!
//! Layout before base64url (no padding): version 1 byte, end in milliseconds 8, time of issue in milliseconds 8, user, MAC 16;
//! numbers big-endian. The MAC is BLAKE3's keyed hash of everything before it, cut to 128 bits. A token of version 1 has no
//! time of issue. It is issued no more, and is read until it ends; a list of revoked sessions takes it for one from before.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::id::UserId;
use domain::time::Timestamp;
use subtle::ConstantTimeEq;

use super::Session;

const VERSION: u8 = 2;
/// The version without a time of issue.
const WITHOUT_ISSUE: u8 = 1;
const MAC: usize = 16;

/// Issues and verifies sessions under one key.
pub struct Builtin {
    key: [u8; 32],
    ttl_ms: u64,
}

impl Builtin {
    /// Under a key that every node of the system has; sessions are valid for `ttl_ms` milliseconds.
    #[must_use]
    pub const fn new(key: [u8; 32], ttl_ms: u64) -> Self {
        Self { key, ttl_ms }
    }

    fn mac(&self, bytes: &[u8]) -> [u8; MAC] {
        let mut mac = [0; MAC];
        mac.copy_from_slice(&blake3::keyed_hash(&self.key, bytes).as_bytes()[..MAC]);
        mac
    }

    /// A token for `user`.
    #[must_use]
    pub fn issue(&self, user: &UserId, now: Timestamp) -> String {
        let mut bytes = vec![VERSION];
        bytes.extend_from_slice(&now.plus_millis(self.ttl_ms).as_millis().to_be_bytes());
        bytes.extend_from_slice(&now.as_millis().to_be_bytes());
        bytes.extend_from_slice(user.as_str().as_bytes());
        let mac = self.mac(&bytes);
        bytes.extend_from_slice(&mac);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The session of a token that is valid at `now`.
    #[must_use]
    pub fn verify(&self, token: &str, now: Timestamp) -> Option<Session> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (signed, mac) = bytes.split_at_checked(bytes.len().checked_sub(MAC)?)?;
        if !bool::from(self.mac(signed).ct_eq(mac)) {
            return None;
        }
        let (version, rest) = signed.split_first()?;
        let (expires_at, rest) = instant(rest)?;
        let (issued_at, user) = match *version {
            VERSION => instant(rest).map(|(issued_at, user)| (Some(issued_at), user))?,
            WITHOUT_ISSUE => (None, rest),
            _ => return None,
        };
        let user = UserId::parse(std::str::from_utf8(user).ok()?).ok()?;
        // Anybody can have such a session: nobody vouches for them.
        let session = Session { user, expires_at, issued_at, id: None, vouched: false };
        (now < expires_at).then_some(session)
    }
}

/// An instant at the start of the bytes, and what follows it.
fn instant(bytes: &[u8]) -> Option<(Timestamp, &[u8])> {
    let (millis, rest) = bytes.split_first_chunk()?;
    Some((Timestamp::from_millis(i64::from_be_bytes(*millis)), rest))
}

/// A guest's identifier out of 16 random bytes.
#[must_use]
pub fn fresh_user(random: [u8; 16]) -> UserId {
    let hex: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    #[expect(clippy::expect_used, reason = "letters, digits and a dash are a user's identifier")]
    UserId::parse(&format!("guest-{hex}")).expect("a guest's identifier has the form")
}

#[cfg(test)]
#[path = "builtin_tests.rs"]
mod tests;
