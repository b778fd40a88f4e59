//! Cancel: the buyer gives up, or asks for more time instead.

use std::time::Duration;

use domain::id::TicketId;
use domain::order::{Order, OrderState};
use domain::status::StatusDocument;
use domain::ticket::TicketStamp;
use domain::transition::{Change, ChangeRefusal, Closing};
use ports::Fault;
use ports::ledger::Applied;
use ports::orders::{CancelAnswer, ExtendAnswer};

use crate::expire::close_door_within;
use crate::fate::{Fate, fate};
use crate::settle::settle;
use crate::stores::{Settings, Stores};

/// How often the ledger is asked again for a claim that is on its way.
const PAUSE: Duration = Duration::from_millis(20);
/// The provider has so long for its answer even where the ledger took the buyer's patience.
const SHORTEST_CALL: Duration = Duration::from_millis(100);

/// Closes the order for its buyer, and tries at once to close the provider's door and bring the units back. The buyer waits
/// as long as for a checkout: a provider that takes longer finds the order closing, and expiration goes on with it.
///
/// # Errors
/// A fault of the ledger.
pub async fn cancel(
    stores: &Stores,
    settings: &Settings,
    stamp: &TicketStamp,
) -> Result<CancelAnswer, Fault> {
    let until = stores.clock.elapsed() + Duration::from_millis(settings.checkout_deadline_ms);
    match close(stores, stamp, until).await? {
        Some(Applied::Changed(order) | Applied::Replay(order)) if order.state == OrderState::Expiring => {
            let order = finish(stores, settings, *order, until).await?;
            let document = Box::new(StatusDocument::of(&order));
            match order.state {
                OrderState::Cancelled => Ok(CancelAnswer::Cancelled(document)),
                OrderState::Expiring => Ok(CancelAnswer::Cancelling(document)),
                OrderState::Capturing | OrderState::Confirmed => Ok(CancelAnswer::AlreadyConfirmed(document)),
                OrderState::Allocated
                | OrderState::PendingPayment
                | OrderState::Expired
                | OrderState::Rejected
                | OrderState::Refunding
                | OrderState::Refunded => Ok(CancelAnswer::Ended(document)),
            }
        }
        Some(Applied::Changed(order) | Applied::Replay(order)) => {
            Ok(CancelAnswer::Cancelled(Box::new(StatusDocument::of(&order))))
        }
        Some(Applied::Refused(_, order)) => {
            let document = Box::new(StatusDocument::of(&order));
            match order.state {
                OrderState::Capturing | OrderState::Confirmed => Ok(CancelAnswer::AlreadyConfirmed(document)),
                _ => Ok(CancelAnswer::Ended(document)),
            }
        }
        Some(Applied::Unknown) | None => {
            Ok(CancelAnswer::Ended(Box::new(StatusDocument::lost(stamp.clone(), None))))
        }
    }
}

/// Asks the ledger to close the order; waits for a claim that is still on its way into the ledger, and is `None` for one
/// that will never get there.
async fn close(stores: &Stores, stamp: &TicketStamp, until: Duration) -> Result<Option<Applied>, Fault> {
    loop {
        let change = Change::Close(Closing::ByBuyer);
        match stores.ledger.apply(vec![(stamp.ticket, change)]).await?.pop() {
            Some(Applied::Unknown) | None => match fate(stores, stamp).await? {
                Fate::Lost => return Ok(None),
                Fate::Known(_) | Fate::Unknown if stores.clock.elapsed() < until => {
                    tokio::time::sleep(PAUSE).await;
                }
                Fate::Known(_) | Fate::Unknown => {
                    return Err(Fault::unavailable("the ledger", "it has not taken the claim in yet"));
                }
            },
            Some(applied) => return Ok(Some(applied)),
        }
    }
}

/// The order after one attempt at closing its door; the units are back where the attempt succeeded.
async fn finish(stores: &Stores, settings: &Settings, order: Order, until: Duration) -> Result<Order, Fault> {
    stores.show([&order]).await;
    // What is left after the provider is the ledger's.
    let patience = (until.saturating_sub(stores.clock.elapsed()) * 3 / 4).max(SHORTEST_CALL);
    close_door_within(stores, settings, &order, patience).await?;
    settle(stores, &order.shard).await?;
    Ok(stores.ledger.order(order.ticket).await?.unwrap_or(order))
}

/// Gives the buyer more time, once.
///
/// # Errors
/// A fault of the ledger.
pub async fn extend(stores: &Stores, ticket: TicketId, extension_ms: u64) -> Result<ExtendAnswer, Fault> {
    match stores.ledger.apply(vec![(ticket, Change::Extend { extension_ms })]).await?.pop() {
        Some(Applied::Changed(order) | Applied::Replay(order)) => {
            stores.show([&*order]).await;
            Ok(ExtendAnswer::Extended(Box::new(StatusDocument::of(&order))))
        }
        Some(Applied::Refused(refusal, _)) => Ok(ExtendAnswer::Refused(refusal)),
        Some(Applied::Unknown) | None => Ok(ExtendAnswer::Unknown),
    }
}

/// Whether a refusal to extend has its cause in the sale or the ticket, and not in the order's fate.
#[must_use]
pub const fn is_no_extension(refusal: ChangeRefusal) -> bool {
    matches!(refusal, ChangeRefusal::NoExtension)
}
