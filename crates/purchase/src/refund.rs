//! Refund: money that must not be kept goes back, once.

use domain::order::{Order, Work};
use domain::payment::PaymentStage;
use domain::transition::Change;
use ports::Fault;
use ports::ledger::Applied;
use ports::payments::PaymentFault;

use crate::stores::{Settings, Stores, reference};

/// Gives one order's money back: an authorisation is given up, captured money is refunded.
///
/// # Errors
/// A fault of the ledger; the work comes back after its lease.
pub async fn refund(stores: &Stores, settings: &Settings, order: &Order) -> Result<(), Fault> {
    let Some(payment) = &order.payment else {
        return Err(Fault::damaged("the ledger", "an order is being refunded that has no payment"));
    };
    let returned = match payment.stage {
        PaymentStage::Authorised => {
            let key = format!("{}:void", reference(order.ticket));
            stores.payments.void(&payment.payment, &key).await
        }
        PaymentStage::Captured => {
            let key = format!("{}:refund", reference(order.ticket));
            stores.payments.refund(&payment.payment, &payment.amount, &key).await
        }
        PaymentStage::Voided | PaymentStage::Refunded => Ok(()),
    };
    match returned {
        Ok(()) => {
            let applied = stores.ledger.apply(vec![(order.ticket, Change::MoneyReturned)]).await?;
            stores.show(applied.iter().filter_map(Applied::order)).await;
            Ok(())
        }
        Err(fault) => {
            if matches!(fault, PaymentFault::Refused(_)) {
                tracing::error!(ticket = ?order.ticket, %fault, "money cannot be given back: a person must look");
            }
            stores.put_off(order, Work::Refund, settings, &fault).await
        }
    }
}
