//! What ties a challenge to its sale and user, without telling who that is.

use ports::challenges::Asked;

/// Characters of a binding.
pub(crate) const LENGTH: usize = 32;

/// Different for every sale and user, and nobody without the key can make one.
pub(crate) fn of(key: &[u8; 32], asked: Asked<'_>) -> String {
    let mut hasher = blake3::Hasher::new_keyed(key);
    // A sale's identifier has no zero byte: no two pairs are written alike.
    hasher.update(asked.sale.as_str().as_bytes()).update(&[0]).update(asked.user.as_str().as_bytes());
    hasher.finalize().to_hex()[..LENGTH].to_owned()
}
