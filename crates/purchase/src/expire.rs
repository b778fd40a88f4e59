//! Expire: time is over, so the provider's door is closed, and only then the units go back.

use std::time::Duration;

use domain::order::{Order, Work};
use domain::transition::{Change, Closing};
use ports::Fault;
use ports::ledger::Applied;
use ports::payments::{DoorClosing, PaymentFault};

use crate::confirm::take_payment;
use crate::stores::{Settings, Stores};

/// Even a grace that is over leaves the provider so long for one answer, milliseconds.
const SHORTEST_CALL_MS: u64 = 250;

/// Closes up to `limit` orders whose time is over; gives how many there were.
///
/// # Errors
/// A fault of the ledger.
pub async fn expire_overdue(stores: &Stores, limit: usize) -> Result<usize, Fault> {
    let overdue = stores.ledger.overdue(limit).await?;
    if overdue.is_empty() {
        return Ok(0);
    }
    let count = overdue.len();
    let closing = overdue.into_iter().map(|ticket| (ticket, Change::Close(Closing::Deadline))).collect();
    let applied = stores.ledger.apply(closing).await?;
    stores.show(applied.iter().filter_map(Applied::order)).await;
    stores.pulse.nudge(Work::Close);
    Ok(count)
}

/// Closes the provider's door for one order, and gives its units back where nobody can pay any more. After the grace
/// the units go back all the same: money that comes later is taken by [`crate::late_payment`].
///
/// # Errors
/// A fault of the ledger; the work comes back after its lease.
pub async fn close_door(stores: &Stores, settings: &Settings, order: &Order) -> Result<(), Fault> {
    let Some(session) = &order.session else {
        return closed(stores, order).await;
    };
    let over = order.changed_at.plus_millis(settings.grace_ms);
    // A provider that does not answer must not make the grace longer.
    let left = over.millis_since(stores.clock.now()).max(SHORTEST_CALL_MS);
    let closing = stores.payments.close_session(&session.session);
    let answered = tokio::time::timeout(Duration::from_millis(left), closing).await;
    match answered.unwrap_or_else(|_| Err(PaymentFault::Unknown("no answer within the grace".to_owned()))) {
        Ok(DoorClosing::Closed) => closed(stores, order).await,
        Ok(DoorClosing::Paid(payment)) => take_payment(stores, order.ticket, &payment).await,
        Err(fault) if stores.clock.now() >= over => {
            tracing::warn!(ticket = ?order.ticket, %fault, "the grace is over: the units go back");
            closed(stores, order).await
        }
        Err(fault) => {
            let at = stores.retry_at(order, settings, &fault).min(over);
            tracing::warn!(ticket = ?order.ticket, work = ?Work::Close, %fault, "put off");
            stores.ledger.put_off(order.ticket, Work::Close, at).await
        }
    }
}

async fn closed(stores: &Stores, order: &Order) -> Result<(), Fault> {
    let applied = stores.ledger.apply(vec![(order.ticket, Change::DoorClosed)]).await?;
    stores.show(applied.iter().filter_map(Applied::order)).await;
    Ok(())
}
