//! What a shard is rebuilt from: the ledger's picture of it at one instant.

use crate::hold::{Terms, Units};
use crate::id::{Epoch, TicketId, UserHash};
use crate::order::Order;
use crate::time::Timestamp;
use crate::unit_set::UnitSet;

/// Where the units of a claim are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Held for its buyer.
    Held,
    /// Sold to its buyer.
    Sold,
    /// Given back, or never given: the record remains for replays.
    Gone,
}

/// One product of a shard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProductSnapshot {
    /// Units that exist.
    pub stock: u32,
    /// Units that nobody has.
    pub free: UnitSet,
}

/// One claim of a shard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordSnapshot {
    /// The claim.
    pub claim: TicketId,
    /// The ticket that the buyer knows.
    pub ticket: TicketId,
    /// Whose it is.
    pub user: UserHash,
    /// What was asked for.
    pub terms: Terms,
    /// Where its units are.
    pub place: Place,
    /// Its units; empty where `Gone`.
    pub units: Units,
    /// The epoch under which they were given first.
    pub epoch: Epoch,
    /// When they were given first.
    pub issued_at: Timestamp,
}

impl RecordSnapshot {
    /// What an inventory remembers of an order: its ticket, and the late claim that its units are under, if any.
    #[must_use]
    pub fn of(order: &Order) -> Vec<Self> {
        let under = |claim, place, units| Self {
            claim,
            ticket: order.ticket,
            user: order.user,
            terms: order.terms,
            place,
            units,
            epoch: order.epoch,
            issued_at: order.issued_at,
        };
        let place = if order.is_sold() { Place::Sold } else { Place::Held };
        let gone = || under(order.ticket, Place::Gone, Units::new());
        match (order.live, order.claim == order.ticket) {
            (false, _) => vec![gone()],
            (true, true) => vec![under(order.ticket, place, order.units.clone())],
            (true, false) => vec![gone(), under(order.claim, place, order.units.clone())],
        }
    }
}

/// A shard as the ledger knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShardSnapshot {
    /// The epoch under which it will open.
    pub epoch: Epoch,
    /// By product number.
    pub products: Vec<ProductSnapshot>,
    /// Every claim, oldest first.
    pub records: Vec<RecordSnapshot>,
}
