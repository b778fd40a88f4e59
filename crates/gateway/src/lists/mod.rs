//! Lists that an operator keeps: networks that are turned away or that no limit is counted against, and sessions that are
//! valid no more. Each is read whole and replaced whole, while requests go on.

mod networks;
mod revoked;
mod text;

use std::sync::atomic::AtomicU64;

use arc_swap::ArcSwap;

pub use networks::{Networks, Rule};
pub use revoked::Revoked;

/// Entries that a list may have: what it costs has a bound.
pub const MOST: usize = 1_000_000;

/// The lists as they are now, and what they did.
#[derive(Default)]
pub struct Lists {
    /// Networks by what is done with them.
    pub networks: ArcSwap<Networks>,
    /// Sessions that are valid no more.
    pub revoked: ArcSwap<Revoked>,
    /// Times that a list could not be read.
    pub failures: AtomicU64,
    /// Connections of denied networks, closed at once.
    pub denied_connections: AtomicU64,
    /// Requests of denied networks that came through a proxy, refused.
    pub denied_requests: AtomicU64,
    /// Requests with a session that was revoked, refused.
    pub revoked_sessions: AtomicU64,
}
