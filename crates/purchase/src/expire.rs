//! Expire: time is over, so the provider's door is closed, and only then the units go back.

use domain::order::{Order, Work};
use domain::transition::{Change, Closing};
use ports::Fault;
use ports::ledger::Applied;
use ports::payments::DoorClosing;

use crate::confirm::take_payment;
use crate::stores::{Settings, Stores};

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
    match stores.payments.close_session(&session.session).await {
        Ok(DoorClosing::Closed) => closed(stores, order).await,
        Ok(DoorClosing::Paid(payment)) => take_payment(stores, order.ticket, &payment).await,
        Err(fault) => {
            let waited = stores.clock.now().millis_since(order.changed_at);
            if waited >= settings.grace_ms {
                tracing::warn!(ticket = ?order.ticket, %fault, "the grace is over: the units go back");
                return closed(stores, order).await;
            }
            stores.put_off(order, Work::Close, settings, &fault).await
        }
    }
}

async fn closed(stores: &Stores, order: &Order) -> Result<(), Fault> {
    let applied = stores.ledger.apply(vec![(order.ticket, Change::DoorClosed)]).await?;
    stores.show(applied.iter().filter_map(Applied::order)).await;
    Ok(())
}
