//! Expire: time is over, so the provider's door is closed, and only then the units go back.

use std::time::Duration;

use domain::order::{Order, Work};
use domain::transition::{Change, Closing};
use ports::Fault;
use ports::ledger::Applied;
use ports::payments::{DoorClosing, PaymentFault};

use crate::confirm::take_payment;
use crate::stores::{PROVIDER, Settings, Stores};

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
    // Where there is no door, nobody is asked: all of them together, since many lapse together.
    let without_door = |order: &&Order| order.session.is_none() && order.work() == Some(Work::Close);
    let left = applied.iter().filter_map(Applied::order).filter(without_door);
    let left: Vec<_> = left.map(|order| (order.ticket, Change::DoorLeft)).collect();
    if !left.is_empty() {
        let applied = stores.ledger.apply(left).await?;
        stores.show(applied.iter().filter_map(Applied::order)).await;
        stores.pulse.nudge(Work::LateClose);
    }
    stores.pulse.nudge(Work::Close);
    Ok(count)
}

/// Closes the provider's door for one order, and gives its units back where nobody can pay any more. After the grace
/// the units go back all the same: what becomes of the door is then up to [`close_left_open`].
///
/// # Errors
/// A fault of the ledger; the work comes back after its lease.
pub async fn close_door(stores: &Stores, settings: &Settings, order: &Order) -> Result<(), Fault> {
    close_door_within(stores, settings, order, Duration::MAX).await
}

/// The same, for somebody who waits for it: a provider that has not said anything after `patience` is asked again later.
///
/// # Errors
/// A fault of the ledger; the work comes back after its lease.
pub async fn close_door_within(
    stores: &Stores,
    settings: &Settings,
    order: &Order,
    patience: Duration,
) -> Result<(), Fault> {
    let Some(session) = &order.session else {
        // One may be on its way here: then it is left open, and closed later.
        return leave_door(stores, order).await;
    };
    let over = order.changed_at.plus_millis(settings.grace_ms);
    // A provider that does not answer must not make the grace longer.
    let left = over.millis_since(stores.clock.now()).max(SHORTEST_CALL_MS);
    let wait = patience.min(Duration::from_millis(left));
    let closing = stores.payments.close_session(&session.session);
    let answered = tokio::time::timeout(wait, closing).await;
    match answered.unwrap_or_else(|_| Err(PaymentFault::Unknown(format!("no answer within {wait:?}")))) {
        Ok(said) => end(stores, order, said).await,
        Err(fault) if stores.clock.now() >= over => {
            stores.met(PROVIDER, "left-open", &fault);
            leave_door(stores, order).await
        }
        Err(fault) => {
            let at = stores.retry_at(order, settings, &fault).min(over);
            stores.met(PROVIDER, "put-off", &fault);
            stores.ledger.put_off(order.ticket, Work::Close, at).await
        }
    }
}

/// Closes a door that the end of the grace left open, however long it takes: a buyer who has paid there is found, and
/// nobody pays there later. Once the provider's own backstop has ended the session, it need not know it any more.
///
/// # Errors
/// A fault of the ledger; the work comes back after its lease.
pub async fn close_left_open(stores: &Stores, settings: &Settings, order: &Order) -> Result<(), Fault> {
    let Some(session) = &order.session else {
        return apply(stores, order, Change::DoorClosed).await;
    };
    let backstop = order.allocated_at.plus_millis(settings.session_life_ms);
    match stores.payments.close_session(&session.session).await {
        Ok(said) => end(stores, order, said).await,
        Err(PaymentFault::Refused(_)) if stores.clock.now() > backstop => {
            apply(stores, order, Change::DoorClosed).await
        }
        Err(fault) => stores.put_off(order, Work::LateClose, settings, &fault).await,
    }
}

/// What the provider said decides.
async fn end(stores: &Stores, order: &Order, said: DoorClosing) -> Result<(), Fault> {
    match said {
        DoorClosing::Paid(payment) if payment.stage.has_money() => {
            take_payment(stores, order.ticket, &payment).await
        }
        // Money that is gone by itself is none.
        DoorClosing::Closed | DoorClosing::Paid(_) => apply(stores, order, Change::DoorClosed).await,
    }
}

async fn leave_door(stores: &Stores, order: &Order) -> Result<(), Fault> {
    apply(stores, order, Change::DoorLeft).await?;
    stores.pulse.nudge(Work::LateClose);
    Ok(())
}

async fn apply(stores: &Stores, order: &Order, change: Change) -> Result<(), Fault> {
    let applied = stores.ledger.apply(vec![(order.ticket, change)]).await?;
    stores.show(applied.iter().filter_map(Applied::order)).await;
    Ok(())
}
