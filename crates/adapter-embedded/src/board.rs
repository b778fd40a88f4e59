//! The status board in memory: the newest document of each ticket. Losing it loses nothing.

use std::sync::{PoisonError, RwLock};

use async_trait::async_trait;
use domain::hold::Terms;
use domain::id::{Epoch, HashIdMap, ShardId, TicketId};
use domain::status::{Status, StatusDocument};
use domain::ticket::TicketStamp;
use domain::time::Timestamp;
use ports::Fault;
use ports::status_board::{Shown, StatusBoard};
use tokio::sync::Notify;

use crate::Embedded;

/// Parts of the board that are written and waited for apart from each other.
const STRIPES: usize = 256;

/// A document as it is kept: of most orders of a herd there is nothing to say yet but that they wait, and that is kept small.
enum Kept {
    Queued { shard: ShardId, issued_at: Timestamp, epoch: Epoch, terms: Terms, version: u32 },
    Whole(Box<StatusDocument>),
}

impl Kept {
    fn of(document: StatusDocument) -> Self {
        let StatusDocument { stamp, status, reason, terms, units, checkout_url, hold_expires_at, .. } =
            &document;
        let plain =
            reason.is_none() && units.is_empty() && checkout_url.is_none() && hold_expires_at.is_none();
        match (status, terms) {
            (Status::Queued, Some(terms)) if plain && !document.terminal => Self::Queued {
                shard: stamp.shard.clone(),
                issued_at: stamp.issued_at,
                epoch: stamp.epoch,
                terms: *terms,
                version: document.version,
            },
            _ => Self::Whole(Box::new(document)),
        }
    }

    fn document(&self, ticket: TicketId) -> StatusDocument {
        match self {
            Self::Queued { shard, issued_at, epoch, terms, version } => {
                let stamp =
                    TicketStamp { ticket, shard: shard.clone(), epoch: *epoch, issued_at: *issued_at };
                StatusDocument { version: *version, ..StatusDocument::queued(stamp, *terms) }
            }
            Self::Whole(document) => (**document).clone(),
        }
    }

    fn version(&self) -> u32 {
        match self {
            Self::Queued { version, .. } => *version,
            Self::Whole(document) => document.version,
        }
    }
}

#[derive(Default)]
struct Stripe {
    documents: RwLock<HashIdMap<TicketId, Kept>>,
    changed: Notify,
}

pub(crate) struct Board {
    stripes: Vec<Stripe>,
}

impl Board {
    pub(crate) fn new() -> Self {
        Self { stripes: (0..STRIPES).map(|_| Stripe::default()).collect() }
    }

    fn stripe(&self, ticket: TicketId) -> &Stripe {
        // The last byte: the map inside a stripe hashes by the first eight.
        &self.stripes[usize::from(ticket.0[15]) % STRIPES]
    }

    fn show(&self, document: StatusDocument) {
        let stripe = self.stripe(document.stamp.ticket);
        let mut documents = stripe.documents.write().unwrap_or_else(PoisonError::into_inner);
        let newer =
            documents.get(&document.stamp.ticket).is_some_and(|kept| kept.version() > document.version);
        if !newer {
            documents.insert(document.stamp.ticket, Kept::of(document));
            drop(documents);
            stripe.changed.notify_waiters();
        }
    }

    fn look(&self, ticket: TicketId) -> Option<StatusDocument> {
        let documents = self.stripe(ticket).documents.read().unwrap_or_else(PoisonError::into_inner);
        documents.get(&ticket).map(|kept| kept.document(ticket))
    }
}

#[async_trait]
impl StatusBoard for Embedded {
    async fn show(&self, documents: Vec<StatusDocument>) -> Result<(), Fault> {
        documents.into_iter().for_each(|document| self.board.show(document));
        Ok(())
    }

    async fn look(&self, _shard: &ShardId, ticket: TicketId) -> Result<Option<Shown>, Fault> {
        Ok(self.board.look(ticket).map(|document| Shown { document, doubted: false }))
    }

    fn may_stay_behind(&self) -> bool {
        false
    }

    async fn wait(&self, _shard: &ShardId, ticket: TicketId, version: u32) {
        let changed = self.board.stripe(ticket).changed.notified();
        let mut changed = std::pin::pin!(changed);
        // Listening begins before the look, so that a change in between wakes.
        changed.as_mut().enable();
        if self.board.look(ticket).is_none_or(|shown| shown.version <= version) {
            changed.await;
        }
    }
}

#[cfg(test)]
#[path = "board_tests.rs"]
mod tests;
