//! What became of a ticket, whichever stores remember it: every ticket that was ever given comes to an end.

use domain::order::Order;
use domain::ticket::TicketStamp;
use ports::Fault;

use crate::stores::Stores;

/// What the ledger can say of a ticket.
pub(crate) enum Fate {
    /// It has the order.
    Known(Box<Order>),
    /// It has none and never will: inventory and claim log forgot the claim, and the shard was renewed since.
    Lost,
    /// It has none yet.
    Unknown,
}

/// Asks the ledger for the order of a ticket and, where it has none, for the term of its shard.
///
/// # Errors
/// A fault of the ledger.
pub(crate) async fn fate(stores: &Stores, stamp: &TicketStamp) -> Result<Fate, Fault> {
    if let Some(order) = stores.ledger.order(stamp.ticket).await? {
        return Ok(Fate::Known(Box::new(order)));
    }
    if !stores.terms.term(&stamp.shard).await?.has_ended(stamp.epoch) {
        return Ok(Fate::Unknown);
    }
    // Once more: it may have been taken in before the shard was renewed, but after we asked.
    let order = stores.ledger.order(stamp.ticket).await?;
    Ok(order.map_or(Fate::Lost, |order| Fate::Known(Box::new(order))))
}
