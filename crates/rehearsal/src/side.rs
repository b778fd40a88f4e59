//! The two sides of a herd, honest and hostile: what each sent, and what it was answered. Neither waits for a connection
//! of the other, so that who is hostile hurts the honest ones through the server only.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::client::Client;
use crate::foe::Kind;
use crate::measure::{Counts, Timing};

/// One side.
pub(crate) struct Side {
    pub(crate) client: Arc<Client>,
    pub(crate) sent: AtomicU64,
    pub(crate) outcomes: Counts,
    pub(crate) errors: Counts,
    pub(crate) all_answers: Timing,
    pub(crate) accepted_answers: Timing,
    pub(crate) refused_answers: Timing,
    pub(crate) address_made: Timing,
    pub(crate) confirmation: Timing,
    pub(crate) behind: Timing,
}

impl Side {
    pub(crate) fn new(client: Arc<Client>) -> Self {
        Self {
            client,
            sent: AtomicU64::new(0),
            outcomes: Counts::default(),
            errors: Counts::default(),
            all_answers: Timing::new(),
            accepted_answers: Timing::new(),
            refused_answers: Timing::new(),
            address_made: Timing::new(),
            confirmation: Timing::new(),
            behind: Timing::new(),
        }
    }
}

/// What one kind of hostile buyers did.
#[derive(Default)]
pub(crate) struct Deeds {
    pub(crate) outcomes: Counts,
    /// Tickets, each counted once.
    pub(crate) tickets: AtomicU64,
    /// Connections opened by those who speak no proper HTTP.
    pub(crate) opened: AtomicU64,
    /// Of these: ended by the server.
    pub(crate) cut: AtomicU64,
}

/// The hostile side.
pub(crate) struct Foes {
    pub(crate) side: Side,
    deeds: BTreeMap<Kind, Deeds>,
    /// Places for connections of their own, for each kind that needs them.
    places: BTreeMap<Kind, Semaphore>,
    /// The honest ones are done: so are they.
    pub(crate) quit: CancellationToken,
    /// Whether the sale asks everybody for a challenge.
    pub(crate) all_are_asked: bool,
}

impl Foes {
    /// With at most `connections` connections of their own at once, besides those of `client`.
    pub(crate) fn new(client: Arc<Client>, connections: u32, all_are_asked: bool) -> Self {
        let parts = [(Kind::SlowBody, 4), (Kind::OversizedHeaders, 4), (Kind::ConnectionFlood, 2)];
        let places = |part: u32| Semaphore::new((connections / part).max(1) as usize);
        Self {
            side: Side::new(client),
            deeds: Kind::ALL.into_iter().map(|kind| (kind, Deeds::default())).collect(),
            places: parts.into_iter().map(|(kind, part)| (kind, places(part))).collect(),
            quit: CancellationToken::new(),
            all_are_asked,
        }
    }

    pub(crate) fn deeds(&self, kind: Kind) -> Option<&Deeds> {
        self.deeds.get(&kind)
    }

    pub(crate) fn places(&self, kind: Kind) -> Option<&Semaphore> {
        self.places.get(&kind)
    }

    /// Counts an answer, or what came instead.
    pub(crate) fn note(&self, kind: Kind, what: &str) {
        self.side.outcomes.add(what);
        if let Some(deeds) = self.deeds(kind) {
            deeds.outcomes.add(what);
        }
    }

    /// Counts a new ticket.
    pub(crate) fn took(&self, kind: Kind) {
        if let Some(deeds) = self.deeds(kind) {
            deeds.tickets.fetch_add(1, Ordering::Relaxed);
        }
    }
}
