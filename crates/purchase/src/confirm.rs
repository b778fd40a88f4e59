//! Confirm: a verified payment decides the order.

use domain::id::TicketId;
use domain::order::Work;
use domain::payment::Payment;
use domain::transition::{Change, ChangeRefusal};
use ports::Fault;
use ports::ledger::Applied;
use ports::payments::{PaymentFault, WebhookNews, WebhookRefusal};

use crate::stores::{Stores, referred};

/// What became of a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WebhookAnswer {
    /// Its effect is durable, or there was none to make.
    Done,
    /// Not believed.
    Refused(WebhookRefusal),
}

/// Verifies a webhook and makes its effect durable. Duplicates, any order and any delay are harmless.
///
/// # Errors
/// A fault: the provider must send it again.
pub async fn receive(stores: &Stores, signature: Option<&str>, body: &[u8]) -> Result<WebhookAnswer, Fault> {
    let event = match stores.payments.read_webhook(signature, body, stores.clock.now()) {
        Ok(event) => event,
        Err(refusal) => return Ok(WebhookAnswer::Refused(refusal)),
    };
    let Some(ticket) = event.reference.as_deref().and_then(referred) else {
        return Ok(WebhookAnswer::Done);
    };
    match event.news {
        WebhookNews::Paid(payment) => take_payment(stores, ticket, &payment).await?,
        WebhookNews::Declined => {
            let applied = stores.ledger.apply(vec![(ticket, Change::Declined)]).await?;
            stores.show(applied.iter().filter_map(Applied::order)).await;
        }
        WebhookNews::Other(_) => return Ok(WebhookAnswer::Done),
    }
    stores.ledger.note_event(stores.payments.provider(), &event.event).await?;
    Ok(WebhookAnswer::Done)
}

/// Lets a payment decide its order. A payment that does not fit is fetched from the provider before it is believed.
///
/// # Errors
/// A fault; nothing was decided.
pub async fn take_payment(stores: &Stores, ticket: TicketId, payment: &Payment) -> Result<(), Fault> {
    let applied = stores.ledger.apply(vec![(ticket, Change::Paid(payment.clone()))]).await?.pop();
    match applied {
        Some(Applied::Refused(ChangeRefusal::WrongAmount, order)) => {
            let session = order.session.as_ref().map(|session| session.session.clone());
            fetched(stores, ticket, session.as_deref()).await
        }
        Some(Applied::Refused(refusal, order)) => {
            tracing::error!(ticket = ?ticket, ?refusal, state = ?order.state, "a payment that the order cannot take");
            Ok(())
        }
        Some(Applied::Changed(order) | Applied::Replay(order)) => {
            decided(stores, &order).await;
            Ok(())
        }
        Some(Applied::Unknown) | None => {
            Err(Fault::unavailable("the ledger", "it does not know the paid order yet"))
        }
    }
}

async fn decided(stores: &Stores, order: &domain::order::Order) {
    stores.show([order]).await;
    if let Some(work) = order.work() {
        stores.pulse.nudge(work);
    }
}

/// Decides by what the provider itself says of the session.
async fn fetched(stores: &Stores, ticket: TicketId, session: Option<&str>) -> Result<(), Fault> {
    let Some(session) = session else {
        return Err(Fault::unavailable("the ledger", "it does not know the paid session yet"));
    };
    let state = stores.payments.fetch(session).await.map_err(provider_fault)?;
    let Some(payment) = state.payment else {
        tracing::error!(ticket = ?ticket, "a payment was announced that the provider does not have");
        return Ok(());
    };
    let applied = stores.ledger.apply(vec![(ticket, Change::Paid(payment.clone()))]).await?.pop();
    let applied = match applied {
        Some(Applied::Refused(ChangeRefusal::WrongAmount, _)) => {
            tracing::error!(ticket = ?ticket, "the provider took another amount than was asked for: it goes back");
            stores.ledger.apply(vec![(ticket, Change::WrongPayment(payment))]).await?.pop()
        }
        other => other,
    };
    if let Some(order) = applied.as_ref().and_then(Applied::order) {
        decided(stores, order).await;
        stores.pulse.nudge(Work::Refund);
    }
    Ok(())
}

/// A provider's fault where no order's work can be put off.
pub(crate) fn provider_fault(fault: PaymentFault) -> Fault {
    Fault::unavailable("the payment provider", fault)
}
