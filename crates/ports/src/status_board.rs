//! The status board: the read-optimised copy that clients poll. Losing it loses nothing.

use async_trait::async_trait;
use domain::id::{ShardId, TicketId};
use domain::status::StatusDocument;

use crate::Fault;

/// What the board shows of a ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The document.
    pub document: StatusDocument,
    /// The board may have shown a newer one before and lost it: the ledger knows. False again once it is shown anew.
    pub doubted: bool,
}

/// Shows statuses.
#[async_trait]
pub trait StatusBoard: Send + Sync {
    /// Shows documents. A document MUST NOT replace one of a higher version.
    ///
    /// # Errors
    /// A fault of the board.
    async fn show(&self, documents: Vec<StatusDocument>) -> Result<(), Fault>;

    /// What is shown for a ticket; `None` on a miss.
    ///
    /// # Errors
    /// A fault of the board.
    async fn look(&self, shard: &ShardId, ticket: TicketId) -> Result<Option<Shown>, Fault>;

    /// Whether a document may stay behind the ledger: where the board outlives the process that should have shown the next
    /// one, and nobody comes back to it.
    fn may_stay_behind(&self) -> bool;

    /// Waits until the document of `ticket` may be newer than `version`; may return early.
    async fn wait(&self, shard: &ShardId, ticket: TicketId, version: u32);
}
