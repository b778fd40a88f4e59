//! The status board in memory: the newest document of each ticket. Losing it loses nothing.

use std::sync::{PoisonError, RwLock};

use async_trait::async_trait;
use domain::id::{HashIdMap, ShardId, TicketId};
use domain::status::StatusDocument;
use ports::Fault;
use ports::status_board::{Shown, StatusBoard};
use tokio::sync::Notify;

use crate::Embedded;

/// Parts of the board that are written and waited for apart from each other.
const STRIPES: usize = 256;

#[derive(Default)]
struct Stripe {
    documents: RwLock<HashIdMap<TicketId, Box<StatusDocument>>>,
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
            documents.get(&document.stamp.ticket).is_some_and(|shown| shown.version > document.version);
        if !newer {
            documents.insert(document.stamp.ticket, Box::new(document));
            drop(documents);
            stripe.changed.notify_waiters();
        }
    }

    fn look(&self, ticket: TicketId) -> Option<StatusDocument> {
        let documents = self.stripe(ticket).documents.read().unwrap_or_else(PoisonError::into_inner);
        documents.get(&ticket).map(|document| (**document).clone())
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
