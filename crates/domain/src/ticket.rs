//! What a 202 promises: the stamp inside every signed ticket.

use crate::id::{Epoch, ShardId, TicketId};
use crate::time::Timestamp;

/// Everything that a signed ticket carries; any node reads it without a look-up.
/// Stored with the claim, so that every replay gives the same bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketStamp {
    /// The checkout.
    pub ticket: TicketId,
    /// The shard that holds its units.
    pub shard: ShardId,
    /// The epoch under which its units were held first.
    pub epoch: Epoch,
    /// When they were held first, by the shard's clock.
    pub issued_at: Timestamp,
}
