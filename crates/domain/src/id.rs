//! Identifiers: what a client may write, and the short keyed hashes that stand for it inside.

use std::fmt;
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::sync::Arc;

/// Why a text is no identifier; says what would be right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdRefusal {
    /// Not the form of a sale's or product's identifier.
    #[error("must be 1 to 64 of a-z, 0-9 and '-', and begin with a letter or digit")]
    Slug,
    /// Not the form of a user's identifier.
    #[error("must be 1 to 128 of A-Z, a-z, 0-9 and . _ : @ -")]
    User,
    /// Not the form of an idempotency key.
    #[error("must be 1 to 255 visible ASCII characters")]
    IdempotencyKey,
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $refusal:expr, $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks the form.
            ///
            /// # Errors
            /// A refusal that says what the form is.
            pub fn parse(text: &str) -> Result<Self, IdRefusal> {
                let check: fn(&str) -> bool = $check;
                if check(text) { Ok(Self(text.into())) } else { Err($refusal) }
            }

            /// The identifier as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

fn is_slug(text: &str) -> bool {
    let bytes = text.as_bytes();
    let inner = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-';
    (1..=64).contains(&bytes.len()) && bytes[0] != b'-' && bytes.iter().all(inner)
}

fn is_user(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"._:@-".contains(&b);
    (1..=128).contains(&text.len()) && text.bytes().all(allowed)
}

fn is_key(text: &str) -> bool {
    (1..=255).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}

text_id!(
    /// A sale's identifier: `[a-z0-9][a-z0-9-]{0,63}`.
    SaleId, IdRefusal::Slug, is_slug
);
text_id!(
    /// A product's identifier within its sale: `[a-z0-9][a-z0-9-]{0,63}`.
    ProductId, IdRefusal::Slug, is_slug
);
text_id!(
    /// A buyer's identifier as the shop knows it; kept in the ledger and in events, never in logs or metrics.
    UserId, IdRefusal::User, is_user
);
text_id!(
    /// A client's key for one checkout; scope (sale, user).
    IdempotencyKey, IdRefusal::IdempotencyKey, is_key
);

impl fmt::Debug for SaleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ProductId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Redacted: a user's identifier does not belong in a log.
impl fmt::Debug for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UserId(…)")
    }
}

/// Redacted: a client's text does not belong in a log.
impl fmt::Debug for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdempotencyKey(…)")
    }
}

macro_rules! hash_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; 16]);

        /// The first four bytes only: enough to tell two apart in a log, useless as a capability.
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let [a, b, c, d, ..] = self.0;
                write!(f, "{}({a:02x}{b:02x}{c:02x}{d:02x}…)", stringify!($name))
            }
        }
    };
}

hash_id!(
    /// A keyed hash of (sale, user): the same buyer is another value in another sale.
    UserHash
);
hash_id!(
    /// A keyed hash of (sale, user, idempotency key): the same checkout is the same ticket after any loss of data.
    TicketId
);

/// The secret under which users and keys become hashes; the same on every node of a system.
#[derive(Clone)]
pub struct IdSecret([u8; 32]);

impl IdSecret {
    /// From 32 secret bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The hash that stands for `user` in `sale`.
    #[must_use]
    pub fn user(&self, sale: &SaleId, user: &UserId) -> UserHash {
        UserHash(self.hash(b"user", &[sale.as_str().as_bytes(), user.as_str().as_bytes()]))
    }

    /// The ticket of `user`'s checkout under `key`.
    #[must_use]
    pub fn ticket(&self, sale: &SaleId, user: UserHash, key: &IdempotencyKey) -> TicketId {
        TicketId(self.hash(b"ticket", &[sale.as_str().as_bytes(), &user.0, key.as_str().as_bytes()]))
    }

    /// The claim under which late money for `ticket` takes units again; another one at each attempt.
    #[must_use]
    pub fn late_claim(&self, ticket: TicketId, attempt: u16) -> TicketId {
        TicketId(self.hash(b"late", &[&ticket.0, &attempt.to_be_bytes()]))
    }

    /// The shard of `sale` that serves `user`, of `shards` shards (at least 1).
    #[must_use]
    pub fn shard(&self, sale: &SaleId, user: UserHash, shards: u16) -> ShardId {
        let hash = self.hash(b"shard", &[sale.as_str().as_bytes(), &user.0]);
        let [a, b, c, d, e, f, g, h, ..] = hash;
        let number = u64::from_be_bytes([a, b, c, d, e, f, g, h]) % u64::from(shards.max(1));
        ShardId { sale: sale.clone(), number: number as u16 }
    }

    /// BLAKE3 keyed hash, 128 bits of it; each part is preceded by its length, so that parts cannot run together.
    fn hash(&self, purpose: &[u8], parts: &[&[u8]]) -> [u8; 16] {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        for part in std::iter::once(&purpose).chain(parts) {
            hasher.update(&(part.len() as u32).to_be_bytes());
            hasher.update(part);
        }
        let mut out = [0; 16];
        out.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        out
    }
}

impl fmt::Debug for IdSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdSecret(…)")
    }
}

/// One shard of a sale's inventory.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShardId {
    /// The sale.
    pub sale: SaleId,
    /// The shard's number within the sale, from 0.
    pub number: u16,
}

impl fmt::Display for ShardId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.sale, self.number)
    }
}

impl fmt::Debug for ShardId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// A product's number within its sale: its place in the sale's definition, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProductNo(pub u16);

impl ProductNo {
    /// As an index into the sale's products.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// A shard's term: every rebuild opens the shard under the next one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(pub u32);

impl Epoch {
    /// The epoch after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// Hashes keys that are keyed hashes already: their first eight bytes are as good as random to anybody
/// without the secret, so hashing them again would buy nothing.
#[derive(Clone, Copy, Default)]
pub struct KeyedHasher(u64);

impl Hasher for KeyedHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.0 = self.0.rotate_left(23) ^ u64::from_le_bytes(word);
        }
    }

    fn write_usize(&mut self, _length: usize) {}
}

/// A map keyed by [`TicketId`] or [`UserHash`].
pub type HashIdMap<K, V> = std::collections::HashMap<K, V, BuildHasherDefault<KeyedHasher>>;
