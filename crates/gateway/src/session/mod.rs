//! Sessions: who a buyer is, as somebody we trust has signed it.

mod builtin;
mod jwt;
mod key;
mod key_set;
mod secret;

use std::sync::Arc;

use domain::id::UserId;
use domain::time::Timestamp;

pub use builtin::{Builtin, fresh_user};
pub use jwt::{Algorithm, Jwt};

/// A verified session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Whose it is.
    pub user: UserId,
    /// Until when.
    pub expires_at: Timestamp,
    /// Since when, where it says so.
    pub issued_at: Option<Timestamp>,
    /// What it is called, where it has a name (`jti`).
    pub id: Option<Arc<str>>,
    /// Whether the shop vouches that this is a person: then no challenge is asked for.
    pub vouched: bool,
}

/// Who signs sessions.
pub enum Sessions {
    /// This system.
    Builtin(Builtin),
    /// The shop.
    Jwt(Arc<Jwt>),
}

/// Characters of the longest token that is looked at.
pub const LONGEST: usize = 4_096;

impl Sessions {
    /// The session of a token; `None` where it is not one of ours, or not valid at `now`.
    #[must_use]
    pub fn verify(&self, token: &str, now: Timestamp) -> Option<Session> {
        if token.len() > LONGEST {
            return None;
        }
        match self {
            Self::Builtin(issuer) => issuer.verify(token, now),
            Self::Jwt(shop) => shop.verify(token, now),
        }
    }
}
