//! Capture: the money of a decided order is collected, and its units are sold.

use domain::order::{Order, Work};
use domain::payment::PaymentStage;
use domain::transition::Change;
use ports::Fault;
use ports::ledger::Applied;
use ports::payments::{CaptureOutcome, PaymentFault};

use crate::pulse::Progress;
use crate::stores::{Settings, Stores, reference};

/// Collects the money of one order; puts it off where the provider fails for now.
///
/// # Errors
/// A fault of the ledger; the work comes back after its lease.
pub async fn capture(stores: &Stores, settings: &Settings, order: &Order) -> Result<(), Fault> {
    let Some(payment) = &order.payment else {
        return Err(Fault::damaged("the ledger", "an order is being captured that has no payment"));
    };
    let key = format!("{}:capture", reference(order.ticket));
    let change = match stores.payments.capture(&payment.payment, &payment.amount, &key).await {
        Ok(CaptureOutcome::Captured) => Change::Captured,
        Ok(CaptureOutcome::Gone) => Change::CaptureRefused,
        Err(PaymentFault::Refused(detail)) => match ask(stores, order).await {
            Some(change) => change,
            None => {
                let fault = PaymentFault::Refused(detail);
                return stores.put_off(order, Work::Capture, settings, &fault).await;
            }
        },
        Err(fault) => return stores.put_off(order, Work::Capture, settings, &fault).await,
    };
    let confirmed = change == Change::Captured;
    let applied = stores.ledger.apply(vec![(order.ticket, change)]).await?;
    stores.show(applied.iter().filter_map(Applied::order)).await;
    if confirmed {
        stores.pulse.progress(Progress::Confirmation, stores.clock.now(), 1);
    }
    Ok(())
}

/// What the provider says of the payment, where that settles it.
async fn ask(stores: &Stores, order: &Order) -> Option<Change> {
    let session = order.session.as_ref()?;
    let state = stores.payments.fetch(&session.session).await.ok()?;
    match state.payment?.stage {
        PaymentStage::Captured | PaymentStage::Refunded => Some(Change::Captured),
        PaymentStage::Voided => Some(Change::CaptureRefused),
        PaymentStage::Authorised => None,
    }
}
